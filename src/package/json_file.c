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
