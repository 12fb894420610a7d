/*
 * record_buffer.c
 *    A record that comes in pieces; see record_buffer.h.
 */
#include "feed/record_buffer.h"

#include <stdlib.h>

#define FIRST_CAPACITY ((size_t) 256 * 1024)

ClairStatus
record_buffer_refuse(ClairError *error)
{
	clair_error(error, CLAIR_LIMIT, "the record is too large");
	clair_error_hint(error, "The limit is the setting clair.max_record_size.");
	return CLAIR_LIMIT;
}

ClairStatus
record_buffer_add(RecordBuffer *buffer, ClairBytes piece, ClairError *error)
{
	size_t larger = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
	char *grown;

	if (piece.size == 0)
		return CLAIR_OK;
	if (piece.size > buffer->max_size - buffer->size)
		return record_buffer_refuse(error);
	while (larger - buffer->size < piece.size)
		larger *= 2; /* what it holds is bounded by the largest record, a piece by the streams */
	if (larger > buffer->capacity)
	{
		grown = realloc(buffer->data, larger);
		if (grown == NULL)
			return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the record");
		buffer->data = grown;
		buffer->capacity = larger;
	}
	memcpy(buffer->data + buffer->size, piece.data, piece.size);
	buffer->size += piece.size;
	return CLAIR_OK;
}

void
record_buffer_free(RecordBuffer *buffer)
{
	free(buffer->data);
}
