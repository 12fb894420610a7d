/*
 * purl.c
 *    Package URLs; see purl.h.
 *
 * The parts are cut at the characters that must be escaped within them, then copied one
 * behind the other into one piece of memory of the URL's size: resolved, nothing is longer.
 * As the specification asks of readers, slashes too many, empty qualifiers and capitals
 * where there is no difference are taken for what they mean.
 */
#include "common/purl.h"

#include "common/text.h"

typedef struct Reader
{
	char *to;			 /* where the next part is written */
	const char *problem; /* what stopped the reading */
} Reader;

static bool
refuse(Reader *reader, const char *problem)
{
	reader->problem = problem;
	return false;
}

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool
is_letter(char byte)
{
	return text_lower(byte) >= 'a' && text_lower(byte) <= 'z';
}

/* Cuts the text at a byte of it: what stands behind. No value, and no cut, when at is NULL. */
static ClairBytes
cut_at(ClairBytes *text, const char *at)
{
	ClairBytes behind;

	if (at == NULL)
		return CLAIR_NULL_BYTES;
	behind = clair_bytes_skip(*text, (size_t) (at + 1 - text->data));
	text->size = (size_t) (at - text->data);
	return behind;
}

static ClairBytes
cut_at_first(ClairBytes *text, char byte)
{
	return cut_at(text, memchr(text->data, byte, text->size));
}

static ClairBytes
cut_at_last(ClairBytes *text, char byte)
{
	return cut_at(text, memrchr(text->data, byte, text->size));
}

/* A copy with the percent escapes resolved. */
static bool
resolve(Reader *reader, ClairBytes raw, ClairBytes *resolved)
{
	char *to = reader->to;

	for (size_t i = 0; i < raw.size; i++)
	{
		int high;
		int low;

		if (raw.data[i] != '%')
		{
			*to++ = raw.data[i];
			continue;
		}
		high = raw.size - i > 2 ? text_hexadecimal(raw.data[i + 1]) : -1;
		low = raw.size - i > 2 ? text_hexadecimal(raw.data[i + 2]) : -1;
		if (high < 0 || low < 0)
			return refuse(reader, "two hexadecimal digits must follow a percent sign");
		*to++ = (char) (high << 4 | low);
		i += 2;
	}
	*resolved = (ClairBytes){reader->to, (size_t) (to - reader->to)};
	reader->to = to;
	return text_is_valid(*resolved) ||
		   refuse(reader, "a part of it is not UTF-8, or has a NUL in it");
}

/*
 * A copy in lower case of a type or a qualifier's name. Letters, digits and the other
 * characters are allowed, and no digit at the begin.
 */
static bool
take_word(Reader *reader, ClairBytes raw, const char *others, const char *problem, ClairBytes *word)
{
	*word = (ClairBytes){reader->to, raw.size};
	if (raw.size == 0 || is_digit(raw.data[0]))
		return refuse(reader, problem);
	for (size_t i = 0; i < raw.size; i++)
	{
		char byte = raw.data[i];

		if (!is_letter(byte) && !is_digit(byte) && (byte == '\0' || strchr(others, byte) == NULL))
			return refuse(reader, problem);
		*reader->to++ = text_lower(byte);
	}
	return true;
}

/* Whether a segment of a subpath is left out, because it means a place and not a name. */
static bool
is_dots(ClairBytes segment)
{
	return clair_bytes_equal(segment, CLAIR_LITERAL(".")) ||
		   clair_bytes_equal(segment, CLAIR_LITERAL(".."));
}

/* Resolves a path segment by segment, without empty ones. No value when nothing is left. */
static bool
take_path(Reader *reader, ClairBytes rest, bool is_subpath, ClairBytes *path)
{
	char *begin = reader->to;

	*path = CLAIR_NULL_BYTES;
	while (rest.size > 0)
	{
		ClairBytes raw = rest;
		char *before = reader->to;
		ClairBytes segment;

		rest = cut_at_first(&raw, '/');
		if (raw.size == 0)
			continue;
		if (before > begin)
			*reader->to++ = '/';
		if (!resolve(reader, raw, &segment))
			return false;
		if (memchr(segment.data, '/', segment.size) != NULL)
			return refuse(reader, "a slash is escaped in a path");
		if (is_subpath && is_dots(segment))
			reader->to = before;
	}
	if (reader->to > begin)
		*path = (ClairBytes){begin, (size_t) (reader->to - begin)};
	return true;
}

/* Takes "name=value"; an empty value is none. */
static bool
take_qualifier(Reader *reader, ClairBytes raw, Purl *purl)
{
	PurlQualifier qualifier;
	ClairBytes value = cut_at_first(&raw, '=');

	if (value.data == NULL)
		return refuse(reader, "a qualifier has no value");
	if (!take_word(reader, raw, "._-", "the name of a qualifier is not valid", &qualifier.name) ||
		!resolve(reader, value, &qualifier.value))
		return false;
	if (value.size == 0)
		return true;
	for (size_t i = 0; i < purl->qualifier_count; i++)
		if (clair_bytes_equal(purl->qualifiers[i].name, qualifier.name))
			return refuse(reader, "a qualifier is there twice");
	if (purl->qualifier_count == PURL_MAX_QUALIFIERS)
		return refuse(reader, "it has too many qualifiers");
	purl->qualifiers[purl->qualifier_count++] = qualifier;
	return true;
}

static bool
take_qualifiers(Reader *reader, ClairBytes rest, Purl *purl)
{
	while (rest.size > 0)
	{
		ClairBytes raw = rest;

		rest = cut_at_first(&raw, '&');
		if (raw.size > 0 && !take_qualifier(reader, raw, purl))
			return false;
	}
	return true;
}

/*
 * Takes type, namespace, name and version. The version stands behind an "@" in the last
 * segment: one in a namespace ("@angular") should have been escaped, but need not be.
 */
static bool
take_package(Reader *reader, ClairBytes raw, Purl *purl)
{
	ClairBytes package;
	ClairBytes name;
	ClairBytes version;

	package = cut_at_first(&raw, '/');
	if (!take_word(reader, raw, ".+-", "its type is not valid", &purl->type))
		return false;
	if (package.data == NULL)
		return refuse(reader, "it has no name");
	name = cut_at_last(&package, '/');
	if (name.data == NULL)
	{
		name = package;
		package.size = 0;
	}
	version = cut_at_last(&name, '@');
	if (name.size == 0)
		return refuse(reader, "it has no name");
	if (!take_path(reader, package, false, &purl->namespace) || !resolve(reader, name, &purl->name))
		return false;
	return version.size == 0 || resolve(reader, version, &purl->version);
}

/* Without the slashes at both ends. */
static ClairBytes
trim_slashes(ClairBytes text)
{
	while (text.size > 0 && text.data[0] == '/')
		text = clair_bytes_skip(text, 1);
	while (text.size > 0 && text.data[text.size - 1] == '/')
		text.size--;
	return text;
}

const char *
purl_read(Arena *arena, ClairBytes text, Purl *purl)
{
	Reader reader = {0};
	ClairBytes subpath;
	ClairBytes qualifiers;
	ClairBytes scheme = CLAIR_LITERAL("pkg:");

	*purl = (Purl){0};
	if (text.size > PURL_MAX_SIZE)
		return "it is too long";
	if (text.size < scheme.size ||
		!text_equal_ignoring_case((ClairBytes){text.data, scheme.size}, scheme))
		return "it does not begin with \"pkg:\"";
	reader.to = arena_alloc(arena, text.size);
	if (reader.to == NULL)
		return NULL;
	subpath = cut_at_first(&text, '#');
	qualifiers = cut_at_first(&text, '?');
	if (take_package(&reader, trim_slashes(clair_bytes_skip(text, scheme.size)), purl) &&
		take_qualifiers(&reader, qualifiers, purl))
		take_path(&reader, subpath, true, &purl->subpath);
	return reader.problem;
}

ClairBytes
purl_qualifier(const Purl *purl, const char *name)
{
	for (size_t i = 0; i < purl->qualifier_count; i++)
		if (clair_bytes_equal(purl->qualifiers[i].name, clair_bytes(name)))
			return purl->qualifiers[i].value;
	return CLAIR_NULL_BYTES;
}
