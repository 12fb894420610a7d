/*
 * timestamp.h
 *    Points in time as feeds write them: ISO 8601 in its usual forms.
 */
#ifndef CLAIR_TIMESTAMP_H
#define CLAIR_TIMESTAMP_H

#include "common/bytes.h"

#define TIMESTAMP_SECOND INT64_C(1000)
#define TIMESTAMP_DAY	 (INT64_C(86400) * TIMESTAMP_SECOND)

#define TIMESTAMP_SIZE sizeof("2031-01-01T00:00:00.000Z")

/*
 * Reads "2031-01-01", "2031-01-01T10:00Z", "2031-01-01 10:00:00.123+02:00" and what lies between
 * them; without a zone it is UTC. Milliseconds since the begin of 1970; of a fraction, what is
 * less than one is cut off. False when it is none of these, or there is no such day.
 */
extern bool timestamp_read(ClairBytes text, int64_t *milliseconds);

/* The text of a time that timestamp_read() gave: "2031-01-01T00:00:00.000Z". */
extern ClairBytes timestamp_write(int64_t milliseconds, char buffer[TIMESTAMP_SIZE]);

/* The day alone, "2031-01-01". */
extern ClairBytes timestamp_write_day(int64_t milliseconds, char buffer[TIMESTAMP_SIZE]);

#endif
