/*
 * export.c
 *    What another database has: files that clair.export_updates() wrote (feed/export_file.h).
 *
 * The document is named "export", and the option "updater" says whose part of the file is read, as
 * that updater's own. A part that tells everything is read like any document; one that tells what
 * has changed since a position changes single records of the former, and is read only where that
 * position has been reached. The state that is left is the site and the position.
 *
 * Rows are those that the other database's reader gave, as they stand there. They are given back
 * by their names: whether their words are ones that there are is for the server to say, as of any
 * row.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/text.h"
#include "feed/export_file.h"
#include "updaters/options.h"
#include "updaters/updater.h"

#define DOCUMENT   CLAIR_LITERAL("export")
#define JOB_MEMORY ((size_t) 1 << 20)

/* What can be given of a record, and beside records. */
static const WireRelation in_records[] = {WIRE_VULNERABILITY, WIRE_AFFECTED, WIRE_CVE, WIRE_METRIC,
										  WIRE_KEV};
static const WireRelation beside[] = {WIRE_GONE, WIRE_FROZEN, WIRE_REPOSITORY, WIRE_EPSS_EDITION,
									  WIRE_EPSS};

/* What rows that do not say it belong to. */
typedef struct Subject
{
	ClairBytes record;
	ClairBytes name; /* of the vulnerability that came last */
} Subject;

static const WireRelationInfo *
find_relation(ClairBytes name, const WireRelation *relations, size_t count, WireRelation *relation)
{
	for (size_t i = 0; i < count; i++)
	{
		*relation = relations[i];
		if (clair_bytes_equal(name, clair_bytes(wire_relations[relations[i]].name)))
			return &wire_relations[relations[i]];
	}
	return NULL;
}

/* Takes a value of any type but objects and arrays, as text. */
static void
take_value(JsonCursor *cursor, ClairBytes *value)
{
	if (json_type(cursor) == JSON_NUMBER)
		json_number(cursor, value);
	else
		json_text_or_null(cursor, value);
}

/* Fills the columns of a row from an object; what belongs to the subject is that of it. */
static void
take_columns(JsonCursor *cursor, const WireRelationInfo *info, const Subject *subject,
			 ClairBytes *fields)
{
	ClairBytes name;

	for (int i = 0; i < info->column_count; i++)
	{
		const char *column = info->columns[i].name;

		if (strcmp(column, "record") == 0 || strcmp(column, "cve") == 0)
			fields[i] = subject->record;
		else if (strcmp(column, "name") == 0)
			fields[i] = subject->name;
		else
			fields[i] = CLAIR_NULL_BYTES;
	}
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		int i = 0;

		while (i < info->column_count &&
			   !clair_bytes_equal(name, clair_bytes(info->columns[i].name)))
			i++;
		if (i == info->column_count)
			json_refuse(cursor, CLAIR_INVALID, "a row has a column that is not known");
		else
			take_value(cursor, &fields[i]);
	}
}

/* Takes a row, {"relation":{...}}, and gives it to the sink. */
static ClairStatus
take_row(JsonCursor *cursor, const WireRelation *relations, size_t count, Subject *subject,
		 const ClairSink *sink, ClairError *error)
{
	ClairBytes fields[WIRE_MAX_COLUMNS];
	const WireRelationInfo *info;
	WireRelation relation;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	if (!json_next_member(cursor, &name))
	{
		json_refuse(cursor, CLAIR_INVALID, "a row is empty");
		return CLAIR_OK;
	}
	info = find_relation(name, relations, count, &relation);
	if (info == NULL)
	{
		json_refuse(cursor, CLAIR_INVALID, "a row is of a kind that does not belong here");
		return CLAIR_OK;
	}
	if (relation == WIRE_VULNERABILITY)
		subject->name = CLAIR_NULL_BYTES;
	take_columns(cursor, info, subject, fields);
	if (json_next_member(cursor, &name))
		json_refuse(cursor, CLAIR_INVALID, "a row is of two kinds");
	if (cursor->status == CLAIR_OK &&
		wire_row_problem(relation, fields, (uint32_t) info->column_count) != NULL)
		json_refuse(cursor, CLAIR_INVALID, "a column of a row has no such value");
	if (cursor->status != CLAIR_OK)
		return CLAIR_OK;
	if (relation == WIRE_VULNERABILITY)
		subject->name = fields[1];
	return sink->row(sink->context, relation, fields, (uint32_t) info->column_count, error);
}

static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	ClairBytes name;

	(void) context;
	*problem = NULL;
	json_enter(&cursor, JSON_OBJECT);
	json_next_member(&cursor, &name);
	if (!json_text(&cursor, key))
		return record_feed_refuse(record, &cursor, error);
	return CLAIR_OK;
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	Subject subject = {.record = key};
	ClairStatus status = CLAIR_OK;
	ClairBytes name;

	(void) context;
	json_enter(&cursor, JSON_OBJECT);
	while (status == CLAIR_OK && json_next_member(&cursor, &name))
	{
		if (!clair_bytes_equal(name, CLAIR_LITERAL("rows")))
		{
			json_skip(&cursor);
			continue;
		}
		json_enter(&cursor, JSON_ARRAY);
		while (status == CLAIR_OK && json_next_element(&cursor))
			status = take_row(&cursor, in_records, sizeof(in_records) / sizeof(in_records[0]),
							  &subject, feed->sink, error);
	}
	if (status == CLAIR_OK && !json_end(&cursor))
		return record_feed_refuse(record, &cursor, error);
	return status;
}

/* A line that is no record. */
static ClairStatus
member(RecordFeed *feed, void *context, const FeedRecord *line, ClairError *error)
{
	JsonCursor cursor = json_cursor(line->value, feed->arena);
	Subject subject = {CLAIR_NULL_BYTES, CLAIR_NULL_BYTES};
	ClairStatus status = take_row(&cursor, beside, sizeof(beside) / sizeof(beside[0]), &subject,
								  feed->sink, error);

	(void) context;
	if (status == CLAIR_OK && !json_end(&cursor))
		return record_feed_refuse(line, &cursor, error);
	return status;
}

/*
 * Whether the part can be read upon what has been imported: a part that tells changes only where
 * the position that it begins with was reached, and nothing that is older than what is there.
 */
static ClairStatus
check_position(const UpdaterJob *job, ClairBytes site, int64_t position, ClairBytes since,
			   ClairError *error)
{
	ClairBytes state = job->state;
	int64_t reached = -1;
	int64_t begins = 0;

	if (state.data != NULL && clair_bytes_start_with(state, site) && state.size > site.size &&
		state.data[site.size] == ' ')
		wire_integer(clair_bytes_skip(state, site.size + 1), &reached);
	if (since.data != NULL && (!wire_integer(since, &begins) || reached < begins))
	{
		clair_error(error, CLAIR_INVALID, "the export tells only what changed since position %.*s",
					(int) since.size, since.data);
		clair_error_hint(error,
						 "Import what was exported before that first, or an export of everything.");
		return CLAIR_INVALID;
	}
	if (position < reached)
		return clair_error(
			error, CLAIR_INVALID,
			"the export is older than what has been imported: it has position %" PRId64
			", and position %" PRId64 " was reached",
			position, reached);
	return CLAIR_OK;
}

/* Reads the part of an updater, as the options say it. */
static ClairStatus
read_part(const UpdaterJob *job, Arena *arena, ClairError *error)
{
	RecordFormat format = {.cutter = &export_cutter,
						   .passes_members = true,
						   .identify = identify,
						   .member = member,
						   .itemize = itemize};
	ClairBytes updater = CLAIR_NULL_BYTES;
	ClairBytes site = CLAIR_NULL_BYTES;
	ClairBytes position = CLAIR_NULL_BYTES;
	ClairBytes since = CLAIR_NULL_BYTES;
	ClairBytes state;
	RecordFeed feed;
	ClairStatus status;
	int64_t number = 0;

	if (updater_option(job, arena, "updater", &updater, error) != CLAIR_OK ||
		updater_option(job, arena, "site", &site, error) != CLAIR_OK ||
		updater_option(job, arena, "position", &position, error) != CLAIR_OK ||
		updater_option(job, arena, "since", &since, error) != CLAIR_OK)
		return error->status;
	if (job->count != 1 || updater.data == NULL || site.data == NULL ||
		!wire_integer(position, &number))
		return clair_error(error, CLAIR_INVALID, "it is not said whose part of the export to read");
	status = check_position(job, site, number, since, error);
	if (status != CLAIR_OK)
		return status;
	updater = arena_printf(arena, "%.*s", (int) updater.size, updater.data);
	state = arena_printf(arena, "%.*s %" PRId64, (int) site.size, site.data, number);
	if (updater.data == NULL || state.data == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	format.part = updater.data;
	status = record_feed_open(&feed, job->limits, job->sink, error);
	if (status != CLAIR_OK)
		return status;
	status = record_feed_patch(&feed, job->documents[0].name, DOCUMENT,
							   job->documents[0].descriptor, &format, NULL, error);
	record_feed_close(&feed);
	return status == CLAIR_OK ? updater_state(job, state, error) : status;
}

static ClairStatus
export_read(const UpdaterJob *job, ClairError *error)
{
	Arena *arena = arena_create(JOB_MEMORY);
	ClairStatus status;

	if (arena == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	status = read_part(job, arena, error);
	arena_destroy(arena);
	return status;
}

const Updater updater_export = {"export", export_read};
