/*
 * audit.c
 *    Recording who did what: rows of clair.audit; see audit.h and audit.sql.
 *
 * Called by every function that changes something for its caller, after it has. The table is
 * written with a plan that is kept, since whoever indexes writes a row each time.
 */
#include "postgres.h"

#include <limits.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "server/audit.h"
#include "server/clair.h"
#include "server/compat.h"
#include "server/sql.h"
#include "server/url.h"

PG_FUNCTION_INFO_V1(keep_audit);
PG_FUNCTION_INFO_V1(forget_audit);

#define SECONDS_OF_YEAR (365 * 24 * 60 * 60)

static int clair_audit_retention; /* seconds; 0 is for ever */

void
AuditInit(void)
{
	DefineCustomIntVariable("clair.audit_retention", "How long entries of clair.audit are kept.",
							"Zero keeps them for ever.", &clair_audit_retention, SECONDS_OF_YEAR, 0,
							INT_MAX, PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
}

AuditDetail *
AddDetail(AuditDetail *detail, const char *key, const char *value)
{
	if (detail == NULL)
		detail = palloc0(sizeof(AuditDetail));
	if (value == NULL)
		return detail;
	detail->keys = accumArrayResult(detail->keys, CStringGetTextDatum(key), false, TEXTOID,
									CurrentMemoryContext);
	detail->values = accumArrayResult(detail->values, CStringGetTextDatum(value), false, TEXTOID,
									  CurrentMemoryContext);
	return detail;
}

AuditDetail *
AddCount(AuditDetail *detail, const char *key, int64 value)
{
	return AddDetail(detail, key, psprintf(INT64_FORMAT, value));
}

AuditDetail *
ArgumentsDetail(FunctionCallInfo fcinfo, const char *const *names, int first, int end)
{
	AuditDetail *detail = AddDetail(NULL, NULL, NULL);

	for (int i = first; i < end; i++)
	{
		Oid output;
		bool is_varlena;

		if (names[i] == NULL || PG_ARGISNULL(i))
			continue;
		getTypeOutputInfo(get_fn_expr_argtype(fcinfo->flinfo, i), &output, &is_varlena);
		AddDetail(detail, names[i], OidOutputFunctionCall(output, PG_GETARG_DATUM(i)));
	}
	return detail;
}

char *
AuditedUrl(const char *text, bool with_path)
{
	const char *host;
	Url url;

	if (text == NULL || text[0] == '\0')
		return NULL;
	if (!ParseUrl(text, &url))
		return "";
	host = strrchr(url.authority, '@');
	return psprintf("%s://%s%s", url.scheme, host != NULL ? host + 1 : url.authority,
					with_path ? url.path : "");
}

void
RecordAction(const OwnerState *caller, const char *action, const char *object, AuditDetail *detail)
{
	static const char statement[] = "INSERT INTO clair.audit (role, action, object, detail)"
									" VALUES ($1, $2, $3, pg_catalog.jsonb_object($4, $5))";
	static SPIPlanPtr plan = NULL;
	Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID};
	Datum values[lengthof(types)] = {0};
	char nulls[] = "  nnn";

	if (plan == NULL)
	{
		SPIPlanPtr made = SPI_prepare(statement, lengthof(types), types);

		if (made == NULL || SPI_keepplan(made) != 0)
			elog(ERROR, "SPI failed: %s", statement);
		plan = made;
	}
	values[0] = CStringGetTextDatum(GetUserNameFromId(caller->user, false));
	values[1] = CStringGetTextDatum(action);
	if (object != NULL)
	{
		values[2] = CStringGetTextDatum(object);
		nulls[2] = ' ';
	}
	if (detail != NULL && detail->keys != NULL)
	{
		values[3] = makeArrayResult(detail->keys, CurrentMemoryContext);
		values[4] = makeArrayResult(detail->values, CurrentMemoryContext);
		nulls[3] = nulls[4] = ' ';
	}
	if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "SPI failed: %s", statement);
}

/* Before when an entry must have been made to be deleted. */
static TimestampTz
RetentionLimit(void)
{
	return TimestampTzPlusMilliseconds(GetCurrentTransactionStartTimestamp(),
									   -(int64) clair_audit_retention * 1000);
}

Datum
keep_audit(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	bool is_null;
	Datum at;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("clair.keep_audit() is for triggers of clair.audit")));
	if (!TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("entries of clair.audit are not changed")));
	at = heap_getattr(trigger->tg_trigtuple,
					  SPI_fnumber(RelationGetDescr(trigger->tg_relation), "at"),
					  RelationGetDescr(trigger->tg_relation), &is_null);
	if (is_null || clair_audit_retention == 0 || DatumGetTimestampTz(at) >= RetentionLimit())
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("entries of clair.audit are kept for clair.audit_retention"),
						errhint("clair.forget_audit() deletes those that are older.")));
	return PointerGetDatum(trigger->tg_trigtuple);
}

Datum
forget_audit(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	OwnerState caller;
	int64 count = 0;

	(void) fcinfo;
	PreventCommandIfReadOnly("clair.forget_audit()");
	if (clair_audit_retention == 0)
		PG_RETURN_INT64(0);
	AddText(&parameters, timestamptz_to_str(RetentionLimit()));
	BecomeOwner(&caller);
	SPI_connect();
	count = RunSql("DELETE FROM clair.audit WHERE at < $1::timestamptz", &parameters);
	if (count > 0)
		RecordAction(&caller, "forget_audit", NULL, AddCount(NULL, "entries", count));
	SPI_finish();
	ResumeCaller(&caller);
	PG_RETURN_INT64(count);
}
