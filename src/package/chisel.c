/*
 * chisel.c
 *    Reads the manifest of chisel, which cuts images out of Ubuntu's packages.
 *
 * Such images have no database of dpkg. The manifest is a jsonwall, compressed with zstd: a line
 * of JSON that says so, then one for each package, slice, path and so on; those whose "kind" is
 * "package" have a name, a version and an architecture. Which source a package is built from is
 * not said. Taking the package's own name for it finds what is known of sources of that name, so
 * that anything else may be missed: that is a problem of every manifest.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "common/stream.h"
#include "package/json_file.h"
#include "package/package.h"

typedef struct Wall
{
	Findings *findings;
	ClairError *error;
	int64_t line; /* its number */
	char *buffer; /* the part of a line that has come */
	size_t used;
	size_t capacity;
	bool is_manifest;
} Wall;

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

/* The first line says what follows. */
static ClairStatus
take_header(Wall *wall, ClairBytes schema)
{
	wall->is_manifest = clair_bytes_equal(schema, CLAIR_LITERAL("1.0"));
	if (schema.size == 0)
		return findings_problem(wall->findings, wall->error, "it is not a manifest of chisel");
	if (!wall->is_manifest)
		return findings_unsupported(wall->findings, wall->error,
									"its schema, \"%.*s\", is not supported", (int) schema.size,
									schema.data);
	return findings_problem(
		wall->findings, wall->error,
		"it does not say which sources its packages are built from: of "
		"vulnerabilities of sources, those are found that have a package's name");
}

static ClairStatus
take_line(Wall *wall, ClairBytes line)
{
	JsonCursor cursor = json_cursor(line, wall->findings->arena);
	Feature feature = {.name = CLAIR_NULL_BYTES};
	ClairBytes kind = CLAIR_NULL_BYTES;
	ClairBytes schema = CLAIR_NULL_BYTES;
	const JsonTextMember members[] = {
		{CLAIR_LITERAL("kind"), &kind},
		{CLAIR_LITERAL("name"), &feature.name},
		{CLAIR_LITERAL("version"), &feature.version},
		{CLAIR_LITERAL("arch"), &feature.architecture},
		{CLAIR_LITERAL("schema"), &schema},
	};

	wall->line++;
	json_file_texts(&cursor, members, sizeof(members) / sizeof(members[0]));
	if (cursor.status == CLAIR_MEMORY)
		return out_of_memory(wall->error);
	if (wall->line == 1)
		return take_header(wall, cursor.status == CLAIR_OK ? schema : CLAIR_NULL_BYTES);
	if (cursor.status != CLAIR_OK || !json_end(&cursor))
		return findings_problem(wall->findings, wall->error, "line %" PRId64 ": invalid JSON: %s",
								wall->line, cursor.problem);
	if (!clair_bytes_equal(kind, CLAIR_LITERAL("package")))
		return CLAIR_OK;
	return findings_feature(wall->findings, VERSION_DPKG, wall->line, &feature, wall->error);
}

/* Keeps the part of a line that has no end yet. */
static ClairStatus
keep_part(Wall *wall, ClairBytes part)
{
	if (part.size > CLAIR_MAX_LINE - wall->used)
		return clair_error(wall->error, CLAIR_LIMIT, "a line of more than %d bytes",
						   CLAIR_MAX_LINE);
	if (wall->used + part.size > wall->capacity)
	{
		size_t capacity = (wall->used + part.size) * 2;
		char *larger = realloc(wall->buffer, capacity);

		if (larger == NULL)
			return out_of_memory(wall->error);
		wall->buffer = larger;
		wall->capacity = capacity;
	}
	if (part.size > 0)
		memcpy(wall->buffer + wall->used, part.data, part.size);
	wall->used += part.size;
	return CLAIR_OK;
}

/* Takes the lines that end in the piece. */
static ClairStatus
take_piece(Wall *wall, ClairBytes piece)
{
	ClairStatus status = CLAIR_OK;
	const char *end;

	while (status == CLAIR_OK && (wall->line == 0 || wall->is_manifest) && piece.size > 0 &&
		   (end = memchr(piece.data, '\n', piece.size)) != NULL)
	{
		ClairBytes line = {piece.data, (size_t) (end - piece.data)};

		piece = clair_bytes_skip(piece, line.size + 1);
		if (wall->used > 0)
		{
			status = keep_part(wall, line);
			line = (ClairBytes){wall->buffer, wall->used};
			wall->used = 0;
		}
		if (status == CLAIR_OK)
			status = take_line(wall, line);
	}
	return status == CLAIR_OK ? keep_part(wall, piece) : status;
}

/* Takes all lines of the stream; it may end within one, which is none then. */
static ClairStatus
take_lines(Wall *wall, ClairStream *stream)
{
	ClairBytes piece;
	ClairStatus status;

	while ((status = stream->read(stream, &piece, wall->error)) == CLAIR_OK && piece.size > 0)
	{
		status = take_piece(wall, piece);
		if (status != CLAIR_OK || (wall->line > 0 && !wall->is_manifest))
			return status;
	}
	if (status == CLAIR_INVALID || status == CLAIR_UNSUPPORTED)
		return findings_problem(wall->findings, wall->error, "%s", wall->error->message);
	if (status == CLAIR_OK && (wall->used > 0 || wall->line == 0))
		return findings_problem(wall->findings, wall->error, "it ends too early");
	return status;
}

ClairStatus
chisel_manifest_read(ClairBytes file, Findings *findings, ClairError *error)
{
	Wall wall = {.findings = findings, .error = error};
	ClairStream *bytes;
	ClairStream *stream;
	ClairStatus status = stream_open_bytes(file, &bytes, error);

	if (status != CLAIR_OK)
		return status;
	status = stream_open_decompressed(bytes, findings->limits->max_file_size, "clair.max_file_size",
									  findings->limits->max_ratio, &stream, error);
	if (status == CLAIR_OK)
	{
		status = take_lines(&wall, stream);
		stream->close(stream);
	}
	else
	{
		bytes->close(bytes);
		if (status == CLAIR_INVALID || status == CLAIR_UNSUPPORTED)
			status = findings_problem(findings, error, "%s", error->message);
	}
	free(wall.buffer);
	return status;
}
