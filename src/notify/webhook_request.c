/*
 * webhook_request.c
 *    What is posted to a webhook: body, headers and signature.
 *
 * Signed as the Standard Webhooks specification 1.0.0 has it, for which receivers find libraries:
 * webhook-id, webhook-timestamp (seconds since 1970), and webhook-signature, which is "v1," and the
 * base64 of the HMAC-SHA256 of id, ".", timestamp, "." and the body. The key is the secret's bytes
 * or, when that begins with "whsec_", what follows in base64.
 *
 * No error says anything of secrets or of headers' values.
 */
#include "postgres.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "common/base64.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "storage/fd.h"
#include "utils/resowner.h"

#include "notify/webhook.h"
#include "server/headers.h"

#define SECRET_PREFIX "whsec_"

void
CheckWebhookHeaders(Jsonb *headers)
{
	char *lines = FormatHeaders(headers);

	while (lines != NULL && *lines != '\0')
	{
		char *end = strchr(lines, '\n');
		char *name = pnstrdup(lines, strcspn(lines, ":"));

		if (pg_strcasecmp(name, "content-type") == 0 || pg_strncasecmp(name, "webhook-", 8) == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("header \"%s\" cannot be set", name)));
		lines = end != NULL ? end + 1 : NULL;
	}
}

char *
SecretKey(const char *secret, int *size)
{
	const char *text = secret + strlen(SECRET_PREFIX);
	char *key;

	if (strncmp(secret, SECRET_PREFIX, strlen(SECRET_PREFIX)) != 0)
	{
		*size = (int) strlen(secret);
		return pstrdup(secret);
	}
	*size = pg_b64_dec_len((int) strlen(text));
	key = palloc(*size + 1);
	*size = pg_b64_decode(text, (int) strlen(text), (void *) key, *size);
	if (*size <= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid secret"),
						errdetail("What follows \"%s\" is not base64.", SECRET_PREFIX)));
	return key;
}

/* Takes the digest; outside of a transaction, the server's own code lacks an owner of what it
 * holds. */
static bool
TakeDigest(const char *secret, const char *signed_text, const char *body, uint8 *digest)
{
	static ResourceOwner owner;
	ResourceOwner old_owner = CurrentResourceOwner;
	int size;
	char *key = SecretKey(secret, &size);
	pg_hmac_ctx *hmac;
	bool good;

	if (owner == NULL)
		owner = ResourceOwnerCreate(NULL, "clair webhooks");
	CurrentResourceOwner = owner;
	hmac = pg_hmac_create(PG_SHA256);
	good = hmac != NULL && pg_hmac_init(hmac, (uint8 *) key, size) == 0 &&
		   pg_hmac_update(hmac, (const uint8 *) signed_text, strlen(signed_text)) == 0 &&
		   pg_hmac_update(hmac, (const uint8 *) body, strlen(body)) == 0 &&
		   pg_hmac_final(hmac, digest, PG_SHA256_DIGEST_LENGTH) == 0;
	pg_hmac_free(hmac);
	CurrentResourceOwner = old_owner;
	return good;
}

/* The signature of what the receiver gets, in base64. */
static char *
Sign(const char *secret, const char *signed_text, const char *body)
{
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	int size = pg_b64_enc_len(sizeof(digest));
	char *encoded = palloc0(size + 1);

	if (!TakeDigest(secret, signed_text, body, digest) ||
		pg_b64_encode((void *) digest, sizeof(digest), encoded, size) < 0)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not sign a notification")));
	return encoded;
}

char *
ReadPem(const char *path)
{
	char *pem;
	ssize_t size;
	int file;

	if (path == NULL)
		return NULL;
	pem = palloc0(WIRE_MAX_PEM + 2);
	/* Should the path be a pipe's, then nobody is waited for. */
	file = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	size = file >= 0 ? read(file, pem, WIRE_MAX_PEM + 1) : -1;
	if (size < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not read file \"%s\": %m", path)));
	if (size > WIRE_MAX_PEM)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("file \"%s\" has more than %d bytes", path, WIRE_MAX_PEM)));
	CloseTransientFile(file);
	return pem;
}

Transfer
MakeRequest(const WebhookBatch *batch, const Alert *alert)
{
	int64 now = (int64) time(NULL);
	StringInfoData headers;

	initStringInfo(&headers);
	appendStringInfo(&headers,
					 "Content-Type: application/json\n"
					 "webhook-id: %s\n"
					 "webhook-timestamp: " INT64_FORMAT "\n",
					 alert->id, now);
	if (batch->secret != NULL)
		appendStringInfo(&headers, "webhook-signature: v1,%s\n",
						 Sign(batch->secret, psprintf("%s." INT64_FORMAT ".", alert->id, now),
							  alert->body));
	if (batch->headers != NULL)
		appendStringInfoString(&headers, batch->headers);
	return (Transfer){.url = batch->url,
					  .headers = headers.data,
					  .body = alert->body,
					  .timeout = batch->timeout,
					  .certificate = batch->certificate,
					  .key = batch->key};
}
