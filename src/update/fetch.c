/*
 * fetch.c
 *    Getting documents from the network, by clair-fetch; and the settings of that.
 *
 * One clair-fetch has the documents of a batch, each with a spool file of its own. It does
 * the retrying, the redirects and the checks of addresses; here its answers become states.
 */
#include "postgres.h"

#include <unistd.h>

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "server/compat.h"
#include "server/helper.h"
#include "server/settings.h"
#include "update/fetch.h"

/* Fields of WIRE_TRANSFERRED. */
enum
{
	TRANSFERRED_NUMBER,
	TRANSFERRED_STATUS,
	TRANSFERRED_BYTES,
	TRANSFERRED_ETAG,
	TRANSFERRED_LAST_MODIFIED,
	TRANSFERRED_URL,
	TRANSFERRED_ERROR,
	TRANSFERRED_HINT
};

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
							   &fetch_user_agent, "clair/1.0 (PostgreSQL)", PGC_SUSET, 0, NULL,
							   NULL, NULL);
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

static void
SendFetchJob(Helper *fetch, const UpdaterSettings *settings)
{
	JobFields *job = BeginJob();

	if (settings->user_agent[0] != '\0')
		AddToJob(job, "user_agent", settings->user_agent);
	if (settings->proxy[0] != '\0')
		AddToJob(job, "proxy", settings->proxy);
	if (fetch_ca_file[0] != '\0')
		AddToJob(job, "ca_file", fetch_ca_file);
	AddToJob(job, "hosts", settings->hosts);
	AddToJob(job, "allow_private_networks", allow_private_networks ? "true" : "false");
	AddToJob(job, "parallel", settings->parallel);
	AddToJob(job, "retries", psprintf("%d", fetch_retries));
	AddToJob(job, "connect_timeout", psprintf("%d", fetch_connect_timeout));
	AddToJob(job, "stall_timeout", psprintf("%d", fetch_stall_timeout));
	AddToJob(job, "max_size", psprintf(INT64_FORMAT, CurrentLimits().max_document_size));
	SendJob(fetch, job);
}

/* The greatest size of a document's spool file. */
static int64
MaxSpoolSize(void)
{
	int64 limit = CurrentLimits().max_document_size;

	return temp_file_limit >= 0 ? Min(limit, (int64) temp_file_limit * 1024) : limit;
}

static void
SendTransfer(Helper *fetch, int number, Document *document, bool conditional)
{
	const char *url = FormatUrl(&document->url);
	bool ask = conditional && document->old_url != NULL && strcmp(document->old_url, url) == 0;
	ClairBytes fields[WIRE_TRANSFER_FIELDS] = {
		clair_bytes(psprintf("%d", number)),
		clair_bytes(url),
		ask ? clair_bytes(document->old_etag) : CLAIR_NULL_BYTES,
		ask ? clair_bytes(document->old_last_modified) : CLAIR_NULL_BYTES,
		clair_bytes(psprintf(INT64_FORMAT, MaxSpoolSize())),
		CLAIR_NULL_BYTES};

	document->content = OpenSpoolFile();
	SendFrame(fetch, WIRE_TRANSFER, fields, WIRE_TRANSFER_FIELDS, document->content->fd);
}

static char *
CopyField(const UpdateRun *run, ClairBytes field)
{
	char *copy;

	if (field.data == NULL)
		return NULL;
	copy = MemoryContextAlloc(run->context, field.size + 1);
	memcpy(copy, field.data, field.size);
	copy[field.size] = '\0';
	return copy;
}

/* The digest of what a file holds. */
static char *
ContentDigest(const UpdateRun *run, int fd)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	char *text = MemoryContextAllocZero(run->context, PG_SHA256_DIGEST_LENGTH * 2 + 1);
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	char buffer[BLCKSZ];
	off_t offset = 0;
	ssize_t size = 0;
	bool good = hash != NULL && pg_cryptohash_init(hash) == 0;

	while (good && (size = pread(fd, buffer, sizeof(buffer), offset)) > 0)
	{
		offset += size;
		good = pg_cryptohash_update(hash, (uint8 *) buffer, (size_t) size) == 0;
	}
	good = good && size == 0 && pg_cryptohash_final(hash, digest, sizeof(digest)) == 0;
	pg_cryptohash_free(hash);
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_IO_ERROR), errmsg("could not take the digest of a document")));
	hex_encode((char *) digest, sizeof(digest), text);
	return text;
}

static void
pg_attribute_noreturn()
	ReportBadAnswer(const Document *document, const char *error, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_IO_ERROR),
					errmsg("could not fetch \"%s\": %s", FormatUrl(&document->url), error),
					hint != NULL ? errhint("%s", hint) : 0));
}

/* Takes what clair-fetch says of a transfer. */
static void
TakeTransferred(UpdateRun *run, List *documents, const HelperFrame *frame)
{
	int64 number;
	int64 status;
	int64 bytes;
	Document *document;

	if (frame->count != WIRE_TRANSFERRED_FIELDS ||
		!wire_integer(frame->fields[TRANSFERRED_NUMBER], &number) ||
		!wire_integer(frame->fields[TRANSFERRED_STATUS], &status) ||
		!wire_integer(frame->fields[TRANSFERRED_BYTES], &bytes) || number < 0 ||
		number >= list_length(documents) || bytes < 0)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-fetch sent a malformed answer")));
	document = list_nth(documents, (int) number);
	if (frame->fields[TRANSFERRED_ERROR].data != NULL)
		ReportBadAnswer(document, CopyField(run, frame->fields[TRANSFERRED_ERROR]),
						CopyField(run, frame->fields[TRANSFERRED_HINT]));
	if (status == 200)
	{
		document->state = DOCUMENT_FETCHED;
		document->size = bytes;
		document->etag = document->mode == DOCUMENT_ALWAYS
							 ? ContentDigest(run, document->content->fd)
							 : CopyField(run, frame->fields[TRANSFERRED_ETAG]);
		document->last_modified = CopyField(run, frame->fields[TRANSFERRED_LAST_MODIFIED]);
		if (frame->fields[TRANSFERRED_URL].data != NULL)
			ParseUrl(CopyField(run, frame->fields[TRANSFERRED_URL]), &document->base);
		run->document_count++;
		run->bytes += bytes;
	}
	else if (status == 304)
		document->state = DOCUMENT_UNCHANGED;
	else if ((status == 404 || status == 410) && document->optional)
		document->state = DOCUMENT_ABSENT;
	else
		ReportBadAnswer(document, psprintf("server answered " INT64_FORMAT, status), NULL);
	if (document->state != DOCUMENT_FETCHED)
		CloseDescriptor(document->content);
}

/* Takes frames of clair-fetch until it has done all transfers. */
static void
TakeAnswers(UpdateRun *run, Helper *fetch, List *documents)
{
	HelperFrame frame;

	for (ReceiveFrame(fetch, &frame); frame.type != WIRE_DONE; ReceiveFrame(fetch, &frame))
	{
		if (frame.type == WIRE_TRANSFERRED)
			TakeTransferred(run, documents, &frame);
		else if (frame.type != WIRE_PROGRESS)
			ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
							errmsg("clair-fetch sent an unexpected frame")));
		ReportProgress(run);
	}
}

void
FetchDocuments(UpdateRun *run, List *documents, bool conditional)
{
	Helper *fetch = StartHelper(HELPER_FETCH, -1);
	int number = 0;
	ListCell *cell;

	SendFetchJob(fetch, &run->settings);
	foreach (cell, documents)
		SendTransfer(fetch, number++, lfirst(cell), conditional);
	SendFrame(fetch, WIRE_START, NULL, 0, -1);
	TakeAnswers(run, fetch, documents);
	foreach (cell, documents)
		if (((Document *) lfirst(cell))->state == DOCUMENT_NAMED)
			ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
							errmsg("clair-fetch said nothing of a document")));
}
