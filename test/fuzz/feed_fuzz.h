/*
 * feed_fuzz.h
 *    What fuzzers of updaters share: a sink that checks what comes out, and documents of any bytes.
 */
#ifndef CLAIR_FEED_FUZZ_H
#define CLAIR_FEED_FUZZ_H

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

static inline UpdaterDocument
fuzz_document(const char *name, const uint8_t *data, size_t size)
{
	int descriptor = memfd_create("document", MFD_CLOEXEC);

	require(write(descriptor, data, size) == (ssize_t) size);
	return (UpdaterDocument){clair_bytes(name), CLAIR_LITERAL("https://x/"), descriptor};
}

/*
 * Has an updater read the documents, and closes them. State is what the last run left, or NULL;
 * options those of an updater of the user's own, or no value.
 */
static inline void
fuzz_read_with(const char *updater, const UpdaterDocument *documents, size_t count,
			   const char *state, ClairBytes options)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairSink sink = {.row = take_row, .known = answer, .progress = take_progress};
	UpdaterJob job = {.documents = documents,
					  .count = count,
					  .state = clair_bytes(state),
					  .options = options,
					  .limits = &limits,
					  .sink = &sink};
	ClairError error;

	if (updater_by_name(clair_bytes(updater))->read(&job, &error) != CLAIR_OK)
		require(error.status != CLAIR_OK && error.message[0] != '\0');
	for (size_t i = 0; i < count; i++)
		close(documents[i].descriptor);
}

static inline void
fuzz_read(const char *updater, const UpdaterDocument *documents, size_t count, const char *state)
{
	fuzz_read_with(updater, documents, count, state, CLAIR_NULL_BYTES);
}

#endif
