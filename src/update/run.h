/*
 * run.h
 *    One run of one updater: its state while it goes through fetch, stage and apply.
 *
 * The phases are in files of their own, and share this struct: documents.c has the rounds,
 * fetch.c and local.c get documents, stage.c has them read into temporary tables, function.c
 * fills these with what a function returns, apply.c makes the tables say what they say.
 */
#ifndef CLAIR_RUN_H
#define CLAIR_RUN_H

#include "postgres.h"

#include <signal.h>

#include "datatype/timestamp.h"

#include "server/worker.h"
#include "update/documents.h"
#include "update/import.h"
#include "update/updater.h"

/*
 * Called inside the transaction of a run that changed something, between SPI_connect() and
 * SPI_finish(), as the extension's owner. first: nothing was known of the updater before.
 */
typedef void (*RunApplied)(int64 run, const char *updater, bool first);

/* Says what to call; for _PG_init(), once. */
extern void OnRunApplied(RunApplied callback);

/* Calls that. */
extern void AnnounceApplied(int64 run, const char *updater, bool first);

typedef struct UpdateRun
{
	int64 id;
	bool first;
	bool anew; /* its documents are read in another way than in earlier runs: all of them again */
	const char *old_state; /* what an earlier run left to go on from, or NULL */
	char *state;		   /* what this one leaves; NULL: the same */
	bool begin_again;	   /* it cannot go on from the old state */
	UpdaterSettings settings;
	const Import *import; /* what it imports; NULL: nothing, it asks the source */
	DocumentSet documents;
	Descriptor *root; /* directory of the first document, if that is a file */
	const char *phase;
	bool staged;		   /* whether there are rows to apply */
	int64 document_count;  /* documents that were fetched whole */
	int64 bytes;		   /* theirs */
	int64 records;		   /* of them, as far as they have been read */
	int64 items;		   /* vulnerabilities that were staged */
	int64 pending;		   /* bytes of what is being fetched, or read, at the moment */
	TimestampTz saved_at;  /* when the run's row was written last */
	MemoryContext context; /* lives as long as the run */
} UpdateRun;

/*
 * Runs the updater, whose lock the caller holds, unless it had a run of this request before.
 * What goes wrong is logged and recorded, not raised.
 */
extern void RunUpdater(const char *updater, int64 request, const Import *import,
					   volatile sig_atomic_t *cancelled);

/* Shows how far the run is, and writes that to its row about once a second. */
extern void ReportProgress(UpdateRun *run);

#endif
