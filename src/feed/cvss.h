/*
 * cvss.h
 *    CVSS vectors: "AV:N/AC:L/Au:N/C:P/I:P/A:P" (version 2), "CVSS:3.1/AV:N/...", "CVSS:4.0/...".
 *
 * Of versions 2, 3.0 and 3.1 the scores are computed as FIRST's specifications say: base,
 * temporal, environmental. Version 4.0 finds its scores in tables of some hundred rows, and no
 * feed gives a vector of it without its score: only the vector is checked here. Scores are in
 * tenths: 98 is 9.8.
 */
#ifndef CLAIR_CVSS_H
#define CLAIR_CVSS_H

#include "common/arena.h"
#include "common/bytes.h"

typedef enum CvssVersion
{
	CVSS_2,
	CVSS_3_0,
	CVSS_3_1,
	CVSS_4_0
} CvssVersion;

#define CVSS_MAX_METRICS 32

#define CVSS_NO_SCORE (-1)

/* A valid vector. */
typedef struct Cvss
{
	CvssVersion version;
	uint8_t values[CVSS_MAX_METRICS]; /* cvss.c numbers metrics and their values; 0: not given */
} Cvss;

/*
 * Reads a vector. NULL when it is valid, else what is wrong with it: a phrase. Metrics stand in
 * any order in version 3, and in that of the specification in the others; version 2 has groups
 * of optional metrics whole or not at all.
 */
extern const char *cvss_read(ClairBytes vector, Cvss *cvss);

/*
 * The vector with what it gives in the order of the specification. No value when the arena is
 * exhausted.
 */
extern ClairBytes cvss_vector(Arena *arena, const Cvss *cvss);

/* The base score; CVSS_NO_SCORE of version 4.0. */
extern int cvss_base_score(const Cvss *cvss);

/*
 * The score of all that the vector gives: the environmental score when it defines a metric of
 * that group, else the temporal one, else the base score; CVSS_NO_SCORE of version 4.0.
 */
extern int cvss_score(const Cvss *cvss);

/*
 * A score as a feed writes it: "7.5", "10", "9.80". CVSS_NO_SCORE when it is no number from 0
 * to 10 in tenths.
 */
extern int cvss_read_score(ClairBytes number);

/*
 * The word of clair's scale for a score, by the official bands: Low below 4.0, Medium below 7.0,
 * High, and from 9.0 on Critical, which version 2 does not have. 0.0, which the bands of version
 * 3 on call None, is Negligible in every version, as it was in Clair. The feed's own word is not
 * asked: feeds spell it as they like, or leave it out. Unknown when there is no score.
 */
extern const char *cvss_severity(CvssVersion version, int score);

#endif
