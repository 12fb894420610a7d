/*
 * targets.c
 *    What the server does with what helpers send: "server_vex" reads a VEX document, "server_stage"
 *    a feed's, "server_fetch" has files transferred, "server_url" reads URLs, "server_merge" merges
 *    layers. Whatever comes, it ends in an ERROR or in rows. ("server_index" is in index.c.)
 */
#include "postgres.h"

#include <limits.h>

#include "utils/memutils.h"

#include "../fuzz.h"
#include "backend.h"
#include "common/text.h"
#include "index/merge.h"
#include "server/transfer.h"
#include "update/run.h"
#include "update/stage.h"

#include "match/load_vex.c"

static void
read_vex(void)
{
	Descriptor input = {.fd = 0};
	VexLoad load = {0};

	ReadDocument(&load, &input);
	require(load.document->count == 1);
}

FUZZ_TARGET(server_vex)
{
	fuzz_as_backend(data, size, read_vex);
	return 0;
}

/* ------------------------------------------------------------------------- */

Document *
NameDocument(UpdateRun *run, const Document *by, const char *name, const char *url, bool optional,
			 DocumentMode mode)
{
	Document *document = MemoryContextAllocZero(run->context, sizeof(Document));

	if (strcmp(name, "index") == 0)
		return NULL;
	document->name = name;
	if (!ResolveUrl(&by->base, url, &document->url))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("document \"%s\" has an invalid URL, \"%s\"", name, url)));
	(void) FormatUrl(&document->url);
	return document;
}

bool
ParseDocumentMode(const char *word, DocumentMode *mode)
{
	*mode = DOCUMENT_PLAIN;
	return strcmp(word, "plain") == 0 || strcmp(word, "keep") == 0;
}

void
ReportProgress(UpdateRun *run)
{
	require(run->records >= 0 && run->items >= 0);
}

static MemoryContext work_context; /* of the transaction */

void
BeginWork(Work *work)
{
	work->context = CurrentMemoryContext;
	work_context = AllocSetContextCreate(work->context, "work", ALLOCSET_DEFAULT_SIZES);
	CurrentMemoryContext = work_context;
}

void
EndWork(Work *work)
{
	CurrentMemoryContext = work->context;
	MemoryContextDelete(work_context);
}

static void
stage_documents(void)
{
	Descriptor content = {.fd = 0};
	Document document = {.name = "index", .content = &content};
	UpdateRun run = {.staged = true,
					 .old_state = "1",
					 .settings = {.name = "debian", .reader = "debian"},
					 .context = CurrentMemoryContext};

	require(ParseUrl("https://example.org/a/b", &document.url));
	document.base = document.url;
	(void) StageDocuments(&run, lappend(NIL, &document));
}

FUZZ_TARGET(server_stage)
{
	fuzz_as_backend(data, size, stage_documents);
	return 0;
}

/* ------------------------------------------------------------------------- */

static void
transfer_files(void)
{
	static const Transfer transfers[] = {{.url = "https://example.org/a", .etag = "\"x\""},
										 {.url = "https://example.org/b", .body = "{}"}};
	TransferOptions options = {
		.proxy = "", .user_agent = "", .hosts = "", .parallel = 2, .max_size = 1000};
	TransferAnswer answer;
	Helper *fetch;

	DefineFetchSettings();
	fetch = StartTransfers(&options, transfers, lengthof(transfers));
	while (NextAnswer(fetch, lengthof(transfers), &answer))
	{
		require(answer.number < (int) lengthof(transfers) && answer.bytes >= 0);
		if (answer.error != NULL)
			ReportTransfer(answer.url != NULL ? answer.url : "", answer.error, answer.hint);
	}
}

FUZZ_TARGET(server_fetch)
{
	fuzz_as_backend(data, size, transfer_files);
	return 0;
}

/* ------------------------------------------------------------------------- */

static const char *first_text;
static const char *second_text;

/* A path has no "." and ".." in it, and none leads out of a file's folder by an escape. */
static void
resolve_url(void)
{
	Url base;
	Url url;
	Url again;
	char *path;

	if (!ParseUrl(first_text, &base) || !ResolveUrl(&base, second_text, &url))
		return;
	require(url.path[0] == '/' && strstr(url.path, "/../") == NULL);
	require(ParseUrl(FormatUrl(&url), &again) && strcmp(again.path, url.path) == 0 &&
			strcmp(again.host, url.host) == 0);
	if (!UrlIsFile(&url))
		return;
	path = UrlFilePath(&url);
	require(path == NULL || (path[0] == '/' && strstr(path, "/../") == NULL));
}

FUZZ_TARGET(server_url)
{
	ClairBytes parts[2];
	ClairBytes input = {(const char *) data, size};

	if (size == 0 || !text_is_valid(input) || fuzz_split(input, 2, parts, 2) < 1)
		return 0;
	parts[1] = (ClairBytes){memchr(data, ' ', size), 0};
	if (parts[1].data == NULL)
		return 0;
	parts[0] = fuzz_copy((ClairBytes){input.data, (size_t) (parts[1].data - input.data)});
	parts[1] = fuzz_copy(clair_bytes_skip(input, parts[0].size + 1));
	first_text = parts[0].data;
	second_text = parts[1].data;
	fuzz_as_backend((const uint8_t *) "d", 1, resolve_url);
	free((char *) parts[0].data);
	free((char *) parts[1].data);
	return 0;
}

/* ------------------------------------------------------------------------- */

#define MAX_ENTRIES 64

static ClairBytes merge_input;

static char *
text_or_null(ClairBytes text)
{
	return text.size > 0 ? pnstrdup(text.data, text.size) : NULL;
}

/* An entry of a part: a letter for its layer, one for its type, path, target and role in lines. */
static bool
read_entry(ClairBytes part, int position, MergeEntry *entry)
{
	static const char types[] = "fdlowx";
	ClairBytes head = text_take_part(&part, '\n');
	ClairBytes path = text_take_part(&part, '\n');
	ClairBytes target = text_take_part(&part, '\n');
	const char *type;

	if (head.size < 2 || (type = memchr(types, head.data[1], sizeof(types) - 1)) == NULL)
		return false;
	*entry = (MergeEntry){.position = position + (head.data[0] == '+'),
						  .type = (EntryType) (type - types),
						  .path = pnstrdup(path.data != NULL ? path.data : "", path.size),
						  .target = text_or_null(target),
						  .role = text_or_null(part)};
	/* as the table has it */
	if (entry->type == ENTRY_SYMLINK && entry->target == NULL)
		return false;
	if (entry->type != ENTRY_FILE && entry->type != ENTRY_SYMLINK)
		entry->target = NULL;
	if (entry->type == ENTRY_FILE && entry->role != NULL)
		entry->content = "sha256:00";
	return entry->role != NULL || entry->type != ENTRY_FILE;
}

static void
merge_layers(void)
{
	ClairBytes parts[MAX_ENTRIES];
	MergeEntry entries[MAX_ENTRIES];
	size_t count = fuzz_split(merge_input, 0, parts, MAX_ENTRIES);
	int64 used = 0;

	for (size_t i = 0; i < count; i++)
		if (read_entry(parts[i], used > 0 ? entries[used - 1].position : 1, &entries[used]))
			used++;
	MergeLayers(entries, used);
	ChooseDatabases(entries, used);
	for (int64 i = 0; i < used; i++)
		require(entries[i].canonical == NULL || strstr(entries[i].canonical, "..") == NULL ||
				strstr(entries[i].path, "..") != NULL || entries[i].canonical[0] != '/');
}

FUZZ_TARGET(server_merge)
{
	merge_input = (ClairBytes){(const char *) data, size};
	if (text_is_valid((ClairBytes){(const char *) data, 0}) && memchr(data, 0, size) == NULL)
		fuzz_as_backend((const uint8_t *) "d", 1, merge_layers);
	return 0;
}
