/*
 * words_fuzz.c
 *    What reads small things: times ("timestamp"), paths ("path"), lists in YAML ("yaml_lists"),
 *    listings of folders ("listing"), and texts that are made valid ("text").
 */
#include "common/limits.h"
#include "common/path.h"
#include "common/text.h"
#include "feed/listing.h"
#include "feed/name_list.h"
#include "feed/timestamp.h"
#include "feed/yaml_lists.h"
#include "fuzz.h"

#define ARENA_SIZE ((size_t) 16 << 20)

/* What is read is written as a time that is read as the same. */
FUZZ_TARGET(timestamp)
{
	char buffer[TIMESTAMP_SIZE];
	int64_t time;
	int64_t again;

	if (timestamp_read((ClairBytes){(const char *) data, size}, &time))
	{
		require(timestamp_read(timestamp_write(time, buffer), &again) && again == time);
		require(timestamp_read(timestamp_write_day(time, buffer), &again) && again <= time &&
				time - again < TIMESTAMP_DAY);
	}
	return 0;
}

/* Whether the clean form of a path is itself. */
static void
require_clean(ClairBytes path)
{
	char buffer[CLAIR_MAX_PATH];
	ClairBytes again;

	require(path.size == 0 || (path.data[0] != '/' && path.data[path.size - 1] != '/'));
	require(path_clean(path, buffer, &again) && clair_bytes_equal(again, path));
}

/* Nothing leads out of the root; a NUL parts a path and the target of a link there. */
FUZZ_TARGET(path)
{
	const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
	size_t first = nul != NULL ? (size_t) (nul - data) : size;
	char buffer[CLAIR_MAX_PATH];
	char other[CLAIR_MAX_PATH];
	ClairBytes path;
	ClairBytes leads_to;

	if (!path_clean((ClairBytes){(const char *) data, first}, buffer, &path))
		return 0;
	require_clean(path);
	require(path.size == 0 || path_is_below(path, path_directory(path)));
	require(!path_is_below(path, path));
	if (nul != NULL &&
		path_link_target(path, (ClairBytes){(const char *) nul + 1, size - first - 1}, other,
						 &leads_to))
		require_clean(leads_to);
	return 0;
}

/* Items lie in the document. */
FUZZ_TARGET(yaml_lists)
{
	ClairBytes document = {(const char *) data, size};
	Arena *arena = arena_create(ARENA_SIZE);
	YamlItem *items;
	size_t count;
	ClairError error;

	if (text_is_valid(document))
	{
		if (yaml_lists_read(arena, document, &items, &count, &error) != CLAIR_OK)
			require(error.message[0] != '\0');
		else
			for (size_t i = 0; i < count; i++)
				require(items[i].item.data >= document.data &&
						items[i].item.data + items[i].item.size <= document.data + size &&
						items[i].name.size > 0);
	}
	arena_destroy(arena);
	return 0;
}

/* Names are in order, each once, none leads elsewhere; as a list they are all there. */
FUZZ_TARGET(listing)
{
	Arena *arena = arena_create(ARENA_SIZE);
	ClairBytes *names;
	size_t count;
	ClairError error;

	if (listing_read(arena, (ClairBytes){(const char *) data, size}, &names, &count, &error) !=
		CLAIR_OK)
		require(error.message[0] != '\0');
	else
	{
		for (size_t i = 0; i < count; i++)
		{
			require(names[i].size > 0 && names[i].data[0] != '/' && text_is_valid(names[i]));
			require(i == 0 || clair_bytes_compare(names[i - 1], names[i]) < 0);
		}
		require(name_list_order(names, count) == count);
		require((name_list_join(arena, names, count).data != NULL) == (count > 0));
	}
	arena_destroy(arena);
	return 0;
}

/* What is not text becomes text, and what is stays as it is. */
FUZZ_TARGET(text)
{
	ClairBytes bytes = {(const char *) data, size};
	Arena *arena = arena_create(ARENA_SIZE);
	ClairBytes line;
	ClairBytes rest = bytes;
	ClairBytes escaped = text_escape(arena, bytes);

	require(text_is_valid(escaped));
	require(!text_is_valid(bytes) || clair_bytes_equal(escaped, bytes));
	while (text_next_line(&rest, &line))
		require(line.size == 0 || memchr(line.data, '\n', line.size) == NULL);
	arena_destroy(arena);
	return 0;
}
