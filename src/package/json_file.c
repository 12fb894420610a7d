/*
 * json_file.c
 *    A wanted file that is JSON: whether it is, and what is wrong with it.
 */
#include "package/json_file.h"

ClairStatus
json_file_start(ClairBytes file, Findings *findings, JsonCursor *cursor, bool *is_object,
				ClairError *error)
{
	JsonCursor checked = json_cursor(file, findings->arena);

	*cursor = checked;
	*is_object = false;
	if (!json_skip(&checked) || !json_end(&checked))
		return json_file_finish(&checked, findings, error);
	*is_object = json_type(cursor) == JSON_OBJECT;
	return *is_object ? CLAIR_OK : findings_problem(findings, error, "it is not a JSON object");
}

bool
json_file_member(const JsonCursor *cursor, const char *name, JsonType type, JsonCursor *value)
{
	ClairBytes found;

	*value = *cursor;
	if (json_type(value) != JSON_OBJECT)
		return false;
	json_enter(value, JSON_OBJECT);
	while (json_next_member(value, &found))
	{
		if (clair_bytes_equal(found, clair_bytes(name)) && json_type(value) == type)
			return true;
		json_skip(value);
	}
	return false;
}

void
json_file_texts(JsonCursor *cursor, const JsonTextMember *members, size_t count)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		ClairBytes *value = NULL;

		for (size_t i = 0; i < count && json_type(cursor) == JSON_STRING; i++)
		{
			if (clair_bytes_equal(members[i].name, name))
				value = members[i].value;
		}
		if (value != NULL)
			json_text(cursor, value);
		else
			json_skip(cursor);
	}
}

ClairStatus
json_file_finish(const JsonCursor *cursor, Findings *findings, ClairError *error)
{
	if (cursor->status == CLAIR_OK)
		return CLAIR_OK;
	if (cursor->status == CLAIR_MEMORY)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	return findings_problem(findings, error, "invalid JSON at byte %zu: %s", cursor->position + 1,
							cursor->problem);
}
