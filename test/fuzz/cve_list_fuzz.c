/*
 * cve_list_fuzz.c
 *    Any bytes as a document of the CVE List's: whatever comes out are rows.
 *
 * The first byte chooses whether it is the first document, and whether there has been a run before.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document;

	if (size == 0)
		return 0;
	document = fuzz_document((data[0] & 1) != 0 ? "index" : "all", data + 1, size - 1);
	fuzz_read("cve_list", &document, 1, (data[0] & 2) != 0 ? "2031-01-02T00:00:00.000Z" : NULL);
	return 0;
}
