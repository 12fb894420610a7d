/*
 * oval_facts.h
 *    What the definitions of an OVAL document lean on: tests, objects, states and variables.
 *
 * Definitions come first in a document, and what they refer to last. So it is gone over twice:
 * first for these facts, which are kept in a compact form; then, by record_feed_read(), for the
 * definitions. Of identifiers ("oval:com.ubuntu.jammy:tst:2031100010") only numbers are kept,
 * and each text once.
 */
#ifndef CLAIR_OVAL_FACTS_H
#define CLAIR_OVAL_FACTS_H

#include "feed/record_feed.h"

typedef struct OvalFacts OvalFacts;

typedef enum OvalTestKind
{
	OVAL_TEST_MISSING, /* there is no such test, or not all that it needs */
	OVAL_TEST_OTHER,   /* it is not about packages and their versions */
	OVAL_TEST_PACKAGE,
	OVAL_TEST_BOUND /* of packages, too, but the version is no upper bound that is not reached */
} OvalTestKind;

/* What a version must be, compared with that of a test's state: "less than" and so on. */
typedef enum OvalBound
{
	OVAL_BELOW,
	OVAL_UP_TO, /* or the same */
	OVAL_ABOVE
} OvalBound;

/* When a test of packages holds: which of them must be there. */
typedef enum OvalExistence
{
	OVAL_SOME, /* at least one that is as the state says */
	OVAL_NONE,
	OVAL_ANY /* it holds always */
} OvalExistence;

typedef struct OvalTest
{
	OvalExistence existence;
	const ClairBytes *const *names; /* of the packages */
	size_t name_count;
	bool by_variable;		  /* the names are a variable's, not the object's own one */
	bool is_dpkg;			  /* of dpkg, not of rpm */
	OvalBound bound;		  /* of the version: OVAL_BELOW for OVAL_TEST_PACKAGE */
	ClairBytes evr;			  /* no value: whatever it is */
	ClairBytes architectures; /* a pattern, or no value */
} OvalTest;

/*
 * Goes over the document for its facts. Without tests: only for the definitions' versions, and
 * no further than these go.
 */
extern ClairStatus
oval_facts_read(RecordFeed *feed, int descriptor, bool tests, OvalFacts **facts, ClairError *error);

extern void oval_facts_free(OvalFacts *facts); /* NULL is allowed */

/* Whether the document has no higher version of this definition. */
extern bool oval_facts_is_current(const OvalFacts *facts, ClairBytes id, ClairBytes version);

/* Looks a test up; *test is filled for OVAL_TEST_PACKAGE and OVAL_TEST_BOUND. */
extern OvalTestKind oval_facts_test(const OvalFacts *facts, ClairBytes id, OvalTest *test);

#endif
