/*
 * cpe.c
 *    Names of platforms; see cpe.h (NIST IR 7695, chapter 6).
 *
 * Canonical components, encoded as in a URI, are all that is kept: equal names have equal
 * bytes. Not every rule of escaping is insisted on, in neither binding: characters that should
 * have been escaped are what they are.
 */
#include "feed/cpe.h"

#include "common/text.h"

#define URI_COMPONENTS ((size_t) CPE_LANGUAGE + 1)
#define ENCODED_LENGTH ((size_t) 3) /* %xx */

/* The wildcards "?" and "*", as they are encoded. */
#define ANY_CHARACTER  0x01
#define ANY_CHARACTERS 0x02

/* What an edition is packed with: what CPE 2.2 does not have. */
static const CpeComponent packed[] = {CPE_EDITION, CPE_SW_EDITION, CPE_TARGET_SW, CPE_TARGET_HW,
									  CPE_OTHER};

#define PACKED_COUNT (sizeof(packed) / sizeof(packed[0]))

typedef struct Reader
{
	Cpe *cpe;
	char *to;			 /* where the next component is written */
	bool formatted;		 /* a formatted string, not a URI */
	const char *problem; /* what stopped the reading */
} Reader;

static bool
refuse(Reader *reader, const char *problem)
{
	reader->problem = problem;
	return false;
}

static void
write_encoded(Reader *reader, char byte)
{
	static const char digits[] = "0123456789abcdef";

	*reader->to++ = '%';
	*reader->to++ = digits[(unsigned char) byte >> 4];
	*reader->to++ = digits[(unsigned char) byte & 15];
}

static bool
write_character(Reader *reader, char byte)
{
	byte = text_lower(byte);
	if (byte <= ' ' || byte > '~')
		return refuse(reader, "a character in it is not printable ASCII");
	if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || strchr("_.-", byte) != NULL)
		*reader->to++ = byte;
	else
		write_encoded(reader, byte);
	return true;
}

/* Takes a character off a component of a formatted string. */
static bool
take_formatted(Reader *reader, ClairBytes *raw)
{
	char byte = raw->data[0];

	*raw = clair_bytes_skip(*raw, 1);
	if (byte == '*' || byte == '?')
	{
		write_encoded(reader, byte == '*' ? ANY_CHARACTERS : ANY_CHARACTER);
		return true;
	}
	if (byte == '\\')
	{
		if (raw->size == 0)
			return refuse(reader, "nothing follows a backslash");
		byte = raw->data[0];
		*raw = clair_bytes_skip(*raw, 1);
	}
	return write_character(reader, byte);
}

/* Takes a character off a component of a URI. */
static bool
take_encoded(Reader *reader, ClairBytes *raw)
{
	char byte = raw->data[0];
	int high;
	int low;

	*raw = clair_bytes_skip(*raw, 1);
	if (byte != '%')
		return write_character(reader, byte);
	high = raw->size >= 2 ? text_hexadecimal(raw->data[0]) : -1;
	low = raw->size >= 2 ? text_hexadecimal(raw->data[1]) : -1;
	if (high < 0 || low < 0)
		return refuse(reader, "two hexadecimal digits must follow a percent sign");
	*raw = clair_bytes_skip(*raw, 2);
	byte = (char) (high << 4 | low);
	if (byte != ANY_CHARACTER && byte != ANY_CHARACTERS)
		return write_character(reader, byte);
	write_encoded(reader, byte);
	return true;
}

static bool
take_value(Reader *reader, ClairBytes raw, CpeComponent component)
{
	char *begin = reader->to;

	if (clair_bytes_equal(raw, CLAIR_LITERAL("*")))
		return true; /* ANY */
	if (raw.size == 0)
		return !reader->formatted || refuse(reader, "a component is empty");
	while (raw.size > 0)
		if (!(reader->formatted ? take_formatted(reader, &raw) : take_encoded(reader, &raw)))
			return false;
	reader->cpe->components[component] = (ClairBytes){begin, (size_t) (reader->to - begin)};
	return true;
}

/* Takes what stands before the next such byte off *rest, which then has no value at the end. */
static ClairBytes
take_until(ClairBytes *rest, char byte, bool backslashes)
{
	ClairBytes taken = *rest;

	for (size_t i = 0; i < taken.size; i++)
	{
		if (taken.data[i] == byte)
		{
			*rest = clair_bytes_skip(taken, i + 1);
			taken.size = i;
			return taken;
		}
		if (backslashes && taken.data[i] == '\\')
			i++;
	}
	*rest = CLAIR_NULL_BYTES;
	return taken;
}

/* Takes an edition with more in it, from behind its first "~". */
static bool
take_packed(Reader *reader, ClairBytes rest)
{
	for (size_t i = 0; rest.data != NULL; i++)
	{
		ClairBytes raw = take_until(&rest, '~', false);

		if (i == PACKED_COUNT)
			return refuse(reader, "its edition has too many parts");
		if (!take_value(reader, raw, packed[i]))
			return false;
	}
	return true;
}

static bool
take_components(Reader *reader, ClairBytes rest)
{
	size_t limit = reader->formatted ? CPE_COMPONENTS : URI_COMPONENTS;
	size_t count = 0;

	while (rest.data != NULL)
	{
		ClairBytes raw = take_until(&rest, ':', reader->formatted);
		bool is_packed = !reader->formatted && count == CPE_EDITION && raw.size > 0 &&
						 raw.data[0] == '~';

		if (count == limit)
			return refuse(reader, "it has too many components");
		if (!(is_packed ? take_packed(reader, clair_bytes_skip(raw, 1))
						: take_value(reader, raw, (CpeComponent) count)))
			return false;
		count++;
	}
	if (reader->formatted && count < limit)
		return refuse(reader, "it has too few components");
	return true;
}

static bool
has_prefix(ClairBytes text, ClairBytes prefix)
{
	return text.size >= prefix.size &&
		   text_equal_ignoring_case((ClairBytes){text.data, prefix.size}, prefix);
}

const char *
cpe_read(Arena *arena, ClairBytes text, Cpe *cpe)
{
	ClairBytes uri = CLAIR_LITERAL("cpe:/");
	ClairBytes formatted = CLAIR_LITERAL("cpe:2.3:");
	Reader reader = {.cpe = cpe, .formatted = has_prefix(text, formatted)};
	ClairBytes part;

	*cpe = (Cpe){0};
	if (!reader.formatted && !has_prefix(text, uri))
		return "it does not begin with \"cpe:/\" or \"cpe:2.3:\"";
	if (text.size > CPE_MAX_SIZE)
		return "it is too long";
	reader.to = arena_alloc(arena, ENCODED_LENGTH * text.size);
	if (reader.to == NULL)
		return NULL;
	text = clair_bytes_skip(text, reader.formatted ? formatted.size : uri.size);
	if (!take_components(&reader, text))
		return reader.problem;
	part = cpe->components[CPE_PART];
	if (part.size != 1 || strchr("aoh", part.data[0]) == NULL)
		return "its part is neither \"a\" nor \"o\" nor \"h\"";
	return NULL;
}

static char *
append(char *to, ClairBytes text)
{
	if (text.size > 0)
		memcpy(to, text.data, text.size);
	return to + text.size;
}

/* The edition, with the components that CPE 2.2 does not have when one of them is given. */
static char *
append_edition(char *to, const Cpe *cpe)
{
	bool needed = false;

	for (size_t i = 1; i < PACKED_COUNT; i++)
		needed |= cpe->components[packed[i]].data != NULL;
	if (!needed)
		return append(to, cpe->components[CPE_EDITION]);
	for (size_t i = 0; i < PACKED_COUNT; i++)
	{
		*to++ = '~';
		to = append(to, cpe->components[packed[i]]);
	}
	return to;
}

ClairBytes
cpe_uri(Arena *arena, const Cpe *cpe)
{
	ClairBytes scheme = CLAIR_LITERAL("cpe:/");
	size_t size = scheme.size + URI_COMPONENTS + PACKED_COUNT;
	char *begin;
	char *to;

	for (size_t i = 0; i < CPE_COMPONENTS; i++)
		size += cpe->components[i].size;
	begin = arena_alloc(arena, size);
	if (begin == NULL)
		return CLAIR_NULL_BYTES;
	to = append(begin, scheme);
	for (size_t i = 0; i < URI_COMPONENTS; i++)
	{
		if (i > 0)
			*to++ = ':';
		to = i == CPE_EDITION ? append_edition(to, cpe) : append(to, cpe->components[i]);
	}
	while (to[-1] == ':')
		to--;
	return (ClairBytes){begin, (size_t) (to - begin)};
}

/* Whether it says which product it is about. */
static bool
names_product(const Cpe *cpe)
{
	return cpe->components[CPE_PART].data != NULL && cpe->components[CPE_VENDOR].data != NULL &&
		   cpe->components[CPE_PRODUCT].data != NULL;
}

static bool
ends_with_version(const Cpe *cpe)
{
	for (size_t i = CPE_VERSION + 1; i < CPE_COMPONENTS; i++)
		if (cpe->components[i].data != NULL)
			return false;
	return true;
}

/* Whether the version begins with the other one, up to a dot. */
static bool
begins_with_version(ClairBytes version, ClairBytes beginning)
{
	return version.size > beginning.size && version.data[beginning.size] == '.' &&
		   clair_bytes_start_with(version, beginning);
}

bool
cpe_covers(const Cpe *pattern, const Cpe *cpe)
{
	if (!names_product(pattern))
		return false;
	for (size_t i = 0; i < CPE_COMPONENTS; i++)
	{
		ClairBytes wanted = pattern->components[i];

		if (wanted.data == NULL || clair_bytes_equal(wanted, cpe->components[i]))
			continue;
		if (i != CPE_VERSION || !ends_with_version(pattern) ||
			!begins_with_version(cpe->components[i], wanted))
			return false;
	}
	return true;
}

/* A list of URIs, with room for all. */
typedef struct Uris
{
	Arena *arena;
	ClairBytes *uris;
	size_t count;
} Uris;

static bool
add_uri(Uris *list, const Cpe *cpe)
{
	ClairBytes uri = cpe_uri(list->arena, cpe);

	list->uris[list->count++] = uri;
	return uri.data != NULL;
}

/* Adds the name with each selection of the components behind the product that it gives. */
static bool
add_selections(Uris *list, const Cpe *cpe, const size_t *given, size_t given_count)
{
	for (size_t selection = 0; selection >> given_count == 0; selection++)
	{
		Cpe pattern = *cpe;

		for (size_t i = 0; i < given_count; i++)
			if ((selection >> i & 1) == 0)
				pattern.components[given[i]] = CLAIR_NULL_BYTES;
		if (!add_uri(list, &pattern))
			return false;
	}
	return true;
}

/* Adds the names that end with a beginning of the version, up to a dot. */
static bool
add_versions(Uris *list, const Cpe *cpe)
{
	Cpe pattern = {0};
	ClairBytes version = cpe->components[CPE_VERSION];

	memcpy(pattern.components, cpe->components, CPE_VERSION * sizeof(ClairBytes));
	for (size_t i = 1; i < version.size; i++)
	{
		if (version.data[i] != '.')
			continue;
		pattern.components[CPE_VERSION] = (ClairBytes){version.data, i};
		if (!add_uri(list, &pattern))
			return false;
	}
	return true;
}

bool
cpe_covering(Arena *arena, const Cpe *cpe, ClairBytes **uris, size_t *count)
{
	Uris list = {.arena = arena};
	size_t given[CPE_COMPONENTS];
	size_t given_count = 0;

	*uris = NULL;
	*count = 0;
	if (!names_product(cpe))
		return true;
	for (size_t i = CPE_VERSION; i < CPE_COMPONENTS; i++)
		if (cpe->components[i].data != NULL)
			given[given_count++] = i;
	list.uris = arena_alloc_array(arena,
								  ((size_t) 1 << given_count) + cpe->components[CPE_VERSION].size,
								  sizeof(ClairBytes));
	if (list.uris == NULL || !add_selections(&list, cpe, given, given_count) ||
		!add_versions(&list, cpe))
		return false;
	*uris = list.uris;
	*count = list.count;
	return true;
}
