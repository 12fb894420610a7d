/*
 * openvex.h
 *    OpenVEX documents: what of a vulnerability applies to which products,
 *    https://github.com/openvex/spec
 *
 * { "@id", "version", "statements": [ { "vulnerability", "status", "products": [ { "@id": package
 * URL, "subcomponents": [ { "@id" } ] } ] } ] }.
 */
#ifndef CLAIR_OPENVEX_H
#define CLAIR_OPENVEX_H

#include "common/json_cursor.h"

/* Names, in the order in which they stand. */
typedef struct OpenvexNames
{
	ClairBytes *names;
	size_t count;
	size_t capacity;
} OpenvexNames;

/* What a statement is about: its package URL, or whatever it is called by. */
typedef struct OpenvexProduct
{
	ClairBytes name;
	OpenvexNames parts; /* of the product: the statement is about these alone, if there are any */
} OpenvexProduct;

typedef struct OpenvexStatement
{
	ClairBytes vulnerability; /* its name */
	ClairBytes description;	  /* of the vulnerability */
	OpenvexNames aliases;	  /* its other names */
	ClairBytes status;
	ClairBytes status_notes;
	ClairBytes justification;
	ClairBytes impact_statement;
	ClairBytes action_statement;
	OpenvexProduct *products;
	size_t product_count;
	size_t product_capacity;
} OpenvexStatement;

/* What is said of the document itself; no value where it is not. */
typedef struct OpenvexDocument
{
	ClairBytes id;
	ClairBytes version; /* a number, as it is written */
	ClairBytes author;
	ClairBytes timestamp;
	ClairBytes last_updated;
} OpenvexDocument;

typedef struct OpenvexReader
{
	OpenvexDocument document;
	JsonCursor cursor; /* before the statements, or the next one */
	bool is_entered;   /* the array of them */
} OpenvexReader;

/*
 * Begins a document, which is checked whole: whether it is JSON and has statements. What needs
 * memory is in the arena. False when the reader's cursor is stopped.
 */
extern bool openvex_open(OpenvexReader *reader, ClairBytes text, Arena *arena);

/*
 * The next statement; false at the end, and when the reader's cursor is stopped. What is broken in
 * a statement is its *problem, and the others go on.
 */
extern bool openvex_next(OpenvexReader *reader, OpenvexStatement *statement, const char **problem);

#endif
