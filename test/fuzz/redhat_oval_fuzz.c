/*
 * redhat_oval_fuzz.c
 *    Any bytes as a document of Red Hat's OVAL, or as a listing: whatever comes out are rows.
 */
#include "feed/xml.h"
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document;

	xml_initialize();
	document = fuzz_document("index", data, size);
	fuzz_read("redhat-oval", &document, 1, NULL);
	return 0;
}
