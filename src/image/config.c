/*
 * config.c
 *    Reads an image's config (OCI image-spec, config.md; Docker's is the same).
 */
#include <inttypes.h>

#include "image/document.h"
#include "image/outline.h"

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

/* A copy of a text member; empty when there is none. False when exhausted. */
static bool
copy_text(Arena *arena, struct json_object *object, const char *key, ClairBytes *copy)
{
	ClairBytes text = document_text(object, key);

	*copy = text.data != NULL ? arena_copy(arena, text) : CLAIR_LITERAL("");
	return copy->data != NULL;
}

/*
 * Whether a digest is a placeholder, all zeros, as some builders write: it claims nothing,
 * and the layer's own digest takes its place.
 */
static bool
is_placeholder(ClairBytes digest)
{
	size_t hex = (size_t) ((const char *) memchr(digest.data, ':', digest.size) - digest.data) + 1;

	for (; hex < digest.size; hex++)
	{
		if (digest.data[hex] != '0')
			return false;
	}
	return true;
}

static ClairStatus
read_diff_ids(Outline *outline, struct json_object *config, Image *image, ClairError *error)
{
	struct json_object *rootfs = document_member(config, "rootfs", json_type_object);
	struct json_object *diff_ids = document_member(rootfs, "diff_ids", json_type_array);

	if (document_length(diff_ids) != image->layer_count)
		return clair_error(error, CLAIR_INVALID,
						   "it has %zu diff ids, but the manifest has %zu layers",
						   document_length(diff_ids), image->layer_count);
	for (size_t i = 0; i < image->layer_count; i++)
	{
		ClairBytes diff_id = document_string(json_object_array_get_idx(diff_ids, i));
		DigestAlgorithm algorithm;

		if (diff_id.data == NULL || !digest_parse(diff_id, &algorithm))
			return clair_error(error, CLAIR_INVALID, "diff id %zu is not a digest", i + 1);
		if (is_placeholder(diff_id))
			continue;
		image->layers[i].diff_id = arena_copy(outline->arena, diff_id);
		if (image->layers[i].diff_id.data == NULL)
			return out_of_memory(error);
	}
	return CLAIR_OK;
}

static bool
is_empty_layer(struct json_object *entry)
{
	return json_object_get_boolean(document_member(entry, "empty_layer", json_type_boolean));
}

/* The history's entries that made layers are the layers' commands, if there are as many. */
static ClairStatus
read_history(Outline *outline, struct json_object *config, Image *image, ClairError *error)
{
	struct json_object *history = document_member(config, "history", json_type_array);
	size_t entries = document_length(history);
	size_t layers = 0;

	for (size_t i = 0; i < entries; i++)
		layers += is_empty_layer(json_object_array_get_idx(history, i)) ? 0 : 1;
	if (layers != image->layer_count)
		return CLAIR_OK;
	layers = 0;
	for (size_t i = 0; i < entries; i++)
	{
		struct json_object *entry = json_object_array_get_idx(history, i);
		ClairBytes command = document_text(entry, "created_by");

		if (is_empty_layer(entry))
			continue;
		if (command.data != NULL && command.size <= OUTLINE_MAX_COMMAND)
		{
			image->layers[layers].command = arena_copy(outline->arena, command);
			if (image->layers[layers].command.data == NULL)
				return out_of_memory(error);
		}
		layers++;
	}
	return CLAIR_OK;
}

static ClairStatus
read_config(Outline *outline, struct json_object *config, Image *image, ClairError *error)
{
	ClairStatus status;

	if (!json_object_is_type(config, json_type_object))
		return clair_error(error, CLAIR_INVALID, "not a JSON object");
	if (!copy_text(outline->arena, config, "os", &image->platform.os) ||
		!copy_text(outline->arena, config, "architecture", &image->platform.architecture) ||
		!copy_text(outline->arena, config, "variant", &image->platform.variant))
		return out_of_memory(error);
	status = read_diff_ids(outline, config, image, error);
	if (status == CLAIR_OK)
		status = read_history(outline, config, image, error);
	return status;
}

ClairStatus
config_read(Outline *outline, ClairBytes config, ClairBytes id, size_t layer_count, Image *image,
			ClairError *error)
{
	struct json_object *document;
	char digest[DIGEST_TEXT_SIZE];
	ClairStatus status;

	*image = (Image){.layer_count = layer_count};
	if (layer_count > (uint64_t) outline->limits->max_layers)
	{
		clair_error(error, CLAIR_LIMIT, "more than %" PRId64 " layers",
					outline->limits->max_layers);
		clair_error_hint(error, "The limit is the setting clair.max_layers.");
		return CLAIR_LIMIT;
	}
	if (id.data == NULL)
	{
		status = digest_of(DIGEST_SHA256, config, digest, error);
		if (status != CLAIR_OK)
			return status;
		id = clair_bytes(digest);
	}
	image->id = arena_copy(outline->arena, id);
	image->layers = arena_alloc_array(outline->arena, layer_count, sizeof(ImageLayer));
	if (image->id.data == NULL || image->layers == NULL)
		return out_of_memory(error);
	status = document_parse(config, &document, error);
	if (status == CLAIR_OK)
	{
		status = read_config(outline, document, image, error);
		json_object_put(document);
	}
	return status;
}
