/*
 * nvd_fuzz.c
 *    Any bytes as a document of NVD's: whatever comes out are rows.
 *
 * The first byte chooses which document it is, and whether there has been a run before.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document;

	if (size == 0)
		return 0;
	document = fuzz_document((data[0] & 1) != 0 ? "index" : "modified", data + 1, size - 1);
	document.url = (data[0] & 1) != 0 ? CLAIR_LITERAL("https://x/a-modified.meta")
									  : CLAIR_LITERAL("https://x/a-modified.json.gz");
	fuzz_read("nvd", &document, 1, (data[0] & 2) != 0 ? "2031 2031-01-01T00:00:00.000Z" : NULL);
	return 0;
}
