/*
 * history.c
 *    Forgetting what was said long ago: clair.forget_history().
 *
 * Whoever may execute the function may have it forgotten; the tables are written as the
 * extension's owner. What is current, and the runs that it is from, always stay.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "common/fault.h"
#include "server/audit.h"
#include "server/compat.h"
#include "server/owner.h"
#include "server/sql.h"

PG_FUNCTION_INFO_V1(forget_history);

/* The runs that ended before the time given as $1. */
#define OLD_RUNS "SELECT id FROM clair.update_run WHERE finished_at < $1::timestamptz"

Datum
forget_history(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SqlParameters parameters = {0};
	OwnerState caller;
	Datum values[3];
	bool nulls[3] = {false};

	PreventCommandIfReadOnly("clair.forget_history()");
	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	AddText(&parameters, DatumGetCString(DirectFunctionCall1(interval_out, PG_GETARG_DATUM(0))));
	BecomeOwner(&caller);
	SPI_connect();
	RunSql("SELECT now() - $1::interval", &parameters);
	parameters.count = 0;
	AddText(&parameters, ResultText(0, 1));
	RunSql("UPDATE clair.updater_state AS s SET forgotten = f.run"
		   " FROM (SELECT v.updater, max(v.until_run) AS run FROM clair.vulnerability AS v"
		   "       WHERE v.until_run IN (" OLD_RUNS ") GROUP BY v.updater) AS f"
		   " WHERE s.updater = f.updater",
		   &parameters);
	FAULT_POINT("history-marked");
	values[1] = Int64GetDatum(
		RunSql("DELETE FROM clair.affected"
			   " WHERE vulnerability_id IN (SELECT v.id FROM clair.vulnerability AS v"
			   "                            WHERE v.until_run IN (" OLD_RUNS "))",
			   &parameters));
	FAULT_POINT("history-ranges");
	values[0] = Int64GetDatum(
		RunSql("DELETE FROM clair.vulnerability WHERE until_run IN (" OLD_RUNS ")", &parameters));
	FAULT_POINT("history-vulnerabilities");
	values[2] = Int64GetDatum(RunSql(
		"DELETE FROM clair.update_run"
		" WHERE id IN (" OLD_RUNS "              EXCEPT SELECT since_run FROM clair.vulnerability"
		"              EXCEPT SELECT until_run FROM clair.vulnerability"
		"              EXCEPT SELECT max(id) FROM clair.update_run GROUP BY updater"
		"              EXCEPT SELECT max(id) FROM clair.update_run"
		"                     WHERE state IN ('succeeded', 'unchanged', 'dropped')"
		"                     GROUP BY updater)",
		&parameters));
	FAULT_POINT("history-forgotten");
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	if (DatumGetInt64(values[0]) + DatumGetInt64(values[1]) + DatumGetInt64(values[2]) > 0)
		RecordAction(&caller, "forget_history", NULL,
					 AddCount(AddCount(AddCount(NULL, "vulnerabilities", DatumGetInt64(values[0])),
									   "ranges", DatumGetInt64(values[1])),
							  "runs", DatumGetInt64(values[2])));
	SPI_finish();
	ResumeCaller(&caller);
	return (Datum) 0;
}
