/*
 * cve_metric.h
 *    The metrics that a record gives a CVE, as feeds in JSON write them.
 *
 * They have in common how they write CVSS: an object with "version", "vectorString" and
 * "baseScore", whatever of it there is, and much that follows from the vector.
 */
#ifndef CLAIR_CVE_METRIC_H
#define CLAIR_CVE_METRIC_H

#include "feed/cve.h"

#define CVE_MAX_METRICS 64 /* of a record */

/* The metrics of a record. */
typedef struct CveMetrics
{
	CveMetric metrics[CVE_MAX_METRICS];
	uint32_t count;
} CveMetrics;

/*
 * Adds a metric: the CVSS object that the cursor stands before, as given by source. A valid vector
 * decides: which version it is, and, but for 4.0, what the score is; else the object's own words
 * count. NULL, or why the metric is of no use, and is left out: a phrase. The object is taken in
 * any case.
 */
extern const char *
cve_metric_take(CveMetrics *metrics, JsonCursor *cursor, ClairBytes source, ClairBytes type);

#endif
