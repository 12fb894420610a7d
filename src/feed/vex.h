/*
 * vex.h
 *    VEX documents of users: what is said not to be affected, or to be fixed, as rows.
 *
 * OpenVEX, CSAF and CycloneDX, told apart by their members. A document is read whole, within
 * clair.max_record_size. Each format has a file, vex_FORMAT.c, that goes over its statements and
 * hands them to vex_write(), which finds out what their products are.
 */
#ifndef CLAIR_VEX_H
#define CLAIR_VEX_H

#include "common/arena.h"
#include "common/limits.h"
#include "common/sink.h"
#include "feed/advisory.h"

#define VEX_MAX_STATEMENTS 1000000 /* of a document; no honest one comes near */

/* What a format's file works with. */
typedef struct VexReader
{
	const ClairLimits *limits;
	ClairBytes text;	   /* the document */
	Arena *arena;		   /* for as long as it is read */
	Arena *scratch;		   /* for one statement */
	AdvisoryWriter writer; /* its document is the id of this one */
	int64_t statements;	   /* so far */
} VexReader;

/* The document itself; times and version as they are written, or no value. */
typedef struct VexDocument
{
	const char *format;
	ClairBytes id;
	ClairBytes version;
	ClairBytes issued;
	ClairBytes author;
} VexDocument;

/* What is said of one product. */
typedef struct VexStatement
{
	ClairBytes vulnerability;
	const char *kind;		  /* a word of clair.exception_kind */
	ClairBytes justification; /* one of OpenVEX's; no value, or another text, for none */
	ClairBytes reason;		  /* or no value */
	ClairBytes whole;		  /* what the product is a part of, or no value; by package URL */
	ClairBytes product;		  /* by package URL, or whatever it is called by; no value: the whole */
	ClairBytes platform;	  /* CPE of the distribution that it is of, or no value */
} VexStatement;

/*
 * Reads a document, which may be compressed, from a descriptor: a row of WIRE_VEX_DOCUMENT, then
 * rows of WIRE_VEX, and of WIRE_BROKEN for statements that cannot be stored as they are meant.
 */
extern ClairStatus
vex_read(const ClairLimits *limits, int descriptor, const ClairSink *sink, ClairError *error);

/* The row of the document; must come first. */
extern ClairStatus vex_begin(VexReader *reader, const VexDocument *document, ClairError *error);

/* The rows of a statement, or what is wrong with it. */
extern ClairStatus vex_write(VexReader *reader, const VexStatement *statement, ClairError *error);

/* A statement that is left out, for a reason: a phrase. */
extern ClairStatus
vex_skip(VexReader *reader, ClairBytes statement, const char *reason, ClairError *error);

/* The formats; the text is known to be a JSON object. */
extern ClairStatus vex_openvex_read(VexReader *reader, ClairError *error);
extern ClairStatus vex_csaf_read(VexReader *reader, ClairError *error);
extern ClairStatus vex_cyclonedx_read(VexReader *reader, ClairError *error);

#endif
