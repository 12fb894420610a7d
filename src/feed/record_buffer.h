/*
 * record_buffer.h
 *    Where a cutter puts together a record that comes in pieces, up to the largest allowed.
 */
#ifndef CLAIR_RECORD_BUFFER_H
#define CLAIR_RECORD_BUFFER_H

#include "common/bytes.h"
#include "common/error.h"

/* All zero but max_size at first. To empty it, set size to 0. */
typedef struct RecordBuffer
{
	char *data;
	size_t size;
	size_t capacity;
	size_t max_size; /* limits->max_record_size */
} RecordBuffer;

/* Adds bytes behind what is there. It grows with what comes, whatever was announced. */
extern ClairStatus record_buffer_add(RecordBuffer *buffer, ClairBytes piece, ClairError *error);

/* The error that a record is larger than max_size. */
extern ClairStatus record_buffer_refuse(ClairError *error);

/* Gives the memory back. */
extern void record_buffer_free(RecordBuffer *buffer);

#endif
