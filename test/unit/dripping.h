/*
 * dripping.h
 *    A stream of one text in pieces of a few bytes, each in memory that the next one spoils.
 */
#ifndef CLAIR_DRIPPING_H
#define CLAIR_DRIPPING_H

#include "common/stream.h"

/* To be made with ".stream = {.read = drip}", the text as rest and a size of up to 64. */
typedef struct Dripping
{
	ClairStream stream;
	ClairBytes rest;
	size_t size;
	char piece[64];
} Dripping;

static inline ClairStatus
drip(ClairStream *stream, ClairBytes *piece, ClairError *error)
{
	Dripping *dripping = (Dripping *) stream;
	size_t size = dripping->size < dripping->rest.size ? dripping->size : dripping->rest.size;

	(void) error;
	memset(dripping->piece, '#', sizeof(dripping->piece));
	memcpy(dripping->piece, dripping->rest.data, size);
	*piece = (ClairBytes){dripping->piece, size};
	dripping->rest = clair_bytes_skip(dripping->rest, size);
	return CLAIR_OK;
}

#endif
