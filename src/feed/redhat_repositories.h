/*
 * redhat_repositories.h
 *    Red Hat's list of repositories, "repository-to-cpe.json": which products they belong to.
 */
#ifndef CLAIR_REDHAT_REPOSITORIES_H
#define CLAIR_REDHAT_REPOSITORIES_H

#include "feed/record_feed.h"

/*
 * Reads the list, which is one record; when it has changed, all of it is given as rows of
 * WIRE_REPOSITORY. CPEs that are none are told as broken.
 */
extern ClairStatus
redhat_repositories_read(RecordFeed *feed, ClairBytes document, int descriptor, ClairError *error);

#endif
