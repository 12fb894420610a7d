/*
 * sandbox.h
 *    What a helper gives up: descriptors, privileges, resources, and death by a signal.
 *
 * Helpers only. main() calls sandbox_begin() before anything else, sandbox_limit() as soon as
 * the job is known, and only then touches what comes from outside. clair-reader also gives up
 * nearly all system calls (reader/filter.h).
 */
#ifndef CLAIR_SANDBOX_H
#define CLAIR_SANDBOX_H

#include <stdint.h>

#include "common/error.h"

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

#endif
