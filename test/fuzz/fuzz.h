/*
 * fuzz.h
 *    What the fuzzers' targets share. All of them are in one program, clair-fuzz (main.c).
 *
 * A target is a function that takes any bytes and aborts when something is wrong with what comes
 * of them; the sanitizers that it is built with see the rest.
 */
#ifndef CLAIR_FUZZ_H
#define CLAIR_FUZZ_H

#include <stdint.h>
#include <stdlib.h>

#include "common/sink.h"

typedef struct FuzzTarget
{
	struct FuzzTarget *next;
	const char *name;
	int (*run)(const struct FuzzTarget *target, const uint8_t *data, size_t size);
	const void *subject; /* of a target that is one of a list: what it is about */
} FuzzTarget;

/* Makes a target known; before main() begins. */
extern void fuzz_register(FuzzTarget *target);

/* The head of a target's function, which has the parameters data and size, and returns 0. */
#define FUZZ_TARGET(target_name)                                                                   \
	static int fuzz_##target_name(const FuzzTarget *target, const uint8_t *data, size_t size);     \
	__attribute__((constructor)) static void register_##target_name(void)                          \
	{                                                                                              \
		static FuzzTarget target = {NULL, #target_name, fuzz_##target_name, NULL};                 \
		fuzz_register(&target);                                                                    \
	}                                                                                              \
	static int fuzz_##target_name(__attribute__((unused)) const FuzzTarget *target,                \
								  const uint8_t *data, size_t size)

/* Aborts unless it holds. */
static inline void
require(bool condition)
{
	if (!condition)
		abort();
}

/* A descriptor of a file of these bytes. */
extern int fuzz_file(ClairBytes bytes);

/* A copy with a NUL behind it, of exactly its size, to be freed; no value stays that. */
extern ClairBytes fuzz_copy(ClairBytes bytes);

/*
 * sink.c: sinks for which every row must be one of its relation, and fit into a frame. Of what a
 * feed asks for, every second record is known; of layers, those with an even digest.
 */
extern const ClairSink fuzz_feed_sink;
extern const ClairSink fuzz_image_sink;

/*
 * parts.c: inputs of several parts, which lie between marks: what separates them is found by
 * looking for it, so that parts can be changed, moved and lost one by one. Levels, from 0 to
 * FUZZ_LEVELS - 1, have marks of their own, for parts of parts.
 */
#define FUZZ_LEVELS 3

extern size_t fuzz_split(ClairBytes input, int level, ClairBytes *parts, size_t limit);

/*
 * The bytes that a part stands for, to be freed. One that begins with FUZZ_TAR is a tar, whose
 * members are parts of this level, two for each: a letter for the type as in tar headers, the name
 * and perhaps, behind a line feed, the target of a link; and the content, which may be such a part
 * again. A capital Z in place of the type is a file whose content is compressed with gzip.
 *
 * Names and contents may have digests of members that come later, a name also of its own, by their
 * numbers from 0 on: "@{2}" the digits of the third one's SHA-256, "@[2]" the same of it before it
 * was compressed, "@(2)" its size. So what is changed still fits together.
 *
 * Any other part is what it is, but that blocks that look like headers of tars get the right
 * checksum.
 */
#define FUZZ_TAR "\xF7t"

extern ClairBytes fuzz_content(ClairBytes part, int level);

#endif
