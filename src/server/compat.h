/*
 * compat.h
 *    One server API for PostgreSQL 14 to 18: the newest one, with shims below it.
 *
 * Include it after postgres.h in every file that uses something which is shimmed here.
 */
#ifndef CLAIR_COMPAT_H
#define CLAIR_COMPAT_H

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#if PG_VERSION_NUM < 150000
#include "storage/shm_mq.h"
#include "utils/tuplestore.h"

#define shm_mq_send(queue, size, data, nowait, flush) shm_mq_send(queue, size, data, nowait)

#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)

#define MAT_SRF_USE_EXPECTED_DESC 0x01

static inline void
InitMaterializedSRF(FunctionCallInfo fcinfo, bits32 flags)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old_context;
	TupleDesc descriptor;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo) ||
		(rsinfo->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("set-valued function called in context that cannot accept a set")));
	old_context = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	if ((flags & MAT_SRF_USE_EXPECTED_DESC) != 0)
		descriptor = CreateTupleDescCopy(rsinfo->expectedDesc);
	else if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setResult = tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
											  false, work_mem);
	rsinfo->setDesc = descriptor;
	MemoryContextSwitchTo(old_context);
}
#endif

#if PG_VERSION_NUM < 160000
/* Functions are all that is asked for here. */
#define object_aclcheck(class_id, object, role, mode) pg_proc_aclcheck(object, role, mode)
#endif

#if PG_VERSION_NUM < 180000
#define PG_MODULE_MAGIC_EXT(...) PG_MODULE_MAGIC

/* Stands before "static" and "extern". */
#define pg_noreturn __attribute__((noreturn))
#endif

#endif
