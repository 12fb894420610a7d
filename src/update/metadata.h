/*
 * metadata.h
 *    Applying what updaters say of CVEs, not of packages.
 */
#ifndef CLAIR_METADATA_H
#define CLAIR_METADATA_H

#include "update/run.h"

/* CVEs of which a run says something that it did not before, and that it no longer speaks of. */
typedef struct MetadataChanges
{
	int64 added;
	int64 changed;
	int64 withdrawn;
	int64 scores; /* those added and changed that were compared one by one, not by records */
} MetadataChanges;

/* Applies what is staged, once the records have been compared; within the run's transaction. */
extern MetadataChanges ApplyMetadata(const UpdateRun *run);

#endif
