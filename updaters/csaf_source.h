/*
 * csaf_source.h
 *    What sources of CSAF documents, one for each CVE, have in common.
 *
 * There is an archive of all of them, document "archive", which is read once and kept. What has
 * happened since, lists say, documents "changes" and "deletions" (csaf_changes.h): the documents
 * that have changed are fetched each for itself, as patches of the archive. A source's state is the
 * name of the archive and the newest times of both lists, in milliseconds since 1970, "-" for none.
 *
 * An updater does these steps in its own order, as its archives and lists come; too many changes
 * for single documents make a run begin again, with the archive.
 */
#ifndef CLAIR_CSAF_SOURCE_H
#define CLAIR_CSAF_SOURCE_H

#include <stdint.h>

#include "common/text_map.h"
#include "updaters/updater.h"

#define CSAF_ARCHIVE   CLAIR_LITERAL("archive")
#define CSAF_CHANGES   CLAIR_LITERAL("changes")
#define CSAF_DELETIONS CLAIR_LITERAL("deletions")

#define CSAF_NEVER INT64_MIN

typedef struct CsafSource
{
	const char *title; /* of the vendor, for errors */
	bool by_year;	   /* documents lie in folders of their years: "2031/cve-2031-0044.json" */

	/* As in RecordFormat; the context is the round. */
	ClairStatus (*itemize)(RecordFeed *feed, void *context, const FeedRecord *record,
						   ClairBytes key, ClairError *error);
} CsafSource;

/* How far a run has come. */
typedef struct CsafState
{
	ClairBytes archive; /* no value: nothing was read yet */
	int64_t changed;
	int64_t deleted;
} CsafState;

/* What the lists say of a document. */
typedef struct CsafChange
{
	ClairBytes path;
	int64_t changed;
	int64_t deleted;
} CsafChange;

typedef struct CsafRound
{
	const CsafSource *source;
	const UpdaterJob *job;
	RecordFeed feed;
	Arena *arena; /* as long as the round */
	CsafState old;
	CsafState new;
	bool whole;			   /* the archive is read in this round */
	int64_t changed_since; /* what is older is known */
	int64_t deleted_since;
	TextMap by_key; /* changes by the keys of their records */
	CsafChange **changes;
	size_t change_count;
	size_t change_capacity;
	ClairBytes key; /* of the document that is being read as a patch */
} CsafRound;

/* Begins a round, with the state that the last run has left. It is closed whatever comes of it. */
extern ClairStatus csaf_round_open(CsafRound *round, const CsafSource *source,
								   const UpdaterJob *job, ClairError *error);
extern void csaf_round_close(CsafRound *round);

/* The document of this name among those of the round, or NULL. */
extern const UpdaterDocument *csaf_round_document(const CsafRound *round, ClairBytes name);

/* Whether it is the name of the archive, or of a list, and not of a patch. */
extern bool csaf_is_common(ClairBytes name);

/* Reads the lists that are there: what has changed and gone, and the newest times of the state. */
extern ClairStatus csaf_round_read_lists(CsafRound *round, ClairError *error);

/*
 * Whether the lists have too many changes; then, nothing is named. Else names the documents that
 * have changed, and says which are gone; where the archive is read in this round, these are passed
 * over in it.
 */
extern ClairStatus csaf_round_write_changes(CsafRound *round, bool *too_many, ClairError *error);

/* Reads the archive, but for the records of which the lists speak. */
extern ClairStatus
csaf_round_read_archive(CsafRound *round, const UpdaterDocument *archive, ClairError *error);

/* Reads a document that is a patch. */
extern ClairStatus
csaf_round_read_patch(CsafRound *round, const UpdaterDocument *document, ClairError *error);

/* Leaves the new state, or, to begin again, none. */
extern ClairStatus csaf_round_write_state(const CsafRound *round, ClairError *error);

/* The part of a path behind the last "/". */
extern ClairBytes csaf_last_component(ClairBytes path);

#endif
