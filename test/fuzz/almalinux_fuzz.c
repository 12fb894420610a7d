/*
 * almalinux_fuzz.c
 *    Any bytes as a document of AlmaLinux's errata: whatever comes out are rows.
 *
 * The first byte says whether it is the first one.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document;

	if (size < 1)
		return 0;
	document = fuzz_document(data[0] % 2 == 0 ? "errata" : "2", data + 1, size - 1);
	fuzz_read("almalinux", &document, 1, NULL);
	return 0;
}
