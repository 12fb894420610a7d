/*
 * csaf.c
 *    Any source of CSAF documents on packages: for updaters of the user's own.
 *
 * The first document, "csaf", may be
 *
 *	  an archive, tar or zip, of documents;
 *	  a document;
 *	  the listing of a folder with archives or documents, all of which are read;
 *	  a list of a provider's documents, "changes.csv" or "index.txt" (CSAF 2.0, 7.1.12, 7.1.13),
 *	  all of which are read: each for itself, and only when it has changed.
 *
 * A record is a document, by the path of its file. The option "platforms" says of which namespaces
 * packages are, by their platform's product id or CPE, or, with "*", what these begin with; of what
 * is not named there, and of packages without a platform, "namespace" does, if it is given. "link"
 * stands before a CVE in its link.
 */
#include "common/text.h"
#include "feed/csaf_ranges.h"
#include "feed/file_records.h"
#include "feed/listing.h"
#include "updaters/options.h"

#define EXTENSION CLAIR_LITERAL(".json")
#define PEEKED	  512

/* What the user has set. */
typedef struct Options
{
	ClairBytes namespace; /* or no value */
	UpdaterOptionEntry *platforms;
	size_t platform_count;
	CsafVendor vendor;
	ClairBytes file; /* of the document that is being read */
} Options;

/*
 * How well a platform's id or CPE is meant by a name: by how many bytes, or, by all of them, best;
 * 0: it is not.
 */
static size_t
match(ClairBytes name, ClairBytes text)
{
	if (clair_bytes_equal(name, text))
		return SIZE_MAX;
	if (name.size < 2 || name.data[name.size - 1] != '*')
		return 0;
	name.size--;
	return clair_bytes_start_with(text, name) ? name.size : 0;
}

static bool
find_place(void *context, Arena *arena, const CsafProduct *platform, CsafPlace *place)
{
	const Options *options = context;
	size_t best = 0;

	(void) arena;
	place->namespaces = options->namespace;
	for (size_t i = 0; platform != NULL && i < options->platform_count; i++)
	{
		const UpdaterOptionEntry *entry = &options->platforms[i];
		size_t by_id = match(entry->name, platform->id);
		size_t by_cpe = match(entry->name, platform->cpe);
		size_t matched = by_id > by_cpe ? by_id : by_cpe;

		if (matched <= best)
			continue;
		best = matched;
		place->namespaces = entry->value;
	}
	return true;
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	const Options *options = context;

	return csaf_itemize(feed, &options->vendor, context, record, key, error);
}

/* A record is a file: of an archive, or the document itself. */
static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	const Options *options = context;

	(void) feed;
	(void) error;
	*key = record->name.data != NULL ? record->name : options->file;
	if (key->size > CLAIR_MAX_NAME)
	{
		*problem = "the name of its file is too long";
		key->size = 0;
	}
	return CLAIR_OK;
}

/* Names a document or an archive. */
static ClairStatus
name_document(const UpdaterJob *job, const UpdaterDocument *by, ClairBytes path, size_t *count,
			  ClairError *error)
{
	if (!updater_is_archive(path) && !clair_bytes_end_with(path, EXTENSION))
		return CLAIR_OK;
	(*count)++;
	return updater_further(job, by, path, path, true, "plain", error);
}

/* The path in a line of a list: all of it, or the first of its fields, in quotes. */
static ClairBytes
path_of(ClairBytes line)
{
	line = text_trim(line);
	if (line.size > 0 && line.data[0] == '"')
	{
		line = clair_bytes_skip(line, 1);
		line = text_take_part(&line, '"');
	}
	if (line.size == 0 || line.size > CLAIR_MAX_NAME || line.data[0] == '/' ||
		!text_is_valid(line) || memchr(line.data, ':', line.size) != NULL ||
		memmem(line.data, line.size, "..", 2) != NULL)
		return CLAIR_NULL_BYTES;
	return line;
}

/* Names what a listing or a list has. */
static ClairStatus
name_documents(const UpdaterJob *job, const UpdaterDocument *by, Arena *arena, bool is_listing,
			   ClairError *error)
{
	ClairBytes text;
	ClairBytes line;
	ClairBytes *names;
	size_t count = 0;
	size_t found = 0;
	ClairStatus status = record_feed_load(job->limits, by->descriptor, arena, &text, error);

	if (status == CLAIR_OK && is_listing)
		status = listing_read(arena, text, &names, &count, error);
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
		status = name_document(job, by, names[i], &found, error);
	while (status == CLAIR_OK && !is_listing && text_next_line(&text, &line))
	{
		ClairBytes path = path_of(line);

		if (path.data != NULL)
			status = name_document(job, by, path, &found, error);
	}
	if (status == CLAIR_OK && found == 0)
		status = clair_error(error, CLAIR_INVALID, "it is no CSAF document, nor names one");
	return status;
}

/* What a document is, by its first bytes. */
typedef enum Form
{
	FORM_DOCUMENT,
	FORM_ARCHIVE,
	FORM_LISTING,
	FORM_LIST
} Form;

static ClairStatus
find_form(const UpdaterJob *job, const UpdaterDocument *document, Form *form, ClairError *error)
{
	char buffer[PEEKED];
	size_t size = sizeof(buffer);
	bool is_listing;
	ClairStatus status = listing_is(job->limits, document->descriptor, &is_listing, error);
	ClairBytes begin;

	if (status == CLAIR_OK)
		status = record_feed_peek(job->limits, document->descriptor, buffer, &size, error);
	begin = text_trim((ClairBytes){buffer, size});
	if (status == CLAIR_OK && is_listing)
		*form = FORM_LISTING;
	else if (memchr(buffer, '\0', size) != NULL)
		*form = FORM_ARCHIVE;
	else
		*form = clair_bytes_start_with(begin, CLAIR_LITERAL("{")) ? FORM_DOCUMENT : FORM_LIST;
	return status;
}

static ClairStatus
read_document(RecordFeed *feed, Options *options, const UpdaterJob *job,
			  const UpdaterDocument *document, ClairError *error)
{
	bool is_first = clair_bytes_equal(document->name, CLAIR_LITERAL("csaf"));
	RecordFormat format = {.cutter = &file_record_cutter, .identify = identify, .itemize = itemize};
	Form form = FORM_DOCUMENT;
	ClairStatus status = find_form(job, document, &form, error);

	options->file = is_first ? updater_last_segment(document->url) : document->name;
	if (status == CLAIR_OK && form >= FORM_LISTING && is_first)
		status = name_documents(job, document, feed->arena, form == FORM_LISTING, error);
	if (status != CLAIR_OK)
		return clair_error_in(error, "document \"%.*s\"", (int) document->name.size,
							  document->name.data);
	if (form >= FORM_LISTING && is_first)
		return CLAIR_OK;
	if (form == FORM_ARCHIVE)
	{
		format.cutter = &archive_record_cutter;
		format.part = "*.json";
	}
	return record_feed_read(feed, document->name, document->descriptor, &format, options, error);
}

static ClairStatus
read_options(const UpdaterJob *job, Arena *arena, Options *options, ClairError *error)
{
	ClairBytes link = CLAIR_NULL_BYTES;
	ClairStatus status = updater_option(job, arena, "namespace", &options->namespace, error);

	options->vendor.find_place = find_place;
	if (status == CLAIR_OK)
		status = updater_option_map(job, arena, "platforms", &options->platforms,
									&options->platform_count, error);
	if (status == CLAIR_OK)
		status = updater_option(job, arena, "link", &link, error);
	if (status != CLAIR_OK || link.size == 0)
		return status;
	options->vendor.link = arena_copy(arena, link).data;
	return options->vendor.link != NULL ? CLAIR_OK
										: clair_error(error, CLAIR_MEMORY, "out of memory");
}

static ClairStatus
csaf_format_read(const UpdaterJob *job, ClairError *error)
{
	Options options = {0};
	RecordFeed feed;
	Arena *arena = arena_create(record_feed_memory(job->limits));
	ClairStatus status;

	if (arena == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	status = read_options(job, arena, &options, error);
	if (status == CLAIR_OK && options.namespace.data == NULL && options.platform_count == 0)
		status = clair_error(error, CLAIR_INVALID,
							 "its options name neither a namespace nor platforms");
	if (status == CLAIR_OK)
		status = record_feed_open(&feed, job->limits, job->sink, error);
	if (status == CLAIR_OK)
	{
		for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
			status = read_document(&feed, &options, job, &job->documents[i], error);
		record_feed_close(&feed);
	}
	arena_destroy(arena);
	return status;
}

const Updater updater_csaf = {"csaf", csaf_format_read};
