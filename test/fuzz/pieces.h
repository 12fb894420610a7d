/*
 * pieces.h
 *    A stream of one text in pieces, each in memory of exactly its size, so that reading beyond
 *    one, or one that is gone, is noticed.
 */
#ifndef CLAIR_PIECES_H
#define CLAIR_PIECES_H

#include <stdlib.h>

#include "common/stream.h"

/* To be made with ".stream = {.read = read_piece}"; the last piece is to be freed. */
typedef struct Pieces
{
	ClairStream stream;
	ClairBytes rest;
	size_t size;
	char *piece;
} Pieces;

static inline ClairStatus
read_piece(ClairStream *stream, ClairBytes *piece, ClairError *error)
{
	Pieces *pieces = (Pieces *) stream;
	size_t size = pieces->size < pieces->rest.size ? pieces->size : pieces->rest.size;

	(void) error;
	free(pieces->piece);
	pieces->piece = malloc(size);
	if (size > 0 && pieces->piece == NULL)
		abort();
	if (size > 0)
		memcpy(pieces->piece, pieces->rest.data, size);
	*piece = (ClairBytes){pieces->piece, size};
	pieces->rest = clair_bytes_skip(pieces->rest, size);
	return CLAIR_OK;
}

#endif
