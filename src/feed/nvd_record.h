/*
 * nvd_record.h
 *    What NVD says of a CVE, in both forms of its feeds.
 *
 * Form 2.0: { "vulnerabilities": [ { "cve": { id, published, lastModified, vulnStatus,
 * descriptions: [ { lang, value } ], metrics: { cvssMetricV31: [ { source, type, cvssData } ], ...
 * },
 * ... } } ] }. Form 1.1, which dumps still have: { "CVE_Items": [ { "cve": { CVE_data_meta: { ID },
 * description: { description_data: [ { lang, value } ] } }, impact: { baseMetricV3: { cvssV3 },
 * baseMetricV2: { cvssV2 } }, publishedDate, lastModifiedDate } ] }; all of its metrics are NVD's.
 */
#ifndef CLAIR_NVD_RECORD_H
#define CLAIR_NVD_RECORD_H

#include "feed/record_feed.h"

/* For a RecordFormat whose records are the elements of the array of this name. */
#define NVD_20_ARRAY "vulnerabilities"
#define NVD_11_ARRAY "CVE_Items"

/* The CVE that a record is about: identify() without its context. */
extern ClairStatus nvd_20_name(RecordFeed *feed, const FeedRecord *record, ClairBytes *cve,
							   const char **problem, ClairError *error);
extern ClairStatus nvd_11_name(RecordFeed *feed, const FeedRecord *record, ClairBytes *cve,
							   const char **problem, ClairError *error);

/* Writes what a record says. */
extern ClairStatus
nvd_20_itemize(RecordFeed *feed, const FeedRecord *record, ClairBytes cve, ClairError *error);
extern ClairStatus
nvd_11_itemize(RecordFeed *feed, const FeedRecord *record, ClairBytes cve, ClairError *error);

#endif
