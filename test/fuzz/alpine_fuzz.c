/*
 * alpine_fuzz.c
 *    Any bytes as two of Alpine's documents: whatever comes out are rows.
 *
 * The first byte chooses which documents they are, the second where the first one ends.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument documents[2];
	size_t first;

	if (size < 2)
		return 0;
	first = data[1] * (size - 2) / 256;
	documents[0] = fuzz_document((data[0] & 1) != 0 ? "index" : "rejections/main.yaml", data + 2,
								 first);
	documents[1] = fuzz_document((data[0] & 2) != 0 ? "edge/main.json"
													: "rejections/community.yaml",
								 data + 2 + first, size - 2 - first);
	fuzz_read("alpine", documents, 2, NULL);
	return 0;
}
