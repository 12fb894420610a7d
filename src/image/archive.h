/*
 * archive.h
 *    The files that an image consists of, wherever they are: in a tar or in a directory.
 *
 * Image formats (docker.c, oci.c) ask for files by name and do not know whether they come
 * from a tar, from a compressed tar or from an OCI layout's directory. A tar's entries are
 * listed once. When it is not compressed, its files are then read where they lie. When it
 * is, small documents are kept while listing, and layers come from a second pass over the
 * tar, in the order in which they stand in it; nothing is spooled.
 */
#ifndef CLAIR_ARCHIVE_H
#define CLAIR_ARCHIVE_H

#include "common/arena.h"
#include "common/sink.h"
#include "common/stream.h"

typedef struct Archive Archive;

/*
 * Opens the tar behind the descriptor and lists it, or, with descriptor -1, the directory
 * that the sink knows. The archive keeps what it finds in the arena.
 */
extern ClairStatus archive_open(int descriptor, const ClairLimits *limits, const ClairSink *sink,
								Arena *arena, Archive **archive, ClairError *error);
extern void archive_close(Archive *archive); /* NULL is allowed */

/* Whether it is an OCI layout that is a directory, whose files are asked for by name. */
extern bool archive_is_directory(const Archive *archive);

/* Whether there is a file of this name. Not for directories. */
extern bool archive_has(const Archive *archive, const char *name);

/* Whether the tar looks like an appc image: a file "manifest" beside "rootfs/". */
extern bool archive_is_appc(const Archive *archive);

/*
 * Opens a file: "index.json", "blobs/sha256/...", "ID/layer.tar". Links are followed within
 * the tar. Only one file can be open at a time. CLAIR_MISSING when there is no such file.
 */
extern ClairStatus archive_open_file(Archive *archive, ClairBytes name, ClairStream **stream,
									 int64_t *size, ClairError *error);

/* Reads a whole file of at most DOCUMENT_MAX_SIZE bytes into the arena. */
extern ClairStatus
archive_read_file(Archive *archive, ClairBytes name, ClairBytes *content, ClairError *error);

/* Whether the file is compressed, by its first bytes. */
extern ClairStatus
archive_is_compressed(Archive *archive, ClairBytes name, bool *compressed, ClairError *error);

/* Where the file stands in the tar; files are best read in this order. */
extern int64_t archive_order(const Archive *archive, ClairBytes name);

#endif
