/*
 * json_records.c
 *    Cuts a JSON document into its records; see json_records.h.
 *
 * The stream's pieces are put into a buffer, in which the current record lies whole: what
 * lies before it is dropped when the next piece is needed. Positions in the buffer that
 * must survive this are kept relative to the record's begin.
 */
#include "feed/json_records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/json_cursor.h"
#include "common/text.h"

#define FIRST_CAPACITY	  ((size_t) 512 * 1024)
#define NAMES_CAPACITY	  ((size_t) 1024 * 1024) /* for names with escapes in them */
#define BEGINNING_SHOWN	  40					 /* bytes of what is not JSON */
#define RECORD_LIMIT_HINT "The limit is the setting clair.max_record_size."

typedef enum State
{
	STATE_BEGIN,  /* nothing has been read */
	STATE_ROOT,	  /* among the members of the root */
	STATE_ARRAY,  /* among the elements of the array */
	STATE_VALUES, /* among values that stand behind each other */
	STATE_END
} State;

typedef struct JsonRecords
{
	ClairStream *stream;
	const char *array;
	size_t max_record_size;
	Arena *arena; /* of the record's name */

	char *buffer;
	size_t capacity;
	size_t begin;	 /* where the record begins, its name included */
	size_t position; /* of the next byte */
	size_t end;		 /* of what is in the buffer */
	int64_t offset;	 /* of the buffer's first byte in the document */

	State state;
	bool values;   /* the root need be neither object nor array */
	bool first;	   /* no comma is due */
	bool seen;	   /* the array */
	int64_t count; /* of its elements */
	char place[64];
} JsonRecords;

static void
json_records_close(void *records)
{
	JsonRecords *closed = records;

	if (closed == NULL)
		return;
	arena_destroy(closed->arena);
	free(closed->buffer);
	free(closed);
}

static ClairStatus
json_records_open(ClairStream *stream, const char *array, const ClairLimits *limits, void **records,
				  ClairError *error)
{
	JsonRecords *opened = calloc(1, sizeof(JsonRecords));

	*records = opened;
	if (opened != NULL)
	{
		opened->stream = stream;
		opened->array = array;
		opened->max_record_size = (size_t) limits->max_record_size;
		opened->arena = arena_create(NAMES_CAPACITY);
		opened->capacity = FIRST_CAPACITY;
		opened->buffer = malloc(opened->capacity);
		if (opened->arena != NULL && opened->buffer != NULL)
			return CLAIR_OK;
		json_records_close(opened);
	}
	return clair_error(error, CLAIR_MEMORY, "there is not enough memory to read JSON");
}

static int64_t
json_records_size(const void *records)
{
	const JsonRecords *measured = records;

	return measured->offset + (int64_t) measured->end;
}

/* An error where the reading stands; the place is the record, once its name is known. */
static ClairStatus
fail(JsonRecords *records, ClairStatus status, const char *problem, ClairError *error)
{
	int64_t at = records->offset + (int64_t) records->position;

	if (records->place[0] != '\0')
		return clair_error(error, status, "%s: byte %" PRId64 ": %s", records->place, at, problem);
	return clair_error(error, status, "byte %" PRId64 ": %s", at, problem);
}

static ClairStatus
fail_too_large(JsonRecords *records, ClairError *error)
{
	fail(records, CLAIR_LIMIT, "the record is too large", error);
	clair_error_hint(error, RECORD_LIMIT_HINT);
	return CLAIR_LIMIT;
}

/* Makes room for more bytes behind what is kept of the buffer. */
static ClairStatus
make_room(JsonRecords *records, size_t size, ClairError *error)
{
	size_t kept = records->end - records->begin;
	size_t larger = records->capacity;
	char *grown;

	if (records->begin > 0)
	{
		memmove(records->buffer, records->buffer + records->begin, kept);
		records->offset += (int64_t) records->begin;
		records->position -= records->begin;
		records->end = kept;
		records->begin = 0;
	}
	while (larger - kept < size)
		larger *= 2; /* kept is bounded by the largest record, size by the streams */
	if (larger == records->capacity)
		return CLAIR_OK;
	grown = realloc(records->buffer, larger);
	if (grown == NULL)
		return fail(records, CLAIR_MEMORY, "there is not enough memory for the record", error);
	records->buffer = grown;
	records->capacity = larger;
	return CLAIR_OK;
}

/* Gets the stream's next piece; *more is false when there is none. */
static ClairStatus
refill(JsonRecords *records, bool *more, ClairError *error)
{
	ClairBytes piece;
	ClairStatus status;

	if (records->position - records->begin > records->max_record_size)
		return fail_too_large(records, error);
	status = records->stream->read(records->stream, &piece, error);
	*more = piece.size > 0;
	if (status != CLAIR_OK || piece.size == 0)
		return status;
	status = make_room(records, piece.size, error);
	if (status != CLAIR_OK)
		return status;
	memcpy(records->buffer + records->end, piece.data, piece.size);
	records->end += piece.size;
	return CLAIR_OK;
}

/* The same where the document must go on. */
static ClairStatus
require_more(JsonRecords *records, ClairError *error)
{
	bool more;
	ClairStatus status = refill(records, &more, error);

	if (status == CLAIR_OK && !more)
		status = fail(records, CLAIR_INVALID, "the document ends too early", error);
	return status;
}

static inline bool
is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* Passes over white space. *byte is the byte behind it, not taken; -1 at the end. */
static ClairStatus
skip_space(JsonRecords *records, int *byte, ClairError *error)
{
	for (;;)
	{
		bool more;
		ClairStatus status;

		while (records->position < records->end && is_space(records->buffer[records->position]))
			records->position++;
		if (records->position < records->end)
		{
			*byte = (unsigned char) records->buffer[records->position];
			return CLAIR_OK;
		}
		status = refill(records, &more, error);
		if (status != CLAIR_OK)
			return status;
		if (!more)
		{
			*byte = -1;
			return CLAIR_OK;
		}
	}
}

/* The same where the document must go on. */
static ClairStatus
skip_space_to(JsonRecords *records, int *byte, ClairError *error)
{
	ClairStatus status = skip_space(records, byte, error);

	if (status == CLAIR_OK && *byte < 0)
		status = fail(records, CLAIR_INVALID, "the document ends too early", error);
	return status;
}

/* Passes over a string, from behind its opening quote to behind its closing one. */
static ClairStatus
skip_string(JsonRecords *records, ClairError *error)
{
	size_t begin = records->position - records->begin;

	for (;;)
	{
		const char *at = records->buffer + records->position;
		const char *quote = memchr(at, '"', records->end - records->position);
		const char *string = records->buffer + records->begin + begin;

		if (quote != NULL)
		{
			const char *before = quote;

			while (before > string && before[-1] == '\\')
				before--;
			records->position = (size_t) (quote + 1 - records->buffer);
			if ((quote - before) % 2 == 0)
				return CLAIR_OK;
		}
		else
		{
			ClairStatus status;

			records->position = records->end;
			status = require_more(records, error);
			if (status != CLAIR_OK)
				return status;
		}
	}
}

/*
 * Where the next byte is that ends, opens or closes something; end when there is none. Whole
 * strings on the way are passed over, as long as their end is in sight and no backslash stands
 * before it: which is nearly all of them.
 */
static inline const char *
skip_inside(const char *at, const char *end)
{
	/* What is looked at outside of strings. */
	static const bool meant[256] = {
		['{'] = true, ['['] = true, ['}'] = true, [']'] = true, ['"'] = true};

	for (;;)
	{
		const char *quote;

		while (at < end && !meant[(unsigned char) *at])
			at++;
		if (at == end || *at != '"')
			return at;
		quote = memchr(at + 1, '"', (size_t) (end - at - 1));
		if (quote == NULL || quote[-1] == '\\')
			return at;
		at = quote + 1;
	}
}

/* Passes over an object or array, from behind its opening bracket to behind its closing one. */
static ClairStatus
skip_container(JsonRecords *records, ClairError *error)
{
	unsigned int depth = 1;
	ClairStatus status = CLAIR_OK;

	while (depth > 0 && status == CLAIR_OK)
	{
		const char *at = skip_inside(records->buffer + records->position,
									 records->buffer + records->end);

		records->position = (size_t) (at - records->buffer);
		if (records->position == records->end)
		{
			status = require_more(records, error);
			continue;
		}
		records->position++;
		if (*at == '"')
			status = skip_string(records, error);
		else if (*at == '}' || *at == ']')
			depth--;
		else if (++depth > CLAIR_MAX_JSON_DEPTH)
			status = fail(records, CLAIR_LIMIT, "the record is nested too deep", error);
	}
	return status;
}

/* Passes over what is neither object, array nor string: to what may follow a value. */
static ClairStatus
skip_word(JsonRecords *records, ClairError *error)
{
	for (;;)
	{
		ClairStatus status;

		for (; records->position < records->end; records->position++)
		{
			char byte = records->buffer[records->position];

			if (is_space(byte) || byte == ',' || byte == '}' || byte == ']')
				return CLAIR_OK;
		}
		status = require_more(records, error);
		if (status != CLAIR_OK)
			return status;
	}
}

/* Takes the value that begins with the byte where the reading stands. */
static ClairStatus
take_value(JsonRecords *records, FeedRecord *record, ClairError *error)
{
	size_t begin = records->position - records->begin;
	char byte = records->buffer[records->position];
	ClairStatus status;

	record->position = records->offset + (int64_t) records->position;
	if (byte == '{' || byte == '[')
	{
		records->position++;
		status = skip_container(records, error);
	}
	else if (byte == '"')
	{
		records->position++;
		status = skip_string(records, error);
	}
	else if (byte == ',' || byte == '}' || byte == ']')
		status = fail(records, CLAIR_INVALID, "a value is missing", error);
	else
		status = skip_word(records, error);
	if (status != CLAIR_OK)
		return status;
	if (records->position - records->begin > records->max_record_size)
		return fail_too_large(records, error);
	record->value.data = records->buffer + records->begin + begin;
	record->value.size = records->position - records->begin - begin;
	return CLAIR_OK;
}

/* Takes a member's name, which begins where the reading stands, and its colon. */
static ClairStatus
take_name(JsonRecords *records, FeedRecord *record, ClairError *error)
{
	JsonCursor cursor;
	size_t begin = records->position - records->begin;
	ClairStatus status;
	int byte;
	char shown[48];

	records->position++;
	status = skip_string(records, error);
	if (status != CLAIR_OK)
		return status;

	/* Checks and resolves the string: a copy, because the buffer may move before it is used. */
	cursor = json_cursor((ClairBytes){records->buffer + records->begin + begin,
									  records->position - records->begin - begin},
						 records->arena);
	if (!json_any_string(&cursor, &record->name, &record->problem))
		return fail(records, cursor.status == CLAIR_MEMORY ? CLAIR_LIMIT : CLAIR_INVALID,
					"the name of a member is not valid", error);
	record->name = arena_copy(records->arena, record->name);
	if (record->name.data == NULL)
		return fail(records, CLAIR_LIMIT, "the name of a member is too long", error);

	text_printable(record->name, shown, sizeof(shown));
	snprintf(records->place, sizeof(records->place), "%s \"%s\"",
			 records->array == NULL ? "record" : "member", shown);
	status = skip_space_to(records, &byte, error);
	if (status == CLAIR_OK && byte != ':')
		status = fail(records, CLAIR_INVALID, "a colon is missing", error);
	if (status != CLAIR_OK)
		return status;
	records->position++;
	return CLAIR_OK;
}

/*
 * Stands at the next member's or element's first byte, and begins a record there. *found
 * is false when the object or array ends here; its end has then been passed.
 */
static ClairStatus
begin_record(JsonRecords *records, int close, bool *found, ClairError *error)
{
	ClairStatus status;
	int byte;

	records->begin = records->position;
	records->place[0] = '\0';
	arena_reset(records->arena);
	status = skip_space_to(records, &byte, error);
	if (status != CLAIR_OK)
		return status;
	*found = byte != close;
	if (byte == close)
	{
		records->position++;
		records->first = false;
		return CLAIR_OK;
	}
	if (!records->first)
	{
		if (byte != ',')
			return fail(records, CLAIR_INVALID, "a comma is missing", error);
		records->position++;
		status = skip_space_to(records, &byte, error);
	}
	records->first = false;
	records->begin = records->position;
	return status;
}

/* Whether the root is the array. */
static bool
is_root(const JsonRecords *records)
{
	return records->array != NULL && records->array[0] == '\0';
}

/* The document must be an object, or an array: says what it is, when it is not. */
static ClairStatus
begin_document(JsonRecords *records, ClairError *error)
{
	ClairBytes beginning;
	char shown[BEGINNING_SHOWN + 1];
	ClairStatus status;
	int byte;

	records->first = true;
	status = skip_space(records, &byte, error);
	if (status != CLAIR_OK)
		return status;
	if (byte < 0)
		return clair_error(error, CLAIR_INVALID, "the document is empty");
	if (records->values && byte != '[')
	{
		records->state = STATE_VALUES;
		return CLAIR_OK;
	}
	if (byte != (is_root(records) ? '[' : '{'))
	{
		beginning = (ClairBytes){records->buffer + records->position,
								 records->end - records->position};
		text_printable(beginning, shown, sizeof(shown));
		return clair_error(error, CLAIR_INVALID,
						   "the document is not a JSON %s: it begins with \"%s\"",
						   is_root(records) ? "array" : "object", shown);
	}
	records->position++;
	records->state = is_root(records) ? STATE_ARRAY : STATE_ROOT;
	return CLAIR_OK;
}

/* Behind the root there is nothing. */
static ClairStatus
end_document(JsonRecords *records, ClairError *error)
{
	ClairStatus status;
	int byte;

	records->state = STATE_END;
	records->begin = records->position;
	if (records->array != NULL && !is_root(records) && !records->seen)
		return clair_error(error, CLAIR_INVALID, "the document has no \"%s\"", records->array);
	status = skip_space(records, &byte, error);
	if (status == CLAIR_OK && byte >= 0)
		status = fail(records, CLAIR_INVALID, "there is more after the document's end", error);
	return status;
}

/* Whether a value stands for an array without elements: some tools know but one empty thing. */
static bool
is_empty_array(ClairBytes value)
{
	size_t i = 1;

	if (clair_bytes_equal(value, CLAIR_LITERAL("null")))
		return true;
	while (i < value.size && is_space(value.data[i]))
		i++;
	return value.data[0] == '{' && i + 1 == value.size;
}

/* The array begins, where its name has been read. */
static ClairStatus
begin_array(JsonRecords *records, ClairError *error)
{
	FeedRecord value;
	ClairStatus status;

	if (records->seen)
		return fail(records, CLAIR_INVALID, "it is there twice", error);
	records->seen = true;
	if (records->buffer[records->position] == '[')
	{
		records->position++;
		records->state = STATE_ARRAY;
		records->first = true;
		return CLAIR_OK;
	}
	status = take_value(records, &value, error);
	if (status == CLAIR_OK && !is_empty_array(value.value))
		status = fail(records, CLAIR_INVALID, "it is not an array", error);
	return status;
}

/* The next member of the root; *found is false when it was none, or the array. */
static ClairStatus
next_member(JsonRecords *records, FeedRecord *record, bool *found, ClairError *error)
{
	ClairStatus status = begin_record(records, '}', found, error);
	int byte;

	if (status != CLAIR_OK)
		return status;
	if (!*found)
		return end_document(records, error);
	if (records->buffer[records->position] != '"')
		return fail(records, CLAIR_INVALID, "the name of a member is missing", error);
	status = take_name(records, record, error);
	if (status == CLAIR_OK)
		status = skip_space_to(records, &byte, error);
	if (status != CLAIR_OK)
		return status;
	if (records->array != NULL && clair_bytes_equal(record->name, clair_bytes(records->array)))
	{
		*found = false;
		return begin_array(records, error);
	}
	return take_value(records, record, error);
}

/* The next element of the array; *found is false at its end. */
static ClairStatus
next_element(JsonRecords *records, FeedRecord *record, bool *found, ClairError *error)
{
	ClairStatus status = begin_record(records, ']', found, error);

	if (status != CLAIR_OK)
		return status;
	if (!*found && is_root(records))
		return end_document(records, error);
	if (!*found)
	{
		records->state = STATE_ROOT;
		return CLAIR_OK;
	}
	record->name = CLAIR_NULL_BYTES;
	record->number = ++records->count;
	snprintf(records->place, sizeof(records->place), "element %" PRId64, record->number);
	return take_value(records, record, error);
}

/* The next of values that stand behind each other; *found is false at the document's end. */
static ClairStatus
next_value(JsonRecords *records, FeedRecord *record, bool *found, ClairError *error)
{
	ClairStatus status;
	int byte;

	records->begin = records->position;
	records->place[0] = '\0';
	status = skip_space(records, &byte, error);
	*found = status == CLAIR_OK && byte >= 0;
	if (!*found)
	{
		records->state = STATE_END;
		return status;
	}
	records->begin = records->position;
	record->number = ++records->count;
	snprintf(records->place, sizeof(records->place), "value %" PRId64, record->number);
	return take_value(records, record, error);
}

static ClairStatus
json_records_next(void *context, FeedRecord *record, bool *found, ClairError *error)
{
	JsonRecords *records = context;
	ClairStatus status = CLAIR_OK;

	*record = (FeedRecord){0};
	*found = false;
	if (records->state == STATE_BEGIN)
		status = begin_document(records, error);
	while (status == CLAIR_OK && !*found && records->state != STATE_END)
	{
		if (records->state == STATE_VALUES)
			status = next_value(records, record, found, error);
		else if (records->state == STATE_ARRAY)
			status = next_element(records, record, found, error);
		else
			status = next_member(records, record, found, error);
	}
	return status;
}

static ClairStatus
json_values_open(ClairStream *stream, const char *part, const ClairLimits *limits, void **records,
				 ClairError *error)
{
	ClairStatus status = json_records_open(stream, "", limits, records, error);

	(void) part;
	if (status == CLAIR_OK)
		((JsonRecords *) *records)->values = true;
	return status;
}

const RecordCutter json_value_record_cutter = {json_values_open, json_records_next,
											   json_records_size, json_records_close};

const RecordCutter json_record_cutter = {json_records_open, json_records_next, json_records_size,
										 json_records_close};
