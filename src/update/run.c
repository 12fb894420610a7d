/*
 * run.c
 *    One run of one updater, from its row in clair.update_run to its end.
 *
 * Runs in a background worker (worker.c), which holds the updater's advisory lock: so a row
 * that says "running" is of a worker that was killed. Fetching happens outside transactions,
 * everything else in short ones, and what readers see changes in one at the end (apply.c).
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/fault.h"
#include "server/sql.h"
#include "server/worker.h"
#include "update/apply.h"
#include "update/function.h"
#include "update/run.h"

/* Milliseconds between two writes of the run's row. */
#define PROGRESS_INTERVAL 1000

static RunApplied run_applied; /* set once, when the library is loaded */

void
OnRunApplied(RunApplied callback)
{
	run_applied = callback;
}

void
AnnounceApplied(int64 run, const char *updater, bool first)
{
	if (run_applied != NULL)
		run_applied(run, updater, first);
}

static void
SaveProgress(UpdateRun *run)
{
	SqlParameters parameters = {0};
	Work work;

	BeginWork(&work);
	AddInteger(&parameters, run->id);
	AddText(&parameters, run->phase);
	AddInteger(&parameters, run->document_count);
	AddInteger(&parameters, run->bytes);
	AddInteger(&parameters, run->records);
	RunSql("UPDATE clair.update_run SET phase = $2, documents = $3, bytes = $4, records = $5"
		   " WHERE id = $1",
		   &parameters);
	EndWork(&work);
	run->saved_at = GetCurrentTimestamp();
}

void
ReportProgress(UpdateRun *run)
{
	char activity[256];

	snprintf(activity, sizeof(activity),
			 "clair: %s: %s " INT64_FORMAT " MB, " INT64_FORMAT " documents, " INT64_FORMAT
			 " records",
			 run->settings.name, run->phase, (run->bytes + run->pending) >> 20, run->document_count,
			 run->records);
	pgstat_report_activity(STATE_RUNNING, activity);
	if (TimestampDifferenceExceeds(run->saved_at, GetCurrentTimestamp(), PROGRESS_INTERVAL))
		SaveProgress(run);
}

/* Reads how far the updater has come: in that place, and in the way of this version. */
static void
LoadState(UpdateRun *run)
{
	SqlParameters parameters = {0};
	MemoryContext old_context;

	AddText(&parameters, run->settings.name);
	AddText(&parameters, run->settings.origin);
	AddInteger(&parameters, run->settings.revision);
	if (RunSql("SELECT (revision <> $3)::integer,"
			   "     CASE WHEN revision = $3 AND url = $2 THEN state END"
			   " FROM clair.updater_state WHERE updater = $1",
			   &parameters) == 0)
		return;
	run->anew = ResultInteger(0, 1) != 0;
	old_context = MemoryContextSwitchTo(run->context);
	run->old_state = ResultText(0, 2);
	MemoryContextSwitchTo(old_context);
}

/*
 * Writes the run's row, and ends the rows that killed workers left. False when the updater
 * has had a run of this request: another worker of the same call was faster.
 */
static bool
BeginRun(UpdateRun *run, const char *updater, int64 request)
{
	SqlParameters parameters = {0};
	Work work;
	bool begun;

	BeginWork(&work);
	LoadUpdater(updater, &run->settings, run->context);
	if (run->import != NULL)
	{
		MemoryContext old_context = MemoryContextSwitchTo(run->context);

		SetImport(&run->settings, run->import);
		MemoryContextSwitchTo(old_context);
	}
	LoadState(run);
	AddText(&parameters, updater);
	RunSql("UPDATE clair.update_run SET state = 'failed', finished_at = now(),"
		   "     error = 'its worker ended unexpectedly'"
		   " WHERE updater = $1 AND state = 'running'",
		   &parameters);
	AddInteger(&parameters, request);
	AddText(&parameters, GetUserNameFromId(GetSessionUserId(), false));
	AddInteger(&parameters, MyProcPid);
	AddText(&parameters, run->import != NULL ? run->import->part->as_of : "");
	begun = RunSql("INSERT INTO clair.update_run"
				   "     (updater, request, requested_by, state, phase, first, process, started_at,"
				   "      as_of)"
				   " SELECT $1, $2, $3, 'running', 'fetch',"
				   "     COALESCE((SELECT r.state = 'dropped' FROM clair.update_run AS r"
				   "               WHERE r.updater = $1"
				   "                   AND r.state IN ('succeeded', 'unchanged', 'dropped')"
				   "               ORDER BY r.id DESC LIMIT 1), true),"
				   "     $4, clock_timestamp(), NULLIF($5, '')::timestamptz"
				   " WHERE NOT EXISTS (SELECT FROM clair.update_run AS r"
				   "                       WHERE r.updater = $1 AND r.request = $2)"
				   " RETURNING id, first::integer",
				   &parameters) == 1;
	if (begun)
	{
		run->id = ResultInteger(0, 1);
		run->first = ResultInteger(0, 2) != 0;
	}
	FAULT_POINT("run-begun");
	EndWork(&work);
	run->phase = "fetch";
	run->saved_at = GetCurrentTimestamp();
	return begun;
}

/* Ends the run as failed or cancelled, unless it failed when it had succeeded: then it has. */
static void
RecordFailure(UpdateRun *run, const ErrorData *error, bool cancelled)
{
	SqlParameters parameters = {0};
	Work work;

	BeginWork(&work);
	AddInteger(&parameters, run->id);
	AddText(&parameters, cancelled ? "cancelled" : "failed");
	AddText(&parameters, error->message);
	AddText(&parameters, error->detail);
	AddText(&parameters, error->hint);
	AddText(&parameters, run->phase);
	AddInteger(&parameters, run->document_count);
	AddInteger(&parameters, run->bytes);
	AddInteger(&parameters, run->records);
	RunSql("UPDATE clair.update_run SET state = $2, finished_at = clock_timestamp(), error = $3,"
		   "     error_detail = $4, error_hint = $5, phase = $6, documents = $7, bytes = $8,"
		   "     records = $9"
		   " WHERE id = $1 AND state = 'running'",
		   &parameters);
	EndWork(&work);
}

/* Nothing has changed since the last run. */
static void
RecordUnchanged(UpdateRun *run)
{
	SqlParameters parameters = {0};
	Work work;

	BeginWork(&work);
	AddInteger(&parameters, run->id);
	FAULT_POINT("run-unchanged");
	RunSql("UPDATE clair.update_run"
		   " SET state = 'unchanged', phase = 'done', finished_at = clock_timestamp()"
		   " WHERE id = $1",
		   &parameters);
	EndWork(&work);
}

static void
AddContext(void *argument)
{
	const UpdateRun *run = argument;

	errcontext("update of \"%s\", run " INT64_FORMAT ", phase \"%s\"", run->settings.name, run->id,
			   run->phase);
}

static void
GoThroughPhases(UpdateRun *run)
{
	ErrorContextCallback context = {.previous = error_context_stack,
									.callback = AddContext,
									.arg = run};

	error_context_stack = &context;
	ReportProgress(run);
	FAULT_POINT("run-recorded");
	if (run->settings.function != NULL)
		StageFunction(run);
	else
		ReadDocuments(run);
	FAULT_POINT("run-read");
	if (run->staged || ForgottenDocuments(run) != NIL)
		ApplyRun(run);
	else
		RecordUnchanged(run);
	FAULT_POINT("run-applied");
	error_context_stack = context.previous;
}

void
RunUpdater(const char *updater, int64 request, const Import *import,
		   volatile sig_atomic_t *cancelled)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "clair run",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	UpdateRun *run = palloc0(sizeof(UpdateRun));

	run->context = context;
	run->import = import;
	if (BeginRun(run, updater, request))
	{
		PG_TRY();
		{
			GoThroughPhases(run);
		}
		PG_CATCH();
		{
			ErrorData *error = AbortWork(context);

			MemoryContextDeleteChildren(context); /* ends helpers, closes files */
			FAULT_POINT("run-failed");
			RecordFailure(run, error, *cancelled);
		}
		PG_END_TRY();
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}
