/*
 * updateinfo_ranges.h
 *    From the packages of an update to ranges: for updateinfo.c.
 */
#ifndef CLAIR_UPDATEINFO_RANGES_H
#define CLAIR_UPDATEINFO_RANGES_H

#include "feed/updateinfo.h"

/*
 * The ranges of an update, which has the id; what is wrong with a package is told, and that one is
 * left out. Their severities are the caller's to fill in. *problem: why there are none, a phrase.
 */
extern ClairStatus
updateinfo_ranges(RecordFeed *feed, const UpdateinfoSource *source, ClairBytes key, ClairBytes id,
				  const XmlElement *update, AdvisoryRange **ranges, uint32_t *count,
				  const char **problem, ClairError *error);

#endif
