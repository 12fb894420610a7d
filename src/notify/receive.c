/*
 * receive.c
 *    Taking and acknowledging what a consumer is told: clair.next_notifications(), acknowledge().
 *
 * A notification is handed out by a transaction that locks its row of clair.delivery, and sets when
 * it is due again; others skip rows that are locked or not due. So several sessions share the work,
 * and what one of them took and did not acknowledge comes again, whatever became of the session,
 * or of the server. Nobody waits here.
 *
 * What is said of a vulnerability is handed out one by one: the next when the one before has been
 * acknowledged. A consumer that is in order is handed out nothing that lies behind something which
 * is handed out; two of its sessions take turns, for which the consumer's row is locked.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#include "common/fault.h"
#include "index/tenant.h"
#include "notify/consumer.h"
#include "server/audit.h"
#include "server/compat.h"
#include "server/sql.h"

PG_FUNCTION_INFO_V1(next_notifications);
PG_FUNCTION_INFO_V1(acknowledge_one);
PG_FUNCTION_INFO_V1(acknowledge_several);
PG_FUNCTION_INFO_V1(acknowledge_until);
PG_FUNCTION_INFO_V1(renotify);
PG_FUNCTION_INFO_V1(forget_notifications);

/* Columns of what clair.next_notifications() returns. */
#define NOTIFICATION_COLUMNS 14

/* Whether it is this session's turn, until the end of the transaction. */
static bool
TakeTurn(const Consumer *consumer)
{
	SqlParameters parameters = {0};

	if (!consumer->in_order)
		return true;
	AddText(&parameters, consumer->name);
	return RunSql("SELECT FROM clair.consumer WHERE name = $1 FOR NO KEY UPDATE SKIP LOCKED",
				  &parameters) == 1;
}

/* Locks the next deliveries; their notifications as the text of an array, NULL when there is none.
 */
static char *
LockNext(const Consumer *consumer, int64 limit)
{
	SqlParameters parameters = {0};

	AddText(&parameters, consumer->name);
	AddInteger(&parameters, limit);
	AddInteger(&parameters, consumer->in_order);
	RunSql("SELECT array_agg(due.notification)"
		   " FROM (SELECT d.notification"
		   "       FROM clair.delivery AS d"
		   "       WHERE d.consumer = $1 AND d.state = 'pending'"
		   "           AND (d.due_at IS NULL OR d.due_at <= clock_timestamp())"
		   "           AND CASE WHEN $3 = 0"
		   "                   THEN NOT EXISTS ("
		   "                       SELECT FROM clair.delivery AS e"
		   "                       WHERE e.consumer = d.consumer AND e.state = 'pending'"
		   "                           AND e.vulnerability = d.vulnerability"
		   "                           AND e.notification < d.notification)"
		   "                   ELSE NOT EXISTS ("
		   "                       SELECT FROM clair.delivery AS e"
		   "                       WHERE e.consumer = d.consumer AND e.state = 'pending'"
		   "                           AND e.due_at > clock_timestamp()"
		   "                           AND e.notification < d.notification) END"
		   "       ORDER BY d.notification"
		   "       LIMIT $2"
		   "       FOR UPDATE OF d SKIP LOCKED) AS due",
		   &parameters);
	return ResultText(0, 1);
}

/* Hands them out. */
static void
HandOut(const Consumer *consumer, const char *notifications, ReturnSetInfo *result)
{
	SqlParameters parameters = {0};
	int64 count;

	AddText(&parameters, consumer->name);
	AddText(&parameters, notifications);
	AddText(&parameters, consumer->lease_end);
	count = RunSql("WITH taken AS ("
				   "     UPDATE clair.delivery AS d"
				   "     SET attempts = d.attempts + 1, due_at = $3::timestamptz"
				   "     FROM unnest($2::bigint[]) AS due(notification)"
				   "         JOIN clair.notification AS n ON n.id = due.notification"
				   "     WHERE d.consumer = $1 AND d.notification = due.notification"
				   "     RETURNING n.id, d.attempts, d.due_at, n.run, n.updater, n.vulnerability,"
				   "         n.image_id, n.reason, n.changes, n.severity, n.images, n.before,"
				   "         n.after, n.created_at)"
				   " SELECT * FROM taken ORDER BY id",
				   &parameters);
	for (int64 row = 0; row < count; row++)
	{
		char *texts[NOTIFICATION_COLUMNS];

		for (int i = 0; i < NOTIFICATION_COLUMNS; i++)
			texts[i] = ResultText(row, i + 1);
		ReturnTexts(result, texts);
	}
}

Datum
next_notifications(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int64 limit = PG_GETARG_INT32(1);
	Consumer consumer;
	OwnerState caller;

	InitMaterializedSRF(fcinfo, 0);
	if (limit < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE),
						errmsg("the limit must be greater than zero")));
	OpenConsumer(&consumer, "clair.next_notifications()", text_to_cstring(PG_GETARG_TEXT_PP(0)),
				 &caller);
	FAULT_POINT("consumer-opened");
	if (TakeTurn(&consumer))
	{
		char *notifications = LockNext(&consumer, limit);

		FAULT_POINT("consumer-locked");
		if (notifications != NULL)
			HandOut(&consumer, notifications, result);
	}
	FAULT_POINT("consumer-handed-out");
	CloseConsumer(&caller);
	return (Datum) 0;
}

/* Acknowledges what a condition chooses, whose parameter is $2; how many were pending. */
#define ACKNOWLEDGE                                                                                \
	"UPDATE clair.delivery SET state = 'acknowledged', due_at = NULL, finished_at = now()"         \
	" WHERE consumer = $1 AND state = 'pending' AND notification "
static int64
Acknowledge(FunctionCallInfo fcinfo, const char *statement, const char *notifications)
{
	SqlParameters parameters = {0};
	Consumer consumer;
	OwnerState caller;
	int64 count;

	OpenConsumer(&consumer, "clair.acknowledge()", text_to_cstring(PG_GETARG_TEXT_PP(0)), &caller);
	AddText(&parameters, consumer.name);
	AddText(&parameters, notifications);
	count = RunSql(statement, &parameters);
	FAULT_POINT("consumer-acknowledged");
	CloseConsumer(&caller);
	return count;
}

Datum
acknowledge_one(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(Acknowledge(fcinfo, ACKNOWLEDGE "= $2::bigint",
							   psprintf(INT64_FORMAT, PG_GETARG_INT64(1))) == 1);
}

Datum
acknowledge_several(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(Acknowledge(fcinfo, ACKNOWLEDGE "IN (SELECT unnest($2::bigint[]))",
								OidOutputFunctionCall(F_ARRAY_OUT, PG_GETARG_DATUM(1))));
}

Datum
acknowledge_until(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(Acknowledge(fcinfo, ACKNOWLEDGE "<= $2::bigint",
								psprintf(INT64_FORMAT, PG_GETARG_INT64(1))));
}

Datum
renotify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SqlParameters parameters = {0};
	OwnerState caller;
	int64 count;

	PreventCommandIfReadOnly("clair.renotify()");
	InitMaterializedSRF(fcinfo, 0);
	BecomeOwner(&caller);
	SPI_connect();
	AddInteger(&parameters, HaveTenants()); /* anybody may listen */
	count = RunSql(
		"SELECT due.consumer, due.notifications, pg_notify('clair_' || due.consumer,"
		"     json_strip_nulls(json_build_object('version', 1, 'consumer', due.consumer,"
		"         'pending', CASE WHEN $1 = 0 THEN due.notifications END,"
		"         'severity', CASE WHEN $1 = 0 THEN due.severity END))::text)"
		" FROM (SELECT d.consumer, count(*) AS notifications,"
		"           max(n.severity) AS severity"
		"       FROM clair.delivery AS d"
		"           JOIN clair.notification AS n ON n.id = d.notification"
		"       WHERE d.state = 'pending' AND (d.due_at IS NULL OR d.due_at <= clock_timestamp())"
		"       GROUP BY d.consumer) AS due"
		" ORDER BY due.consumer",
		&parameters);
	for (int64 row = 0; row < count; row++)
	{
		char *texts[] = {ResultText(row, 1), ResultText(row, 2)};

		ReturnTexts(result, texts);
	}
	SPI_finish();
	ResumeCaller(&caller);
	return (Datum) 0;
}

Datum
forget_notifications(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	OwnerState caller;
	int64 count;

	PreventCommandIfReadOnly("clair.forget_notifications()");
	AddText(&parameters, DatumGetCString(DirectFunctionCall1(interval_out, PG_GETARG_DATUM(0))));
	BecomeOwner(&caller);
	SPI_connect();
	count = RunSql("DELETE FROM clair.notification"
				   " WHERE id IN (SELECT n.id"
				   "              FROM clair.notification AS n"
				   "                  LEFT JOIN clair.delivery AS d"
				   "                      ON d.notification = n.id AND d.state = 'pending'"
				   "              WHERE n.created_at < now() - $1::interval"
				   "                  AND d.notification IS NULL)",
				   &parameters);
	FAULT_POINT("notifications-forgotten");
	RunSql("DELETE FROM clair.delivery"
		   " WHERE notification IN (SELECT d.notification"
		   "                        FROM clair.delivery AS d"
		   "                            LEFT JOIN clair.notification AS n"
		   "                                ON n.id = d.notification"
		   "                        WHERE n.id IS NULL)",
		   NULL);
	if (count > 0)
		RecordAction(&caller, "forget_notifications", NULL, AddCount(NULL, "notifications", count));
	SPI_finish();
	ResumeCaller(&caller);
	PG_RETURN_INT64(count);
}
