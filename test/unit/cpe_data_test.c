/* Proves that the names of platforms of Red Hat's repositories are read, and canonical already. */
#include <fcntl.h>

#include "common/arena.h"
#include "common/json_cursor.h"
#include "common/stream.h"
#include "feed/cpe.h"
#include "feed/json_records.h"
#include "unit.h"

static const ClairLimits limits = {CLAIR_LIMITS(CLAIR_LIMIT_INITIALIZER)};
static int seen;
static int broken;
static int changed;
static int lonely;

/* One name: as it stands, it is a canonical URI, and it is among those that cover it. */
static void
take_name(ClairBytes text)
{
	Arena *arena = arena_create(1 << 20);
	Cpe cpe;
	const char *problem = cpe_read(arena, text, &cpe);
	ClairBytes *uris;
	size_t count;
	bool covered = false;

	seen++;
	if (problem != NULL)
	{
		broken++;
		printf("# %.*s: %s\n", (int) text.size, text.data, problem);
	}
	else
	{
		changed += !clair_bytes_equal(cpe_uri(arena, &cpe), text);
		if (cpe_covering(arena, &cpe, &uris, &count))
			for (size_t i = 0; i < count; i++)
				covered |= clair_bytes_equal(uris[i], text);
		lonely += !covered;
	}
	arena_destroy(arena);
}

/* A repository: { "cpes": [ name, ... ], ... }. */
static void
take_repository(JsonCursor *cursor)
{
	ClairBytes member;
	ClairBytes text;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &member))
	{
		if (!clair_bytes_equal(member, CLAIR_LITERAL("cpes")))
		{
			json_skip(cursor);
			continue;
		}
		json_enter(cursor, JSON_ARRAY);
		while (json_next_element(cursor))
			if (json_text(cursor, &text))
				take_name(text);
	}
}

/* The document: { "data": { repository: ..., ... } }. */
static void
take_document(int descriptor)
{
	ClairStream *file;
	ClairStream *stream;
	void *records;
	FeedRecord record;
	ClairError error;
	bool found;

	if (stream_open_file(descriptor, 0, -1, &file, &error) != CLAIR_OK ||
		stream_open_decompressed(file, limits.max_document_size, "clair.max_document_size",
								 limits.max_ratio, &stream, &error) != CLAIR_OK ||
		json_record_cutter.open(stream, NULL, &limits, &records, &error) != CLAIR_OK)
		abort();
	while (json_record_cutter.next(records, &record, &found, &error) == CLAIR_OK && found)
	{
		JsonCursor cursor = json_cursor(record.value, NULL);
		ClairBytes repository;

		if (!clair_bytes_equal(record.name, CLAIR_LITERAL("data")))
			continue;
		json_enter(&cursor, JSON_OBJECT);
		while (json_next_member(&cursor, &repository))
			take_repository(&cursor);
		CHECK(json_end(&cursor), "the repositories are read");
	}
	json_record_cutter.close(records);
	stream->close(stream);
}

int
main(void)
{
	const char *path = unit_data("feeds/redhat/repository-to-cpe.json.gz");
	int descriptor = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (descriptor >= 0)
	{
		take_document(descriptor);
		close(descriptor);
		printf("# %d names\n", seen);
		CHECK(seen > 1000, "there are names");
		CHECK_INT(broken, 0, "all of them are read");
		CHECK_INT(changed, 0, "and written as they stand");
		CHECK_INT(lonely, 0, "and cover themselves");
	}
	return unit_result();
}
