/*
 * listing.c
 *    The names in a listing of a directory; see listing.h.
 *
 * There is no standard for such pages. What they have in common are links with relative
 * references, which is all that is looked at; sort links ("?C=M"), parents and other hosts
 * are among them, and are left out. No HTML parser: a tag ends at the ">" that is not in
 * quotes, as in every page that a server writes.
 */
#include "feed/listing.h"

#include "common/text.h"
#include "feed/name_list.h"
#include "feed/record_feed.h"

static const ClairBytes first_line = CLAIR_LITERAL("clair directory listing");

typedef struct Names
{
	Arena *arena;
	ClairBytes *names;
	size_t count;
	size_t capacity;
} Names;

static bool
is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
}

/* Whether some bytes of the name are these, in any case. */
static bool
contains(ClairBytes name, ClairBytes part)
{
	for (size_t i = 0; i + part.size <= name.size; i++)
		if (text_equal_ignoring_case((ClairBytes){name.data + i, part.size}, part))
			return true;
	return false;
}

/* Whether it names something in the listed directory, and nothing else, whoever resolves it. */
static bool
stays_inside(ClairBytes name)
{
	if (name.size == 0 || name.size > CLAIR_MAX_NAME || !text_is_valid(name) ||
		name.data[0] == '/' || contains(name, CLAIR_LITERAL("..")) ||
		contains(name, CLAIR_LITERAL("%2e")) || contains(name, CLAIR_LITERAL("%2f")) ||
		contains(name, CLAIR_LITERAL("%5c")) || contains(name, CLAIR_LITERAL("//")))
		return false;
	for (size_t i = 0; i < name.size; i++)
		if ((unsigned char) name.data[i] <= ' ' || name.data[i] == 0x7F ||
			strchr(":\\?#", name.data[i]) != NULL)
			return false;
	return true;
}

/* Adds a name, if it is one; false when memory is exhausted. */
static bool
add_name(Names *names, ClairBytes name)
{
	if (clair_bytes_start_with(name, CLAIR_LITERAL("./")))
		name = clair_bytes_skip(name, 2);
	if (!stays_inside(name))
		return true;
	names->names = arena_grow_array(names->arena, names->names, names->count + 1, &names->capacity,
									sizeof(ClairBytes));
	if (names->names == NULL)
		return false;
	names->names[names->count++] = name;
	return true;
}

/* The character that an entity at the begin of text stands for; 0: none that we know. */
static char
entity(ClairBytes text, size_t *size)
{
	static const struct
	{
		ClairBytes entity;
		char character;
	} entities[] = {
		{CLAIR_LITERAL("&amp;"), '&'},	{CLAIR_LITERAL("&lt;"), '<'},
		{CLAIR_LITERAL("&gt;"), '>'},	{CLAIR_LITERAL("&quot;"), '"'},
		{CLAIR_LITERAL("&#39;"), '\''}, {CLAIR_LITERAL("&#x27;"), '\''},
		{CLAIR_LITERAL("&#43;"), '+'},	{CLAIR_LITERAL("&#x2B;"), '+'},
		{CLAIR_LITERAL("&#47;"), '/'},	{CLAIR_LITERAL("&#x2F;"), '/'},
	};

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
	{
		*size = entities[i].entity.size;
		if (text.size >= *size &&
			text_equal_ignoring_case((ClairBytes){text.data, *size}, entities[i].entity))
			return entities[i].character;
	}
	return 0;
}

/* The value with its entities resolved; the value itself when there are none. */
static ClairBytes
resolve_entities(Arena *arena, ClairBytes value)
{
	char *text;
	size_t size = 0;

	if (memchr(value.data, '&', value.size) == NULL)
		return value;
	text = arena_alloc(arena, value.size);
	if (text == NULL)
		return CLAIR_NULL_BYTES;
	for (size_t i = 0; i < value.size;)
	{
		size_t length = 1;
		char character = value.data[i] == '&' ? entity(clair_bytes_skip(value, i), &length) : 0;

		text[size++] = character != 0 ? character : value.data[i];
		i += character != 0 ? length : 1;
	}
	return (ClairBytes){text, size};
}

/* Takes white space off *rest. */
static void
skip_space(ClairBytes *rest)
{
	while (rest->size > 0 && is_space(rest->data[0]))
		*rest = clair_bytes_skip(*rest, 1);
}

/* Takes off *rest what stands before one of the ends, or before white space. */
static ClairBytes
take_until(ClairBytes *rest, const char *ends)
{
	ClairBytes taken = {rest->data, 0};

	while (rest->size > 0 && !is_space(rest->data[0]) &&
		   (rest->data[0] == '\0' || strchr(ends, rest->data[0]) == NULL))
	{
		*rest = clair_bytes_skip(*rest, 1);
		taken.size++;
	}
	return taken;
}

/* Takes the value of an attribute off *rest, which begins behind the "=". */
static ClairBytes
take_value(ClairBytes *rest)
{
	ClairBytes value;
	const char *quote;

	skip_space(rest);
	if (rest->size == 0 || (rest->data[0] != '"' && rest->data[0] != '\''))
		return take_until(rest, ">");
	quote = memchr(rest->data + 1, rest->data[0], rest->size - 1);
	if (quote == NULL)
		quote = rest->data + rest->size - 1; /* never closed: to the end, without the last byte */
	value = (ClairBytes){rest->data + 1,
						 quote > rest->data ? (size_t) (quote - rest->data - 1) : 0};
	*rest = clair_bytes_skip(*rest, (size_t) (quote - rest->data + 1));
	return value;
}

/*
 * Takes the next attribute of a tag off *rest; the value is none when it has none. False at
 * the tag's end.
 */
static bool
take_attribute(ClairBytes *rest, ClairBytes *name, ClairBytes *value)
{
	while (rest->size > 0 && (is_space(rest->data[0]) || rest->data[0] == '/'))
		*rest = clair_bytes_skip(*rest, 1);
	if (rest->size == 0 || rest->data[0] == '>')
		return false;
	*name = take_until(rest, "=>/");
	*value = CLAIR_NULL_BYTES;
	skip_space(rest);
	if (rest->size > 0 && rest->data[0] == '=')
	{
		*rest = clair_bytes_skip(*rest, 1);
		*value = take_value(rest);
	}
	return true;
}

/* The names that an HTML page links to; false when memory is exhausted. */
static bool
read_html(Names *names, ClairBytes rest)
{
	const char *tag;

	while ((tag = memchr(rest.data, '<', rest.size)) != NULL)
	{
		ClairBytes name;
		ClairBytes value;

		rest = clair_bytes_skip(rest, (size_t) (tag - rest.data + 1));
		name = take_until(&rest, ">");
		if (!text_equal_ignoring_case(name, CLAIR_LITERAL("a")))
			continue;
		while (take_attribute(&rest, &name, &value))
		{
			if (value.data == NULL || !text_equal_ignoring_case(name, CLAIR_LITERAL("href")))
				continue;
			value = resolve_entities(names->arena, text_trim(value));
			if (value.data == NULL || !add_name(names, value))
				return false;
		}
	}
	return true;
}

static bool
read_lines(Names *names, ClairBytes rest)
{
	ClairBytes line;

	while (text_next_line(&rest, &line))
		if (!add_name(names, line))
			return false;
	return true;
}

ClairStatus
listing_read(Arena *arena, ClairBytes document, ClairBytes **names, size_t *count,
			 ClairError *error)
{
	Names found = {.arena = arena};
	ClairBytes rest = document;
	ClairBytes line = CLAIR_NULL_BYTES;
	bool enough;

	(void) text_next_line(&rest, &line);
	if (clair_bytes_equal(line, first_line))
		enough = read_lines(&found, rest);
	else
		enough = read_html(&found, document);
	if (!enough)
		return clair_error(error, CLAIR_LIMIT, "there is not enough memory for the listing");

	*names = found.names;
	*count = name_list_order(found.names, found.count);
	return CLAIR_OK;
}

ClairStatus
listing_is(const ClairLimits *limits, int descriptor, bool *is_listing, ClairError *error)
{
	ClairStream *stream;
	ClairBytes piece;
	ClairStatus status = record_feed_stream(limits, descriptor, &stream, error);

	if (status != CLAIR_OK)
		return status;
	status = stream->read(stream, &piece, error);
	if (status == CLAIR_OK)
	{
		while (piece.size > 0 && is_space(piece.data[0]))
			piece = clair_bytes_skip(piece, 1);
		*is_listing = clair_bytes_start_with(piece, first_line) ||
					  clair_bytes_start_with(piece, CLAIR_LITERAL("<"));
	}
	stream->close(stream);
	return status;
}
