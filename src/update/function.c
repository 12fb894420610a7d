/*
 * function.c
 *    Updaters that are functions of the database: calling them, and judging their rows.
 *
 * A function runs as the role that registered it, in a transaction of its own that is read-only
 * and a security-restricted operation, with a search_path that the caller of clair.update() has no
 * part in. Who could change the function must be able to act as that role anyway. Its rows go into
 * a temporary table past the executor, and only what is in there then reaches the statements of
 * the extension's owner: they sort out what is broken, and stage the rest as clair-reader's rows
 * are (stage.c), for apply.c to compare.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/guc.h"
#include "utils/rel.h"

#include "common/fault.h"
#include "server/owner.h"
#include "server/settings.h"
#include "server/sql.h"
#include "update/advisory.h"
#include "update/function.h"
#include "update/settings.h"
#include "update/stage.h"
#include "update/worker.h"

/* Rows that are taken from the function at a time. */
#define FETCH_ROWS 1000

static const char create_tables[] =
	"DROP TABLE IF EXISTS pg_temp.stage_advisory, pg_temp.stage_judged;"
	/* what the function returned */
	"CREATE TEMPORARY TABLE stage_advisory OF clair.advisory;"
	/* the same, and what is wrong with it */
	"CREATE TEMPORARY TABLE stage_judged (LIKE clair.advisory, format text, problem text,"
	"     digest text COLLATE \"C\");";

char *
CheckUpdaterFunction(const char *function, const char *role, Oid *role_id)
{
	SqlParameters parameters = {0};

	AddText(&parameters, function);
	AddText(&parameters, role);
	if (RunSql("SELECT r.oid FROM pg_roles AS r WHERE r.rolname = $2 AND $1 IS NOT NULL",
			   &parameters) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\", as which function %s runs, does not exist", role, function),
				 errhint("Drop the updater, and create it as another role.")));
	*role_id = (Oid) ResultInteger(0, 1);
	if (RunSql("SELECT quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '()',"
			   "     (p.pronargs = 0 AND p.proretset AND p.prokind = 'f'"
			   "         AND p.prorettype = 'clair.advisory'::regtype)::integer,"
			   "     has_function_privilege($2, p.oid, 'EXECUTE')::integer,"
			   "     pg_has_role(p.proowner, $2, 'MEMBER')::integer,"
			   "     pg_get_userbyid(p.proowner)"
			   " FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
			   " WHERE p.oid = to_regprocedure($1)",
			   &parameters) == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
						errmsg("function %s does not exist", function)));
	if (ResultInteger(0, 2) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function %s cannot be an updater", function),
				 errdetail("An updater takes no arguments and returns SETOF clair.advisory.")));
	if (ResultInteger(0, 3) == 0)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for function %s", function),
						errdetail("Role \"%s\", as which it runs, may not execute it.", role)));
	if (ResultInteger(0, 4) == 0)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("function %s cannot be an updater of role \"%s\"", function, role),
						errdetail("Its owner, \"%s\", could let it do what it likes as that role.",
								  ResultText(0, 5)),
						errhint("Create the updater as the function's owner.")));
	return ResultText(0, 1);
}

/* The bytes of a row, wherever they are. */
static int64
RowSize(HeapTuple row, TupleDesc descriptor)
{
	int64 size = row->t_len;

	for (int column = 1; column <= descriptor->natts; column++)
	{
		bool is_null;
		Datum value = heap_getattr(row, column, descriptor, &is_null);

		if (!is_null && TupleDescAttr(descriptor, column - 1)->attlen == -1 &&
			VARATT_IS_EXTENDED(DatumGetPointer(value)))
			size += (int64) toast_raw_datum_size(value);
	}
	return size;
}

/* Counts rows against the limits. */
static void
CountRows(UpdateRun *run, const SPITupleTable *rows, uint64 count)
{
	ClairLimits limits = CurrentLimits();

	run->items += (int64) count;
	if (run->items > clair_max_advisories)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("function %s returns more than %d rows", run->settings.function,
							   clair_max_advisories),
						errhint("See clair.max_advisories.")));
	for (uint64 i = 0; i < count; i++)
	{
		int64 size = RowSize(rows->vals[i], rows->tupdesc);

		if (size > limits.max_record_size)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("function %s returns a row of " INT64_FORMAT " bytes",
								   run->settings.function, size),
							errhint("See clair.max_record_size.")));
		run->bytes += size;
	}
	if (run->bytes > limits.max_document_size)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("function %s returns more than " INT64_FORMAT " bytes",
							   run->settings.function, limits.max_document_size),
						errhint("See clair.max_document_size.")));
}

/* Stores rows in the temporary table, which has neither indexes nor triggers. */
static void
StoreRows(const SPITupleTable *rows, uint64 count)
{
	Relation relation = table_openrv(makeRangeVar("pg_temp", "stage_advisory", -1),
									 RowExclusiveLock);
	TupleTableSlot **slots = palloc(sizeof(TupleTableSlot *) * count);

	for (uint64 i = 0; i < count; i++)
	{
		slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsHeapTuple);
		ExecStoreHeapTuple(rows->vals[i], slots[i], false);
	}
	table_multi_insert(relation, slots, (int) count, GetCurrentCommandId(true), 0, NULL);
	for (uint64 i = 0; i < count; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	pfree(slots);
	table_close(relation, NoLock);
}

static void
CollectRows(UpdateRun *run, const char *call, Oid role)
{
	Work work;
	Portal portal;

	BeginWorkAs(&work, role);
	RestrictToRole(role);
	FAULT_POINT("function-begun");
	portal = SPI_cursor_open_with_args(NULL, psprintf("SELECT * FROM %s", call), 0, NULL, NULL,
									   NULL, true, CURSOR_OPT_NO_SCROLL);
	for (SPI_cursor_fetch(portal, true, FETCH_ROWS); SPI_processed > 0;
		 SPI_cursor_fetch(portal, true, FETCH_ROWS))
	{
		CountRows(run, SPI_tuptable, SPI_processed);
		FAULT_POINT("function-rows");
		StoreRows(SPI_tuptable, SPI_processed);
		SPI_freetuptable(SPI_tuptable);
	}
	FAULT_POINT("function-read");
	SPI_cursor_close(portal);
	EndWork(&work);
}

/* Sorts out the rows that are broken. */
static void
JudgeRows(void)
{
	RunSql("INSERT INTO pg_temp.stage_judged"
		   " SELECT j.*, encode(sha256(convert_to(j::text, 'UTF8')), 'hex')"
		   " FROM " JUDGED("pg_temp.stage_advisory") " AS j",
		   NULL);
	RunSql("ANALYZE pg_temp.stage_judged", NULL);
	RunSql("INSERT INTO pg_temp.stage_broken (document, record, reason)"
		   " SELECT 'function', left(vulnerability, 512), problem FROM pg_temp.stage_judged"
		   " WHERE problem IS NOT NULL",
		   NULL);
}

/* Stages the vulnerabilities, and the rows that are not broken as their ranges. */
static void
StageRows(UpdateRun *run)
{
	run->records = RunSql(
		"INSERT INTO pg_temp.stage_record (document, record, digest)"
		" SELECT 'function', vulnerability,"
		"     encode(sha256(convert_to(string_agg(DISTINCT digest, '' ORDER BY digest), 'UTF8')),"
		"         'hex')"
		" FROM pg_temp.stage_judged"
		" WHERE clair.is_name(vulnerability)"
		" GROUP BY vulnerability",
		NULL);
	RunSql("ANALYZE pg_temp.stage_record", NULL);
	run->items = RunSql(
		"INSERT INTO pg_temp.stage_vulnerability"
		"     (item, record, name, digest, description, link, aliases)"
		" SELECT row_number() OVER (ORDER BY j.vulnerability COLLATE \"C\"), j.vulnerability,"
		"     j.vulnerability, left(r.digest, 32), j.description, j.link, a.aliases"
		" FROM (SELECT vulnerability, min(description COLLATE \"C\") AS description,"
		"           min(link COLLATE \"C\") AS link"
		"       FROM pg_temp.stage_judged WHERE problem IS NULL GROUP BY vulnerability) AS j"
		"     JOIN pg_temp.stage_record AS r ON r.record = j.vulnerability"
		"     LEFT JOIN (SELECT s.vulnerability,"
		"                    string_agg(DISTINCT alias COLLATE \"C\", ' '"
		"                        ORDER BY alias COLLATE \"C\") AS aliases"
		"                FROM pg_temp.stage_judged AS s, unnest(s.aliases) AS alias"
		"                WHERE s.problem IS NULL GROUP BY s.vulnerability) AS a"
		"         ON a.vulnerability = j.vulnerability",
		NULL);
	RunSql("ANALYZE pg_temp.stage_vulnerability", NULL);
	RunSql("INSERT INTO pg_temp.stage_affected"
		   "     (item, number, namespace, kind, package, format, introduced, fixed, last_affected,"
		   "      status, severity, architectures, module, flavour, repositories, advisory)"
		   " SELECT v.item, row_number() OVER (PARTITION BY v.item ORDER BY d) - 1, d.namespace,"
		   "     d.kind, d.package, d.format, d.introduced, d.fixed, d.last_affected, d.status,"
		   "     d.severity, d.architectures, d.module, d.flavour, d.repositories, d.advisory"
		   " FROM (SELECT DISTINCT vulnerability, namespace,"
		   "           (" ADVISORY_KIND ")::text AS kind,"
		   "           package, format, introduced, fixed, last_affected,"
		   "           (" ADVISORY_STATUS ")::text AS status,"
		   "           (" ADVISORY_SEVERITY ")::text AS severity,"
		   "           " ADVISORY_ARCHITECTURES " AS architectures, module, flavour,"
		   "           " ADVISORY_REPOSITORIES " AS repositories, advisory"
		   "       FROM pg_temp.stage_judged WHERE problem IS NULL) AS d"
		   "     JOIN pg_temp.stage_vulnerability AS v ON v.record = d.vulnerability",
		   NULL);
}

void
StageFunction(UpdateRun *run)
{
	Work work;
	Oid role;
	char *call;

	run->phase = "stage";
	ReportProgress(run);
	CreateStagingTables(run);
	BeginWork(&work);
	call = CheckUpdaterFunction(run->settings.function, run->settings.set_by, &role);
	call = MemoryContextStrdup(work.context, call);
	RunSql(create_tables, NULL);
	EndWork(&work);

	RunsFunction(true);
	CollectRows(run, call, role);
	RunsFunction(false);
	run->items = 0;

	BeginWork(&work);
	/* Each statement is run once. */
	set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	FAULT_POINT("function-collected");
	JudgeRows();
	FAULT_POINT("function-judged");
	StageRows(run);
	EndWork(&work);
}

void
StageFunctionState(const UpdateRun *run)
{
	SqlParameters parameters = {0};

	AddText(&parameters, run->settings.document);
	AddText(&parameters, run->settings.function);
	AddInteger(&parameters, run->bytes);
	RunSql("INSERT INTO pg_temp.stage_document (name, url, optional, mode, size, named)"
		   " VALUES ($1, $2, false, 'plain', $3, true)",
		   &parameters);
}
