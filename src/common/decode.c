/*
 * decode.c
 *    Decodes bzip2 streams, xz streams and zstd frames, each with its own library.
 *
 * Not through libarchive's filters: those let nobody bound xz's memory, and do not take
 * a zstd stream that begins with a skippable frame.
 */
#include "common/codec.h"

#include <bzlib.h>
#include <lzma.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "common/limits.h"

#define MEGABYTES(bytes) ((int) ((bytes) >> 20))

static ClairStatus
corrupt(ClairError *error, const char *name, const char *reason)
{
	return clair_error(error, CLAIR_INVALID, "%s data is corrupt: %s", name, reason);
}

static ClairStatus
too_much_memory(ClairError *error, const char *name)
{
	return clair_error(error, CLAIR_LIMIT, "%s data needs more than %d MB of memory", name,
					   MEGABYTES(CLAIR_MAX_DECODER_MEMORY));
}

typedef struct Bzip2Decoder
{
	bz_stream bzip2;
	bool started;
} Bzip2Decoder;

static bool
bzip2_recognises(ClairBytes start)
{
	return clair_bytes_start_with(start, CLAIR_LITERAL("BZh")) && start.size > 3 &&
		   start.data[3] >= '1' && start.data[3] <= '9';
}

static void *
bzip2_create(void)
{
	return calloc(1, sizeof(Bzip2Decoder));
}

static void
bzip2_end(Bzip2Decoder *decoder)
{
	if (decoder->started)
		BZ2_bzDecompressEnd(&decoder->bzip2);
	decoder->started = false;
}

static bool
bzip2_restart(void *decoder)
{
	Bzip2Decoder *bzip2 = decoder;

	bzip2_end(bzip2);
	bzip2->started = BZ2_bzDecompressInit(&bzip2->bzip2, 0, 0) == BZ_OK;
	return bzip2->started;
}

static ClairStatus
bzip2_decode(void *decoder, ClairBytes *input, char *output, size_t size, size_t *produced,
			 bool *ended, ClairError *error)
{
	bz_stream *bzip2 = &((Bzip2Decoder *) decoder)->bzip2;
	int result;

	bzip2->next_in = (char *) (uintptr_t) input->data;
	bzip2->avail_in = (unsigned int) input->size;
	bzip2->next_out = output;
	bzip2->avail_out = (unsigned int) size;
	result = BZ2_bzDecompress(bzip2);
	*input = clair_bytes_skip(*input, input->size - bzip2->avail_in);
	*produced = size - bzip2->avail_out;
	*ended = result == BZ_STREAM_END;
	switch (result)
	{
		case BZ_OK:
		case BZ_STREAM_END:
			return CLAIR_OK;
		case BZ_MEM_ERROR:
			return clair_error(error, CLAIR_MEMORY, "out of memory");
		case BZ_DATA_ERROR_MAGIC:
			return corrupt(error, "bzip2", "not a bzip2 header");
		default:
			return corrupt(error, "bzip2", "invalid block or wrong checksum");
	}
}

static void
bzip2_destroy(void *decoder)
{
	bzip2_end(decoder);
	free(decoder);
}

const Codec codec_bzip2 = {
	.name = "bzip2",
	.recognises = bzip2_recognises,
	.create = bzip2_create,
	.restart = bzip2_restart,
	.decode = bzip2_decode,
	.destroy = bzip2_destroy,
};

static bool
xz_recognises(ClairBytes start)
{
	return clair_bytes_start_with(start, CLAIR_LITERAL("\xfd"
													   "7zXZ\0"));
}

static void *
xz_create(void)
{
	lzma_stream *xz = malloc(sizeof(lzma_stream));

	if (xz != NULL)
		*xz = (lzma_stream) LZMA_STREAM_INIT;
	return xz;
}

static bool
xz_restart(void *decoder)
{
	return lzma_stream_decoder(decoder, CLAIR_MAX_DECODER_MEMORY, 0) == LZMA_OK;
}

static ClairStatus
xz_decode(void *decoder, ClairBytes *input, char *output, size_t size, size_t *produced,
		  bool *ended, ClairError *error)
{
	lzma_stream *xz = decoder;
	lzma_ret result;

	xz->next_in = (const uint8_t *) input->data;
	xz->avail_in = input->size;
	xz->next_out = (uint8_t *) output;
	xz->avail_out = size;
	result = lzma_code(xz, LZMA_RUN);
	*input = clair_bytes_skip(*input, input->size - xz->avail_in);
	*produced = size - xz->avail_out;
	*ended = result == LZMA_STREAM_END;
	switch (result)
	{
		case LZMA_OK:
		case LZMA_STREAM_END:
		case LZMA_BUF_ERROR:
			return CLAIR_OK;
		case LZMA_MEM_ERROR:
			return clair_error(error, CLAIR_MEMORY, "out of memory");
		case LZMA_MEMLIMIT_ERROR:
			return too_much_memory(error, "xz");
		case LZMA_FORMAT_ERROR:
			return corrupt(error, "xz", "not an xz header");
		case LZMA_OPTIONS_ERROR:
			return clair_error(error, CLAIR_UNSUPPORTED, "xz data uses unknown options");
		default:
			return corrupt(error, "xz", "invalid block or wrong checksum");
	}
}

static void
xz_destroy(void *decoder)
{
	lzma_end(decoder);
	free(decoder);
}

const Codec codec_xz = {
	.name = "xz",
	.recognises = xz_recognises,
	.create = xz_create,
	.restart = xz_restart,
	.decode = xz_decode,
	.destroy = xz_destroy,
};

/* A frame, or a skippable frame: 0x50 to 0x5f, 2a 4d 18 (RFC 8878). */
static bool
zstd_recognises(ClairBytes start)
{
	if (clair_bytes_start_with(start, CLAIR_LITERAL("\x28\xb5\x2f\xfd")))
		return true;
	return start.size >= 4 && ((unsigned char) start.data[0] & 0xF0) == 0x50 &&
		   memcmp(start.data + 1, "\x2a\x4d\x18", 3) == 0;
}

static void *
zstd_create(void)
{
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	int window_log = 0;

	while ((1 << (window_log + 1)) <= CLAIR_MAX_DECODER_MEMORY)
		window_log++;
	if (zstd != NULL)
		ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, window_log);
	return zstd;
}

static bool
zstd_restart(void *decoder)
{
	return !ZSTD_isError(ZSTD_DCtx_reset(decoder, ZSTD_reset_session_only));
}

static ClairStatus
zstd_decode(void *decoder, ClairBytes *input, char *output, size_t size, size_t *produced,
			bool *ended, ClairError *error)
{
	ZSTD_inBuffer in = {input->data, input->size, 0};
	ZSTD_outBuffer out = {output, size, 0};
	size_t result = ZSTD_decompressStream(decoder, &out, &in);

	*input = clair_bytes_skip(*input, in.pos);
	*produced = out.pos;
	*ended = result == 0;
	if (!ZSTD_isError(result))
		return CLAIR_OK;
	switch (ZSTD_getErrorCode(result))
	{
		case ZSTD_error_memory_allocation:
			return clair_error(error, CLAIR_MEMORY, "out of memory");
		case ZSTD_error_frameParameter_windowTooLarge:
			return too_much_memory(error, "zstd");
		default:
			return corrupt(error, "zstd", ZSTD_getErrorName(result));
	}
}

static void
zstd_destroy(void *decoder)
{
	ZSTD_freeDCtx(decoder);
}

const Codec codec_zstd = {
	.name = "zstd",
	.recognises = zstd_recognises,
	.create = zstd_create,
	.restart = zstd_restart,
	.decode = zstd_decode,
	.destroy = zstd_destroy,
};
