/*
 * updateinfo.h
 *    Updates of rpm packages, as updateinfo.xml of their repositories has them.
 *
 * A record is an update of type "security". It becomes a vulnerability for each CVE among its
 * references, or one that is named for the update when there is none, with a range for each of its
 * binary packages: affected is what is older than the update.
 *
 * A range is scoped only as far as the update tells packages apart. By architecture: when it has a
 * package for other machines than its others, or in other versions for some. By module: when a
 * collection has one; what is in none is of no module.
 */
#ifndef CLAIR_UPDATEINFO_H
#define CLAIR_UPDATEINFO_H

#include "feed/record_feed.h"
#include "feed/xml.h"

#define UPDATEINFO_MAX_LINES 4

/* Where updates come from, and what their documents do not say. */
typedef struct UpdateinfoSource
{
	ClairBytes place; /* what the records' keys begin with, or empty */

	/*
	 * What the packages are of: "rhel:7"; those that were built for another release of it are
	 * passed over. A distribution alone, "amzn": the release is the one that they were built for.
	 */
	ClairBytes namespace;
	ClairBytes repositories; /* of all ranges, or no value */
	bool has_modules;		 /* else it does not matter whether packages are of one */

	/*
	 * Upstream versions, "5.10", of which packages lie beside older ones of the same name in other
	 * repositories: a fix in a version of such a line says nothing of what is older than the line.
	 */
	ClairBytes lines[UPDATEINFO_MAX_LINES];
	size_t line_count;

	/* What describes a vulnerability of the update; NULL: the update's title. */
	ClairBytes (*describe)(const XmlElement *update, ClairBytes name);

	/*
	 * Where to read of an update: what stands before its id, or what makes a link of that. No value
	 * and NULL, or what that gives: as the update says itself.
	 */
	ClairBytes pages;
	ClairBytes (*link)(Arena *arena, ClairBytes id);
} UpdateinfoSource;

/* Reads a document of updates: record_feed_read() with all that it takes. */
extern ClairStatus updateinfo_read(RecordFeed *feed, ClairBytes document, int descriptor,
								   const UpdateinfoSource *source, ClairError *error);

/* Whether it is the name of a CVE, "CVE-2031-1001". */
extern bool updateinfo_is_cve(ClairBytes name);

#endif
