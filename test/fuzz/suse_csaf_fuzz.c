/*
 * suse_csaf_fuzz.c
 *    Any bytes as a CSAF document of SUSE's, or as a list of changes: whatever comes out are rows.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document = fuzz_document("cve-2031-0001.json", data, size);

	fuzz_read("suse-csaf", &document, 1, NULL);
	document = fuzz_document("changes", data, size);
	fuzz_read("suse-csaf", &document, 1, "csaf-vex.tar.bz2 1 -");
	return 0;
}
