/*
 * image_fuzz.c
 *    Images: archives of any kind ("image"), and the directory of an OCI layout
 * ("image_directory").
 *
 * The parts of an input are letters that say how it is to be taken (D: a Docker layer, A: an ACI,
 * d: its digest is claimed), the platform, what detectors want, and the bytes (fuzz.h has tars).
 * A directory is the files of a tar.
 */
#include <stdio.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/text.h"
#include "fuzz.h"
#include "image/image.h"

#define BLOCK		512
#define NAME_SIZE	100
#define SIZE_OFFSET 124

/* The path, in an OCI layout, of what the reader calls so; NULL for what the server refuses. */
static const char *
blob_path(ClairBytes name, char path[NAME_SIZE + 1])
{
	DigestAlgorithm algorithm;

	if (digest_parse(name, &algorithm))
		snprintf(path, NAME_SIZE + 1, "blobs/sha%s/%.*s",
				 algorithm == DIGEST_SHA256 ? "256" : "512", (int) name.size - 7, name.data + 7);
	else if (clair_bytes_equal(name, CLAIR_LITERAL("oci-layout")) ||
			 clair_bytes_equal(name, CLAIR_LITERAL("index.json")))
		snprintf(path, NAME_SIZE + 1, "%.*s", (int) name.size, name.data);
	else
		return NULL;
	return path;
}

/* Opens a file of the tar. */
static ClairStatus
open_blob(void *context, ClairBytes name, int *descriptor, ClairError *error)
{
	ClairBytes tar = *(const ClairBytes *) context;
	char path[NAME_SIZE + 1];

	require(blob_path(name, path) != NULL);
	while (tar.size >= BLOCK && tar.data[0] != '\0')
	{
		char digits[13] = {0};
		size_t size;

		memcpy(digits, tar.data + SIZE_OFFSET, 12);
		size = strtoull(digits, NULL, 8);
		if (size > tar.size - BLOCK)
			break;
		if (strncmp(tar.data, path, NAME_SIZE) == 0)
		{
			*descriptor = fuzz_file((ClairBytes){tar.data + BLOCK, size});
			return CLAIR_OK;
		}
		size = BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
		tar = clair_bytes_skip(tar, size < tar.size ? size : tar.size);
	}
	return clair_error(error, CLAIR_MISSING, "there is no such file");
}

static void
index_input(const uint8_t *data, size_t size, bool directory)
{
	ClairBytes parts[5] = {CLAIR_LITERAL(""), CLAIR_LITERAL(""), CLAIR_LITERAL(""),
						   CLAIR_LITERAL("")};
	size_t count = fuzz_split((ClairBytes){(const char *) data, size}, 0, parts, 5);
	ClairBytes content = fuzz_content(parts[3], 1);
	ClairBytes platform = fuzz_copy(text_is_valid(parts[1]) ? parts[1] : CLAIR_LITERAL("all"));
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairSink sink = fuzz_image_sink;
	char digest[DIGEST_TEXT_SIZE];
	ClairError error = {.status = CLAIR_OK};
	ImageJob job = {.input = fuzz_file(content),
					.directory = directory,
					.platform = platform.size > 0 ? platform.data : NULL,
					.architecture = "amd64",
					.detectors = text_is_valid(parts[2]) ? parts[2] : CLAIR_NULL_BYTES};

	if (count >= 4)
	{
		if (memchr(parts[0].data, 'D', parts[0].size) != NULL)
			job.layer_format = "Docker";
		else if (memchr(parts[0].data, 'A', parts[0].size) != NULL)
			job.layer_format = "ACI";
		if (memchr(parts[0].data, 'd', parts[0].size) != NULL &&
			digest_of(DIGEST_SHA256, content, digest, &error) == CLAIR_OK)
			job.digest = digest;
		limits.max_layer_size = 64 << 20;
		limits.max_file_size = 16 << 20;
		sink.context = &content;
		sink.blob = open_blob;
		if (image_index(&job, &limits, &sink, &error) != CLAIR_OK)
			require(error.status != CLAIR_OK && error.message[0] != '\0');
	}
	close(job.input);
	free((char *) content.data);
	free((char *) platform.data);
}

FUZZ_TARGET(image)
{
	index_input(data, size, false);
	return 0;
}

FUZZ_TARGET(image_directory)
{
	index_input(data, size, true);
	return 0;
}
