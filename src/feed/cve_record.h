/*
 * cve_record.h
 *    What a record of the CVE List says: the CVE Record Format, 5.0 and later.
 *
 * { "cveMetadata": { cveId, state, datePublished, dateUpdated }, "containers": { "cna": C,
 * "adp": [ C ] } }, where C, of who assigned the CVE and of those who enriched it, is {
 * "providerMetadata": { shortName, orgId }, "descriptions" or "rejectedReasons": [ { lang, value }
 * ], "metrics": [ { cvssV3_1 and the like: CVSS } ] }.
 */
#ifndef CLAIR_CVE_RECORD_H
#define CLAIR_CVE_RECORD_H

#include "feed/record_feed.h"

/* The CVE that a record is about: identify() without its context. */
extern ClairStatus cve_record_name(RecordFeed *feed, const FeedRecord *record, ClairBytes *cve,
								   const char **problem, ClairError *error);

/* Writes what a record says. */
extern ClairStatus
cve_record_itemize(RecordFeed *feed, const FeedRecord *record, ClairBytes cve, ClairError *error);

#endif
