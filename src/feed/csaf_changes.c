/*
 * csaf_changes.c
 *    The lists beside CSAF documents; see csaf_changes.h.
 */
#include "feed/csaf_changes.h"

#include <inttypes.h>

#include "feed/csv.h"
#include "feed/record_feed.h"
#include "feed/timestamp.h"

/* Takes a row apart. NULL when it is one, else what is wrong with it. */
static const char *
read_row(Arena *arena, const FeedRecord *record, ClairBytes *path, int64_t *time)
{
	ClairBytes fields[2];
	size_t count;
	const char *problem = csv_fields(arena, record->value, fields, 2, &count);

	if (problem != NULL)
		return problem;
	if (count != 2)
		return "it is not a path and a time";
	*path = fields[0];
	if (timestamp_read(fields[1], time))
		return NULL;
	*path = fields[1];
	return timestamp_read(fields[0], time) ? NULL : "its time is none";
}

static ClairStatus
read_rows(void *records, Arena *arena,
		  ClairStatus (*take)(void *context, ClairBytes path, int64_t time, ClairError *error),
		  void *context, ClairError *error)
{
	for (;;)
	{
		FeedRecord record;
		const char *problem;
		ClairBytes path;
		int64_t time;
		bool found;
		ClairStatus status = csv_record_cutter.next(records, &record, &found, error);

		if (status != CLAIR_OK || !found)
			return status;
		arena_reset(arena);
		problem = read_row(arena, &record, &path, &time);
		if (problem != NULL)
			return clair_error(error, CLAIR_INVALID, "line %" PRId64 ": %s", record.number,
							   problem);
		status = take(context, path, time, error);
		if (status != CLAIR_OK)
			return status;
	}
}

ClairStatus
csaf_changes_read(const ClairLimits *limits, int descriptor, Arena *arena,
				  ClairStatus (*take)(void *context, ClairBytes path, int64_t time,
									  ClairError *error),
				  void *context, ClairError *error)
{
	ClairStream *stream;
	void *records;
	ClairStatus status = record_feed_stream(limits, descriptor, &stream, error);

	if (status != CLAIR_OK)
		return status;
	status = csv_record_cutter.open(stream, NULL, limits, &records, error);
	if (status == CLAIR_OK)
	{
		status = read_rows(records, arena, take, context, error);
		csv_record_cutter.close(records);
	}
	stream->close(stream);
	return status;
}
