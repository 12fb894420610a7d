/*
 * csaf_ranges.h
 *    What CSAF documents of any vendor say of packages, as vulnerabilities with ranges.
 *
 * A package is known by its package URL (rpm, deb or apk), what it is of by its platform. What is
 * fixed counts before what is not, and what is said of the distribution itself before what is said
 * of products beside it, which may begin with newer packages; of several fixes the highest. A
 * package is not unfixed where another one of the same source package has a fix.
 */
#ifndef CLAIR_CSAF_RANGES_H
#define CLAIR_CSAF_RANGES_H

#include "feed/csaf.h"
#include "feed/record_feed.h"

/* What a platform comes to. */
typedef struct CsafPlace
{
	ClairBytes
		namespaces; /* a list, blank-separated; no value: what is said of it is passed over */
	bool is_beside; /* it is a product beside the distribution */
} CsafPlace;

typedef struct CsafVendor
{
	const char *link; /* what stands before a CVE in its link, or NULL */

	/* What a platform comes to; NULL: a package is named without one. False: memory is short. */
	bool (*find_place)(void *context, Arena *arena, const CsafProduct *platform, CsafPlace *place);
} CsafVendor;

/*
 * Writes what a record, which is a document, says: a vulnerability for each of its CVEs that
 * concerns packages. A withdrawn document says nothing. What is broken is told in rows: the
 * record, when it is no CSAF document. Context is find_place()'s.
 */
extern ClairStatus csaf_itemize(RecordFeed *feed, const CsafVendor *vendor, void *context,
								const FeedRecord *record, ClairBytes key, ClairError *error);

#endif
