/*
 * digest.h
 *    SHA-2 digests of what helpers read, in the "algorithm:hex" form of OCI.
 *
 * Helpers only: built on OpenSSL's EVP, which uses the processor's own instructions.
 */
#ifndef CLAIR_DIGEST_H
#define CLAIR_DIGEST_H

#include "common/bytes.h"
#include "common/error.h"

/* "sha512:" and 128 hex digits, and the NUL. */
#define DIGEST_TEXT_SIZE 136

typedef enum DigestAlgorithm
{
	DIGEST_SHA256,
	DIGEST_SHA512
} DigestAlgorithm;

typedef struct Digest Digest; /* being computed */

/* Loads the algorithms, so that later nothing needs to be opened or found: once, in main(). */
extern ClairStatus digest_initialize(ClairError *error);

/* Starts a digest; NULL when memory is short. */
extern Digest *digest_create(DigestAlgorithm algorithm);
extern void digest_update(Digest *digest, ClairBytes bytes);

/* Writes "algorithm:hex" and starts the digest anew. */
extern void digest_finish(Digest *digest, char text[DIGEST_TEXT_SIZE]);
extern void digest_destroy(Digest *digest); /* NULL is allowed */

/* The digest of bytes that are all there. */
extern ClairStatus digest_of(DigestAlgorithm algorithm, ClairBytes bytes,
							 char text[DIGEST_TEXT_SIZE], ClairError *error);

/*
 * Whether text is a well-formed digest of an algorithm that we compute: "sha256:" and 64
 * or "sha512:" and 128 hex digits in lower case (OCI image-spec, descriptor.md).
 */
extern bool digest_parse(ClairBytes text, DigestAlgorithm *algorithm);

#endif
