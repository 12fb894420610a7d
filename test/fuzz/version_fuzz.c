/*
 * version_fuzz.c
 *    Any bytes as two versions of a format: keys stay within their size, are the same each time,
 *    and neither is the beginning of the other; what is refused is refused with a place in it.
 *
 * The first byte chooses the format, the second where the first version ends.
 */
#include "version/version_key.h"
#include "fuzz.h"

typedef struct Key
{
	unsigned char *bytes;
	size_t size;
} Key;

/* Encodes into a buffer of exactly the promised size; no bytes when the text is refused. */
static Key
encode(VersionFormat format, ClairBytes text)
{
	VersionProblem problem = {NULL, SIZE_MAX};
	size_t limit = VERSION_KEY_SIZE(text.size);
	Key key = {malloc(limit), 0};

	require(key.bytes != NULL);
	if (version_encode(format, text, key.bytes, &key.size, &problem))
	{
		require(key.size > 0 && key.size <= limit);
		return key;
	}
	require(problem.reason != NULL && problem.position <= text.size);
	free(key.bytes);
	return (Key){NULL, 0};
}

FUZZ_TARGET(version)
{
	VersionFormat format;
	size_t cut;
	Key a;
	Key b;
	Key again;

	if (size < 2)
		return 0;
	format = (VersionFormat) (data[0] % 4);
	size -= 2;
	cut = data[1] < size ? data[1] : size;
	a = encode(format, (ClairBytes){(const char *) data + 2, cut});
	again = encode(format, (ClairBytes){(const char *) data + 2, cut});
	b = encode(format, (ClairBytes){(const char *) data + 2 + cut, size - cut});
	require(a.size == again.size);
	if (a.bytes != NULL)
		require(version_key_compare(a.bytes, a.size, again.bytes, again.size) == 0);
	if (a.bytes != NULL && b.bytes != NULL && a.size != b.size)
		require(memcmp(a.bytes, b.bytes, a.size < b.size ? a.size : b.size) != 0);
	free(a.bytes);
	free(again.bytes);
	free(b.bytes);
	return 0;
}
