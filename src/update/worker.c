/*
 * worker.c
 *    The background worker: its life, and the locks that bound how many run.
 *
 * Started by clair.update() (update.c), connected as the session role of who called that.
 * Two kinds of session-level advisory locks: a worker takes one of clair.max_update_workers
 * places before it does anything, and an updater's lock before it runs that. Both end with
 * the process, whatever happens to it. SIGINT and SIGTERM both cancel the run, so that its
 * end is recorded; after SIGTERM the worker takes no other one. While it calls a function that is
 * an updater, SIGTERM ends it at once.
 */
#include "postgres.h"

#include <signal.h>

#include "common/hashfn.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"

#include "common/fault.h"
#include "server/sql.h"
#include "server/worker.h"
#include "update/import.h"
#include "update/run.h"
#include "update/settings.h"
#include "update/worker.h"

extern PGDLLEXPORT void UpdateWorkerMain(Datum argument);

static volatile sig_atomic_t run_cancelled;
static volatile sig_atomic_t worker_terminated;
static volatile sig_atomic_t runs_function;

static void
HandleCancel(SIGNAL_ARGS)
{
	run_cancelled = true;
	StatementCancelHandler(postgres_signal_arg);
}

static void
HandleTerminate(SIGNAL_ARGS)
{
	worker_terminated = true;
	if (runs_function)
		die(postgres_signal_arg);
	else
		HandleCancel(postgres_signal_arg);
}

void
RunsFunction(bool runs)
{
	runs_function = runs;
}

/* The second key of an updater's lock: what hashtext() says in SQL. */
static uint32
LockKey(const char *updater)
{
	return hash_bytes((const unsigned char *) updater, (int) strlen(updater));
}

/* The updaters that the request means, in the order in which they are to run. */
static List *
RequestedUpdaters(const UpdateRequest *request)
{
	List *updaters = NIL;
	Work work;
	int64 count;

	if (request->updater[0] != '\0')
		return list_make1(pstrdup(request->updater));
	BeginWork(&work);
	count = RunSql("SELECT name FROM clair.updater WHERE enabled ORDER BY name", NULL);
	MemoryContextSwitchTo(work.context);
	for (int64 i = 0; i < count; i++)
		updaters = lappend(updaters, ResultText(i, 1));
	EndWork(&work);
	return updaters;
}

/* Runs an updater, unless another worker does, or this one is to end. */
static void
RunIfIdle(const char *updater, const UpdateRequest *request, const Import *import)
{
	uint32 key = LockKey(updater);

	if (worker_terminated || !TakeLock(UPDATER_LOCK, key))
		return;
	FAULT_POINT("updater-locked");
	run_cancelled = false;
	RunsFunction(false);
	ReloadSettings();
	RunUpdater(updater, request->number, import, &run_cancelled);
	FAULT_POINT("updater-run");
	ReleaseLock(UPDATER_LOCK, key);
}

/* Imports what the call's segment says. The caller may have gone, and the segment with it. */
static void
WorkOffImport(const UpdateRequest *request)
{
	dsm_segment *segment = dsm_attach(request->segment);
	Import import;

	if (segment == NULL)
		return;
	FAULT_POINT("import-attached");
	import.call = dsm_segment_address(segment);
	for (int i = 0; i < import.call->count; i++)
	{
		import.part = &import.call->parts[i];
		RunIfIdle(import.part->updater, request, &import);
	}
}

static void
WorkOff(const UpdateRequest *request)
{
	List *updaters = RequestedUpdaters(request);
	ListCell *cell;

	foreach (cell, updaters)
		RunIfIdle(lfirst(cell), request, NULL);
}

void
UpdateWorkerMain(pg_attribute_unused() Datum argument)
{
	UpdateRequest request;

	memcpy(&request, MyBgworkerEntry->bgw_extra, sizeof(request));
	pqsignal(SIGINT, HandleCancel);
	pqsignal(SIGTERM, HandleTerminate);
	BeginWorker(&request.worker);
	/* Staging is maintenance work, and its tables are temporary ones. */
	SetConfigOption("temp_buffers", psprintf("%dkB", maintenance_work_mem), PGC_USERSET,
					PGC_S_OVERRIDE);
	FAULT_POINT("updater-begun");
	TakePlace(PLACE_LOCK, &clair_max_update_workers, "clair: waiting for other updates to end");
	FAULT_POINT("updater-placed");
	if (request.segment != 0)
		WorkOffImport(&request);
	else
		WorkOff(&request);
	pgstat_report_activity(STATE_IDLE, NULL);
	proc_exit(0);
}
