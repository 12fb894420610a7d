/*
 * entries.c
 *    The entries of a tar or a zip, one after the other, under clean names; see entries.h.
 *
 * libarchive warns where a name is not text in the program's locale, and then gives its bytes
 * as they are, which is what we want; so warnings are not looked at.
 */
#include "common/entries.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/path.h"

struct Entries
{
	struct archive *archive;
	ClairStream *stream;
	const ClairLimits *limits;
	EntriesFormat format;
	int64_t entries;
	int64_t inflated;	/* bytes of a zip's entries */
	bool stream_failed; /* the reason is in stream_error */
	ClairError stream_error;
	char path[CLAIR_MAX_PATH];
};

static la_ssize_t
read_piece(struct archive *archive, void *context, const void **buffer)
{
	Entries *reader = context;
	ClairBytes piece;

	if (reader->stream->read(reader->stream, &piece, &reader->stream_error) != CLAIR_OK)
	{
		reader->stream_failed = true;
		archive_set_error(archive, EIO, "the stream failed");
		return -1;
	}
	*buffer = piece.data;
	return (la_ssize_t) piece.size;
}

static la_int64_t
skip_bytes(struct archive *archive, void *context, la_int64_t size)
{
	Entries *reader = context;
	int64_t skipped = 0;

	if (reader->stream->skip == NULL || size <= 0)
		return 0;
	if (reader->stream->skip(reader->stream, size, &skipped, &reader->stream_error) != CLAIR_OK)
	{
		reader->stream_failed = true;
		archive_set_error(archive, EIO, "the stream failed");
		return ARCHIVE_FATAL;
	}
	return skipped;
}

/* Turns libarchive's failure, or that of the stream below it, into ours. */
static ClairStatus
failure(Entries *reader, ClairError *error)
{
	bool zip = entries_are_zip(reader);
	const char *reason = archive_error_string(reader->archive);

	if (reader->stream_failed)
	{
		*error = reader->stream_error;
		return error->status;
	}
	if (archive_errno(reader->archive) == ENOMEM)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	if (archive_format(reader->archive) == 0)
		return clair_error(error, CLAIR_INVALID, "not a tar%s archive",
						   reader->format == ENTRIES_TAR_ZIP ? " or zip" : "");
	return clair_error(error, CLAIR_INVALID, "damaged %s archive, at entry %" PRId64 ": %s",
					   zip ? "zip" : "tar", reader->entries + 1,
					   reason != NULL ? reason : "unknown error");
}

/* Lets libarchive know the formats that may come; false when memory is short. */
static bool
allow_formats(struct archive *archive, EntriesFormat format)
{
	if (archive_read_support_format_tar(archive) != ARCHIVE_OK)
		return false;
	return (format == ENTRIES_TAR
				? archive_read_support_format_empty(archive)
				: archive_read_support_format_zip_streamable(archive)) == ARCHIVE_OK;
}

ClairStatus
entries_open(ClairStream *stream, EntriesFormat format, const ClairLimits *limits, Entries **reader,
			 ClairError *error)
{
	Entries *opened = calloc(1, sizeof(Entries));
	ClairStatus status = CLAIR_OK;

	if (opened == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	opened->stream = stream;
	opened->limits = limits;
	opened->format = format;
	opened->archive = archive_read_new();
	if (opened->archive == NULL || !allow_formats(opened->archive, format))
		status = clair_error(error, CLAIR_MEMORY, "out of memory");
	else
	{
		archive_read_set_read_callback(opened->archive, read_piece);
		archive_read_set_skip_callback(opened->archive, skip_bytes);
		archive_read_set_callback_data(opened->archive, opened);
		if (archive_read_open1(opened->archive) != ARCHIVE_OK)
			status = failure(opened, error);
	}
	if (status == CLAIR_OK)
		*reader = opened;
	else
		entries_close(opened);
	return status;
}

static EntryType
entry_type(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry) != NULL)
		return ENTRY_HARDLINK;
	switch (archive_entry_filetype(entry))
	{
		case AE_IFREG:
			return ENTRY_FILE;
		case AE_IFDIR:
			return ENTRY_DIRECTORY;
		case AE_IFLNK:
			return ENTRY_SYMLINK;
		default:
			return ENTRY_OTHER;
	}
}

/*
 * Reads what is left of a zip's entry: libarchive, which does not always know where it ends,
 * would inflate it without a bound.
 */
static ClairStatus
finish_entry(Entries *reader, ClairError *error)
{
	ClairBytes piece = {"", reader->entries > 0 && entries_are_zip(reader) ? 1 : 0};
	ClairStatus status = CLAIR_OK;

	while (status == CLAIR_OK && piece.size > 0)
		status = entries_read(reader, &piece, error);
	return status;
}

ClairStatus
entries_next(Entries *reader, Entry *entry, bool *more, ClairError *error)
{
	ClairStatus status;

	while ((status = finish_entry(reader, error)) == CLAIR_OK)
	{
		struct archive_entry *header;
		int result = archive_read_next_header(reader->archive, &header);
		const char *name;

		*more = result != ARCHIVE_EOF;
		if (result == ARCHIVE_EOF)
			return CLAIR_OK;
		if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
			return failure(reader, error);
		if (++reader->entries > reader->limits->max_entries)
		{
			clair_error(error, CLAIR_LIMIT, "more than %" PRId64 " entries",
						reader->limits->max_entries);
			clair_error_hint(error, "The limit is the setting clair.max_entries.");
			return CLAIR_LIMIT;
		}
		name = archive_entry_pathname(header);
		if (name == NULL || !path_clean(clair_bytes(name), reader->path, &entry->path))
			continue;
		entry->number = reader->entries;
		entry->type = entry_type(header);
		entry->target = CLAIR_NULL_BYTES;
		if (entry->type == ENTRY_HARDLINK)
			entry->target = clair_bytes(archive_entry_hardlink(header));
		else if (entry->type == ENTRY_SYMLINK)
			entry->target = clair_bytes(archive_entry_symlink(header));
		if (entry->target.data == NULL &&
			(entry->type == ENTRY_HARDLINK || entry->type == ENTRY_SYMLINK))
			entry->type = ENTRY_OTHER;
		entry->size = archive_entry_size(header);
		entry->offset = archive_filter_bytes(reader->archive, 0);
		entry->sparse = archive_entry_sparse_count(header) > 0;
		return CLAIR_OK;
	}
	return status;
}

ClairStatus
entries_read(Entries *reader, ClairBytes *piece, ClairError *error)
{
	const void *data;
	size_t size;
	la_int64_t offset;
	int result;

	/* A block may be empty, when its compressed bytes have not given anything yet. */
	do
		result = archive_read_data_block(reader->archive, &data, &size, &offset);
	while ((result == ARCHIVE_OK || result == ARCHIVE_WARN) && size == 0);
	if (result == ARCHIVE_EOF)
		*piece = (ClairBytes){"", 0};
	else if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
		return failure(reader, error);
	else
		*piece = (ClairBytes){data, size};
	if (!entries_are_zip(reader))
		return CLAIR_OK;
	reader->inflated += (int64_t) piece->size;
	return stream_check_output("zip", entries_bytes(reader), reader->inflated,
							   reader->limits->max_document_size, "clair.max_document_size",
							   reader->limits->max_ratio, error);
}

/* The entry at which the reading stands. */
typedef struct EntryStream
{
	ClairStream stream;
	Entries *reader;
} EntryStream;

static ClairStatus
entry_stream_read(ClairStream *stream, ClairBytes *piece, ClairError *error)
{
	return entries_read(((EntryStream *) stream)->reader, piece, error);
}

static void
entry_stream_close(ClairStream *stream)
{
	free(stream);
}

ClairStatus
entries_open_stream(Entries *reader, ClairStream **stream, ClairError *error)
{
	EntryStream *opened = malloc(sizeof(EntryStream));

	if (opened == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	opened->stream = (ClairStream){.read = entry_stream_read, .close = entry_stream_close};
	opened->reader = reader;
	*stream = &opened->stream;
	return CLAIR_OK;
}

int64_t
entries_count(const Entries *reader)
{
	return reader->entries;
}

int64_t
entries_bytes(const Entries *reader)
{
	return archive_filter_bytes(reader->archive, 0);
}

bool
entries_are_zip(const Entries *reader)
{
	return (archive_format(reader->archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
}

void
entries_close(Entries *reader)
{
	if (reader == NULL)
		return;
	archive_read_free(reader->archive);
	free(reader);
}

/*
 * Reads a tar of one entry whose pax header has a name beyond ASCII: the smallest thing that
 * makes libarchive, and iconv below it, load what they load on first use.
 */
ClairStatus
entries_initialize(ClairError *error)
{
	static const char record[] = "11 path=\xc3\xa9\n";
	static const char types[] = {'x', '0'};
	static const ClairLimits limits = {.max_entries = 1};
	char tar[6 * 512] = {0};
	ClairStream *stream;
	Entries *reader;
	Entry entry;
	bool more;
	ClairStatus status;

	for (int i = 0; i < 2; i++)
	{
		char *header = tar + i * 1024;
		unsigned int sum = 0;

		memcpy(header, "x", 1);
		memcpy(header + 100, "0000644", 7);
		memcpy(header + 124, i == 0 ? "00000000013" : "00000000000", 11);
		memcpy(header + 136, "00000000000", 11);
		memset(header + 148, ' ', 8);
		header[156] = types[i];
		memcpy(header + 257,
			   "ustar\0"
			   "00",
			   8);
		for (int at = 0; at < 512; at++)
			sum += (unsigned char) header[at];
		snprintf(header + 148, 8, "%06o", sum);
	}
	memcpy(tar + 512, record, sizeof(record) - 1);
	status = stream_open_bytes((ClairBytes){tar, sizeof(tar)}, &stream, error);
	if (status != CLAIR_OK)
		return status;
	status = entries_open(stream, ENTRIES_TAR, &limits, &reader, error);
	if (status == CLAIR_OK)
	{
		status = entries_next(reader, &entry, &more, error);
		entries_close(reader);
	}
	stream->close(stream);
	return status;
}
