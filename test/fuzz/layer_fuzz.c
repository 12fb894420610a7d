/* Fuzzes the walk over a layer, with the passes that links cause, compressed or not. */
#include "common/stream.h"
#include "image/image.h"
#include "image/layer.h"
#include "image_fuzz.h"

#define DETECTORS "a 1 var/lib/dpkg/status\na 1 etc/*\nb 2 usr/**/lib*\nb 2 opt/**\n"
#define DIFF_ID	  "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

extern int LLVMFuzzerInitialize(int *argc, char ***argv);
extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	ClairError error;

	(void) argc;
	(void) argv;
	if (digest_initialize(&error) != CLAIR_OK || image_initialize(&error) != CLAIR_OK)
		abort();
	return 0;
}

static ClairStatus
walk(Layer *layer, ClairBytes bytes, const ClairLimits *limits, ClairError *error)
{
	ClairStream *stored;
	ClairStream *tar;
	int64_t rest;
	ClairStatus status = stream_open_bytes(bytes, &stored, error);

	if (status != CLAIR_OK)
		return status;
	status = stream_open_decompressed(stored, limits->max_layer_size, "clair.max_layer_size",
									  limits->max_ratio, &tar, error);
	if (status != CLAIR_OK)
	{
		stored->close(stored);
		return status;
	}
	status = layer_walk(layer, tar, error);
	if (status == CLAIR_OK)
		status = stream_drain(tar, &rest, error);
	tar->close(tar);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	Arena *arena = arena_create((size_t) 64 << 20);
	TextMap known = {.arena = arena};
	TextMap sent = {.arena = arena};
	Detectors *detectors;
	Layer *layer;
	ClairError error;
	bool another_pass = true;
	char *tar = fuzz_tar(data, size);
	ClairStatus status;

	limits.max_layer_size = 64 << 20;
	limits.max_file_size = 16 << 20;
	detectors_read(arena, clair_bytes(DETECTORS), &detectors, &error);
	status = layer_create(&limits, detectors, size % 2 == 1, &layer, &error);
	while (status == CLAIR_OK && another_pass)
	{
		status = walk(layer, (ClairBytes){tar, size}, &limits, &error);
		if (status == CLAIR_OK)
			status = layer_follow_links(layer, &another_pass, &error);
	}
	if (status == CLAIR_OK)
		status = layer_send(layer, DIFF_ID, &known, &fuzz_sink, &error);
	if (status == CLAIR_OK)
		status = layer_send_files(layer, &sent, &fuzz_sink, &error);
	layer_destroy(layer);
	arena_destroy(arena);
	free(tar);
	return 0;
}
