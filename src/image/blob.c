/*
 * blob.c
 *    Hashes and reads stored layers, in one streaming pass each; see blob.h.
 *
 * The stack of a pass: the stored bytes, counted; the digest of them; decompression; the
 * digest of what comes out, unless nothing was compressed and both are the same; counted;
 * the tar. What the layer says is sent when the digests are what was claimed.
 */
#include "image/blob.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/fault.h"
#include "image/layer.h"

/* Stored bytes between two reports of progress. */
#define PROGRESS_STEP (INT64_C(4) << 20)

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

/* Counts the bytes that pass, and, when it has a reader, reports progress. */
typedef struct CountingStream
{
	ClairStream stream;
	ClairStream *below;
	int64_t size;
	BlobReader *reader;
} CountingStream;

static ClairStatus
counting_read(ClairStream *stream, ClairBytes *piece, ClairError *error)
{
	CountingStream *counting = (CountingStream *) stream;
	BlobReader *reader = counting->reader;
	ClairStatus status = counting->below->read(counting->below, piece, error);
	int64_t before;

	if (status != CLAIR_OK)
		return status;
	counting->size += (int64_t) piece->size;
	if (reader == NULL)
		return CLAIR_OK;
	before = reader->bytes;
	reader->bytes += (int64_t) piece->size;
	if (before / PROGRESS_STEP == reader->bytes / PROGRESS_STEP)
		return CLAIR_OK;
	return reader->sink->progress(reader->sink->context, reader->bytes, reader->count, error);
}

static void
counting_close(ClairStream *stream)
{
	CountingStream *counting = (CountingStream *) stream;

	counting->below->close(counting->below);
	free(counting);
}

static ClairStatus
open_counting(ClairStream *below, BlobReader *reader, CountingStream **counting, ClairError *error)
{
	CountingStream *opened = calloc(1, sizeof(CountingStream));

	if (opened == NULL)
		return out_of_memory(error);
	opened->stream = (ClairStream){.read = counting_read, .close = counting_close};
	opened->below = below;
	opened->reader = reader;
	*counting = opened;
	return CLAIR_OK;
}

/* A pass over a blob. */
typedef struct Pass
{
	ClairStream *top; /* owns the others; NULL: none is open */
	Digest *stored_digest;
	Digest *diff_digest;	/* NULL: the same as the stored one */
	CountingStream *stored; /* counts stored bytes */
	CountingStream *tar;	/* counts the tar's bytes */
} Pass;

static void
close_pass(Pass *pass)
{
	if (pass->top != NULL)
		pass->top->close(pass->top);
	digest_destroy(pass->stored_digest);
	digest_destroy(pass->diff_digest);
	*pass = (Pass){.top = NULL};
}

static DigestAlgorithm
algorithm_of(ClairBytes claim)
{
	DigestAlgorithm algorithm = DIGEST_SHA256;

	if (clair_bytes_start_with(claim, CLAIR_LITERAL(BLOB_APPC_PREFIX)))
		claim = clair_bytes_skip(claim, sizeof(BLOB_APPC_PREFIX) - 1);
	if (claim.data != NULL)
		digest_parse(claim, &algorithm);
	return algorithm;
}

/* Opens the stored bytes, counted and hashed. The caller closes the pass, on failure too. */
static ClairStatus
open_stored(BlobReader *reader, const Blob *blob, Pass *pass, ClairError *error)
{
	int64_t size = -1;
	ClairStatus status;

	*pass = (Pass){.stored_digest = digest_create(algorithm_of(blob->stored_digest))};
	if (pass->stored_digest == NULL)
		return out_of_memory(error);
	if (blob->file.data == NULL)
		status = stream_open_file(reader->input, 0, -1, &pass->top, error);
	else
		status = archive_open_file(reader->archive, blob->file, &pass->top, &size, error);
	if (status == CLAIR_MISSING && blob->is_foreign)
		clair_error(error, CLAIR_MISSING,
					"a foreign (non-distributable) layer, which is not in the archive");
	if (status == CLAIR_OK && blob->size >= 0 && size != blob->size)
		status = clair_error(error, CLAIR_INVALID,
							 "it has %" PRId64 " bytes, but its descriptor says %" PRId64, size,
							 blob->size);
	if (status == CLAIR_OK)
		status = open_counting(pass->top, reader, &pass->stored, error);
	if (status != CLAIR_OK)
		return status;
	pass->top = &pass->stored->stream;
	return stream_open_digest(pass->top, pass->stored_digest, &pass->top, error);
}

/* Opens the tar within the stored bytes, hashed where need be, and counted. */
static ClairStatus
open_tar(BlobReader *reader, const Blob *blob, Pass *pass, ClairError *error)
{
	DigestAlgorithm algorithm = blob->is_appc ? DIGEST_SHA512 : algorithm_of(blob->diff_id);
	ClairStatus status = open_stored(reader, blob, pass, error);

	if (status == CLAIR_OK)
		status = stream_open_decompressed(pass->top, reader->limits->max_layer_size,
										  "clair.max_layer_size", reader->limits->max_ratio,
										  &pass->top, error);
	if (status != CLAIR_OK)
		return status;
	if (stream_compression(pass->top) != NULL || algorithm != algorithm_of(blob->stored_digest))
	{
		pass->diff_digest = digest_create(algorithm);
		if (pass->diff_digest == NULL)
			return out_of_memory(error);
		status = stream_open_digest(pass->top, pass->diff_digest, &pass->top, error);
	}
	if (status == CLAIR_OK)
		status = open_counting(pass->top, NULL, &pass->tar, error);
	if (status == CLAIR_OK)
		pass->top = &pass->tar->stream;
	return status;
}

static ClairStatus
check_digest(const char *what, ClairBytes claimed, const char *actual, ClairError *error)
{
	if (claimed.data == NULL || clair_bytes_equal(claimed, clair_bytes(actual)))
		return CLAIR_OK;
	clair_error(error, CLAIR_INVALID, "digest mismatch: the %s is not what was claimed", what);
	clair_error_detail(error, "Claimed is %.*s, but it is %s.", (int) claimed.size, claimed.data,
					   actual);
	return CLAIR_INVALID;
}

/* Finishes a digest that the blob is stored by. */
static void
finish_digest(Digest *digest, const Blob *blob, char text[BLOB_KEY_SIZE])
{
	size_t prefix = blob->is_appc ? sizeof(BLOB_APPC_PREFIX) - 1 : 0;

	memcpy(text, BLOB_APPC_PREFIX, prefix);
	digest_finish(digest, text + prefix);
}

ClairStatus
blob_hash(BlobReader *reader, const Blob *blob, char digest[BLOB_KEY_SIZE], ClairError *error)
{
	Pass pass;
	int64_t size;
	ClairStatus status = open_stored(reader, blob, &pass, error);

	if (status == CLAIR_OK)
		status = stream_drain(pass.top, &size, error);
	if (status == CLAIR_OK)
		finish_digest(pass.stored_digest, blob, digest);
	close_pass(&pass);
	return status;
}

typedef struct BlobFacts
{
	char stored_digest[BLOB_KEY_SIZE];
	int64_t size;
	int64_t stored_size;
} BlobFacts;

/* One pass: walks the layer, reads to the end, and verifies the claims. */
static ClairStatus
read_pass(BlobReader *reader, Blob *blob, Layer *layer, BlobFacts *facts, ClairError *error)
{
	Pass pass;
	int64_t rest;
	ClairStatus status = open_tar(reader, blob, &pass, error);

	if (status == CLAIR_OK)
		status = layer_walk(layer, pass.top, error);
	if (status == CLAIR_OK)
		status = stream_drain(pass.top, &rest, error);
	if (status == CLAIR_OK)
	{
		facts->size = pass.tar->size;
		facts->stored_size = pass.stored->size;
		finish_digest(pass.stored_digest, blob, facts->stored_digest);
		if (pass.diff_digest != NULL)
			finish_digest(pass.diff_digest, blob, blob->actual_diff_id);
		else
			memcpy(blob->actual_diff_id, facts->stored_digest, BLOB_KEY_SIZE);
		status = check_digest("stored digest", blob->stored_digest, facts->stored_digest, error);
	}
	if (status == CLAIR_OK)
		status = check_digest("diff id", blob->diff_id, blob->actual_diff_id, error);
	close_pass(&pass);
	return status;
}

static ClairStatus
send_layer_row(BlobReader *reader, const Blob *blob, const Layer *layer, const BlobFacts *facts,
			   ClairError *error)
{
	char size[24];
	char stored_size[24];
	char entries[24];
	char version[24];
	ClairBytes fields[6];

	snprintf(size, sizeof(size), "%" PRId64, facts->size);
	snprintf(stored_size, sizeof(stored_size), "%" PRId64, facts->stored_size);
	snprintf(entries, sizeof(entries), "%" PRId64, layer->entries_count);
	snprintf(version, sizeof(version), "%d", LAYER_WALK_VERSION);
	fields[0] = clair_bytes(blob->actual_diff_id);
	fields[1] = clair_bytes(facts->stored_digest);
	fields[2] = clair_bytes(size);
	fields[3] = clair_bytes(stored_size);
	fields[4] = clair_bytes(entries);
	fields[5] = clair_bytes(version);
	return reader->sink->row(reader->sink->context, WIRE_LAYER, fields, 6, error);
}

/* Sends a layer; what it says only once, should it be stored in two forms. */
static ClairStatus
send_layer(BlobReader *reader, const Blob *blob, Layer *layer, const BlobFacts *facts,
		   ClairError *error)
{
	ClairBytes key = arena_copy(reader->sent_layers.arena, clair_bytes(blob->actual_diff_id));
	void **place = key.data != NULL ? text_map_at(&reader->sent_layers, key) : NULL;
	ClairStatus status;

	if (place == NULL)
		return out_of_memory(error);
	status = send_layer_row(reader, blob, layer, facts, error);
	if (status != CLAIR_OK || *place != NULL)
		return status;
	*place = reader;
	status = layer_send(layer, blob->actual_diff_id, &reader->sent_contents, reader->sink, error);
	if (status == CLAIR_OK)
		status = layer_send_files(layer, &reader->sent_files, reader->sink, error);
	return status;
}

static ClairStatus
read_blob(BlobReader *reader, Blob *blob, ClairError *error)
{
	Layer *layer;
	BlobFacts facts;
	bool another_pass = true;
	ClairStatus status = layer_create(reader->limits, reader->detectors, blob->is_appc, &layer,
									  error);

	while (status == CLAIR_OK && another_pass)
	{
		status = read_pass(reader, blob, layer, &facts, error);
		if (status == CLAIR_OK)
			status = layer_follow_links(layer, &another_pass, error);
	}
	if (status == CLAIR_OK)
		status = send_layer(reader, blob, layer, &facts, error);
	layer_destroy(layer);
	return status;
}

/* The server knows the claimed bytes: they must be these, and there is no more to do. */
static ClairStatus
hash_blob(BlobReader *reader, Blob *blob, ClairError *error)
{
	char digest[BLOB_KEY_SIZE];
	ClairStatus status = blob_hash(reader, blob, digest, error);

	if (status == CLAIR_OK)
		status = check_digest("stored digest", blob->stored_digest, digest, error);
	if (status == CLAIR_OK)
		memcpy(blob->actual_diff_id, blob->known.data, blob->known.size + 1);
	return status;
}

ClairStatus
blob_process(BlobReader *reader, Blob *blob, ClairError *error)
{
	bool is_known = blob->known.data != NULL && blob->known.size < BLOB_KEY_SIZE &&
					(blob->diff_id.data == NULL || clair_bytes_equal(blob->known, blob->diff_id));
	ClairStatus status = is_known ? hash_blob(reader, blob, error) : read_blob(reader, blob, error);

	FAULT_POINT("reader-layer-read");
	reader->count++;
	if (status == CLAIR_OK)
		status = reader->sink->progress(reader->sink->context, reader->bytes, reader->count, error);
	return status;
}
