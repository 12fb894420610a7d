/*
 * resolve.h
 *    Working out what several records say of the same vulnerability of a package.
 */
#ifndef CLAIR_RESOLVE_H
#define CLAIR_RESOLVE_H

#include "update/run.h"

/*
 * Within apply: what stage_ended ends has not ended yet, what is staged is not stored yet. Fills
 * stage_resolved for both the ranges that begin and the ones that stand; vulnerabilities of which
 * a range that stands turns out different end, and are among stage_kept.
 */
extern void ResolveRanges(const UpdateRun *run);

#endif
