/*
 * azure_fuzz.c
 *    Any bytes as a document of Azure Linux's, as a listing, or as what GitHub's API says: whatever
 *    comes out are rows.
 */
#include "feed/xml.h"
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument documents[2];

	xml_initialize();
	documents[0] = fuzz_document("index", data, size);
	documents[1] = fuzz_document("azurelinux-3.0-oval.xml", data, size);
	fuzz_read("azure", &documents[0], 1, NULL);
	fuzz_read("azure", &documents[1], 1, NULL);
	return 0;
}
