/*
 * osv_ranges.h
 *    Ranges of versions as OSV records state them, to be joined into ranges that are final.
 */
#ifndef CLAIR_OSV_RANGES_H
#define CLAIR_OSV_RANGES_H

#include "feed/advisory.h"
#include "feed/osv.h"
#include "feed/osv_ecosystem.h"

/* A range of a package, with the keys of its bounds. */
typedef struct OsvClaim
{
	AdvisoryRange range;
	ClairBytes begin; /* key; no value: below all versions */
	ClairBytes end;	  /* key of where it ends; no value: nowhere */
} OsvClaim;

typedef struct OsvClaims
{
	OsvClaim *claims;
	size_t count;
	size_t capacity;
} OsvClaims;

/*
 * Adds a range of a package; base is what the claim says besides its bounds. A range that has no
 * versions in it is left out. A problem (a phrase) when a bound is no version. False when the arena
 * is exhausted.
 */
extern bool osv_claims_add(Arena *arena, OsvClaims *claims, const AdvisoryRange *base,
						   bool drops_epoch, const OsvRange *range, const char **problem);

/*
 * Joins those that are about the same and overlap or meet: from the lowest beginning up to the
 * highest end, with the highest severity. They are then in order.
 */
extern void osv_claims_join(OsvClaims *claims);

#endif
