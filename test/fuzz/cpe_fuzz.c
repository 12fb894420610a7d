/*
 * cpe_fuzz.c
 *    Any bytes as one or two names of platforms: a canonical URI is read as the same name, and
 *    the list of names that cover one has exactly those that do.
 *
 * A NUL parts the names.
 */
#include "feed/cpe.h"
#include "fuzz.h"

#define ARENA_SIZE ((size_t) 8 << 20)

static bool
same(const Cpe *a, const Cpe *b)
{
	for (size_t i = 0; i < CPE_COMPONENTS; i++)
		if ((a->components[i].data == NULL) != (b->components[i].data == NULL) ||
			!clair_bytes_equal(a->components[i], b->components[i]))
			return false;
	return true;
}

/* Reads a URI that we wrote, which may be longer than what is read otherwise. */
static bool
read_again(Arena *arena, ClairBytes uri, Cpe *cpe)
{
	if (uri.size > CPE_MAX_SIZE)
		return false;
	require(cpe_read(arena, uri, cpe) == NULL && cpe->components[CPE_PART].data != NULL);
	return true;
}

static void
check_one(Arena *arena, const Cpe *cpe)
{
	ClairBytes uri = cpe_uri(arena, cpe);
	Cpe again;
	ClairBytes *uris;
	size_t count;

	require(uri.data != NULL);
	if (read_again(arena, uri, &again))
		require(same(&again, cpe));
	require(cpe_covering(arena, cpe, &uris, &count));
	for (size_t i = 0; i < count; i++)
		if (read_again(arena, uris[i], &again))
			require(cpe_covers(&again, cpe));
}

/* Whether b covers a, it is in a's list; and only then. */
static void
check_two(Arena *arena, const Cpe *a, const Cpe *b)
{
	ClairBytes uri = cpe_uri(arena, b);
	ClairBytes *uris;
	size_t count;
	size_t found = 0;

	require(uri.data != NULL && cpe_covering(arena, a, &uris, &count));
	for (size_t i = 0; i < count; i++)
		found += clair_bytes_equal(uris[i], uri);
	require(found == (cpe_covers(b, a) ? 1 : 0));
}

FUZZ_TARGET(cpe)
{
	const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
	size_t first = nul != NULL ? (size_t) (nul - data) : size;
	Arena *arena = arena_create(ARENA_SIZE);
	Cpe a;
	Cpe b;

	require(arena != NULL);
	if (cpe_read(arena, (ClairBytes){(const char *) data, first}, &a) == NULL)
	{
		check_one(arena, &a);
		if (nul != NULL &&
			cpe_read(arena, (ClairBytes){(const char *) nul + 1, size - first - 1}, &b) == NULL)
			check_two(arena, &a, &b);
	}
	arena_destroy(arena);
	return 0;
}
