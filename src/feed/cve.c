/*
 * cve.c
 *    What updaters find out about CVEs, as rows; see cve.h.
 */
#include "feed/cve.h"

#include <inttypes.h>
#include <stdio.h>

#include "feed/timestamp.h"

#define DIGEST_HEX	32 /* digits of a statement's digest: 128 bits */
#define PREFIX_SIZE (sizeof("sha256:") - 1)

#define METRIC_COLUMNS 8

bool
cve_is_name(ClairBytes text)
{
	static const ClairBytes prefix = CLAIR_LITERAL("CVE-");

	if (text.size < sizeof("CVE-1999-0001") - 1 || text.size > sizeof("CVE-1999-") - 1 + 19 ||
		!clair_bytes_start_with(text, prefix) || text.data[8] != '-')
		return false;
	for (size_t i = prefix.size; i < text.size; i++)
		if (i != 8 && (text.data[i] < '0' || text.data[i] > '9'))
			return false;
	return true;
}

/* Steps to the value of the first member of this name; a problem when there is none. */
static bool
enter_member(JsonCursor *cursor, const char *name)
{
	ClairBytes member;

	if (!json_enter(cursor, JSON_OBJECT))
		return false;
	while (json_next_member(cursor, &member))
	{
		if (clair_bytes_equal(member, clair_bytes(name)))
			return true;
		json_skip(cursor);
	}
	return json_refuse(cursor, CLAIR_INVALID, "it does not say which CVE it is about");
}

ClairStatus
cve_of_record(RecordFeed *feed, const FeedRecord *record, const char *const *path, ClairBytes *cve,
			  const char **problem, ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	ClairBytes found = CLAIR_NULL_BYTES;
	bool entered = true;

	for (size_t i = 0; path[i] != NULL && entered; i++)
		entered = enter_member(&cursor, path[i]);
	if (entered && json_text(&cursor, &found) && !cve_is_name(found))
		json_refuse(&cursor, CLAIR_INVALID, "it is about something that is no CVE");
	*cve = found;
	if (cursor.status != CLAIR_OK)
		*problem = cursor.problem;
	return cursor.status == CLAIR_OK ? CLAIR_OK : record_feed_check(feed, record, &cursor, error);
}

ClairStatus
cve_refuse(RecordFeed *feed, const FeedRecord *record, ClairBytes cve, const JsonCursor *cursor,
		   ClairError *error)
{
	ClairStatus status = record_feed_check(feed, record, cursor, error);

	return status == CLAIR_OK ? advisory_broken(&feed->writer, cve, error, "%s", cursor->problem)
							  : status;
}

/* The fields of WIRE_METRIC; their texts are in the buffers. */
static void
metric_fields(const CveStatement *statement, uint32_t number, char buffer[2][16],
			  ClairBytes fields[METRIC_COLUMNS])
{
	const CveMetric *metric = &statement->metrics[number];
	int digits = snprintf(buffer[0], 16, "%" PRIu32, number);
	int score_size = snprintf(buffer[1], 16, "%d.%d", metric->score / 10, metric->score % 10);
	const ClairBytes columns[METRIC_COLUMNS] = {statement->cve,
												{buffer[0], (size_t) digits},
												metric->source,
												metric->type,
												metric->version,
												metric->vector,
												{buffer[1], (size_t) score_size},
												metric->severity};

	memcpy(fields, columns, sizeof(columns));
}

/* A time as the wire has it: no value when there is none, or when what is there is none. */
static ClairStatus
time_field(const AdvisoryWriter *writer, const CveStatement *statement, ClairBytes written,
		   char buffer[TIMESTAMP_SIZE], ClairBytes *field, ClairError *error)
{
	int64_t time;

	*field = CLAIR_NULL_BYTES;
	if (written.data == NULL)
		return CLAIR_OK;
	if (!timestamp_read(written, &time))
		return advisory_broken(writer, statement->cve, error, "\"%.*s\" is no time",
							   (int) (written.size < 40 ? written.size : 40), written.data);
	*field = timestamp_write(time, buffer);
	return CLAIR_OK;
}

ClairStatus
cve_write(const AdvisoryWriter *writer, const CveStatement *statement, ClairError *error)
{
	const ClairSink *sink = writer->sink;
	char digest[DIGEST_TEXT_SIZE];
	char times[2][TIMESTAMP_SIZE];
	char numbers[2][16];
	ClairBytes fields[] = {statement->cve,		   CLAIR_NULL_BYTES, statement->state,
						   statement->description, CLAIR_NULL_BYTES, CLAIR_NULL_BYTES};
	ClairBytes metric[METRIC_COLUMNS];
	ClairStatus status;

	if (statement->state.size > CLAIR_MAX_NAME || statement->description.size > CLAIR_MAX_TEXT)
		return advisory_broken(writer, statement->cve, error,
							   "its state or its description is too long");
	status = time_field(writer, statement, statement->published, times[0], &fields[4], error);
	if (status == CLAIR_OK)
		status = time_field(writer, statement, statement->modified, times[1], &fields[5], error);
	if (status != CLAIR_OK)
		return status;
	advisory_add_fields(writer->digest, fields, 6);
	for (uint32_t i = 0; i < statement->metric_count; i++)
	{
		metric_fields(statement, i, numbers, metric);
		advisory_add_fields(writer->digest, metric, METRIC_COLUMNS);
	}
	digest_finish(writer->digest, digest);
	fields[1] = (ClairBytes){digest + PREFIX_SIZE, DIGEST_HEX};
	status = sink->row(sink->context, WIRE_CVE, fields, 6, error);
	for (uint32_t i = 0; i < statement->metric_count && status == CLAIR_OK; i++)
	{
		metric_fields(statement, i, numbers, metric);
		status = sink->row(sink->context, WIRE_METRIC, metric, METRIC_COLUMNS, error);
	}
	return status;
}
