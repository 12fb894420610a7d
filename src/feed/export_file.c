/*
 * export_file.c
 *    Cuts an export into lines, and holds it against its last one; see export_file.h.
 *
 * A line is put together from the pieces of the stream. What does not belong to the updater that
 * is asked for is hashed and passed over.
 */
#include "feed/export_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/json_cursor.h"
#include "common/text.h"
#include "feed/record_buffer.h"
#include "feed/record_feed.h"

#define MEMORY_PROBLEM "there is not enough memory for the export"
#define SECTION_MEMORY ((size_t) 64 << 10)
#define PREFIX_SIZE	   (sizeof("sha256:") - 1)

typedef struct ExportFile
{
	ClairStream *stream;
	ClairBytes updater; /* whose lines are wanted; no value: none */
	RecordBuffer line;	/* with its line feed */
	ClairBytes piece;	/* what is left of the stream's last one */
	Digest *digest;		/* of the lines before */
	Arena *arena;
	int64_t lines; /* before the current one */
	int64_t bytes; /* before the current one */
	int64_t size;  /* that came from the stream */
	bool is_wanted;
	bool ended;
} ExportFile;

static void
export_close(void *records)
{
	ExportFile *file = records;

	if (file == NULL)
		return;
	record_buffer_free(&file->line);
	digest_destroy(file->digest);
	arena_destroy(file->arena);
	free(file);
}

static ClairStatus
export_open(ClairStream *stream, const char *part, const ClairLimits *limits, void **records,
			ClairError *error)
{
	ExportFile *file = calloc(1, sizeof(ExportFile));

	if (file == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	file->stream = stream;
	file->updater = part != NULL ? clair_bytes(part) : CLAIR_NULL_BYTES;
	file->line.max_size = (size_t) limits->max_record_size;
	file->digest = digest_create(DIGEST_SHA256);
	file->arena = arena_create(SECTION_MEMORY);
	if (file->digest == NULL || file->arena == NULL)
	{
		export_close(file);
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	}
	*records = file;
	return CLAIR_OK;
}

static int64_t
export_size(const void *records)
{
	return ((const ExportFile *) records)->size;
}

static ClairStatus
refuse(const ExportFile *file, ClairError *error, const char *problem)
{
	return clair_error(error, CLAIR_INVALID, "line %" PRId64 ": %s", file->lines + 1, problem);
}

/* Puts the next line together; no line at the end of the file. */
static ClairStatus
next_line(ExportFile *file, ClairBytes *line, ClairError *error)
{
	ClairStatus status = CLAIR_OK;
	const char *feed = NULL;

	file->line.size = 0;
	while (feed == NULL && status == CLAIR_OK)
	{
		size_t size;

		if (file->piece.size == 0)
		{
			status = file->stream->read(file->stream, &file->piece, error);
			if (status != CLAIR_OK || file->piece.size == 0)
				break;
			file->size += (int64_t) file->piece.size;
		}
		feed = memchr(file->piece.data, '\n', file->piece.size);
		size = feed != NULL ? (size_t) (feed - file->piece.data) + 1 : file->piece.size;
		status = record_buffer_add(&file->line, (ClairBytes){file->piece.data, size}, error);
		file->piece = clair_bytes_skip(file->piece, size);
	}
	if (status == CLAIR_OK && feed == NULL && file->line.size > 0)
		status = refuse(file, error, "the export is cut off");
	*line = (ClairBytes){file->line.data, file->line.size};
	return status;
}

/* The version of a first line: it is the first thing that is looked at. */
static ClairStatus
check_head(ClairBytes line, ClairError *error)
{
	long version = 0;

	if (!clair_bytes_start_with(line, CLAIR_LITERAL(EXPORT_HEAD)))
	{
		clair_error(error, CLAIR_INVALID, "it is not an export of clair");
		clair_error_hint(error, "clair.export_updates() writes such files.");
		return CLAIR_INVALID;
	}
	line = clair_bytes_skip(line, sizeof(EXPORT_HEAD) - 1);
	for (; line.size > 0 && *line.data >= '0' && *line.data <= '9' && version < 1000000;
		 line = clair_bytes_skip(line, 1))
		version = version * 10 + (*line.data - '0');
	if (version == EXPORT_VERSION)
		return CLAIR_OK;
	clair_error(error, CLAIR_UNSUPPORTED, "it is an export of version %ld, not %d", version,
				EXPORT_VERSION);
	clair_error_hint(error, "Have the same version of clair on both sides.");
	return CLAIR_UNSUPPORTED;
}

/* Holds the last line against what stood before it. */
static ClairStatus
check_end(ExportFile *file, ClairBytes line, ClairError *error)
{
	JsonCursor cursor = json_cursor((ClairBytes){line.data, line.size - 1}, file->arena);
	ClairBytes name;
	ClairBytes lines = CLAIR_NULL_BYTES;
	ClairBytes sha256 = CLAIR_NULL_BYTES;
	char digest[DIGEST_TEXT_SIZE];
	int64_t count;

	json_enter(&cursor, JSON_OBJECT);
	while (json_next_member(&cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("end")))
			json_number(&cursor, &lines);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("sha256")))
			json_text(&cursor, &sha256);
		else
			json_skip(&cursor);
	}
	digest_finish(file->digest, digest);
	if (!json_end(&cursor) || !wire_integer(lines, &count) || count != file->lines ||
		!clair_bytes_equal(sha256, clair_bytes(digest + PREFIX_SIZE)))
		return refuse(file, error, "the export is damaged: its last line does not fit the others");
	file->ended = true;
	return CLAIR_OK;
}

/* Begins a section. */
static ClairStatus
check_section(ExportFile *file, ClairBytes line, ClairError *error)
{
	JsonCursor cursor = json_cursor((ClairBytes){line.data, line.size - 1}, file->arena);
	ClairBytes name;
	ClairBytes updater = CLAIR_NULL_BYTES;

	arena_reset(file->arena);
	json_enter(&cursor, JSON_OBJECT);
	if (json_next_member(&cursor, &name))
		json_text(&cursor, &updater);
	json_next_member(&cursor, &name);
	if (!json_end(&cursor) || updater.size == 0)
		return refuse(file, error, "a section does not name its updater");
	file->is_wanted = clair_bytes_equal(updater, file->updater);
	return CLAIR_OK;
}

/* The next line that is not this file's own business, or, at the end, none. */
static ClairStatus
next_content(ExportFile *file, ClairBytes *line, ClairError *error)
{
	ClairStatus status = next_line(file, line, error);

	if (status != CLAIR_OK)
		return status;
	if (line->size == 0)
		return file->ended ? CLAIR_OK : refuse(file, error, "the export is cut off");
	if (file->ended)
		return refuse(file, error, "something stands behind the end of the export");
	if (clair_bytes_start_with(*line, CLAIR_LITERAL(EXPORT_END)))
		status = check_end(file, *line, error);
	else
	{
		digest_update(file->digest, *line);
		if (file->lines == 0)
			status = check_head(*line, error);
		else if (clair_bytes_start_with(*line, CLAIR_LITERAL(EXPORT_SECTION)))
			status = check_section(file, *line, error);
	}
	return status;
}

static ClairStatus
export_next(void *records, FeedRecord *record, bool *found, ClairError *error)
{
	ExportFile *file = records;
	ClairBytes line;
	ClairStatus status;

	*found = false;
	while ((status = next_content(file, &line, error)) == CLAIR_OK && line.size > 0)
	{
		bool is_own = file->lines == 0 || file->ended ||
					  clair_bytes_start_with(line, CLAIR_LITERAL(EXPORT_SECTION));
		int64_t position = file->bytes;

		file->lines++;
		file->bytes += (int64_t) line.size;
		if (is_own || !file->is_wanted)
			continue;
		*record = (FeedRecord){.value = {line.data, line.size - 1}, .position = position};
		if (!clair_bytes_start_with(line, CLAIR_LITERAL(EXPORT_RECORD)))
			record->name = CLAIR_LITERAL("row");
		*found = true;
		break;
	}
	return status;
}

const RecordCutter export_cutter = {export_open, export_next, export_size, export_close};

/* An updater of the first line: its name, and since which position its section tells what changed.
 */
static bool
take_updater(JsonCursor *cursor, ClairBytes fields[])
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("name")))
			json_text(cursor, &fields[0]);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("since")))
		{
			if (json_type(cursor) == JSON_NUMBER)
				json_number(cursor, &fields[3]);
			else
				json_skip(cursor);
		}
		else if (clair_bytes_equal(name, CLAIR_LITERAL("as_of")))
			json_text_or_null(cursor, &fields[4]);
		else
			json_skip(cursor);
	}
	return cursor->status == CLAIR_OK;
}

/* Takes the first line apart; its updaters are told once the whole file has been read. */
static ClairStatus
tell_updaters(ClairBytes head, Arena *arena, const ClairSink *sink, ClairError *error)
{
	JsonCursor cursor = json_cursor(head, arena);
	JsonCursor updaters = cursor;
	ClairBytes fields[5] = {CLAIR_NULL_BYTES};
	ClairBytes name;
	ClairStatus status = CLAIR_OK;
	bool has_updaters = false;

	json_enter(&cursor, JSON_OBJECT);
	while (json_next_member(&cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("site")))
			json_text(&cursor, &fields[1]);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("position")))
			json_number(&cursor, &fields[2]);
		else
		{
			if (clair_bytes_equal(name, CLAIR_LITERAL("updaters")))
			{
				updaters = cursor;
				has_updaters = true;
			}
			json_skip(&cursor);
		}
	}
	if (!json_end(&cursor) || !has_updaters || fields[1].data == NULL || fields[2].data == NULL)
		return clair_error(error, CLAIR_INVALID, "line 1: it does not say what there is");
	json_enter(&updaters, JSON_ARRAY);
	while (status == CLAIR_OK && json_next_element(&updaters))
	{
		fields[0] = fields[3] = fields[4] = CLAIR_NULL_BYTES;
		if (!take_updater(&updaters, fields) || fields[0].size == 0)
			return clair_error(error, CLAIR_INVALID, "line 1: an updater has no name");
		status = sink->row(sink->context, WIRE_EXPORT, fields, 5, error);
	}
	return status;
}

/* Reads all of the file; the first line is kept. */
static ClairStatus
read_all(ExportFile *file, Arena *arena, const ClairSink *sink, ClairBytes *head, ClairError *error)
{
	ClairBytes line;
	ClairStatus status;

	while ((status = next_content(file, &line, error)) == CLAIR_OK && line.size > 0)
	{
		if (file->lines == 0)
		{
			*head = arena_copy(arena, (ClairBytes){line.data, line.size - 1});
			if (head->data == NULL)
				return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
		}
		file->lines++;
		file->bytes += (int64_t) line.size;
		if (file->lines % 1024 == 0)
			status = sink->progress(sink->context, file->size, file->lines, error);
		if (status != CLAIR_OK)
			break;
	}
	return status;
}

ClairStatus
export_inspect(const ClairLimits *limits, int descriptor, const ClairSink *sink, ClairError *error)
{
	ClairStream *stream;
	void *records = NULL;
	Arena *arena = arena_create(record_feed_memory(limits));
	ClairBytes head = CLAIR_NULL_BYTES;
	ClairStatus status;

	if (arena == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	status = record_feed_stream(limits, descriptor, &stream, error);
	if (status == CLAIR_OK)
	{
		status = export_open(stream, NULL, limits, &records, error);
		if (status == CLAIR_OK)
			status = read_all(records, arena, sink, &head, error);
		export_close(records);
		stream->close(stream);
	}
	if (status == CLAIR_OK)
		status = tell_updaters(head, arena, sink, error);
	arena_destroy(arena);
	return status;
}
