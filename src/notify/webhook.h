/*
 * webhook.h
 *    Webhooks: consumers whose notifications a background worker posts to a URL.
 *
 * webhook.c has the functions that make them; deliver.c starts the worker, webhook_worker.c is its
 * loop; webhook_batch.c takes notifications from clair.delivery and writes down what became of
 * them; webhook_request.c makes requests of them.
 */
#ifndef CLAIR_WEBHOOK_H
#define CLAIR_WEBHOOK_H

#include "postgres.h"

#include "access/transam.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "server/headers.h"
#include "server/transfer.h"
#include "server/worker.h"

/*
 * Keys of the advisory lock of the worker: there is one at a time in a database, so no notification
 * is posted by two. The statement says which process has it.
 */
#define WEBHOOK_LOCK		1668047223
#define WEBHOOK_LOCK_OBJECT 0

#define WEBHOOK_WORKER                                                                             \
	"SELECT l.pid"                                                                                 \
	" FROM pg_locks AS l"                                                                          \
	"     JOIN pg_database AS d ON d.oid = l.database"                                             \
	" WHERE l.locktype = 'advisory' AND d.datname = current_database()"                            \
	"     AND l.classid = 1668047223::oid AND l.objid = 0::oid AND l.objsubid = 2 AND l.granted"

/* Milliseconds before the second attempt; doubled for each further one. */
extern int clair_webhook_retry_delay;

/* What the worker is told. */
typedef struct WebhookRequest
{
	WorkerRequest worker;
	TransactionId transaction; /* what to deliver is there when it has ended; or invalid: already */
} WebhookRequest;

/*
 * Lets a worker deliver what the current transaction has written, as soon as it commits. Within
 * SPI, as the extension's owner.
 */
extern void DeliverAtCommit(void);

/*
 * Condition of SQL: whether a webhook, w, with its consumer, c, and state, s, has a notification to
 * be posted at this moment; clair.next_notifications() goes by the same.
 */
#define WEBHOOK_IS_DUE                                                                             \
	"w.enabled AND COALESCE(s.resume_at <= clock_timestamp(), true)"                               \
	"     AND CASE WHEN c.in_order"                                                                \
	"             THEN (SELECT COALESCE(d.due_at <= clock_timestamp(), true)"                      \
	"                   FROM clair.delivery AS d"                                                  \
	"                   WHERE d.consumer = w.consumer AND d.state = 'pending'"                     \
	"                   ORDER BY d.notification LIMIT 1)"                                          \
	"             ELSE EXISTS ("                                                                   \
	"                 SELECT FROM clair.delivery AS d"                                             \
	"                 WHERE d.consumer = w.consumer AND d.state = 'pending'"                       \
	"                     AND COALESCE(d.due_at <= clock_timestamp(), true)"                       \
	"                     AND NOT EXISTS ("                                                        \
	"                         SELECT FROM clair.delivery AS e"                                     \
	"                         WHERE e.consumer = d.consumer AND e.state = 'pending'"               \
	"                             AND e.vulnerability = d.vulnerability"                           \
	"                             AND e.notification < d.notification)) END"
#define WEBHOOKS                                                                                   \
	"clair.webhook AS w"                                                                           \
	"     JOIN clair.consumer AS c ON c.name = w.consumer"                                         \
	"     JOIN clair.webhook_state AS s ON s.consumer = w.consumer"

/* Condition of SQL: whether one of a webhook's notifications is being posted. */
#define WEBHOOK_IS_POSTING                                                                         \
	"EXISTS (SELECT FROM clair.webhook_receipt AS r"                                               \
	"            JOIN clair.delivery AS d"                                                         \
	"                ON d.consumer = r.consumer AND d.notification = r.notification"               \
	"        WHERE r.consumer = w.consumer AND d.state = 'pending' AND d.attempts > r.attempts)"

typedef enum AlertState
{
	ALERT_WAITING,
	ALERT_POSTED, /* its answer is waited for */
	ALERT_DELIVERED,
	ALERT_FAILED,
	ALERT_REFUSED, /* no further attempt would change it */
	ALERT_RECORDED /* its row says what became of it */
} AlertState;

/* A notification that has been handed out to us. */
typedef struct Alert
{
	char *notification;
	char *attempt;	/* its number, as clair.delivery counts */
	int64 attempts; /* those that count, with this one */
	char *id;		/* for the receiver */
	char *body;		/* JSON */
	AlertState state;
	int number; /* of the transfer */
	TimestampTz sent_at;
	TimestampTz answered_at;
	int64 status;	   /* of HTTP; 0: there was no answer */
	char *error;	   /* or NULL */
	char *answer;	   /* or NULL */
	int64 retry_after; /* seconds for which the receiver asks */
} Alert;

/* Notifications of one webhook that are being posted, and how. */
typedef struct WebhookBatch
{
	MemoryContext context; /* of all of it */
	char *consumer;
	char *url;
	char *secret;	   /* NULL: nothing is signed */
	char *headers;	   /* lines, or NULL */
	char *certificate; /* PEM, or NULL */
	char *key;		   /* PEM, or NULL */
	int timeout;	   /* seconds */
	int parallel;
	int64 max_attempts;
	int64 failures;	  /* since the last success, over batches */
	int64 pause;	  /* milliseconds for which nothing more is to be posted */
	char *last_error; /* of this batch, or NULL */
	bool succeeded;	  /* something of this batch was delivered */
	bool stopped;	  /* nothing more of this batch is posted */
	int posted;		  /* alerts whose answers are waited for */
	int count;
	int next; /* the first that waits */
	Alert *alerts;
} WebhookBatch;

/* webhook_batch.c; each is a transaction of its own. */

/* The webhooks that have something to be posted at this moment: names, in the current context. */
extern List *DueWebhooks(void);

/* Takes notifications of a webhook, in the current context; NULL when there are none. */
extern WebhookBatch *TakeBatch(const char *consumer);

/* Milliseconds until something will be due; -1 when nothing is left to deliver. */
extern int64 TimeUntilDue(void);

/* Writes down what has become of alerts; of a stopped batch, hands back what has not been posted.
 */
extern void RecordAlerts(WebhookBatch *batch);

/* Lets a webhook pause after an error that no alert is to blame for. */
extern void RecordTrouble(const char *consumer, const char *error);

/* Takes back what was being posted by a worker that is no more. */
extern void RecoverAlerts(void);

/* What has become of an alert: takes the answer, or why there is none and, finally, never will be.
 */
extern void TakeReceipt(WebhookBatch *batch, Alert *alert, const TransferAnswer *answer);
extern void FailAlert(WebhookBatch *batch, Alert *alert, const char *error, bool finally);

/* webhook_request.c: a file of a certificate or a key, in the current context; no path: NULL. */
extern char *ReadPem(const char *path);

/* The transfer that posts an alert, in the current context. */
extern Transfer MakeRequest(const WebhookBatch *batch, const Alert *alert);

/* Fails when a header is one that requests have anyway. */
extern void CheckWebhookHeaders(Jsonb *headers);

/* The key that a secret stands for; fails when it has a form that it does not keep to. */
extern char *SecretKey(const char *secret, int *size);

#endif
