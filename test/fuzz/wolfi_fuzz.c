/*
 * wolfi_fuzz.c
 *    Any bytes as the document of Wolfi's or Chainguard OS's security database: whatever comes out
 *    are rows.
 *
 * The first byte says whose it is.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document;

	if (size < 1)
		return 0;
	document = fuzz_document("secdb", data + 1, size - 1);
	fuzz_read(data[0] % 2 == 0 ? "wolfi" : "chainguard", &document, 1, NULL);
	return 0;
}
