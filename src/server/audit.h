/*
 * audit.h
 *    Recording who did what: rows of clair.audit, in the transaction that did it.
 */
#ifndef CLAIR_AUDIT_H
#define CLAIR_AUDIT_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"

#include "server/owner.h"

/* Keys and values that say more; values are texts. */
typedef struct AuditDetail
{
	ArrayBuildState *keys;
	ArrayBuildState *values;
} AuditDetail;

/* Adds to a detail, or to a new one when it is NULL; a value that is NULL is left out. */
extern AuditDetail *AddDetail(AuditDetail *detail, const char *key, const char *value);
extern AuditDetail *AddCount(AuditDetail *detail, const char *key, int64 value);

/* The arguments from one number to another of a function that are given, and have a name here. */
extern AuditDetail *
ArgumentsDetail(FunctionCallInfo fcinfo, const char *const *names, int first, int end);

/* A URL without its user name and query or, as a receiver's may be secret, without its path. */
extern char *AuditedUrl(const char *url, bool with_path);

/*
 * Records that the caller has done something, with SPI connected and as the extension's owner; the
 * result of the last statement is gone then. Object and detail may be NULL.
 */
extern void
RecordAction(const OwnerState *caller, const char *action, const char *object, AuditDetail *detail);

#endif
