/*
 * image_facts.h
 *    What the visible files of a merged image say of it: its namespace, its repositories.
 */
#ifndef CLAIR_IMAGE_FACTS_H
#define CLAIR_IMAGE_FACTS_H

#include "postgres.h"

#include "index/merge.h"
#include "index/store.h"

/* Which of the staged images is being stored: its number in the job and its id. */
typedef struct StoredImage
{
	int64 number;
	int64 id;
	const char *namespace;
	const char *detected;	/* the namespace that it says itself */
	const char *advisories; /* the namespace whose advisories speak of it */
	MergeEntry *entries;	/* of all its layers, base first */
	int64 entry_count;
} StoredImage;

/*
 * Sets the image's namespace: the one that it was given; or that which the visible release files
 * speak of, which most of its rpm packages were built for, or "unknown".
 */
extern void FindNamespace(const IndexRows *rows, StoredImage *image);

/*
 * Stores the set of the repositories that the image's packages are from, unless it is there.
 * Returns its id, as text; NULL when nothing is known of them, or no database is rpm's.
 */
extern const char *StoreRepositories(const IndexRows *rows, const StoredImage *image);

#endif
