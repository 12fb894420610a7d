/*
 * apply.h
 *    Making the tables say what the staging tables say, in one transaction.
 */
#ifndef CLAIR_APPLY_H
#define CLAIR_APPLY_H

#include "update/run.h"

/*
 * Columns of a staged range s as they are stored; for the scope, stage_scope is joined as c. The
 * key of a scope has no value when nothing matters.
 */
#define STAGED_SCOPE_KEY                                                                           \
	"CASE WHEN s.architectures IS NOT NULL OR s.module IS NOT NULL OR s.flavour IS NOT NULL"       \
	"         OR s.repositories IS NOT NULL"                                                       \
	"     THEN quote_nullable(s.architectures) || ',' || quote_nullable(s.module) || ',' ||"       \
	"         quote_nullable(s.flavour) || ',' || quote_nullable(s.repositories) END"
#define STAGED_SCOPE "COALESCE(c.id, 0)"
#define STAGED_FIXED                                                                               \
	"CASE WHEN s.fixed IS NOT NULL THEN clair.version(s.format, s.fixed)"                          \
	"     WHEN s.last_affected IS NOT NULL"                                                        \
	"     THEN clair.successor(clair.version(s.format, s.last_affected))"                          \
	"     WHEN s.status = 'not_affected' THEN '-infinity' ELSE 'infinity' END"
#define STAGED_INTRODUCED                                                                          \
	"CASE WHEN s.introduced IS NOT NULL THEN clair.version(s.format, s.introduced) END"

/* Runs a statement whose parameters are the updater and the run; the number of rows. */
extern int64 RunStep(const UpdateRun *run, const char *statement);

/* Applies the run, and ends it as succeeded or unchanged. */
extern void ApplyRun(UpdateRun *run);

#endif
