/*
 * webhook.c
 *    Making webhooks: clair.create_webhook(), alter_webhook(), drop_webhook(), and trying again.
 *
 * Who makes or changes one must be a member of the role that owns the consumer; and of
 * pg_read_server_files to name the files of a certificate, which the worker reads.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "notify/consumer.h"
#include "notify/webhook.h"
#include "server/audit.h"
#include "server/compat.h"
#include "server/descriptor.h"
#include "server/sql.h"
#include "server/url.h"

PG_FUNCTION_INFO_V1(create_webhook);
PG_FUNCTION_INFO_V1(alter_webhook);
PG_FUNCTION_INFO_V1(drop_webhook);
PG_FUNCTION_INFO_V1(retry_webhook);
PG_FUNCTION_INFO_V1(retry_webhooks);

/* Arguments of the first two. */
enum
{
	WEBHOOK_CONSUMER,
	WEBHOOK_URL,
	WEBHOOK_FORMAT,
	WEBHOOK_CALLBACK,
	WEBHOOK_TIMEOUT,
	WEBHOOK_MAX_ATTEMPTS,
	WEBHOOK_PARALLEL,
	WEBHOOK_CERTIFICATE_FILE,
	WEBHOOK_KEY_FILE,
	WEBHOOK_ENABLED,
	WEBHOOK_SECRET,
	WEBHOOK_HEADERS,
	WEBHOOK_ARGUMENTS
};

static char *
TextArgument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static void
CheckUrl(const char *text)
{
	Url url;

	if (text == NULL || text[0] == '\0')
		return;
	if (!ParseUrl(text, &url) || UrlIsFile(&url))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid URL of a webhook"),
				 errhint("It begins with https:// or http://.")));
	if (strchr(url.authority, '@') != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the URL of a webhook has a user name"),
						errhint("Give an Authorization header.")));
}

static void
CheckFile(const char *path)
{
	if (path == NULL || path[0] == '\0')
		return;
	CheckMayReadFiles(GetUserId());
	if (!is_absolute_path(path))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("path \"%s\" is not absolute", path),
						errhint("Name the file as the server sees it, from the root on.")));
}

/* Checks what the tables do not, or what their words would give away. */
static void
CheckArguments(FunctionCallInfo fcinfo)
{
	char *secret = TextArgument(fcinfo, WEBHOOK_SECRET);
	int size;

	CheckUrl(TextArgument(fcinfo, WEBHOOK_URL));
	CheckUrl(TextArgument(fcinfo, WEBHOOK_CALLBACK));
	CheckFile(TextArgument(fcinfo, WEBHOOK_CERTIFICATE_FILE));
	CheckFile(TextArgument(fcinfo, WEBHOOK_KEY_FILE));
	if (secret != NULL)
		(void) SecretKey(secret, &size);
	if (!PG_ARGISNULL(WEBHOOK_HEADERS))
		CheckWebhookHeaders(PG_GETARG_JSONB_P(WEBHOOK_HEADERS));
}

/* Stores what is secret, of which an empty text or object takes away what was there. */
static void
StoreSecret(const SqlParameters *arguments)
{
	static const int columns[] = {WEBHOOK_CONSUMER, WEBHOOK_SECRET, WEBHOOK_HEADERS};
	SqlParameters parameters = {.count = lengthof(columns)};

	for (int i = 0; i < parameters.count; i++)
	{
		parameters.types[i] = arguments->types[columns[i]];
		parameters.values[i] = arguments->values[columns[i]];
		parameters.nulls[i] = arguments->nulls[columns[i]];
	}
	RunSql("INSERT INTO clair.webhook_secret AS s (consumer, secret, headers)"
		   " VALUES ($1, NULLIF($2, ''), NULLIF($3::jsonb, '{}'))"
		   " ON CONFLICT (consumer) DO UPDATE SET"
		   "     secret = CASE WHEN $2 IS NULL THEN s.secret ELSE excluded.secret END,"
		   "     headers = CASE WHEN $3 IS NULL THEN s.headers ELSE excluded.headers END",
		   &parameters);
}

/* Begins what a function does for a webhook: for its consumer. */
static void
OpenWebhook(const char *function, const char *name, OwnerState *caller)
{
	Consumer consumer;

	OpenConsumer(&consumer, function, name, caller);
}

pg_noreturn static void
ReportMissing(const char *consumer)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("consumer \"%s\" has no webhook", consumer)));
}

/* Records what is given of a webhook: of URLs the server, of secrets that there are some. */
static void
RecordWebhook(const OwnerState *caller, const char *action, FunctionCallInfo fcinfo)
{
	static const char *const names[WEBHOOK_ARGUMENTS] = {
		[WEBHOOK_FORMAT] = "format",
		[WEBHOOK_TIMEOUT] = "timeout",
		[WEBHOOK_MAX_ATTEMPTS] = "max_attempts",
		[WEBHOOK_PARALLEL] = "parallel",
		[WEBHOOK_CERTIFICATE_FILE] = "certificate_file",
		[WEBHOOK_KEY_FILE] = "key_file",
		[WEBHOOK_ENABLED] = "enabled",
	};
	AuditDetail *detail = ArgumentsDetail(fcinfo, names, WEBHOOK_FORMAT, WEBHOOK_SECRET);

	AddDetail(detail, "url", AuditedUrl(TextArgument(fcinfo, WEBHOOK_URL), false));
	AddDetail(detail, "callback", AuditedUrl(TextArgument(fcinfo, WEBHOOK_CALLBACK), false));
	AddDetail(detail, "secret", PG_ARGISNULL(WEBHOOK_SECRET) ? NULL : "set");
	AddDetail(detail, "headers", PG_ARGISNULL(WEBHOOK_HEADERS) ? NULL : "set");
	RecordAction(caller, action, TextArgument(fcinfo, WEBHOOK_CONSUMER), detail);
}

Datum
create_webhook(PG_FUNCTION_ARGS)
{
	static const bool optional[WEBHOOK_ARGUMENTS] = {[WEBHOOK_CALLBACK] = true,
													 [WEBHOOK_CERTIFICATE_FILE] = true,
													 [WEBHOOK_KEY_FILE] = true,
													 [WEBHOOK_SECRET] = true,
													 [WEBHOOK_HEADERS] = true};
	SqlParameters arguments = {0};
	SqlParameters parameters;
	OwnerState caller;

	for (int i = 0; i < WEBHOOK_ARGUMENTS; i++)
	{
		if (PG_ARGISNULL(i) && !optional[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("of a webhook, only secret, headers, callback and files may be "
								   "null")));
	}
	CheckArguments(fcinfo);
	OpenWebhook("clair.create_webhook()", TextArgument(fcinfo, WEBHOOK_CONSUMER), &caller);
	AddArguments(&arguments, fcinfo);
	parameters = arguments;
	parameters.count = WEBHOOK_SECRET;
	if (RunSql("INSERT INTO clair.webhook (consumer, url, format, callback, timeout, max_attempts,"
			   "     parallel, certificate_file, key_file, enabled)"
			   " VALUES ($1, $2, $3, NULLIF($4, ''), $5::interval, $6::integer, $7::integer,"
			   "     NULLIF($8, ''), NULLIF($9, ''), $10::boolean)"
			   " ON CONFLICT (consumer) DO NOTHING",
			   &parameters) == 0)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("consumer \"%s\" already has a webhook",
							   TextArgument(fcinfo, WEBHOOK_CONSUMER))));
	parameters.count = 1;
	RunSql("INSERT INTO clair.webhook_state (consumer) VALUES ($1)", &parameters);
	StoreSecret(&arguments);
	DeliverAtCommit();
	RecordWebhook(&caller, "create_webhook", fcinfo);
	CloseConsumer(&caller);
	PG_RETURN_VOID();
}

Datum
alter_webhook(PG_FUNCTION_ARGS)
{
	SqlParameters arguments = {0};
	SqlParameters parameters;
	OwnerState caller;

	if (PG_ARGISNULL(WEBHOOK_CONSUMER))
		PG_RETURN_VOID();
	CheckArguments(fcinfo);
	OpenWebhook("clair.alter_webhook()", TextArgument(fcinfo, WEBHOOK_CONSUMER), &caller);
	AddArguments(&arguments, fcinfo);
	parameters = arguments;
	parameters.count = WEBHOOK_SECRET;
	if (RunSql("UPDATE clair.webhook"
			   " SET url = COALESCE(NULLIF($2, ''), url), format = COALESCE($3, format),"
			   "     callback = NULLIF(COALESCE($4, callback), ''),"
			   "     timeout = COALESCE($5::interval, timeout),"
			   "     max_attempts = COALESCE($6::integer, max_attempts),"
			   "     parallel = COALESCE($7::integer, parallel),"
			   "     certificate_file = NULLIF(COALESCE($8, certificate_file), ''),"
			   "     key_file = NULLIF(COALESCE($9, key_file), ''),"
			   "     enabled = COALESCE($10::boolean, enabled)"
			   " WHERE consumer = $1",
			   &parameters) == 0)
		ReportMissing(TextArgument(fcinfo, WEBHOOK_CONSUMER));
	parameters.count = 1;
	RunSql("UPDATE clair.webhook_state SET resume_at = NULL WHERE consumer = $1", &parameters);
	StoreSecret(&arguments);
	DeliverAtCommit();
	RecordWebhook(&caller, "alter_webhook", fcinfo);
	CloseConsumer(&caller);
	PG_RETURN_VOID();
}

Datum
drop_webhook(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	OwnerState caller;

	OpenWebhook("clair.drop_webhook()", TextArgument(fcinfo, 0), &caller);
	AddText(&parameters, TextArgument(fcinfo, 0));
	if (RunSql("DELETE FROM clair.webhook WHERE consumer = $1", &parameters) == 0)
		ReportMissing(TextArgument(fcinfo, 0));
	RecordAction(&caller, "drop_webhook", TextArgument(fcinfo, 0), NULL);
	CloseConsumer(&caller);
	PG_RETURN_VOID();
}

/* Lets deliveries of a webhook be tried now: one, or, when id is NULL, all that wait or are dead.
 */
static int64
Retry(const char *consumer, const char *id)
{
	SqlParameters parameters = {0};
	int64 count;

	AddText(&parameters, consumer);
	AddText(&parameters, id);
	/* Whoever hands them out locks them, too, and then their receipts. */
	RunSql("SELECT FROM clair.delivery AS d"
		   "     JOIN clair.webhook_receipt AS r"
		   "         ON r.consumer = d.consumer AND r.notification = d.notification"
		   " WHERE r.consumer = $1 AND COALESCE(r.id = $2::uuid, true)"
		   "     AND d.attempts = r.attempts AND d.attempts > 0 AND d.state IN ('dead', 'pending')"
		   " ORDER BY d.notification"
		   " FOR UPDATE OF d",
		   &parameters);
	count = RunSql("UPDATE clair.webhook_receipt AS r SET attempts_before = d.attempts"
				   " FROM clair.delivery AS d"
				   " WHERE r.consumer = $1 AND COALESCE(r.id = $2::uuid, true)"
				   "     AND d.consumer = r.consumer AND d.notification = r.notification"
				   "     AND d.attempts = r.attempts AND d.attempts > 0"
				   "     AND d.state IN ('dead', 'pending')",
				   &parameters);
	RunSql("UPDATE clair.delivery AS d"
		   " SET state = 'pending', due_at = clock_timestamp(), finished_at = NULL"
		   " FROM clair.webhook_receipt AS r"
		   " WHERE r.consumer = $1 AND COALESCE(r.id = $2::uuid, true)"
		   "     AND d.consumer = r.consumer AND d.notification = r.notification"
		   "     AND d.attempts = r.attempts_before AND d.attempts = r.attempts AND d.attempts > 0"
		   "     AND d.state IN ('dead', 'pending')",
		   &parameters);
	parameters.count = 1;
	RunSql("UPDATE clair.webhook_state SET resume_at = NULL WHERE consumer = $1", &parameters);
	DeliverAtCommit();
	return count;
}

/* The webhook whose delivery has an id; NULL when there is none. */
static char *
FindDelivery(const char *id)
{
	SqlParameters parameters = {0};
	MemoryContext context = CurrentMemoryContext;
	char *consumer = NULL;
	OwnerState caller;

	BecomeOwner(&caller);
	SPI_connect();
	AddText(&parameters, id);
	if (RunSql("SELECT consumer FROM clair.webhook_receipt WHERE id = $1::uuid", &parameters) == 1)
		consumer = MemoryContextStrdup(context, ResultText(0, 1));
	CloseConsumer(&caller);
	return consumer;
}

Datum
retry_webhook(PG_FUNCTION_ARGS)
{
	char *id = DatumGetCString(DirectFunctionCall1(uuid_out, PG_GETARG_DATUM(0)));
	char *consumer = FindDelivery(id);
	OwnerState caller;
	int64 count;

	if (consumer == NULL)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						errmsg("there is no delivery with id \"%s\"", id)));
	OpenWebhook("clair.retry_webhook()", consumer, &caller);
	count = Retry(consumer, id);
	CloseConsumer(&caller);
	PG_RETURN_BOOL(count == 1);
}

Datum
retry_webhooks(PG_FUNCTION_ARGS)
{
	char *consumer = TextArgument(fcinfo, 0);
	OwnerState caller;
	int64 count;

	OpenWebhook("clair.retry_webhooks()", consumer, &caller);
	count = Retry(consumer, NULL);
	CloseConsumer(&caller);
	PG_RETURN_INT64(count);
}
