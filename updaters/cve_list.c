/*
 * cve_list.c
 *    The CVE List: https://github.com/CVEProject/cvelistV5
 *
 * First round: the releases of that repository as GitHub's API describes them, one or several, or
 * the listing of a folder; document "index". Each day has a zip of all CVEs as they were at
 * midnight, "2031-01-02_all_CVEs_at_midnight.zip.zip" (a zip in a zip), and zips of those that have
 * changed since, "2031-01-02_delta_CVEs_at_1300Z.zip" and, when the day is over,
 * "2031-01-02_delta_CVEs_at_end_of_day.zip". They are found by these names, wherever they lie.
 *
 * The former, document "all", is read at first, and when the others no longer lead on from where
 * the last run came to, which is what it left; then it is kept, and the others change single
 * records of it. Of a CVE that several of them have the last one counts, which is read first.
 *
 * In place of all this the first document may be a zip itself. A record is a CVE, a file of its
 * own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/text.h"
#include "feed/cve_record.h"
#include "feed/file_records.h"
#include "feed/github.h"
#include "feed/listing.h"
#include "feed/timestamp.h"
#include "updaters/updater.h"

#define INDEX CLAIR_LITERAL("index")
#define ALL	  CLAIR_LITERAL("all")

#define FILES		"*CVE-*.json"
#define DAY_SIZE	(sizeof("2031-01-02") - 1)
#define MAX_PATCHES 8 /* in a run */

#define MEMORY_PROBLEM "there is not enough memory for the documents"

/* A zip that the first document names: what changed from one point in time to another. */
typedef struct Zip
{
	ClairBytes name;
	ClairBytes url;
	bool is_all;  /* it has all CVEs, as they were then */
	int64_t from; /* as timestamp.h has them */
	int64_t to;
} Zip;

typedef struct CveList
{
	const UpdaterJob *job;
	RecordFeed *feed;
	Arena *arena;	  /* as long as the round */
	ClairBytes *seen; /* CVEs of the patches so far: in order, but for those of the current one */
	size_t seen_count;
	size_t seen_capacity;
	size_t ordered_count;
	bool changes; /* the document that is being read is a patch */
} CveList;

/* Reads the time of a day that a name begins with: "1300Z", "end_of_day". */
static bool
read_time(ClairBytes text, int64_t *time)
{
	char written[] = "1970-01-01T00:00";

	*time = TIMESTAMP_DAY;
	if (clair_bytes_start_with(text, CLAIR_LITERAL("end_of_day")))
		return true;
	if (text.size < 4)
		return false;
	memcpy(written + 11, text.data, 2);
	memcpy(written + 14, text.data + 2, 2);
	return timestamp_read(clair_bytes(written), time);
}

/* Whether a name is that of one of the zips; which. */
static bool
read_name(ClairBytes name, Zip *zip)
{
	static const ClairBytes all = CLAIR_LITERAL("_all_CVEs_");
	static const ClairBytes delta = CLAIR_LITERAL("_delta_CVEs_at_");
	ClairBytes rest;
	int64_t time = 0;

	if (name.size <= DAY_SIZE || name.size > CLAIR_MAX_NAME ||
		!clair_bytes_end_with(name, CLAIR_LITERAL(".zip")) ||
		!timestamp_read((ClairBytes){name.data, DAY_SIZE}, &zip->from))
		return false;
	rest = clair_bytes_skip(name, DAY_SIZE);
	zip->name = name;
	zip->is_all = clair_bytes_start_with(rest, all);
	if (!zip->is_all && (!clair_bytes_start_with(rest, delta) ||
						 !read_time(clair_bytes_skip(rest, delta.size), &time)))
		return false;
	zip->to = zip->from + time;
	return true;
}

/* The zips among which to choose. */
typedef struct Zips
{
	Arena *arena;
	Zip *zips;
	size_t count;
	size_t capacity;
} Zips;

/* Adds a zip, if the name is that of one. */
static ClairStatus
add_zip(Zips *zips, ClairBytes name, ClairBytes url, ClairError *error)
{
	Zip zip = {.url = url};

	if (!read_name(name, &zip) || url.size == 0)
		return CLAIR_OK;
	zips->zips = arena_grow_array(zips->arena, zips->zips, zips->count + 1, &zips->capacity,
								  sizeof(Zip));
	if (zips->zips == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	zips->zips[zips->count++] = zip;
	return CLAIR_OK;
}

/* Takes an asset of a release. */
static ClairStatus
take_asset(Zips *zips, JsonCursor *cursor, ClairError *error)
{
	ClairBytes name;
	ClairBytes url;

	github_take_file(cursor, "browser_download_url", &name, &url);
	return cursor->status == CLAIR_OK ? add_zip(zips, name, url, error) : CLAIR_OK;
}

/* Takes a release. */
static ClairStatus
take_release(Zips *zips, JsonCursor *cursor, ClairError *error)
{
	ClairStatus status = CLAIR_OK;
	ClairBytes member;

	json_enter(cursor, JSON_OBJECT);
	while (status == CLAIR_OK && json_next_member(cursor, &member))
	{
		if (!clair_bytes_equal(member, CLAIR_LITERAL("assets")))
		{
			json_skip(cursor);
			continue;
		}
		json_enter(cursor, JSON_ARRAY);
		while (status == CLAIR_OK && json_next_element(cursor))
			status = take_asset(zips, cursor, error);
	}
	return status;
}

/* Finds the zips in what GitHub says of a release, or of several in an array. */
static ClairStatus
read_releases(Zips *zips, ClairBytes text, ClairError *error)
{
	JsonCursor cursor = json_cursor(text, zips->arena);
	ClairStatus status = CLAIR_OK;

	if (json_type(&cursor) == JSON_OBJECT)
		status = take_release(zips, &cursor, error);
	else
	{
		json_enter(&cursor, JSON_ARRAY);
		while (status == CLAIR_OK && json_next_element(&cursor))
			status = take_release(zips, &cursor, error);
	}
	json_end(&cursor);
	if (status == CLAIR_OK && cursor.status != CLAIR_OK)
		status = clair_error(error, cursor.status, "byte %zu: %s", cursor.position, cursor.problem);
	return status;
}

/* Finds the zips in the listing of a folder. */
static ClairStatus
read_listing(Zips *zips, ClairBytes text, ClairError *error)
{
	ClairBytes *names;
	size_t count;
	ClairStatus status = listing_read(zips->arena, text, &names, &count, error);

	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
		status = add_zip(zips, names[i], names[i], error);
	return status;
}

/*
 * Finds the changes that lead from a point in time to the last one that any zip has, in order; how
 * many, or false when there is a gap between them.
 */
static bool
find_patches(const Zips *zips, int64_t point, const Zip *patches[MAX_PATCHES], size_t *count)
{
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < zips->count; i++)
		last = zips->zips[i].to > last ? zips->zips[i].to : last;
	for (*count = 0; point < last; point = patches[*count - 1]->to)
	{
		const Zip *best = NULL;

		for (size_t i = 0; i < zips->count; i++)
		{
			const Zip *zip = &zips->zips[i];

			if (!zip->is_all && zip->from <= point && zip->to > (best != NULL ? best->to : point))
				best = zip;
		}
		if (best == NULL || *count == MAX_PATCHES)
			return false;
		patches[(*count)++] = best;
	}
	return true;
}

/* The last zip that has all CVEs; NULL when there is none. */
static const Zip *
find_all(const Zips *zips)
{
	const Zip *all = NULL;

	for (size_t i = 0; i < zips->count; i++)
		if (zips->zips[i].is_all && (all == NULL || zips->zips[i].to > all->to))
			all = &zips->zips[i];
	return all;
}

static ClairStatus
leave_state(const UpdaterJob *job, int64_t point, ClairError *error)
{
	char state[TIMESTAMP_SIZE];

	return updater_state(job, timestamp_write(point, state), error);
}

static ClairStatus
name_zip(const CveList *list, const UpdaterDocument *index, ClairBytes name, const Zip *zip,
		 const char *mode, ClairError *error)
{
	return updater_further(list->job, index, name, zip->url, false, mode, error);
}

/* Names what has to be read in this run: changes, the last of them first, or all. */
static ClairStatus
choose(const CveList *list, const UpdaterDocument *index, const Zips *zips, ClairError *error)
{
	const Zip *all = find_all(zips);
	const Zip *patches[MAX_PATCHES];
	int64_t point;
	size_t count;
	ClairStatus status;

	if (all == NULL)
		return clair_error(error, CLAIR_INVALID,
						   "it is neither a zip nor does it name one of all CVEs");
	if (!timestamp_read(list->job->state, &point) || !find_patches(zips, point, patches, &count))
	{
		status = leave_state(list->job, all->to, error);
		return status == CLAIR_OK ? name_zip(list, index, ALL, all, "plain", error) : status;
	}
	status = name_zip(list, index, ALL, all, "keep", error);
	if (status == CLAIR_OK && count > 0)
		status = leave_state(list->job, patches[count - 1]->to, error);
	while (status == CLAIR_OK && count-- > 0)
		status = name_zip(list, index, patches[count]->name, patches[count], "patch", error);
	return status;
}

static int
compare_names(const void *left, const void *right)
{
	return clair_bytes_compare(*(const ClairBytes *) left, *(const ClairBytes *) right);
}

/* Whether a later patch has said something of the CVE already; else remembers it. */
static ClairStatus
see(CveList *list, ClairBytes cve, bool *is_seen, ClairError *error)
{
	ClairBytes copy;

	*is_seen = list->ordered_count > 0 && bsearch(&cve, list->seen, list->ordered_count,
												  sizeof(ClairBytes), compare_names) != NULL;
	if (*is_seen)
		return CLAIR_OK;
	copy = arena_copy(list->arena, cve);
	list->seen = arena_grow_array(list->arena, list->seen, list->seen_count + 1,
								  &list->seen_capacity, sizeof(ClairBytes));
	if (copy.data == NULL || list->seen == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	list->seen[list->seen_count++] = copy;
	return CLAIR_OK;
}

static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	CveList *list = context;
	ClairStatus status = cve_record_name(feed, record, key, problem, error);
	bool is_seen = false;

	if (status == CLAIR_OK && *problem == NULL && list->changes)
		status = see(list, *key, &is_seen, error);
	if (is_seen)
		*key = CLAIR_NULL_BYTES;
	else if (key->data == NULL)
		*key = record->name; /* which names a broken one best */
	return status;
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	(void) context;
	return cve_record_itemize(feed, record, key, error);
}

/* Reads a zip: all of the list, or, of a patch, changes of it. */
static ClairStatus
read_zip(CveList *list, const UpdaterDocument *document, ClairError *error)
{
	static const RecordFormat format = {
		.cutter = &archive_record_cutter, .part = FILES, .identify = identify, .itemize = itemize};
	ClairStatus status;

	list->changes = !clair_bytes_equal(document->name, ALL) &&
					!clair_bytes_equal(document->name, INDEX);
	status = record_feed_patch(list->feed, document->name, list->changes ? ALL : document->name,
							   document->descriptor, &format, list, error);
	if (list->seen_count > 0)
		qsort(list->seen, list->seen_count, sizeof(ClairBytes), compare_names);
	list->ordered_count = list->seen_count;
	return status;
}

static ClairStatus
read_index(CveList *list, const UpdaterDocument *index, ClairError *error)
{
	Zips zips = {.arena = list->arena};
	ClairBytes text;
	ClairBytes begin;
	ClairStatus status = record_feed_load(list->job->limits, index->descriptor, list->arena, &text,
										  error);

	if (status != CLAIR_OK)
		return status;
	begin = text_trim(text);
	if (begin.size > 0 && (begin.data[0] == '{' || begin.data[0] == '['))
		status = read_releases(&zips, text, error);
	else
		status = read_listing(&zips, text, error);
	return status == CLAIR_OK ? choose(list, index, &zips, error) : status;
}

static ClairStatus
read_document(CveList *list, const UpdaterDocument *document, ClairError *error)
{
	static const ClairBytes sign_of_zip = CLAIR_LITERAL("PK\x03\x04");
	char buffer[8];
	size_t size = sizeof(buffer);
	ClairStatus status;

	if (!clair_bytes_equal(document->name, INDEX))
		return read_zip(list, document, error);
	status = record_feed_peek(list->job->limits, document->descriptor, buffer, &size, error);
	if (status == CLAIR_OK && clair_bytes_start_with((ClairBytes){buffer, size}, sign_of_zip))
		return read_zip(list, document, error);
	if (status == CLAIR_OK)
		status = read_index(list, document, error);
	return status == CLAIR_OK ? status : clair_error_in(error, "document \"index\"");
}

static ClairStatus
cve_list_read(const UpdaterJob *job, ClairError *error)
{
	RecordFeed feed;
	CveList list = {.job = job, .feed = &feed};
	ClairStatus status = record_feed_open(&feed, job->limits, job->sink, error);

	if (status != CLAIR_OK)
		return status;
	list.arena = arena_create(record_feed_memory(job->limits));
	if (list.arena == NULL)
		status = clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
		status = read_document(&list, &job->documents[i], error);
	arena_destroy(list.arena);
	record_feed_close(&feed);
	return status;
}

const Updater updater_cve_list = {"cve_list", cve_list_read};
