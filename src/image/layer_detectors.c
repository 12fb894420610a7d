/*
 * layer_detectors.c
 *    What of a layer is kept for detectors: the files that they want, and what hides such files.
 *
 * A pattern is held against the path at which the layer has a file. Links are not followed: a file
 * is found where it lies. A symbolic link at a wanted path hides what a lower layer has there, and
 * is no file; so does anything but a directory at a directory above such a path. What lies at the
 * directories that a "**" stands for is not kept, for it can be anything: only whiteouts tell there
 * that a directory is gone.
 *
 * A layer has no end of files that match, should somebody want that; so there are bounds, and what
 * goes beyond them is left out and told, but never keeps the layer from being read.
 */
#include "image/layer.h"

#include <inttypes.h>
#include <stdlib.h>

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

static ClairStatus
leave_out(LayerEntry *entry, ClairBytes reason, ClairError *error)
{
	entry->left_out = reason;
	return reason.data != NULL ? CLAIR_OK : out_of_memory(error);
}

ClairStatus
layer_detect(Layer *layer, ClairBytes path, LayerEntryType type, DetectorSet *wanting,
			 bool *matters, ClairError *error)
{
	GlobMatch match;
	bool is_file = type == LAYER_FILE || type == LAYER_HARDLINK;
	int64_t detections;

	*matters = false;
	*wanting = 0;
	if (layer->detectors->count == 0)
		return CLAIR_OK;
	*wanting = detectors_match(layer->detectors, path, &match);
	if (type == LAYER_WHITEOUT || type == LAYER_OPAQUE)
		*matters = match != GLOB_NONE;
	else
		*matters = match == GLOB_MATCH || (match == GLOB_ABOVE && type != LAYER_DIRECTORY);
	if (!*matters || !is_file)
		*wanting = 0;
	detections = *wanting != 0 ? __builtin_popcountll(*wanting) : *matters;
	if (detections <= WIRE_MAX_DETECTIONS - layer->detections)
	{
		layer->detections += detections;
		return CLAIR_OK;
	}
	*matters = false;
	*wanting = 0;
	if (layer->left_out.data == NULL)
		layer->left_out = arena_copy(layer->arena, path);
	return layer->left_out.data != NULL ? CLAIR_OK : out_of_memory(error);
}

/* Whether a file of this size is too large, all those before it considered; sets the reason. */
static bool
is_too_large(Layer *layer, int64_t size, ClairBytes *reason)
{
	if (size > layer->limits->max_file_size)
		*reason = arena_printf(layer->arena,
							   "it has %" PRId64 " bytes, more than clair.max_file_size", size);
	else if (size > WIRE_MAX_DETECTOR_FILE - layer->files_size)
		*reason = arena_printf(layer->arena,
							   "with it, the layer has more than %" PRId64 " MB for detectors",
							   WIRE_MAX_DETECTOR_FILE >> 20);
	else
		return false;
	return true;
}

/* The digest by which the server knows what detectors say of a file. */
static ClairStatus
set_file_digest(LayerEntry *entry, ClairError *error)
{
	Digest *digest = digest_create(DIGEST_SHA256);

	if (digest == NULL)
		return out_of_memory(error);
	digest_update(digest, entry->path);
	digest_update(digest, (ClairBytes){"", 1});
	digest_update(digest, entry->bytes);
	digest_finish(digest, entry->file_digest);
	digest_destroy(digest);
	return CLAIR_OK;
}

ClairStatus
layer_keep_file(Layer *layer, LayerEntry *entry, ClairBytes bytes, ClairError *error)
{
	ClairBytes reason;

	if (is_too_large(layer, (int64_t) bytes.size, &reason))
		return leave_out(entry, reason, error);
	layer->files_size += (int64_t) bytes.size;
	if (bytes.data == NULL)
		bytes.data = "";
	entry->bytes = arena_copy(layer->files_arena, bytes);
	if (entry->bytes.data == NULL)
		return out_of_memory(error);
	return set_file_digest(entry, error);
}

ClairStatus
layer_read_file(Layer *layer, Entries *tar, const Entry *header, LayerEntry *entry,
				ClairError *error)
{
	ClairBytes reason;
	char *content;
	size_t size;
	ClairStatus status;

	if (is_too_large(layer, header->size, &reason))
		return leave_out(entry, reason, error);
	if (header->sparse)
		return leave_out(entry, CLAIR_LITERAL("it is stored as a sparse file"), error);
	status = layer_read_content(tar, header, layer->limits, &content, &size, error);
	if (status == CLAIR_OK)
		status = layer_keep_file(layer, entry, (ClairBytes){content, size}, error);
	free(content);
	if (status != CLAIR_OK)
		clair_error_in(error, "%.*s", (int) entry->path.size, entry->path.data);
	return status;
}

ClairStatus
layer_keep_linked(Layer *layer, LayerEntry *entry, const LayerEntry *file, ClairError *error)
{
	if (file == NULL || file->bytes.data == NULL)
		return leave_out(entry,
						 arena_printf(layer->arena,
									  "it is a hard link to \"%.*s\", which was not read",
									  (int) entry->target.size, entry->target.data),
						 error);
	entry->bytes = file->bytes;
	return set_file_digest(entry, error);
}
