/*
 * csaf_changes.h
 *    The lists beside documents: which have changed, or gone, and when.
 *
 * "changes.csv" of CSAF 2.0 (7.1.13), and Red Hat's "deletions.csv": rows of a document's path and
 * a time (RFC 3339); and OSV's "modified_id.csv", rows of a time and a path. They have hundreds of
 * thousands of rows, and are read as a stream.
 */
#ifndef CLAIR_CSAF_CHANGES_H
#define CLAIR_CSAF_CHANGES_H

#include "common/arena.h"
#include "common/error.h"
#include "common/limits.h"

/*
 * Gives each row of the list, which may be compressed, to a function; the time is timestamp.h's. A
 * row that is none is an error, which names the line. The arena is used for a row at a time.
 */
extern ClairStatus csaf_changes_read(const ClairLimits *limits, int descriptor, Arena *arena,
									 ClairStatus (*take)(void *context, ClairBytes path,
														 int64_t time, ClairError *error),
									 void *context, ClairError *error);

#endif
