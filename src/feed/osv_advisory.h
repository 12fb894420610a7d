/*
 * osv_advisory.h
 *    From records of the Open Source Vulnerability format to rows, whoever publishes them.
 */
#ifndef CLAIR_OSV_ADVISORY_H
#define CLAIR_OSV_ADVISORY_H

#include "feed/osv.h"
#include "feed/record_feed.h"
#include "feed/unknown_words.h"

/* Which namespace a user says that an ecosystem is. */
typedef struct OsvMapping
{
	ClairBytes ecosystem;
	ClairBytes namespace;
} OsvMapping;

/* Where records come from. */
typedef struct OsvSource
{
	const OsvMapping *mappings;
	size_t mapping_count;
	ClairBytes link; /* what stands before a record's id; no value: what the record refers to */

	/*
	 * A record is about a component of a package, whose name may be that of a source or of an
	 * installed package: both are stated, the latter for packages that are not called like their
	 * source, which the former is about. Without a CVE, it is named for what it is upstream.
	 */
	bool is_of_components;

	UnknownWords unknown; /* ecosystems that have been told of */
} OsvSource;

/*
 * Writes what a record says: a vulnerability for each CVE that it is about, or one of its own name
 * when it names none, with the ranges of its packages. A record that was withdrawn says nothing,
 * nor does one of an update that is about bugs or enhancements, and names no CVE.
 *
 * It is about the CVE in its own id, or else about those it has as "upstream", or else "aliases",
 * or else as "related". Ranges of a package in a record are joined where they overlap or meet.
 * Severity is what the distribution says of the package or the record in words, or the score of a
 * CVSS vector.
 *
 * Packages of ecosystems that are not known are passed over; what is wrong with one is told.
 */
extern ClairStatus osv_advisory_write(RecordFeed *feed, OsvSource *source, ClairBytes key,
									  const OsvRecord *record, ClairError *error);

/* Reads a record's bytes and writes what it says. What is no such record is told as broken. */
extern ClairStatus
osv_advisory_itemize(RecordFeed *feed, OsvSource *source, const FeedRecord *record, ClairBytes key,
					 ClairError *error);

#endif
