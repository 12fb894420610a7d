/*
 * import.h
 *    What an import is about: a file that clair.export_updates() wrote, in the hands of workers.
 */
#ifndef CLAIR_IMPORT_H
#define CLAIR_IMPORT_H

#include "postgres.h"

#include "storage/dsm.h"

#include "update/updater.h"
#include "update/worker.h"

#define IMPORT_SITE_SIZE 64
#define IMPORT_TIME_SIZE 64

/* What the file has of one updater. */
typedef struct ImportPart
{
	char updater[UPDATER_NAME_SIZE];
	char as_of[IMPORT_TIME_SIZE]; /* when the updater had succeeded there; "": it had not */
	int64 since; /* the position from which on it tells changes; -1: it tells all */
} ImportPart;

/* The content of the segment that a call of clair.import_updates() shares with its worker. */
typedef struct ImportCall
{
	char path[MAXPGPATH];
	char site[IMPORT_SITE_SIZE];
	int64 position;
	int count;
	ImportPart parts[FLEXIBLE_ARRAY_MEMBER];
} ImportCall;

/* A part, for a run. */
typedef struct Import
{
	const ImportCall *call;
	const ImportPart *part;
} Import;

/* Makes the settings of an updater those of a run that imports what a file has of it. */
extern void SetImport(UpdaterSettings *settings, const Import *import);

#endif
