/*
 * progress.h
 *    How far a statement is that has a helper work, for those who watch it.
 */
#ifndef CLAIR_PROGRESS_H
#define CLAIR_PROGRESS_H

#include "server/helper.h"

/*
 * Shows a WIRE_PROGRESS frame in pg_stat_activity: "clair: what: so many MB, so many unit", before
 * the text of the statement, or of what a worker says that it does.
 */
extern void ShowProgress(const char *what, const char *unit, const HelperFrame *frame);

/* The statement goes on without a helper: its text alone is shown again. */
extern void HideProgress(void);

#endif
