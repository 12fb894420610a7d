/*
 * tar.h
 *    The entries of a tar, one after the other, under clean names.
 *
 * libarchive reads the format, and only this format; bytes come from a ClairStream.
 */
#ifndef CLAIR_TAR_H
#define CLAIR_TAR_H

#include "common/stream.h"

typedef enum TarType
{
	TAR_FILE,
	TAR_DIRECTORY,
	TAR_SYMLINK,
	TAR_HARDLINK,
	TAR_OTHER
} TarType;

typedef struct TarEntry
{
	int64_t number; /* from 1, in the order of the tar; names that are left out count too */
	ClairBytes path;
	TarType type;
	ClairBytes target; /* of links: as written */
	int64_t size;	   /* of a file, in bytes */
	int64_t offset;	   /* of a file's bytes in the stream */
	bool sparse;	   /* with holes; such a file's bytes are not at its offset */
} TarEntry;

typedef struct TarReader TarReader;

/* libarchive converts names through iconv, whose tables must be loaded before the filter. */
extern ClairStatus tar_initialize(ClairError *error);

/* An empty stream is a tar without entries. The stream stays the caller's. */
extern ClairStatus
tar_open(ClairStream *stream, const ClairLimits *limits, TarReader **reader, ClairError *error);

/*
 * The next entry; false in *more at the end. Names that are too long or lead out of the root
 * are passed over. The entry lives until the next call.
 */
extern ClairStatus tar_next(TarReader *reader, TarEntry *entry, bool *more, ClairError *error);

/* The next piece of the entry's bytes; an empty one at their end. Not for sparse files. */
extern ClairStatus tar_read(TarReader *reader, ClairBytes *piece, ClairError *error);

/* Entries seen so far. */
extern int64_t tar_entries(const TarReader *reader);

extern void tar_close(TarReader *reader); /* NULL is allowed */

#endif
