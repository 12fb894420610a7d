/*
 * json_records_fuzz.c
 *    Any bytes as a JSON document, in pieces of any size: the records do not depend on the
 *    pieces, lie where they say, and a document whose records are all JSON is JSON.
 *
 * The first byte chooses the size of the pieces and which array is looked for, if any.
 */
#include "common/arena.h"
#include "common/json_cursor.h"
#include "common/limits.h"
#include "common/stream.h"
#include "feed/json_records.h"
#include "pieces.h"
#include "fuzz.h"

typedef struct Outcome
{
	ClairStatus status;
	int64_t records;
	int64_t positions; /* their sum */
	bool all_json;
} Outcome;

static bool
is_json(Arena *arena, ClairBytes text)
{
	JsonCursor cursor = json_cursor(text, arena);

	return json_skip(&cursor) && json_end(&cursor);
}

static Outcome
split(ClairBytes document, const char *array, size_t piece_size)
{
	Pieces pieces = {.stream = {.read = read_piece}, .rest = document, .size = piece_size};
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	Arena *arena = arena_create(1 << 24);
	Outcome outcome = {.all_json = true};
	ClairError error;
	void *records;
	FeedRecord record;
	bool found = true;

	require(arena != NULL &&
			json_record_cutter.open(&pieces.stream, array, &limits, &records, &error) == CLAIR_OK);
	while (outcome.status == CLAIR_OK && found)
	{
		outcome.status = json_record_cutter.next(records, &record, &found, &error);
		if (outcome.status != CLAIR_OK || !found)
			continue;
		require(record.value.size > 0 &&
				(size_t) record.position + record.value.size <= document.size &&
				memcmp(document.data + record.position, record.value.data, record.value.size) == 0);
		outcome.records++;
		outcome.positions += record.position;
		outcome.all_json &= is_json(arena, record.value);
		arena_reset(arena);
	}
	json_record_cutter.close(records);
	arena_destroy(arena);
	free(pieces.piece);
	return outcome;
}

FUZZ_TARGET(json_records)
{
	ClairBytes document;
	const char *array;
	Outcome whole;
	Outcome cut;
	Arena *arena = arena_create(1 << 24);

	if (size > 1 && arena != NULL)
	{
		document = (ClairBytes){(const char *) data + 1, size - 1};
		array = (data[0] & 2) != 0 ? "" : (data[0] & 1) != 0 ? "packages" : NULL;
		whole = split(document, array, size);
		cut = split(document, array, 1 + (data[0] >> 2) % 33);
		require(whole.status == cut.status && whole.records == cut.records &&
				whole.positions == cut.positions);
		if (whole.status == CLAIR_OK)
			require(whole.all_json == is_json(arena, document));
	}
	arena_destroy(arena);
	return 0;
}
