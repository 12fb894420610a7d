/*
 * path.h
 *    Names in archives as paths below a root that nothing leads out of.
 *
 * A clean path has no leading "/", no empty, "." or ".." component and no "/" at the end;
 * the root is empty. Purely textual: nothing is ever looked up in a file system.
 */
#ifndef CLAIR_PATH_H
#define CLAIR_PATH_H

#include "common/arena.h"
#include "common/bytes.h"

/*
 * Writes the clean form of a name to buffer, of CLAIR_MAX_PATH bytes. False when the name
 * is longer than that or ".." leads out of the root.
 */
extern bool path_clean(ClairBytes name, char *buffer, ClairBytes *path);

/*
 * Where a symbolic link at a clean path leads: relative to the link's directory, or, when
 * it begins with "/", to the root, which ".." does not leave. False when the result is too
 * long.
 */
extern bool path_link_target(ClairBytes path, ClairBytes target, char *buffer, ClairBytes *clean);

/* The directory of a clean path, and its last component. */
extern ClairBytes path_directory(ClairBytes path);
extern ClairBytes path_name(ClairBytes path);

/* Whether path lies below directory (the root: everything but itself). */
extern bool path_is_below(ClairBytes path, ClairBytes directory);

#endif
