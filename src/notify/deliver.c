/*
 * deliver.c
 *    Starting the worker that posts to webhooks: when a transaction commits, and by
 *    clair.deliver_webhooks().
 *
 * A worker for a commit is started just before it, when an error can still be raised, and waits for
 * the end of the transaction. One that finds another at work wakes it, and ends. When there is no
 * slot for a worker, what was written stays to be delivered by the next one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/wait_event.h"

#include "common/fault.h"
#include "notify/webhook.h"
#include "server/compat.h"
#include "server/sql.h"

PG_FUNCTION_INFO_V1(deliver_webhooks);

#define RESULT_COLUMNS 4

/* Milliseconds between two looks whether everything has been delivered: at first, and at most. */
#define FIRST_INTERVAL 10
#define MAX_INTERVAL   500

static bool deliver_at_commit;

/* Starts a worker, for a transaction or for what is there; false when there is no slot. */
static bool
StartDelivery(Workers *workers, TransactionId transaction)
{
	WebhookRequest request;

	memset(&request, 0, sizeof(request));
	request.transaction = transaction;
	StaticAssertStmt(sizeof(request) <= BGW_EXTRALEN, "a worker's request must fit");
	return StartWorker(workers, "WebhookWorkerMain", "clair webhooks", "clair webhooks",
					   &request.worker, sizeof(request));
}

static void
TransactionEnds(XactEvent event, pg_attribute_unused() void *argument)
{
	if (!deliver_at_commit)
		return;
	deliver_at_commit = false;
	FAULT_POINT("webhook-before-commit");
	if (event == XACT_EVENT_PRE_COMMIT &&
		!StartDelivery(palloc0(sizeof(Workers)), GetTopTransactionId()))
		ereport(LOG, (errmsg("could not start a background worker to deliver to webhooks"),
					  errhint("All are in use: raise max_worker_processes.")));
}

void
DeliverAtCommit(void)
{
	static bool registered;

	if (RunSql("SELECT FROM clair.webhook WHERE enabled LIMIT 1", NULL) == 0)
		return;
	if (!registered)
		RegisterXactCallback(TransactionEnds, NULL);
	registered = true;
	deliver_at_commit = true;
}

/* Whether something is being posted, or is to be at this moment. */
static bool
IsBusy(void)
{
	return RunSql("SELECT FROM " WEBHOOKS " WHERE (" WEBHOOK_IS_DUE ") OR " WEBHOOK_IS_POSTING
				  " LIMIT 1",
				  NULL) > 0;
}

/* Waits until nothing is due. Ends, with an error, when nobody works on what is. */
static void
AwaitDelivery(Workers *workers)
{
	long interval = FIRST_INTERVAL;
	pid_t pid;

	while (IsBusy())
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, interval,
						 PG_WAIT_EXTENSION);
		interval = Min(interval * 2, MAX_INTERVAL);
		ResetLatch(MyLatch);
		FAULT_POINT("webhook-waiting");
		CHECK_FOR_INTERRUPTS();
		if (GetBackgroundWorkerPid(workers->handles[0], &pid) != BGWH_STOPPED)
			continue;
		/* It has found another one at work; or none is. */
		if (RunSql(WEBHOOK_WORKER, NULL) == 0 && IsBusy())
			ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
							errmsg("the worker for webhooks ended before everything was delivered"),
							errhint("The server's log says why.")));
	}
}

static void
ReturnStatus(ReturnSetInfo *result)
{
	int64 count = RunSql("SELECT consumer, pending, delivered, dead FROM clair.webhook_status"
						 " ORDER BY consumer",
						 NULL);

	for (int64 row = 0; row < count; row++)
	{
		char *texts[RESULT_COLUMNS];

		for (int i = 0; i < RESULT_COLUMNS; i++)
			texts[i] = ResultText(row, i + 1);
		ReturnTexts(result, texts);
	}
}

Datum
deliver_webhooks(PG_FUNCTION_ARGS)
{
	bool wait = PG_ARGISNULL(0) || PG_GETARG_BOOL(0);
	Workers *workers = palloc0(sizeof(Workers));
	OwnerState caller;

	CheckMayStartWorkers("clair.deliver_webhooks()");
	if (wait)
		CheckMayWaitForWorkers("clair.deliver_webhooks()", "Call it outside of a transaction "
														   "block, or with wait => false.");
	InitMaterializedSRF(fcinfo, 0);
	(void) StartDelivery(workers, InvalidTransactionId);
	CheckAnyWorker(workers);
	SPI_connect();
	BecomeOwner(&caller);
	FAULT_POINT("webhook-started");
	if (wait)
		AwaitDelivery(workers);
	ReturnStatus((ReturnSetInfo *) fcinfo->resultinfo);
	ResumeCaller(&caller);
	SPI_finish();
	return (Datum) 0;
}
