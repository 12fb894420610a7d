/*
 * export.c
 *    Writes an export, compressed with zstd; see export.h.
 *
 * The server composes the lines, of which each ends with a line feed, and sends them in pieces of
 * any size. The file's own checksum finds what a disk has damaged, the last line what is missing.
 */
#include "reader/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "common/digest.h"
#include "common/fault.h"
#include "feed/export_file.h"

#define COMPRESSION_LEVEL 3
#define OUTPUT_SIZE		  ((size_t) 64 << 10)
#define PREFIX_SIZE		  (sizeof("sha256:") - 1)

typedef struct ExportWriter
{
	int descriptor;
	ZSTD_CCtx *compressor;
	Digest *digest;
	int64_t lines;
	char output[OUTPUT_SIZE];
} ExportWriter;

static ClairStatus
write_all(const ExportWriter *writer, size_t size, ClairError *error)
{
	for (size_t written = 0; written < size;)
	{
		ssize_t result = write(writer->descriptor, writer->output + written, size - written);

		if (result > 0)
			written += (size_t) result;
		else if (result == 0 || errno != EINTR)
		{
			int reason = result == 0 ? ENOSPC : errno;

			clair_error(error, CLAIR_IO, "could not write the export: %s", strerror(reason));
			if (reason == ENOSPC || reason == EDQUOT)
				clair_error_hint(error, "Make room where the export is to be.");
			return error->status;
		}
	}
	return CLAIR_OK;
}

/* Compresses bytes, and writes what comes of that; at the end, all that is left. */
static ClairStatus
compress_bytes(ExportWriter *writer, ClairBytes bytes, bool is_end, ClairError *error)
{
	ZSTD_inBuffer input = {bytes.data, bytes.size, 0};
	size_t left;

	do
	{
		ZSTD_outBuffer output = {writer->output, OUTPUT_SIZE, 0};

		left = ZSTD_compressStream2(writer->compressor, &output, &input,
									is_end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return clair_error(error, CLAIR_MEMORY, "could not compress the export: %s",
							   ZSTD_getErrorName(left));
		if (write_all(writer, output.pos, error) != CLAIR_OK)
			return error->status;
	} while (is_end ? left > 0 : input.pos < input.size);
	return CLAIR_OK;
}

static ClairStatus
take_piece(ExportWriter *writer, ClairBytes piece, ClairError *error)
{
	const char *feed = piece.data;
	const char *end = piece.data + piece.size;

	while (feed < end && (feed = memchr(feed, '\n', (size_t) (end - feed))) != NULL)
	{
		writer->lines++;
		feed++;
	}
	digest_update(writer->digest, piece);
	return compress_bytes(writer, piece, false, error);
}

static ClairStatus
write_pieces(ExportWriter *writer, Connection *connection, ClairError *error)
{
	ConnectionFrame frame;
	char digest[DIGEST_TEXT_SIZE];
	char end[128];
	int size;

	for (;;)
	{
		if (connection_receive(connection, &frame, error) != CLAIR_OK)
			return error->status;
		if (frame.type == WIRE_START)
			break;
		if (frame.type != WIRE_WRITE)
			return clair_error(error, CLAIR_PROTOCOL, "the server sent an unexpected frame");
		for (uint32_t i = 0; i < frame.count; i++)
			if (frame.fields[i].size > 0 && take_piece(writer, frame.fields[i], error) != CLAIR_OK)
				return error->status;
	}
	FAULT_POINT("reader-export-written");
	digest_finish(writer->digest, digest);
	size = snprintf(end, sizeof(end), EXPORT_END "%" PRId64 ",\"sha256\":\"%s\"}\n", writer->lines,
					digest + PREFIX_SIZE);
	return compress_bytes(writer, (ClairBytes){end, (size_t) size}, true, error);
}

ClairStatus
export_write(Connection *connection, int descriptor, ClairError *error)
{
	ExportWriter writer = {.lines = 0};
	ClairStatus status;

	writer.descriptor = descriptor;
	writer.compressor = ZSTD_createCCtx();
	writer.digest = digest_create(DIGEST_SHA256);
	if (writer.compressor == NULL || writer.digest == NULL ||
		ZSTD_isError(ZSTD_CCtx_setParameter(writer.compressor, ZSTD_c_compressionLevel,
											COMPRESSION_LEVEL)) ||
		ZSTD_isError(ZSTD_CCtx_setParameter(writer.compressor, ZSTD_c_checksumFlag, 1)))
		status = clair_error(error, CLAIR_MEMORY, "out of memory");
	else
		status = write_pieces(&writer, connection, error);
	ZSTD_freeCCtx(writer.compressor);
	digest_destroy(writer.digest);
	return status;
}
