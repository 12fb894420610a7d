/*
 * cvss_fuzz.c
 *    Any bytes as a CVSS vector: what is read is written and read again as the same, and has
 *    scores from 0 to 10 that go with their words.
 */
#include "feed/cvss.h"
#include "fuzz.h"

static void
check_score(const Cvss *cvss, int score)
{
	const char *word = cvss_severity(cvss->version, score);

	require(score == CVSS_NO_SCORE ? cvss->version == CVSS_4_0 : score >= 0 && score <= 100);
	require((strcmp(word, "Unknown") == 0) == (score == CVSS_NO_SCORE));
}

FUZZ_TARGET(cvss)
{
	Arena *arena = arena_create(1 << 20);
	ClairBytes text = {(const char *) data, size};
	ClairBytes vector;
	Cvss cvss;
	Cvss again;

	require(arena != NULL && cvss_read_score(text) <= 100);
	if (cvss_read(text, &cvss) == NULL)
	{
		vector = cvss_vector(arena, &cvss);
		require(vector.size == size && cvss_read(vector, &again) == NULL &&
				again.version == cvss.version &&
				memcmp(again.values, cvss.values, sizeof(cvss.values)) == 0);
		check_score(&cvss, cvss_score(&cvss));
		check_score(&cvss, cvss_base_score(&cvss));
	}
	arena_destroy(arena);
	return 0;
}
