/*
 * cve.h
 *    What updaters find out about CVEs, as rows: see WIRE_CVE and WIRE_METRIC.
 *
 * For updaters whose records are named after CVEs and speak of no packages.
 */
#ifndef CLAIR_CVE_H
#define CLAIR_CVE_H

#include "feed/record_feed.h"

/* A metric: who gave it, and how bad it says the CVE is; see cve_reading.h. */
typedef struct CveMetric
{
	ClairBytes source;
	ClairBytes type;	/* Primary, Secondary, CNA, ADP */
	ClairBytes version; /* of CVSS */
	ClairBytes vector;
	int score; /* in tenths */
	ClairBytes severity;
} CveMetric;

/* What a record says of its CVE; times as they are written. */
typedef struct CveStatement
{
	ClairBytes cve;
	ClairBytes state;
	ClairBytes description;
	ClairBytes published;
	ClairBytes modified;
	const CveMetric *metrics;
	uint32_t metric_count;
} CveStatement;

/* Whether it is the name of a CVE, "CVE-2031-0001", in its usual spelling. */
extern bool cve_is_name(ClairBytes text);

/*
 * The CVE that a record is about, for RecordFormat's identify(): the text that a path of members'
 * names, NULL at its end, leads to. A record that is not JSON is an error.
 */
extern ClairStatus
cve_of_record(RecordFeed *feed, const FeedRecord *record, const char *const *path, ClairBytes *cve,
			  const char **problem, ClairError *error);

/*
 * What it means that a cursor was stopped in a record's value: the record is told as broken or,
 * when it is not JSON, the error is returned that fails the run.
 */
extern ClairStatus cve_refuse(RecordFeed *feed, const FeedRecord *record, ClairBytes cve,
							  const JsonCursor *cursor, ClairError *error);

/*
 * A row of the statement, and one for each of its metrics. Their digest changes exactly when what
 * they say does. A time that is none is told as broken, and left out; a statement with a text that
 * is too long is so as a whole.
 */
extern ClairStatus
cve_write(const AdvisoryWriter *writer, const CveStatement *statement, ClairError *error);

#endif
