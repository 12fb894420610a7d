/*
 * sink.c
 *    Where the fuzzers' rows go: each must be what its relation says; see fuzz.h.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static ClairStatus
take_row(void *context, WireRelation relation, const ClairBytes *fields, uint32_t count,
		 ClairError *error)
{
	(void) context;
	(void) error;
	require(wire_row_problem(relation, fields, count) == NULL);
	require(wire_frame_size(fields, count) <= WIRE_MAX_FRAME);
	return CLAIR_OK;
}

static ClairStatus
answer_records(void *context, const ClairBytes *keys, uint32_t count, ClairBytes *answers,
			   ClairError *error)
{
	(void) context;
	(void) error;
	require(wire_frame_size(keys, count) <= WIRE_MAX_FRAME);
	for (uint32_t i = 0; i < count; i++)
		answers[i] = i % 2 != 0 ? CLAIR_LITERAL("") : CLAIR_NULL_BYTES;
	return CLAIR_OK;
}

static ClairStatus
answer_layers(void *context, const ClairBytes *keys, uint32_t count, ClairBytes *answers,
			  ClairError *error)
{
	(void) context;
	(void) error;
	require(wire_frame_size(keys, count) <= WIRE_MAX_FRAME);
	for (uint32_t i = 0; i < count; i++)
		answers[i] = keys[i].data[keys[i].size - 1] % 2 == 0 ? keys[i] : CLAIR_NULL_BYTES;
	return CLAIR_OK;
}

static ClairStatus
find_no_blob(void *context, ClairBytes name, int *descriptor, ClairError *error)
{
	(void) context;
	(void) name;
	(void) descriptor;
	return clair_error(error, CLAIR_MISSING, "there is no such file");
}

static ClairStatus
take_progress(void *context, int64_t bytes, int64_t records, ClairError *error)
{
	(void) context;
	(void) error;
	require(bytes >= 0 && records >= 0);
	return CLAIR_OK;
}

const ClairSink fuzz_feed_sink = {
	.row = take_row, .known = answer_records, .blob = find_no_blob, .progress = take_progress};

const ClairSink fuzz_image_sink = {
	.row = take_row, .known = answer_layers, .blob = find_no_blob, .progress = take_progress};

int
fuzz_file(ClairBytes bytes)
{
	int descriptor = memfd_create("fuzz", MFD_CLOEXEC);

	require(descriptor >= 0);
	if (bytes.size > 0)
		require(write(descriptor, bytes.data, bytes.size) == (ssize_t) bytes.size);
	return descriptor;
}

ClairBytes
fuzz_copy(ClairBytes bytes)
{
	char *copy;

	if (bytes.data == NULL)
		return CLAIR_NULL_BYTES;
	copy = malloc(bytes.size + 1);
	require(copy != NULL);
	memcpy(copy, bytes.data, bytes.size);
	copy[bytes.size] = '\0';
	return (ClairBytes){copy, bytes.size};
}
