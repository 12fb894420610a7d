/*
 * stream.c
 *    The streams of stream.h: a file, memory, a digest on the way, decompression.
 *
 * Pieces are 256 KiB: large enough that a system call a piece costs nothing, small enough
 * to stay in the processor's cache between inflating, hashing and walking.
 */
#include "common/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/codec.h"

#define PIECE_SIZE ((size_t) 256 * 1024)

/* The ratio of inflated to stored bytes is not looked at before this many have come out. */
#define RATIO_FREE_BYTES (INT64_C(100) << 20)

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

typedef struct FileStream
{
	ClairStream stream;
	int descriptor;
	int64_t offset; /* of the next byte */
	int64_t end;
	char buffer[PIECE_SIZE];
} FileStream;

static ClairStatus
file_read(ClairStream *stream, ClairBytes *piece, ClairError *error)
{
	FileStream *file = (FileStream *) stream;
	int64_t left = file->end - file->offset;
	ssize_t got;

	*piece = (ClairBytes){file->buffer, 0};
	if (left == 0)
		return CLAIR_OK;
	do
		got = pread(file->descriptor, file->buffer,
					left < (int64_t) PIECE_SIZE ? (size_t) left : PIECE_SIZE, file->offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return clair_error(error, CLAIR_IO, "could not read the file: %s", strerror(errno));
	if (got == 0)
		return clair_error(error, CLAIR_INVALID, "the file ends %" PRId64 " bytes too early", left);
	file->offset += got;
	piece->size = (size_t) got;
	return CLAIR_OK;
}

static ClairStatus
file_skip(ClairStream *stream, int64_t size, int64_t *skipped, ClairError *error)
{
	FileStream *file = (FileStream *) stream;
	int64_t left = file->end - file->offset;

	(void) error;
	*skipped = size < left ? size : left;
	file->offset += *skipped;
	return CLAIR_OK;
}

static void
file_close(ClairStream *stream)
{
	free(stream);
}

ClairStatus
stream_open_file(int descriptor, int64_t offset, int64_t size, ClairStream **stream,
				 ClairError *error)
{
	FileStream *file;
	struct stat status;

	if (fstat(descriptor, &status) != 0)
		return clair_error(error, CLAIR_IO, "could not look at the file: %s", strerror(errno));
	if (size < 0)
		size = status.st_size > offset ? status.st_size - offset : 0;
	if (offset < 0 || offset > status.st_size || size > status.st_size - offset)
		return clair_error(error, CLAIR_INVALID,
						   "the file ends at byte %" PRId64 ", within what it should hold",
						   (int64_t) status.st_size);
	file = malloc(sizeof(FileStream));
	if (file == NULL)
		return out_of_memory(error);
	file->stream = (ClairStream){.read = file_read, .skip = file_skip, .close = file_close};
	file->descriptor = descriptor;
	file->offset = offset;
	file->end = offset + size;
	*stream = &file->stream;
	return CLAIR_OK;
}

typedef struct BytesStream
{
	ClairStream stream;
	ClairBytes rest;
} BytesStream;

static ClairStatus
bytes_read(ClairStream *stream, ClairBytes *piece, ClairError *error)
{
	BytesStream *bytes = (BytesStream *) stream;

	(void) error;
	*piece = bytes->rest;
	if (piece->size > PIECE_SIZE)
		piece->size = PIECE_SIZE;
	if (piece->size > 0)
		bytes->rest = clair_bytes_skip(bytes->rest, piece->size);
	return CLAIR_OK;
}

static ClairStatus
bytes_skip(ClairStream *stream, int64_t size, int64_t *skipped, ClairError *error)
{
	BytesStream *bytes = (BytesStream *) stream;

	(void) error;
	*skipped = (uint64_t) size < bytes->rest.size ? size : (int64_t) bytes->rest.size;
	if (*skipped > 0)
		bytes->rest = clair_bytes_skip(bytes->rest, (size_t) *skipped);
	return CLAIR_OK;
}

static void
bytes_close(ClairStream *stream)
{
	free(stream);
}

ClairStatus
stream_open_bytes(ClairBytes bytes, ClairStream **stream, ClairError *error)
{
	BytesStream *opened = malloc(sizeof(BytesStream));

	if (opened == NULL)
		return out_of_memory(error);
	opened->stream = (ClairStream){.read = bytes_read, .skip = bytes_skip, .close = bytes_close};
	opened->rest = bytes;
	*stream = &opened->stream;
	return CLAIR_OK;
}

typedef struct DigestStream
{
	ClairStream stream;
	ClairStream *below;
	Digest *digest;
} DigestStream;

static ClairStatus
digest_read(ClairStream *stream, ClairBytes *piece, ClairError *error)
{
	DigestStream *digest = (DigestStream *) stream;
	ClairStatus status = digest->below->read(digest->below, piece, error);

	if (status == CLAIR_OK && piece->size > 0)
		digest_update(digest->digest, *piece);
	return status;
}

static void
digest_close(ClairStream *stream)
{
	DigestStream *digest = (DigestStream *) stream;

	digest->below->close(digest->below);
	free(digest);
}

ClairStatus
stream_open_digest(ClairStream *below, Digest *digest, ClairStream **stream, ClairError *error)
{
	DigestStream *opened = malloc(sizeof(DigestStream));

	if (opened == NULL)
		return out_of_memory(error);
	opened->stream = (ClairStream){.read = digest_read, .close = digest_close};
	opened->below = below;
	opened->digest = digest;
	*stream = &opened->stream;
	return CLAIR_OK;
}

typedef struct DecompressedStream
{
	ClairStream stream;
	ClairStream *below;
	const Codec *codec; /* NULL: bytes are passed on */
	void *decoder;
	ClairBytes input;			  /* lent from below or in start, not yet decoded */
	ClairBytes next;			  /* lent from below, after a start that had to be put together */
	char start[CODEC_START_SIZE]; /* the first bytes, when they came in several pieces */
	bool below_ended;
	bool in_member;
	bool any_member;  /* whether a member has ended */
	int64_t received; /* bytes from below */
	int64_t produced;
	int64_t max_size;
	int64_t max_ratio;
	const char *setting;
	char *output; /* of PIECE_SIZE, when there is a codec */
} DecompressedStream;

static const Codec *
find_codec(ClairBytes start)
{
	static const Codec *const codecs[] = {&codec_gzip, &codec_zstd, &codec_xz, &codec_bzip2};

	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
	{
		if (codecs[i]->recognises(start))
			return codecs[i];
	}
	return NULL;
}

/* The next input: what was held back at the start, else from below. */
static ClairStatus
pull(DecompressedStream *stream, ClairError *error)
{
	ClairStatus status;

	if (stream->next.size > 0)
	{
		stream->input = stream->next;
		stream->next.size = 0;
		return CLAIR_OK;
	}
	status = stream->below->read(stream->below, &stream->input, error);
	if (status != CLAIR_OK)
		return status;
	stream->received += (int64_t) stream->input.size;
	stream->below_ended = stream->input.size == 0;
	return CLAIR_OK;
}

/*
 * Makes the stream's first bytes the input: those of the first piece, or, when that is
 * too short to tell anything, copies of those of several.
 */
static ClairStatus
look_at_start(DecompressedStream *stream, ClairError *error)
{
	size_t held = 0;
	ClairStatus status = pull(stream, error);

	if (status != CLAIR_OK || stream->input.size >= CODEC_START_SIZE)
		return status;
	while (stream->input.size > 0 && held < CODEC_START_SIZE)
	{
		size_t taken = CODEC_START_SIZE - held;

		if (taken > stream->input.size)
			taken = stream->input.size;
		memcpy(stream->start + held, stream->input.data, taken);
		held += taken;
		stream->input = clair_bytes_skip(stream->input, taken);
		if (stream->input.size == 0 && (status = pull(stream, error)) != CLAIR_OK)
			return status;
	}
	stream->next = stream->input;
	stream->input = (ClairBytes){stream->start, held};
	return CLAIR_OK;
}

ClairStatus
stream_check_output(const char *format, int64_t received, int64_t produced, int64_t max_size,
					const char *setting, int64_t max_ratio, ClairError *error)
{
	if (produced > max_size)
	{
		clair_error(error, CLAIR_LIMIT, "more than %" PRId64 " bytes%s", max_size,
					format != NULL ? " when decompressed" : "");
		clair_error_hint(error, "The limit is the setting %s.", setting);
		return CLAIR_LIMIT;
	}
	if (format != NULL && produced > RATIO_FREE_BYTES &&
		produced / (max_ratio > 0 ? max_ratio : 1) > received)
	{
		clair_error(error, CLAIR_LIMIT,
					"%s data decompresses to more than %" PRId64 " times its size", format,
					max_ratio);
		clair_error_hint(error, "The limit is the setting clair.max_ratio.");
		return CLAIR_LIMIT;
	}
	return CLAIR_OK;
}

/* Accounts for bytes that came out. */
static ClairStatus
count_output(DecompressedStream *stream, int64_t size, ClairError *error)
{
	stream->produced += size;
	return stream_check_output(stream->codec != NULL ? stream->codec->name : NULL, stream->received,
							   stream->produced, stream->max_size, stream->setting,
							   stream->max_ratio, error);
}

static ClairStatus
plain_read(ClairStream *opened, ClairBytes *piece, ClairError *error)
{
	DecompressedStream *stream = (DecompressedStream *) opened;
	ClairStatus status;

	if (stream->input.size == 0 && !stream->below_ended &&
		(status = pull(stream, error)) != CLAIR_OK)
		return status;
	*piece = stream->input;
	stream->input.size = 0;
	return count_output(stream, (int64_t) piece->size, error);
}

static ClairStatus
plain_skip(ClairStream *opened, int64_t size, int64_t *skipped, ClairError *error)
{
	DecompressedStream *stream = (DecompressedStream *) opened;
	ClairStatus status = CLAIR_OK;

	if (stream->input.size == 0 && stream->next.size > 0)
		status = pull(stream, error);
	*skipped = 0;
	if (status == CLAIR_OK && stream->input.size > 0)
	{
		*skipped = (uint64_t) size < stream->input.size ? size : (int64_t) stream->input.size;
		stream->input = clair_bytes_skip(stream->input, (size_t) *skipped);
	}
	else if (status == CLAIR_OK && stream->below->skip != NULL)
		status = stream->below->skip(stream->below, size, skipped, error);
	if (status != CLAIR_OK)
		return status;
	return count_output(stream, *skipped, error);
}

/* Stands before a member: passes over the zeros that pad, and starts it. */
static ClairStatus
start_member(DecompressedStream *stream, ClairError *error)
{
	while (stream->any_member && stream->input.size > 0 && stream->input.data[0] == '\0')
		stream->input = clair_bytes_skip(stream->input, 1);
	if (stream->input.size == 0)
		return CLAIR_OK;
	if (!stream->codec->restart(stream->decoder))
		return out_of_memory(error);
	stream->in_member = true;
	return CLAIR_OK;
}

/* Decodes once what input there is. */
static ClairStatus
decode(DecompressedStream *stream, size_t *filled, ClairError *error)
{
	size_t before = stream->input.size;
	size_t produced = 0;
	bool ended = false;
	ClairStatus status = stream->codec->decode(stream->decoder, &stream->input,
											   stream->output + *filled, PIECE_SIZE - *filled,
											   &produced, &ended, error);

	if (status != CLAIR_OK)
		return status;
	*filled += produced;
	if (ended)
	{
		stream->in_member = false;
		stream->any_member = true;
	}
	else if (produced == 0 && stream->input.size == before)
	{
		if (stream->below_ended)
			return clair_error(error, CLAIR_INVALID, "%s data is truncated", stream->codec->name);
		if (before > 0)
			return clair_error(error, CLAIR_INVALID, "%s data is corrupt: it leads nowhere",
							   stream->codec->name);
	}
	return CLAIR_OK;
}

static ClairStatus
decompressed_read(ClairStream *opened, ClairBytes *piece, ClairError *error)
{
	DecompressedStream *stream = (DecompressedStream *) opened;
	size_t filled = 0;
	ClairStatus status = CLAIR_OK;

	while (status == CLAIR_OK && filled < PIECE_SIZE)
	{
		if (stream->input.size == 0 && !stream->below_ended)
			status = pull(stream, error);
		if (status == CLAIR_OK && !stream->in_member)
			status = start_member(stream, error);
		if (status != CLAIR_OK)
			break;
		if (stream->in_member)
			status = decode(stream, &filled, error);
		else if (stream->below_ended)
			break;
	}
	*piece = (ClairBytes){stream->output, filled};
	if (status == CLAIR_OK)
		status = count_output(stream, (int64_t) filled, error);
	return status;
}

static void
free_decompressed(DecompressedStream *stream)
{
	if (stream->decoder != NULL)
		stream->codec->destroy(stream->decoder);
	free(stream->output);
	free(stream);
}

static void
decompressed_close(ClairStream *opened)
{
	DecompressedStream *stream = (DecompressedStream *) opened;

	stream->below->close(stream->below);
	free_decompressed(stream);
}

ClairStatus
stream_open_decompressed(ClairStream *below, int64_t max_size, const char *setting,
						 int64_t max_ratio, ClairStream **stream, ClairError *error)
{
	DecompressedStream *opened = calloc(1, sizeof(DecompressedStream));
	ClairStatus status;

	if (opened == NULL)
		return out_of_memory(error);
	opened->below = below;
	opened->max_size = max_size;
	opened->max_ratio = max_ratio;
	opened->setting = setting;
	opened->stream.close = decompressed_close;
	status = look_at_start(opened, error);
	if (status == CLAIR_OK)
		opened->codec = find_codec(opened->input);
	if (status == CLAIR_OK && opened->codec != NULL)
	{
		opened->stream.read = decompressed_read;
		opened->output = malloc(PIECE_SIZE);
		opened->decoder = opened->codec->create();
		if (opened->output == NULL || opened->decoder == NULL)
			status = out_of_memory(error);
	}
	else
	{
		opened->stream.read = plain_read;
		opened->stream.skip = below->skip != NULL ? plain_skip : NULL;
	}
	if (status == CLAIR_OK)
		*stream = &opened->stream;
	else
		free_decompressed(opened);
	return status;
}

const char *
stream_compression(const ClairStream *decompressed)
{
	const Codec *codec = ((const DecompressedStream *) decompressed)->codec;

	return codec != NULL ? codec->name : NULL;
}

const char *
stream_recognise(ClairBytes start)
{
	const Codec *codec = find_codec(start);

	return codec != NULL ? codec->name : NULL;
}

ClairStatus
stream_drain(ClairStream *stream, int64_t *size, ClairError *error)
{
	ClairBytes piece;
	ClairStatus status;

	*size = 0;
	while ((status = stream->read(stream, &piece, error)) == CLAIR_OK && piece.size > 0)
		*size += (int64_t) piece.size;
	return status;
}
