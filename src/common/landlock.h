/*
 * landlock.h
 *    What a helper may still reach of the file system and the network: Landlock.
 */
#ifndef CLAIR_LANDLOCK_H
#define CLAIR_LANDLOCK_H

#include <stdbool.h>

#include "common/error.h"

/* What may still be reached. */
typedef struct LandlockAccess
{
	const char *const *readable; /* files and folders with all below them; NULL ends it */
	const char *const *further;	 /* likewise, or NULL */
	bool connects;				 /* TCP connections may be made */
} LandlockAccess;

/* The version of Landlock that this kernel has; 0: none. */
extern int landlock_version(void);

/*
 * From here on, files are opened and folders read only as *access says, and nothing is written or
 * executed but through descriptors that are there already; with versions that can do it, no port
 * is bound, and no process outside is sent a signal. What is readable but does not exist is
 * passed over. Needs no_new_privs.
 */
extern ClairStatus landlock_enter(int version, const LandlockAccess *access, ClairError *error);

#endif
