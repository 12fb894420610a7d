/*
 * worker.c
 *    Background workers: starting them, waiting for them, and what they do at first.
 *
 * How many work at once is bounded by places: each worker takes the session-level advisory lock
 * of one before it does anything. Such locks end with the process, whatever happens to it.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

#include "common/fault.h"
#include "server/worker.h"

/* Milliseconds between two looks for a free place. */
#define PLACE_INTERVAL 100

void
CheckMayStartWorkers(const char *function)
{
	if (RecoveryInProgress())
		ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
						errmsg("cannot execute %s during recovery", function),
						errhint("Call it on the primary server.")));
	if (XactReadOnly)
		ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
						errmsg("cannot execute %s in a read-only transaction", function)));
}

void
CheckMayWaitForWorkers(const char *function, const char *hint)
{
	const char *reason;

	if (IsolationUsesXactSnapshot())
		reason = "that is not READ COMMITTED";
	else if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		reason = "that has already written";
	else
		return;
	ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
					errmsg("%s cannot wait in a transaction %s", function, reason),
					errdetail("Its workers have transactions of their own."), errhint("%s", hint)));
}

bool
StartWorker(Workers *workers, const char *function, const char *type, const char *name,
			WorkerRequest *request, Size size)
{
	BackgroundWorker worker;

	Assert(size <= BGW_EXTRALEN);
	request->database = MyDatabaseId;
	request->role = GetSessionUserId();
	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "$libdir/clair", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, function, sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, name, sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, type, sizeof(worker.bgw_type));
	memcpy(worker.bgw_extra, request, size);
	if (!RegisterDynamicBackgroundWorker(&worker, &workers->handles[workers->count]))
		return false;
	workers->count++;
	return true;
}

void
CheckAnyWorker(const Workers *workers)
{
	if (workers->count == 0)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
						errmsg("could not start a background worker"),
						errhint("All are in use: try again later, or raise "
								"max_worker_processes.")));
}

void
TerminateWorkers(pg_attribute_unused() int code, Datum argument)
{
	Workers *workers = (Workers *) DatumGetPointer(argument);

	for (int i = 0; i < workers->count; i++)
		TerminateBackgroundWorker(workers->handles[i]);
}

void
WaitForWorkers(Workers *workers)
{
	for (int i = 0; i < workers->count; i++)
		if (WaitForBackgroundWorkerShutdown(workers->handles[i]) == BGWH_POSTMASTER_DIED)
			ereport(ERROR, (errcode(ERRCODE_ADMIN_SHUTDOWN),
							errmsg("the server ended while background workers were waited for")));
}

void
BeginWorker(const WorkerRequest *request)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(request->database, request->role, 0);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("session_replication_role", "origin", PGC_SUSET, PGC_S_OVERRIDE);
	pgstat_report_appname(MyBgworkerEntry->bgw_name);
	FAULT_POINT("worker-begun");
}

void
ReloadSettings(void)
{
	if (!ConfigReloadPending)
		return;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
}

bool
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

void
ReleaseLock(uint32 class, uint32 object)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, class, object, 2);
	LockRelease(&tag, ExclusiveLock, true);
}

void
TakePlace(uint32 class, const int *places, const char *activity)
{
	for (;;)
	{
		for (int place = 0; place < *places; place++)
			if (TakeLock(class, (uint32) place))
				return;
		pgstat_report_activity(STATE_RUNNING, activity);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, PLACE_INTERVAL,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		ReloadSettings();
	}
}

static void
StartWork(Work *work)
{
	work->context = CurrentMemoryContext;
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
}

void
BeginWork(Work *work)
{
	StartWork(work);
	BecomeOwner(&work->owner);
}

void
BeginWorkAs(Work *work, Oid role)
{
	StartWork(work);
	BecomeRole(&work->owner, role);
}

void
EndWork(Work *work)
{
	ResumeCaller(&work->owner);
	PopActiveSnapshot();
	SPI_finish();
	CommitTransactionCommand();
	pgstat_report_stat(true);
	MemoryContextSwitchTo(work->context);
}

ErrorData *
AbortWork(MemoryContext context)
{
	ErrorData *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(context);
	return error;
}
