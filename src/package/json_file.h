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

/* Says what stopped the cursor, if anything did: a problem, or an error when memory is short. */
extern ClairStatus
json_file_finish(const JsonCursor *cursor, Findings *findings, ClairError *error);

#endif
