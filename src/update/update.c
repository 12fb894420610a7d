/*
 * update.c
 *    clair.update(): starts workers for updaters, waits for them, tells what became of it.
 *
 * Whoever may execute the function may run any updater. What the workers do is in worker.c.
 */
#include "postgres.h"

#include <limits.h>

#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"

#include "common/fault.h"
#include "server/clair.h"
#include "server/compat.h"
#include "server/owner.h"
#include "server/sql.h"
#include "update/request.h"
#include "update/settings.h"
#include "update/worker.h"

PG_FUNCTION_INFO_V1(update_updaters);

#define RESULT_COLUMNS 11

int clair_max_update_workers;
int clair_max_shrinkage;
int clair_max_advisories;

/* An updater that a call runs. */
typedef struct Target
{
	char *updater;
	char *running; /* number of the run that is under way already, or NULL */
} Target;

void
UpdateInit(void)
{
	DefineCustomIntVariable(
		"clair.max_update_workers",
		"Workers that run updaters at a time, over all calls of clair.update().", NULL,
		&clair_max_update_workers, 2, 1, MAX_WORKERS, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("clair.max_shrinkage",
							"Percent of a document's records that may be gone at once.",
							"A document that lost more fails the run; 100 lets everything pass.",
							&clair_max_shrinkage, 20, 0, 100, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("clair.max_advisories",
							"Advisories that a function which is an updater may return.", NULL,
							&clair_max_advisories, 5000000, 1, INT_MAX, PGC_SUSET, 0, NULL, NULL,
							NULL);
}

/* What the call means: the updater named, or all that are enabled. */
static Target *
FindTargets(const char *updater, int64 *count, MemoryContext context)
{
	SqlParameters parameters = {0};
	MemoryContext old_context;
	Target *targets;

	AddText(&parameters, updater);
	*count = RunSql("SELECT u.name, CASE WHEN s.state = 'running' THEN s.last_run END"
					" FROM clair.updater AS u"
					"     JOIN clair.update_status AS s ON s.updater = u.name"
					" WHERE CASE WHEN $1 IS NULL THEN u.enabled ELSE u.name = $1 END"
					" ORDER BY u.name",
					&parameters);
	if (*count == 0 && updater != NULL)
	{
		RunSql("SELECT string_agg(name, ', ' ORDER BY name) FROM clair.updater", NULL);
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("updater \"%s\" does not exist", updater),
						errhint("Updaters are: %s.", ResultText(0, 1))));
	}
	old_context = MemoryContextSwitchTo(context);
	targets = palloc(sizeof(Target) * (*count + 1));
	for (int64 i = 0; i < *count; i++)
		targets[i] = (Target){ResultText(i, 1), ResultText(i, 2)};
	MemoryContextSwitchTo(old_context);
	return targets;
}

int64
NewRequest(void)
{
	int64 request;

	if (!pg_strong_random(&request, sizeof(request)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate a random number")));
	return request & PG_INT64_MAX;
}

/* One worker for a named updater; else as many as may work, which share the list. */
static void
StartWorkers(Workers *workers, const char *updater, int64 idle, int64 number)
{
	int wanted = (int) Min(updater != NULL ? 1 : clair_max_update_workers, idle);
	UpdateRequest request;
	char name[BGW_MAXLEN];

	memset(&request, 0, sizeof(request));
	request.number = number;
	if (updater != NULL)
		strlcpy(request.updater, updater, sizeof(request.updater));
	snprintf(name, sizeof(name), "clair updater %s", request.updater);
	StaticAssertStmt(sizeof(request) <= BGW_EXTRALEN, "a worker's request must fit");
	while (workers->count < wanted && StartWorker(workers, "UpdateWorkerMain", "clair updater",
												  name, &request.worker, sizeof(request)))
		;
	if (wanted > 0)
		CheckAnyWorker(workers);
}

/* One worker, for an import. */
static void
StartImporter(Workers *workers, dsm_handle segment, int64 number)
{
	UpdateRequest request;

	memset(&request, 0, sizeof(request));
	request.number = number;
	request.segment = segment;
	StartWorker(workers, "UpdateWorkerMain", "clair updater", "clair import", &request.worker,
				sizeof(request));
	CheckAnyWorker(workers);
}

/* Waits until they have ended; when the wait ends before that, so do they. */
static void
AwaitRuns(Workers *workers)
{
	PG_ENSURE_ERROR_CLEANUP(TerminateWorkers, PointerGetDatum(workers));
	{
		FAULT_POINT("update-waiting");
		WaitForWorkers(workers);
	}
	PG_END_ENSURE_ERROR_CLEANUP(TerminateWorkers, PointerGetDatum(workers));
}

static void
WarnOfFailure(const char *updater)
{
	char *message = ResultText(0, RESULT_COLUMNS + 1);
	char *detail = ResultText(0, RESULT_COLUMNS + 2);
	char *hint = ResultText(0, RESULT_COLUMNS + 3);

	if (message != NULL)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING), errmsg("update of \"%s\" failed: %s", updater, message),
				 detail != NULL ? errdetail("%s", detail) : 0,
				 hint != NULL ? errhint("%s", hint) : 0));
}

void
RunImport(dsm_handle segment, int64 request)
{
	Workers *workers = palloc0(sizeof(Workers));

	StartImporter(workers, segment, request);
	AwaitRuns(workers);
}

void
ReturnRun(ReturnSetInfo *result, const char *updater, int64 request)
{
	SqlParameters parameters = {0};
	char *texts[RESULT_COLUMNS];

	AddText(&parameters, updater);
	AddInteger(&parameters, request);
	if (RunSql("SELECT updater, id, state, records, unchanged, broken, added, changed, withdrawn,"
			   "     bytes, round(extract(epoch FROM finished_at - started_at)::numeric, 3),"
			   "     error, error_detail, error_hint"
			   " FROM clair.update_run"
			   " WHERE updater = $1"
			   "     AND (request = $2 OR state = 'running' OR finished_at > statement_timestamp())"
			   " ORDER BY request = $2 DESC, id DESC"
			   " LIMIT 1",
			   &parameters) == 0)
		ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
						errmsg("the worker for updater \"%s\" ended before it began", updater),
						errhint("The server's log says why.")));
	for (int i = 0; i < RESULT_COLUMNS; i++)
		texts[i] = ResultText(0, i + 1);
	WarnOfFailure(updater);
	ReturnTexts(result, texts);
}

static void
ReturnTarget(ReturnSetInfo *result, const Target *target, bool wait, int64 request)
{
	char *texts[RESULT_COLUMNS] = {target->updater, target->running,
								   target->running != NULL ? "running" : "started"};

	if (wait && target->running == NULL)
		ReturnRun(result, target->updater, request);
	else
		ReturnTexts(result, texts);
}

Datum
update_updaters(PG_FUNCTION_ARGS)
{
	char *updater = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool wait = PG_ARGISNULL(1) || PG_GETARG_BOOL(1);
	MemoryContext context = CurrentMemoryContext;
	Workers *workers = palloc0(sizeof(Workers));
	int64 request = NewRequest();
	int64 idle = 0;
	Target *targets;
	int64 count;
	OwnerState owner;

	CheckMayStartWorkers("clair.update()");
	if (wait)
		CheckMayWaitForWorkers("clair.update()", "Call it outside of a transaction block, or with "
												 "wait => false.");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	SPI_connect();
	BecomeOwner(&owner);
	targets = FindTargets(updater, &count, context);
	for (int64 i = 0; i < count; i++)
		idle += targets[i].running == NULL;
	StartWorkers(workers, updater, idle, request);
	FAULT_POINT("update-started");
	if (wait)
		AwaitRuns(workers);
	for (int64 i = 0; i < count; i++)
		ReturnTarget((ReturnSetInfo *) fcinfo->resultinfo, &targets[i], wait, request);
	FAULT_POINT("update-returned");
	ResumeCaller(&owner);
	SPI_finish();
	return (Datum) 0;
}
