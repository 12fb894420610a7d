/*
 * backend.h
 *    A stand-in for the little of a backend that the server's side of the row stream needs, so that
 *    it can be fuzzed: contexts whose memory the sanitizers watch, errors, and a helper that has
 * said everything already.
 *
 * Included after postgres.h by the targets of this folder, which are compiled with the server's
 * headers.
 */
#ifndef CLAIR_FUZZ_BACKEND_H
#define CLAIR_FUZZ_BACKEND_H

#include "common/bytes.h"

/*
 * Calls a function, which may raise an ERROR, in a context of its own that is deleted afterwards.
 * The next helper that it starts says hello and then what the input's parts say (../fuzz.h): first
 * how it ends (one letter: e with status 1, k by a signal; else well), then its frames. Each of
 * these is a letter for its type, one for the relation ("a" is the first one) and, in parts of the
 * next level, its fields; "\xF7n" is no value. A first part that has an "r" in it is followed by
 * bytes as they are.
 */
extern void fuzz_as_backend(const uint8_t *data, size_t size, void (*function)(void));

/* Of statements, every second thing that is asked for is known; else they return nothing. */

#endif
