/*
 * oval_ranges.h
 *    From what the cases of a definition say of packages to ranges: one for each package, with
 *    its release, module, flavour and architectures.
 */
#ifndef CLAIR_OVAL_RANGES_H
#define CLAIR_OVAL_RANGES_H

#include "common/limits.h"
#include "feed/advisory.h"
#include "version/version_key.h"

/* What is said of a package. */
typedef struct OvalStatement
{
	ClairBytes namespace;
	ClairBytes kind;
	ClairBytes package;
	ClairBytes module; /* as in a range, and flavour and architectures */
	ClairBytes flavour;
	ClairBytes architectures;
	int rank; /* of several statements on one package the one with the highest counts */
	ClairBytes status;
	ClairBytes introduced;	  /* or no value */
	ClairBytes evr;			  /* where it is fixed, or no value; of one rank the highest counts */
	ClairBytes last_affected; /* if it is not fixed, or no value: the same */
	ClairBytes severity;	  /* as in a range, and the advisory */
	ClairBytes advisory;
	ClairBytes key; /* of fixed or last affected version, for oval_ranges.c */
} OvalStatement;

typedef struct OvalStatements
{
	Arena *arena; /* this and the format are all that new ones need */
	VersionFormat format;
	OvalStatement *statements;
	size_t count;
	size_t capacity;
} OvalStatements;

/* Adds a statement; *problem, which must be NULL: why it is left out, a phrase. */
extern ClairStatus oval_statements_add(OvalStatements *statements, OvalStatement statement,
									   const char **problem, ClairError *error);

/*
 * The ranges of the statements that count, in an order that depends on nothing but these. Their
 * repositories, and what statements leave out, are the caller's to fill in.
 */
extern ClairStatus oval_statements_ranges(OvalStatements *statements, AdvisoryRange **ranges,
										  uint32_t *count, ClairError *error);

#endif
