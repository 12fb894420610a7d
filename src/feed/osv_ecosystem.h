/*
 * osv_ecosystem.h
 *    What the ecosystem of an OSV record's package means: which packages of which release.
 *
 * Known are those of the distributions that have namespaces. A name is "Debian:12", or has more
 * parts: see https://ossf.github.io/osv-schema/#defined-ecosystems
 */
#ifndef CLAIR_OSV_ECOSYSTEM_H
#define CLAIR_OSV_ECOSYSTEM_H

#include "common/arena.h"
#include "common/bytes.h"

/* What packages of an ecosystem are. */
typedef struct OsvEcosystem
{
	ClairBytes namespace; /* no value: it is not known, or no release */
	ClairBytes kind;	  /* what its names are: "source", "binary" */
	ClairBytes format;	  /* of its versions */
	ClairBytes flavour;	  /* of builds; no value: any */

	/* CPEs, and of the distribution's own the namespace, blank-separated; no value: any */
	ClairBytes repositories;

	bool drops_epoch; /* versions are those in names of source packages, which have none */
} OsvEcosystem;

/*
 * Finds out what an ecosystem is. Namespace, or no value, is what the user says it is, in place of
 * what its name says. *of_known: whether its distribution is known, though perhaps not its release.
 * False when the arena is exhausted.
 */
extern bool osv_ecosystem(Arena *arena, ClairBytes name, ClairBytes namespace,
						  OsvEcosystem *ecosystem, bool *of_known);

#endif
