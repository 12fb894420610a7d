/*
 * record_feed.c
 *    Reads a feed's documents by their records; see record_feed.h.
 *
 * Records are collected until there are so many that asking about them is worth it. Their bytes
 * are copied, but those of a large one, which is asked about alone.
 */
#include "feed/record_feed.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/stream.h"
#include "common/text.h"

#define BATCH_RECORDS  20000
#define BATCH_BYTES	   ((size_t) 4 << 20) /* of records, and of the keys that are asked for */
#define LARGE_RECORD   (BATCH_BYTES / 4)
#define PROGRESS_EVERY 256 /* records */
#define DIGEST_HEX	   64
#define PREFIX_SIZE	   (sizeof("sha256:") - 1)
#define MAX_KEY		   (2 * CLAIR_MAX_NAME) /* a name, and where it is from */
#define MEMORY_PROBLEM "there is not enough memory for the records"

/* A record that is asked about. */
typedef struct Waiting
{
	FeedRecord record;
	ClairBytes key;
} Waiting;

/* A document being read. */
typedef struct Reading
{
	RecordFeed *feed;
	const RecordFormat *format;
	void *context;
	void *records;	  /* the cutter's */
	ClairBytes *keys; /* of all records, but for those that were left out */
	size_t key_count;
	size_t key_capacity;

	Waiting *waiting;
	ClairBytes *questions; /* a key, a blank and a digest */
	ClairBytes *answers;
	uint32_t waiting_count;
	size_t waiting_bytes;
} Reading;

ClairStatus
record_feed_open(RecordFeed *feed, const ClairLimits *limits, const ClairSink *sink,
				 ClairError *error)
{
	*feed = (RecordFeed){.limits = limits, .sink = sink};
	feed->arena = arena_create(record_feed_memory(limits));
	feed->keys = arena_create(record_feed_memory(limits));
	feed->batch = arena_create(record_feed_memory(limits));
	feed->digest = digest_create(DIGEST_SHA256);
	feed->writer.sink = sink;
	feed->writer.digest = digest_create(DIGEST_SHA256);
	if (feed->arena != NULL && feed->keys != NULL && feed->batch != NULL && feed->digest != NULL &&
		feed->writer.digest != NULL)
		return CLAIR_OK;
	record_feed_close(feed);
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

void
record_feed_close(RecordFeed *feed)
{
	arena_destroy(feed->arena);
	arena_destroy(feed->keys);
	arena_destroy(feed->batch);
	digest_destroy(feed->digest);
	digest_destroy(feed->writer.digest);
	*feed = (RecordFeed){0};
}

ClairStatus
record_feed_stream(const ClairLimits *limits, int descriptor, ClairStream **stream,
				   ClairError *error)
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

ClairStatus
record_feed_peek(const ClairLimits *limits, int descriptor, char *buffer, size_t *size,
				 ClairError *error)
{
	ClairStream *stream;
	ClairBytes piece;
	size_t capacity = *size;
	ClairStatus status = record_feed_stream(limits, descriptor, &stream, error);

	*size = 0;
	if (status != CLAIR_OK)
		return status;
	while (*size < capacity && (status = stream->read(stream, &piece, error)) == CLAIR_OK &&
		   piece.size > 0)
	{
		size_t taken = piece.size < capacity - *size ? piece.size : capacity - *size;

		memcpy(buffer + *size, piece.data, taken);
		*size += taken;
	}
	stream->close(stream);
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
	ClairStatus status = record_feed_stream(limits, descriptor, &stream, error);

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
record_feed_refuse(const FeedRecord *record, const JsonCursor *cursor, ClairError *error)
{
	int64_t at = record->position + (int64_t) cursor->position;
	char shown[64];

	text_printable(record->name, shown, sizeof(shown));
	if (record->name.data != NULL)
		return clair_error(error, cursor->status, "record \"%s\": byte %" PRId64 ": %s", shown, at,
						   cursor->problem);
	if (record->number == 0)
		return clair_error(error, cursor->status, "byte %" PRId64 ": %s", at, cursor->problem);
	return clair_error(error, cursor->status, "element %" PRId64 ": byte %" PRId64 ": %s",
					   record->number, at, cursor->problem);
}

ClairStatus
record_feed_check(RecordFeed *feed, const FeedRecord *record, const JsonCursor *cursor,
				  ClairError *error)
{
	JsonCursor whole = json_cursor(record->value, feed->arena);

	if (cursor->status != CLAIR_INVALID)
		return record_feed_refuse(record, cursor, error);
	json_skip(&whole);
	return json_end(&whole) ? CLAIR_OK : record_feed_refuse(record, &whole, error);
}

ClairStatus
record_feed_pass(RecordFeed *feed, void *context, const FeedRecord *member, ClairError *error)
{
	JsonCursor cursor = json_cursor(member->value, feed->arena);

	(void) context;
	json_skip(&cursor);
	return json_end(&cursor) ? CLAIR_OK : record_feed_refuse(member, &cursor, error);
}

/* Has the records read that were collected and are not known. */
static ClairStatus
ask(Reading *reading, ClairError *error)
{
	RecordFeed *feed = reading->feed;
	uint32_t count = reading->waiting_count;
	ClairStatus status;

	if (count == 0)
		return CLAIR_OK;
	status = feed->sink->known(feed->sink->context, reading->questions, count, reading->answers,
							   error);
	for (uint32_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		const Waiting *waiting = &reading->waiting[i];

		if (reading->answers[i].data != NULL)
			continue;
		arena_reset(feed->arena);
		status = reading->format->itemize(feed, reading->context, &waiting->record, waiting->key,
										  error);
	}
	reading->waiting_count = 0;
	reading->waiting_bytes = 0;
	arena_reset(feed->batch);
	return status;
}

/* Puts a record among those that are asked about; one that is large is asked about at once. */
static ClairStatus
collect(Reading *reading, const FeedRecord *record, ClairBytes key, const char *digest,
		ClairError *error)
{
	RecordFeed *feed = reading->feed;
	bool large = record->value.size > LARGE_RECORD;
	Waiting *waiting = &reading->waiting[reading->waiting_count];
	size_t question_size = key.size + 1 + DIGEST_HEX;
	char *question = arena_alloc(feed->batch, question_size);

	*waiting = (Waiting){.record = *record, .key = arena_copy(feed->batch, key)};
	if (record->name.data != NULL)
		waiting->record.name = arena_copy(feed->batch, record->name);
	if (!large)
		waiting->record.value = arena_copy(feed->batch, record->value);
	if (question == NULL || waiting->key.data == NULL || waiting->record.value.data == NULL ||
		(record->name.data != NULL && waiting->record.name.data == NULL))
		return memory_error(error);
	memcpy(question, key.data, key.size);
	question[key.size] = ' ';
	memcpy(question + key.size + 1, digest, DIGEST_HEX);
	reading->questions[reading->waiting_count++] = (ClairBytes){question, question_size};
	reading->waiting_bytes += question_size + (large ? 0 : record->value.size);
	if (large || reading->waiting_count == BATCH_RECORDS || reading->waiting_bytes > BATCH_BYTES)
		return ask(reading, error);
	return CLAIR_OK;
}

/* Remembers a record's key. */
static ClairStatus
note(Reading *reading, ClairBytes key, ClairError *error)
{
	RecordFeed *feed = reading->feed;

	reading->keys = arena_grow_array(feed->keys, reading->keys, reading->key_count + 1,
									 &reading->key_capacity, sizeof(ClairBytes));
	if (reading->keys == NULL)
		return memory_error(error);
	key = arena_copy(feed->keys, key);
	if (key.data == NULL)
		return memory_error(error);
	reading->keys[reading->key_count++] = key;
	return CLAIR_OK;
}

/* The record's key and the hex digits of its digest; or why it is broken. */
static ClairStatus
identify(Reading *reading, const FeedRecord *record, ClairBytes *key, const char **problem,
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
	if (status == CLAIR_OK && *problem == NULL && key->data != NULL &&
		(key->size == 0 || key->size > MAX_KEY))
		*problem = "its name is empty or too long";
	return status;
}

/* Tells of a record that is left out. */
static ClairStatus
tell_broken(const RecordFeed *feed, const FeedRecord *record, ClairBytes key, const char *problem,
			ClairError *error)
{
	if (record->name.data != NULL || record->number == 0)
		return advisory_broken(&feed->writer, key, error, "%s", problem);
	return advisory_broken(&feed->writer, key, error, "element %" PRId64 ": %s", record->number,
						   problem);
}

/* States a record and its digest. */
static ClairStatus
take_record(Reading *reading, const FeedRecord *record, ClairError *error)
{
	RecordFeed *feed = reading->feed;
	char digest[DIGEST_TEXT_SIZE];
	const char *problem;
	ClairBytes key;
	ClairStatus status = identify(reading, record, &key, &problem, digest, error);

	if (status == CLAIR_OK && problem != NULL)
		return tell_broken(feed, record, key, problem, error);
	if (status != CLAIR_OK || key.data == NULL)
		return status;

	ClairBytes fields[] = {feed->writer.document, key, {digest + PREFIX_SIZE, DIGEST_HEX}};

	status = feed->sink->row(feed->sink->context, WIRE_RECORD, fields, 3, error);
	if (status == CLAIR_OK)
		status = note(reading, key, error);
	if (status == CLAIR_OK)
		status = collect(reading, record, key, digest + PREFIX_SIZE, error);
	return status;
}

static int
compare_keys(const void *left, const void *right)
{
	return clair_bytes_compare(*(const ClairBytes *) left, *(const ClairBytes *) right);
}

/* No two records may have the same key: which of them were to be believed? */
static ClairStatus
check_keys(const Reading *reading, ClairError *error)
{
	char shown[64];

	if (reading->key_count > 0)
		qsort(reading->keys, reading->key_count, sizeof(ClairBytes), compare_keys);
	for (size_t i = 1; i < reading->key_count; i++)
	{
		if (!clair_bytes_equal(reading->keys[i - 1], reading->keys[i]))
			continue;
		text_printable(reading->keys[i], shown, sizeof(shown));
		return clair_error(error, CLAIR_INVALID, "record \"%s\" is there twice", shown);
	}
	return CLAIR_OK;
}

static ClairStatus
report_progress(const Reading *reading, ClairError *error)
{
	const RecordFeed *feed = reading->feed;
	int64_t bytes = feed->bytes + reading->format->cutter->size(reading->records);

	return feed->sink->progress(feed->sink->context, bytes, feed->records, error);
}

static ClairStatus
read_records(Reading *reading, ClairError *error)
{
	const RecordFormat *format = reading->format;
	RecordFeed *feed = reading->feed;
	ClairStatus status = CLAIR_OK;
	FeedRecord record;
	bool found = true;

	while (status == CLAIR_OK && found)
	{
		status = format->cutter->next(reading->records, &record, &found, error);
		if (status != CLAIR_OK || !found)
			break;
		if (format->passes_members && record.name.data != NULL)
		{
			arena_reset(feed->arena);
			status = format->member(feed, reading->context, &record, error);
			continue;
		}
		status = take_record(reading, &record, error);
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

static ClairStatus
read_document(Reading *reading, int descriptor, ClairError *error)
{
	const RecordCutter *cutter = reading->format->cutter;
	RecordFeed *feed = reading->feed;
	ClairStream *stream;
	ClairStatus status;

	reading->waiting = arena_alloc_array(feed->keys, BATCH_RECORDS, sizeof(Waiting));
	reading->questions = arena_alloc_array(feed->keys, BATCH_RECORDS, sizeof(ClairBytes));
	reading->answers = arena_alloc_array(feed->keys, BATCH_RECORDS, sizeof(ClairBytes));
	if (reading->waiting == NULL || reading->questions == NULL || reading->answers == NULL)
		return memory_error(error);
	status = record_feed_stream(feed->limits, descriptor, &stream, error);
	if (status != CLAIR_OK)
		return status;
	status = cutter->open(stream, reading->format->part, feed->limits, &reading->records, error);
	if (status == CLAIR_OK)
	{
		status = read_records(reading, error);
		feed->bytes += cutter->size(reading->records);
		cutter->close(reading->records);
	}
	stream->close(stream);
	return status;
}

ClairStatus
record_feed_patch(RecordFeed *feed, ClairBytes document, ClairBytes owner, int descriptor,
				  const RecordFormat *format, void *context, ClairError *error)
{
	Reading reading = {.feed = feed, .format = format, .context = context};
	char shown[64];
	ClairStatus status;

	feed->writer.document = owner;
	status = read_document(&reading, descriptor, error);
	arena_reset(feed->arena);
	arena_reset(feed->keys);
	arena_reset(feed->batch);
	if (status == CLAIR_OK || status == CLAIR_STOPPED || status == CLAIR_PROTOCOL)
		return status;
	text_printable(document, shown, sizeof(shown));
	return clair_error_in(error, "document \"%s\"", shown);
}

ClairStatus
record_feed_read(RecordFeed *feed, ClairBytes document, int descriptor, const RecordFormat *format,
				 void *context, ClairError *error)
{
	return record_feed_patch(feed, document, document, descriptor, format, context, error);
}
