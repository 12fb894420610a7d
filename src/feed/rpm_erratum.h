/*
 * rpm_erratum.h
 *    Errata of distributions that list, package by package, what an update brings.
 *
 * An erratum becomes a vulnerability for each CVE that it names, or one of its own name, with a
 * range for each of its binary packages: affected is what is older than the update.
 */
#ifndef CLAIR_RPM_ERRATUM_H
#define CLAIR_RPM_ERRATUM_H

#include "feed/record_feed.h"
#include "feed/rpm_ranges.h"

/* A package of an update. */
typedef struct RpmBuild
{
	ClairBytes namespace;
	ClairBytes name;
	ClairBytes version;		 /* [epoch:]version-release */
	ClairBytes architecture; /* "src": it is passed over */

	/*
	 * Name:stream; no value when it is of none, or, when its release says that it is of a module,
	 * of one that is not known.
	 */
	ClairBytes module;
} RpmBuild;

/* An erratum being read: zero at first. */
typedef struct RpmErratum
{
	ClairBytes id;
	ClairBytes description;
	ClairBytes link;
	ClairBytes severity; /* a word of the SQL enum */
	bool is_security;	 /* else it is nothing without a CVE */
	ClairBytes *cves;
	size_t cve_count;
	size_t cve_capacity;
	RpmClaim *claims;
	size_t claim_count;
	size_t claim_capacity;
} RpmErratum;

/* Adds a CVE; what is no name of one is passed over. False when the arena is exhausted. */
extern bool rpm_erratum_add_cve(Arena *arena, RpmErratum *erratum, ClairBytes cve);

/*
 * Adds a package. A problem (a phrase) when it is none: then it is left out. False when the arena
 * is exhausted.
 */
extern bool rpm_erratum_add_build(Arena *arena, RpmErratum *erratum, const RpmBuild *build,
								  const char **problem);

/* Writes what the erratum says, when all of it is there. Its claims are used up. */
extern ClairStatus
rpm_erratum_write(RecordFeed *feed, ClairBytes key, RpmErratum *erratum, ClairError *error);

/*
 * Takes "name-[epoch:]version-release.architecture" apart, with or without ".rpm" behind it. False
 * when it is none.
 */
extern bool rpm_build_read(ClairBytes text, RpmBuild *build);

#endif
