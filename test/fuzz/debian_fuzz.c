/*
 * debian_fuzz.c
 *    Any bytes as the tracker's document: whatever comes out are rows.
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
	UpdaterDocument document = {CLAIR_LITERAL("tracker"), CLAIR_LITERAL("https://x/"), -1};
	ClairError error;

	document.descriptor = memfd_create("document", MFD_CLOEXEC);
	require(write(document.descriptor, data, size) == (ssize_t) size);
	if (updater_by_name(CLAIR_LITERAL("debian"))->read(&document, 1, &limits, &sink, &error) !=
		CLAIR_OK)
		require(error.status != CLAIR_OK && error.message[0] != '\0');
	close(document.descriptor);
	return 0;
}
