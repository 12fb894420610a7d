/*
 * checksum.h
 *    Whether a document is the one that was named.
 */
#ifndef CLAIR_CHECKSUM_H
#define CLAIR_CHECKSUM_H

#include "postgres.h"

#include "common/cryptohash.h"

#include "update/documents.h"

/* The digest, of so many bytes, of all that an opened file holds, as hexadecimal digits. */
extern char *FileDigest(int fd, pg_cryptohash_type type, size_t digest_size);

/*
 * Raises an error when a fetched document has not the checksum that it was named with. One of a
 * type that the server cannot compute says nothing.
 */
extern void CheckDocument(const Document *document);

#endif
