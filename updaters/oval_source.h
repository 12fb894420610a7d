/*
 * oval_source.h
 *    What updaters of sources in OVAL have in common.
 *
 * The first document, "index", is the listing of a folder, or, of a copy of one's own, an OVAL
 * document itself; further ones are OVAL documents. In place of a listing there may be a
 * manifest: lines of a file's path, a comma and more; or what GitHub's API says of the folder.
 */
#ifndef CLAIR_OVAL_SOURCE_H
#define CLAIR_OVAL_SOURCE_H

#include "feed/oval.h"
#include "updaters/updater.h"

typedef struct OvalSource
{
	const char *title; /* of the distribution, for errors */
	OvalFormat format;
	void *context;		  /* of the format */
	const char *manifest; /* which a listing may name; NULL: there is none */
	bool one_rank;		  /* only files of the best rank that is there are read */
	bool covers;		  /* a subject has in it those that go on behind it with "-" or "." */

	/*
	 * How good a choice a file is by its name: the smaller the better, less than 0 for one that
	 * is not read. Of files of the same subject the best one is read.
	 */
	int (*rank)(ClairBytes name, ClairBytes *subject);
} OvalSource;

/*
 * How good a choice a form of a document is, from 0 to 4: quick to decompress, and not long to
 * fetch. Less than 0 when it is no form, but, say, a document's checksum.
 */
extern int oval_source_form(ClairBytes name);

/* The read() of an updater. */
extern ClairStatus
oval_source_read(const OvalSource *source, const UpdaterJob *job, ClairError *error);

#endif
