/*
 * csv_fuzz.c
 *    Any bytes as comma-separated values, in pieces of any size: the records do not depend on the
 *    pieces, lie where they say, and their fields, quoted anew, are read as the same.
 *
 * The first byte chooses the size of the pieces.
 */
#include "common/limits.h"
#include "common/text.h"
#include "feed/csv.h"
#include "pieces.h"
#include "fuzz.h"

#define FIELDS_LIMIT ((size_t) 8)

typedef struct Outcome
{
	ClairStatus status;
	int64_t records;
	int64_t places; /* the sum of their positions and lines */
	int64_t fields;
} Outcome;

/* The field in quotes, those in it doubled. */
static ClairBytes
quote(Arena *arena, ClairBytes field)
{
	char *quoted = arena_alloc(arena, 2 * field.size + 2);
	size_t size = 0;

	require(quoted != NULL);
	quoted[size++] = '"';
	for (size_t i = 0; i < field.size; i++)
	{
		quoted[size++] = field.data[i];
		if (field.data[i] == '"')
			quoted[size++] = '"';
	}
	quoted[size++] = '"';
	return (ClairBytes){quoted, size};
}

/* How many fields there are; 0 when the record is broken. */
static size_t
check_fields(Arena *arena, ClairBytes record)
{
	ClairBytes fields[FIELDS_LIMIT];
	ClairBytes again;
	size_t count;
	size_t one;

	if (csv_fields(arena, record, fields, FIELDS_LIMIT, &count) != NULL)
		return 0;
	require(count > 0 && count <= FIELDS_LIMIT);
	for (size_t i = 0; i < count; i++)
	{
		require(text_is_valid(fields[i]));
		require(csv_fields(arena, quote(arena, fields[i]), &again, 1, &one) == NULL && one == 1 &&
				clair_bytes_equal(again, fields[i]));
	}
	return count;
}

static Outcome
cut(ClairBytes document, size_t piece_size)
{
	Pieces pieces = {.stream = {.read = read_piece}, .rest = document, .size = piece_size};
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	Arena *arena = arena_create(1 << 24);
	Outcome outcome = {0};
	FeedRecord record;
	ClairError error;
	void *records;
	bool found = true;

	limits.max_record_size = 256;
	require(arena != NULL &&
			csv_record_cutter.open(&pieces.stream, NULL, &limits, &records, &error) == CLAIR_OK);
	while (outcome.status == CLAIR_OK && found)
	{
		outcome.status = csv_record_cutter.next(records, &record, &found, &error);
		if (outcome.status != CLAIR_OK || !found)
			continue;
		require(record.value.size > 0 &&
				(size_t) record.position + record.value.size <= document.size &&
				memcmp(document.data + record.position, record.value.data, record.value.size) == 0);
		outcome.records++;
		outcome.places += record.position + record.number;
		outcome.fields += (int64_t) check_fields(arena, record.value);
		arena_reset(arena);
	}
	csv_record_cutter.close(records);
	arena_destroy(arena);
	free(pieces.piece);
	return outcome;
}

FUZZ_TARGET(csv)
{
	ClairBytes document;
	Outcome whole;
	Outcome pieces;

	if (size < 2)
		return 0;
	document = (ClairBytes){(const char *) data + 1, size - 1};
	whole = cut(document, document.size);
	pieces = cut(document, 1 + data[0] % 33);
	require(whole.status == pieces.status && whole.records == pieces.records &&
			whole.places == pieces.places && whole.fields == pieces.fields);
	return 0;
}
