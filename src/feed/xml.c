/*
 * xml.c
 *    Cuts an XML document into its records; see xml.h.
 *
 * libxml2 is pushed a piece of the stream at a time, and its callbacks write the records that
 * begin and end in it to a buffer, from which they are given one by one; then comes the next
 * piece. A callback cannot fail: it leaves the error in the struct and stops the parser.
 */
#include "feed/xml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "common/text.h"
#include "feed/xml_tape.h"

#define PIECE_SIZE		 ((size_t) 32 * 1024) /* pushed at a time */
#define FIRST_CAPACITY	 ((size_t) 256 * 1024)
#define MAX_PATHS		 8
#define MAX_STEPS		 4
#define DICTIONARY_LIMIT ((size_t) 2 << 20) /* of names and short texts that libxml2 keeps */
#define MEMORY_PROBLEM	 "there is not enough memory to read XML"

#if LIBXML_VERSION >= 21200
typedef const xmlError *Problem;
#else
typedef xmlErrorPtr Problem;
#endif

/* Where records are: a step each for the root, its children, and so on. */
typedef struct Path
{
	ClairBytes steps[MAX_STEPS];
	size_t count;
	bool tags_only;
} Path;

/* A record in the buffer. */
typedef struct Cut
{
	size_t begin;
	size_t end;
	int64_t line;
} Cut;

typedef struct XmlRecords
{
	ClairStream *stream;
	xmlParserCtxtPtr parser;
	ClairStatus status;
	ClairError *error; /* of the call that is being served */
	size_t max_record_size;
	ClairBytes piece; /* of the stream, what has not been pushed */
	int64_t size;	  /* of the stream so far */
	bool ended;

	Path paths[MAX_PATHS];
	size_t path_count;
	size_t depth;								/* of elements that are open */
	unsigned matching[CLAIR_MAX_XML_DEPTH + 1]; /* a bit for each path that fits the open ones */

	char *buffer;
	size_t capacity;
	size_t filled;
	size_t begin;		 /* of the record that is open */
	size_t record_depth; /* of its element; 0 when none is */
	bool tags_only;		 /* of the record, only this is kept */
	int64_t line;		 /* where it begins */
	size_t sizes[CLAIR_MAX_XML_DEPTH +
				 1]; /* of open elements, where their sizes belong, in the record */
	bool in_text;	 /* a text is open; its size belongs here: */
	size_t text;

	Cut *cuts;
	size_t cut_count;
	size_t cut_capacity;
	size_t given; /* of cuts */
	int64_t number;
} XmlRecords;

static xmlParserInputPtr
load_nothing(const char *url, const char *id, xmlParserCtxtPtr parser)
{
	(void) url;
	(void) id;
	(void) parser;
	return NULL;
}

void
xml_initialize(void)
{
	xmlInitParser();
	xmlSetExternalEntityLoader(load_nothing);
}

/* Leaves an error where the parser stands, unless there is one, and stops. */
static void stop(XmlRecords *records, ClairStatus status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
stop(XmlRecords *records, ClairStatus status, const char *format, ...)
{
	char problem[512];
	va_list arguments;

	if (records->status != CLAIR_OK)
		return;
	va_start(arguments, format);
	vsnprintf(problem, sizeof(problem), format, arguments);
	va_end(arguments);
	records->status = clair_error(records->error, status, "line %d: %s",
								  xmlSAX2GetLineNumber(records->parser), problem);
	xmlStopParser(records->parser);
}

static void
stop_too_large(XmlRecords *records)
{
	stop(records, CLAIR_LIMIT, "the record is too large");
	clair_error_hint(records->error, "The limit is the setting clair.max_record_size.");
}

/* Makes room for size more bytes in the buffer; false when it has stopped. */
static bool
make_room(XmlRecords *records, size_t size)
{
	size_t larger = records->capacity;
	char *grown;

	if (records->status != CLAIR_OK)
		return false;
	if (records->filled - records->begin + size > records->max_record_size)
	{
		stop_too_large(records);
		return false;
	}
	while (larger - records->filled < size)
		larger *= 2; /* bounded by the largest record and what a piece of the stream becomes */
	if (larger == records->capacity)
		return true;
	grown = realloc(records->buffer, larger);
	if (grown == NULL)
	{
		stop(records, CLAIR_MEMORY, MEMORY_PROBLEM);
		return false;
	}
	records->buffer = grown;
	records->capacity = larger;
	return true;
}

/* Writes to the buffer, where there is room. */
static void
put(XmlRecords *records, const void *data, size_t size)
{
	memcpy(records->buffer + records->filled, data, size);
	records->filled += size;
}

static void
put_size(XmlRecords *records, size_t size)
{
	XmlTapeSize written = (XmlTapeSize) size;

	put(records, &written, sizeof(written));
}

/* Fills in a size that was left open: of all that has been written since. */
static void
close_size(XmlRecords *records, size_t place)
{
	XmlTapeSize size = (XmlTapeSize) (records->filled - records->begin - place -
									  sizeof(XmlTapeSize));

	memcpy(records->buffer + records->begin + place, &size, sizeof(size));
}

/* Writes what an item is, and leaves its size open: where, within the record. */
static size_t
open_item(XmlRecords *records, char kind)
{
	size_t place;

	put(records, &kind, 1);
	place = records->filled - records->begin;
	put_size(records, 0);
	return place;
}

/* Ends the text that may be open; one of white space alone is taken back. */
static void
end_text(XmlRecords *records)
{
	size_t start = records->begin + records->text + sizeof(XmlTapeSize);

	if (!records->in_text)
		return;
	records->in_text = false;
	close_size(records, records->text);
	if (text_trim((ClairBytes){records->buffer + start, records->filled - start}).size == 0)
		records->filled = records->begin + records->text - 1;
}

static void
take_text(void *context, const xmlChar *text, int size)
{
	XmlRecords *records = context;

	if (records->record_depth == 0 || records->tags_only || size <= 0 ||
		!make_room(records, (size_t) size + 1 + sizeof(XmlTapeSize)))
		return;
	if (!records->in_text)
		records->text = open_item(records, XML_TAPE_TEXT);
	records->in_text = true;
	put(records, text, (size_t) size);
}

/* Whether a step of a path allows an element of this name. */
static bool
fits(ClairBytes step, ClairBytes name)
{
	if (clair_bytes_equal(step, CLAIR_LITERAL("*")))
		return true;
	while (step.size > 0)
		if (clair_bytes_equal(text_take_part(&step, '|'), name))
			return true;
	return false;
}

/* Follows the paths into an element that has just been opened. */
static void
follow(XmlRecords *records, ClairBytes name)
{
	unsigned above = records->matching[records->depth - 1];
	unsigned *here = &records->matching[records->depth];
	char shown[48];

	*here = 0;
	for (size_t i = 0; i < records->path_count && above != 0; i++)
	{
		const Path *path = &records->paths[i];

		if ((above & 1U << i) == 0 || path->count < records->depth ||
			!fits(path->steps[records->depth - 1], name))
			continue;
		*here |= 1U << i;
		if (path->count == records->depth && records->record_depth == 0)
		{
			records->record_depth = records->depth;
			records->tags_only = path->tags_only;
		}
	}
	if (records->depth > 1 || *here != 0)
		return;
	text_printable(name, shown, sizeof(shown));
	stop(records, CLAIR_INVALID, "the document is \"%s\", not \"%.*s\"", shown,
		 (int) records->paths[0].steps[0].size, records->paths[0].steps[0].data);
}

/* The bytes that an element's tag takes in the buffer. */
static size_t
tag_size(ClairBytes name, int count, const xmlChar **attributes)
{
	size_t size = 1 + 3 * sizeof(XmlTapeSize) + name.size;

	for (int i = 0; i < count; i++, attributes += 5)
		size += 2 * sizeof(XmlTapeSize) + strlen((const char *) attributes[0]) +
				(size_t) (attributes[4] - attributes[3]);
	return size;
}

/* Writes an element's tag; its size stays open. */
static void
put_tag(XmlRecords *records, ClairBytes name, int count, const xmlChar **attributes)
{
	size_t place;

	end_text(records);
	if (!make_room(records, tag_size(name, count, attributes)))
		return;
	records->sizes[records->depth] = open_item(records, XML_TAPE_ELEMENT);
	put_size(records, name.size);
	put(records, name.data, name.size);
	place = records->filled - records->begin;
	put_size(records, 0);
	for (int i = 0; i < count; i++, attributes += 5)
	{
		size_t size = (size_t) (attributes[4] - attributes[3]);

		if (attributes[1] != NULL)
			continue;
		put_size(records, strlen((const char *) attributes[0]));
		put(records, attributes[0], strlen((const char *) attributes[0]));
		put_size(records, size);
		put(records, attributes[3], size);
	}
	close_size(records, place);
}

/* libxml2 gives five pointers for each attribute: name, prefix, namespace, value and its end. */
static void
start_element(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
			  int namespace_count, const xmlChar **namespaces, int count, int defaulted,
			  const xmlChar **attributes)
{
	XmlRecords *records = context;
	ClairBytes local = clair_bytes((const char *) name);

	(void) prefix;
	(void) uri;
	(void) namespace_count;
	(void) namespaces;
	(void) defaulted;
	if (records->status != CLAIR_OK)
		return;
	if (++records->depth > CLAIR_MAX_XML_DEPTH)
	{
		stop(records, CLAIR_LIMIT, "elements are nested too deep");
		return;
	}
	follow(records, local);
	if (records->record_depth == records->depth)
	{
		records->begin = records->filled;
		records->line = xmlSAX2GetLineNumber(records->parser);
	}
	if (records->record_depth == records->depth ||
		(records->record_depth > 0 && !records->tags_only))
		put_tag(records, local, count, attributes);
}

/* Notes a record that is complete. */
static void
cut(XmlRecords *records)
{
	if (records->cut_count == records->cut_capacity)
	{
		size_t larger = 2 * records->cut_capacity + 64; /* bounded by what is in a piece */
		Cut *grown = realloc(records->cuts, larger * sizeof(Cut));

		if (grown == NULL)
		{
			stop(records, CLAIR_MEMORY, MEMORY_PROBLEM);
			return;
		}
		records->cuts = grown;
		records->cut_capacity = larger;
	}
	records->cuts[records->cut_count++] = (Cut){records->begin, records->filled, records->line};
	records->begin = records->filled;
	records->record_depth = 0;
}

static void
end_element(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	XmlRecords *records = context;

	(void) name;
	(void) prefix;
	(void) uri;
	if (records->status != CLAIR_OK)
		return;
	if (records->record_depth == records->depth ||
		(records->record_depth > 0 && !records->tags_only))
	{
		end_text(records);
		close_size(records, records->sizes[records->depth]);
	}
	if (records->record_depth == records->depth)
		cut(records);
	records->depth--;
}

static void
refuse_type_declaration(void *context, const xmlChar *name, const xmlChar *id, const xmlChar *url)
{
	(void) name;
	(void) id;
	(void) url;
	stop(context, CLAIR_INVALID, "a document type declaration is not allowed");
}

/* Called by libxml2 with each problem; one that it could live with is none of ours. */
static void
take_problem(void *context, Problem problem)
{
	XmlRecords *records = context;
	ClairBytes message = text_trim(clair_bytes(problem->message));

	if (problem->level != XML_ERR_FATAL || records->status != CLAIR_OK)
		return;
	if (problem->code == XML_ERR_NO_MEMORY)
		stop(records, CLAIR_MEMORY, MEMORY_PROBLEM);
	else if (records->ended && records->depth > 0)
		stop(records, CLAIR_INVALID, "the document ends too early");
	stop(records, CLAIR_INVALID, "%.*s", (int) message.size, message.data);
}

/* The part, which is written in our sources, as paths. */
static void
read_paths(XmlRecords *records, const char *part)
{
	ClairBytes rest = clair_bytes(part);

	while (rest.size > 0 && records->path_count < MAX_PATHS)
	{
		Path *path = &records->paths[records->path_count];
		ClairBytes steps = text_take_part(&rest, ';');

		path->tags_only = clair_bytes_end_with(steps, CLAIR_LITERAL("@"));
		steps.size -= path->tags_only;
		while (steps.size > 0 && path->count < MAX_STEPS)
			path->steps[path->count++] = text_take_part(&steps, '/');
		records->matching[0] |= 1U << records->path_count++;
	}
}

static void
xml_records_close(void *context)
{
	XmlRecords *records = context;

	if (records == NULL)
		return;
	xmlFreeParserCtxt(records->parser);
	free(records->buffer);
	free(records->cuts);
	free(records);
}

static ClairStatus
xml_records_open(ClairStream *stream, const char *part, const ClairLimits *limits, void **context,
				 ClairError *error)
{
	xmlSAXHandler handlers = {.initialized = XML_SAX2_MAGIC,
							  .internalSubset = refuse_type_declaration,
							  .startElementNs = start_element,
							  .endElementNs = end_element,
							  .characters = take_text,
							  .ignorableWhitespace = take_text,
							  .cdataBlock = take_text,
							  .serror = take_problem};
	XmlRecords *records = calloc(1, sizeof(XmlRecords));

	*context = records;
	if (records == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	records->stream = stream;
	records->max_record_size = (size_t) limits->max_record_size;
	if (records->max_record_size > UINT32_MAX)
		records->max_record_size = UINT32_MAX; /* what XmlTapeSize can say */
	read_paths(records, part);
	records->capacity = FIRST_CAPACITY;
	records->buffer = malloc(records->capacity);
	records->parser = xmlCreatePushParserCtxt(&handlers, records, NULL, 0, NULL);
	if (records->buffer == NULL || records->parser == NULL)
	{
		xml_records_close(records);
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	}
	xmlCtxtUseOptions(records->parser, XML_PARSE_NONET);
	xmlDictSetLimit(records->parser->dict, DICTIONARY_LIMIT);
	return CLAIR_OK;
}

static int64_t
xml_records_size(const void *context)
{
	const XmlRecords *records = context;

	return records->size;
}

/* Drops from the buffer what has been given; a record that is open begins it. */
static void
drop_given(XmlRecords *records)
{
	size_t kept = records->filled - records->begin;

	memmove(records->buffer, records->buffer + records->begin, kept);
	records->filled = kept;
	records->begin = 0;
	records->cut_count = 0;
	records->given = 0;
}

/* What libxml2 has been pushed, but has not understood yet, must be one small thing. */
static void
check_waiting(XmlRecords *records)
{
	const xmlParserInput *input = records->parser->input;

	if (input != NULL && input->end - input->cur > CLAIR_MAX_XML_TAG)
		stop(records, CLAIR_LIMIT, "a tag or a comment is too large");
}

/* Pushes the next piece of the stream. */
static ClairStatus
push(XmlRecords *records)
{
	size_t size;

	drop_given(records);
	if (records->piece.size == 0)
	{
		records->status = records->stream->read(records->stream, &records->piece, records->error);
		if (records->status != CLAIR_OK)
			return records->status;
		records->size += (int64_t) records->piece.size;
		records->ended = records->piece.size == 0;
	}
	if (records->ended && records->size == 0)
		return records->status = clair_error(records->error, CLAIR_INVALID,
											 "the document is empty");
	size = records->piece.size < PIECE_SIZE ? records->piece.size : PIECE_SIZE;
	xmlParseChunk(records->parser, records->piece.data, (int) size, records->ended);
	records->piece = clair_bytes_skip(records->piece, size);
	if (records->status == CLAIR_OK && records->parser->wellFormed == 0)
		stop(records, CLAIR_INVALID, "this is not well-formed XML");
	if (records->status == CLAIR_OK)
		check_waiting(records);
	return records->status;
}

static ClairStatus
xml_records_next(void *context, FeedRecord *record, bool *found, ClairError *error)
{
	XmlRecords *records = context;
	const Cut *next;

	*record = (FeedRecord){0};
	*found = false;
	records->error = error;
	while (records->given == records->cut_count)
	{
		if (records->ended)
			return CLAIR_OK;
		if (push(records) != CLAIR_OK)
			return records->status;
	}
	next = &records->cuts[records->given++];
	record->value = (ClairBytes){records->buffer + next->begin, next->end - next->begin};
	record->position = next->line;
	record->number = ++records->number;
	*found = true;
	return CLAIR_OK;
}

const RecordCutter xml_record_cutter = {xml_records_open, xml_records_next, xml_records_size,
										xml_records_close};
