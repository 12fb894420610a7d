/*
 * stream.h
 *    Bytes that come piece by piece: from a descriptor, and decompressed.
 *
 * Helpers only. Streams are stacked (descriptor, digest, decompression, digest, tar): each
 * pulls from the one below. A piece is lent: it stays valid until the next read of the
 * same stream. No stream buffers more than a few hundred KiB, the decoders' windows apart.
 */
#ifndef CLAIR_STREAM_H
#define CLAIR_STREAM_H

#include "common/bytes.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/limits.h"

typedef struct ClairStream ClairStream;

struct ClairStream
{
	/* The next piece; an empty one at the end, and at every read after it. */
	ClairStatus (*read)(ClairStream *stream, ClairBytes *piece, ClairError *error);

	/*
	 * Passes over up to size bytes (more than 0) unread: how many, 0 at the end. NULL for
	 * streams whose bytes must be seen.
	 */
	ClairStatus (*skip)(ClairStream *stream, int64_t size, int64_t *skipped, ClairError *error);

	/* Frees the stream, and the streams below that it owns. */
	void (*close)(ClairStream *stream);
};

/*
 * The size bytes of a regular file from offset on, by pread (the descriptor's own position
 * does not matter and is not moved); size -1: up to the end of the file. A file that ends
 * before is an error. The descriptor stays the caller's.
 */
extern ClairStatus stream_open_file(int descriptor, int64_t offset, int64_t size,
									ClairStream **stream, ClairError *error);

/* Bytes in memory, which must live as long as the stream. */
extern ClairStatus stream_open_bytes(ClairBytes bytes, ClairStream **stream, ClairError *error);

/* Passes on what comes from below, and adds it to the digest. Owns below, not the digest. */
extern ClairStatus
stream_open_digest(ClairStream *below, Digest *digest, ClairStream **stream, ClairError *error);

/*
 * Decompresses what comes from below, by what its first bytes say, which it reads at once:
 * gzip (many members), bzip2 (many streams), xz, zstd (many frames, skippable frames too);
 * anything else is passed on as it is. At the end, everything below has been read. More
 * than max_size bytes, or more than max_ratio times the bytes from below (once 100 MB came
 * out), are CLAIR_LIMIT; setting names max_size's setting for the hint, "clair.max_...".
 * Owns below once it has succeeded.
 */
extern ClairStatus
stream_open_decompressed(ClairStream *below, int64_t max_size, const char *setting,
						 int64_t max_ratio, ClairStream **stream, ClairError *error);

/* What a stream of the function above decompresses, "gzip" or the like; NULL: nothing. */
extern const char *stream_compression(const ClairStream *decompressed);

/* What the first bytes of a stream (6, if there are as many) say of the same. */
extern const char *stream_recognise(ClairBytes start);

/*
 * Whether so many bytes may be made of those received; the bounds, and what setting names, are
 * those of stream_open_decompressed(). Format NULL: they are passed on as they are.
 */
extern ClairStatus
stream_check_output(const char *format, int64_t received, int64_t produced, int64_t max_size,
					const char *setting, int64_t max_ratio, ClairError *error);

/* Reads to the end: how many bytes came. */
extern ClairStatus stream_drain(ClairStream *stream, int64_t *size, ClairError *error);

#endif
