/*
 * blob.h
 *    The stored layers of a job: each is hashed or read once, however many images have it.
 */
#ifndef CLAIR_BLOB_H
#define CLAIR_BLOB_H

#include "common/sink.h"
#include "common/text_map.h"
#include "image/outline.h"
#include "package/detector.h"

/*
 * A tar that is an appc image and the same tar as a layer of another image do not say the same:
 * of the former, both digests that it is stored by begin with this.
 */
#define BLOB_APPC_PREFIX "appc:"

#define BLOB_KEY_SIZE (DIGEST_TEXT_SIZE + sizeof(BLOB_APPC_PREFIX) - 1)

typedef struct Blob
{
	ClairBytes file;		  /* in the archive; no value: the whole input */
	ClairBytes stored_digest; /* claimed, or no value */
	ClairBytes diff_id;		  /* claimed, or no value */
	int64_t size;			  /* claimed, or -1 */
	bool is_foreign;
	bool is_appc;
	int64_t order;	  /* where it stands in the archive */
	size_t layer;	  /* its position in the first image that has it, for errors */
	ClairBytes known; /* the diff id that the server knows for the stored digest, or no value */

	/* When it has been hashed or read. */
	char actual_diff_id[BLOB_KEY_SIZE];
} Blob;

/* What reading blobs needs, and keeps from one to the next. */
typedef struct BlobReader
{
	int input; /* for a blob that is the whole input */
	Archive *archive;
	const ClairLimits *limits;
	const ClairSink *sink;
	TextMap sent_layers;   /* diff ids */
	TextMap sent_contents; /* digests of package databases */
	TextMap sent_files;	   /* keys of files for detectors; with memory of its own */
	const Detectors *detectors;
	int64_t bytes; /* stored bytes read so far */
	int64_t count; /* blobs done so far */
} BlobReader;

/* The digest that a blob, which claims none, is stored by. */
extern ClairStatus
blob_hash(BlobReader *reader, const Blob *blob, char digest[BLOB_KEY_SIZE], ClairError *error);

/*
 * Does what must be done of a blob: hashes it, when the server knows what its stored bytes
 * say, else reads it and sends its rows. Every claim is verified first.
 */
extern ClairStatus blob_process(BlobReader *reader, Blob *blob, ClairError *error);

#endif
