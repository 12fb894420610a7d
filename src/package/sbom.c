/*
 * sbom.c
 *    Software bills of materials: which kind a document is of; see sbom.h.
 *
 * The document is gone over once to see that it is JSON and what it is, and then by its kind's
 * reader. Builders sign documents as the predicate of an in-toto statement, and one host of
 * sources hands them out as the member "sbom": the object in there is the document.
 */
#include "package/sbom.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

const char *const sbom_roles[SBOM_FILE_COUNT] = {"sbom", "os-release", "content-manifest",
												 "dpkg", "rpm",		   "apk"};

typedef void KindReader(SbomReader *reader, JsonCursor *cursor);

static const struct
{
	const char *mark; /* the member that shows it */
	KindReader *read;
} kinds[] = {{"bomFormat", sbom_cyclonedx_read}, {"spdxVersion", sbom_spdx_read}};

static const char *const wrappings[] = {"predicate", "sbom"};

/*
 * What reads the object that the cursor stands before, which it takes; NULL when no member shows
 * it. Of an object within it that may be the document, *inner is a cursor.
 */
static KindReader *
find_kind(JsonCursor *cursor, JsonCursor *inner)
{
	KindReader *found = NULL;
	ClairBytes name;

	inner->arena = NULL;
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		for (size_t i = 0; i < COUNT_OF(kinds) && found == NULL; i++)
			if (clair_bytes_equal(name, clair_bytes(kinds[i].mark)))
				found = kinds[i].read;
		for (size_t i = 0; i < COUNT_OF(wrappings); i++)
			if (clair_bytes_equal(name, clair_bytes(wrappings[i])) &&
				json_type(cursor) == JSON_OBJECT)
				*inner = *cursor;
		json_skip(cursor);
	}
	return found;
}

void
sbom_stop(const SbomReader *reader, JsonCursor *cursor)
{
	if (reader->status != CLAIR_OK)
		json_refuse(cursor, reader->status, reader->error->message);
}

void
sbom_format(SbomReader *reader, JsonCursor *cursor, const char *format, ClairBytes version)
{
	ClairBytes shown = arena_printf(reader->scratch, "%s %.*s", format, (int) version.size,
									version.data != NULL ? version.data : "");

	if (version.data == NULL)
		json_refuse(cursor, CLAIR_UNSUPPORTED, "documents of this version are not supported");
	else if (shown.data == NULL)
		json_refuse(cursor, CLAIR_MEMORY, "there is not enough memory for its version");
	else if (!sbom_fact(reader, "format", shown))
		sbom_stop(reader, cursor);
}

static ClairStatus
refuse(const JsonCursor *cursor, ClairError *error)
{
	if (cursor->status == CLAIR_MEMORY)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	return clair_error(error, cursor->status, "byte %zu: %s", cursor->position + 1,
					   cursor->problem);
}

static ClairStatus
read_document(SbomReader *reader, ClairBytes text)
{
	JsonCursor start = json_cursor(text, reader->scratch);
	JsonCursor cursor = start;
	JsonCursor inner;
	KindReader *read = find_kind(&cursor, &inner);

	if (!json_end(&cursor))
		return refuse(&cursor, reader->error);
	if (read == NULL && inner.arena != NULL)
	{
		start = cursor = inner;
		read = find_kind(&cursor, &inner);
	}
	if (read == NULL)
		return clair_error(reader->error, CLAIR_UNSUPPORTED,
						   "the document is neither CycloneDX nor SPDX 2 in JSON");
	cursor = start;
	read(reader, &cursor);
	if (reader->status != CLAIR_OK)
		return reader->status;
	if (cursor.status != CLAIR_OK)
		return refuse(&cursor, reader->error);
	sbom_finish(reader);
	return reader->status;
}

ClairStatus
sbom_read(ClairBytes text, const ClairLimits *limits, Arena *arena, Sbom *sbom, ClairError *error)
{
	SbomReader reader = {.sbom = sbom,
						 .arena = arena,
						 .scratch = arena_create((size_t) limits->reader_memory / 4),
						 .error = error,
						 .namespaces.map.arena = arena,
						 .distributions.map.arena = arena,
						 .passed_over.map.arena = arena,
						 .repositories.arena = arena};
	ClairStatus status;

	if (reader.scratch == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	*sbom = (Sbom){.components = 0};
	for (size_t i = 0; i < COUNT_OF(sbom->files); i++)
	{
		findings_start(&sbom->files[i], arena, limits);
		sbom->files[i].unit = "component";
	}
	status = read_document(&reader, text);
	arena_destroy(reader.scratch);
	return status;
}
