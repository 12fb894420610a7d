/*
 * openvex.h
 *    OpenVEX documents: what of a vulnerability applies to which products,
 *    https://github.com/openvex/spec
 *
 * { "statements": [ { "vulnerability", "status", "products": [ { "@id": package URL } ] } ] }.
 */
#ifndef CLAIR_OPENVEX_H
#define CLAIR_OPENVEX_H

#include "common/json_cursor.h"

typedef struct OpenvexStatement
{
	ClairBytes vulnerability; /* its name */
	ClairBytes description;	  /* of the vulnerability */
	ClairBytes status;
	ClairBytes justification;
	ClairBytes impact_statement;
	ClairBytes action_statement;
	ClairBytes *products; /* their package URLs, or whatever they are called by */
	size_t product_count;
	size_t product_capacity;
} OpenvexStatement;

typedef struct OpenvexReader
{
	JsonCursor cursor; /* before the statements, or the next one */
	bool is_entered;   /* the array of them */
} OpenvexReader;

/*
 * Begins a document, which is checked whole: whether it is JSON and has statements. Products are
 * in the arena. False when the reader's cursor is stopped.
 */
extern bool openvex_open(OpenvexReader *reader, ClairBytes text, Arena *arena);

/*
 * The next statement; false at the end, and when the reader's cursor is stopped. What is broken in
 * a statement is its *problem, and the others go on.
 */
extern bool openvex_next(OpenvexReader *reader, OpenvexStatement *statement, const char **problem);

#endif
