/*
 * filter.h
 *    The system calls that a helper may still make once it meets what is hostile: seccomp.
 */
#ifndef CLAIR_FILTER_H
#define CLAIR_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* What becomes of a call that a rule is about. Of any other: the end of the process. */
typedef enum FilterAction
{
	FILTER_ALLOW,
	FILTER_ABSENT,		/* fails as if there was no such file */
	FILTER_UNKNOWN,		/* fails as on a kernel that does not have this call */
	FILTER_UNSUPPORTED, /* fails as on a system without this kind of network */
} FilterAction;

#define FILTER_MAX_CONDITIONS 2

/* That an argument, masked, has a value. */
typedef struct FilterCondition
{
	unsigned argument; /* from 0 */
	uint64_t mask;	   /* 0: no condition */
	uint64_t value;
} FilterCondition;

typedef struct FilterRule
{
	int call; /* SCMP_SYS() of seccomp.h */
	FilterAction action;
	FilterCondition conditions[FILTER_MAX_CONDITIONS]; /* all of which have to be met */
} FilterRule;

/* Whether this kernel, and this build, can filter system calls. */
extern bool filter_is_available(void);

/*
 * From here on, only what the rules say, and abort(). Anything else ends the process after a last
 * WIRE_ERROR on the socket, which names the program and the number of the call.
 */
extern ClairStatus
filter_enter(const char *program, const FilterRule *rules, size_t count, ClairError *error);

#endif
