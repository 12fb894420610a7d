/*
 * policy.c
 *    Making and changing policies through the view clair.policy.
 *
 * The view's trigger is C because it must know who changes a policy, and because nobody needs
 * rights on the table: it is written as the extension's owner, by whoever may change the view.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/rel.h"

#include "server/audit.h"
#include "server/compat.h"
#include "server/owner.h"
#include "server/sql.h"

PG_FUNCTION_INFO_V1(set_policy);

#define POLICY_COLUMNS                                                                             \
	"name, minimum_severity, minimum_score, minimum_epss, exploited, fixable_only, grace_days,"    \
	" gaps, description, set_by"
#define POLICY_VALUES                                                                              \
	"$1, $2::clair.severity, $3::numeric, $4::real, $5::boolean, $6::boolean, $7::integer,"        \
	" $8::boolean, $9, $10"

/* Adds all columns of a row of the view. */
static void
AddColumns(SqlParameters *parameters, TupleDesc descriptor, HeapTuple row)
{
	for (int i = 1; i <= descriptor->natts; i++)
		AddText(parameters, SPI_getvalue(row, descriptor, i));
}

static void
InsertPolicy(const SqlParameters *policy, const char *name)
{
	SqlParameters named = {0};

	AddText(&named, name);
	if (RunSql("SELECT FROM clair.policy WHERE name = $1", &named) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT), errmsg("policy \"%s\" already exists", name)));
	RunSql("INSERT INTO clair.own_policy (" POLICY_COLUMNS ") VALUES (" POLICY_VALUES ")", policy);
}

static void
UpdatePolicy(const SqlParameters *policy, const char *old_name, const char *name)
{
	if (name == NULL || strcmp(old_name, name) != 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("the name of a policy cannot be changed")));
	RunSql("INSERT INTO clair.own_policy (" POLICY_COLUMNS ") VALUES (" POLICY_VALUES ")"
		   " ON CONFLICT (name) DO UPDATE SET"
		   "     minimum_severity = excluded.minimum_severity,"
		   "     minimum_score = excluded.minimum_score, minimum_epss = excluded.minimum_epss,"
		   "     exploited = excluded.exploited, fixable_only = excluded.fixable_only,"
		   "     grace_days = excluded.grace_days, gaps = excluded.gaps,"
		   "     description = excluded.description, set_by = excluded.set_by,"
		   "     set_at = excluded.set_at",
		   policy);
}

static void
DeletePolicy(const char *name)
{
	SqlParameters parameters = {0};

	AddText(&parameters, name);
	if (RunSql("DELETE FROM clair.own_policy WHERE name = $1", &parameters) == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("policy \"%s\" comes with the extension", name),
						errhint("It can be changed, and deleting it takes the change back.")));
}

/* Records what a policy is now. */
static void
RecordChange(const OwnerState *caller, const TriggerData *trigger, const char *name)
{
	TupleDesc descriptor = RelationGetDescr(trigger->tg_relation);
	AuditDetail *detail = NULL;
	HeapTuple row;

	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		RecordAction(caller, "drop_policy", name, NULL);
		return;
	}
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	for (int i = 2; i <= descriptor->natts; i++)
		detail = AddDetail(detail, NameStr(TupleDescAttr(descriptor, i - 1)->attname),
						   SPI_getvalue(row, descriptor, i));
	RecordAction(caller,
				 TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "alter_policy" : "create_policy",
				 name, detail);
}

Datum
set_policy(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	char *role = GetUserNameFromId(GetUserId(), false);
	SqlParameters policy = {0};
	OwnerState caller;
	TupleDesc descriptor;
	HeapTuple row;
	char *name;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_INSTEAD(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("clair.set_policy() is for the INSTEAD OF trigger of a view")));
	descriptor = RelationGetDescr(trigger->tg_relation);
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	name = SPI_getvalue(trigger->tg_trigtuple, descriptor, 1);
	AddColumns(&policy, descriptor, row);
	AddText(&policy, role);
	SPI_connect();
	BecomeOwner(&caller);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		InsertPolicy(&policy, name);
	else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		UpdatePolicy(&policy, name, SPI_getvalue(row, descriptor, 1));
	else
		DeletePolicy(name);
	RecordChange(&caller, trigger, name);
	ResumeCaller(&caller);
	SPI_finish();
	return PointerGetDatum(row);
}
