/*
 * freeze.h
 *    Keeping what was said of namespaces that a feed says nothing of any more.
 */
#ifndef CLAIR_FREEZE_H
#define CLAIR_FREEZE_H

#include "update/run.h"

/*
 * Within apply: what stage_ended ends has not ended yet, what is staged is not stored yet.
 * Sources drop releases that they no longer support; images of these are still there, and
 * what was known of them last is better than nothing, as long as it is said to be old.
 */
extern void FreezeNamespaces(const UpdateRun *run);

/*
 * Takes over which namespaces are frozen, where somebody else has worked that out: what is kept of
 * them is staged as records of their own, in place of what was kept here.
 */
extern void TakeFrozenNamespaces(const UpdateRun *run);

#endif
