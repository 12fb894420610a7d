/* Proves that streams give back what was stored, and stop at what is broken or too much. */
#include <bzlib.h>
#include <fcntl.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "common/stream.h"
#include "unit.h"

#define TEXT_SIZE 700000

static char text[TEXT_SIZE];

/* A stream that lends a few bytes at a time, to prove that pieces may be of any size. */
typedef struct DripStream
{
	ClairStream stream;
	ClairBytes rest;
	size_t step;
} DripStream;

static ClairStatus
drip_read(ClairStream *stream, ClairBytes *piece, ClairError *error)
{
	DripStream *drip = (DripStream *) stream;

	(void) error;
	*piece = drip->rest;
	if (piece->size > drip->step)
		piece->size = drip->step;
	drip->rest = clair_bytes_skip(drip->rest, piece->size);
	return CLAIR_OK;
}

static void
drip_close(ClairStream *stream)
{
	(void) stream;
}

static size_t
gzip(ClairBytes input, char *output, size_t size)
{
	z_stream zlib = {.next_in = (Bytef *) (uintptr_t) input.data,
					 .avail_in = (uInt) input.size,
					 .next_out = (Bytef *) output,
					 .avail_out = (uInt) size};

	deflateInit2(&zlib, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
	deflate(&zlib, Z_FINISH);
	deflateEnd(&zlib);
	return size - zlib.avail_out;
}

static size_t
bzip2(ClairBytes input, char *output, size_t size)
{
	unsigned int produced = (unsigned int) size;

	BZ2_bzBuffToBuffCompress(output, &produced, (char *) (uintptr_t) input.data,
							 (unsigned int) input.size, 1, 0, 0);
	return produced;
}

static size_t
xz(ClairBytes input, char *output, size_t size)
{
	size_t produced = 0;

	lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, (const uint8_t *) input.data, input.size,
							(uint8_t *) output, &produced, size);
	return produced;
}

static size_t
zstd(ClairBytes input, char *output, size_t size)
{
	return ZSTD_compress(output, size, input.data, input.size, 3);
}

/* Reads all of a decompressed stream and compares; -1: different, else the status. */
static int
read_through(ClairBytes stored, size_t step, ClairBytes expected, int64_t max_size,
			 int64_t max_ratio, ClairError *error)
{
	DripStream drip = {{.read = drip_read, .close = drip_close}, stored, step};
	ClairStream *stream;
	ClairBytes piece;
	bool same = true;
	size_t at = 0;
	ClairStatus status = stream_open_decompressed(&drip.stream, max_size, "clair.max_test",
												  max_ratio, &stream, error);

	if (status != CLAIR_OK)
		return (int) status;
	while ((status = stream->read(stream, &piece, error)) == CLAIR_OK && piece.size > 0)
	{
		if (piece.size > expected.size - at || memcmp(piece.data, expected.data + at, piece.size))
		{
			same = false;
			break;
		}
		at += piece.size;
	}
	stream->close(stream);
	if (status != CLAIR_OK)
		return (int) status;
	return same && at == expected.size ? 0 : -1;
}

static int
reads(ClairBytes stored, ClairBytes expected, ClairError *error)
{
	return read_through(stored, SIZE_MAX, expected, INT64_MAX, 1000, error);
}

static void
test_format(const char *name, size_t (*compress)(ClairBytes, char *, size_t))
{
	static char stored[2 * TEXT_SIZE + 4096];
	ClairBytes half = {text, TEXT_SIZE / 2};
	ClairBytes other = {text + TEXT_SIZE / 2, TEXT_SIZE - TEXT_SIZE / 2};
	ClairBytes whole = {text, TEXT_SIZE};
	ClairError error;
	size_t size = compress(whole, stored, sizeof(stored));
	size_t step = size / 97 + 1;
	bool truncations = true;
	char what[100];

	printf("# %s\n", name);
	CHECK_INT(reads((ClairBytes){stored, size}, whole, &error), 0, "one member");
	CHECK_INT(read_through((ClairBytes){stored, size}, 1, whole, INT64_MAX, 1000, &error), 0,
			  "one member, byte by byte");
	for (size_t cut = 6; cut < size; cut += step)
		truncations &= reads((ClairBytes){stored, cut}, whole, &error) == CLAIR_INVALID &&
					   strstr(error.message, "truncated") != NULL;
	truncations &= reads((ClairBytes){stored, size - 1}, whole, &error) == CLAIR_INVALID;
	CHECK(truncations, "wherever it is cut, it is truncated");
	stored[size / 2] ^= 0x10;
	snprintf(what, sizeof(what), "a flipped bit is seen");
	CHECK(reads((ClairBytes){stored, size}, whole, &error) != 0, what);
	stored[size / 2] ^= 0x10;
	CHECK_INT(read_through((ClairBytes){stored, size}, SIZE_MAX, whole, TEXT_SIZE - 1, 1000,
						   &error),
			  CLAIR_LIMIT, "more than the limit");
	CHECK(strstr(error.hint, "clair.max_test") != NULL, "the limit's setting is named");

	size = compress(half, stored, sizeof(stored));
	size += compress(other, stored + size, sizeof(stored) - size);
	CHECK_INT(reads((ClairBytes){stored, size}, whole, &error), 0, "two members");
	CHECK_INT(read_through((ClairBytes){stored, size}, 5, whole, INT64_MAX, 1000, &error), 0,
			  "two members in small pieces");
	memset(stored + size, 0, 512);
	CHECK_INT(reads((ClairBytes){stored, size + 512}, whole, &error), 0, "zeros after the end");
	memcpy(stored + size, "garbage, and no zeros", 21);
	CHECK_INT(reads((ClairBytes){stored, size + 21}, whole, &error), CLAIR_INVALID,
			  "other bytes after the end");
}

static void
test_gzip_trailer(void)
{
	static char stored[TEXT_SIZE];
	ClairBytes whole = {text, 1000};
	ClairError error;
	size_t size = gzip(whole, stored, sizeof(stored));

	stored[size - 5] ^= 1;
	CHECK_INT(reads((ClairBytes){stored, size}, whole, &error), CLAIR_INVALID, "a wrong CRC");
	stored[size - 5] ^= 1;
	stored[size - 1] ^= 1;
	CHECK_INT(reads((ClairBytes){stored, size}, whole, &error), CLAIR_INVALID, "a wrong length");
}

/* Headers with optional parts, whole and cut, in one piece and byte by byte; and bad blocks. */
static void
test_gzip_headers(void)
{
	static const char all_parts[] = "\x1f\x8b\x08\x1e\0\0\0\0\0\xff"
									"\x03\0abc"
									"name\0"
									"comment\0";
	static const char lost_count[] = "\x1f\x8b\x08\x00\xfb\x00\x00\x04\x00\x00\xfb\x3f\x1f\x8b"
									 "\x08\x00\xfb\x32\x00\xfb\x00\x04\x01\x00\x00\x08\xdc\x90";
	static const char reserved_flag[] = "\x1f\x8b\x08\xfb\0\0\0\0\0\xff\xff\xff";
	char written[TEXT_SIZE];
	char stored[TEXT_SIZE];
	ClairBytes whole = {text, 1000};
	ClairError error;
	size_t header = sizeof(all_parts) - 1;
	uint32_t crc = (uint32_t) crc32(0, (const Bytef *) all_parts, (uInt) header);
	size_t size = gzip(whole, written, sizeof(written));

	/* The member that zlib wrote has a header of 10 bytes: another in place of it. */
	memcpy(stored + header + 2, written + 10, size - 10);
	memcpy(stored, all_parts, header);
	stored[header] = (char) (crc & 0xFF);
	stored[header + 1] = (char) (crc >> 8 & 0xFF);
	size += header + 2 - 10;
	CHECK_INT(reads((ClairBytes){stored, size}, whole, &error), 0, "a header with all parts");
	CHECK_INT(read_through((ClairBytes){stored, size}, 1, whole, INT64_MAX, 1000, &error), 0,
			  "byte by byte");
	for (size_t cut = 1; cut < header + 2; cut++)
	{
		if (cut >= 3 && reads((ClairBytes){stored, cut}, whole, &error) != CLAIR_INVALID)
			CHECK_INT(cut, 0, "a cut header is an error");
	}
	stored[header] ^= 1;
	CHECK_INT(reads((ClairBytes){stored, size}, whole, &error), CLAIR_INVALID,
			  "the header's checksum counts");
	CHECK_INT(reads((ClairBytes){lost_count, sizeof(lost_count) - 1}, whole, &error), CLAIR_INVALID,
			  "a block after which isa-l counts below zero");
	CHECK_INT(reads((ClairBytes){reserved_flag, sizeof(reserved_flag) - 1}, whole, &error),
			  CLAIR_INVALID, "unknown flags");
}

static void
test_zstd_frames(void)
{
	static char stored[TEXT_SIZE];
	static const char skippable[] = "\x5a\x2a\x4d\x18\x04\0\0\0skip";
	ClairBytes whole = {text, 1000};
	ClairError error;
	size_t size = sizeof(skippable) - 1;

	memcpy(stored, skippable, size);
	size += zstd(whole, stored + size, sizeof(stored) - size);
	memcpy(stored + size, skippable, sizeof(skippable) - 1);
	size += sizeof(skippable) - 1;
	CHECK_INT(reads((ClairBytes){stored, size}, whole, &error), 0, "skippable frames around");
}

static void
test_memory(void)
{
	static char stored[TEXT_SIZE];
	lzma_options_lzma options;
	lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
	size_t size = 0;
	ClairError error;
	/* A frame header: a window of 2^30, no content size, then an empty last block. */
	static const char frame[] = "\x28\xb5\x2f\xfd\0\xa0\x01\0\0";

	lzma_lzma_preset(&options, 0);
	options.dict_size = 256u << 20;
	if (lzma_stream_buffer_encode(filters, LZMA_CHECK_NONE, NULL, (const uint8_t *) text, 1000,
								  (uint8_t *) stored, &size, sizeof(stored)) != LZMA_OK)
		printf("# SKIP: the encoder could not have its memory\n");
	else
	{
		CHECK_INT(reads((ClairBytes){stored, size}, (ClairBytes){text, 1000}, &error), CLAIR_LIMIT,
				  "xz with a dictionary of 256 MB");
	}
	CHECK_INT(reads((ClairBytes){frame, sizeof(frame) - 1}, CLAIR_LITERAL(""), &error), CLAIR_LIMIT,
			  "zstd with a window of 1 GB");
}

static void
test_ratio(void)
{
	size_t size = (size_t) 120 << 20;
	char *zeros = calloc(1, size);
	char *stored = malloc(size);
	ClairError error;
	size_t packed = gzip((ClairBytes){zeros, size}, stored, size);

	CHECK_INT(read_through((ClairBytes){stored, packed}, 4096, (ClairBytes){zeros, size}, INT64_MAX,
						   2000, &error),
			  0, "a ratio within the limit");
	CHECK_INT(read_through((ClairBytes){stored, packed}, 4096, (ClairBytes){zeros, size}, INT64_MAX,
						   500, &error),
			  CLAIR_LIMIT, "a ratio beyond the limit");
	CHECK(strstr(error.hint, "clair.max_ratio") != NULL, "its setting is named");
	free(stored);
	free(zeros);
}

static void
test_plain(void)
{
	ClairError error;
	bool all = true;

	for (size_t size = 0; size < 20; size++)
		for (size_t step = 1; step < 8; step++)
			all &= read_through((ClairBytes){text, size}, step, (ClairBytes){text, size}, INT64_MAX,
								1000, &error) == 0;
	CHECK(all, "bytes that are not compressed pass, in pieces of any size");
	CHECK_INT(read_through((ClairBytes){text, 20}, 3, (ClairBytes){text, 20}, 19, 1000, &error),
			  CLAIR_LIMIT, "but not more than the limit");
}

static void
test_file(void)
{
	char path[] = "/tmp/clair_stream_XXXXXX";
	int descriptor = mkstemp(path);
	ClairError error;
	ClairStream *stream;
	ClairBytes piece;
	int64_t size = 0;
	Digest *digest = digest_create(DIGEST_SHA256);
	char is[DIGEST_TEXT_SIZE];
	char expected[DIGEST_TEXT_SIZE];

	unlink(path);
	CHECK(write(descriptor, text, TEXT_SIZE) == TEXT_SIZE, "a file is written");
	CHECK_INT(stream_open_file(descriptor, 100, -1, &stream, &error), CLAIR_OK, "opened");
	CHECK_INT(stream_open_digest(stream, digest, &stream, &error), CLAIR_OK, "with a digest");
	CHECK_INT(stream_drain(stream, &size, &error), CLAIR_OK, "read");
	CHECK_INT(size, TEXT_SIZE - 100, "to its end");
	stream->close(stream);
	digest_finish(digest, is);
	digest_of(DIGEST_SHA256, (ClairBytes){text + 100, TEXT_SIZE - 100}, expected, &error);
	CHECK_TEXT(clair_bytes(is), expected, "the digest is that of the bytes");
	digest_destroy(digest);

	CHECK_INT(stream_open_file(descriptor, 10, 20, &stream, &error), CLAIR_OK, "a part of it");
	CHECK(stream->skip(stream, 5, &size, &error) == CLAIR_OK && size == 5, "skips");
	CHECK(stream->read(stream, &piece, &error) == CLAIR_OK && piece.size == 15 &&
			  memcmp(piece.data, text + 15, 15) == 0,
		  "and reads on");
	CHECK(stream->skip(stream, 5, &size, &error) == CLAIR_OK && size == 0, "not beyond the end");
	stream->close(stream);
	CHECK_INT(stream_open_file(descriptor, 10, TEXT_SIZE, &stream, &error), CLAIR_INVALID,
			  "not more than the file has");
	close(descriptor);
}

int
main(void)
{
	ClairError error;
	uint32_t random = 1;

	/* Text that compresses, but not to nothing. */
	for (size_t i = 0; i < TEXT_SIZE; i++)
	{
		random = random * 1664525u + 1013904223u;
		text[i] = (char) ('a' + (random >> 28));
	}
	digest_initialize(&error);
	test_format("gzip", gzip);
	test_format("bzip2", bzip2);
	test_format("xz", xz);
	test_format("zstd", zstd);
	test_gzip_trailer();
	test_gzip_headers();
	test_zstd_frames();
	test_memory();
	test_ratio();
	test_plain();
	test_file();
	return unit_result();
}
