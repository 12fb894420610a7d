/*
 * transfer.c
 *    Getting files from the network, by clair-fetch; see transfer.h.
 *
 * Header lines may be secret: they are sent over the socket, and nothing here repeats them.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "server/compat.h"
#include "server/progress.h"
#include "server/transfer.h"

#define MAX_STATUS 999 /* of HTTP */

static bool allow_private_networks;
static int fetch_parallel;
static int fetch_retries;
static int fetch_connect_timeout;
static int fetch_stall_timeout;
static char *fetch_proxy;
static char *fetch_ca_file;
static char *fetch_user_agent;

void
DefineFetchSettings(void)
{
	DefineCustomBoolVariable("clair.allow_private_networks",
							 "Whether servers at private, local and reserved addresses are asked.",
							 NULL, &allow_private_networks, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("clair.fetch_parallel", "Transfers at a time of one update.", NULL,
							&fetch_parallel, 4, 1, 16, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("clair.fetch_retries", "Further attempts after a transfer that failed.",
							NULL, &fetch_retries, 3, 0, 10, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("clair.fetch_connect_timeout",
							"Time to find a server's address and connect to it.", NULL,
							&fetch_connect_timeout, 30, 1, 86400, PGC_SUSET, GUC_UNIT_S, NULL, NULL,
							NULL);
	DefineCustomIntVariable("clair.fetch_stall_timeout",
							"Time with next to no data after which a transfer has failed.", NULL,
							&fetch_stall_timeout, 60, 1, 86400, PGC_SUSET, GUC_UNIT_S, NULL, NULL,
							NULL);
	DefineCustomStringVariable("clair.fetch_proxy", "URL of the proxy server for all transfers.",
							   "When empty, none; the environment does not matter.", &fetch_proxy,
							   "", PGC_SUSET, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomStringVariable("clair.fetch_ca_file",
							   "File of certificates of the authorities to trust.",
							   "When empty, those of the system.", &fetch_ca_file, "", PGC_SUSET,
							   GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomStringVariable("clair.fetch_user_agent", "User-Agent of all requests.", NULL,
							   &fetch_user_agent, "clair/" CLAIR_VERSION " (PostgreSQL)", PGC_SUSET,
							   0, NULL, NULL, NULL);
}

const char *
FetchProxy(void)
{
	return fetch_proxy;
}

const char *
FetchUserAgent(void)
{
	return fetch_user_agent;
}

int
FetchParallel(void)
{
	return fetch_parallel;
}

/* The greatest size of a transfer's file. */
static char *
MaxFileSize(const TransferOptions *options)
{
	int64 size = temp_file_limit >= 0 ? Min(options->max_size, (int64) temp_file_limit * 1024)
									  : options->max_size;

	return psprintf(INT64_FORMAT, size);
}

static void
SendFetchJob(Helper *fetch, const TransferOptions *options)
{
	JobFields *job = BeginJob();

	if (options->user_agent[0] != '\0')
		AddToJob(job, "user_agent", options->user_agent);
	if (options->proxy[0] != '\0')
		AddToJob(job, "proxy", options->proxy);
	if (fetch_ca_file[0] != '\0')
		AddToJob(job, "ca_file", fetch_ca_file);
	AddToJob(job, "hosts", options->hosts);
	AddToJob(job, "allow_private_networks", allow_private_networks ? "true" : "false");
	AddToJob(job, "decode", options->as_stored ? "false" : "true");
	AddToJob(job, "parallel", psprintf("%d", options->parallel));
	AddToJob(job, "retries", psprintf("%d", fetch_retries));
	AddToJob(job, "connect_timeout", psprintf("%d", fetch_connect_timeout));
	AddToJob(job, "stall_timeout", psprintf("%d", fetch_stall_timeout));
	AddToJob(job, "max_size", psprintf(INT64_FORMAT, options->max_size));
	SendJob(fetch, job);
}

static ClairBytes
OptionalText(const char *text)
{
	return text != NULL ? clair_bytes(text) : CLAIR_NULL_BYTES;
}

Helper *
StartFetch(const TransferOptions *options)
{
	Helper *fetch = StartHelper(HELPER_FETCH, -1);

	SendFetchJob(fetch, options);
	return fetch;
}

void
SendTransfer(Helper *fetch, const TransferOptions *options, int number, const Transfer *transfer)
{
	ClairBytes fields[WIRE_TRANSFER_FIELDS] = {
		[WIRE_TRANSFER_NUMBER] = clair_bytes(psprintf("%d", number)),
		[WIRE_TRANSFER_URL] = clair_bytes(transfer->url),
		[WIRE_TRANSFER_ETAG] = OptionalText(transfer->etag),
		[WIRE_TRANSFER_LAST_MODIFIED] = OptionalText(transfer->last_modified),
		[WIRE_TRANSFER_MAX_SIZE] = clair_bytes(MaxFileSize(options)),
		[WIRE_TRANSFER_HEADERS] = OptionalText(transfer->headers),
		[WIRE_TRANSFER_BODY] = OptionalText(transfer->body),
		[WIRE_TRANSFER_TIMEOUT] = clair_bytes(psprintf("%d", transfer->timeout)),
		[WIRE_TRANSFER_CERTIFICATE] = OptionalText(transfer->certificate),
		[WIRE_TRANSFER_KEY] = OptionalText(transfer->key)};

	SendFrame(fetch, WIRE_TRANSFER, fields, WIRE_TRANSFER_FIELDS,
			  transfer->file != NULL ? transfer->file->fd : -1);
}

void
EndTransfers(Helper *fetch)
{
	SendFrame(fetch, WIRE_START, NULL, 0, -1);
}

Helper *
StartTransfers(const TransferOptions *options, const Transfer *transfers, int count)
{
	Helper *fetch = StartFetch(options);

	for (int i = 0; i < count; i++)
		SendTransfer(fetch, options, i, &transfers[i]);
	EndTransfers(fetch);
	return fetch;
}

void
ReportMalformedAnswer(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION), errmsg("clair-fetch sent a malformed answer")));
}

/* Takes what clair-fetch says of a transfer. */
static void
TakeAnswer(const HelperFrame *frame, int count, TransferAnswer *answer)
{
	int64 number;

	if (frame->count != WIRE_TRANSFERRED_FIELDS ||
		!wire_integer(frame->fields[WIRE_TRANSFERRED_NUMBER], &number) ||
		!wire_integer(frame->fields[WIRE_TRANSFERRED_STATUS], &answer->status) ||
		!wire_integer(frame->fields[WIRE_TRANSFERRED_BYTES], &answer->bytes) || number < 0 ||
		number >= count || answer->bytes < 0 || answer->status < 0 || answer->status > MAX_STATUS)
		ReportMalformedAnswer();
	answer->number = (int) number;
	answer->etag = TextOfField(frame->fields[WIRE_TRANSFERRED_ETAG]);
	answer->last_modified = TextOfField(frame->fields[WIRE_TRANSFERRED_LAST_MODIFIED]);
	answer->url = TextOfField(frame->fields[WIRE_TRANSFERRED_URL]);
	answer->error = TextOfField(frame->fields[WIRE_TRANSFERRED_ERROR]);
	answer->hint = TextOfField(frame->fields[WIRE_TRANSFERRED_HINT]);
	answer->answer = TextOfField(frame->fields[WIRE_TRANSFERRED_ANSWER]);
	if (frame->fields[WIRE_TRANSFERRED_RETRY_AFTER].data != NULL &&
		(!wire_integer(frame->fields[WIRE_TRANSFERRED_RETRY_AFTER], &answer->retry_after) ||
		 answer->retry_after < 0))
		ReportMalformedAnswer();
}

bool
NextAnswer(Helper *fetch, int count, TransferAnswer *answer)
{
	HelperFrame frame;

	ReceiveFrame(fetch, &frame);
	*answer = (TransferAnswer){.number = -1};
	if (frame.type == WIRE_TRANSFERRED)
		TakeAnswer(&frame, count, answer);
	else if (frame.type == WIRE_PROGRESS)
		ShowProgress("fetching", "transfers", &frame);
	else if (frame.type != WIRE_DONE)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-fetch sent an unexpected frame")));
	return frame.type != WIRE_DONE;
}

void
ReportTransfer(const char *url, const char *error, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_IO_ERROR), errmsg("could not fetch \"%s\": %s", url, error),
					hint != NULL ? errhint("%s", hint) : 0));
}
