/*
 * options.c
 *    The options of an updater of the user's own; see options.h.
 */
#include "updaters/options.h"

#include "common/json_cursor.h"

static ClairStatus
malformed(ClairError *error, const char *name, const char *what)
{
	return clair_error(error, CLAIR_PROTOCOL, "malformed job: option \"%s\" is not %s", name, what);
}

/* A cursor before the option's value; false when it is not given, or there is an error. */
static bool
find_option(const UpdaterJob *job, Arena *arena, const char *name, JsonCursor *value,
			ClairError *error)
{
	JsonCursor cursor = json_cursor(job->options, arena);
	JsonMember *members;
	size_t count;

	error->status = CLAIR_OK;
	if (job->options.data == NULL)
		return false;
	if (!json_members(&cursor, &members, &count) || !json_end(&cursor))
	{
		clair_error(error, cursor.status == CLAIR_MEMORY ? CLAIR_MEMORY : CLAIR_PROTOCOL,
					"malformed job: its options are not a JSON object");
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (clair_bytes_equal(members[i].name, clair_bytes(name)))
		{
			*value = json_cursor(members[i].value, arena);
			return true;
		}
	return false;
}

ClairStatus
updater_option(const UpdaterJob *job, Arena *arena, const char *name, ClairBytes *text,
			   ClairError *error)
{
	JsonCursor value;

	*text = CLAIR_NULL_BYTES;
	if (!find_option(job, arena, name, &value, error))
		return error->status;
	if (!json_text(&value, text))
		return malformed(error, name, "a text");
	return CLAIR_OK;
}

ClairStatus
updater_option_list(const UpdaterJob *job, Arena *arena, const char *name, ClairBytes **texts,
					size_t *count, ClairError *error)
{
	JsonCursor value;
	size_t capacity = 0;

	*texts = NULL;
	*count = 0;
	if (!find_option(job, arena, name, &value, error))
		return error->status;
	json_enter(&value, JSON_ARRAY);
	while (json_next_element(&value))
	{
		*texts = arena_grow_array(arena, *texts, *count + 1, &capacity, sizeof(**texts));
		if (*texts == NULL)
			return clair_error(error, CLAIR_MEMORY, "out of memory");
		if (json_text(&value, &(*texts)[*count]))
			++*count;
	}
	return value.status == CLAIR_OK ? CLAIR_OK : malformed(error, name, "a list of texts");
}

ClairStatus
updater_option_map(const UpdaterJob *job, Arena *arena, const char *name,
				   UpdaterOptionEntry **entries, size_t *count, ClairError *error)
{
	JsonCursor value;
	JsonMember *members;
	size_t member_count;

	*entries = NULL;
	*count = 0;
	if (!find_option(job, arena, name, &value, error))
		return error->status;
	if (!json_members(&value, &members, &member_count))
		return malformed(error, name, "a map of texts");
	*entries = arena_alloc_array(arena, member_count, sizeof(**entries));
	if (*entries == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	for (size_t i = 0; i < member_count; i++)
	{
		JsonCursor text = json_cursor(members[i].value, arena);

		(*entries)[i].name = members[i].name;
		if (members[i].problem != NULL || !json_text(&text, &(*entries)[i].value) ||
			(i > 0 && clair_bytes_equal(members[i].name, members[i - 1].name)))
			return malformed(error, name, "a map of texts");
	}
	*count = member_count;
	return CLAIR_OK;
}
