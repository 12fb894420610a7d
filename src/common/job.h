/*
 * job.h
 *    What a helper was asked to do: names and values of the server's WIRE_JOB.
 *
 * A name that the job does not have, or that has no value, stands for the default. Which
 * names there are is said beside the code that looks them up (reader/main.c, fetch/options.c).
 */
#ifndef CLAIR_JOB_H
#define CLAIR_JOB_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/limits.h"

typedef struct Job
{
	const ClairBytes *fields; /* name, value, name, value, ... */
	uint32_t count;
} Job;

/*
 * Copies the fields of a WIRE_JOB into the arena. Names and values must be valid text; a
 * name must not come twice.
 */
extern ClairStatus
job_read(Arena *arena, const ClairBytes *fields, uint32_t count, Job *job, ClairError *error);

/* The value of a name, NUL-terminated; no value when there is none. */
extern ClairBytes job_text(const Job *job, const char *name);

/* Each of these leaves *value as it is, the default, when the job does not say otherwise. */
extern ClairStatus job_integer(const Job *job, const char *name, int64_t minimum, int64_t maximum,
							   int64_t *value, ClairError *error);
extern ClairStatus
job_boolean(const Job *job, const char *name, bool *value, ClairError *error); /* true, false */
extern ClairStatus job_limits(const Job *job, ClairLimits *limits, ClairError *error);

#endif
