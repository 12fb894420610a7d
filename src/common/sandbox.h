/*
 * sandbox.h
 *    What a helper gives up: descriptors, privileges, resources, death by a signal, and nearly all
 *    that it could ask of the kernel.
 *
 * Helpers only. main() calls sandbox_begin() before anything else, sandbox_limit() as soon as
 * the job is known, and sandbox_enter() when libraries have opened what they need. Only then it
 * touches what comes from outside.
 */
#ifndef CLAIR_SANDBOX_H
#define CLAIR_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/filter.h"
#include "common/job.h"
#include "common/sink.h"

/* Sanitizers map terabytes, catch signals and read /proc: builds with them are not limited. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
	__has_feature(thread_sanitizer)
#define SANDBOX_SANITIZER 1
#endif
#endif

/* Exit status of a helper that crashed: this and the signal's number. Of all other failures: 1. */
#define SANDBOX_CRASH_STATUS 128

/* What a helper may use. */
typedef struct SandboxLimits
{
	int64_t memory;		 /* bytes of address space */
	int64_t file_size;	 /* bytes of a file that it writes */
	int64_t descriptors; /* open at once */
	int64_t seconds;	 /* of processor time */
} SandboxLimits;

/*
 * Closes every descriptor above the socket's, makes signals end the process by _exit(), ties
 * its life to the server process that started it, and gives up privileges, core dumps and the
 * right to be traced. Ends the process when the server process has gone already.
 */
extern ClairStatus sandbox_begin(int socket, ClairError *error);

/* Sets the limits, as far as the system's own are not lower. */
extern ClairStatus sandbox_limit(const SandboxLimits *limits, ClairError *error);

/* What a helper keeps. */
typedef struct SandboxProfile
{
	const char *program;
	const FilterRule *rules; /* system calls */
	size_t rule_count;
	const char *const *readable; /* files and folders, NULL at the end; or NULL */
	bool connects;				 /* TCP connections are made */
} SandboxProfile;

/* What is in force. */
typedef struct SandboxState
{
	bool seccomp; /* system calls are filtered */
	int landlock; /* version of Landlock; 0: files are not given up */
} SandboxState;

/*
 * Gives up everything but what the profile has, and the further files that may be read (NULL at
 * the end; or NULL). The job's "sandbox" says how: "auto", or no value, as far as the kernel can;
 * "required": an error when it cannot; "off": not at all.
 */
extern ClairStatus
sandbox_enter(const Job *job, const SandboxProfile *profile, const char *const *further,
			  SandboxState *state, ClairError *error);

/* Sends the state, as a row of WIRE_SANDBOX. */
extern ClairStatus
sandbox_report(const SandboxState *state, const ClairSink *sink, ClairError *error);

#endif
