/*
 * csaf_record.h
 *    Records of a feed that are CSAF documents.
 */
#ifndef CLAIR_CSAF_RECORD_H
#define CLAIR_CSAF_RECORD_H

#include "feed/csaf.h"
#include "feed/record_feed.h"

/*
 * Gives each vulnerability of a record's document that is named for a CVE to a function; those of a
 * withdrawn document not. What is broken is told in rows: the record, when it is no CSAF document,
 * or a vulnerability.
 */
extern ClairStatus
csaf_record_read(RecordFeed *feed, const FeedRecord *record, ClairBytes key,
				 ClairStatus (*take)(void *context, const CsafDocument *document,
									 const CsafVulnerability *vulnerability, ClairError *error),
				 void *context, ClairError *error);

#endif
