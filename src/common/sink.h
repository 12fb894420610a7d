/*
 * sink.h
 *    Where the parts of clair-reader put what they find, and whom they ask.
 *
 * In clair-reader the sink is the socket to the server (connection.h); in
 * unit tests and fuzzers it is whatever they like. Every function returns CLAIR_OK
 * or fills the error; a part that gets anything else stops and passes it on.
 */
#ifndef CLAIR_SINK_H
#define CLAIR_SINK_H

#include "common/wire.h"

typedef struct ClairSink
{
	void *context; /* given to every function */

	/* Takes a row; count must be the relation's number of columns. Nothing is kept. */
	ClairStatus (*row)(void *context, WireRelation relation, const ClairBytes *fields,
					   uint32_t count, ClairError *error);

	/*
	 * Which of the keys are known? Fills answers, one a key: no value when unknown,
	 * else what is known of it (of a stored digest: the layer's diff id; of a record, or of
	 * the content of a file that a detector wants: an empty value). A question has keys of
	 * one kind. The answers live until the next question.
	 */
	ClairStatus (*known)(void *context, const ClairBytes *keys, uint32_t count, ClairBytes *answers,
						 ClairError *error);

	/*
	 * Opens a file of the image's directory: "oci-layout", "index.json" or
	 * "<algorithm>:<hex>". The caller closes *descriptor. CLAIR_MISSING when there is
	 * no such file.
	 */
	ClairStatus (*blob)(void *context, ClairBytes name, int *descriptor, ClairError *error);

	/* Bytes read and records seen so far; cheap, may be called often. */
	ClairStatus (*progress)(void *context, int64_t bytes, int64_t records, ClairError *error);
} ClairSink;

#endif
