/*
 * osv_fuzz.c
 *    Any bytes as the options and the document of an updater of the user's own, in format osv, or
 *    as a record that has changed: whatever comes out are rows.
 *
 * The first byte says what the document is, the second one where the options end; without any,
 * they are good ones.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ClairBytes options = CLAIR_LITERAL("{\"ecosystems\":{\"House:1\":\"debian:12\"}}");
	UpdaterDocument document;
	size_t length;

	if (size < 2)
		return 0;
	length = data[1] * (size - 2) / 256;
	if (length > 0)
		options = (ClairBytes){(const char *) data + 2, length};
	document = fuzz_document(data[0] % 2 == 0 ? "osv" : "changed/X-1", data + 2 + length,
							 size - 2 - length);
	fuzz_read_with("osv", &document, 1, "2031-01-01T00:00:00.000Z", options);
	return 0;
}
