/*
 * file_records.c
 *    Records that are files; see file_records.h.
 *
 * A file is read whole into a buffer that all of a document's records share; it grows with the
 * bytes that come, whatever an archive says of a file's size.
 */
#include "feed/file_records.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/entries.h"
#include "common/text.h"
#include "feed/record_buffer.h"

#define MAX_LEVELS 2 /* a zip in a zip */

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the record");
}

/* Reads a stream to its end: the record's value. */
static ClairStatus
read_value(RecordBuffer *buffer, ClairStream *stream, ClairBytes *value, ClairError *error)
{
	ClairBytes piece;
	ClairStatus status;

	buffer->size = 0;
	while ((status = stream->read(stream, &piece, error)) == CLAIR_OK && piece.size > 0)
	{
		status = record_buffer_add(buffer, piece, error);
		if (status != CLAIR_OK)
			return status;
	}
	*value = (ClairBytes){buffer->data != NULL ? buffer->data : "", buffer->size};
	return status;
}

/* An archive, and the stream that it is read from: of an inner one, the outer one's entry. */
typedef struct Level
{
	Entries *entries;
	ClairStream *entry;
} Level;

typedef struct ArchiveRecords
{
	const char *pattern;
	const ClairLimits *limits;
	RecordBuffer buffer;
	Level levels[MAX_LEVELS];
	size_t depth; /* of levels that are open */
} ArchiveRecords;

static void
close_level(ArchiveRecords *records)
{
	Level *level = &records->levels[--records->depth];

	entries_close(level->entries);
	if (level->entry != NULL)
		level->entry->close(level->entry);
	*level = (Level){0};
}

static void
archive_records_close(void *records)
{
	ArchiveRecords *closed = records;

	if (closed == NULL)
		return;
	while (closed->depth > 0)
		close_level(closed);
	record_buffer_free(&closed->buffer);
	free(closed);
}

static ClairStatus
archive_records_open(ClairStream *stream, const char *pattern, const ClairLimits *limits,
					 void **records, ClairError *error)
{
	ArchiveRecords *opened = calloc(1, sizeof(ArchiveRecords));
	ClairStatus status;

	*records = opened;
	if (opened == NULL)
		return out_of_memory(error);
	opened->pattern = pattern;
	opened->limits = limits;
	opened->buffer.max_size = (size_t) limits->max_record_size;
	status = entries_open(stream, ENTRIES_TAR_ZIP, limits, &opened->levels[0].entries, error);
	if (status == CLAIR_OK)
		opened->depth = 1;
	else
		archive_records_close(opened);
	return status;
}

/* Whether an entry is a zip in a zip, whose entries are meant. */
static bool
is_inner_archive(const ArchiveRecords *records, const Entry *entry)
{
	return records->depth < MAX_LEVELS && entry->type == ENTRY_FILE &&
		   clair_bytes_end_with(entry->path, CLAIR_LITERAL(".zip")) &&
		   entries_are_zip(records->levels[records->depth - 1].entries);
}

static ClairStatus
open_inner(ArchiveRecords *records, ClairError *error)
{
	Level *outer = &records->levels[records->depth - 1];
	Level *inner = &records->levels[records->depth];
	ClairStatus status = entries_open_stream(outer->entries, &inner->entry, error);

	if (status != CLAIR_OK)
		return status;
	records->depth++;
	return entries_open(inner->entry, ENTRIES_TAR_ZIP, records->limits, &inner->entries, error);
}

/* Whether the archive's file of this path is a record. */
static bool
is_record(const ArchiveRecords *records, ClairBytes path)
{
	char name[CLAIR_MAX_PATH + 1];

	memcpy(name, path.data, path.size);
	name[path.size] = '\0';
	return fnmatch(records->pattern, name, 0) == 0;
}

/* Reads the file at which the innermost archive stands. */
static ClairStatus
take_file(ArchiveRecords *records, const Entry *entry, FeedRecord *record, ClairError *error)
{
	ClairStream *stream;
	ClairStatus status;

	*record = (FeedRecord){.name = entry->path};
	if (!text_is_valid(entry->path))
		record->problem = "its name is no text";
	else if (entry->sparse)
		record->problem = "it is stored as a sparse file";
	if (record->problem != NULL)
		return CLAIR_OK;
	status = entries_open_stream(records->levels[records->depth - 1].entries, &stream, error);
	if (status != CLAIR_OK)
		return status;
	status = read_value(&records->buffer, stream, &record->value, error);
	stream->close(stream);
	return status;
}

/* The next record, or the next step on the way to it: then *found is false. */
static ClairStatus
take_entry(ArchiveRecords *records, const Entry *entry, FeedRecord *record, bool *found,
		   ClairError *error)
{
	ClairStatus status = CLAIR_OK;
	char shown[96];

	*found = false;
	if (is_inner_archive(records, entry))
		status = open_inner(records, error);
	else if (entry->type == ENTRY_FILE && is_record(records, entry->path))
	{
		*found = true;
		status = take_file(records, entry, record, error);
	}
	if (status == CLAIR_OK)
		return status;
	text_printable(entry->path, shown, sizeof(shown));
	return clair_error_in(error, "\"%s\"", shown);
}

static ClairStatus
archive_records_next(void *opened, FeedRecord *record, bool *found, ClairError *error)
{
	ArchiveRecords *records = opened;
	ClairStatus status = CLAIR_OK;
	Entry entry;
	bool more;

	*found = false;
	while (status == CLAIR_OK && !*found && records->depth > 0)
	{
		status = entries_next(records->levels[records->depth - 1].entries, &entry, &more, error);
		if (status == CLAIR_OK && more)
			status = take_entry(records, &entry, record, found, error);
		else if (status == CLAIR_OK && records->depth > 1)
			close_level(records);
		else
			break;
	}
	return status;
}

static int64_t
archive_records_size(const void *records)
{
	return entries_bytes(((const ArchiveRecords *) records)->levels[0].entries);
}

const RecordCutter archive_record_cutter = {archive_records_open, archive_records_next,
											archive_records_size, archive_records_close};

/* A document that is one record. */
typedef struct FileRecord
{
	ClairStream *stream;
	RecordBuffer buffer;
	bool read;
} FileRecord;

static ClairStatus
file_record_open(ClairStream *stream, const char *part, const ClairLimits *limits, void **records,
				 ClairError *error)
{
	FileRecord *opened = calloc(1, sizeof(FileRecord));

	(void) part;
	*records = opened;
	if (opened == NULL)
		return out_of_memory(error);
	opened->stream = stream;
	opened->buffer.max_size = (size_t) limits->max_record_size;
	return CLAIR_OK;
}

static ClairStatus
file_record_next(void *opened, FeedRecord *record, bool *found, ClairError *error)
{
	FileRecord *file = opened;

	*found = !file->read;
	if (file->read)
		return CLAIR_OK;
	file->read = true;
	*record = (FeedRecord){0};
	return read_value(&file->buffer, file->stream, &record->value, error);
}

static int64_t
file_record_size(const void *records)
{
	return (int64_t) ((const FileRecord *) records)->buffer.size;
}

static void
file_record_close(void *records)
{
	FileRecord *closed = records;

	if (closed == NULL)
		return;
	record_buffer_free(&closed->buffer);
	free(closed);
}

const RecordCutter file_record_cutter = {file_record_open, file_record_next, file_record_size,
										 file_record_close};
