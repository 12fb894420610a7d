/*
 * documents.c
 *    The documents of a run: rounds of fetching and reading, and where documents may be.
 *
 * The updater's row names the first document; what is read of a document may name further
 * ones, for the next round. One that has not changed still names what it named before. A
 * round goes in batches, because each document that is being read is an open file; those
 * that the others are read in the light of ("always") are part of every batch. One that is
 * kept since an earlier run is not even asked for, nor is what it named, as long as the updater
 * has a state to go on from; it may find that it cannot, and then all begins again. A patch
 * changes records of other documents, and is forgotten once it is applied.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/memutils.h"

#include "common/fault.h"
#include "common/limits.h"
#include "server/settings.h"
#include "server/sql.h"
#include "update/checksum.h"
#include "update/fetch.h"
#include "update/run.h"
#include "update/stage.h"

/* Documents that are fetched and read at a time. */
#define BATCH_SIZE 64

typedef struct DocumentEntry
{
	const char *name; /* the key */
	Document *document;
} DocumentEntry;

static const char *const mode_words[] = {[DOCUMENT_PLAIN] = "plain",
										 [DOCUMENT_ALWAYS] = "always",
										 [DOCUMENT_KEEP] = "keep",
										 [DOCUMENT_PATCH] = "patch"};

bool
ParseDocumentMode(const char *word, DocumentMode *mode)
{
	for (size_t i = 0; i < lengthof(mode_words); i++)
		if (strcmp(word, mode_words[i]) == 0)
		{
			*mode = (DocumentMode) i;
			return true;
		}
	return false;
}

const char *
DocumentModeWord(DocumentMode mode)
{
	return mode_words[mode];
}

static uint32
HashName(const void *key, pg_attribute_unused() Size size)
{
	const char *name = *(const char *const *) key;

	return hash_bytes((const unsigned char *) name, (int) strlen(name));
}

static int
CompareNames(const void *left, const void *right, pg_attribute_unused() Size size)
{
	return strcmp(*(const char *const *) left, *(const char *const *) right);
}

static Document *
FindDocument(const UpdateRun *run, const char *name)
{
	DocumentEntry *entry = hash_search(run->documents.by_name, &name, HASH_FIND, NULL);

	return entry != NULL ? entry->document : NULL;
}

/* A new document, which must not be there yet; the name is copied. */
static Document *
AddDocument(UpdateRun *run, const char *name)
{
	Document *document = palloc0(sizeof(Document));
	DocumentEntry *entry;

	document->name = pstrdup(name);
	entry = hash_search(run->documents.by_name, &document->name, HASH_ENTER, NULL);
	entry->document = document;
	return document;
}

/* Reads what earlier runs knew of the documents. */
static void
LoadDocuments(UpdateRun *run)
{
	SqlParameters parameters = {0};
	HASHCTL control = {.keysize = sizeof(const char *),
					   .entrysize = sizeof(DocumentEntry),
					   .hash = HashName,
					   .match = CompareNames,
					   .hcxt = run->context};
	Work work;
	List *known = NIL;
	ListCell *cell;
	int64 count;

	run->documents.by_name = hash_create("clair documents", 64, &control,
										 HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	BeginWork(&work);
	AddText(&parameters, run->settings.name);
	count = RunSql("SELECT name, url, etag, last_modified, named_by, optional::integer, mode,"
				   "     checksum"
				   " FROM clair.document WHERE updater = $1 ORDER BY name",
				   &parameters);
	MemoryContextSwitchTo(run->context);
	for (int64 i = 0; i < count; i++)
	{
		Document *document = AddDocument(run, ResultText(i, 1));

		document->old_url = ResultText(i, 2);
		document->old_etag = ResultText(i, 3);
		document->old_last_modified = ResultText(i, 4);
		document->named_by = ResultText(i, 5);
		document->optional = ResultInteger(i, 6) != 0;
		if (!ParseDocumentMode(ResultText(i, 7), &document->mode))
			elog(ERROR, "unknown mode of a document: %s", ResultText(i, 7));
		document->old_checksum = ResultText(i, 8);
		known = lappend(known, document);
	}
	foreach (cell, known)
	{
		Document *document = lfirst(cell);
		Document *by = document->named_by != NULL ? FindDocument(run, document->named_by) : NULL;

		if (by != NULL)
			by->old_names = lappend(by->old_names, document);
	}
	list_free(known);
	FAULT_POINT("run-documents-known");
	EndWork(&work);
}

/* Whether a blank-separated list has the host. */
static bool
IsListed(const char *hosts, const char *host)
{
	size_t length = strlen(host);

	while (*hosts != '\0')
	{
		size_t listed = strcspn(hosts, " ");

		if (listed == length && pg_strncasecmp(hosts, host, length) == 0)
			return true;
		hosts += listed;
		hosts += strspn(hosts, " ");
	}
	return false;
}

/* A document may be on the naming one's host or a listed one, and no less well protected. */
static void
CheckPlace(const UpdateRun *run, const Document *by, const Document *document)
{
	const Url *url = &document->url;

	if (UrlIsFile(url) != UrlIsFile(&by->url))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("document \"%s\" is named to be at \"%s\", which is not allowed",
							   document->name, ShowUrl(url)),
						errdetail("Document \"%s\", which names it, is at \"%s\".", by->name,
								  ShowUrl(&by->url))));
	if (UrlIsFile(url))
		return; /* it is opened below the first one's directory only */
	if (strcmp(by->url.scheme, "https") == 0 && strcmp(url->scheme, "https") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("document \"%s\" is named to be at \"%s\", without https",
							   document->name, ShowUrl(url))));
	if (strcmp(url->host, by->url.host) != 0 && !IsListed(run->settings.hosts, url->host))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("document \"%s\" is named to be on host \"%s\", which is not allowed",
						document->name, url->host),
				 errhint("If that host can be trusted, add it to the updater's option "
						 "\"hosts\".")));
}

Document *
NameDocument(UpdateRun *run, const Document *by, const char *name, const char *url, bool optional,
			 DocumentMode mode)
{
	MemoryContext old_context;
	Document *document = FindDocument(run, name);

	if (document != NULL && document->state != DOCUMENT_STORED)
		return NULL;
	if (list_length(run->documents.named) >= CurrentLimits().max_documents)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("there are more than " INT64_FORMAT " documents",
							   CurrentLimits().max_documents),
						errhint("See clair.max_documents.")));
	old_context = MemoryContextSwitchTo(run->context);
	if (document == NULL)
		document = AddDocument(run, name);
	if (by != NULL ? !ResolveUrl(&by->base, url, &document->url) : !ParseUrl(url, &document->url))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("document \"%s\" has an invalid URL, \"%s\"", name, url)));
	document->base = document->url;
	document->named_by = by != NULL ? by->name : NULL;
	document->optional = optional;
	document->mode = mode;
	document->state = DOCUMENT_NAMED;
	if (by != NULL)
		CheckPlace(run, by, document);
	run->documents.named = lappend(run->documents.named, document);
	MemoryContextSwitchTo(old_context);
	return document;
}

List *
ForgottenDocuments(const UpdateRun *run)
{
	List *forgotten = NIL;
	HASH_SEQ_STATUS scan;
	DocumentEntry *entry;

	if (run->documents.by_name == NULL)
		return NIL; /* it reads no documents */
	hash_seq_init(&scan, run->documents.by_name);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (entry->document->state == DOCUMENT_STORED)
			forgotten = lappend(forgotten, entry->document);
	return forgotten;
}

/* Gets documents, all of which are named by the same one or by ones of one kind. */
static void
GetDocuments(UpdateRun *run, List *documents, bool conditional)
{
	ListCell *cell;

	if (documents == NIL)
		return;
	run->phase = "fetch";
	if (UrlIsFile(&((Document *) linitial(documents))->url))
		OpenLocalDocuments(run, documents, conditional);
	else
		FetchDocuments(run, documents, conditional);
	foreach (cell, documents)
		if (((Document *) lfirst(cell))->state == DOCUMENT_FETCHED)
			CheckDocument(lfirst(cell));
}

/* Whether any of those that are always fetched says something else than in the last run. */
static bool
HaveChanged(List *always)
{
	ListCell *cell;

	foreach (cell, always)
	{
		Document *document = lfirst(cell);

		if (document->old_url == NULL || document->old_etag == NULL
				? document->state == DOCUMENT_FETCHED
				: document->etag == NULL || strcmp(document->old_etag, document->etag) != 0)
			return true;
	}
	return false;
}

/* Whether a document stands for what an earlier run read of it, without being asked for. */
static bool
IsKept(const UpdateRun *run, const Document *document)
{
	return document->mode == DOCUMENT_KEEP && document->old_url != NULL && run->old_state != NULL;
}

/*
 * Names again what a document that has not changed named in the run that read it last. What is
 * kept keeps these, too.
 */
static List *
NameAgain(UpdateRun *run, const Document *by)
{
	bool kept = IsKept(run, by);
	List *named = NIL;
	ListCell *cell;

	foreach (cell, by->old_names)
	{
		const Document *old = lfirst(cell);
		Document *document = NameDocument(run, by, old->name, old->old_url, old->optional,
										  kept ? DOCUMENT_KEEP : old->mode);

		if (document == NULL)
			continue;
		document->checksum = document->old_checksum;
		named = lappend(named, document);
	}
	return named;
}

/* Gets and has read a part of a round; returns what that names. */
static List *
ReadBatch(UpdateRun *run, List *always, List *batch, bool conditional)
{
	List *wanted = NIL;
	List *fetched = NIL;
	List *next = NIL;
	ListCell *cell;

	foreach (cell, batch)
	{
		Document *document = lfirst(cell);

		if (IsKept(run, document))
			document->state = DOCUMENT_UNCHANGED;
		else
			wanted = lappend(wanted, document);
	}
	GetDocuments(run, wanted, conditional);
	foreach (cell, batch)
	{
		Document *document = lfirst(cell);

		if (document->state == DOCUMENT_FETCHED)
			fetched = lappend(fetched, document);
		else if (document->state == DOCUMENT_UNCHANGED)
			next = list_concat(next, NameAgain(run, document));
	}
	FAULT_POINT("run-fetched");
	if (fetched == NIL)
		return next;
	foreach (cell, always)
		if (((Document *) lfirst(cell))->state == DOCUMENT_FETCHED)
			fetched = lappend(fetched, lfirst(cell));
	return list_concat(next, StageDocuments(run, fetched));
}

/* Gets and has read what a round names; returns what that names. */
static List *
ReadRound(UpdateRun *run, List *round)
{
	MemoryContext round_context = AllocSetContextCreate(run->context, "clair round",
														ALLOCSET_DEFAULT_SIZES);
	MemoryContext batch_context = AllocSetContextCreate(round_context, "clair batch",
														ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(round_context);
	List *always = NIL;
	List *others = NIL;
	List *next = NIL;
	ListCell *cell;
	bool conditional;

	foreach (cell, round)
	{
		Document *document = lfirst(cell);

		if (document->mode == DOCUMENT_ALWAYS)
			always = lappend(always, document);
		else
			others = lappend(others, document);
	}
	GetDocuments(run, always, false);
	conditional = !run->anew && !run->begin_again && !HaveChanged(always);
	for (int first = 0; first < list_length(others); first += BATCH_SIZE)
	{
		List *batch = NIL;

		MemoryContextSwitchTo(batch_context);
		for (int i = first; i < first + BATCH_SIZE && i < list_length(others); i++)
			batch = lappend(batch, list_nth(others, i));
		batch = ReadBatch(run, always, batch, conditional);
		MemoryContextSwitchTo(run->context);
		next = list_concat_copy(next, batch);
		MemoryContextReset(batch_context); /* closes the batch's files */
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(round_context);
	return next;
}

/* The name of a document that tells what has changed of an import's. */
#define IMPORT_CHANGES "changes"

/*
 * Names the first document, as the first round. An export that tells changes is a patch of what was
 * imported before, which stands.
 */
static List *
FirstRound(UpdateRun *run)
{
	run->documents = (DocumentSet){0};
	LoadDocuments(run);
	if (run->import != NULL && run->import->part->since >= 0)
	{
		Document *whole = NameDocument(run, NULL, run->settings.document, run->settings.url, false,
									   DOCUMENT_PLAIN);

		whole->state = DOCUMENT_UNCHANGED;
		return list_make1(
			NameDocument(run, NULL, IMPORT_CHANGES, run->settings.url, false, DOCUMENT_PATCH));
	}
	return list_make1(
		NameDocument(run, NULL, run->settings.document, run->settings.url, false, DOCUMENT_PLAIN));
}

/* Forgets what the run has read, and the state that it cannot go on from: the first round. */
static List *
BeginAgain(UpdateRun *run)
{
	run->old_state = NULL;
	run->state = NULL;
	run->staged = false;
	run->records = 0;
	run->items = 0;
	return FirstRound(run);
}

void
ReadDocuments(UpdateRun *run)
{
	MemoryContext old_context = MemoryContextSwitchTo(run->context);
	List *round = FirstRound(run);

	for (int number = 1; round != NIL; number++)
	{
		if (number > CLAIR_MAX_NESTING)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("documents name further ones in more than %d rounds",
								   CLAIR_MAX_NESTING)));
		round = ReadRound(run, round);
		if (run->begin_again && run->old_state != NULL)
		{
			round = BeginAgain(run);
			number = 0;
		}
	}
	MemoryContextSwitchTo(old_context);
}
