/*
 * nvd.c
 *    NIST's National Vulnerability Database: https://nvd.nist.gov/vuln/data-feeds
 *
 * The first document, "index", is the .meta of the feed "modified", which has what changed in
 * the last eight days. At first, and when the last run is too long ago for that, it names the
 * feeds of all years; these are kept, and "modified" changes single records of them: each
 * belongs to the year of its CVE, and all until 2002 to that. What the last run left is the
 * year until which feeds were read, and the time of "modified".
 *
 * In place of all this the first document may be a folder of dumps, or a single one, in either
 * form (nvd_record.h). A record is a CVE.
 */
#include <stdio.h>

#include "common/text.h"
#include "feed/json_records.h"
#include "feed/listing.h"
#include "feed/nvd_record.h"
#include "feed/timestamp.h"
#include "updaters/updater.h"

#define INDEX	 CLAIR_LITERAL("index")
#define MODIFIED CLAIR_LITERAL("modified")
#define META	 CLAIR_LITERAL("modified.meta")

#define FIRST_YEAR 2002
#define LAST_YEAR  2200 /* nothing honest is later */

/*
 * How long "modified" reaches back: eight days, of which one is for the feeds of years, which are
 * up to a day older than "modified" when they are read.
 */
#define REACH (7 * TIMESTAMP_DAY)

/* Bytes at the begin of a dump that tell its form. */
#define PEEK_SIZE 512

#define MEMORY_PROBLEM "there is not enough memory for the documents"

typedef struct Nvd
{
	const UpdaterJob *job;
	RecordFeed *feed;
	bool changes;				/* what is being read changes records of the feeds of years */
	ClairBytes family;			/* of these: what stands before the year in their names */
	char owner[CLAIR_MAX_NAME]; /* of the current record */
} Nvd;

/* How far the last run came. */
typedef struct State
{
	int year;
	int64_t time;
} State;

/* Takes a year, four digits, off *text. */
static bool
take_year(ClairBytes *text, int *year)
{
	*year = 0;
	if (text->size < 4)
		return false;
	for (size_t i = 0; i < 4; i++)
	{
		if (text->data[i] < '0' || text->data[i] > '9')
			return false;
		*year = *year * 10 + (text->data[i] - '0');
	}
	*text = clair_bytes_skip(*text, 4);
	return *year <= LAST_YEAR;
}

/* The name of a feed of the family. */
static void
feed_name(ClairBytes family, int year, char name[CLAIR_MAX_NAME])
{
	snprintf(name, CLAIR_MAX_NAME, "%.*s%d", (int) family.size, family.data, year);
}

/* Names a feed of the family, "2031" or "modified", under a name of its own. */
static ClairStatus
name_feed(const Nvd *nvd, const UpdaterDocument *index, const char *name, const char *feed,
		  bool optional, const char *mode, ClairError *error)
{
	char url[CLAIR_MAX_NAME + sizeof(".json.gz")];

	snprintf(url, sizeof(url), "%.*s%s.json.gz", (int) nvd->family.size, nvd->family.data, feed);
	return updater_further(nvd->job, index, clair_bytes(name), clair_bytes(url), optional, mode,
						   error);
}

/* Names the feeds of all years; the last one may not be there yet. */
static ClairStatus
name_years(const Nvd *nvd, const UpdaterDocument *index, int last, const char *mode,
		   ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (int year = FIRST_YEAR; year <= last && status == CLAIR_OK; year++)
	{
		char name[CLAIR_MAX_NAME];

		feed_name(nvd->family, year, name);
		status = name_feed(nvd, index, name, name + nvd->family.size, year == last, mode, error);
	}
	return status;
}

/* Reads the state that a run has left: "2031 2031-01-02T03:04:05.000Z". */
static bool
read_state(ClairBytes text, State *state)
{
	return take_year(&text, &state->year) && text.size > 0 &&
		   timestamp_read(clair_bytes_skip(text, 1), &state->time);
}

static ClairStatus
leave_state(const UpdaterJob *job, const State *state, ClairError *error)
{
	char text[32];
	char time[TIMESTAMP_SIZE];
	ClairBytes written = timestamp_write(state->time, time);

	snprintf(text, sizeof(text), "%d %.*s", state->year, (int) written.size, written.data);
	return updater_state(job, clair_bytes(text), error);
}

/* What a .meta says: lines "name:value", of which one is of interest here. */
static ClairStatus
read_meta(ClairBytes meta, State *now, ClairError *error)
{
	static const ClairBytes name = CLAIR_LITERAL("lastModifiedDate:");
	ClairBytes line;

	while (text_next_line(&meta, &line))
	{
		ClairBytes value;

		if (!clair_bytes_start_with(line, name))
			continue;
		value = text_trim(clair_bytes_skip(line, name.size));
		if (timestamp_read(value, &now->time) && take_year(&value, &now->year))
			return CLAIR_OK;
	}
	return clair_error(error, CLAIR_INVALID, "it does not say when the feed was modified");
}

/* Names what has to be read in this run, by what the .meta says. */
static ClairStatus
take_meta(Nvd *nvd, const UpdaterDocument *index, ClairBytes meta, ClairError *error)
{
	State now;
	State last;
	ClairStatus status = read_meta(meta, &now, error);

	if (status != CLAIR_OK)
		return status;
	nvd->family = updater_last_segment(index->url);
	if (!clair_bytes_end_with(nvd->family, META) || nvd->family.size > CLAIR_MAX_NAME / 2)
		return clair_error(error, CLAIR_INVALID,
						   "its URL does not end in \"modified.meta\", so that those of the feeds "
						   "are not known");
	nvd->family.size -= META.size;
	if (!read_state(nvd->job->state, &last) || now.time - last.time > REACH)
	{
		status = leave_state(nvd->job, &now, error);
		return status == CLAIR_OK ? name_years(nvd, index, now.year, "plain", error) : status;
	}
	status = name_years(nvd, index, last.year, "keep", error);
	if (status != CLAIR_OK || now.time <= last.time)
		return status;
	last.time = now.time;
	status = leave_state(nvd->job, &last, error);
	return status == CLAIR_OK ? name_feed(nvd, index, "modified", "modified", false, "patch", error)
							  : status;
}

/* The name of the document that a file of a folder is: without ".json" and what follows. */
static ClairBytes
stem_of(ClairBytes file)
{
	static const ClairBytes extension = CLAIR_LITERAL(".json");

	for (size_t i = 0; i + extension.size <= file.size; i++)
	{
		ClairBytes rest = clair_bytes_skip(file, i);

		if (clair_bytes_start_with(rest, extension) &&
			(rest.size == extension.size || rest.data[extension.size] == '.'))
			return (ClairBytes){file.data, i};
	}
	return CLAIR_NULL_BYTES;
}

/* The year that a document's name ends with; 0 when it does not. */
static int
year_of(ClairBytes stem)
{
	ClairBytes end;
	int year;

	if (stem.size <= 4)
		return 0;
	end = clair_bytes_skip(stem, stem.size - 4);
	return take_year(&end, &year) && year >= FIRST_YEAR ? year : 0;
}

/*
 * Names the dumps in a folder: those of years, of several of one year the last in order, which is
 * of the newer form; when there are none, all.
 */
static ClairStatus
take_listing(const Nvd *nvd, const UpdaterDocument *index, ClairBytes listing, Arena *arena,
			 ClairError *error)
{
	ClairBytes *years = arena_alloc_array(arena, LAST_YEAR + 1, sizeof(ClairBytes));
	ClairBytes *names;
	size_t count;
	size_t found = 0;
	ClairStatus status = listing_read(arena, listing, &names, &count, error);

	if (status != CLAIR_OK)
		return status;
	if (years == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	for (size_t i = 0; i < count; i++)
		years[year_of(stem_of(names[i]))] = names[i];
	years[0] = CLAIR_NULL_BYTES;
	for (int year = FIRST_YEAR; year <= LAST_YEAR && status == CLAIR_OK; year++)
		if (years[year].data != NULL && ++found > 0)
			status = updater_further(nvd->job, index, stem_of(years[year]), years[year], false,
									 "plain", error);
	for (size_t i = 0, all = found == 0 ? count : 0; i < all && status == CLAIR_OK; i++)
		if (stem_of(names[i]).size > 0 && ++found > 0)
			status = updater_further(nvd->job, index, stem_of(names[i]), names[i], false, "plain",
									 error);
	if (status == CLAIR_OK && found == 0)
		return clair_error(
			error, CLAIR_INVALID,
			"it is neither a .meta nor a dump of NVD, nor a listing that names some");
	return status;
}

/* The feed that a changed record belongs to. */
static void
find_owner(Nvd *nvd, ClairBytes cve)
{
	ClairBytes digits = clair_bytes_skip(cve, sizeof("CVE-") - 1);
	int year = 0;

	if (!nvd->changes)
		return;
	(void) take_year(&digits, &year);
	feed_name(nvd->family, year > FIRST_YEAR ? year : FIRST_YEAR, nvd->owner);
	nvd->feed->writer.document = clair_bytes(nvd->owner);
}

static ClairStatus
identify_20(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
			const char **problem, ClairError *error)
{
	ClairStatus status = nvd_20_name(feed, record, key, problem, error);

	if (status == CLAIR_OK && *problem == NULL)
		find_owner(context, *key);
	return status;
}

static ClairStatus
itemize_20(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		   ClairError *error)
{
	find_owner(context, key);
	return nvd_20_itemize(feed, record, key, error);
}

static ClairStatus
identify_11(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
			const char **problem, ClairError *error)
{
	ClairStatus status = nvd_11_name(feed, record, key, problem, error);

	if (status == CLAIR_OK && *problem == NULL)
		find_owner(context, *key);
	return status;
}

static ClairStatus
itemize_11(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		   ClairError *error)
{
	find_owner(context, key);
	return nvd_11_itemize(feed, record, key, error);
}

/* Reads a feed, whose first bytes tell its form. */
static ClairStatus
read_feed(Nvd *nvd, const UpdaterDocument *document, ClairBytes begin, ClairError *error)
{
	static const RecordFormat form_20 = {.cutter = &json_record_cutter,
										 .part = NVD_20_ARRAY,
										 .passes_members = true,
										 .identify = identify_20,
										 .member = record_feed_pass,
										 .itemize = itemize_20};
	static const RecordFormat form_11 = {.cutter = &json_record_cutter,
										 .part = NVD_11_ARRAY,
										 .passes_members = true,
										 .identify = identify_11,
										 .member = record_feed_pass,
										 .itemize = itemize_11};
	static const ClairBytes sign_of_11 = CLAIR_LITERAL("\"CVE_");
	static const ClairBytes extension = CLAIR_LITERAL("modified.json.gz");
	bool is_11 = memmem(begin.data, begin.size, sign_of_11.data, sign_of_11.size) != NULL;

	nvd->changes = clair_bytes_equal(document->name, MODIFIED);
	nvd->family = updater_last_segment(document->url);
	if (nvd->changes &&
		(!clair_bytes_end_with(nvd->family, extension) || nvd->family.size > CLAIR_MAX_NAME / 2))
		return clair_error(error, CLAIR_INVALID, "there is no document \"modified\" at \"%.*s\"",
						   (int) document->url.size, document->url.data);
	nvd->family.size -= nvd->changes ? extension.size : 0;
	return record_feed_read(nvd->feed, document->name, document->descriptor,
							is_11 ? &form_11 : &form_20, nvd, error);
}

/* Reads the first document, when it is not a dump itself. */
static ClairStatus
read_index(Nvd *nvd, const UpdaterDocument *index, bool is_meta, ClairError *error)
{
	Arena *arena = arena_create(record_feed_memory(nvd->job->limits));
	ClairBytes text;
	ClairStatus status;

	if (arena == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	status = record_feed_load(nvd->job->limits, index->descriptor, arena, &text, error);
	if (status == CLAIR_OK && is_meta)
		status = take_meta(nvd, index, text, error);
	else if (status == CLAIR_OK)
		status = take_listing(nvd, index, text, arena, error);
	arena_destroy(arena);
	return status == CLAIR_OK ? status : clair_error_in(error, "document \"index\"");
}

static ClairStatus
read_document(Nvd *nvd, const UpdaterDocument *document, ClairError *error)
{
	char buffer[PEEK_SIZE];
	size_t size = sizeof(buffer);
	ClairBytes begin;
	ClairStatus status = record_feed_peek(nvd->job->limits, document->descriptor, buffer, &size,
										  error);

	if (status != CLAIR_OK)
		return clair_error_in(error, "document \"%.*s\"", (int) document->name.size,
							  document->name.data);
	begin = text_trim((ClairBytes){buffer, size});
	if (!clair_bytes_equal(document->name, INDEX) || begin.size == 0 || begin.data[0] == '{')
		return read_feed(nvd, document, begin, error);
	return read_index(nvd, document,
					  clair_bytes_start_with(begin, CLAIR_LITERAL("lastModifiedDate:")), error);
}

static ClairStatus
nvd_read(const UpdaterJob *job, ClairError *error)
{
	RecordFeed feed;
	Nvd nvd = {.job = job, .feed = &feed};
	ClairStatus status = record_feed_open(&feed, job->limits, job->sink, error);

	if (status != CLAIR_OK)
		return status;
	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
		status = read_document(&nvd, &job->documents[i], error);
	record_feed_close(&feed);
	return status;
}

const Updater updater_nvd = {"nvd", nvd_read};
