/*
 * stage.h
 *    Having documents read by clair-reader, into temporary tables.
 */
#ifndef CLAIR_STAGE_H
#define CLAIR_STAGE_H

#include "update/run.h"

/* Creates the staging tables anew: an earlier run of the same worker may have left its own. */
extern void CreateStagingTables(UpdateRun *run);

/*
 * Has the documents read, which have been fetched; their rows are added to the staging
 * tables, which are created when there are none. Returns the further documents that they
 * name.
 */
extern List *StageDocuments(UpdateRun *run, List *documents);

#endif
