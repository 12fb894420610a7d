/*
 * redhat_vex.h
 *    What Red Hat's CSAF documents say, as vulnerabilities with ranges.
 */
#ifndef CLAIR_REDHAT_VEX_H
#define CLAIR_REDHAT_VEX_H

#include "feed/record_feed.h"

/*
 * Writes what a record, which is a document, says: a vulnerability for each of its CVEs that
 * concerns rpm packages. A withdrawn document says nothing. What is broken is told in rows: the
 * record, when it is no CSAF document.
 */
extern ClairStatus
redhat_vex_itemize(RecordFeed *feed, const FeedRecord *record, ClairBytes key, ClairError *error);

#endif
