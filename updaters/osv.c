/*
 * osv.c
 *    Any source whose documents are OSV records: for updaters of the user's own.
 *
 * The first document, "osv", may be
 *
 *	  an archive, tar or zip, of records, such as osv.dev's <Ecosystem>/all.zip: a record is a file;
 *	  records as JSON: a record, an array of them, or one behind the other, as lines are;
 *	  the listing of a folder that has these: all of them are read;
 *	  osv.dev's <Ecosystem>/modified_id.csv, which says when which record was changed: beside it lie
 *	  all.zip, which is read once, and then the records that have changed since, <ID>.json.
 *
 * Its option "ecosystems" says of which namespaces packages of an ecosystem are, where that is not
 * known or is meant to be others; "link" what stands before the id of a record in its link. A
 * record's key is its id, or in an archive the name of its file, which is the same.
 */
#include <stdio.h>

#include "common/text.h"
#include "feed/csaf_changes.h"
#include "feed/file_records.h"
#include "feed/json_records.h"
#include "feed/listing.h"
#include "feed/osv_advisory.h"
#include "feed/timestamp.h"
#include "updaters/options.h"

#define FIRST		   CLAIR_LITERAL("osv")
#define ALL			   CLAIR_LITERAL("all")
#define ALL_URL		   CLAIR_LITERAL("all.zip")
#define PATCH		   CLAIR_LITERAL("changed/")
#define EXTENSION	   CLAIR_LITERAL(".json")
#define MAX_CHANGES	   2000 /* from which on the archive is less work than single records */
#define PEEKED		   512
#define MEMORY_PROBLEM "there is not enough memory for the record"

/* A run's reading. */
typedef struct Osv
{
	const UpdaterJob *job;
	Arena *arena;
	OsvSource source;

	/* of a list of changes */
	const UpdaterDocument *list;
	int64_t since;	/* what is older is known; -1: nothing is */
	int64_t newest; /* of the list's times */
	size_t changes; /* since then */
	ClairBytes key; /* of the record that has changed */
} Osv;

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	Osv *osv = context;

	return osv_advisory_itemize(feed, &osv->source, record, key, error);
}

/* A record in an archive is a file, and called like it; a list of records is none. */
static ClairStatus
identify_file(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
			  const char **problem, ClairError *error)
{
	const char *slash = memrchr(record->name.data, '/', record->name.size);
	ClairBytes value = text_trim(record->value);

	(void) feed;
	(void) context;
	(void) problem;
	(void) error;
	*key = clair_bytes_skip(record->name,
							slash != NULL ? (size_t) (slash + 1 - record->name.data) : 0);
	key->size -= EXTENSION.size;
	if (value.size > 0 && value.data[0] == '[')
		*key = CLAIR_NULL_BYTES;
	return CLAIR_OK;
}

/* A record in JSON is called by its id. */
static ClairStatus
identify_value(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
			   const char **problem, ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	ClairBytes name;

	(void) context;
	json_skip(&cursor);
	if (!json_end(&cursor))
		return record_feed_refuse(record, &cursor, error);
	cursor = json_cursor(record->value, feed->arena);
	*key = CLAIR_NULL_BYTES;
	json_enter(&cursor, JSON_OBJECT);
	while (json_next_member(&cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("id")))
			json_text(&cursor, key);
		else
			json_skip(&cursor);
	}
	if (cursor.status != CLAIR_OK && cursor.status != CLAIR_INVALID)
		return record_feed_refuse(record, &cursor, error);
	if (cursor.status == CLAIR_INVALID)
		*problem = cursor.problem;
	else if (key->size == 0 || key->size > CLAIR_MAX_NAME)
		*problem = "its id is missing or too long";
	if (*problem != NULL)
		*key = CLAIR_LITERAL("");
	return CLAIR_OK;
}

/* A record that was changed is the one that it is named for. */
static ClairStatus
identify_change(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
				const char **problem, ClairError *error)
{
	const Osv *osv = context;

	(void) feed;
	(void) record;
	(void) problem;
	(void) error;
	*key = osv->key;
	return CLAIR_OK;
}

/* The relative URL of a record: what stands before a colon must not look like a scheme. */
static ClairBytes
url_of(Arena *arena, ClairBytes id)
{
	char url[3 * CLAIR_MAX_NAME + 1];
	size_t size = 0;

	for (size_t i = 0; i < id.size; i++)
		size += (size_t) snprintf(url + size, 4, id.data[i] == ':' ? "%%%02X" : "%c", id.data[i]);
	return arena_printf(arena, "%.*s%.*s", (int) size, url, (int) EXTENSION.size, EXTENSION.data);
}

/* Whether a name that a list has may be that of a record: no way out of its folder. */
static bool
is_plain(ClairBytes name)
{
	bool plain = name.size > 0 && name.size <= CLAIR_MAX_NAME && name.data[0] != '/';

	for (size_t i = 0; i < name.size && plain; i++)
		plain = name.data[i] > ' ' && name.data[i] < 0x7f && name.data[i] != '?' &&
				name.data[i] != '#' && name.data[i] != '%' &&
				(name.data[i] != '.' || i + 1 == name.size || name.data[i + 1] != '.');
	return plain;
}

/* Takes a row of the list of changes: names the record, if the change is new. */
static ClairStatus
take_change(void *context, ClairBytes path, int64_t time, ClairError *error)
{
	Osv *osv = context;
	ClairBytes name;
	ClairBytes url;

	if (time > osv->newest)
		osv->newest = time;
	if (osv->since < 0 || time <= osv->since || ++osv->changes > MAX_CHANGES)
		return CLAIR_OK;
	if (!is_plain(path))
		return clair_error(error, CLAIR_INVALID, "a path in it is none of a record");
	name = arena_printf(osv->arena, "%.*s%.*s", (int) PATCH.size, PATCH.data, (int) path.size,
						path.data);
	url = url_of(osv->arena, path);
	if (name.data == NULL || url.data == NULL)
		return memory_error(error);
	return updater_further(osv->job, osv->list, name, url, true, "patch", error);
}

/*
 * Reads a list of changes, which comes with an archive that is kept. With too many changes, all
 * begins again with a new archive.
 */
static ClairStatus
read_changes(Osv *osv, const UpdaterDocument *list, ClairError *error)
{
	const UpdaterJob *job = osv->job;
	Arena *row = arena_create(record_feed_memory(job->limits));
	char newest[TIMESTAMP_SIZE];
	ClairStatus status;

	if (row == NULL)
		return memory_error(error);
	osv->list = list;
	osv->newest = -1;
	if (job->state.data == NULL || !timestamp_read(job->state, &osv->since))
		osv->since = -1;
	status = csaf_changes_read(job->limits, list->descriptor, row, take_change, osv, error);
	arena_destroy(row);
	if (status == CLAIR_OK && osv->changes > MAX_CHANGES)
		return updater_state(job, CLAIR_NULL_BYTES, error);
	if (status == CLAIR_OK)
		status = updater_further(job, list, ALL, ALL_URL, false, "keep", error);
	if (status == CLAIR_OK && osv->newest >= 0)
		status = updater_state(job, timestamp_write(osv->newest, newest), error);
	return status;
}

static bool
has_records(ClairBytes name)
{
	return updater_is_archive(name) || memmem(name.data, name.size, ".json", 5) != NULL;
}

/* Reads a document of records, of whatever kind it looks like. */
static ClairStatus
read_records(Osv *osv, RecordFeed *feed, const UpdaterDocument *document, ClairBytes beginning,
			 ClairError *error)
{
	static const RecordFormat files = {.cutter = &archive_record_cutter,
									   .part = "*.json",
									   .identify = identify_file,
									   .itemize = itemize};
	static const RecordFormat values = {.cutter = &json_value_record_cutter,
										.identify = identify_value,
										.itemize = itemize};
	bool is_json = beginning.size > 0 && (beginning.data[0] == '{' || beginning.data[0] == '[');

	return record_feed_read(feed, document->name, document->descriptor, is_json ? &values : &files,
							osv, error);
}

static ClairStatus
read_change(Osv *osv, RecordFeed *feed, const UpdaterDocument *document, ClairError *error)
{
	static const RecordFormat format = {.cutter = &file_record_cutter,
										.identify = identify_change,
										.itemize = itemize};
	const char *slash = memrchr(document->name.data, '/', document->name.size);

	osv->key = clair_bytes_skip(document->name, (size_t) (slash + 1 - document->name.data));
	return record_feed_patch(feed, document->name, ALL, document->descriptor, &format, osv, error);
}

static ClairStatus
read_document(Osv *osv, RecordFeed *feed, const UpdaterDocument *document, ClairError *error)
{
	char peeked[PEEKED];
	size_t size = sizeof(peeked);
	bool is_listing = false;
	ClairBytes beginning;
	ClairStatus status;

	if (clair_bytes_start_with(document->name, PATCH))
		return read_change(osv, feed, document, error);
	status = record_feed_peek(osv->job->limits, document->descriptor, peeked, &size, error);
	beginning = text_trim((ClairBytes){peeked, size});
	if (status == CLAIR_OK && clair_bytes_equal(document->name, FIRST))
		status = listing_is(osv->job->limits, document->descriptor, &is_listing, error);
	if (status == CLAIR_OK && is_listing)
		status = updater_name_listed(osv->job, document, osv->arena, has_records,
									 "records or archives", error);
	else if (status == CLAIR_OK && clair_bytes_equal(document->name, FIRST) && beginning.size > 0 &&
			 beginning.data[0] >= '0' && beginning.data[0] <= '9')
		status = read_changes(osv, document, error);
	else if (status == CLAIR_OK)
		return read_records(osv, feed, document, beginning, error);
	if (status == CLAIR_OK)
		return status;
	return clair_error_in(error, "document \"%.*s\"", (int) document->name.size,
						  document->name.data);
}

static ClairStatus
read_options(Osv *osv, ClairError *error)
{
	UpdaterOptionEntry *entries;
	OsvMapping *mappings;
	size_t count;
	ClairStatus status = updater_option_map(osv->job, osv->arena, "ecosystems", &entries, &count,
											error);

	if (status != CLAIR_OK)
		return status;
	mappings = arena_alloc_array(osv->arena, count, sizeof(OsvMapping));
	if (mappings == NULL)
		return memory_error(error);
	for (size_t i = 0; i < count; i++)
		mappings[i] = (OsvMapping){entries[i].name, entries[i].value};
	osv->source.mappings = mappings;
	osv->source.mapping_count = count;
	return updater_option(osv->job, osv->arena, "link", &osv->source.link, error);
}

static ClairStatus
osv_read_documents(const UpdaterJob *job, ClairError *error)
{
	Osv osv = {.job = job, .arena = arena_create(record_feed_memory(job->limits))};
	RecordFeed feed;
	ClairStatus status;

	if (osv.arena == NULL)
		return memory_error(error);
	status = read_options(&osv, error);
	if (status == CLAIR_OK)
		status = record_feed_open(&feed, job->limits, job->sink, error);
	if (status == CLAIR_OK)
	{
		for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
			status = read_document(&osv, &feed, &job->documents[i], error);
		record_feed_close(&feed);
	}
	arena_destroy(osv.arena);
	return status;
}

const Updater updater_osv = {"osv", osv_read_documents};
