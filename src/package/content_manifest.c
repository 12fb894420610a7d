/*
 * content_manifest.c
 *    Reads content manifests: what the build of a Red Hat image says of its repositories.
 *
 * A JSON object; reference: atomic-reactor's schema content_manifest.json, and what Red Hat's
 * newer build service adds to it. Facts: "repository", "repository.1", ... of content_sets;
 * "from_dnf_hint" is "true" when dnf's history is to be believed rather than these.
 */
#include "package/json_file.h"
#include "package/package.h"

#define MAX_REPOSITORIES 1000

/* Takes the names in the array; what is no text is passed over. */
static ClairStatus
read_content_sets(JsonCursor *cursor, int *count, Findings *findings, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	json_enter(cursor, JSON_ARRAY);
	while (status == CLAIR_OK && json_next_element(cursor))
	{
		ClairBytes name;

		if (json_type(cursor) != JSON_STRING)
			json_skip(cursor);
		else if (json_text(cursor, &name) && name.size > 0 && name.size <= CLAIR_MAX_NAME &&
				 *count < MAX_REPOSITORIES)
			status = findings_fact_of_list(findings, "repository", (*count)++, name, error);
	}
	return status;
}

static ClairStatus
read_members(JsonCursor *cursor, Findings *findings, ClairError *error)
{
	static const ClairBytes yes = CLAIR_LITERAL("true");
	bool has_hint = false;
	int count = 0;
	ClairStatus status = CLAIR_OK;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (status == CLAIR_OK && json_next_member(cursor, &name))
	{
		JsonType type = json_type(cursor);

		if (clair_bytes_equal(name, CLAIR_LITERAL("content_sets")) && type == JSON_ARRAY)
		{
			status = read_content_sets(cursor, &count, findings, error);
			continue;
		}
		if (clair_bytes_equal(name, CLAIR_LITERAL("from_dnf_hint")))
			has_hint = clair_bytes_start_with(clair_bytes_skip(cursor->text, cursor->position),
											  yes);
		json_skip(cursor);
	}
	if (status == CLAIR_OK && has_hint)
		status = findings_fact(findings, CLAIR_LITERAL("from_dnf_hint"), yes, error);
	return status;
}

ClairStatus
content_manifest_read(ClairBytes file, Findings *findings, ClairError *error)
{
	JsonCursor cursor;
	bool is_object;
	ClairStatus status = json_file_start(file, findings, &cursor, &is_object, error);

	if (status == CLAIR_OK && is_object)
		status = read_members(&cursor, findings, error);
	return status == CLAIR_OK ? json_file_finish(&cursor, findings, error) : status;
}
