/*
 * secdb_source.h
 *    What updaters of sources have in common whose documents are secdbs.
 */
#ifndef CLAIR_SECDB_SOURCE_H
#define CLAIR_SECDB_SOURCE_H

#include "feed/secdb.h"
#include "updaters/updater.h"

/*
 * Reads documents, in which a record is a package, by its name. Member sees the members of the root
 * beside the packages, and is given the source.
 */
extern ClairStatus
secdb_source_read(const UpdaterJob *job, SecdbSource *source,
				  ClairStatus (*member)(RecordFeed *feed, void *context, const FeedRecord *member,
										ClairError *error),
				  ClairError *error);

#endif
