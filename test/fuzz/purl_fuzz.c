/*
 * purl_fuzz.c
 *    Any bytes as a package URL: what is read is text, not empty, and not longer than the URL;
 *    written down with everything escaped, it is read as the same.
 */
#include "common/purl.h"
#include "common/text.h"
#include "fuzz.h"

typedef struct Writer
{
	char *to;
} Writer;

static void
write_plain(Writer *writer, ClairBytes text)
{
	memcpy(writer->to, text.data, text.size);
	writer->to += text.size;
}

/* A part behind a character; every byte but the slashes of a path is escaped. */
static void
write_escaped(Writer *writer, char mark, ClairBytes part, bool is_path)
{
	static const char digits[] = "0123456789ABCDEF";

	if (part.data == NULL)
		return;
	*writer->to++ = mark;
	for (size_t i = 0; i < part.size; i++)
	{
		unsigned char byte = (unsigned char) part.data[i];

		if (is_path && byte == '/')
		{
			*writer->to++ = '/';
			continue;
		}
		*writer->to++ = '%';
		*writer->to++ = digits[byte >> 4];
		*writer->to++ = digits[byte & 15];
	}
}

static void
check_part(ClairBytes part, size_t *sum)
{
	require(part.data == NULL ? part.size == 0 : part.size > 0 && text_is_valid(part));
	*sum += part.size;
}

static bool
same(ClairBytes a, ClairBytes b)
{
	return (a.data == NULL) == (b.data == NULL) && clair_bytes_equal(a, b);
}

static void
check_again(Arena *arena, const Purl *purl)
{
	char *buffer = malloc(4 * PURL_MAX_SIZE);
	Writer writer = {buffer};
	Purl again;

	require(buffer != NULL);
	write_plain(&writer, CLAIR_LITERAL("pkg:"));
	write_plain(&writer, purl->type);
	write_escaped(&writer, '/', purl->namespace, true);
	write_escaped(&writer, '/', purl->name, false);
	write_escaped(&writer, '@', purl->version, false);
	for (size_t i = 0; i < purl->qualifier_count; i++)
	{
		*writer.to++ = i == 0 ? '?' : '&';
		write_plain(&writer, purl->qualifiers[i].name);
		write_escaped(&writer, '=', purl->qualifiers[i].value, false);
	}
	write_escaped(&writer, '#', purl->subpath, true);
	if ((size_t) (writer.to - buffer) <= PURL_MAX_SIZE)
	{
		require(
			purl_read(arena, (ClairBytes){buffer, (size_t) (writer.to - buffer)}, &again) == NULL &&
			same(again.type, purl->type) && same(again.namespace, purl->namespace) &&
			same(again.name, purl->name) && same(again.version, purl->version) &&
			same(again.subpath, purl->subpath) && again.qualifier_count == purl->qualifier_count);
		for (size_t i = 0; i < purl->qualifier_count; i++)
			require(same(again.qualifiers[i].name, purl->qualifiers[i].name) &&
					same(again.qualifiers[i].value, purl->qualifiers[i].value));
	}
	free(buffer);
}

FUZZ_TARGET(purl)
{
	Arena *arena = arena_create(1 << 20);
	Purl purl;
	size_t sum = 0;

	require(arena != NULL);
	if (purl_read(arena, (ClairBytes){(const char *) data, size}, &purl) == NULL)
	{
		require(purl.type.size > 0 && purl.name.size > 0);
		check_part(purl.type, &sum);
		check_part(purl.namespace, &sum);
		check_part(purl.name, &sum);
		check_part(purl.version, &sum);
		check_part(purl.subpath, &sum);
		for (size_t i = 0; i < purl.qualifier_count; i++)
		{
			check_part(purl.qualifiers[i].name, &sum);
			check_part(purl.qualifiers[i].value, &sum);
		}
		require(sum <= size);
		check_again(arena, &purl);
	}
	arena_destroy(arena);
	return 0;
}
