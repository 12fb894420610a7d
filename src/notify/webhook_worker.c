/*
 * webhook_worker.c
 *    The background worker that posts notifications to webhooks.
 *
 * Started by deliver.c, connected as the session role of who wrote the notifications, or called
 * clair.deliver_webhooks(). It holds the lock of WEBHOOK_LOCK, and so is alone; one that does not
 * get it wakes the other. It takes a batch of notifications of each webhook that has some, and
 * posts them through one clair-fetch: in their order, one or several of a webhook at a time. As
 * long as something waits for a further attempt, the worker stays, without a transaction and
 * without clair-fetch. When nothing is left, it ends.
 *
 * SIGTERM and SIGINT interrupt whatever is done. After SIGTERM the worker writes down what it
 * knows, and ends: what was on its way then is posted again by the next one, with the same id.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "common/fault.h"
#include "notify/webhook.h"
#include "server/sql.h"

extern PGDLLEXPORT void WebhookWorkerMain(Datum argument);

/* Transfers at a time, over all webhooks: the most that clair-fetch makes. */
#define PARALLEL 16

/* Bytes of an answer that are looked at. */
#define MAX_ANSWER (64 * 1024)

/* Milliseconds after which what has become of alerts is written down, while others are posted. */
#define RECORD_INTERVAL 100

/* Milliseconds between two looks for what is due, at most and at least. */
#define MAX_IDLE INT64CONST(60000)
#define MIN_IDLE INT64CONST(100)

typedef struct Poster
{
	MemoryContext context; /* of batches */
	List *batches;
	MemoryContext step; /* of one round of the loop */
	MemoryContext fetch_context;
	Helper *fetch; /* NULL: not started */
	int sent;	   /* transfers that it was given */
	TimestampTz recorded_at;
} Poster;

static volatile sig_atomic_t terminated;

static void
HandleTerminate(SIGNAL_ARGS)
{
	terminated = true;
	StatementCancelHandler(postgres_signal_arg);
}

static TransferOptions
PostOptions(void)
{
	return (TransferOptions){.proxy = FetchProxy(),
							 .user_agent = FetchUserAgent(),
							 .hosts = "",
							 .parallel = PARALLEL,
							 .max_size = MAX_ANSWER};
}

static void
StopFetch(Poster *poster)
{
	MemoryContextReset(poster->fetch_context);
	poster->fetch = NULL;
	poster->sent = 0;
}

static void
Post(Poster *poster, WebhookBatch *batch, Alert *alert)
{
	TransferOptions options = PostOptions();
	MemoryContext old_context = MemoryContextSwitchTo(poster->fetch_context);
	Transfer transfer;

	FAULT_POINT("webhook-posting");
	if (poster->fetch == NULL)
		poster->fetch = StartFetch(&options);
	MemoryContextSwitchTo(old_context);
	transfer = MakeRequest(batch, alert);
	alert->number = poster->sent;
	alert->sent_at = GetCurrentTimestamp();
	SendTransfer(poster->fetch, &options, poster->sent++, &transfer);
	FAULT_POINT("webhook-posted");
	alert->state = ALERT_POSTED;
	batch->posted++;
}

/* Posts what may be posted of a batch. */
static void
PostBatch(Poster *poster, WebhookBatch *batch)
{
	while (!batch->stopped && batch->next < batch->count && batch->posted < batch->parallel)
	{
		Alert *alert = &batch->alerts[batch->next++];

		if (strlen(alert->body) <= WIRE_MAX_BODY)
		{
			Post(poster, batch, alert);
			continue;
		}
		alert->sent_at = GetCurrentTimestamp();
		FailAlert(batch, alert, psprintf("the body has more than %d bytes", WIRE_MAX_BODY), true);
	}
}

/* Waits for an answer, or a sign of life. */
static void
AwaitAnswer(Poster *poster)
{
	TransferAnswer answer;
	bool is_known = false;
	ListCell *cell;

	if (!NextAnswer(poster->fetch, poster->sent, &answer))
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION), errmsg("clair-fetch ended unexpectedly")));
	FAULT_POINT("webhook-answered");
	if (answer.number < 0)
		return;
	foreach (cell, poster->batches)
	{
		WebhookBatch *batch = lfirst(cell);

		for (int i = 0; i < batch->next; i++)
		{
			Alert *alert = &batch->alerts[i];

			if (alert->state != ALERT_POSTED || alert->number != answer.number)
				continue;
			TakeReceipt(batch, alert, &answer);
			is_known = true;
		}
	}
	if (!is_known)
		ReportMalformedAnswer();
}

/* Writes down what has become of alerts, and forgets batches of which that is all. */
static void
RecordBatches(Poster *poster)
{
	ListCell *cell;

	foreach (cell, poster->batches)
	{
		WebhookBatch *batch = lfirst(cell);

		RecordAlerts(batch);
		if (batch->posted > 0 || (!batch->stopped && batch->next < batch->count))
			continue;
		poster->batches = foreach_delete_current(poster->batches, cell);
		MemoryContextDelete(batch->context);
	}
	poster->recorded_at = GetCurrentTimestamp();
}

static bool
HasBatch(const Poster *poster, const char *consumer)
{
	ListCell *cell;

	foreach (cell, poster->batches)
		if (strcmp(((WebhookBatch *) lfirst(cell))->consumer, consumer) == 0)
			return true;
	return false;
}

/* Takes a batch of a webhook. One that fails with an error has to wait, and is in nobody's way. */
static void
TakeBatchOf(Poster *poster, const char *consumer)
{
	MemoryContext old_context = CurrentMemoryContext;

	PG_TRY();
	{
		WebhookBatch *batch = TakeBatch(consumer);

		if (batch != NULL)
		{
			MemoryContextSetParent(batch->context, poster->context);
			MemoryContextSwitchTo(poster->context);
			poster->batches = lappend(poster->batches, batch);
			MemoryContextSwitchTo(old_context);
		}
	}
	PG_CATCH();
	{
		ErrorData *error = AbortWork(old_context);

		if (!terminated)
			RecordTrouble(consumer, error->message);
	}
	PG_END_TRY();
}

static void
TakeBatches(Poster *poster)
{
	List *names = DueWebhooks();
	ListCell *cell;

	foreach (cell, names)
		if (!HasBatch(poster, lfirst(cell)))
			TakeBatchOf(poster, lfirst(cell));
}

static bool
IsPosting(const Poster *poster)
{
	ListCell *cell;

	foreach (cell, poster->batches)
		if (((WebhookBatch *) lfirst(cell))->posted > 0)
			return true;
	return false;
}

/* Posts what is due, and goes on as long as something is. */
static void
PostAll(Poster *poster)
{
	MemoryContext old_context = MemoryContextSwitchTo(poster->step);
	ListCell *cell;

	TakeBatches(poster);
	while (poster->batches != NIL && !terminated)
	{
		foreach (cell, poster->batches)
			PostBatch(poster, lfirst(cell));
		if (IsPosting(poster))
			AwaitAnswer(poster);
		if (!IsPosting(poster) ||
			TimestampDifferenceExceeds(poster->recorded_at, GetCurrentTimestamp(), RECORD_INTERVAL))
		{
			RecordBatches(poster);
			TakeBatches(poster);
		}
		MemoryContextReset(poster->step);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(poster->step);
	FAULT_POINT("webhook-all-posted");
	StopFetch(poster);
}

/* After an error: what was on its way has failed, and is written down with what is known. */
static void
Recover(Poster *poster, const char *error)
{
	ListCell *cell;

	StopFetch(poster);
	foreach (cell, poster->batches)
	{
		WebhookBatch *batch = lfirst(cell);

		for (int i = 0; i < batch->next && !terminated; i++)
			if (batch->alerts[i].state == ALERT_POSTED || batch->alerts[i].state == ALERT_WAITING)
				FailAlert(batch, &batch->alerts[i], error, false);
		batch->stopped = true;
		RecordAlerts(batch);
	}
	poster->batches = NIL;
	MemoryContextReset(poster->context);
}

/* Posts; after an error, what has become of alerts is not lost. */
static void
PostCarefully(Poster *poster)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		PostAll(poster);
	}
	PG_CATCH();
	{
		ErrorData *error = AbortWork(context);

		Recover(poster, error->message);
		FreeErrorData(error);
	}
	PG_END_TRY();
}

/* Waits until something is due, or somebody has something. False when nothing is left. */
static bool
AwaitDue(void)
{
	int64 time = TimeUntilDue();

	if (time < 0)
		return false;
	FAULT_POINT("webhook-idle");
	pgstat_report_activity(STATE_IDLE, NULL);
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 (long) Max(Min(time, MAX_IDLE), MIN_IDLE), PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	ReloadSettings();
	return true;
}

/* Lets the worker that has the lock look for what is due. */
static void
WakeOther(void)
{
	Work work;

	BeginWork(&work);
	if (RunSql(WEBHOOK_WORKER, NULL) > 0)
	{
		PGPROC *other = BackendPidGetProc((int) ResultInteger(0, 1));

		if (other != NULL)
			SetLatch(&other->procLatch);
	}
	EndWork(&work);
}

/* Delivers until nothing is left, unless another worker does. */
static void
Deliver(void)
{
	Poster poster = {.context = AllocSetContextCreate(TopMemoryContext, "clair webhooks",
													  ALLOCSET_DEFAULT_SIZES),
					 .step = AllocSetContextCreate(TopMemoryContext, "clair webhook step",
												   ALLOCSET_DEFAULT_SIZES),
					 .fetch_context = AllocSetContextCreate(TopMemoryContext, "clair webhook fetch",
															ALLOCSET_DEFAULT_SIZES)};

	/*
	 * Who writes something while we are at the end finds the lock either taken, and then we find
	 * what was written when we have given it back; or not.
	 */
	do
	{
		if (!TakeLock(WEBHOOK_LOCK, WEBHOOK_LOCK_OBJECT))
		{
			WakeOther();
			return;
		}
		FAULT_POINT("webhook-locked");
		RecoverAlerts();
		do
		{
			pgstat_report_activity(STATE_RUNNING, "clair: posting to webhooks");
			PostCarefully(&poster);
		} while (!terminated && AwaitDue());
		FAULT_POINT("webhook-done");
		ReleaseLock(WEBHOOK_LOCK, WEBHOOK_LOCK_OBJECT);
	} while (!terminated && TimeUntilDue() >= 0);
}

/* Waits for the end of the transaction that has something to deliver. */
static void
AwaitTransaction(TransactionId transaction)
{
	if (!TransactionIdIsValid(transaction))
		return;
	StartTransactionCommand();
	XactLockTableWait(transaction, NULL, NULL, XLTW_None);
	CommitTransactionCommand();
}

void
WebhookWorkerMain(pg_attribute_unused() Datum argument)
{
	WebhookRequest request;

	memcpy(&request, MyBgworkerEntry->bgw_extra, sizeof(request));
	pqsignal(SIGINT, StatementCancelHandler);
	pqsignal(SIGTERM, HandleTerminate);
	BeginWorker(&request.worker);
	FAULT_POINT("webhook-worker-begun");
	AwaitTransaction(request.transaction);
	FAULT_POINT("webhook-worker-awaited");
	Deliver();
	pgstat_report_activity(STATE_IDLE, NULL);
	proc_exit(0);
}
