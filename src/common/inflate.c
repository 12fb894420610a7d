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
#include <isa-l/crc.h>
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

/* Flags of a member's header. */
#define HEADER_HAS_CRC	   0x02
#define HEADER_HAS_EXTRA   0x04
#define HEADER_HAS_NAME	   0x08
#define HEADER_HAS_COMMENT 0x10
#define HEADER_RESERVED	   0xE0

#define FIXED_HEADER_SIZE 10
#define METHOD_AT		  2
#define FLAGS_AT		  3
#define METHOD_DEFLATE	  8

typedef enum HeaderPart
{
	HEADER_FIXED,
	HEADER_EXTRA_SIZE,
	HEADER_EXTRA,
	HEADER_NAME,
	HEADER_COMMENT,
	HEADER_CRC,
	HEADER_ENDED
} HeaderPart;

/*
 * The header is read here: isa-l 2.30 takes some headers with optional parts for invalid when
 * they come in pieces.
 */
typedef struct GzipDecoder
{
	struct inflate_state isal;
	HeaderPart part;
	unsigned int at; /* bytes of the part so far */
	unsigned int flags;
	unsigned int extra_size;
	unsigned int header_crc; /* as the header states it */
	uint32_t crc;			 /* of the header so far */
} GzipDecoder;

static void *
gzip_create(void)
{
	return malloc(sizeof(GzipDecoder));
}

static bool
gzip_restart(void *decoder)
{
	GzipDecoder *gzip = decoder;

	isal_inflate_init(&gzip->isal);
	gzip->isal.crc_flag = ISAL_GZIP_NO_HDR_VER;
	gzip->part = HEADER_FIXED;
	gzip->at = gzip->flags = gzip->extra_size = gzip->header_crc = gzip->crc = 0;
	return true;
}

/* Whether a part is in the header at all; the fixed one always is. */
static bool
header_has(const GzipDecoder *gzip, HeaderPart part)
{
	static const unsigned int flags[] = {
		[HEADER_EXTRA_SIZE] = HEADER_HAS_EXTRA, [HEADER_EXTRA] = HEADER_HAS_EXTRA,
		[HEADER_NAME] = HEADER_HAS_NAME,		[HEADER_COMMENT] = HEADER_HAS_COMMENT,
		[HEADER_CRC] = HEADER_HAS_CRC,
	};

	if (part == HEADER_EXTRA && gzip->extra_size == 0)
		return false;
	return part == HEADER_ENDED || (gzip->flags & flags[part]) != 0;
}

/* Takes a byte of a part; whether the part ends with it. */
static bool
take_header_byte(GzipDecoder *gzip, unsigned char byte)
{
	switch (gzip->part)
	{
		case HEADER_FIXED:
			if (gzip->at == FLAGS_AT)
				gzip->flags = byte;
			return gzip->at + 1 == FIXED_HEADER_SIZE;
		case HEADER_EXTRA_SIZE:
			gzip->extra_size |= (unsigned int) byte << (8 * gzip->at);
			return gzip->at == 1;
		case HEADER_EXTRA:
			return gzip->at + 1 == gzip->extra_size;
		case HEADER_NAME:
		case HEADER_COMMENT:
			return byte == 0;
		default:
			gzip->header_crc |= (unsigned int) byte << (8 * gzip->at);
			return gzip->at == 1;
	}
}

/* Takes what the input has of the header. */
static ClairStatus
gzip_read_header(GzipDecoder *gzip, ClairBytes *input, ClairError *error)
{
	while (gzip->part != HEADER_ENDED && input->size > 0)
	{
		unsigned char byte = (unsigned char) input->data[0];
		HeaderPart part = gzip->part;
		bool ended;

		if (part == HEADER_FIXED && gzip->at == METHOD_AT && byte != METHOD_DEFLATE)
			return gzip_corrupt(error, "unknown compression method");
		if (part == HEADER_FIXED && gzip->at == FLAGS_AT && (byte & HEADER_RESERVED) != 0)
			return gzip_corrupt(error, "unknown header flags");
		ended = take_header_byte(gzip, byte);
		if (part != HEADER_CRC)
			gzip->crc = crc32_gzip_refl(gzip->crc, &byte, 1);
		else if (ended && gzip->header_crc != (gzip->crc & 0xFFFF))
			return gzip_corrupt(error, "wrong checksum of the header");
		gzip->at++;
		*input = clair_bytes_skip(*input, 1);
		if (!ended)
			continue;
		gzip->at = 0;
		do
			gzip->part++;
		while (!header_has(gzip, gzip->part));
	}
	return CLAIR_OK;
}

static ClairStatus
gzip_decode(void *decoder, ClairBytes *input, char *output, size_t size, size_t *produced,
			bool *ended, ClairError *error)
{
	GzipDecoder *gzip = decoder;
	struct inflate_state *state = &gzip->isal;
	ClairStatus status = gzip_read_header(gzip, input, error);
	int result;

	*produced = 0;
	*ended = false;
	if (status != CLAIR_OK || gzip->part != HEADER_ENDED)
		return status;
	state->next_in = (uint8_t *) (uintptr_t) input->data;
	state->avail_in = (uint32_t) input->size;
	state->next_out = (uint8_t *) output;
	state->avail_out = (uint32_t) size;
	result = isal_inflate(state);
	/* Before it reports some invalid blocks, isa-l 2.30 has counted below zero. */
	if (state->avail_in > input->size)
		return gzip_corrupt(error, "invalid deflate block");
	*input = clair_bytes_skip(*input, input->size - state->avail_in);
	*produced = size - state->avail_out;
	*ended = state->block_state == ISAL_BLOCK_FINISH;
	switch (result)
	{
		case ISAL_DECOMP_OK:
		case ISAL_END_INPUT:
		case ISAL_OUT_OVERFLOW:
			return CLAIR_OK;
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
