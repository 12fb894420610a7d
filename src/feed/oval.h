/*
 * oval.h
 *    Definitions of OVAL documents: what has to hold for one of them to apply.
 *
 * A definition's criteria are a tree of AND and OR; its leaves are criteria that a vendor's
 * updater understands, by their comments or their tests. oval_cases() multiplies the tree out:
 * each case is a way in which the definition holds, with all that must be so in it. So a package
 * has the release and the architecture of the branch that it stands in.
 *
 * A record is a definition; its key is the place of the document's file and the definition's id, or
 * what its format calls it. Of several versions of a definition the highest counts.
 */
#ifndef CLAIR_OVAL_H
#define CLAIR_OVAL_H

#include "feed/oval_facts.h"
#include "feed/record_feed.h"
#include "feed/xml.h"

/* What is asked of an image in one case; no value: nothing is asked. */
typedef struct OvalCase
{
	ClairBytes namespace;
	ClairBytes architectures; /* as in a range */
	ClairBytes module;
	ClairBytes flavour;
	ClairBytes package;		  /* that is there ... */
	ClairBytes introduced;	  /* ... and not older than this */
	ClairBytes evr;			  /* ... and older than this */
	ClairBytes last_affected; /* ... or not newer than this */
	bool absent;			  /* ... or is not there */
	ClairBytes vulnerability; /* which one, of a definition of several */
	ClairBytes status;		  /* what the vendor says of it */
	bool is_beside;			  /* it is said of a product beside the distribution */
	OvalTest test;			  /* in place of package and evr: names is not NULL */
	const char *problem;	  /* why this case cannot be told: a phrase */
} OvalCase;

typedef enum OvalTruth
{
	OVAL_NEVER,
	OVAL_ALWAYS, /* or it does not matter */
	OVAL_DEPENDS /* on what has been filled in */
} OvalTruth;

/* What a criterion asks for; *asked is zeroed. Its text lives as long as the feed's arena. */
typedef OvalTruth (*OvalJudge)(void *context, const XmlElement *criterion, OvalCase *asked);

/*
 * The cases of a definition, in the feed's arena. *problem: why its criteria are not understood
 * at all, a phrase. Cases that ask for two releases or two architectures cannot be, and are not
 * there; those that ask for two packages, versions, modules or flavours have a problem.
 */
extern ClairStatus
oval_cases(RecordFeed *feed, const XmlElement *definition, OvalJudge judge, void *context,
		   OvalCase **cases, size_t *count, const char **problem, ClairError *error);

/* How an updater reads the documents of its source. */
typedef struct OvalFormat
{
	bool tests; /* its judge looks at tests, so the digests of definitions cover what these say */

	/*
	 * What to call a definition, in the feed's arena, of a source whose ids are others in every
	 * edition: what stays the same. No value: its id, as where this is NULL. Of several of one
	 * name the first has it.
	 */
	ClairBytes (*name)(RecordFeed *feed, const XmlElement *definition);

	/* Writes what a definition says; key is its record's. */
	ClairStatus (*itemize)(RecordFeed *feed, void *context, const OvalFacts *facts, ClairBytes key,
						   const XmlElement *definition, ClairError *error);
} OvalFormat;

/* Reads a document by its definitions: record_feed_read() with all that it takes. */
extern ClairStatus oval_read(RecordFeed *feed, ClairBytes document, ClairBytes file, int descriptor,
							 const OvalFormat *format, void *context, ClairError *error);

/* Whether the document looks like OVAL, and not like a listing of a directory. */
extern ClairStatus
oval_is_document(const ClairLimits *limits, int descriptor, bool *is, ClairError *error);

/* A row that says what is wrong with what a definition says of a package, if that is known. */
extern ClairStatus oval_broken(RecordFeed *feed, ClairBytes record, ClairBytes package,
							   const char *problem, ClairError *error);

/* The name of a file without what follows its first ".oval.xml" or ".xml". */
extern ClairBytes oval_place(ClairBytes file);

/*
 * The n-th word, from 0, of a comment: what blanks and line feeds separate; no value when there
 * are not as many.
 */
extern ClairBytes oval_word(ClairBytes comment, size_t n);

/* Whether these are its words from the n-th on, and perhaps more. */
extern bool oval_says(ClairBytes comment, size_t n, const char *words);

#endif
