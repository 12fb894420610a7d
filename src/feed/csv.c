/*
 * csv.c
 *    Documents of comma-separated values; see csv.h.
 *
 * A record that lies in one of the stream's pieces is lent from there; one that does not is put
 * together in a buffer. Where it ends is seen by counting: within quotes is, where the number of
 * quotes before is odd.
 */
#include "feed/csv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/text.h"
#include "feed/record_buffer.h"

#define BYTE_ORDER_MARK CLAIR_LITERAL("\xef\xbb\xbf")

typedef struct CsvRecords
{
	ClairStream *stream;
	ClairBytes piece; /* what is left of the stream's */
	int64_t size;	  /* of the pieces so far */
	int64_t line;	  /* of the next byte */
	bool ended;

	RecordBuffer held; /* what earlier pieces had of the record */
	bool in_quotes;	   /* the record's next byte is */
} CsvRecords;

static void
csv_close(void *records)
{
	CsvRecords *closed = records;

	if (closed == NULL)
		return;
	record_buffer_free(&closed->held);
	free(closed);
}

static ClairStatus
csv_open(ClairStream *stream, const char *part, const ClairLimits *limits, void **records,
		 ClairError *error)
{
	CsvRecords *opened = calloc(1, sizeof(CsvRecords));

	(void) part;
	*records = opened;
	if (opened == NULL)
		return clair_error(error, CLAIR_MEMORY, "there is not enough memory to read CSV");
	opened->stream = stream;
	opened->held.max_size = (size_t) limits->max_record_size;
	opened->line = 1;
	return CLAIR_OK;
}

static int64_t
csv_size(const void *records)
{
	return ((const CsvRecords *) records)->size;
}

/* Whether an odd number of quotes is in the text. */
static bool
has_odd_quotes(ClairBytes text)
{
	bool odd = false;
	const char *at = text.data;
	const char *end = text.data + text.size;

	while ((at = memchr(at, '"', (size_t) (end - at))) != NULL)
	{
		odd = !odd;
		at++;
	}
	return odd;
}

/*
 * How much of the piece, which is not empty, belongs to the record; *complete says whether the
 * line break that ends it follows.
 */
static size_t
measure(CsvRecords *records, bool *complete)
{
	ClairBytes rest = records->piece;
	bool plain = (records->held.size > 0 ? records->held.data[0] : rest.data[0]) == '#';

	*complete = false;
	while (rest.size > 0)
	{
		const char *end = memchr(rest.data, '\n', rest.size);
		ClairBytes line = {rest.data, end != NULL ? (size_t) (end - rest.data) : rest.size};

		if (!plain && has_odd_quotes(line))
			records->in_quotes = !records->in_quotes;
		if (end == NULL)
			break;
		records->line++;
		if (!records->in_quotes)
		{
			*complete = true;
			return (size_t) (end - records->piece.data);
		}
		rest = clair_bytes_skip(rest, line.size + 1);
	}
	return records->piece.size;
}

/* Gets the next piece, when nothing is left of the last one. */
static ClairStatus
refill(CsvRecords *records, ClairError *error)
{
	ClairStatus status;

	if (records->piece.size > 0 || records->ended)
		return CLAIR_OK;
	status = records->stream->read(records->stream, &records->piece, error);
	if (status != CLAIR_OK)
		return status;
	records->size += (int64_t) records->piece.size;
	records->ended = records->piece.size == 0;
	return CLAIR_OK;
}

/* Takes the next line, or lines, that are a record; *found is false at the end. */
static ClairStatus
take_record(CsvRecords *records, ClairBytes *value, bool *found, ClairError *error)
{
	bool complete = false;
	ClairStatus status = CLAIR_OK;

	records->held.size = 0;
	while (status == CLAIR_OK && !complete)
	{
		status = refill(records, error);
		if (status != CLAIR_OK || records->ended)
			break;
		*value = (ClairBytes){records->piece.data, measure(records, &complete)};
		records->piece = clair_bytes_skip(records->piece, value->size + complete);
		if (!complete || records->held.size > 0)
			status = record_buffer_add(&records->held, *value, error);
		else if (value->size > records->held.max_size)
			status = record_buffer_refuse(error);
	}
	if (status != CLAIR_OK)
		return status;
	if (!complete && records->in_quotes)
		return clair_error(error, CLAIR_INVALID, "the document ends within quotes");
	if (records->held.size > 0)
		*value = (ClairBytes){records->held.data, records->held.size};
	*found = complete || records->held.size > 0;
	return CLAIR_OK;
}

static ClairStatus
csv_next(void *records, FeedRecord *record, bool *found, ClairError *error)
{
	CsvRecords *reading = records;
	ClairStatus status;

	do
	{
		*record = (FeedRecord){.number = reading->line,
							   .position = reading->size - (int64_t) reading->piece.size};
		status = take_record(reading, &record->value, found, error);
		if (status != CLAIR_OK)
			return clair_error_in(error, "line %" PRId64, record->number);
		if (!*found)
			return CLAIR_OK;
		if (record->position == 0 && clair_bytes_start_with(record->value, BYTE_ORDER_MARK))
		{
			record->value = clair_bytes_skip(record->value, BYTE_ORDER_MARK.size);
			record->position += (int64_t) BYTE_ORDER_MARK.size;
		}
		if (clair_bytes_end_with(record->value, CLAIR_LITERAL("\r")))
			record->value.size--;
	} while (record->value.size == 0);
	return CLAIR_OK;
}

const RecordCutter csv_record_cutter = {csv_open, csv_next, csv_size, csv_close};

/* A copy with one quote for two, of a text in which only such pairs are. */
static ClairBytes
resolve_quotes(Arena *arena, ClairBytes text)
{
	char *copy = arena_alloc(arena, text.size);
	size_t size = 0;

	if (copy == NULL)
		return CLAIR_NULL_BYTES;
	for (size_t i = 0; i < text.size; i++)
	{
		copy[size++] = text.data[i];
		if (text.data[i] == '"')
			i++;
	}
	return (ClairBytes){copy, size};
}

/* Takes a field, from its opening quote to its closing one, off *rest. */
static const char *
take_quoted(Arena *arena, ClairBytes *rest, ClairBytes *field)
{
	const char *begin = rest->data + 1;
	const char *end = rest->data + rest->size;
	const char *at = begin;
	bool doubled = false;

	while ((at = memchr(at, '"', (size_t) (end - at))) != NULL && at + 1 < end && at[1] == '"')
	{
		doubled = true;
		at += 2;
	}
	if (at == NULL)
		return "a closing quote is missing";
	*field = (ClairBytes){begin, (size_t) (at - begin)};
	*rest = clair_bytes_skip(*rest, field->size + 2);
	if (rest->size > 0 && rest->data[0] != ',')
		return "there is something behind a closing quote";
	if (doubled)
		*field = resolve_quotes(arena, *field);
	return NULL;
}

/* Takes a field off *rest, to before the comma or the end. */
static const char *
take_field(Arena *arena, ClairBytes *rest, ClairBytes *field)
{
	const char *comma;

	if (rest->size > 0 && rest->data[0] == '"')
		return take_quoted(arena, rest, field);
	comma = memchr(rest->data, ',', rest->size);
	*field = (ClairBytes){rest->data, comma != NULL ? (size_t) (comma - rest->data) : rest->size};
	*rest = clair_bytes_skip(*rest, field->size);
	if (memchr(field->data, '"', field->size) != NULL)
		return "a quote stands in a field that does not begin with one";
	return NULL;
}

const char *
csv_fields(Arena *arena, ClairBytes record, ClairBytes *fields, size_t limit, size_t *count)
{
	*count = 0;
	if (!text_is_valid(record))
		return "it is not UTF-8, or has a NUL in it";
	for (;;)
	{
		const char *problem;

		if (*count == limit)
			return "it has too many fields";
		problem = take_field(arena, &record, &fields[*count]);
		if (problem != NULL)
			return problem;
		if (fields[*count].data == NULL)
		{
			*count = 0;
			return NULL;
		}
		(*count)++;
		if (record.size == 0)
			return NULL;
		record = clair_bytes_skip(record, 1);
	}
}
