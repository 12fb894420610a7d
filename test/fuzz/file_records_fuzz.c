/*
 * file_records_fuzz.c
 *    Any bytes as an archive: its records have clean names, and are no larger than the limits say.
 */
#include "common/limits.h"
#include "common/path.h"
#include "common/stream.h"
#include "feed/file_records.h"
#include "fuzz.h"

static void
check_record(const FeedRecord *record, const ClairLimits *limits)
{
	char buffer[CLAIR_MAX_PATH];
	ClairBytes clean;

	require(path_clean(record->name, buffer, &clean) && clair_bytes_equal(record->name, clean));
	require(record->value.size <= (size_t) limits->max_record_size);
}

FUZZ_TARGET(file_records)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairStream *stream;
	ClairError error;
	FeedRecord record;
	void *records;
	bool found = true;
	ClairStatus status;

	limits.max_record_size = 1 << 16;
	limits.max_document_size = 1 << 20;
	limits.max_entries = 100;
	if (stream_open_bytes((ClairBytes){(const char *) data, size}, &stream, &error) != CLAIR_OK)
		return 0;
	status = archive_record_cutter.open(stream, "*", &limits, &records, &error);
	if (status == CLAIR_OK)
	{
		while (found &&
			   (status = archive_record_cutter.next(records, &record, &found, &error)) == CLAIR_OK)
			if (found)
				check_record(&record, &limits);
		archive_record_cutter.close(records);
	}
	if (status != CLAIR_OK)
		require(error.message[0] != '\0');
	stream->close(stream);
	return 0;
}
