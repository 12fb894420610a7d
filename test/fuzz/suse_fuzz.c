/*
 * suse_fuzz.c
 *    Any bytes as a document of SUSE's OVAL, or as a listing: whatever comes out are rows.
 */
#include "feed/xml.h"
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document;

	xml_initialize();
	document = fuzz_document("index", data, size);
	fuzz_read("suse", &document, 1, NULL);
	return 0;
}
