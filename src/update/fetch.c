/*
 * fetch.c
 *    Getting documents from the network.
 *
 * One clair-fetch has the documents of a batch, each with a spool file of its own; here its
 * answers become states.
 */
#include "postgres.h"

#include "common/sha2.h"
#include "utils/memutils.h"

#include "common/fault.h"
#include "server/settings.h"
#include "server/transfer.h"
#include "update/checksum.h"
#include "update/fetch.h"

static char *
KeepText(const UpdateRun *run, const char *text)
{
	return text != NULL ? MemoryContextStrdup(run->context, text) : NULL;
}

/* Remembers where a document came from: what it names may be asked for when its batch is gone. */
static void
KeepBase(const UpdateRun *run, Document *document, const char *url)
{
	MemoryContext old_context = MemoryContextSwitchTo(run->context);

	ParseUrl(url, &document->base);
	MemoryContextSwitchTo(old_context);
}

/* Takes what clair-fetch says of a document. */
static void
TakeAnswer(UpdateRun *run, Document *document, const TransferAnswer *answer)
{
	FAULT_POINT("run-document-answered");
	if (document->state != DOCUMENT_NAMED)
		ReportMalformedAnswer();
	if (answer->error != NULL)
		ReportTransfer(ShowUrl(&document->url), answer->error, answer->hint);
	if (answer->status == 200)
	{
		document->state = DOCUMENT_FETCHED;
		document->size = answer->bytes;
		document->etag = document->mode == DOCUMENT_ALWAYS
							 ? KeepText(run, FileDigest(document->content->fd, PG_SHA256,
														PG_SHA256_DIGEST_LENGTH))
							 : KeepText(run, answer->etag);
		document->last_modified = KeepText(run, answer->last_modified);
		if (answer->url != NULL)
			KeepBase(run, document, answer->url);
		run->document_count++;
		run->bytes += answer->bytes;
	}
	else if (answer->status == 304)
		document->state = DOCUMENT_UNCHANGED;
	else if ((answer->status == 404 || answer->status == 410) && document->optional)
		document->state = DOCUMENT_ABSENT;
	else
		ReportTransfer(ShowUrl(&document->url),
					   psprintf("server answered " INT64_FORMAT, answer->status), NULL);
	if (document->state != DOCUMENT_FETCHED)
		CloseDescriptor(document->content);
}

/* The transfer of a document, which may be spared when that has not changed. */
static Transfer
TransferOf(Document *document, bool conditional)
{
	Transfer transfer = {.url = FormatUrl(&document->url)};

	if (conditional && document->old_url != NULL && strcmp(document->old_url, transfer.url) == 0)
	{
		transfer.etag = document->old_etag;
		transfer.last_modified = document->old_last_modified;
	}
	transfer.file = document->content = OpenSpoolFile();
	return transfer;
}

void
FetchDocuments(UpdateRun *run, List *documents, bool conditional)
{
	TransferOptions options = {.proxy = run->settings.proxy,
							   .user_agent = run->settings.user_agent,
							   .hosts = run->settings.hosts,
							   .parallel = run->settings.parallel,
							   .max_size = CurrentLimits().max_document_size};
	int count = list_length(documents);
	Transfer *transfers = palloc(sizeof(Transfer) * count);
	TransferAnswer answer;
	Helper *fetch;
	ListCell *cell;

	foreach (cell, documents)
		transfers[foreach_current_index(cell)] = TransferOf(lfirst(cell), conditional);
	fetch = StartTransfers(&options, transfers, count);
	FAULT_POINT("run-asked-for-documents");
	while (NextAnswer(fetch, count, &answer))
	{
		if (answer.number >= 0)
			TakeAnswer(run, list_nth(documents, answer.number), &answer);
		ReportProgress(run);
	}
	foreach (cell, documents)
		if (((Document *) lfirst(cell))->state == DOCUMENT_NAMED)
			ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
							errmsg("clair-fetch said nothing of a document")));
}
