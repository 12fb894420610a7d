/*
 * codec.h
 *    What stream.c asks of a decoder of compressed bytes.
 *
 * A compressed stream is a sequence of members (gzip), streams (bzip2, xz) or frames
 * (zstd), here all called members. stream.c deals with their sequence, with padding and
 * with limits; a codec decodes one member after the other.
 */
#ifndef CLAIR_CODEC_H
#define CLAIR_CODEC_H

#include "common/bytes.h"
#include "common/error.h"

/* Bytes of the start of a stream that recognises() wants to see, if there are as many. */
#define CODEC_START_SIZE 6

typedef struct Codec
{
	const char *name;

	bool (*recognises)(ClairBytes start);

	/* A decoder, before its first member; NULL when memory is short. */
	void *(*create)(void);

	/* Makes ready for the next member, the first one too. False when memory is short. */
	bool (*restart)(void *decoder);

	/*
	 * Decodes of the member what fits, takes off *input what that took, and says whether
	 * the member has ended, with its checks passed. Less than size bytes produced means
	 * that the member has ended or that more input is needed.
	 */
	ClairStatus (*decode)(void *decoder, ClairBytes *input, char *output, size_t size,
						  size_t *produced, bool *ended, ClairError *error);

	void (*destroy)(void *decoder);
} Codec;

extern const Codec codec_gzip;	/* inflate.c */
extern const Codec codec_bzip2; /* decode.c */
extern const Codec codec_xz;
extern const Codec codec_zstd;

#endif
