/*
 * platform.h
 *    Which of an archive's images is meant: operating system, architecture, variant.
 */
#ifndef CLAIR_PLATFORM_H
#define CLAIR_PLATFORM_H

#include "common/arena.h"
#include "common/error.h"

typedef struct Platform
{
	ClairBytes os; /* size 0: unknown */
	ClairBytes architecture;
	ClairBytes variant; /* size 0: the usual one */
} Platform;

typedef struct PlatformChoice
{
	bool all;
	bool is_default; /* nobody said; then the only platform there is will do, too */
	Platform platform;
} PlatformChoice;

/* Reads a job's wish; the choice points into the strings. */
extern ClairStatus platform_read_choice(const char *platform, const char *architecture,
										PlatformChoice *choice, ClairError *error);

/*
 * Marks the candidates that are meant. CLAIR_AMBIGUOUS or CLAIR_MISSING, with the platforms
 * that there are, when none is.
 */
extern ClairStatus platform_choose(const PlatformChoice *choice, const Platform *candidates,
								   size_t count, bool *chosen, ClairError *error);

/* "os/architecture[/variant]", or "unknown". No value when the arena is exhausted. */
extern ClairBytes platform_text(Arena *arena, const Platform *platform);

#endif
