/*
 * oval_fuzz.c
 *    Any bytes as the options and the document of an updater of the user's own, in format oval:
 *    whatever comes out are rows.
 *
 * The first byte says where the options end; without any, they are good ones.
 */
#include "feed/xml.h"
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ClairBytes options = CLAIR_LITERAL("{\"namespace\":\"debian:11\",\"kind\":\"source\","
									   "\"releases\":{\"Acme 8 is installed\":\"debian:8\"}}");
	UpdaterDocument document;
	size_t length;

	if (size < 1)
		return 0;
	xml_initialize();
	length = data[0] * (size - 1) / 256;
	if (length > 0)
		options = (ClairBytes){(const char *) data + 1, length};
	document = fuzz_document("index", data + 1 + length, size - 1 - length);
	fuzz_read_with("oval", &document, 1, NULL, options);
	return 0;
}
