/*
 * bottlerocket.c
 *    Reads application-inventory.json: what Bottlerocket, which has no rpm database, has installed.
 *
 * A JSON object whose Content is an array of objects: Name, Version, Release, Epoch (a text, not
 * always there), Architecture, Publisher, and more. They are rpm packages.
 */
#include <inttypes.h>

#include "package/json_file.h"
#include "package/package.h"
#include "package/rpm_package.h"

static ClairStatus
read_package(JsonCursor *cursor, int64_t number, Findings *findings, ClairError *error)
{
	RpmPackage package = {.epoch = 0};
	ClairBytes epoch = CLAIR_NULL_BYTES;
	const JsonTextMember members[] = {
		{CLAIR_LITERAL("Name"), &package.name},
		{CLAIR_LITERAL("Version"), &package.version},
		{CLAIR_LITERAL("Release"), &package.release},
		{CLAIR_LITERAL("Architecture"), &package.architecture},
		{CLAIR_LITERAL("Publisher"), &package.vendor},
		{CLAIR_LITERAL("Epoch"), &epoch},
	};

	json_file_texts(cursor, members, sizeof(members) / sizeof(members[0]));
	if (cursor->status != CLAIR_OK)
		return CLAIR_OK;
	if (!rpm_package_read_epoch(epoch, &package.epoch))
		return findings_problem(findings, error, "package %" PRId64 ": its epoch is not a number",
								number);
	return rpm_package_add(&package, number, findings, error);
}

ClairStatus
bottlerocket_read(ClairBytes file, Findings *findings, ClairError *error)
{
	JsonCursor cursor;
	JsonCursor content;
	bool is_object;
	int64_t number = 0;
	ClairStatus status = json_file_start(file, findings, &cursor, &is_object, error);

	findings->unit = "package";
	if (status != CLAIR_OK || !is_object)
		return status;
	if (!json_file_member(&cursor, "Content", JSON_ARRAY, &content))
		return findings_problem(findings, error, "it has no array \"Content\"");
	json_enter(&content, JSON_ARRAY);
	while (status == CLAIR_OK && json_next_element(&content))
	{
		number++;
		if (json_type(&content) == JSON_OBJECT)
			status = read_package(&content, number, findings, error);
		else
			json_skip(&content);
	}
	return status == CLAIR_OK ? json_file_finish(&content, findings, error) : status;
}
