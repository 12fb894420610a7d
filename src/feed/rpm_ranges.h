/*
 * rpm_ranges.h
 *    From what a record says of single builds to ranges that are final.
 *
 * Vendors of rpm packages list every build: each binary package, for each architecture, in each
 * repository. Ranges say the same of sets of these.
 */
#ifndef CLAIR_RPM_RANGES_H
#define CLAIR_RPM_RANGES_H

#include "common/arena.h"
#include "feed/advisory.h"

/* What is said of a package for at most one architecture, from at most one repository. */
typedef struct RpmClaim
{
	AdvisoryRange range;  /* introduced has no value; fixed is set by rpm_claim_fix() */
	bool is_distribution; /* the repository is the distribution's own, not of a product beside it */
	ClairBytes key;		  /* of the fixed version */
	ClairBytes base;	  /* its upstream version, with the epoch */
} RpmClaim;

/*
 * Gives the claim the version that it is fixed in, with its epoch. NULL when it is one, else why
 * not: a phrase. No problem and no key: the arena is exhausted.
 */
extern const char *rpm_claim_fix(Arena *arena, RpmClaim *claim, ClairBytes fixed);

/*
 * Works out what of the claims of one vulnerability stands, and joins what differs in its
 * architecture or repository only. Of a package of one module, repository and architecture, a fix
 * leaves nothing of what has none; of several fixes of one upstream version the highest counts (of
 * the builds of a module that one advisory brings, the lowest), and one of a later version is about
 * what is newer than the version before; without a fix, the most definite status stands. Builds for
 * "noarch" are about any architecture. Ranges for repositories of the distribution are for features
 * whose repositories are unknown, too. The ranges are ordered.
 *
 * The claims are used up. False when the arena is exhausted.
 */
extern bool rpm_ranges(Arena *arena, RpmClaim *claims, size_t claim_count, AdvisoryRange **ranges,
					   uint32_t *range_count);

#endif
