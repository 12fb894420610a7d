/*
 * text.c
 *    Foreign bytes as text: UTF-8 checks and escapes. No locale is consulted.
 */
#include "common/text.h"

#include <stdint.h>

#define ESCAPE_LENGTH 4 /* \xNN */

static bool
is_continuation(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

/* RFC 3629: shortest forms only, no surrogates, nothing above U+10FFFF. */
size_t
text_utf8_length(ClairBytes bytes)
{
	const unsigned char *at = (const unsigned char *) bytes.data;

	if (bytes.size == 0)
		return 0;
	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xC2 && at[0] <= 0xDF)
		return bytes.size >= 2 && is_continuation(at[1]) ? 2 : 0;
	if (at[0] >= 0xE0 && at[0] <= 0xEF)
	{
		if (bytes.size < 3 || !is_continuation(at[1]) || !is_continuation(at[2]) ||
			(at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F))
			return 0;
		return 3;
	}
	if (at[0] >= 0xF0 && at[0] <= 0xF4)
	{
		if (bytes.size < 4 || !is_continuation(at[1]) || !is_continuation(at[2]) ||
			!is_continuation(at[3]) || (at[0] == 0xF0 && at[1] < 0x90) ||
			(at[0] == 0xF4 && at[1] > 0x8F))
			return 0;
		return 4;
	}
	return 0;
}

/* Length of what may stand as it is in text for PostgreSQL; 0 when it must be escaped. */
static size_t
plain_length(ClairBytes bytes)
{
	return bytes.data[0] == '\0' ? 0 : text_utf8_length(bytes);
}

bool
text_is_valid(ClairBytes bytes)
{
	while (bytes.size > 0)
	{
		uint64_t word;
		size_t length;

		/* Eight ASCII bytes at once, none of them zero. */
		while (bytes.size >= sizeof(word))
		{
			memcpy(&word, bytes.data, sizeof(word));
			if ((word & UINT64_C(0x8080808080808080)) != 0 ||
				((word - UINT64_C(0x0101010101010101)) & UINT64_C(0x8080808080808080)) != 0)
				break;
			bytes = clair_bytes_skip(bytes, sizeof(word));
		}
		if (bytes.size == 0)
			break;
		length = plain_length(bytes);
		if (length == 0)
			return false;
		bytes = clair_bytes_skip(bytes, length);
	}
	return true;
}

static void
write_escape(char *to, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	to[0] = '\\';
	to[1] = 'x';
	to[2] = digits[byte >> 4];
	to[3] = digits[byte & 15];
}

void
text_printable(ClairBytes bytes, char *buffer, size_t size)
{
	size_t used = 0;

	while (bytes.size > 0)
	{
		size_t length = text_utf8_length(bytes);
		unsigned char first = (unsigned char) bytes.data[0];
		bool escape = length == 0 || first < 0x20 || first == 0x7F;
		size_t needed = escape ? ESCAPE_LENGTH : length;

		if (used + needed >= size)
			break;
		if (escape)
			write_escape(buffer + used, first);
		else
			memcpy(buffer + used, bytes.data, length);
		used += needed;
		bytes = clair_bytes_skip(bytes, escape ? 1 : length);
	}
	buffer[used] = '\0';
}

ClairBytes
text_escape(Arena *arena, ClairBytes bytes)
{
	char *copy;
	size_t used = 0;

	if (text_is_valid(bytes))
		return bytes;
	if (bytes.size > SIZE_MAX / ESCAPE_LENGTH)
		return CLAIR_NULL_BYTES;
	copy = arena_alloc(arena, bytes.size * ESCAPE_LENGTH);
	if (copy == NULL)
		return CLAIR_NULL_BYTES;
	while (bytes.size > 0)
	{
		size_t length = plain_length(bytes);

		if (length == 0)
		{
			write_escape(copy + used, (unsigned char) bytes.data[0]);
			used += ESCAPE_LENGTH;
			length = 1;
		}
		else
		{
			memcpy(copy + used, bytes.data, length);
			used += length;
		}
		bytes = clair_bytes_skip(bytes, length);
	}
	return (ClairBytes){copy, used};
}

static bool
is_space(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

bool
text_is_word(ClairBytes text)
{
	for (size_t i = 0; i < text.size; i++)
	{
		if ((unsigned char) text.data[i] <= ' ' || text.data[i] == 0x7F)
			return false;
	}
	return text.size > 0;
}

ClairBytes
text_trim(ClairBytes bytes)
{
	while (bytes.size > 0 && is_space(bytes.data[0]))
		bytes = clair_bytes_skip(bytes, 1);
	while (bytes.size > 0 && is_space(bytes.data[bytes.size - 1]))
		bytes.size--;
	return bytes;
}

bool
text_next_line(ClairBytes *rest, ClairBytes *line)
{
	const char *end;

	if (rest->size == 0)
		return false;
	end = memchr(rest->data, '\n', rest->size);
	line->data = rest->data;
	line->size = end != NULL ? (size_t) (end - rest->data) : rest->size;
	*rest = clair_bytes_skip(*rest, end != NULL ? line->size + 1 : line->size);
	if (line->size > 0 && line->data[line->size - 1] == '\r')
		line->size--;
	return true;
}

ClairBytes
text_take_part(ClairBytes *rest, char separator)
{
	const char *at = rest->size > 0 ? memchr(rest->data, separator, rest->size) : NULL;
	ClairBytes part = {rest->data, at != NULL ? (size_t) (at - rest->data) : rest->size};

	*rest = clair_bytes_skip(*rest, at != NULL ? part.size + 1 : part.size);
	return part;
}

size_t
text_count_numbers(ClairBytes text)
{
	size_t count = 1;
	size_t digits = 0; /* since the last dot */

	for (size_t i = 0; i < text.size; i++)
	{
		if (text.data[i] >= '0' && text.data[i] <= '9')
			digits++;
		else if (text.data[i] != '.' || digits == 0)
			return 0;
		else
		{
			count++;
			digits = 0;
		}
	}
	return digits > 0 ? count : 0;
}

bool
text_equal_ignoring_case(ClairBytes a, ClairBytes b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
	{
		if (text_lower(a.data[i]) != text_lower(b.data[i]))
			return false;
	}
	return true;
}
