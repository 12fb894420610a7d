/*
 * updateinfo_fuzz.c
 *    Any bytes as what leads to the updates of a source of the user's own, or as these, as the
 * first byte says: whatever comes out are rows.
 */
#include "feed/xml.h"
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"index", "x/repomd.xml", "x/updateinfo.xml"};
	UpdaterDocument document;

	if (size == 0)
		return 0;
	xml_initialize();
	document = fuzz_document(names[data[0] % 3], data + 1, size - 1);
	fuzz_read_with("updateinfo", &document, 1, NULL,
				   CLAIR_LITERAL("{\"namespace\": \"rhel:8\", \"repositories\": [\"b\", \"a\"],"
								 " \"link\": \"https://x/\"}"));
	return 0;
}
