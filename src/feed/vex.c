/*
 * vex.c
 *    VEX documents of users; see vex.h.
 *
 * A product is a package of a distribution, or an image, or something that we know nothing of. A
 * statement is stored as narrowly as it is meant, or not at all: what would except more findings
 * than its author had in mind is told as broken.
 */
#include "feed/vex.h"

#include <stdio.h>

#include "common/json_cursor.h"
#include "common/text.h"
#include "feed/record_feed.h"
#include "feed/timestamp.h"
#include "feed/vex_product.h"

#define COUNT_OF(array)	 (sizeof(array) / sizeof((array)[0]))
#define MAX_VERSION_TEXT 64 /* bytes of a document's version */
#define MEMORY_PROBLEM	 "there is not enough memory for the document"

static const char *const justifications[] = {"component_not_present", "vulnerable_code_not_present",
											 "vulnerable_code_not_in_execute_path",
											 "vulnerable_code_cannot_be_controlled_by_adversary",
											 "inline_mitigations_already_exist"};

/* Whether a version of a document can be compared: numbers with dots between them. */
static bool
is_comparable(ClairBytes version)
{
	bool digit = false;

	for (size_t i = 0; i < version.size; i++)
	{
		bool dot = version.data[i] == '.';

		if ((dot && !digit) || (!dot && (version.data[i] < '0' || version.data[i] > '9')))
			return false;
		digit = !dot;
	}
	return digit && version.size <= MAX_VERSION_TEXT;
}

ClairStatus
vex_begin(VexReader *reader, const VexDocument *document, ClairError *error)
{
	const ClairSink *sink = reader->writer.sink;
	char buffer[TIMESTAMP_SIZE];
	ClairBytes issued = CLAIR_NULL_BYTES;
	int64_t time;

	if (document->id.size == 0)
		return clair_error(error, CLAIR_INVALID, "the document has no id");
	if (document->id.size > CLAIR_MAX_NAME)
		return clair_error(error, CLAIR_INVALID, "the id of the document is too long");
	if (document->issued.size > 0 && timestamp_read(document->issued, &time))
		issued = timestamp_write(time, buffer);
	reader->writer.document = document->id;

	ClairBytes fields[] = {clair_bytes(document->format), document->id,
						   is_comparable(document->version) ? document->version : CLAIR_NULL_BYTES,
						   issued, document->author};

	return sink->row(sink->context, WIRE_VEX_DOCUMENT, fields, COUNT_OF(fields), error);
}

ClairStatus
vex_skip(VexReader *reader, ClairBytes statement, const char *reason, ClairError *error)
{
	return advisory_broken(&reader->writer, statement, error, "%s", reason);
}

/* Writes the row of a statement about a product that is known for what it is. */
static ClairStatus
write_row(VexReader *reader, const VexStatement *statement, const VexProduct *product,
		  ClairError *error)
{
	const ClairSink *sink = reader->writer.sink;
	ClairBytes justification = CLAIR_NULL_BYTES;

	for (size_t i = 0; i < COUNT_OF(justifications); i++)
		if (clair_bytes_equal(statement->justification, clair_bytes(justifications[i])) &&
			strcmp(statement->kind, "not_affected") == 0)
			justification = statement->justification;

	ClairBytes fields[] = {statement->vulnerability,
						   clair_bytes(statement->kind),
						   justification,
						   statement->reason.size > 0 ? statement->reason
													  : clair_bytes(statement->kind),
						   product->image,
						   product->package,
						   product->format,
						   product->version,
						   product->architecture,
						   product->vendor,
						   product->distribution,
						   product->unknown};

	if (++reader->statements > VEX_MAX_STATEMENTS)
		return clair_error(error, CLAIR_LIMIT, "the document has more than %d statements",
						   VEX_MAX_STATEMENTS);
	return sink->row(sink->context, WIRE_VEX, fields, COUNT_OF(fields), error);
}

ClairStatus
vex_write(VexReader *reader, const VexStatement *statement, ClairError *error)
{
	VexProduct product;
	const char *problem;
	ClairStatus status;

	arena_reset(reader->scratch);
	if (text_trim(statement->vulnerability).size == 0)
		return vex_skip(reader, statement->product, "its vulnerability has no name", error);
	if (statement->vulnerability.size > CLAIR_MAX_NAME || statement->reason.size > CLAIR_MAX_TEXT)
		return vex_skip(reader, statement->product, "its name or its reason is too long", error);
	problem = vex_product(reader->scratch, statement->whole, statement->product,
						  statement->platform, &product);
	if (problem != NULL)
		return vex_skip(reader,
						statement->product.data != NULL ? statement->product : statement->whole,
						problem, error);
	if (!product.is_found)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	status = write_row(reader, statement, &product, error);
	if (status == CLAIR_OK && product.other_image.data != NULL)
	{
		product.image = product.other_image;
		status = write_row(reader, statement, &product, error);
	}
	return status;
}

/* The function for the format that the document's members show. */
static ClairStatus (*find_format(JsonCursor *cursor))(VexReader *, ClairError *)
{
	static const struct
	{
		const char *member;
		ClairStatus (*read)(VexReader *, ClairError *);
	} formats[] = {{"bomFormat", vex_cyclonedx_read},
				   {"document", vex_csaf_read},
				   {"statements", vex_openvex_read}};
	ClairStatus (*found)(VexReader *, ClairError *) = NULL;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		for (size_t i = 0; i < COUNT_OF(formats); i++)
			if (clair_bytes_equal(name, clair_bytes(formats[i].member)))
				found = formats[i].read;
		json_skip(cursor);
	}
	return json_end(cursor) ? found : NULL;
}

static ClairStatus
read_document(VexReader *reader, int descriptor, ClairError *error)
{
	ClairStatus (*read)(VexReader *, ClairError *);
	JsonCursor cursor;
	ClairStatus status = record_feed_load(reader->limits, descriptor, reader->arena, &reader->text,
										  error);

	if (status != CLAIR_OK)
		return status;
	cursor = json_cursor(reader->text, reader->arena);
	read = find_format(&cursor);
	if (cursor.status != CLAIR_OK)
		return clair_error(error, cursor.status, "byte %zu: %s", cursor.position, cursor.problem);
	if (read == NULL)
		return clair_error(error, CLAIR_UNSUPPORTED,
						   "the document is neither OpenVEX nor CSAF nor CycloneDX");
	return read(reader, error);
}

ClairStatus
vex_read(const ClairLimits *limits, int descriptor, const ClairSink *sink, ClairError *error)
{
	VexReader reader = {.limits = limits, .writer.sink = sink};
	ClairStatus status;

	reader.arena = arena_create(record_feed_memory(limits));
	reader.scratch = arena_create(record_feed_memory(limits));
	if (reader.arena == NULL || reader.scratch == NULL)
		status = clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	else
		status = read_document(&reader, descriptor, error);
	arena_destroy(reader.arena);
	arena_destroy(reader.scratch);
	return status;
}
