/*
 * csaf.h
 *    CSAF documents: what a vendor says of the products that vulnerabilities are or are not in.
 *
 * The Common Security Advisory Framework 2.0 (OASIS), its profiles "VEX" and "Security Advisory".
 * A document has a tree of products and, of each vulnerability, lists of their ids: which are
 * affected or fixed, how bad that is, what can be done. Read is what decides on that, by the
 * cursor, in one pass; groups of products, scores, and anything meant for people only are not.
 * Everything lies in the cursor's arena, and points into the document.
 */
#ifndef CLAIR_CSAF_H
#define CLAIR_CSAF_H

#include "common/json_cursor.h"

/*
 * A product: one with a helper to identify it, or a relationship, a component of a platform.
 * What is only referred to, and never defined, has nothing but its id.
 */
typedef struct CsafProduct
{
	ClairBytes id;
	ClairBytes cpe;
	ClairBytes purl;
	struct CsafProduct *component;
	struct CsafProduct *platform;
	struct CsafStatement *statement; /* of the vulnerability that was read last */
	void *facts;					 /* what the caller makes of it; NULL at first */
} CsafProduct;

/* The lists of "product_status" that a product may be in. */
#define CSAF_FIXED				 0x1
#define CSAF_AFFECTED			 0x2
#define CSAF_NOT_AFFECTED		 0x4
#define CSAF_UNDER_INVESTIGATION 0x8
#define CSAF_FIRST_FIXED		 0x10
#define CSAF_RECOMMENDED		 0x20 /* which SUSE calls what is fixed */

/* What a vulnerability says of a product; no value where it does not. */
typedef struct CsafStatement
{
	CsafProduct *product;
	unsigned int status;	   /* CSAF_ bits */
	ClairBytes impact;		   /* a threat's details */
	ClairBytes vendor_fix;	   /* a remediation's URL: of several, the least */
	ClairBytes none_available; /* remediations' details */
	ClairBytes no_fix_planned;
	ClairBytes justification; /* a flag's label: why it is not affected */
} CsafStatement;

typedef struct CsafVulnerability
{
	ClairBytes cve;
	ClairBytes description;
	CsafStatement **statements; /* in the order of their products' first mention */
	size_t statement_count;
} CsafVulnerability;

typedef struct CsafDocument
{
	ClairBytes id;
	ClairBytes version;
	ClairBytes released;  /* when this version was */
	ClairBytes publisher; /* its name */
	ClairBytes publisher_namespace;
	ClairBytes status;	 /* "final"; "deleted": the document is withdrawn */
	ClairBytes severity; /* of all that it says */
	CsafVulnerability *vulnerabilities;
	size_t vulnerability_count;
} CsafDocument;

/*
 * Takes the document that the cursor stands before, which is the whole of its text. False at the
 * first problem, which is then the cursor's: a document has to be what it should as far as it is
 * read, though nothing of it needs to be there.
 */
extern bool csaf_read(JsonCursor *cursor, CsafDocument *document);

#endif
