/*
 * version_io.c
 *    Input and output of clair.version, as text and in binary.
 *
 * The text form is "FORMAT:TEXT", "FORMAT>TEXT" for the bound right behind a version, "infinity"
 * or "-infinity". It loses nothing. The binary form is the same behind a byte that says so: a
 * key is never taken from outside.
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "version/version.h"

#define VERSION_SIGN ':'
#define BOUND_SIGN	 '>'

#define INFINITY_TEXT		"infinity"
#define MINUS_INFINITY_TEXT "-infinity"

#define BINARY_FORM 1

/* The value of a text form; NULL after a soft error. */
static Version *
ParseVersion(const char *input, Node *escontext)
{
	size_t name_size = strcspn(input, (const char[]){VERSION_SIGN, BOUND_SIGN, '\0'});
	ClairBytes text = clair_bytes(input);
	VersionFormat format;
	Version *version;

	if (strcmp(input, INFINITY_TEXT) == 0)
		return BuildVersion(&(VersionParts){.tag = VERSION_TAG_INFINITY});
	if (strcmp(input, MINUS_INFINITY_TEXT) == 0)
		return BuildVersion(&(VersionParts){.tag = VERSION_TAG_MINUS_INFINITY});
	if (input[name_size] == '\0' ||
		!version_format_by_name((ClairBytes){input, name_size}, &format))
		version_ereturn(escontext, NULL,
						(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						 errmsg("invalid input syntax for type %s: \"%s\"", "clair.version", input),
						 errdetail("It does not begin with a version format and a colon."),
						 errhint("Write it as \"dpkg:1.2-3\".")));
	version = MakeVersion(format, clair_bytes_skip(text, name_size + 1), escontext);
	return version != NULL && input[name_size] == BOUND_SIGN ? MakeBound(version) : version;
}

/* The text form of a value, palloc'ed. */
static char *
PrintVersion(const Version *version)
{
	VersionParts parts = GetVersionParts(version);

	if (parts.tag == VERSION_TAG_INFINITY)
		return pstrdup(INFINITY_TEXT);
	if (parts.tag == VERSION_TAG_MINUS_INFINITY)
		return pstrdup(MINUS_INFINITY_TEXT);
	return psprintf("%s%c%.*s", version_format_name(parts.tag),
					parts.bound ? BOUND_SIGN : VERSION_SIGN, (int) parts.text.size,
					parts.text.data);
}

PG_FUNCTION_INFO_V1(version_in);
Datum
version_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(ParseVersion(PG_GETARG_CSTRING(0), fcinfo->context));
}

PG_FUNCTION_INFO_V1(version_out);
Datum
version_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(PrintVersion(PG_GETARG_VERSION_PP(0)));
}

PG_FUNCTION_INFO_V1(version_recv);
Datum
version_recv(PG_FUNCTION_ARGS)
{
	StringInfo buffer = (StringInfo) PG_GETARG_POINTER(0);
	int form = pq_getmsgbyte(buffer);
	int size;

	if (form != BINARY_FORM)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unsupported binary form of type %s: %d", "clair.version", form)));
	PG_RETURN_POINTER(
		ParseVersion(pq_getmsgtext(buffer, buffer->len - buffer->cursor, &size), NULL));
}

PG_FUNCTION_INFO_V1(version_send);
Datum
version_send(PG_FUNCTION_ARGS)
{
	char *form = PrintVersion(PG_GETARG_VERSION_PP(0));
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, BINARY_FORM);
	pq_sendtext(&buffer, form, (int) strlen(form));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}
