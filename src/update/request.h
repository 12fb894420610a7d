/*
 * request.h
 *    What the functions that have workers run updaters share: starting them, telling what came of
 * it.
 */
#ifndef CLAIR_REQUEST_H
#define CLAIR_REQUEST_H

#include "postgres.h"

#include "nodes/execnodes.h"
#include "storage/dsm.h"

/* The number of a call: runs bear it. */
extern int64 NewRequest(void);

/* Has a worker import what the segment says, and waits for it. */
extern void RunImport(dsm_handle segment, int64 request);

/*
 * Returns what became of an updater: its run of this request, whose failure is a warning; or
 * the one of somebody else that was in our worker's way.
 */
extern void ReturnRun(ReturnSetInfo *result, const char *updater, int64 request);

#endif
