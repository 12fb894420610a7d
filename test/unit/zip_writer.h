/*
 * zip_writer.h
 *    Zips in memory, for unit tests.
 */
#ifndef CLAIR_ZIP_WRITER_H
#define CLAIR_ZIP_WRITER_H

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "common/bytes.h"

/* A zip in memory. */
typedef struct ZipWriter
{
	struct archive *archive;
	char *data;
	size_t used;
} ZipWriter;

#define ZIP_CAPACITY ((size_t) 8 << 20)

static inline void
zip_begin(ZipWriter *zip, const char *compression)
{
	zip->archive = archive_write_new();
	zip->data = malloc(ZIP_CAPACITY);
	archive_write_set_format_zip(zip->archive);
	archive_write_set_format_option(zip->archive, "zip", "compression", compression);
	archive_write_set_bytes_in_last_block(zip->archive, 1);
	if (archive_write_open_memory(zip->archive, zip->data, ZIP_CAPACITY, &zip->used) != ARCHIVE_OK)
		abort();
}

/* Adds a file; when its size is not stated, it stands behind its bytes. */
static inline void
zip_file(ZipWriter *zip, const char *name, ClairBytes content, bool sized)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	if (sized)
		archive_entry_set_size(entry, (int64_t) content.size);
	if (archive_write_header(zip->archive, entry) != ARCHIVE_OK ||
		archive_write_data(zip->archive, content.data, content.size) != (la_ssize_t) content.size)
		abort();
	archive_entry_free(entry);
}

static inline ClairBytes
zip_end(ZipWriter *zip)
{
	archive_write_close(zip->archive);
	archive_write_free(zip->archive);
	return (ClairBytes){zip->data, zip->used};
}

#endif
