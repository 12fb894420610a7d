/*
 * github.h
 *    What GitHub's API says of files: in a folder of a repository, or with a release.
 */
#ifndef CLAIR_GITHUB_H
#define CLAIR_GITHUB_H

#include "common/json_cursor.h"

/*
 * Takes an object that describes a file: its name, and the URL that the member url_member has.
 * What is not there, or null, has no value. Problems stay in the cursor.
 */
extern void
github_take_file(JsonCursor *cursor, const char *url_member, ClairBytes *name, ClairBytes *url);

/*
 * The files of a folder, from the answer of ".../repos/<owner>/<name>/contents/<folder>": an array
 * of objects, of which folders have no "download_url". In the arena; url i is that of name i.
 */
extern ClairStatus github_contents(Arena *arena, ClairBytes text, ClairBytes **names,
								   ClairBytes **urls, size_t *count, ClairError *error);

#endif
