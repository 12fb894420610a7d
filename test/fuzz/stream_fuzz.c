/*
 * stream_fuzz.c
 *    Any bytes as something compressed, in pieces of any size: what comes out does not depend on
 * the pieces, and is no more than the limits say.
 *
 * The first byte chooses the size of the pieces, and whether the limit is small.
 */
#include "common/stream.h"
#include "fuzz.h"
#include "pieces.h"

#define LARGE_LIMIT ((int64_t) 4 << 20)
#define SMALL_LIMIT ((int64_t) 1000)

typedef struct Outcome
{
	ClairStatus status;
	int64_t size;
	char digest[DIGEST_TEXT_SIZE];
} Outcome;

static void
close_nothing(ClairStream *stream)
{
	(void) stream;
}

static Outcome
decompress(ClairBytes bytes, size_t piece_size, int64_t limit)
{
	Pieces pieces = {.stream = {.read = read_piece, .close = close_nothing},
					 .rest = bytes,
					 .size = piece_size};
	Digest *digest = digest_create(DIGEST_SHA256);
	Outcome outcome = {.size = 0};
	ClairStream *stream;
	ClairError error;
	ClairBytes piece = {.size = 1};

	outcome.status = stream_open_decompressed(&pieces.stream, limit, "clair.max_layer_size", 1000,
											  &stream, &error);
	if (outcome.status == CLAIR_OK)
	{
		while (piece.size > 0 &&
			   (outcome.status = stream->read(stream, &piece, &error)) == CLAIR_OK)
		{
			outcome.size += (int64_t) piece.size;
			digest_update(digest, piece);
		}
		stream->close(stream);
	}
	require(outcome.status == CLAIR_OK || error.message[0] != '\0');
	digest_finish(digest, outcome.digest);
	digest_destroy(digest);
	free(pieces.piece);
	return outcome;
}

FUZZ_TARGET(stream)
{
	int64_t limit;
	ClairBytes bytes;
	Outcome whole;
	Outcome cut;

	if (size < 2)
		return 0;
	limit = (data[0] & 1) != 0 ? SMALL_LIMIT : LARGE_LIMIT;
	bytes = (ClairBytes){(const char *) data + 1, size - 1};
	whole = decompress(bytes, bytes.size, limit);
	cut = decompress(bytes, 1 + (data[0] >> 1), limit);
	/* libzstd does not always hold a frame against the size that it claims, when it comes in pieces
	 */
	require(whole.status == cut.status ||
			(stream_recognise(bytes) != NULL && strcmp(stream_recognise(bytes), "zstd") == 0));
	if (whole.status == CLAIR_OK && cut.status == CLAIR_OK)
		require(whole.size == cut.size && whole.size <= limit &&
				strcmp(whole.digest, cut.digest) == 0);
	return 0;
}
