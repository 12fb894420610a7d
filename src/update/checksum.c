/*
 * checksum.c
 *    Digests of documents, and whether these are the ones that were named; see checksum.h.
 *
 * Indexes such as the repomd.xml of a repository say what bytes the documents have that they name.
 * Who has changed one of these on its way, or is about to replace them all, is found out.
 */
#include "postgres.h"

#include <unistd.h>

#include "common/md5.h"
#include "common/sha1.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/resowner.h"

#include "update/checksum.h"

typedef struct DigestType
{
	const char *name; /* as checksums begin */
	pg_cryptohash_type type;
	size_t size; /* of a digest, in bytes */
} DigestType;

static const DigestType digest_types[] = {
	{"sha256", PG_SHA256, PG_SHA256_DIGEST_LENGTH},
	{"sha512", PG_SHA512, PG_SHA512_DIGEST_LENGTH},
	{"sha384", PG_SHA384, PG_SHA384_DIGEST_LENGTH},
	{"sha224", PG_SHA224, PG_SHA224_DIGEST_LENGTH},
	{"sha1", PG_SHA1, SHA1_DIGEST_LENGTH},
	{"sha", PG_SHA1, SHA1_DIGEST_LENGTH},
	{"md5", PG_MD5, MD5_DIGEST_LENGTH},
};

/* The type of a name of this length; NULL when there is none. */
static const DigestType *
TypeNamed(const char *name, size_t length)
{
	for (size_t i = 0; i < lengthof(digest_types); i++)
		if (strlen(digest_types[i].name) == length &&
			pg_strncasecmp(digest_types[i].name, name, length) == 0)
			return &digest_types[i];
	return NULL;
}

/*
 * Takes the digest; outside of a transaction, the server's own code lacks an owner of what it
 * holds. Ends early when there is an interrupt.
 */
static bool
TakeDigest(int fd, pg_cryptohash_type type, size_t digest_size, uint8 *digest)
{
	static ResourceOwner owner;
	ResourceOwner old_owner = CurrentResourceOwner;
	pg_cryptohash_ctx *hash;
	char buffer[BLCKSZ];
	off_t offset = 0;
	ssize_t size = 0;
	bool good;

	if (owner == NULL)
		owner = ResourceOwnerCreate(NULL, "clair documents");
	CurrentResourceOwner = owner;
	hash = pg_cryptohash_create(type);
	good = hash != NULL && pg_cryptohash_init(hash) == 0;
	while (good && !InterruptPending && (size = pread(fd, buffer, sizeof(buffer), offset)) > 0)
	{
		offset += size;
		good = pg_cryptohash_update(hash, (uint8 *) buffer, (size_t) size) == 0;
	}
	good = good && size == 0 && pg_cryptohash_final(hash, digest, digest_size) == 0;
	pg_cryptohash_free(hash);
	CurrentResourceOwner = old_owner;
	return good;
}

char *
FileDigest(int fd, pg_cryptohash_type type, size_t digest_size)
{
	uint8 digest[PG_SHA512_DIGEST_LENGTH];
	char *text = palloc0(digest_size * 2 + 1);
	bool good = TakeDigest(fd, type, digest_size, digest);

	CHECK_FOR_INTERRUPTS();
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_IO_ERROR), errmsg("could not take the digest of a document")));
	hex_encode((char *) digest, digest_size, text);
	return text;
}

void
CheckDocument(const Document *document)
{
	const char *colon = document->checksum != NULL ? strchr(document->checksum, ':') : NULL;
	const DigestType *type = colon != NULL
								 ? TypeNamed(document->checksum, colon - document->checksum)
								 : NULL;
	char *digest;

	if (type == NULL)
		return;
	digest = FileDigest(document->content->fd, type->type, type->size);
	if (pg_strcasecmp(digest, colon + 1) != 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("document \"%s\" is not the one that document \"%s\" names", document->name,
					document->named_by),
			 errdetail("Its checksum is \"%s:%s\", not \"%s\".", type->name, digest,
					   document->checksum),
			 errhint("Perhaps the server was just being brought up to date; try again later.")));
}
