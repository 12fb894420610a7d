/*
 * version.c
 *    Values of clair.version: building them, taking them apart, their constructors in SQL.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "version/version.h"
#include "version/version_format.h"

StaticAssertDecl(VERSION_MAX_TEXT < VERSION_BOUND, "the size of a text must leave the mark free");

#define VERSION_MAX_KEY VERSION_KEY_SIZE(VERSION_MAX_TEXT)

Version *
BuildVersion(const VersionParts *parts)
{
	size_t size = VARHDRSZ + VERSION_HEAD_SIZE + 1 + parts->key.size + parts->bound +
				  parts->text.size;
	Version *version = palloc(size);
	uint16 head = (uint16) (parts->text.size | (parts->bound ? VERSION_BOUND : 0));
	char *at = VARDATA(version);

	SET_VARSIZE(version, size);
	*at++ = (char) (head >> 8);
	*at++ = (char) head;
	*at++ = (char) parts->tag;
	if (parts->key.size > 0)
		memcpy(at, parts->key.data, parts->key.size);
	at += parts->key.size;
	if (parts->bound)
		*at++ = '\0';
	if (parts->text.size > 0)
		memcpy(at, parts->text.data, parts->text.size);
	return version;
}

VersionParts
GetVersionParts(const Version *version)
{
	ClairBytes order = GetVersionOrder(version);
	const char *end = VARDATA_ANY(version) + VARSIZE_ANY_EXHDR(version);
	VersionParts parts;

	parts.tag = (unsigned char) order.data[0];
	parts.bound = (VARDATA_ANY(version)[0] & (VERSION_BOUND >> 8)) != 0;
	parts.key = clair_bytes_skip(order, 1);
	parts.key.size -= parts.bound;
	parts.text.data = order.data + order.size;
	parts.text.size = (size_t) (end - parts.text.data);
	return parts;
}

/*
 * Writes the key of a text into a buffer for the longest key and returns its size; reports an
 * invalid text, and returns 0 if that was a soft error.
 */
static size_t
EncodeVersion(VersionFormat format, ClairBytes text, unsigned char *key, Node *escontext)
{
	VersionProblem problem;
	size_t size;

	if (version_encode(format, text, key, &size, &problem))
		return size;
	version_ereturn(escontext, 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid %s version: \"%.*s\"", version_format_name((int) format),
							(int) text.size, text.data),
					 errdetail("At character %d: %s.",
							   pg_mbstrlen_with_len(text.data, (int) problem.position) + 1,
							   problem.reason)));
}

Version *
MakeVersion(VersionFormat format, ClairBytes text, Node *escontext)
{
	unsigned char key[VERSION_MAX_KEY];
	size_t key_size = EncodeVersion(format, text, key, escontext);

	if (key_size == 0)
		return NULL;
	return BuildVersion(
		&(VersionParts){.tag = (int) format, .key = {(const char *) key, key_size}, .text = text});
}

Version *
MakeBound(Version *version)
{
	VersionParts parts = GetVersionParts(version);

	if (parts.bound || version_format_name(parts.tag) == NULL)
		return version;
	parts.bound = true;
	return BuildVersion(&parts);
}

VersionFormat
GetVersionFormat(ClairBytes name)
{
	VersionFormat format;

	if (!version_format_by_name(name, &format))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown version format: \"%.*s\"", (int) name.size, name.data)));
	return format;
}

/* clair.version(format text, version text) returns clair.version */
PG_FUNCTION_INFO_V1(version_make);
Datum
version_make(PG_FUNCTION_ARGS)
{
	ClairBytes name = GetTextBytes(PG_GETARG_TEXT_PP(0));
	ClairBytes version = GetTextBytes(PG_GETARG_TEXT_PP(1));

	PG_RETURN_POINTER(MakeVersion(GetVersionFormat(name), version, NULL));
}

/* clair.version_problem(format text, version text) returns text; NULL for a valid one */
PG_FUNCTION_INFO_V1(version_problem);
Datum
version_problem(PG_FUNCTION_ARGS)
{
	VersionFormat format = GetVersionFormat(GetTextBytes(PG_GETARG_TEXT_PP(0)));
	ClairBytes version = GetTextBytes(PG_GETARG_TEXT_PP(1));
	unsigned char key[VERSION_MAX_KEY];
	size_t key_size;
	VersionProblem problem;

	if (version_encode(format, version, key, &key_size, &problem))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem.reason));
}

/* clair.dpkg(version text) returns clair.version, and so on: one for each format */
#define X(value, name)                                                                             \
	PG_FUNCTION_INFO_V1(version_##name);                                                           \
	Datum version_##name(PG_FUNCTION_ARGS)                                                         \
	{                                                                                              \
		PG_RETURN_POINTER(MakeVersion(value, GetTextBytes(PG_GETARG_TEXT_PP(0)), NULL));           \
	}
VERSION_FORMATS(X)
#undef X

/* clair.version_cmp(format text, a text, b text) returns integer */
PG_FUNCTION_INFO_V1(version_cmp_text);
Datum
version_cmp_text(PG_FUNCTION_ARGS)
{
	VersionFormat format = GetVersionFormat(GetTextBytes(PG_GETARG_TEXT_PP(0)));
	unsigned char a[VERSION_MAX_KEY];
	unsigned char b[VERSION_MAX_KEY];
	size_t a_size = EncodeVersion(format, GetTextBytes(PG_GETARG_TEXT_PP(1)), a, NULL);
	size_t b_size = EncodeVersion(format, GetTextBytes(PG_GETARG_TEXT_PP(2)), b, NULL);
	int order = version_key_compare(a, a_size, b, b_size);

	PG_RETURN_INT32((order > 0) - (order < 0));
}

/* clair.successor(clair.version) returns clair.version; infinities and bounds stay as they are */
PG_FUNCTION_INFO_V1(version_successor);
Datum
version_successor(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(MakeBound(PG_GETARG_VERSION_PP(0)));
}

/* clair.bare(clair.version) returns text: for people; a bound is "> 1.2", infinities are NULL */
PG_FUNCTION_INFO_V1(version_bare);
Datum
version_bare(PG_FUNCTION_ARGS)
{
	VersionParts parts = GetVersionParts(PG_GETARG_VERSION_PP(0));

	if (version_format_name(parts.tag) == NULL)
		PG_RETURN_NULL();
	if (parts.bound)
		PG_RETURN_TEXT_P(
			cstring_to_text(psprintf("> %.*s", (int) parts.text.size, parts.text.data)));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(parts.text.data, (int) parts.text.size));
}

/* clair.format(clair.version) returns text; NULL for infinities */
PG_FUNCTION_INFO_V1(version_format);
Datum
version_format(PG_FUNCTION_ARGS)
{
	VersionParts parts = GetVersionParts(PG_GETARG_VERSION_PP(0));
	const char *name = version_format_name(parts.tag);

	if (name == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(name));
}
