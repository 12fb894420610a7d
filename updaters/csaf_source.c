/*
 * csaf_source.c
 *    What sources of CSAF documents have in common; see csaf_source.h.
 */
#include "updaters/csaf_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/text.h"
#include "feed/csaf_changes.h"
#include "feed/cve.h"
#include "feed/file_records.h"

#define MAX_CHANGES 5000 /* from which on the archive is less work than single documents */

#define MEMORY_PROBLEM "there is not enough memory for the documents"

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

static CsafState
read_state(ClairBytes text)
{
	CsafState state = {.changed = CSAF_NEVER, .deleted = CSAF_NEVER};

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
	if (time == CSAF_NEVER)
		return "-";
	snprintf(buffer, 24, "%" PRId64, time);
	return buffer;
}

ClairStatus
csaf_round_write_state(const CsafRound *round, ClairError *error)
{
	char changed[24];
	char deleted[24];
	ClairBytes text;

	if (round->new.archive.data == NULL)
		return updater_state(round->job, CLAIR_NULL_BYTES, error);
	text = arena_printf(round->arena, "%.*s %s %s", (int) round->new.archive.size,
						round->new.archive.data, time_text(round->new.changed, changed),
						time_text(round->new.deleted, deleted));
	return text.data != NULL ? updater_state(round->job, text, error) : memory_error(error);
}

ClairBytes
csaf_last_component(ClairBytes path)
{
	for (size_t i = path.size; i > 0; i--)
		if (path.data[i - 1] == '/')
			return clair_bytes_skip(path, i);
	return path;
}

/*
 * The key of the record that is in a file: "CVE-2031-0044" of "2031/cve-2031-0044.json". No value
 * when it is none of these.
 */
static ClairStatus
record_key(Arena *arena, ClairBytes path, ClairBytes *key, ClairError *error)
{
	ClairBytes name = csaf_last_component(path);

	*key = CLAIR_NULL_BYTES;
	if (!clair_bytes_start_with(name, CLAIR_LITERAL("cve-")) ||
		!clair_bytes_end_with(name, CLAIR_LITERAL(".json")) || name.size > CLAIR_MAX_NAME)
		return CLAIR_OK;
	*key = arena_printf(arena, "CVE-%.*s", (int) (name.size - sizeof("cve-.json") + 1),
						name.data + sizeof("cve-") - 1);
	if (key->data == NULL)
		return memory_error(error);
	if (!cve_is_name(*key))
		*key = CLAIR_NULL_BYTES;
	return CLAIR_OK;
}

/* Whether a path is that of a document beside the lists, and so its URL. */
static bool
is_plain_path(const CsafSource *source, ClairBytes path)
{
	ClairBytes name = csaf_last_component(path);

	if (!source->by_year)
		return path.size == name.size;
	if (path.size != name.size + sizeof("2031/") - 1)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (path.data[i] < '0' || path.data[i] > '9')
			return false;
	return true;
}

/* A new change, in its place. */
static ClairStatus
add_change(CsafRound *round, ClairBytes path, void **place, ClairError *error)
{
	CsafChange *change = arena_alloc(round->arena, sizeof(CsafChange));

	round->changes = arena_grow_array(round->arena, round->changes, round->change_count + 1,
									  &round->change_capacity, sizeof(CsafChange *));
	if (round->changes == NULL || change == NULL)
		return memory_error(error);
	*change = (CsafChange){arena_copy(round->arena, path), CSAF_NEVER, CSAF_NEVER};
	if (change->path.data == NULL)
		return memory_error(error);
	*place = round->changes[round->change_count++] = change;
	return CLAIR_OK;
}

/* What the lists say of a document, to be filled; NULL for others than those of CVEs. */
static ClairStatus
find_change(CsafRound *round, ClairBytes path, CsafChange **change, ClairError *error)
{
	ClairBytes key;
	ClairStatus status = record_key(round->arena, path, &key, error);
	void **place;

	*change = NULL;
	if (status != CLAIR_OK || key.data == NULL)
		return status;
	place = text_map_at(&round->by_key, key);
	if (place == NULL)
		return memory_error(error);
	if (*place == NULL)
		status = add_change(round, path, place, error);
	*change = *place;
	return status;
}

/* One of the lists. */
typedef struct ChangeList
{
	CsafRound *round;
	bool deletions;
	int64_t since; /* what is older is known */
	int64_t *newest;
} ChangeList;

static ClairStatus
take_row(void *context, ClairBytes path, int64_t time, ClairError *error)
{
	const ChangeList *list = context;
	int64_t *latest;
	CsafChange *change;
	ClairStatus status;

	if (time > *list->newest)
		*list->newest = time;
	if (time < list->since || !is_plain_path(list->round->source, path))
		return CLAIR_OK;
	status = find_change(list->round, path, &change, error);
	if (status != CLAIR_OK || change == NULL)
		return status;
	latest = list->deletions ? &change->deleted : &change->changed;
	if (time > *latest)
		*latest = time;
	return CLAIR_OK;
}

const UpdaterDocument *
csaf_round_document(const CsafRound *round, ClairBytes name)
{
	for (size_t i = 0; i < round->job->count; i++)
		if (clair_bytes_equal(round->job->documents[i].name, name))
			return &round->job->documents[i];
	return NULL;
}

bool
csaf_is_common(ClairBytes name)
{
	return clair_bytes_equal(name, CSAF_ARCHIVE) || clair_bytes_equal(name, CSAF_CHANGES) ||
		   clair_bytes_equal(name, CSAF_DELETIONS);
}

/* Reads one of the lists, if it is there. */
static ClairStatus
read_list(CsafRound *round, ClairBytes name, ChangeList list, ClairError *error)
{
	const UpdaterDocument *document = csaf_round_document(round, name);
	Arena *row;
	ClairStatus status;

	if (document == NULL)
		return CLAIR_OK;
	row = arena_create(record_feed_memory(round->job->limits));
	if (row == NULL)
		return memory_error(error);
	status = csaf_changes_read(round->job->limits, document->descriptor, row, take_row, &list,
							   error);
	arena_destroy(row);
	if (status == CLAIR_OK)
		return status;
	return clair_error_in(error, "document \"%.*s\"", (int) name.size, name.data);
}

ClairStatus
csaf_round_read_lists(CsafRound *round, ClairError *error)
{
	ChangeList changes = {round, false, round->changed_since, &round->new.changed};
	ChangeList deletions = {round, true, round->deleted_since, &round->new.deleted};
	ClairStatus status = read_list(round, CSAF_CHANGES, changes, error);

	return status == CLAIR_OK ? read_list(round, CSAF_DELETIONS, deletions, error) : status;
}

/* Names a document that has changed, or says that one is gone. */
static ClairStatus
write_change(const CsafRound *round, const CsafChange *change, ClairError *error)
{
	const UpdaterJob *job = round->job;
	ClairBytes key;
	ClairStatus status;

	if (change->changed > change->deleted)
		return updater_further(job, csaf_round_document(round, CSAF_CHANGES), change->path,
							   change->path, true, "patch", error);
	if (round->whole)
		return CLAIR_OK; /* it is passed over in the archive */
	status = record_key(round->arena, change->path, &key, error);
	return status == CLAIR_OK ? job->sink->row(job->sink->context, WIRE_GONE, &key, 1, error)
							  : status;
}

ClairStatus
csaf_round_write_changes(CsafRound *round, bool *too_many, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	*too_many = !round->whole && round->change_count > MAX_CHANGES;
	for (size_t i = 0; i < round->change_count && status == CLAIR_OK && !*too_many; i++)
		status = write_change(round, round->changes[i], error);
	return status;
}

/* The archive's files that are records, but for those that the lists speak of. */
static ClairStatus
identify_file(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
			  const char **problem, ClairError *error)
{
	const CsafRound *round = context;
	ClairStatus status = record_key(feed->arena, record->name, key, error);

	(void) problem;
	if (key->data != NULL && text_map_find(&round->by_key, *key) != NULL)
		*key = CLAIR_NULL_BYTES;
	return status;
}

ClairStatus
csaf_round_read_archive(CsafRound *round, const UpdaterDocument *archive, ClairError *error)
{
	RecordFormat format = {.cutter = &archive_record_cutter,
						   .part = "*cve-*.json",
						   .identify = identify_file,
						   .itemize = round->source->itemize};

	return record_feed_read(&round->feed, archive->name, archive->descriptor, &format, round,
							error);
}

/* A patch is the record that it is named for. */
static ClairStatus
identify_patch(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
			   const char **problem, ClairError *error)
{
	const CsafRound *round = context;

	(void) feed;
	(void) record;
	(void) problem;
	(void) error;
	*key = round->key;
	return CLAIR_OK;
}

ClairStatus
csaf_round_read_patch(CsafRound *round, const UpdaterDocument *document, ClairError *error)
{
	RecordFormat format = {.cutter = &file_record_cutter,
						   .identify = identify_patch,
						   .itemize = round->source->itemize};
	ClairStatus status = record_key(round->arena, document->name, &round->key, error);

	if (status == CLAIR_OK && round->key.data == NULL)
		return clair_error(error, CLAIR_INVALID, "there is no document \"%.*s\" of %s",
						   (int) document->name.size, document->name.data, round->source->title);
	if (status != CLAIR_OK)
		return status;
	return record_feed_patch(&round->feed, document->name, CSAF_ARCHIVE, document->descriptor,
							 &format, round, error);
}

ClairStatus
csaf_round_open(CsafRound *round, const CsafSource *source, const UpdaterJob *job,
				ClairError *error)
{
	ClairStatus status;

	*round = (CsafRound){.source = source, .job = job, .old = read_state(job->state)};
	round->new = round->old;
	status = record_feed_open(&round->feed, job->limits, job->sink, error);
	if (status != CLAIR_OK)
		return status;
	round->arena = arena_create(record_feed_memory(job->limits));
	round->by_key.arena = round->arena;
	return round->arena != NULL ? CLAIR_OK : memory_error(error);
}

void
csaf_round_close(CsafRound *round)
{
	arena_destroy(round->arena);
	record_feed_close(&round->feed);
}
