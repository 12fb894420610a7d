/*
 * digest.c
 *    SHA-2 digests in the "algorithm:hex" form of OCI, by OpenSSL's EVP.
 */
#include "common/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct Digest
{
	EVP_MD_CTX *context;
	DigestAlgorithm algorithm;
};

static const struct
{
	ClairBytes prefix;
	size_t hex_size;
} algorithms[] = {
	[DIGEST_SHA256] = {CLAIR_LITERAL("sha256:"), 64},
	[DIGEST_SHA512] = {CLAIR_LITERAL("sha512:"), 128},
};

/* Fetched once: EVP_sha256() would look the implementation up at every use. */
static EVP_MD *implementations[2];

ClairStatus
digest_initialize(ClairError *error)
{
	implementations[DIGEST_SHA256] = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	implementations[DIGEST_SHA512] = EVP_MD_fetch(NULL, "SHA2-512", NULL);
	if (implementations[DIGEST_SHA256] == NULL || implementations[DIGEST_SHA512] == NULL)
		return clair_error(error, CLAIR_IO, "could not load the SHA-2 digests of OpenSSL");
	return CLAIR_OK;
}

Digest *
digest_create(DigestAlgorithm algorithm)
{
	Digest *digest = malloc(sizeof(Digest));

	if (digest == NULL)
		return NULL;
	digest->algorithm = algorithm;
	digest->context = EVP_MD_CTX_new();
	if (digest->context == NULL ||
		EVP_DigestInit_ex2(digest->context, implementations[algorithm], NULL) != 1)
	{
		digest_destroy(digest);
		return NULL;
	}
	return digest;
}

void
digest_update(Digest *digest, ClairBytes bytes)
{
	EVP_DigestUpdate(digest->context, bytes.data, bytes.size);
}

void
digest_finish(Digest *digest, char text[DIGEST_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char binary[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	ClairBytes prefix = algorithms[digest->algorithm].prefix;

	EVP_DigestFinal_ex(digest->context, binary, &size);
	EVP_DigestInit_ex2(digest->context, NULL, NULL);
	memcpy(text, prefix.data, prefix.size);
	text += prefix.size;
	for (unsigned int i = 0; i < size; i++)
	{
		*text++ = digits[binary[i] >> 4];
		*text++ = digits[binary[i] & 15];
	}
	*text = '\0';
}

void
digest_destroy(Digest *digest)
{
	if (digest == NULL)
		return;
	EVP_MD_CTX_free(digest->context);
	free(digest);
}

ClairStatus
digest_of(DigestAlgorithm algorithm, ClairBytes bytes, char text[DIGEST_TEXT_SIZE],
		  ClairError *error)
{
	Digest *digest = digest_create(algorithm);

	if (digest == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	digest_update(digest, bytes);
	digest_finish(digest, text);
	digest_destroy(digest);
	return CLAIR_OK;
}

bool
digest_parse(ClairBytes text, DigestAlgorithm *algorithm)
{
	for (int i = DIGEST_SHA256; i <= DIGEST_SHA512; i++)
	{
		ClairBytes prefix = algorithms[i].prefix;

		if (!clair_bytes_start_with(text, prefix) ||
			text.size != prefix.size + algorithms[i].hex_size)
			continue;
		for (size_t at = prefix.size; at < text.size; at++)
		{
			if (strchr("0123456789abcdef", text.data[at]) == NULL || text.data[at] == '\0')
				return false;
		}
		*algorithm = (DigestAlgorithm) i;
		return true;
	}
	return false;
}
