/*
 * alpine_fuzz.c
 *    Any bytes as two of Alpine's documents: whatever comes out are rows.
 *
 * The first byte chooses which documents they are, the second where the first one ends.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/digest.h"
#include "updaters/updater.h"

extern int LLVMFuzzerInitialize(int *argument_count, char ***arguments);
extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

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

/* Every second record is known. */
static ClairStatus
answer(void *context, const ClairBytes *keys, uint32_t count, ClairBytes *answers,
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
take_progress(void *context, int64_t bytes, int64_t records, ClairError *error)
{
	(void) context;
	(void) error;
	require(bytes >= 0 && records >= 0);
	return CLAIR_OK;
}

static UpdaterDocument
document_of(const char *name, const uint8_t *data, size_t size)
{
	int descriptor = memfd_create("document", MFD_CLOEXEC);

	require(write(descriptor, data, size) == (ssize_t) size);
	return (UpdaterDocument){clair_bytes(name), CLAIR_LITERAL("https://x/"), descriptor};
}

int
LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
	ClairError error;

	(void) argument_count;
	(void) arguments;
	require(digest_initialize(&error) == CLAIR_OK);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairSink sink = {.row = take_row, .known = answer, .progress = take_progress};
	UpdaterDocument documents[2];
	ClairError error;
	size_t first;

	if (size < 2)
		return 0;
	first = data[1] * (size - 2) / 256;
	documents[0] = document_of((data[0] & 1) != 0 ? "index" : "rejections/main.yaml", data + 2,
							   first);
	documents[1] = document_of((data[0] & 2) != 0 ? "edge/main.json" : "rejections/community.yaml",
							   data + 2 + first, size - 2 - first);
	if (updater_by_name(CLAIR_LITERAL("alpine"))->read(documents, 2, &limits, &sink, &error) !=
		CLAIR_OK)
		require(error.status != CLAIR_OK && error.message[0] != '\0');
	close(documents[0].descriptor);
	close(documents[1].descriptor);
	return 0;
}
