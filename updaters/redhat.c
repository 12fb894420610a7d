/*
 * redhat.c
 *    Red Hat's CSAF VEX documents, one for each CVE: https://security.access.redhat.com/data/csaf/
 *
 * First round: "archive_latest.txt", document "latest", which names the newest archive of all of
 * them. Second round: that archive, which is read once; "changes.csv" and "deletions.csv", which
 * say what has happened since, and when; and the list of the products that repositories belong to.
 * Third round: documents that have changed, each for itself, as patches of the archive.
 *
 * In the run that reads the archive these are the documents that have changed since its day, which
 * are then passed over in the archive, like those that are gone. In later runs they are those that
 * have changed since the last run. Its state is the name of the archive and the newest times of
 * both lists, in milliseconds since 1970, "-" for none. Too many changes, or an archive so new that
 * the lists cannot have been followed, make a run begin again with the archive. So does any other
 * archive, where there are no lists: in copies of one's own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/text.h"
#include "common/text_map.h"
#include "feed/csaf_changes.h"
#include "feed/cve.h"
#include "feed/file_records.h"
#include "feed/json_records.h"
#include "feed/record_feed.h"
#include "feed/redhat_repositories.h"
#include "feed/redhat_vex.h"
#include "feed/timestamp.h"
#include "updaters/updater.h"

#define HOST_URL		 "https://security.access.redhat.com/"
#define REPOSITORIES_URL HOST_URL "data/metrics/repository-to-cpe.json"

#define LATEST		 CLAIR_LITERAL("latest")
#define ARCHIVE		 CLAIR_LITERAL("archive")
#define CHANGES		 CLAIR_LITERAL("changes")
#define DELETIONS	 CLAIR_LITERAL("deletions")
#define REPOSITORIES CLAIR_LITERAL("repositories")

#define MAX_CHANGES 5000 /* from which on the archive is less work than single documents */
#define NEVER		INT64_MIN

/* An archive may have been begun the day before its name says. */
#define ARCHIVE_MARGIN TIMESTAMP_DAY

/* How much newer an archive can be than the last change that is known of. */
#define MAX_SILENCE (7 * TIMESTAMP_DAY)

#define MEMORY_PROBLEM "there is not enough memory for the documents"

/* What the lists say of a document. */
typedef struct Change
{
	ClairBytes path;
	int64_t changed;
	int64_t deleted;
} Change;

/* How far a run has come. */
typedef struct State
{
	ClairBytes archive; /* no value: nothing was read yet */
	int64_t changed;
	int64_t deleted;
} State;

typedef struct Redhat
{
	const UpdaterJob *job;
	Arena *arena; /* as long as the round */
	State old;
	State new;
	bool whole;			   /* the archive is read */
	int64_t changed_since; /* what is older is known */
	int64_t deleted_since;
	TextMap by_key; /* changes by the keys of their records */
	Change **changes;
	size_t change_count;
	size_t change_capacity;
	ClairBytes key; /* of the document that is being read as a patch */
} Redhat;

static State
read_state(ClairBytes text)
{
	State state = {.changed = NEVER, .deleted = NEVER};

	if (text.data == NULL)
		return state;
	state.archive = text_take_part(&text, ' ');
	wire_integer(text_take_part(&text, ' '), &state.changed);
	wire_integer(text_take_part(&text, ' '), &state.deleted);
	return state;
}

/* Writes a time of a state. */
static const char *
time_text(int64_t time, char buffer[24])
{
	if (time == NEVER)
		return "-";
	snprintf(buffer, 24, "%" PRId64, time);
	return buffer;
}

static ClairStatus
write_state(const Redhat *redhat, ClairError *error)
{
	char changed[24];
	char deleted[24];
	ClairBytes text = arena_printf(redhat->arena, "%.*s %s %s", (int) redhat->new.archive.size,
								   redhat->new.archive.data,
								   time_text(redhat->new.changed, changed),
								   time_text(redhat->new.deleted, deleted));

	if (text.data == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	return updater_state(redhat->job, text, error);
}

/* The part behind the last "/". */
static ClairBytes
last_component(ClairBytes path)
{
	for (size_t i = path.size; i > 0; i--)
		if (path.data[i - 1] == '/')
			return clair_bytes_skip(path, i);
	return path;
}

/* The day of an archive, "csaf_vex_2031-02-01.tar.zst". */
static bool
archive_day(ClairBytes name, int64_t *day)
{
	static const size_t size = sizeof("2031-02-01") - 1;

	for (size_t i = 0; i + size <= name.size; i++)
		if (timestamp_read((ClairBytes){name.data + i, size}, day))
			return true;
	return false;
}

/* Whether it is the name of an archive beside the other documents. */
static bool
is_archive_name(ClairBytes name)
{
	int64_t day;

	for (size_t i = 0; i < name.size; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
				   name.data[i]) == NULL ||
			name.data[i] == '\0')
			return false;
	return name.size > 0 && name.size <= CLAIR_MAX_NAME && archive_day(name, &day);
}

/* Whether the archive has to be read in place of the changes, as far as its name tells. */
static bool
has_lost_track(const Redhat *redhat, ClairBytes archive)
{
	int64_t day;

	if (redhat->old.archive.data == NULL || clair_bytes_equal(redhat->old.archive, archive))
		return false;
	return redhat->old.changed == NEVER ||
		   (archive_day(archive, &day) && day > redhat->old.changed + MAX_SILENCE);
}

/* Names the documents of the second round. */
static ClairStatus
name_documents(const Redhat *redhat, const UpdaterDocument *latest, ClairBytes archive,
			   ClairError *error)
{
	const UpdaterJob *job = redhat->job;
	bool is_copy = !clair_bytes_start_with(latest->url, CLAIR_LITERAL(HOST_URL));
	ClairStatus status;

	if (has_lost_track(redhat, archive))
		return updater_state(job, CLAIR_NULL_BYTES, error);
	status = updater_further(job, latest, ARCHIVE, archive, false, "keep", error);
	if (status == CLAIR_OK)
		status = updater_further(job, latest, CHANGES, CLAIR_LITERAL("changes.csv"), is_copy,
								 "plain", error);
	if (status == CLAIR_OK)
		status = updater_further(job, latest, DELETIONS, CLAIR_LITERAL("deletions.csv"), is_copy,
								 "plain", error);
	if (status == CLAIR_OK)
		status = updater_further(job, latest, REPOSITORIES,
								 is_copy ? CLAIR_LITERAL("repository-to-cpe.json")
										 : CLAIR_LITERAL(REPOSITORIES_URL),
								 is_copy, "plain", error);
	return status;
}

static ClairStatus
read_latest(const Redhat *redhat, const UpdaterDocument *latest, ClairError *error)
{
	ClairBytes text;
	char shown[48];
	ClairStatus status = record_feed_load(redhat->job->limits, latest->descriptor, redhat->arena,
										  &text, error);

	if (status == CLAIR_OK)
	{
		text = text_trim(text);
		if (is_archive_name(text))
			return name_documents(redhat, latest, text, error);
		text_printable(text, shown, sizeof(shown));
		status = clair_error(error, CLAIR_INVALID, "\"%s\" is not the name of an archive", shown);
	}
	return clair_error_in(error, "document \"latest\"");
}

/*
 * The key of the record that is in a file: "CVE-2031-0044" of "2031/cve-2031-0044.json". No value
 * when it is none of these.
 */
static ClairBytes
record_key(Arena *arena, ClairBytes path, bool *exhausted)
{
	ClairBytes name = last_component(path);
	ClairBytes key;

	*exhausted = false;
	if (!clair_bytes_start_with(name, CLAIR_LITERAL("cve-")) ||
		!clair_bytes_end_with(name, CLAIR_LITERAL(".json")) || name.size > CLAIR_MAX_NAME)
		return CLAIR_NULL_BYTES;
	key = arena_printf(arena, "CVE-%.*s", (int) (name.size - sizeof("cve-.json") + 1),
					   name.data + sizeof("cve-") - 1);
	*exhausted = key.data == NULL;
	return key.data != NULL && cve_is_name(key) ? key : CLAIR_NULL_BYTES;
}

/* Whether a path is "2031/cve-2031-0044.json", and a URL beside the lists. */
static bool
is_plain_path(ClairBytes path)
{
	ClairBytes name = last_component(path);

	if (path.size != name.size + sizeof("2031/") - 1)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (path.data[i] < '0' || path.data[i] > '9')
			return false;
	return true;
}

/* What the lists say of a document, to be filled; NULL for others than those of CVEs. */
static ClairStatus
find_change(Redhat *redhat, ClairBytes path, Change **change, ClairError *error)
{
	bool exhausted;
	ClairBytes key = record_key(redhat->arena, path, &exhausted);
	void **place;

	*change = NULL;
	if (key.data == NULL && !exhausted)
		return CLAIR_OK;
	place = key.data != NULL ? text_map_at(&redhat->by_key, key) : NULL;
	if (place != NULL && *place == NULL)
	{
		redhat->changes = arena_grow_array(redhat->arena, redhat->changes, redhat->change_count + 1,
										   &redhat->change_capacity, sizeof(Change *));
		*place = arena_alloc(redhat->arena, sizeof(Change));
		if (redhat->changes == NULL || *place == NULL)
			return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
		*change = redhat->changes[redhat->change_count++] = *place;
		**change = (Change){arena_copy(redhat->arena, path), NEVER, NEVER};
		if ((*change)->path.data == NULL)
			return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	}
	if (place == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	*change = *place;
	return CLAIR_OK;
}

/* One of the lists. */
typedef struct ChangeList
{
	Redhat *redhat;
	bool deletions;
	int64_t since; /* what is older is known */
	int64_t *newest;
} ChangeList;

static ClairStatus
take_row(void *context, ClairBytes path, int64_t time, ClairError *error)
{
	const ChangeList *list = context;
	int64_t *latest;
	Change *change;
	ClairStatus status;

	if (time > *list->newest)
		*list->newest = time;
	if (time < list->since || !is_plain_path(path))
		return CLAIR_OK;
	status = find_change(list->redhat, path, &change, error);
	if (status != CLAIR_OK || change == NULL)
		return status;
	latest = list->deletions ? &change->deleted : &change->changed;
	if (time > *latest)
		*latest = time;
	return CLAIR_OK;
}

/* The document of this name among those of the round, or NULL. */
static const UpdaterDocument *
find_document(const UpdaterJob *job, ClairBytes name)
{
	for (size_t i = 0; i < job->count; i++)
		if (clair_bytes_equal(job->documents[i].name, name))
			return &job->documents[i];
	return NULL;
}

/* Reads one of the lists, if it is there. */
static ClairStatus
read_list(Redhat *redhat, ClairBytes name, ChangeList list, ClairError *error)
{
	const UpdaterDocument *document = find_document(redhat->job, name);
	Arena *row;
	ClairStatus status;

	if (document == NULL)
		return CLAIR_OK;
	row = arena_create(record_feed_memory(redhat->job->limits));
	if (row == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	status = csaf_changes_read(redhat->job->limits, document->descriptor, row, take_row, &list,
							   error);
	arena_destroy(row);
	if (status == CLAIR_OK)
		return status;
	return clair_error_in(error, "document \"%.*s\"", (int) name.size, name.data);
}

/* From when on the lists matter. */
static ClairStatus
set_out(Redhat *redhat, const UpdaterDocument *archive, ClairError *error)
{
	int64_t day;

	redhat->whole = archive != NULL;
	redhat->new = redhat->old;
	if (redhat->whole)
		redhat->new = (State){last_component(archive->url), NEVER, NEVER};
	if (!archive_day(redhat->new.archive, &day))
		return clair_error(error, CLAIR_INVALID,
						   "the archive's name does not say of which day it is");
	redhat->changed_since = redhat->new.changed != NEVER ? redhat->new.changed
														 : day - ARCHIVE_MARGIN;
	redhat->deleted_since = redhat->new.deleted != NEVER ? redhat->new.deleted + 1
														 : day - ARCHIVE_MARGIN;
	return CLAIR_OK;
}

/* Names a document that has changed, or says that one is gone. */
static ClairStatus
write_change(const Redhat *redhat, const Change *change, ClairError *error)
{
	const UpdaterJob *job = redhat->job;
	bool exhausted;
	ClairBytes key;

	if (change->changed > change->deleted)
		return updater_further(job, find_document(job, CHANGES), change->path, change->path, true,
							   "patch", error);
	if (redhat->whole)
		return CLAIR_OK; /* it is passed over in the archive */
	key = record_key(redhat->arena, change->path, &exhausted);
	if (exhausted)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	return job->sink->row(job->sink->context, WIRE_GONE, &key, 1, error);
}

/* The archive's files that are records, but for those that the lists speak of. */
static ClairStatus
identify_file(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
			  const char **problem, ClairError *error)
{
	const Redhat *redhat = context;
	bool exhausted;

	(void) problem;
	*key = record_key(feed->arena, record->name, &exhausted);
	if (exhausted)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	if (key->data != NULL && text_map_find(&redhat->by_key, *key) != NULL)
		*key = CLAIR_NULL_BYTES;
	return CLAIR_OK;
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	(void) context;
	return redhat_vex_itemize(feed, record, key, error);
}

static ClairStatus
read_archive(Redhat *redhat, RecordFeed *feed, const UpdaterDocument *archive, ClairError *error)
{
	static const RecordFormat format = {.cutter = &archive_record_cutter,
										.part = "*cve-*.json",
										.identify = identify_file,
										.itemize = itemize};

	return record_feed_read(feed, archive->name, archive->descriptor, &format, redhat, error);
}

/* Reads the archive and the lists, as far as they are there. */
static ClairStatus
read_documents(Redhat *redhat, RecordFeed *feed, ClairError *error)
{
	const UpdaterDocument *archive = find_document(redhat->job, ARCHIVE);
	ClairStatus status;

	if (archive == NULL && find_document(redhat->job, CHANGES) == NULL &&
		find_document(redhat->job, DELETIONS) == NULL)
		return CLAIR_OK;
	status = set_out(redhat, archive, error);
	if (status == CLAIR_OK)
		status = read_list(redhat, CHANGES,
						   (ChangeList){redhat, false, redhat->changed_since, &redhat->new.changed},
						   error);
	if (status == CLAIR_OK)
		status = read_list(redhat, DELETIONS,
						   (ChangeList){redhat, true, redhat->deleted_since, &redhat->new.deleted},
						   error);
	if (status == CLAIR_OK && !redhat->whole && redhat->change_count > MAX_CHANGES)
		return updater_state(redhat->job, CLAIR_NULL_BYTES, error);
	for (size_t i = 0; i < redhat->change_count && status == CLAIR_OK; i++)
		status = write_change(redhat, redhat->changes[i], error);
	if (status == CLAIR_OK && redhat->whole)
		status = read_archive(redhat, feed, archive, error);
	return status == CLAIR_OK ? write_state(redhat, error) : status;
}

/* A patch is the record that it is named for. */
static ClairStatus
identify_patch(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
			   const char **problem, ClairError *error)
{
	const Redhat *redhat = context;

	(void) feed;
	(void) record;
	(void) problem;
	(void) error;
	*key = redhat->key;
	return CLAIR_OK;
}

static ClairStatus
read_patch(Redhat *redhat, RecordFeed *feed, const UpdaterDocument *document, ClairError *error)
{
	static const RecordFormat format = {.cutter = &file_record_cutter,
										.identify = identify_patch,
										.itemize = itemize};
	bool exhausted;

	redhat->key = record_key(redhat->arena, document->name, &exhausted);
	if (exhausted)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	if (redhat->key.data == NULL)
		return clair_error(error, CLAIR_INVALID, "there is no document \"%.*s\" of Red Hat",
						   (int) document->name.size, document->name.data);
	return record_feed_patch(feed, document->name, ARCHIVE, document->descriptor, &format, redhat,
							 error);
}

static ClairStatus
read_round(Redhat *redhat, RecordFeed *feed, ClairError *error)
{
	const UpdaterJob *job = redhat->job;
	ClairStatus status = read_documents(redhat, feed, error);

	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
	{
		const UpdaterDocument *document = &job->documents[i];

		if (clair_bytes_equal(document->name, LATEST))
			status = read_latest(redhat, document, error);
		else if (clair_bytes_equal(document->name, REPOSITORIES))
			status = redhat_repositories_read(feed, document->name, document->descriptor, error);
		else if (!clair_bytes_equal(document->name, ARCHIVE) &&
				 !clair_bytes_equal(document->name, CHANGES) &&
				 !clair_bytes_equal(document->name, DELETIONS))
			status = read_patch(redhat, feed, document, error);
	}
	return status;
}

static ClairStatus
redhat_read(const UpdaterJob *job, ClairError *error)
{
	Redhat redhat = {.job = job, .old = read_state(job->state)};
	RecordFeed feed;
	ClairStatus status = record_feed_open(&feed, job->limits, job->sink, error);

	if (status != CLAIR_OK)
		return status;
	redhat.arena = arena_create(record_feed_memory(job->limits));
	redhat.by_key.arena = redhat.arena;
	if (redhat.arena == NULL)
		status = clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	else
		status = read_round(&redhat, &feed, error);
	arena_destroy(redhat.arena);
	record_feed_close(&feed);
	return status;
}

const Updater updater_redhat = {"redhat", redhat_read};
