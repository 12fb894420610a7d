/*
 * sbom_fuzz.c
 *    Any bytes as a software bill of materials: whatever comes out are rows of one image, and no
 *    fact of a file is told twice.
 */
#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"
#include "image/sbom_image.h"

#define MAX_FACTS 2000

/* What came so far. */
typedef struct Seen
{
	int images;
	char *facts[MAX_FACTS]; /* path and key */
	int fact_count;
} Seen;

static ClairStatus
take_sbom_row(void *context, WireRelation relation, const ClairBytes *fields, uint32_t count,
			  ClairError *error)
{
	Seen *seen = context;

	seen->images += relation == WIRE_IMAGE;
	require(seen->images == 1);
	if (relation == WIRE_LAYER_FACT && seen->fact_count < MAX_FACTS)
	{
		char *fact = malloc(fields[1].size + fields[2].size + 2);

		require(fact != NULL);
		sprintf(fact, "%.*s %.*s", (int) fields[1].size, fields[1].data, (int) fields[2].size,
				fields[2].data);
		for (int i = 0; i < seen->fact_count; i++)
			require(strcmp(seen->facts[i], fact) != 0);
		seen->facts[seen->fact_count++] = fact;
	}
	return fuzz_feed_sink.row(context, relation, fields, count, error);
}

/* Nothing is known. */
static ClairStatus
answer_unknown(void *context, const ClairBytes *keys, uint32_t count, ClairBytes *answers,
			   ClairError *error)
{
	(void) context;
	(void) error;
	require(count == 1 && clair_bytes_start_with(keys[0], CLAIR_LITERAL(SBOM_PREFIX "sha256:")));
	answers[0] = CLAIR_NULL_BYTES;
	return CLAIR_OK;
}

FUZZ_TARGET(sbom)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	int document = fuzz_file((ClairBytes){(const char *) data, size});
	Seen seen = {.images = 0};
	ClairSink sink = {.context = &seen, .row = take_sbom_row, .known = answer_unknown};
	ClairError error = {.status = CLAIR_OK};

	limits.max_file_size = 16 << 20;
	if (sbom_image_index(&limits, document, &sink, &error) != CLAIR_OK)
		require(error.message[0] != '\0' && seen.images == 0);
	else
		require(seen.images == 1);
	for (int i = 0; i < seen.fact_count; i++)
		free(seen.facts[i]);
	close(document);
	return 0;
}
