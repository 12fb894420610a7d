/*
 * epss_fuzz.c
 *    Any bytes as EPSS's document: whatever comes out are rows.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document = fuzz_document("csv", data, size);

	fuzz_read("epss", &document, 1, NULL);
	return 0;
}
