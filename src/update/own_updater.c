/*
 * own_updater.c
 *    Updaters of the user's own: clair.create_updater() and clair.drop_updater().
 *
 * Whoever may execute the functions may make and drop updaters; the tables are written as the
 * extension's owner, and a file is read with the rights of who made the updater. All happens in
 * the caller's transaction. An updater that runs is not dropped: both hold its advisory lock.
 *
 * A name may be used again. What it brought before stays in the history under that name; the run of
 * state "dropped" is where one ends, and the next one's first run is a first one again.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/regproc.h"

#include "common/fault.h"
#include "server/audit.h"
#include "server/owner.h"
#include "server/sql.h"
#include "update/function.h"
#include "update/run.h"
#include "update/updater.h"
#include "update/worker.h"

PG_FUNCTION_INFO_V1(create_updater);
PG_FUNCTION_INFO_V1(create_function_updater);
PG_FUNCTION_INFO_V1(drop_updater);

static char *
RequiredText(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("argument \"%s\" must not be null", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static void
CheckName(const char *name)
{
	SqlParameters parameters = {0};

	if (strlen(name) >= UPDATER_NAME_SIZE || name[0] < 'a' || name[0] > 'z' ||
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != strlen(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME), errmsg("invalid name \"%s\" of an updater", name),
				 errhint("It begins with a lower-case letter, and has such letters, digits, "
						 "\"-\", \"_\" and \".\": at most %d of them.",
						 UPDATER_NAME_SIZE - 1)));
	if (strcmp(name, "local") == 0)
		ereport(ERROR, (errcode(ERRCODE_RESERVED_NAME),
						errmsg("updater \"local\" is that of clair.local_advisory")));
	AddText(&parameters, name);
	if (RunSql("SELECT FROM clair.updater_definition WHERE name = $1", &parameters) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT), errmsg("updater \"%s\" already exists", name)));
}

static void
CheckOptions(const char *format, const char *options)
{
	SqlParameters parameters = {0};

	AddText(&parameters, format);
	AddText(&parameters, options);
	RunSql("SELECT clair.check_updater_options($1, $2::jsonb)", &parameters);
}

/* Statuses of images follow; and plans, since autovacuum leaves so few rows alone. */
static void
UpdatersHaveChanged(void)
{
	RunSql("SELECT clair.refresh_image_status()", NULL);
	RunSql("ANALYZE clair.own_updater", NULL);
}

/* Stores it; of url and function one is NULL. */
static void
StoreUpdater(const char *name, const char *format, const char *url, const char *function,
			 const char *options, const char *role)
{
	SqlParameters parameters = {0};

	AddText(&parameters, name);
	AddText(&parameters, format);
	AddText(&parameters, url);
	AddText(&parameters, function);
	AddText(&parameters, options);
	AddText(&parameters, role);
	/* Another session may have been faster. */
	if (RunSql("INSERT INTO clair.own_updater"
			   "     (name, format, url, function, options, namespaces, set_by)"
			   " VALUES ($1, $2, $3, $4, $5::jsonb, clair.covered_namespaces($2, $5::jsonb), $6)"
			   " ON CONFLICT (name) DO NOTHING",
			   &parameters) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT), errmsg("updater \"%s\" already exists", name)));
	FAULT_POINT("updater-stored");
	UpdatersHaveChanged();
}

static void
CheckFormat(const char *format)
{
	SqlParameters parameters = {0};

	AddText(&parameters, format);
	if (RunSql("SELECT FROM clair.updater_format WHERE name = $1", &parameters) > 0)
		return;
	RunSql("SELECT string_agg(name, ', ' ORDER BY name) FROM clair.updater_format", NULL);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("unknown format \"%s\" of updaters", format),
			 errhint("Formats are: %s.", ResultText(0, 1))));
}

static char *
OptionsArgument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? "{}" : JsonbToCString(NULL, &PG_GETARG_JSONB_P(number)->root, 0);
}

Datum
create_updater(PG_FUNCTION_ARGS)
{
	char *name = RequiredText(fcinfo, 0, "name");
	char *url = RequiredText(fcinfo, 1, "url");
	char *format = RequiredText(fcinfo, 2, "format");
	char *options = OptionsArgument(fcinfo, 3);
	char *role = GetUserNameFromId(GetUserId(), false);
	OwnerState caller;

	PreventCommandIfReadOnly("clair.create_updater()");
	CheckUpdaterUrl(url);
	SPI_connect();
	BecomeOwner(&caller);
	CheckName(name);
	CheckFormat(format);
	CheckOptions(format, options);
	StoreUpdater(name, format, url, NULL, options, role);
	RecordAction(&caller, "create_updater", name,
				 AddDetail(AddDetail(AddDetail(NULL, "format", format), "url",
									 AuditedUrl(url, true)),
						   "options", options));
	ResumeCaller(&caller);
	SPI_finish();
	PG_RETURN_VOID();
}

/* clair.create_updater(name text, function regprocedure, options jsonb) */
Datum
create_function_updater(PG_FUNCTION_ARGS)
{
	char *name = RequiredText(fcinfo, 0, "name");
	char *options = OptionsArgument(fcinfo, 2);
	char *role = GetUserNameFromId(GetUserId(), false);
	char *function;
	OwnerState caller;
	Oid role_id;

	PreventCommandIfReadOnly("clair.create_updater()");
	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("argument \"function\" must not be null")));
	function = format_procedure_qualified(PG_GETARG_OID(1));
	SPI_connect();
	BecomeOwner(&caller);
	CheckName(name);
	CheckOptions("sql", options);
	function = CheckUpdaterFunction(function, role, &role_id);
	StoreUpdater(name, "sql", NULL, function, options, role);
	RecordAction(&caller, "create_updater", name,
				 AddDetail(AddDetail(NULL, "function", function), "options", options));
	ResumeCaller(&caller);
	SPI_finish();
	PG_RETURN_VOID();
}

/* Checks that it can be dropped, and keeps it from running until we are done. */
static void
ClaimForDrop(const char *name)
{
	SqlParameters parameters = {0};

	AddText(&parameters, name);
	if (RunSql("SELECT format FROM clair.updater_definition WHERE name = $1", &parameters) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("updater \"%s\" does not exist", name)));
	if (ResultText(0, 1) == NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("updater \"%s\" comes with the extension", name),
						errhint("It is not run by clair.update() without a name after UPDATE "
								"clair.updater SET enabled = false.")));
	AddInteger(&parameters, UPDATER_LOCK);
	RunSql("SELECT pg_try_advisory_xact_lock($2::integer, hashtext($1))::integer", &parameters);
	if (ResultInteger(0, 1) == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE), errmsg("updater \"%s\" is running", name),
						errhint("Try again when it has ended, see clair.update_status.")));
}

/* Ends what the updater brought, as a run does that finds nothing of it; the number of the run. */
static int64
Withdraw(const char *name, const char *role, int64 *withdrawn)
{
	SqlParameters parameters = {0};
	int64 run;

	AddText(&parameters, name);
	AddText(&parameters, role);
	AddInteger(&parameters, MyProcPid);
	RunSql("INSERT INTO clair.update_run (updater, request, requested_by, state, phase, first,"
		   "     process, started_at, finished_at, withdrawn)"
		   " SELECT $1, 0, $2, 'dropped', 'done', false, $3, clock_timestamp(), clock_timestamp(),"
		   "     (SELECT count(*) FROM clair.vulnerability"
		   "      WHERE updater = $1 AND until_run IS NULL AND frozen IS NULL)"
		   " RETURNING id, withdrawn",
		   &parameters);
	run = ResultInteger(0, 1);
	*withdrawn = ResultInteger(0, 2);
	parameters.count = 1;
	AddInteger(&parameters, run);
	RunSql("UPDATE clair.affected SET until_run = $2"
		   " WHERE until_run IS NULL AND vulnerability_id IN"
		   "     (SELECT id FROM clair.vulnerability WHERE updater = $1 AND until_run IS NULL)",
		   &parameters);
	RunSql("UPDATE clair.vulnerability SET until_run = $2"
		   " WHERE updater = $1 AND until_run IS NULL",
		   &parameters);
	return run;
}

static void
Forget(const char *name)
{
	SqlParameters parameters = {0};

	AddText(&parameters, name);
	RunSql("DELETE FROM clair.record WHERE updater = $1", &parameters);
	RunSql("DELETE FROM clair.document WHERE updater = $1", &parameters);
	RunSql("DELETE FROM clair.frozen_namespace WHERE updater = $1", &parameters);
	/* How much of its history is left is still to be known. */
	RunSql("UPDATE clair.updater_state SET state = NULL WHERE updater = $1", &parameters);
	RunSql("DELETE FROM clair.updater_setting WHERE name = $1", &parameters);
	RunSql("DELETE FROM clair.own_updater WHERE name = $1", &parameters);
	UpdatersHaveChanged();
}

Datum
drop_updater(PG_FUNCTION_ARGS)
{
	char *name = RequiredText(fcinfo, 0, "name");
	char *role = GetUserNameFromId(GetUserId(), false);
	OwnerState caller;
	int64 withdrawn;
	int64 run;

	PreventCommandIfReadOnly("clair.drop_updater()");
	SPI_connect();
	BecomeOwner(&caller);
	ClaimForDrop(name);
	FAULT_POINT("updater-claimed");
	run = Withdraw(name, role, &withdrawn);
	FAULT_POINT("updater-withdrawn");
	Forget(name);
	FAULT_POINT("updater-forgotten");
	if (withdrawn > 0)
		AnnounceApplied(run, name, false);
	FAULT_POINT("updater-dropped");
	RecordAction(&caller, "drop_updater", name, NULL);
	ResumeCaller(&caller);
	SPI_finish();
	PG_RETURN_INT64(withdrawn);
}
