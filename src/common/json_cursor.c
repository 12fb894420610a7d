/*
 * json_cursor.c
 *    Reading JSON that is in memory; see json_cursor.h.
 *
 * Strings are passed over eight bytes at a time; what lies in a skipped value is checked
 * against the grammar all the same, because it is what decides whether a document can be
 * trusted. Text is checked as UTF-8 only where it is taken.
 */
#include "common/json_cursor.h"

#include <endian.h>
#include <stdlib.h>

#include "common/limits.h"
#include "common/text.h"

#define EVERY_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

#define PROBLEM_END "it ends too early"

bool
json_refuse(JsonCursor *cursor, ClairStatus status, const char *problem)
{
	if (cursor->status == CLAIR_OK)
	{
		cursor->status = status;
		cursor->problem = problem;
	}
	return false;
}

/* A fault in the text where the cursor stands. */
static bool
refuse(JsonCursor *cursor, const char *problem)
{
	return json_refuse(cursor, CLAIR_INVALID,
					   cursor->position < cursor->text.size ? problem : PROBLEM_END);
}

static bool
is_digit(int byte)
{
	return byte >= '0' && byte <= '9';
}

/* The byte where the cursor stands; -1 at the end. */
static inline int
byte_here(const JsonCursor *cursor)
{
	return cursor->position < cursor->text.size
			   ? (unsigned char) cursor->text.data[cursor->position]
			   : -1;
}

static inline int
byte_after_space(JsonCursor *cursor)
{
	int byte;

	while ((byte = byte_here(cursor)) == ' ' || byte == '\n' || byte == '\r' || byte == '\t')
		cursor->position++;
	return byte;
}

JsonType
json_type(JsonCursor *cursor)
{
	if (cursor->status != CLAIR_OK)
		return JSON_NOTHING;
	switch (byte_after_space(cursor))
	{
		case '{':
			return JSON_OBJECT;
		case '[':
			return JSON_ARRAY;
		case '"':
			return JSON_STRING;
		case 't':
		case 'f':
			return JSON_BOOLEAN;
		case 'n':
			return JSON_NULL;
		case '-':
		case '0':
		case '1':
		case '2':
		case '3':
		case '4':
		case '5':
		case '6':
		case '7':
		case '8':
		case '9':
			return JSON_NUMBER;
		default:
			return JSON_NOTHING;
	}
}

/* How many bytes at the begin of a word are neither quote, backslash nor control character. */
static inline size_t
plain_bytes(const char *at)
{
	uint64_t word;
	uint64_t quote;
	uint64_t backslash;
	uint64_t found;

	memcpy(&word, at, sizeof(word));
	word = le64toh(word); /* the first byte is the lowest */
	quote = word ^ EVERY_BYTE('"');
	backslash = word ^ EVERY_BYTE('\\');

	/* The lowest bit that is set is that of the first such byte; those above may be wrong. */
	found = (((quote - EVERY_BYTE(1)) & ~quote) | ((backslash - EVERY_BYTE(1)) & ~backslash) |
			 ((word - EVERY_BYTE(0x20)) & ~word)) &
			EVERY_BYTE(0x80);
	return found == 0 ? sizeof(word) : (size_t) __builtin_ctzll(found) / 8;
}

/* Where the first quote, backslash or control character is; end when there is none. */
static inline const char *
skip_plain(const char *at, const char *end)
{
	while (end - at >= (ptrdiff_t) sizeof(uint64_t))
	{
		size_t plain = plain_bytes(at);

		at += plain;
		if (plain < sizeof(uint64_t))
			return at;
	}
	while (at < end && (unsigned char) *at >= 0x20 && *at != '"' && *at != '\\')
		at++;
	return at;
}

/* Passes over the escape where the cursor stands; which character it means is not looked at. */
static bool
skip_escape(JsonCursor *cursor)
{
	cursor->position++;
	switch (byte_here(cursor))
	{
		case '"':
		case '\\':
		case '/':
		case 'b':
		case 'f':
		case 'n':
		case 'r':
		case 't':
			cursor->position++;
			return true;
		case 'u':
			cursor->position++;
			for (int i = 0; i < 4; i++, cursor->position++)
			{
				int byte = byte_here(cursor);

				if (!is_digit(byte) && !(byte >= 'a' && byte <= 'f') &&
					!(byte >= 'A' && byte <= 'F'))
					return refuse(cursor, "\\u needs four hexadecimal digits");
			}
			return true;
		default:
			return refuse(cursor, "there is no such escape");
	}
}

/* Takes a string: the bytes between its quotes. */
static bool
take_string(JsonCursor *cursor, ClairBytes *raw)
{
	const char *data = cursor->text.data;
	size_t begin;

	if (byte_after_space(cursor) != '"')
		return refuse(cursor, "a string is missing");
	begin = ++cursor->position;
	for (;;)
	{
		int byte;

		cursor->position = (size_t) (skip_plain(data + cursor->position, data + cursor->text.size) -
									 data);
		byte = byte_here(cursor);
		if (byte == '"')
			break;
		if (byte != '\\')
			return refuse(cursor, "a control character stands in a string");
		if (!skip_escape(cursor))
			return false;
	}
	*raw = (ClairBytes){data + begin, cursor->position - begin};
	cursor->position++;
	return true;
}

static bool
take_digits(JsonCursor *cursor)
{
	if (!is_digit(byte_here(cursor)))
		return refuse(cursor, "a digit is missing");
	while (is_digit(byte_here(cursor)))
		cursor->position++;
	return true;
}

static bool
take_number(JsonCursor *cursor)
{
	if (byte_here(cursor) == '-')
		cursor->position++;
	if (byte_here(cursor) == '0')
		cursor->position++;
	else if (!take_digits(cursor))
		return false;
	if (byte_here(cursor) == '.')
	{
		cursor->position++;
		if (!take_digits(cursor))
			return false;
	}
	if (byte_here(cursor) == 'e' || byte_here(cursor) == 'E')
	{
		cursor->position++;
		if (byte_here(cursor) == '+' || byte_here(cursor) == '-')
			cursor->position++;
		return take_digits(cursor);
	}
	return true;
}

static bool
take_word(JsonCursor *cursor, ClairBytes word)
{
	if (!clair_bytes_start_with(clair_bytes_skip(cursor->text, cursor->position), word))
		return json_refuse(cursor, CLAIR_INVALID, "there is no such value");
	cursor->position += word.size;
	return true;
}

/* Skips a value that is neither object nor array. */
static bool
skip_scalar(JsonCursor *cursor)
{
	ClairBytes raw;

	switch (json_type(cursor))
	{
		case JSON_STRING:
			return take_string(cursor, &raw);
		case JSON_NUMBER:
			return take_number(cursor);
		case JSON_BOOLEAN:
			return take_word(cursor, byte_here(cursor) == 't' ? CLAIR_LITERAL("true")
															  : CLAIR_LITERAL("false"));
		case JSON_NULL:
			return take_word(cursor, CLAIR_LITERAL("null"));
		default:
			return refuse(cursor, "a value is missing");
	}
}

bool
json_enter(JsonCursor *cursor, JsonType type)
{
	if (json_type(cursor) != type)
		return refuse(cursor, type == JSON_OBJECT ? "it is not an object" : "it is not an array");
	if (cursor->depth == CLAIR_MAX_JSON_DEPTH)
		return json_refuse(cursor, CLAIR_LIMIT, "it is nested too deep");
	cursor->depth++;
	cursor->position++;
	cursor->first = true;
	return true;
}

/*
 * Stands before the next member or element of what was entered. False at its end, which is
 * then left, and at a problem.
 */
static bool
next_in(JsonCursor *cursor, int close)
{
	int byte;

	if (cursor->status != CLAIR_OK)
		return false;
	byte = byte_after_space(cursor);
	if (byte == close)
	{
		cursor->position++;
		cursor->depth--;
		cursor->first = false;
		return false;
	}
	if (!cursor->first)
	{
		if (byte != ',')
			return refuse(cursor, "a comma is missing");
		cursor->position++;
	}
	cursor->first = false;
	return true;
}

/* The next member's name as it is written. */
static inline bool
next_name(JsonCursor *cursor, ClairBytes *raw)
{
	if (!next_in(cursor, '}') || !take_string(cursor, raw))
		return false;
	if (byte_after_space(cursor) != ':')
		return refuse(cursor, "a colon is missing");
	cursor->position++;
	return true;
}

/* Resolves the escapes of a string; when it is no text, it is left as it is written. */
static bool
resolve(JsonCursor *cursor, ClairBytes raw, ClairBytes *text, const char **problem)
{
	*problem = json_unescape(cursor->arena, raw, text);
	if (*problem != NULL)
		*text = raw;
	else if (text->data == NULL)
		return json_refuse(cursor, CLAIR_MEMORY, "there is not enough memory for it");
	return true;
}

/* The same for a string that must be text. */
static bool
resolve_text(JsonCursor *cursor, ClairBytes raw, ClairBytes *text)
{
	const char *problem;

	if (!resolve(cursor, raw, text, &problem))
		return false;
	return problem == NULL || json_refuse(cursor, CLAIR_INVALID, problem);
}

bool
json_next_member(JsonCursor *cursor, ClairBytes *name)
{
	ClairBytes raw;

	return next_name(cursor, &raw) && resolve_text(cursor, raw, name);
}

bool
json_next_element(JsonCursor *cursor)
{
	return next_in(cursor, ']');
}

bool
json_text(JsonCursor *cursor, ClairBytes *text)
{
	ClairBytes raw;

	if (json_type(cursor) != JSON_STRING)
		return refuse(cursor, "it is not a string");
	return take_string(cursor, &raw) && resolve_text(cursor, raw, text);
}

bool
json_any_string(JsonCursor *cursor, ClairBytes *string, const char **problem)
{
	ClairBytes raw;

	if (json_type(cursor) != JSON_STRING)
		return refuse(cursor, "it is not a string");
	return take_string(cursor, &raw) && resolve(cursor, raw, string, problem);
}

bool
json_text_or_null(JsonCursor *cursor, ClairBytes *text)
{
	*text = CLAIR_NULL_BYTES;
	if (json_type(cursor) == JSON_NULL)
		return skip_scalar(cursor);
	return json_text(cursor, text);
}

bool
json_number(JsonCursor *cursor, ClairBytes *text)
{
	size_t begin;

	if (json_type(cursor) != JSON_NUMBER)
		return refuse(cursor, "it is not a number");
	begin = cursor->position;
	if (!take_number(cursor))
		return false;
	*text = (ClairBytes){cursor->text.data + begin, cursor->position - begin};
	return true;
}

/* Enters, if the value that the cursor stands before is an object or array; else skips it. */
static bool
enter_or_skip(JsonCursor *cursor, uint64_t *objects)
{
	JsonType type = json_type(cursor);

	if (type != JSON_OBJECT && type != JSON_ARRAY)
		return skip_scalar(cursor);
	*objects = *objects << 1 | (type == JSON_OBJECT);
	return json_enter(cursor, type);
}

bool
json_skip(JsonCursor *cursor)
{
	unsigned int outside = cursor->depth;
	uint64_t objects = 0; /* a bit for each level that was entered, the innermost lowest */
	ClairBytes raw;

	_Static_assert(CLAIR_MAX_JSON_DEPTH <= 64, "a level has a bit");
	if (!enter_or_skip(cursor, &objects))
		return false;
	while (cursor->depth > outside)
	{
		bool more = (objects & 1) != 0 ? next_name(cursor, &raw) : next_in(cursor, ']');

		if (!more)
			objects >>= 1;
		else
			enter_or_skip(cursor, &objects);
		if (cursor->status != CLAIR_OK)
			return false;
	}
	return true;
}

bool
json_end(JsonCursor *cursor)
{
	if (cursor->status != CLAIR_OK)
		return false;
	if (byte_after_space(cursor) >= 0)
		return refuse(cursor, "there is more after its end");
	return true;
}

static int
compare_members(const void *left, const void *right)
{
	const JsonMember *a = left;
	const JsonMember *b = right;
	int order = clair_bytes_compare(a->name, b->name);

	if (order == 0)
		order = (a->value.data > b->value.data) - (a->value.data < b->value.data);
	return order;
}

bool
json_members(JsonCursor *cursor, JsonMember **members, size_t *count)
{
	JsonMember member;
	ClairBytes raw;
	size_t capacity = 0;

	*members = NULL;
	*count = 0;
	if (!json_enter(cursor, JSON_OBJECT))
		return false;
	while (next_name(cursor, &raw))
	{
		if (!resolve(cursor, raw, &member.name, &member.problem))
			return false;
		(void) json_type(cursor); /* to where the value begins */
		member.value.data = cursor->text.data + cursor->position;
		if (!json_skip(cursor))
			return false;
		member.value.size = (size_t) (cursor->text.data + cursor->position - member.value.data);
		*members = arena_grow_array(cursor->arena, *members, *count + 1, &capacity, sizeof(member));
		if (*members == NULL)
			return json_refuse(cursor, CLAIR_MEMORY, "there is not enough memory for it");
		(*members)[(*count)++] = member;
	}
	if (cursor->status != CLAIR_OK)
		return false;
	if (*count > 0)
		qsort(*members, *count, sizeof(member), compare_members);
	return true;
}

/* The value of four hexadecimal digits, which are there. */
static uint32_t
hexadecimal(const char *digits)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
	{
		int byte = digits[i] | 0x20;

		value = value << 4 | (uint32_t) (byte >= 'a' ? byte - 'a' + 10 : byte - '0');
	}
	return value;
}

static char *
write_utf8(char *to, uint32_t character)
{
	if (character < 0x80)
		*to++ = (char) character;
	else if (character < 0x800)
		*to++ = (char) (0xC0 | character >> 6);
	else
	{
		if (character < 0x10000)
			*to++ = (char) (0xE0 | character >> 12);
		else
		{
			*to++ = (char) (0xF0 | character >> 18);
			*to++ = (char) (0x80 | (character >> 12 & 0x3F));
		}
		*to++ = (char) (0x80 | (character >> 6 & 0x3F));
	}
	if (character >= 0x80)
		*to++ = (char) (0x80 | (character & 0x3F));
	return to;
}

/*
 * Writes the character of the \u escape at from, of which the first four digits are there;
 * returns where the escape ends, NULL when it is half a surrogate pair.
 */
static const char *
unescape_unicode(const char *from, const char *end, char **to)
{
	uint32_t character = hexadecimal(from + 2);

	from += 6;
	if (character >= 0xD800 && character <= 0xDFFF)
	{
		uint32_t low = end - from >= 6 && from[0] == '\\' && from[1] == 'u' ? hexadecimal(from + 2)
																			: 0;

		if (character >= 0xDC00 || low < 0xDC00 || low > 0xDFFF)
			return NULL;
		character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
		from += 6;
	}
	*to = write_utf8(*to, character);
	return from;
}

/* The raw bytes are those of a string that was taken: its escapes are well-formed. */
const char *
json_unescape(Arena *arena, ClairBytes raw, ClairBytes *text)
{
	static const char meaning[256] = {['"'] = '"',	['\\'] = '\\', ['/'] = '/',	 ['b'] = '\b',
									  ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
	const char *from = raw.data;
	const char *end = raw.data + raw.size;
	const char *escape = memchr(raw.data, '\\', raw.size);
	char *begin;
	char *to;

	*text = raw;
	if (escape != NULL)
	{
		*text = CLAIR_NULL_BYTES;
		begin = to = arena_alloc(arena, raw.size);
		if (to == NULL)
			return NULL;
		while (escape != NULL)
		{
			memcpy(to, from, (size_t) (escape - from));
			to += escape - from;
			if (escape[1] == 'u')
				from = unescape_unicode(escape, end, &to);
			else
			{
				*to++ = meaning[(unsigned char) escape[1]];
				from = escape + 2;
			}
			if (from == NULL)
				return "half a surrogate pair stands in a string";
			escape = memchr(from, '\\', (size_t) (end - from));
		}
		memcpy(to, from, (size_t) (end - from));
		to += end - from;
		*text = (ClairBytes){begin, (size_t) (to - begin)};
	}
	return text_is_valid(*text) ? NULL : "a string is not UTF-8, or has a NUL in it";
}
