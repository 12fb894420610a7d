/*
 * rpm_repositories.h
 *    What updaters have in common whose source is the updateinfo.xml of rpm repositories.
 *
 * The first document, "index", is what leads to these: the listing of a folder of repositories, or
 * of a repository, or of its "repodata"; a list of mirrors; the index of a repository, repomd.xml;
 * or an updateinfo.xml itself. A repository's documents are named for its place, "amzn2-core/",
 * which is empty when there is one alone: "mirror.list", which names "repomd.xml", which names
 * "updateinfo.xml", with its checksum.
 */
#ifndef CLAIR_RPM_REPOSITORIES_H
#define CLAIR_RPM_REPOSITORIES_H

#include "feed/updateinfo.h"
#include "updaters/updater.h"

typedef struct RpmRepositories
{
	UpdateinfoSource updates; /* of all repositories; their places are filled in */

	/* What else is to be known of the updates of a place, in the arena; NULL: nothing. */
	ClairStatus (*complete)(ClairBytes place, Arena *arena, UpdateinfoSource *updates,
							ClairError *error);

	/* Whether there may be no updates in the repository of a place; NULL: not in one alone. */
	bool (*may_lack)(ClairBytes place);

	/*
	 * Names the repositories of a folder; NULL: every folder in it is one. A name that is not that
	 * of one is none: names no document.
	 */
	ClairStatus (*name_folder)(const UpdaterJob *job, const UpdaterDocument *listing,
							   ClairBytes folder, ClairError *error);

	/* Sees a document first; *done: it is read, and was none of the above. NULL: they all are. */
	ClairStatus (*see)(const UpdaterJob *job, const UpdaterDocument *document, Arena *arena,
					   bool *done, ClairError *error);
} RpmRepositories;

/* The read() of an updater. */
extern ClairStatus rpm_repositories_read(const RpmRepositories *repositories, const UpdaterJob *job,
										 ClairError *error);

/* Names a document of the repository at a place, "mirror.list" or "repomd.xml", at an URL. */
extern ClairStatus
rpm_repository_name(const UpdaterJob *job, const UpdaterDocument *by, ClairBytes place,
					const char *document, ClairBytes url, bool optional, ClairError *error);

#endif
