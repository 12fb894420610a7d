/*
 * purl.h
 *    Package URLs: "pkg:rpm/redhat/bash@5.1.8-6.el9?arch=x86_64&epoch=1" (ECMA-427).
 *
 * Parts are taken apart, percent escapes resolved, and what the specification says of all
 * types is checked. What a type makes of its parts is not looked at: whether their case
 * matters, whether a version must be there, what its qualifiers mean.
 */
#ifndef CLAIR_PURL_H
#define CLAIR_PURL_H

#include "common/arena.h"
#include "common/bytes.h"

#define PURL_MAX_SIZE		4096 /* bytes of a package URL */
#define PURL_MAX_QUALIFIERS 16

typedef struct PurlQualifier
{
	ClairBytes name; /* in lower case */
	ClairBytes value;
} PurlQualifier;

/* What is not there has no value; what is there is not empty, and text. */
typedef struct Purl
{
	ClairBytes type;	  /* in lower case */
	ClairBytes namespace; /* its segments, with "/" between them */
	ClairBytes name;
	ClairBytes version;
	ClairBytes subpath;							   /* as the namespace */
	PurlQualifier qualifiers[PURL_MAX_QUALIFIERS]; /* each name once, none of them empty */
	size_t qualifier_count;
} Purl;

/*
 * Takes a package URL apart, into copies in the arena. NULL when it is fine, else what is
 * wrong with it: a phrase. No problem and a type without a value: the arena is exhausted.
 */
extern const char *purl_read(Arena *arena, ClairBytes text, Purl *purl);

/* The value of a qualifier, its name in lower case; no value when it is not there. */
extern ClairBytes purl_qualifier(const Purl *purl, const char *name);

#endif
