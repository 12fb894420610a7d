/*
 * record_feed.c
 *    Reads a feed's JSON documents in two passes; see record_feed.h.
 *
 * The document is read again for the second pass. It is a spooled file, or one that somebody
 * could write to meanwhile: so what is itemised is held against the digest of the first pass.
 */
#include "feed/record_feed.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/stream.h"
#include "common/text.h"

#define QUESTION_KEYS  20000
#define QUESTION_BYTES (WIRE_MAX_FRAME / 2) /* of keys; their lengths come on top */
#define PROGRESS_EVERY 256					/* records */
#define DIGEST_HEX	   64
#define PREFIX_SIZE	   (sizeof("sha256:") - 1)
#define MAX_KEY		   (2 * CLAIR_MAX_NAME) /* a name, and where it is from */
#define MEMORY_PROBLEM "there is not enough memory for the records"

/* What is remembered of a record between the passes. */
typedef struct Note
{
	ClairBytes key;
	char digest[DIGEST_HEX / 2]; /* the first half of its digits */
	bool known;
} Note;

/* A document being read. */
typedef struct Reading
{
	RecordFeed *feed;
	const RecordFormat *format;
	void *context;
	JsonRecords *records;
	Note *notes; /* in the order of the records, those left out excepted */
	size_t note_count;
	size_t note_capacity;
	size_t unknown; /* notes that are not known */

	Arena *question; /* the question's texts */
	ClairBytes *keys;
	ClairBytes *answers;
	uint32_t key_count;
	size_t key_bytes;
} Reading;

ClairStatus
record_feed_open(RecordFeed *feed, const ClairLimits *limits, const ClairSink *sink,
				 ClairError *error)
{
	*feed = (RecordFeed){.limits = limits, .sink = sink};
	feed->arena = arena_create(record_feed_memory(limits));
	feed->notes = arena_create(record_feed_memory(limits));
	feed->digest = digest_create(DIGEST_SHA256);
	feed->writer.sink = sink;
	feed->writer.digest = digest_create(DIGEST_SHA256);
	if (feed->arena != NULL && feed->notes != NULL && feed->digest != NULL &&
		feed->writer.digest != NULL)
		return CLAIR_OK;
	record_feed_close(feed);
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

void
record_feed_close(RecordFeed *feed)
{
	arena_destroy(feed->arena);
	arena_destroy(feed->notes);
	digest_destroy(feed->digest);
	digest_destroy(feed->writer.digest);
	*feed = (RecordFeed){0};
}

static ClairStatus
open_document(const ClairLimits *limits, int descriptor, ClairStream **stream, ClairError *error)
{
	ClairStream *file;
	ClairStatus status = stream_open_file(descriptor, 0, -1, &file, error);

	if (status != CLAIR_OK)
		return status;
	status = stream_open_decompressed(file, limits->max_document_size, "clair.max_document_size",
									  limits->max_ratio, stream, error);
	if (status != CLAIR_OK)
		file->close(file);
	return status;
}

static ClairStatus
memory_error(ClairError *error)
{
	clair_error(error, CLAIR_LIMIT, MEMORY_PROBLEM);
	clair_error_hint(error, "The limit is a part of the setting clair.reader_memory.");
	return CLAIR_LIMIT;
}

ClairStatus
record_feed_load(const ClairLimits *limits, int descriptor, Arena *arena, ClairBytes *text,
				 ClairError *error)
{
	ClairStream *stream;
	ClairBytes piece;
	char *data = NULL;
	size_t size = 0;
	size_t capacity = 0;
	ClairStatus status = open_document(limits, descriptor, &stream, error);

	if (status != CLAIR_OK)
		return status;
	while ((status = stream->read(stream, &piece, error)) == CLAIR_OK && piece.size > 0)
	{
		if (piece.size > (size_t) limits->max_record_size - size)
		{
			status = clair_error(error, CLAIR_LIMIT, "the document is too large");
			clair_error_hint(error, "The limit is the setting clair.max_record_size.");
			break;
		}
		data = arena_grow_array(arena, data, size + piece.size, &capacity, 1);
		if (data == NULL)
		{
			status = memory_error(error);
			break;
		}
		memcpy(data + size, piece.data, piece.size);
		size += piece.size;
	}
	stream->close(stream);
	*text = (ClairBytes){data != NULL ? data : "", size};
	return status;
}

ClairStatus
record_feed_refuse(const JsonRecord *record, const JsonCursor *cursor, ClairError *error)
{
	int64_t at = record->position + (int64_t) cursor->position;
	char shown[64];

	text_printable(record->name, shown, sizeof(shown));
	if (record->name.data != NULL)
		return clair_error(error, cursor->status, "record \"%s\": byte %" PRId64 ": %s", shown, at,
						   cursor->problem);
	return clair_error(error, cursor->status, "element %" PRId64 ": byte %" PRId64 ": %s",
					   record->number, at, cursor->problem);
}

/* Asks about the records that were collected, and notes the answers. */
static ClairStatus
ask(Reading *reading, ClairError *error)
{
	const ClairSink *sink = reading->feed->sink;
	Note *notes;
	ClairStatus status;

	if (reading->key_count == 0)
		return CLAIR_OK;
	status = sink->known(sink->context, reading->keys, reading->key_count, reading->answers, error);
	if (status != CLAIR_OK)
		return status;
	notes = reading->notes + reading->note_count - reading->key_count;
	for (uint32_t i = 0; i < reading->key_count; i++)
	{
		notes[i].known = reading->answers[i].data != NULL;
		reading->unknown += !notes[i].known;
	}
	reading->key_count = 0;
	reading->key_bytes = 0;
	arena_reset(reading->question);
	return CLAIR_OK;
}

/* Notes a record, and collects the question whether it is known. */
static ClairStatus
note(Reading *reading, ClairBytes key, const char *digest, ClairError *error)
{
	RecordFeed *feed = reading->feed;
	size_t size = key.size + 1 + DIGEST_HEX;
	Note *added;
	char *question;

	if (reading->key_count == QUESTION_KEYS || reading->key_bytes + size > QUESTION_BYTES)
	{
		ClairStatus status = ask(reading, error);

		if (status != CLAIR_OK)
			return status;
	}
	reading->notes = arena_grow_array(feed->notes, reading->notes, reading->note_count + 1,
									  &reading->note_capacity, sizeof(Note));
	question = arena_alloc(reading->question, size);
	if (reading->notes == NULL || question == NULL)
		return memory_error(error);
	added = &reading->notes[reading->note_count];
	*added = (Note){.key = arena_copy(feed->notes, key)};
	if (added->key.data == NULL)
		return memory_error(error);
	memcpy(added->digest, digest, sizeof(added->digest));
	reading->note_count++;

	memcpy(question, key.data, key.size);
	question[key.size] = ' ';
	memcpy(question + key.size + 1, digest, DIGEST_HEX);
	reading->keys[reading->key_count++] = (ClairBytes){question, size};
	reading->key_bytes += size;
	return CLAIR_OK;
}

/* The record's key and the hex digits of its digest; or why it is broken. */
static ClairStatus
identify(Reading *reading, const JsonRecord *record, ClairBytes *key, const char **problem,
		 char digest[DIGEST_TEXT_SIZE], ClairError *error)
{
	RecordFeed *feed = reading->feed;
	ClairStatus status;

	arena_reset(feed->arena);
	*key = record->name;
	*problem = record->problem;
	if (*problem != NULL)
		return CLAIR_OK;
	digest_update(feed->digest, record->value);
	status = reading->format->identify(feed, reading->context, record, key, problem, error);
	digest_finish(feed->digest, digest);
	if (status == CLAIR_OK && *problem == NULL && (key->size == 0 || key->size > MAX_KEY))
		*problem = "its name is empty or too long";
	return status;
}

/* Tells of a record that is left out. */
static ClairStatus
tell_broken(const RecordFeed *feed, const JsonRecord *record, ClairBytes key, const char *problem,
			ClairError *error)
{
	if (record->name.data != NULL)
		return advisory_broken(&feed->writer, key, error, "%s", problem);
	return advisory_broken(&feed->writer, key, error, "element %" PRId64 ": %s", record->number,
						   problem);
}

/* States a record and its digest. */
static ClairStatus
outline_record(Reading *reading, const JsonRecord *record, ClairError *error)
{
	RecordFeed *feed = reading->feed;
	char digest[DIGEST_TEXT_SIZE];
	const char *problem;
	ClairBytes key;
	ClairStatus status = identify(reading, record, &key, &problem, digest, error);

	if (status == CLAIR_OK && problem != NULL)
		return tell_broken(feed, record, key, problem, error);
	if (status != CLAIR_OK)
		return status;

	ClairBytes fields[] = {feed->writer.document, key, {digest + PREFIX_SIZE, DIGEST_HEX}};

	status = feed->sink->row(feed->sink->context, WIRE_RECORD, fields, 3, error);
	if (status == CLAIR_OK)
		status = note(reading, key, digest + PREFIX_SIZE, error);
	return status;
}

/* Has a record's items written if it is one of those that are not known. */
static ClairStatus
itemize_record(Reading *reading, const JsonRecord *record, size_t *number, ClairError *error)
{
	const Note *noted = reading->notes + *number;
	char digest[DIGEST_TEXT_SIZE];
	const char *problem;
	ClairBytes key;
	ClairStatus status = identify(reading, record, &key, &problem, digest, error);

	if (status != CLAIR_OK || problem != NULL)
		return status;
	if (*number >= reading->note_count || !clair_bytes_equal(key, noted->key) ||
		memcmp(digest + PREFIX_SIZE, noted->digest, sizeof(noted->digest)) != 0)
		return clair_error(error, CLAIR_IO, "the document has changed while it was read");
	(*number)++;
	if (noted->known)
		return CLAIR_OK;
	reading->unknown--;
	return reading->format->itemize(reading->feed, reading->context, record, key, error);
}

static int
compare_keys(const void *left, const void *right)
{
	return clair_bytes_compare(*(const ClairBytes *) left, *(const ClairBytes *) right);
}

/* No two records may have the same key: which of them were to be believed? */
static ClairStatus
check_keys(Reading *reading, ClairError *error)
{
	size_t count = reading->note_count;
	ClairBytes *keys = arena_alloc_array(reading->feed->notes, count, sizeof(ClairBytes));
	char shown[64];

	if (keys == NULL)
		return memory_error(error);
	for (size_t i = 0; i < count; i++)
		keys[i] = reading->notes[i].key;
	qsort(keys, count, sizeof(ClairBytes), compare_keys);
	for (size_t i = 1; i < count; i++)
	{
		if (!clair_bytes_equal(keys[i - 1], keys[i]))
			continue;
		text_printable(keys[i], shown, sizeof(shown));
		return clair_error(error, CLAIR_INVALID, "record \"%s\" is there twice", shown);
	}
	return CLAIR_OK;
}

static ClairStatus
report_progress(const Reading *reading, ClairError *error)
{
	const RecordFeed *feed = reading->feed;

	return feed->sink->progress(feed->sink->context,
								feed->bytes + json_records_size(reading->records), feed->records,
								error);
}

/* The first pass: every record's digest, and which of them are known. */
static ClairStatus
outline(Reading *reading, ClairError *error)
{
	RecordFeed *feed = reading->feed;
	ClairStatus status = CLAIR_OK;
	JsonRecord record;
	bool found = true;

	while (status == CLAIR_OK && found)
	{
		status = json_records_next(reading->records, &record, &found, error);
		if (status != CLAIR_OK || !found)
			break;
		if (reading->format->array != NULL && record.name.data != NULL)
		{
			arena_reset(feed->arena);
			status = reading->format->member(feed, reading->context, &record, error);
			continue;
		}
		status = outline_record(reading, &record, error);
		if (status == CLAIR_OK && ++feed->records % PROGRESS_EVERY == 0)
			status = report_progress(reading, error);
	}
	if (status == CLAIR_OK)
		status = ask(reading, error);
	if (status == CLAIR_OK)
		status = check_keys(reading, error);
	if (status == CLAIR_OK)
		status = report_progress(reading, error);
	return status;
}

/* The second pass: up to the last record that is not known. */
static ClairStatus
itemize(Reading *reading, ClairError *error)
{
	const RecordFeed *feed = reading->feed;
	ClairStatus status = CLAIR_OK;
	JsonRecord record;
	size_t number = 0;

	for (int64_t i = 0; status == CLAIR_OK && reading->unknown > 0; i++)
	{
		bool found;

		status = json_records_next(reading->records, &record, &found, error);
		if (status != CLAIR_OK)
			break;
		if (!found)
			return clair_error(error, CLAIR_IO, "the document has changed while it was read");
		if (reading->format->array == NULL || record.name.data == NULL)
			status = itemize_record(reading, &record, &number, error);
		if (status == CLAIR_OK && i % PROGRESS_EVERY == 0)
			status = feed->sink->progress(feed->sink->context, feed->bytes, feed->records, error);
	}
	return status;
}

/* Opens the document and makes one pass over it; *bytes is its size, as far as it was read. */
static ClairStatus
pass(Reading *reading, int descriptor, ClairStatus (*over)(Reading *, ClairError *), int64_t *bytes,
	 ClairError *error)
{
	ClairStream *stream;
	ClairStatus status = open_document(reading->feed->limits, descriptor, &stream, error);

	if (status != CLAIR_OK)
		return status;
	status = json_records_open(stream, reading->format->array, reading->feed->limits,
							   &reading->records, error);
	if (status == CLAIR_OK)
	{
		status = over(reading, error);
		*bytes = json_records_size(reading->records);
		json_records_close(reading->records);
	}
	stream->close(stream);
	return status;
}

static ClairStatus
read_document(Reading *reading, int descriptor, ClairError *error)
{
	int64_t again;
	int64_t bytes = 0;
	ClairStatus status;

	reading->keys = arena_alloc_array(reading->feed->notes, QUESTION_KEYS, sizeof(ClairBytes));
	reading->answers = arena_alloc_array(reading->feed->notes, QUESTION_KEYS, sizeof(ClairBytes));
	if (reading->keys == NULL || reading->answers == NULL)
		return memory_error(error);
	status = pass(reading, descriptor, outline, &bytes, error);
	reading->feed->bytes += bytes;
	if (status == CLAIR_OK && reading->unknown > 0)
		status = pass(reading, descriptor, itemize, &again, error);
	return status;
}

ClairStatus
record_feed_read(RecordFeed *feed, ClairBytes document, int descriptor, const RecordFormat *format,
				 void *context, ClairError *error)
{
	Reading reading = {.feed = feed, .format = format, .context = context};
	char shown[64];
	ClairStatus status;

	feed->writer.document = document;
	reading.question = arena_create(record_feed_memory(feed->limits));
	status = reading.question != NULL ? read_document(&reading, descriptor, error)
									  : clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	arena_destroy(reading.question);
	arena_reset(feed->arena);
	arena_reset(feed->notes);
	if (status == CLAIR_OK || status == CLAIR_STOPPED || status == CLAIR_PROTOCOL)
		return status;
	text_printable(document, shown, sizeof(shown));
	return clair_error_in(error, "document \"%s\"", shown);
}
