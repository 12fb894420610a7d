/*
 * settings.h
 *    The settings that every started helper obeys.
 */
#ifndef CLAIR_SETTINGS_H
#define CLAIR_SETTINGS_H

#include "postgres.h"

#include "common/limits.h"

extern char *clair_image_directories; /* comma-separated; empty: anywhere */
extern int clair_helper_timeout;	  /* seconds without a word from a helper */

/* The limits of the next job, from the settings. */
extern ClairLimits CurrentLimits(void);

/* clair.sandbox: "auto", "required" or "off". */
extern const char *SandboxMode(void);

#endif
