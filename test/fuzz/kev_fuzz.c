/*
 * kev_fuzz.c
 *    Any bytes as CISA's catalog: whatever comes out are rows.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document = fuzz_document("json", data, size);

	fuzz_read("kev", &document, 1, NULL);
	return 0;
}
