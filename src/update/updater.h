/*
 * updater.h
 *    What is set of an updater: by the extension, by an administrator, by settings.
 */
#ifndef CLAIR_UPDATER_H
#define CLAIR_UPDATER_H

#include "postgres.h"

typedef struct UpdaterSettings
{
	const char *name;
	const char *reader;	  /* which of the reader's updaters reads its documents */
	const char *options;  /* JSON, if it is of the user's own; NULL: the extension brings it */
	const char *document; /* name of the first one */
	const char *url;	  /* of the first one; or the function */
	const char *origin;	  /* what is remembered of where its documents come from: the URL */
	const char *function; /* that it is; NULL: it reads documents */
	const char *set_by;	  /* role that set URL or function; NULL: the extension */
	const char *hosts;	  /* that may be asked besides the first one's, blank-separated */
	const char *proxy;
	const char *user_agent;
	int parallel;		 /* transfers at once */
	int64 max_shrinkage; /* percent */
	bool resolves;		 /* several records may speak of the same: resolve.c */
	int64 revision;		 /* of the way in which its documents are read */
	bool appends;		 /* it speaks of CVEs, not of packages */
} UpdaterSettings;

/* Reads them, within SPI; the texts are in context. */
extern void LoadUpdater(const char *name, UpdaterSettings *settings, MemoryContext context);

/* Refuses what is no URL of a document; NULL is fine. */
extern void CheckUpdaterUrl(const char *text);

#endif
