/*
 * worker.c
 *    The background worker: its life, and the locks that bound how many run.
 *
 * Started by clair.update() (update.c), connected as the session role of who called that.
 * Two kinds of session-level advisory locks: a worker takes one of clair.max_update_workers
 * places before it does anything, and an updater's lock before it runs that. Both end with
 * the process, whatever happens to it. SIGINT and SIGTERM both cancel the run, so that its
 * end is recorded; after SIGTERM the worker takes no other one.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "server/sql.h"
#include "update/run.h"
#include "update/settings.h"
#include "update/worker.h"

extern PGDLLEXPORT void UpdateWorkerMain(Datum argument);

/* Milliseconds between two looks for a free place. */
#define PLACE_INTERVAL 100

static volatile sig_atomic_t run_cancelled;
static volatile sig_atomic_t worker_terminated;

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
	HandleCancel(postgres_signal_arg);
}

/* Takes a session-level advisory lock unless another process has it. */
static bool
TakeLock(uint32 class, uint32 object)
{
	LOCKTAG tag;
	bool taken;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, class, object, 2);
	StartTransactionCommand();
	taken = LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
	CommitTransactionCommand();
	return taken;
}

static void
ReleaseLock(uint32 class, uint32 object)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, class, object, 2);
	LockRelease(&tag, ExclusiveLock, true);
}

/* The second key of an updater's lock: what hashtext() says in SQL. */
static uint32
LockKey(const char *updater)
{
	return hash_bytes((const unsigned char *) updater, (int) strlen(updater));
}

static void
ReloadSettings(void)
{
	if (!ConfigReloadPending)
		return;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
}

/* Waits until fewer than clair.max_update_workers others work. */
static void
TakePlace(void)
{
	for (;;)
	{
		for (int place = 0; place < clair_max_update_workers; place++)
			if (TakeLock(PLACE_LOCK, (uint32) place))
				return;
		pgstat_report_activity(STATE_RUNNING, "clair: waiting for other updates to end");
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, PLACE_INTERVAL,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		ReloadSettings();
	}
}

/* The updaters that the request means, in the order in which they are to run. */
static List *
RequestedUpdaters(const WorkerRequest *request)
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

/* Runs what of the request no other worker runs. */
static void
WorkOff(const WorkerRequest *request)
{
	List *updaters = RequestedUpdaters(request);
	ListCell *cell;

	foreach (cell, updaters)
	{
		const char *updater = lfirst(cell);
		uint32 key = LockKey(updater);

		if (worker_terminated || !TakeLock(UPDATER_LOCK, key))
			continue;
		run_cancelled = false;
		ReloadSettings();
		RunUpdater(updater, request->request, &run_cancelled);
		ReleaseLock(UPDATER_LOCK, key);
	}
}

/* What a role or a database may set for its sessions must not bend ours. */
static void
FixSettings(void)
{
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("session_replication_role", "origin", PGC_SUSET, PGC_S_OVERRIDE);

	/* Staging is maintenance work, and its tables are temporary ones. */
	SetConfigOption("temp_buffers", psprintf("%dkB", maintenance_work_mem), PGC_USERSET,
					PGC_S_OVERRIDE);
}

void
UpdateWorkerMain(pg_attribute_unused() Datum argument)
{
	WorkerRequest request;
	char name[NAMEDATALEN];

	memcpy(&request, MyBgworkerEntry->bgw_extra, sizeof(request));
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGINT, HandleCancel);
	pqsignal(SIGTERM, HandleTerminate);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(request.database, request.role, 0);
	FixSettings();
	snprintf(name, sizeof(name), "clair updater %s", request.updater);
	pgstat_report_appname(name);
	TakePlace();
	WorkOff(&request);
	pgstat_report_activity(STATE_IDLE, NULL);
	proc_exit(0);
}
