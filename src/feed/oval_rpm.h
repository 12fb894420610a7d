/*
 * oval_rpm.h
 *    Definitions of vendors of rpm, or dpkg, packages: an advisory, the CVEs that it is about, and
 * from which version on which binary packages are fixed.
 */
#ifndef CLAIR_OVAL_RPM_H
#define CLAIR_OVAL_RPM_H

#include "feed/oval.h"

/* A definition being read. */
typedef struct OvalRpm
{
	RecordFeed *feed;
	ClairBytes record; /* its key */
	XmlElement definition;
	ClairBytes advisory;	 /* its id, or no value */
	ClairBytes description;	 /* of each vulnerability */
	ClairBytes link;		 /* of each vulnerability, or no value: its own reference's */
	ClairBytes severity;	 /* of each vulnerability, or no value: what is said of it */
	ClairBytes repositories; /* of all ranges, or no value */
	ClairBytes kind;		 /* of all packages; no value: they are binary ones */
	bool is_dpkg;			 /* versions are those of dpkg */
} OvalRpm;

/* What a criterion asks for, as far as all vendors say it in the same words. */
typedef enum OvalRpmWords
{
	OVAL_RPM_OTHER,	 /* it says something else */
	OVAL_RPM_SIGNED, /* by whom a package must be signed */
	OVAL_RPM_ASKS	 /* what has been filled in: a module, a version that a package is older than */
} OvalRpmWords;

/* Takes a criterion's comment apart; what it asks for is added to what is asked already. */
extern OvalRpmWords oval_rpm_words(ClairBytes comment, OvalCase *asked);

/*
 * Writes a vulnerability for each CVE that the definition names, or one that is named for the
 * advisory when it names none, with the ranges of the cases. For a package of one release, module,
 * flavour and set of architectures one range counts: that it is not affected before that it is
 * fixed, before others; of these what is said of the distribution itself before what is said of
 * products beside it; and of fixes the highest. What is wrong with a case is told, and it is left
 * out.
 */
extern ClairStatus
oval_rpm_write(const OvalRpm *rpm, const OvalCase *cases, size_t count, ClairError *error);

/* The same of a definition whose cases need no looking at: judged as by oval_cases(). */
extern ClairStatus
oval_rpm_itemize(const OvalRpm *rpm, OvalJudge judge, void *context, ClairError *error);

/* Whether a version is none, such as "0:0-0": what is older than that is nothing. */
extern bool oval_rpm_is_zero(ClairBytes evr);

/* The definition's first reference of another source than CVE, or an element without a name. */
extern XmlElement oval_rpm_reference(const XmlElement *definition);

#endif
