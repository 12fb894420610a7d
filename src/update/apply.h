/*
 * apply.h
 *    Making the tables say what the staging tables say, in one transaction.
 */
#ifndef CLAIR_APPLY_H
#define CLAIR_APPLY_H

#include "update/run.h"

/* Applies the run, and ends it as succeeded or unchanged. */
extern void ApplyRun(UpdateRun *run, RunApplied callback);

#endif
