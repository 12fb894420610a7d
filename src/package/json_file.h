/*
 * json_file.h
 *    A wanted file that is JSON: whether it is, and what is wrong with it.
 */
#ifndef CLAIR_JSON_FILE_H
#define CLAIR_JSON_FILE_H

#include "common/json_cursor.h"
#include "package/findings.h"

/*
 * Checks the whole file and gives a cursor before its value. A file that is not JSON, or whose
 * value is not an object, is a problem, and *is_object is false: nothing is taken from it.
 */
extern ClairStatus json_file_start(ClairBytes file, Findings *findings, JsonCursor *cursor,
								   bool *is_object, ClairError *error);

/*
 * Whether the cursor stands before an object that has a member of this name and type; then *value
 * stands before its value, and the cursor where it stood.
 */
extern bool
json_file_member(const JsonCursor *cursor, const char *name, JsonType type, JsonCursor *value);

/* A member of an object whose text is wanted; value: where it goes, when there is one. */
typedef struct JsonTextMember
{
	ClairBytes name;
	ClairBytes *value;
} JsonTextMember;

/* Takes an object: the texts that are wanted; whatever else it has is skipped. */
extern void json_file_texts(JsonCursor *cursor, const JsonTextMember *members, size_t count);

/* Says what stopped the cursor, if anything did: a problem, or an error when memory is short. */
extern ClairStatus
json_file_finish(const JsonCursor *cursor, Findings *findings, ClairError *error);

#endif
