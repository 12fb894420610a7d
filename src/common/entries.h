/*
 * entries.h
 *    The entries of a tar or a zip, one after the other, under clean names.
 *
 * Helpers only. libarchive reads these formats, and no others; bytes come from a ClairStream.
 * A zip is read forwards, as its entries lie: the directory at its end is not looked at.
 */
#ifndef CLAIR_ENTRIES_H
#define CLAIR_ENTRIES_H

#include "common/stream.h"

typedef enum EntryType
{
	ENTRY_FILE,
	ENTRY_DIRECTORY,
	ENTRY_SYMLINK,
	ENTRY_HARDLINK,
	ENTRY_OTHER
} EntryType;

typedef struct Entry
{
	int64_t number; /* from 1, in their order; names that are left out count too */
	ClairBytes path;
	EntryType type;
	ClairBytes target; /* of links: as written */
	int64_t size;	   /* of a file, in bytes; of a zip's, 0 where only what follows it says that */
	int64_t offset;	   /* of a file's bytes in the stream of a tar */
	bool sparse;	   /* with holes; such a file's bytes are not at its offset */
} Entry;

typedef struct Entries Entries;

/* What a stream may be. */
typedef enum EntriesFormat
{
	ENTRIES_TAR,	/* an empty stream is a tar without entries */
	ENTRIES_TAR_ZIP /* either of them, and not empty */
} EntriesFormat;

/* libarchive converts names through iconv, whose tables must be loaded before the filter. */
extern ClairStatus entries_initialize(ClairError *error);

/* The stream stays the caller's. */
extern ClairStatus entries_open(ClairStream *stream, EntriesFormat format,
								const ClairLimits *limits, Entries **reader, ClairError *error);

/*
 * The next entry; false in *more at the end. Names that are too long or lead out of the root
 * are passed over. The entry lives until the next call.
 */
extern ClairStatus entries_next(Entries *reader, Entry *entry, bool *more, ClairError *error);

/*
 * The next piece of the entry's bytes; an empty one at their end. Not for sparse files. What a zip
 * inflates to is bounded as the streams of stream.h are, by clair.max_document_size.
 */
extern ClairStatus entries_read(Entries *reader, ClairBytes *piece, ClairError *error);

/* The same as a stream, to be closed before the next entry is asked for. */
extern ClairStatus entries_open_stream(Entries *reader, ClairStream **stream, ClairError *error);

/* Entries seen so far, and bytes of the stream. */
extern int64_t entries_count(const Entries *reader);
extern int64_t entries_bytes(const Entries *reader);

/* Whether it is a zip, once an entry has been asked for. */
extern bool entries_are_zip(const Entries *reader);

extern void entries_close(Entries *reader); /* NULL is allowed */

#endif
