/*
 * layer_fuzz.c
 *    The walk over a layer, with the passes that links cause, compressed or not.
 *
 * The parts of an input are what detectors want, lines as detectors_read() takes them, with an "A"
 * in front when the tar is an appc image; and the tar (fuzz.h).
 */
#include "common/stream.h"
#include "common/text.h"
#include "fuzz.h"
#include "image/layer.h"

#define DIFF_ID "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

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

FUZZ_TARGET(layer)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	Arena *arena = arena_create((size_t) 64 << 20);
	TextMap known = {.arena = arena};
	TextMap sent = {.arena = arena};
	Detectors *detectors;
	Layer *layer = NULL;
	ClairError error;
	bool another_pass = true;
	ClairBytes parts[2] = {CLAIR_LITERAL(""), CLAIR_LITERAL("")};
	size_t count = fuzz_split((ClairBytes){(const char *) data, size}, 0, parts, 2);
	ClairBytes tar = fuzz_content(parts[count - 1], 1);
	bool is_appc;
	ClairStatus status;

	limits.max_layer_size = 64 << 20;
	limits.max_file_size = 16 << 20;
	if (count == 1 || !text_is_valid(parts[0]))
		parts[0] = CLAIR_LITERAL("");
	is_appc = clair_bytes_start_with(parts[0], CLAIR_LITERAL("A"));
	status = detectors_read(arena, clair_bytes_skip(parts[0], is_appc), &detectors, &error);
	if (status == CLAIR_OK)
		status = layer_create(&limits, detectors, is_appc, &layer, &error);
	while (status == CLAIR_OK && another_pass)
	{
		status = walk(layer, tar, &limits, &error);
		if (status == CLAIR_OK)
			status = layer_follow_links(layer, &another_pass, &error);
	}
	if (status == CLAIR_OK)
		status = layer_send(layer, DIFF_ID, &known, &fuzz_image_sink, &error);
	if (status == CLAIR_OK)
		status = layer_send_files(layer, &sent, &fuzz_image_sink, &error);
	layer_destroy(layer);
	arena_destroy(arena);
	free((char *) tar.data);
	return 0;
}
