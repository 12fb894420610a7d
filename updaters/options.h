/*
 * options.h
 *    The options of an updater of the user's own, for the format that its documents are in.
 *
 * They are a JSON object of at most 64 kB, which the server has checked against the rows of
 * clair.updater_option for the format. That is checked again here: an option that is not of the
 * type that is asked for is an error.
 */
#ifndef CLAIR_OPTIONS_H
#define CLAIR_OPTIONS_H

#include "common/arena.h"
#include "updaters/updater.h"

/* The value of an option whose value is a map, under a name. */
typedef struct UpdaterOptionEntry
{
	ClairBytes name;
	ClairBytes value;
} UpdaterOptionEntry;

/* The text of an option, in the arena; no value when it is not given. */
extern ClairStatus updater_option(const UpdaterJob *job, Arena *arena, const char *name,
								  ClairBytes *text, ClairError *error);

/* The texts of an option that is a list; none when it is not given. */
extern ClairStatus updater_option_list(const UpdaterJob *job, Arena *arena, const char *name,
									   ClairBytes **texts, size_t *count, ClairError *error);

/* The entries of an option that is a map from texts to texts, ordered by name, each name once. */
extern ClairStatus
updater_option_map(const UpdaterJob *job, Arena *arena, const char *name,
				   UpdaterOptionEntry **entries, size_t *count, ClairError *error);

#endif
