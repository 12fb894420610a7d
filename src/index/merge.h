/*
 * merge.h
 *    Merging the layers of an image: what is visible at its top, and since which layer.
 */
#ifndef CLAIR_MERGE_H
#define CLAIR_MERGE_H

#include "postgres.h"

typedef enum EntryType
{
	ENTRY_FILE,
	ENTRY_DIRECTORY,
	ENTRY_SYMLINK,
	ENTRY_OTHER,
	ENTRY_WHITEOUT,
	ENTRY_OPAQUE
} EntryType;

/* An entry of a layer, as clair.layer_entry has it. */
typedef struct MergeEntry
{
	int position; /* of the layer, from 1, the base; entries come in this order */
	EntryType type;
	const char *path;
	const char *target; /* of a symlink; of a file that only a link makes wanted: the wanted path */
	const char *role;	/* or NULL */
	const char *content; /* of a package database, or NULL */

	/* What merging found out. */
	char *canonical;	  /* where it lies, links on the way resolved; NULL: nowhere */
	char *shown;		  /* the same; of a file for a detector, with its role before it */
	int until_position;	  /* of a file with a role: the layer that took it away, or 0 */
	bool reachable;		  /* of one: it is still there, and at (or linked from) a wanted path */
	const char *leads_to; /* of a wanted link that is still there: its end; NULL: a circle */
	bool is_visible_link; /* whether it is such a link */
	struct MergeEntry *same_file; /* another one of the layer, of this file in another role */

	/* What choosing found out, of a package database. */
	char *location;	 /* databases of one place follow each other: the path, of rpm the folder */
	bool superseded; /* it does not count, though it is reachable: another one does */
} MergeEntry;

/*
 * Merges the layers from the base up, by the rules of OCI's image-layer specification:
 * whiteouts and opaque directories hide what lower layers have; then the layer's own entries
 * come, a file or link replacing whatever lies at its path with all below, a directory
 * replacing anything but a directory. Paths go through the links of the layers merged so
 * far, and never leave the root. Fills the results in the entries; memory comes from the
 * current context.
 */
extern void MergeLayers(MergeEntry *entries, int64 count);

/* Whether it is a file that a detector wants. */
extern bool IsDetected(const MergeEntry *entry);

/* Where documents of single packages lie that can stand in for an apk database. */
#define APK_DOCUMENTS "var/lib/db/sbom/"

/* Whether a layer has an apk database, visible or not. */
extern bool HasApkDatabase(const MergeEntry *entries, int64 count);

/*
 * Chooses among the rpm databases of merged layers: in one folder the newest layer's, within a
 * layer sqlite before ndb before bdb; what stands in for the database (rpm-ostree's copy of the
 * base, a manifest) counts where there is none. Documents of single packages count where no
 * layer has an apk database.
 */
extern void ChooseDatabases(MergeEntry *entries, int64 count);

#endif
