/*
 * debian_fuzz.c
 *    Any bytes as the tracker's document: whatever comes out are rows.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document = fuzz_document("tracker", data, size);

	fuzz_read("debian", &document, 1, NULL);
	return 0;
}
