/*
 * docker.c
 *    Images as "docker save" writes them, and others after it: "manifest.json".
 *
 * That file is an array of images, each with the name of its config, the names of its layers
 * and its tags. Layers are plain tars by the name of their diff id or below an own id, where
 * equal ones may be links to each other; some programs compress them. No digests are given
 * of what is stored, but of a plain tar the diff id is that digest.
 */
#include "common/text.h"
#include "image/document.h"
#include "image/outline.h"

static bool
docker_recognises(const Archive *archive)
{
	return !archive_is_directory(archive) && archive_has(archive, "manifest.json");
}

/* Reads "manifest.json"; the caller gives *manifest back. */
static ClairStatus
read_manifest(Outline *outline, struct json_object **manifest, ClairError *error)
{
	ClairBytes content;
	ClairStatus status = archive_read_file(outline->archive, CLAIR_LITERAL("manifest.json"),
										   &content, error);

	if (status == CLAIR_OK)
		status = document_parse(content, manifest, error);
	if (status == CLAIR_OK && !json_object_is_type(*manifest, json_type_array))
	{
		json_object_put(*manifest);
		status = clair_error(error, CLAIR_INVALID, "not a JSON array");
	}
	else if (status == CLAIR_OK && document_length(*manifest) > OUTLINE_MAX_IMAGES)
	{
		json_object_put(*manifest);
		status = clair_error(error, CLAIR_LIMIT, "more than %d images", OUTLINE_MAX_IMAGES);
	}
	if (status != CLAIR_OK)
		clair_error_in(error, "manifest.json");
	return status;
}

static ClairStatus
add_tags(Outline *outline, struct json_object *entry, Image *image, ClairError *error)
{
	struct json_object *tags = document_member(entry, "RepoTags", json_type_array);
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < document_length(tags) && status == CLAIR_OK; i++)
	{
		ClairBytes tag = document_string(json_object_array_get_idx(tags, i));

		if (tag.size > 0)
			status = outline_add_text(outline, &image->names, tag, error);
	}
	return status;
}

static ClairStatus
read_layers(Outline *outline, struct json_object *layers, Image *image, ClairError *error)
{
	for (size_t i = 0; i < image->layer_count; i++)
	{
		ImageLayer *layer = &image->layers[i];
		ClairBytes file = document_string(json_object_array_get_idx(layers, i));
		bool compressed = false;
		ClairStatus status;

		if (file.data == NULL)
			return clair_error(error, CLAIR_INVALID, "layer %zu is not the name of a file", i + 1);
		status = archive_is_compressed(outline->archive, file, &compressed, error);
		if (status != CLAIR_OK)
			return clair_error_in(error, "layer %zu: file \"%.*s\"", i + 1, (int) file.size,
								  file.data);
		layer->file = arena_copy(outline->arena, file);
		if (layer->file.data == NULL)
			return clair_error(error, CLAIR_MEMORY, "out of memory");
		layer->size = -1;
		if (!compressed)
			layer->stored_digest = layer->diff_id;
	}
	return CLAIR_OK;
}

static ClairStatus
read_image(Outline *outline, struct json_object *entry, Image *image, ClairError *error)
{
	struct json_object *layers = document_member(entry, "Layers", json_type_array);
	ClairBytes config = document_text(entry, "Config");
	ClairBytes content;
	ClairStatus status;

	if (config.data == NULL)
		return clair_error(error, CLAIR_INVALID, "it has no config");
	status = archive_read_file(outline->archive, config, &content, error);
	if (status == CLAIR_OK)
		status = config_read(outline, content, CLAIR_NULL_BYTES, document_length(layers), image,
							 error);
	if (status != CLAIR_OK)
		return clair_error_in(error, "config \"%.*s\"", (int) config.size, config.data);
	status = read_layers(outline, layers, image, error);
	if (status == CLAIR_OK)
		status = add_tags(outline, entry, image, error);
	return status;
}

static ClairStatus
read_images(Outline *outline, struct json_object *manifest, ClairError *error)
{
	size_t count = document_length(manifest);
	Image *images = arena_alloc_array(outline->arena, count, sizeof(Image));
	Platform *platforms = arena_alloc_array(outline->arena, count, sizeof(Platform));
	bool *chosen = arena_alloc_array(outline->arena, count, sizeof(bool));
	ClairStatus status = CLAIR_OK;

	if (images == NULL || platforms == NULL || chosen == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	if (count == 0)
		return clair_error(error, CLAIR_INVALID, "manifest.json: it has no images");
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		status = read_image(outline, json_object_array_get_idx(manifest, i), &images[i], error);
		if (status != CLAIR_OK)
			return clair_error_in(error, "manifest.json: image %zu", i + 1);
		platforms[i] = images[i].platform;
	}
	status = platform_choose(&outline->choice, platforms, count, chosen, error);
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		if (chosen[i])
			status = outline_add_image(outline, &images[i], error);
	}
	return status;
}

static ClairStatus
docker_outline(Outline *outline, ClairError *error)
{
	struct json_object *manifest;
	ClairStatus status = read_manifest(outline, &manifest, error);

	if (status != CLAIR_OK)
		return status;
	status = read_images(outline, manifest, error);
	json_object_put(manifest);
	return status;
}

/* The outline's image whose config is the blob of this name, or NULL. */
static Image *
find_image(const Outline *outline, ClairBytes config)
{
	for (size_t i = 0; i < outline->image_count; i++)
	{
		ClairBytes id = outline->images[i]->id;
		ClairBytes hex = clair_bytes_skip(id, id.size < 7 ? id.size : 7); /* "sha256:" */

		if (hex.size > 0 && clair_bytes_end_with(config, hex))
			return outline->images[i];
	}
	return NULL;
}

ClairStatus
docker_add_names(Outline *outline, ClairError *error)
{
	struct json_object *manifest;
	ClairStatus status = read_manifest(outline, &manifest, error);

	if (status != CLAIR_OK)
		return status;
	for (size_t i = 0; i < document_length(manifest) && status == CLAIR_OK; i++)
	{
		struct json_object *entry = json_object_array_get_idx(manifest, i);
		Image *image = find_image(outline, document_text(entry, "Config"));

		if (image != NULL)
			status = add_tags(outline, entry, image, error);
	}
	json_object_put(manifest);
	return status;
}

const ImageFormat image_format_docker = {
	.recognises = docker_recognises,
	.outline = docker_outline,
};
