/*
 * github.c
 *    What GitHub's API says of files; see github.h.
 */
#include "feed/github.h"

void
github_take_file(JsonCursor *cursor, const char *url_member, ClairBytes *name, ClairBytes *url)
{
	ClairBytes member;

	*name = CLAIR_NULL_BYTES;
	*url = CLAIR_NULL_BYTES;
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &member))
	{
		if (clair_bytes_equal(member, CLAIR_LITERAL("name")))
			json_text_or_null(cursor, name);
		else if (clair_bytes_equal(member, clair_bytes(url_member)))
			json_text_or_null(cursor, url);
		else
			json_skip(cursor);
	}
}

ClairStatus
github_contents(Arena *arena, ClairBytes text, ClairBytes **names, ClairBytes **urls, size_t *count,
				ClairError *error)
{
	JsonCursor cursor = json_cursor(text, arena);
	size_t name_capacity = 0;
	size_t url_capacity = 0;
	ClairBytes name;
	ClairBytes url;

	*names = NULL;
	*urls = NULL;
	*count = 0;
	json_enter(&cursor, JSON_ARRAY);
	while (json_next_element(&cursor))
	{
		github_take_file(&cursor, "download_url", &name, &url);
		if (name.size == 0 || url.size == 0)
			continue;
		*names = arena_grow_array(arena, *names, *count + 1, &name_capacity, sizeof(ClairBytes));
		*urls = arena_grow_array(arena, *urls, *count + 1, &url_capacity, sizeof(ClairBytes));
		if (*names == NULL || *urls == NULL)
			return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the listing");
		(*names)[*count] = name;
		(*urls)[(*count)++] = url;
	}
	if (json_end(&cursor))
		return CLAIR_OK;
	return clair_error(error, cursor.status, "byte %zu: %s", cursor.position, cursor.problem);
}
