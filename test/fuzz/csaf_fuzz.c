/*
 * csaf_fuzz.c
 *    Any bytes as the options and the document of an updater of the user's own, in format csaf:
 *    whatever comes out are rows.
 *
 * The first byte says where the options end; without any, they are good ones.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ClairBytes options = CLAIR_LITERAL("{\"namespace\":\"debian:11\",\"link\":\"https://x/\","
									   "\"platforms\":{\"cpe:/o:redhat*\":\"rhel:9\"}}");
	UpdaterDocument document;
	size_t length;

	if (size < 1)
		return 0;
	length = data[0] * (size - 1) / 256;
	if (length > 0)
		options = (ClairBytes){(const char *) data + 1, length};
	document = fuzz_document("csaf", data + 1 + length, size - 1 - length);
	fuzz_read_with("csaf", &document, 1, NULL, options);
	return 0;
}
