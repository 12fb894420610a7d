/*
 * job.c
 *    What a helper was asked to do: looking up names and values; see job.h.
 *
 * The job comes from the server, which is trusted; that it is well-formed is checked all the
 * same, so that a mistake there is seen as one.
 */
#include "common/job.h"

#include <inttypes.h>

#include "common/text.h"
#include "common/wire.h"

static ClairStatus
malformed(ClairError *error, const char *what)
{
	return clair_error(error, CLAIR_PROTOCOL, "malformed job: %s", what);
}

ClairStatus
job_read(Arena *arena, const ClairBytes *fields, uint32_t count, Job *job, ClairError *error)
{
	ClairBytes *copies = arena_alloc_array(arena, count, sizeof(ClairBytes));

	if (copies == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	if (count % 2 != 0)
		return malformed(error, "a name without a value");
	*job = (Job){copies, 0};
	for (uint32_t i = 0; i < count; i++)
	{
		if (fields[i].data == NULL && i % 2 == 1)
			continue;
		if (fields[i].data == NULL || !text_is_valid(fields[i]))
			return malformed(error, "not valid text");
		copies[i] = arena_copy(arena, fields[i]);
		if (copies[i].data == NULL)
			return clair_error(error, CLAIR_MEMORY, "out of memory");
	}
	for (; job->count < count; job->count += 2)
	{
		for (uint32_t i = 0; i < job->count; i += 2)
		{
			if (clair_bytes_equal(copies[i], copies[job->count]))
				return clair_error(error, CLAIR_PROTOCOL, "malformed job: \"%s\" comes twice",
								   copies[i].data);
		}
	}
	return CLAIR_OK;
}

ClairBytes
job_text(const Job *job, const char *name)
{
	for (uint32_t i = 0; i < job->count; i += 2)
	{
		if (clair_bytes_equal(job->fields[i], clair_bytes(name)))
			return job->fields[i + 1];
	}
	return CLAIR_NULL_BYTES;
}

ClairStatus
job_integer(const Job *job, const char *name, int64_t minimum, int64_t maximum, int64_t *value,
			ClairError *error)
{
	ClairBytes text = job_text(job, name);
	int64_t number;

	if (text.data == NULL)
		return CLAIR_OK;
	if (!wire_integer(text, &number) || number < minimum || number > maximum)
		return clair_error(error, CLAIR_PROTOCOL,
						   "malformed job: \"%s\" is not a number from %" PRId64 " to %" PRId64,
						   name, minimum, maximum);
	*value = number;
	return CLAIR_OK;
}

ClairStatus
job_boolean(const Job *job, const char *name, bool *value, ClairError *error)
{
	ClairBytes text = job_text(job, name);
	bool yes = clair_bytes_equal(text, CLAIR_LITERAL("true"));

	if (text.data == NULL)
		return CLAIR_OK;
	if (!yes && !clair_bytes_equal(text, CLAIR_LITERAL("false")))
		return clair_error(error, CLAIR_PROTOCOL, "malformed job: \"%s\" is neither true nor false",
						   name);
	*value = yes;
	return CLAIR_OK;
}

ClairStatus
job_limits(const Job *job, ClairLimits *limits, ClairError *error)
{
	*limits = CLAIR_DEFAULT_LIMITS;
#define READ_LIMIT(name, value)                                                                    \
	if (job_integer(job, #name, 1, INT64_MAX, &limits->name, error) != CLAIR_OK)                   \
		return error->status;
	CLAIR_LIMITS(READ_LIMIT)
#undef READ_LIMIT
	return CLAIR_OK;
}
