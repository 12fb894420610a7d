/*
 * secdb.h
 *    What a package's record in a secdb document says: Alpine's format, which others took.
 *
 * { "pkg": { "name": ..., "secfixes": { version: [ identifiers ], ... } } }: a version, and
 * what it was the first to have fixed. Version "0" means that no version ever had the flaw.
 */
#ifndef CLAIR_SECDB_H
#define CLAIR_SECDB_H

#include "feed/record_feed.h"

/* A distribution's way with the format. */
typedef struct SecdbSource
{
	ClairBytes namespace;
	ClairBytes link; /* what stands before a vulnerability's name; no value: there is no link */
} SecdbSource;

/*
 * The name of the package that a record is about, or a problem: why the record is broken. A
 * record that is not JSON is an error.
 */
extern ClairStatus secdb_name(RecordFeed *feed, const FeedRecord *record, ClairBytes *name,
							  const char **problem, ClairError *error);

/*
 * Writes what the record says, for format apk. The identifiers in rejected do not apply to
 * any version of the package, whatever the record says; others that it does not know too.
 */
extern ClairStatus
secdb_itemize(RecordFeed *feed, const SecdbSource *source, const FeedRecord *record, ClairBytes key,
			  const ClairBytes *rejected, size_t rejected_count, ClairError *error);

/*
 * The vulnerabilities that one text of a list names. It may be several, with comments in
 * parentheses: the CVEs among them, in their usual spelling; when there is none, the
 * identifiers of others (GHSA-..., XSA-248). The array is in the arena; NULL and a count
 * above 0 when that is exhausted.
 */
extern ClairBytes *secdb_identifiers(Arena *arena, ClairBytes text, size_t *count);

#endif
