/*
 * name_list.c
 *    Lists of names as rows have them; see name_list.h.
 */
#include "feed/name_list.h"

#include <stdlib.h>

static int
compare_names(const void *left, const void *right)
{
	return clair_bytes_compare(*(const ClairBytes *) left, *(const ClairBytes *) right);
}

size_t
name_list_order(ClairBytes *names, size_t count)
{
	size_t kept = 0;

	if (count > 0)
		qsort(names, count, sizeof(ClairBytes), compare_names);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !clair_bytes_equal(names[i], names[kept - 1]))
			names[kept++] = names[i];
	return kept;
}

ClairBytes
name_list_join(Arena *arena, const ClairBytes *names, size_t count)
{
	size_t size = 0;
	char *list;

	for (size_t i = 0; i < count; i++)
		size += names[i].size + 1;
	list = count > 0 ? arena_alloc(arena, size) : NULL;
	if (list == NULL)
		return CLAIR_NULL_BYTES;
	size = 0;
	for (size_t i = 0; i < count; i++)
	{
		if (i > 0)
			list[size++] = ' ';
		if (names[i].size > 0)
			memcpy(list + size, names[i].data, names[i].size);
		size += names[i].size;
	}
	return (ClairBytes){list, size};
}
