/*
 * inflate.c
 *    Decodes gzip members (RFC 1952), with isa-l where it is there, else with zlib.
 *
 * Inflating is most of the cost of indexing an image, and isa-l does it in half of
 * zlib's time. Both check a member's CRC and length.
 */
#include "common/codec.h"

#include <stdlib.h>

#ifdef CLAIR_WITH_ISAL
#include <isa-l/igzip_lib.h>
#else
#include <zlib.h>
#endif

static bool
gzip_recognises(ClairBytes start)
{
	return clair_bytes_start_with(start, CLAIR_LITERAL("\x1f\x8b\x08"));
}

static ClairStatus
gzip_corrupt(ClairError *error, const char *reason)
{
	return clair_error(error, CLAIR_INVALID, "gzip data is corrupt: %s", reason);
}

#ifdef CLAIR_WITH_ISAL

static void *
gzip_create(void)
{
	return malloc(sizeof(struct inflate_state));
}

static bool
gzip_restart(void *decoder)
{
	struct inflate_state *state = decoder;

	isal_inflate_init(state);
	state->crc_flag = ISAL_GZIP;
	return true;
}

static ClairStatus
gzip_decode(void *decoder, ClairBytes *input, char *output, size_t size, size_t *produced,
			bool *ended, ClairError *error)
{
	struct inflate_state *state = decoder;
	int result;

	state->next_in = (uint8_t *) (uintptr_t) input->data;
	state->avail_in = (uint32_t) input->size;
	state->next_out = (uint8_t *) output;
	state->avail_out = (uint32_t) size;
	result = isal_inflate(state);
	*input = clair_bytes_skip(*input, input->size - state->avail_in);
	*produced = size - state->avail_out;
	*ended = state->block_state == ISAL_BLOCK_FINISH;
	switch (result)
	{
		case ISAL_DECOMP_OK:
		case ISAL_END_INPUT:
		case ISAL_OUT_OVERFLOW:
			return CLAIR_OK;
		case ISAL_INVALID_WRAPPER:
			return gzip_corrupt(error, "not a gzip header");
		case ISAL_UNSUPPORTED_METHOD:
			return gzip_corrupt(error, "unknown compression method");
		case ISAL_INCORRECT_CHECKSUM:
			return gzip_corrupt(error, "wrong checksum or length");
		default:
			return gzip_corrupt(error, "invalid deflate block");
	}
}

static void
gzip_destroy(void *decoder)
{
	free(decoder);
}

#else

typedef struct GzipDecoder
{
	z_stream zlib;
	bool started;
} GzipDecoder;

static void *
gzip_create(void)
{
	return calloc(1, sizeof(GzipDecoder));
}

static bool
gzip_restart(void *decoder)
{
	GzipDecoder *gzip = decoder;

	if (gzip->started)
		return inflateReset(&gzip->zlib) == Z_OK;
	gzip->started = inflateInit2(&gzip->zlib, MAX_WBITS + 16) == Z_OK;
	return gzip->started;
}

static ClairStatus
gzip_decode(void *decoder, ClairBytes *input, char *output, size_t size, size_t *produced,
			bool *ended, ClairError *error)
{
	z_stream *zlib = &((GzipDecoder *) decoder)->zlib;
	int result;

	zlib->next_in = (Bytef *) (uintptr_t) input->data;
	zlib->avail_in = (uInt) input->size;
	zlib->next_out = (Bytef *) output;
	zlib->avail_out = (uInt) size;
	result = inflate(zlib, Z_NO_FLUSH);
	*input = clair_bytes_skip(*input, input->size - zlib->avail_in);
	*produced = size - zlib->avail_out;
	*ended = result == Z_STREAM_END;
	switch (result)
	{
		case Z_OK:
		case Z_STREAM_END:
		case Z_BUF_ERROR:
			return CLAIR_OK;
		case Z_MEM_ERROR:
			return clair_error(error, CLAIR_MEMORY, "out of memory");
		default:
			return gzip_corrupt(error, zlib->msg != NULL ? zlib->msg : "invalid deflate block");
	}
}

static void
gzip_destroy(void *decoder)
{
	GzipDecoder *gzip = decoder;

	if (gzip->started)
		inflateEnd(&gzip->zlib);
	free(gzip);
}

#endif

const Codec codec_gzip = {
	.name = "gzip",
	.recognises = gzip_recognises,
	.create = gzip_create,
	.restart = gzip_restart,
	.decode = gzip_decode,
	.destroy = gzip_destroy,
};
