/*
 * redhat_fuzz.c
 *    Any bytes as Red Hat's documents: whatever comes out are rows.
 *
 * The first byte chooses which documents they are and whether there is a state, the second where
 * the first one ends.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const firsts[] = {"2031/cve-2031-0001.json", "archive", "changes", "latest"};
	static const char *const seconds[] = {"2031/cve-2031-0002.json", "repositories", "deletions",
										  "2031/cve-2031-0002.json"};
	UpdaterDocument documents[2];
	size_t first;

	if (size < 2)
		return 0;
	first = data[1] * (size - 2) / 256;
	documents[0] = fuzz_document(firsts[data[0] % 4], data + 2, first);
	documents[0].url = CLAIR_LITERAL("https://x/a_2031-01-01.tar");
	documents[1] = fuzz_document(seconds[data[0] % 4], data + 2 + first, size - 2 - first);
	fuzz_read("redhat", documents, 2, (data[0] & 4) != 0 ? "a_2031-01-01.tar 1 -" : NULL);
	return 0;
}
