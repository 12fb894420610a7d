/*
 * consumer.c
 *    Consumers: clair.create_consumer(), alter_consumer(), drop_consumer(), rewind_consumer().
 *
 * Whoever may execute the first may make consumers, and owns them; the others are for members of
 * the role that owns the consumer. The tables are written as the extension's owner.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "notify/consumer.h"
#include "server/audit.h"
#include "server/sql.h"

PG_FUNCTION_INFO_V1(create_consumer);
PG_FUNCTION_INFO_V1(alter_consumer);
PG_FUNCTION_INFO_V1(drop_consumer);
PG_FUNCTION_INFO_V1(rewind_consumer);

void
OpenConsumer(Consumer *consumer, const char *function, const char *name, OwnerState *caller)
{
	SqlParameters parameters = {0};

	PreventCommandIfReadOnly(function);
	BecomeOwner(caller);
	SPI_connect();
	AddText(&parameters, name);
	if (RunSql("SELECT owner, in_order::integer, clock_timestamp() + lease FROM clair.consumer"
			   " WHERE name = $1",
			   &parameters) == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("consumer \"%s\" does not exist", name)));
	CheckOwns(caller, ResultText(0, 1), "consumer", name);
	consumer->name = name;
	consumer->in_order = ResultInteger(0, 2) != 0;
	consumer->lease_end = ResultText(0, 3);
}

void
CloseConsumer(const OwnerState *caller)
{
	SPI_finish();
	ResumeCaller(caller);
}

/* Checks what the table would refuse, too, but in the words of a constraint. */
static void
CheckArguments(const SqlParameters *arguments)
{
	RunSql("SELECT ($1 !~ '^[a-z_][a-z0-9_]{0,56}$')::integer, ($8::interval <= '0')::integer,"
		   "     (cardinality($5::text[]) = 0 OR cardinality($6::text[]) = 0)::integer"
		   " WHERE concat($2::clair.severity, $3::boolean, $4::boolean, $7::boolean) IS NOT NULL",
		   arguments);
	if (ResultInteger(0, 1) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME), errmsg("invalid name of a consumer"),
				 errhint("A name has up to 57 lower-case letters, digits and underscores, and does "
						 "not begin with a digit.")));
	if (ResultInteger(0, 2) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the lease of a consumer must be greater than zero")));
	if (ResultInteger(0, 3) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("patterns of a consumer must not be an empty array"),
						errhint("Leave them out, and everything is let through.")));
}

/* What is given of a filter. */
static AuditDetail *
FilterDetail(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {"name",			"minimum_severity",
										"fixable_only", "exploited_only",
										"images",		"namespaces",
										"in_order",		"lease"};

	return ArgumentsDetail(fcinfo, names, 1, lengthof(names));
}

Datum
create_consumer(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	OwnerState caller;

	PreventCommandIfReadOnly("clair.create_consumer()");
	for (int i = 0; i < PG_NARGS(); i++)
	{
		if (PG_ARGISNULL(i) && i != 4 && i != 5)
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("of a consumer, only images and namespaces may be null")));
	}
	AddArguments(&parameters, fcinfo);
	BecomeOwner(&caller);
	SPI_connect();
	CheckArguments(&parameters);
	AddText(&parameters, GetUserNameFromId(caller.user, false));
	if (RunSql("INSERT INTO clair.consumer (name, minimum_severity, fixable_only, exploited_only,"
			   "     images, namespaces, in_order, lease, owner)"
			   " VALUES ($1, $2::clair.severity, $3::boolean, $4::boolean, $5::text[],"
			   "     $6::text[], $7::boolean, $8::interval, $9)"
			   " ON CONFLICT (name) DO NOTHING",
			   &parameters) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("consumer \"%s\" already exists", text_to_cstring(PG_GETARG_TEXT_PP(0)))));
	parameters.count = 1;
	RunSql("DELETE FROM clair.delivery WHERE consumer = $1", &parameters); /* of a former one */
	RecordAction(&caller, "create_consumer", text_to_cstring(PG_GETARG_TEXT_PP(0)),
				 FilterDetail(fcinfo));
	SPI_finish();
	ResumeCaller(&caller);
	PG_RETURN_VOID();
}

Datum
alter_consumer(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	Consumer consumer;
	OwnerState caller;

	if (PG_ARGISNULL(0))
		PG_RETURN_VOID();
	OpenConsumer(&consumer, "clair.alter_consumer()", text_to_cstring(PG_GETARG_TEXT_PP(0)),
				 &caller);
	AddArguments(&parameters, fcinfo);
	CheckArguments(&parameters);
	RunSql("UPDATE clair.consumer"
		   " SET minimum_severity = COALESCE($2::clair.severity, minimum_severity),"
		   "     fixable_only = COALESCE($3::boolean, fixable_only),"
		   "     exploited_only = COALESCE($4::boolean, exploited_only),"
		   "     images = COALESCE($5::text[], images),"
		   "     namespaces = COALESCE($6::text[], namespaces),"
		   "     in_order = COALESCE($7::boolean, in_order),"
		   "     lease = COALESCE($8::interval, lease)"
		   " WHERE name = $1",
		   &parameters);
	RecordAction(&caller, "alter_consumer", consumer.name, FilterDetail(fcinfo));
	CloseConsumer(&caller);
	PG_RETURN_VOID();
}

Datum
drop_consumer(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	Consumer consumer;
	OwnerState caller;

	OpenConsumer(&consumer, "clair.drop_consumer()", text_to_cstring(PG_GETARG_TEXT_PP(0)),
				 &caller);
	AddText(&parameters, consumer.name);
	RunSql("DELETE FROM clair.consumer WHERE name = $1", &parameters);
	RunSql("DELETE FROM clair.delivery WHERE consumer = $1", &parameters);
	RecordAction(&caller, "drop_consumer", consumer.name, NULL);
	CloseConsumer(&caller);
	PG_RETURN_VOID();
}

Datum
rewind_consumer(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	Consumer consumer;
	OwnerState caller;
	int64 count;

	OpenConsumer(&consumer, "clair.rewind_consumer()", text_to_cstring(PG_GETARG_TEXT_PP(0)),
				 &caller);
	AddText(&parameters, consumer.name);
	AddInteger(&parameters, PG_GETARG_INT64(1));
	count = RunSql("UPDATE clair.delivery SET state = 'pending', due_at = NULL, finished_at = NULL"
				   " WHERE consumer = $1 AND notification > $2"
				   "     AND state IN ('acknowledged', 'dead')",
				   &parameters);
	CloseConsumer(&caller);
	PG_RETURN_INT64(count);
}
