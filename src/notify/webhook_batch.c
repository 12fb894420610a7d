/*
 * webhook_batch.c
 *    Notifications of a webhook: taking them, and writing down what became of them.
 *
 * They are handed out by clair.next_notifications(), as to any consumer. So clair.delivery says
 * which are pending, how often each has been tried and when it is due; we set the latter after a
 * failure, and end it at last. That an attempt is under way shows in clair.webhook_receipt having
 * fewer attempts than clair.delivery.
 *
 * After a failure, nothing more is posted to the webhook for a while, longer each time: a receiver
 * that is down is not asked for each notification. The time of a notification's own next attempt
 * grows likewise with its attempts.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "common/fault.h"
#include "notify/webhook.h"
#include "server/sql.h"

/* Notifications that are taken at a time. */
#define BATCH_SIZE 128

/* Bounds of waiting after a failure, in milliseconds. */
#define MAX_DELAY		INT64CONST(3600000)
#define MAX_RETRY_AFTER INT64CONST(86400000)

/* Bytes of an error that are kept. */
#define MAX_ERROR 1000

List *
DueWebhooks(void)
{
	List *names = NIL;
	Work work;
	int64 count;

	BeginWork(&work);
	count = RunSql("SELECT w.consumer FROM " WEBHOOKS " WHERE " WEBHOOK_IS_DUE
				   " ORDER BY w.consumer",
				   NULL);
	MemoryContextSwitchTo(work.context);
	for (int64 i = 0; i < count; i++)
		names = lappend(names, ResultText(i, 1));
	EndWork(&work);
	return names;
}

int64
TimeUntilDue(void)
{
	Work work;
	int64 time;

	BeginWork(&work);
	RunSql("SELECT ceil(extract(epoch FROM min(GREATEST(s.resume_at, d.due_at, now())) - now())"
		   "     * 1000)::bigint"
		   " FROM " WEBHOOKS "     JOIN clair.delivery AS d"
		   "         ON d.consumer = w.consumer AND d.state = 'pending'"
		   " WHERE w.enabled"
		   "     AND NOT EXISTS (SELECT FROM clair.delivery AS e"
		   "                     WHERE e.consumer = d.consumer AND e.state = 'pending'"
		   "                         AND (c.in_order OR e.vulnerability = d.vulnerability)"
		   "                         AND e.notification < d.notification)",
		   NULL);
	time = ResultText(0, 1) != NULL ? ResultInteger(0, 1) : -1;
	EndWork(&work);
	return time;
}

/* Reads how the webhook is set; false when there is none any more. */
static bool
LoadWebhook(WebhookBatch *batch)
{
	SqlParameters parameters = {0};
	Datum headers;
	bool no_headers;
	MemoryContext old_context;

	AddText(&parameters, batch->consumer);
	if (RunSql("SELECT w.url, h.secret, w.certificate_file, w.key_file,"
			   "     ceil(extract(epoch FROM w.timeout))::integer,"
			   "     CASE WHEN c.in_order THEN 1 ELSE w.parallel END, w.max_attempts, s.failures,"
			   "     h.headers"
			   " FROM " WEBHOOKS
			   "     LEFT JOIN clair.webhook_secret AS h ON h.consumer = w.consumer"
			   " WHERE w.consumer = $1",
			   &parameters) == 0)
		return false;
	headers = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 9, &no_headers);
	old_context = MemoryContextSwitchTo(batch->context);
	batch->url = ResultText(0, 1);
	batch->secret = ResultText(0, 2);
	batch->certificate = ReadPem(ResultText(0, 3));
	batch->key = ReadPem(ResultText(0, 4));
	batch->timeout = (int) ResultInteger(0, 5);
	batch->parallel = (int) ResultInteger(0, 6);
	batch->max_attempts = ResultInteger(0, 7);
	batch->failures = ResultInteger(0, 8);
	if (!no_headers)
		batch->headers = FormatHeaders(DatumGetJsonbP(headers));
	MemoryContextSwitchTo(old_context);
	return true;
}

/* Has notifications handed out, and gives each the id that it keeps. */
static void
TakeAlerts(WebhookBatch *batch)
{
	SqlParameters parameters = {0};
	MemoryContext old_context;

	AddText(&parameters, batch->consumer);
	AddInteger(&parameters, BATCH_SIZE);
	batch->count = (int) RunSql(
		"WITH taken AS MATERIALIZED ("
		"     SELECT n.notification, n.attempt, clair.webhook_delivery_id(w.id, n.notification) AS "
		"id"
		"     FROM clair.webhook AS w, clair.next_notifications(w.consumer, $2::integer) AS n"
		"     WHERE w.consumer = $1),"
		" known AS ("
		"     INSERT INTO clair.webhook_receipt (consumer, notification, id)"
		"     SELECT $1, taken.notification, taken.id FROM taken"
		"     ON CONFLICT (consumer, notification) DO NOTHING)"
		" SELECT taken.notification, taken.attempt,"
		"     taken.attempt - COALESCE(r.attempts_before, 0), taken.id,"
		"     clair.webhook_body($1, taken.notification)"
		" FROM taken"
		"     LEFT JOIN clair.webhook_receipt AS r"
		"         ON r.consumer = $1 AND r.notification = taken.notification"
		" ORDER BY taken.notification",
		&parameters);
	old_context = MemoryContextSwitchTo(batch->context);
	batch->alerts = palloc0(sizeof(Alert) * (batch->count + 1));
	for (int i = 0; i < batch->count; i++)
		batch->alerts[i] = (Alert){.notification = ResultText(i, 1),
								   .attempt = ResultText(i, 2),
								   .attempts = ResultInteger(i, 3),
								   .id = ResultText(i, 4),
								   .body = ResultText(i, 5)};
	MemoryContextSwitchTo(old_context);
}

WebhookBatch *
TakeBatch(const char *consumer)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "clair webhook",
												  ALLOCSET_DEFAULT_SIZES);
	WebhookBatch *batch = MemoryContextAllocZero(context, sizeof(WebhookBatch));
	Work work;

	batch->context = context;
	batch->consumer = MemoryContextStrdup(context, consumer);
	BeginWork(&work);
	if (LoadWebhook(batch))
		TakeAlerts(batch);
	FAULT_POINT("webhook-taken");
	EndWork(&work);
	if (batch->count > 0)
		return batch;
	MemoryContextDelete(context);
	return NULL;
}

/* How long to wait after so many failures: longer each time, and never just as long as others. */
static int64
DelayAfter(int64 failures)
{
	int64 delay = clair_webhook_retry_delay;
	uint16 jitter = 0;

	for (int64 i = 1; i < failures && delay < MAX_DELAY; i++)
		delay *= 2;
	delay = Min(delay, MAX_DELAY);
	(void) pg_strong_random(&jitter, sizeof(jitter));
	return delay + delay / 2 * jitter / PG_UINT16_MAX;
}

/* What counts is that the receiver has it; its answer to a redirect, too, is that it has not. */
static bool
IsDelivered(int64 status)
{
	return status >= 200 && status <= 299;
}

/* Whether the receiver says that it will never take this notification. */
static bool
IsRefusal(int64 status)
{
	return status == 400 || status == 410 || status == 413 || status == 415 || status == 422;
}

/* Lets the webhook pause after an attempt that failed. */
static void
Pause(WebhookBatch *batch, Alert *alert)
{
	if (!batch->stopped)
		batch->failures++;
	batch->stopped = true;
	batch->pause = Max(batch->pause, Max(DelayAfter(batch->failures),
										 Min(alert->retry_after, MAX_RETRY_AFTER / 1000) * 1000));
}

void
FailAlert(WebhookBatch *batch, Alert *alert, const char *error, bool finally)
{
	if (alert->state == ALERT_POSTED)
		batch->posted--;
	alert->answered_at = GetCurrentTimestamp();
	alert->error = MemoryContextStrdup(batch->context, error);
	if (strlen(alert->error) > MAX_ERROR)
		alert->error[pg_mbcliplen(alert->error, (int) strlen(alert->error), MAX_ERROR)] = '\0';
	batch->last_error = alert->error;
	alert->state = finally ? ALERT_REFUSED : ALERT_FAILED;
	if (!finally)
		Pause(batch, alert);
}

void
TakeReceipt(WebhookBatch *batch, Alert *alert, const TransferAnswer *answer)
{
	alert->status = answer->status;
	alert->retry_after = answer->retry_after;
	if (answer->answer != NULL)
		alert->answer = MemoryContextStrdup(batch->context, answer->answer);
	if (answer->error != NULL || !IsDelivered(answer->status))
	{
		FailAlert(batch, alert, answer->error != NULL ? answer->error : "no success",
				  IsRefusal(answer->status));
		return;
	}
	batch->posted--;
	batch->succeeded = true;
	batch->failures = 0;
	alert->answered_at = GetCurrentTimestamp();
	alert->state = ALERT_DELIVERED;
}

/* What has become of several alerts, as arrays for SQL. */
typedef struct Receipts
{
	int count;
	ClairBytes *columns[9];
} Receipts;

static void
AddReceipt(Receipts *receipts, const WebhookBatch *batch, const Alert *alert)
{
	bool given_up = alert->state == ALERT_REFUSED || alert->attempts >= batch->max_attempts;
	const char *state = alert->state == ALERT_DELIVERED ? "acknowledged"
						: given_up						? "dead"
														: "pending";
	const char *values[] = {alert->notification,
							alert->attempt,
							state,
							psprintf(INT64_FORMAT, Max(DelayAfter(alert->attempts), batch->pause)),
							psprintf(INT64_FORMAT, alert->status),
							alert->error != NULL ? alert->error : "",
							alert->answer != NULL ? alert->answer : "",
							pstrdup(timestamptz_to_str(alert->sent_at)),
							pstrdup(timestamptz_to_str(alert->answered_at))};

	for (size_t i = 0; i < lengthof(values); i++)
		receipts->columns[i][receipts->count] = clair_bytes(values[i]);
	receipts->count++;
}

/* Collects the alerts of which something is to be written down. */
static Receipts
CollectReceipts(const WebhookBatch *batch)
{
	Receipts receipts = {0};

	for (size_t i = 0; i < lengthof(receipts.columns); i++)
		receipts.columns[i] = palloc(sizeof(ClairBytes) * batch->count);
	for (int i = 0; i < batch->count; i++)
	{
		AlertState state = batch->alerts[i].state;

		if (state == ALERT_DELIVERED || state == ALERT_FAILED || state == ALERT_REFUSED)
			AddReceipt(&receipts, batch, &batch->alerts[i]);
	}
	return receipts;
}

#define RECEIPTS                                                                                   \
	" FROM unnest($2::bigint[], $3::integer[], $4::text[], $5::bigint[], $6::integer[],"           \
	"     $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[])"                          \
	"     AS r(notification, attempt, state, delay, status, error, answer, sent_at, answered_at)"

static void
StoreReceipts(const WebhookBatch *batch, const Receipts *receipts)
{
	SqlParameters parameters = {0};

	AddText(&parameters, batch->consumer);
	for (size_t i = 0; i < lengthof(receipts->columns); i++)
		AddTextArray(&parameters, receipts->columns[i], receipts->count);
	RunSql("UPDATE clair.delivery AS d"
		   " SET state = r.state, finished_at = CASE WHEN r.state <> 'pending' THEN now() END,"
		   "     due_at = CASE WHEN r.state = 'pending'"
		   "         THEN clock_timestamp() + r.delay * interval '1 millisecond' END" RECEIPTS
		   " WHERE d.consumer = $1 AND d.notification = r.notification AND d.attempts = r.attempt"
		   "     AND d.state = 'pending'",
		   &parameters);
	RunSql("UPDATE clair.webhook_receipt AS w"
		   " SET attempts = r.attempt, status = r.status, error = NULLIF(r.error, ''),"
		   "     answer = NULLIF(r.answer, ''), sent_at = r.sent_at, answered_at = "
		   "r.answered_at" RECEIPTS " WHERE w.consumer = $1 AND w.notification = r.notification",
		   &parameters);
}

static void
StoreState(const WebhookBatch *batch)
{
	SqlParameters parameters = {0};

	AddText(&parameters, batch->consumer);
	AddInteger(&parameters, batch->failures);
	AddInteger(&parameters, batch->pause);
	AddInteger(&parameters, batch->succeeded);
	AddText(&parameters, batch->last_error);
	RunSql("UPDATE clair.webhook_state"
		   " SET failures = $2, resume_at = CASE WHEN $3 > 0"
		   "         THEN clock_timestamp() + $3 * interval '1 millisecond' END,"
		   "     last_success_at = CASE WHEN $4 = 1 THEN now() ELSE last_success_at END,"
		   "     last_failure_at = CASE WHEN $5 IS NULL THEN last_failure_at ELSE now() END,"
		   "     last_error = COALESCE($5, last_error)"
		   " WHERE consumer = $1",
		   &parameters);
}

/* What was not posted is as if it had not been handed out. */
static void
HandBack(const WebhookBatch *batch)
{
	SqlParameters parameters = {0};
	ClairBytes *notifications = palloc(sizeof(ClairBytes) * (batch->count + 1));
	int count = 0;

	for (int i = batch->next; i < batch->count; i++)
		notifications[count++] = clair_bytes(batch->alerts[i].notification);
	AddText(&parameters, batch->consumer);
	AddTextArray(&parameters, notifications, count);
	RunSql("UPDATE clair.delivery"
		   " SET attempts = attempts - 1, due_at = CASE WHEN attempts > 1 THEN now() END"
		   " WHERE consumer = $1 AND notification = ANY ($2::bigint[]) AND state = 'pending'"
		   "     AND attempts > 0",
		   &parameters);
}

void
RecordAlerts(WebhookBatch *batch)
{
	Work work;
	Receipts receipts;

	BeginWork(&work);
	receipts = CollectReceipts(batch);
	if (receipts.count > 0)
	{
		StoreReceipts(batch, &receipts);
		StoreState(batch);
	}
	FAULT_POINT("webhook-recorded");
	if (batch->stopped && batch->next < batch->count)
		HandBack(batch);
	EndWork(&work);
	if (batch->stopped)
		batch->count = batch->next;
	for (int i = 0; i < batch->next; i++)
		if (batch->alerts[i].state != ALERT_POSTED)
			batch->alerts[i].state = ALERT_RECORDED;
}

void
RecordTrouble(const char *consumer, const char *error)
{
	SqlParameters parameters = {0};
	Work work;

	BeginWork(&work);
	AddText(&parameters, consumer);
	AddText(&parameters, error);
	AddInteger(&parameters, DelayAfter(5));
	RunSql("UPDATE clair.webhook_state"
		   " SET failures = failures + 1, last_failure_at = now(), last_error = $2,"
		   "     resume_at = clock_timestamp() + $3 * interval '1 millisecond'"
		   " WHERE consumer = $1",
		   &parameters);
	EndWork(&work);
}

void
RecoverAlerts(void)
{
	Work work;

	BeginWork(&work);
	RunSql("UPDATE clair.delivery AS d SET due_at = now()"
		   " FROM clair.webhook_receipt AS r"
		   " WHERE r.consumer = d.consumer AND r.notification = d.notification"
		   "     AND d.state = 'pending' AND d.attempts > r.attempts",
		   NULL);
	EndWork(&work);
}
