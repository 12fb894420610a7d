/*
 * amazon_fuzz.c
 *    Any bytes as what leads to Amazon's repositories, or as updates of one, as the first byte
 * says: whatever comes out are rows.
 */
#include "feed/xml.h"
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"index", "extras-catalog.json", "amzn2-core/mirror.list",
										"amzn2-core/repomd.xml",
										"amzn2extra-lamp-mariadb10.2-php7.2/updateinfo.xml"};
	UpdaterDocument document;

	if (size == 0)
		return 0;
	xml_initialize();
	document = fuzz_document(names[data[0] % 5], data + 1, size - 1);
	fuzz_read("amazon", &document, 1, NULL);
	return 0;
}
