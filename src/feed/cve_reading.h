/*
 * cve_reading.h
 *    Reading a record in JSON that is about a CVE: what sources of such records have in common.
 *
 * They write CVSS in the same way: as an object with "version", "vectorString" and "baseScore",
 * whatever of it there is, and much that follows from the vector. A metric that is of no use is
 * told as broken and left out; whatever else is not as it should be makes the record broken.
 */
#ifndef CLAIR_CVE_READING_H
#define CLAIR_CVE_READING_H

#include "feed/cve.h"

#define CVE_MAX_METRICS 64 /* of a record */

typedef struct CveReading
{
	RecordFeed *feed;
	CveStatement statement; /* without its metrics */
	CveMetric metrics[CVE_MAX_METRICS];
	uint32_t metric_count;
	ClairStatus status; /* of telling what is broken */
	ClairError *error;
} CveReading;

/* Takes what the cursor, in the record's value, stands before. */
typedef void CveTaker(CveReading *reading, JsonCursor *cursor);

/* Reads a record by a function that takes all of it, and writes what it says. */
extern ClairStatus cve_read(RecordFeed *feed, const FeedRecord *record, ClairBytes cve,
							CveTaker *take, ClairError *error);

/*
 * Takes a CVSS object, as given by source: a metric. A valid vector decides which version it is
 * of and, but for 4.0, what its score is; else the object's own words count.
 */
extern void
cve_take_metric(CveReading *reading, JsonCursor *cursor, ClairBytes source, ClairBytes type);

/* Takes an array of { lang, value } as the description: the first one in English counts. */
extern CveTaker cve_take_description;

#endif
