/*
 * docker_legacy.c
 *    Images as "docker save" wrote them before Docker 1.10: "repositories".
 *
 * That file gives each name and tag the id of a layer, the top one of an image. "ID/json" says of
 * a layer which one is below it, its parent, and how it was made; "ID/layer.tar" is what it
 * contains. There is no config, so an image's id is the digest of its top layer's "json". Later
 * versions write all of this as well, beside "manifest.json", which is what counts then.
 */
#include <inttypes.h>

#include "common/digest.h"
#include "common/text.h"
#include "image/document.h"
#include "image/outline.h"

typedef struct Chain
{
	ImageLayer *layers; /* the top first */
	ClairBytes *ids;
	size_t count;
	size_t layer_capacity;
	size_t id_capacity;
} Chain;

/* The images and, of each, the id of its top layer. */
typedef struct Repositories
{
	Image images[OUTLINE_MAX_IMAGES];
	Platform platforms[OUTLINE_MAX_IMAGES];
	ClairBytes tops[OUTLINE_MAX_IMAGES];
	bool chosen[OUTLINE_MAX_IMAGES];
	size_t count;
} Repositories;

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

static bool
legacy_recognises(const Archive *archive)
{
	return !archive_is_directory(archive) && archive_has(archive, "repositories") &&
		   !archive_has(archive, "manifest.json");
}

/* The command that made a layer, its words parted by blanks; no value when it is not given. */
static ClairStatus
read_command(Outline *outline, struct json_object *json, ClairBytes *command, ClairError *error)
{
	struct json_object *config = document_member(json, "container_config", json_type_object);
	struct json_object *words = document_member(config, "Cmd", json_type_array);
	size_t size = 0;
	char *text;

	*command = CLAIR_NULL_BYTES;
	for (size_t i = 0; i < document_length(words); i++)
		size += document_string(json_object_array_get_idx(words, i)).size + 1;
	if (size == 0 || size > OUTLINE_MAX_COMMAND)
		return CLAIR_OK;
	text = arena_alloc(outline->arena, size);
	if (text == NULL)
		return out_of_memory(error);
	size = 0;
	for (size_t i = 0; i < document_length(words); i++)
	{
		ClairBytes word = document_string(json_object_array_get_idx(words, i));

		if (i > 0)
			text[size++] = ' ';
		if (word.size > 0)
			memcpy(text + size, word.data, word.size);
		size += word.size;
	}
	*command = (ClairBytes){text, size};
	return CLAIR_OK;
}

/* What the top layer says of the image. */
static ClairStatus
read_top(Outline *outline, ClairBytes content, struct json_object *json, Image *image,
		 ClairError *error)
{
	char digest[DIGEST_TEXT_SIZE];
	ClairBytes os = document_text(json, "os");
	ClairBytes architecture = document_text(json, "architecture");
	ClairStatus status = digest_of(DIGEST_SHA256, content, digest, error);

	if (status != CLAIR_OK)
		return status;
	image->id = arena_copy(outline->arena, clair_bytes(digest));
	image->platform.os = arena_copy(outline->arena, os);
	image->platform.architecture = arena_copy(outline->arena, architecture);
	if (image->id.data == NULL || (os.data != NULL && image->platform.os.data == NULL) ||
		(architecture.data != NULL && image->platform.architecture.data == NULL))
		return out_of_memory(error);
	return CLAIR_OK;
}

/* Adds a layer below those of the chain. */
static ClairStatus
add_layer(Outline *outline, ClairBytes id, Chain *chain, ClairError *error)
{
	ImageLayer *layers = arena_grow_array(outline->arena, chain->layers, chain->count + 1,
										  &chain->layer_capacity, sizeof(ImageLayer));
	ClairBytes *ids = arena_grow_array(outline->arena, chain->ids, chain->count + 1,
									   &chain->id_capacity, sizeof(ClairBytes));
	ImageLayer layer = {.size = -1};

	for (size_t i = 0; i < chain->count; i++)
	{
		if (clair_bytes_equal(chain->ids[i], id))
			return clair_error(error, CLAIR_INVALID, "it is a parent of itself");
	}
	if (chain->count >= (uint64_t) outline->limits->max_layers)
	{
		clair_error(error, CLAIR_LIMIT, "more than %" PRId64 " layers",
					outline->limits->max_layers);
		clair_error_hint(error, "The limit is the setting clair.max_layers.");
		return CLAIR_LIMIT;
	}
	layer.file = arena_printf(outline->arena, "%.*s/layer.tar", (int) id.size, id.data);
	if (layers == NULL || ids == NULL || layer.file.data == NULL)
		return out_of_memory(error);
	if (archive_order(outline->archive, layer.file) == 0)
		return clair_error(error, CLAIR_MISSING, "its layer.tar is not in the archive");
	chain->layers = layers;
	chain->ids = ids;
	chain->ids[chain->count] = id;
	chain->layers[chain->count++] = layer;
	return CLAIR_OK;
}

/* Reads the layer with this id; then *id is that of its parent, or has no value. */
static ClairStatus
read_layer(Outline *outline, ClairBytes *id, Chain *chain, Image *image, ClairError *error)
{
	ClairBytes file = arena_printf(outline->arena, "%.*s/json", (int) id->size, id->data);
	struct json_object *json;
	ClairBytes content;
	ClairBytes parent;
	ClairStatus status = add_layer(outline, *id, chain, error);

	if (status == CLAIR_OK && file.data == NULL)
		status = out_of_memory(error);
	if (status == CLAIR_OK)
		status = archive_read_file(outline->archive, file, &content, error);
	if (status == CLAIR_OK)
		status = document_parse(content, &json, error);
	if (status != CLAIR_OK)
		return status;
	if (chain->count == 1)
		status = read_top(outline, content, json, image, error);
	if (status == CLAIR_OK)
		status = read_command(outline, json, &chain->layers[chain->count - 1].command, error);
	parent = document_text(json, "parent");
	*id = parent.size > 0 ? arena_copy(outline->arena, parent) : CLAIR_NULL_BYTES;
	if (status == CLAIR_OK && parent.size > 0 && id->data == NULL)
		status = out_of_memory(error);
	json_object_put(json);
	return status;
}

/* Reads the image whose top layer has this id, following the parents down to the base. */
static ClairStatus
read_image(Outline *outline, ClairBytes top, Image *image, ClairError *error)
{
	Chain chain = {.count = 0};
	ClairBytes id = top;

	*image = (Image){.layer_count = 0};
	while (id.data != NULL)
	{
		ClairBytes current = id;
		ClairStatus status = read_layer(outline, &id, &chain, image, error);

		if (status != CLAIR_OK)
			return clair_error_in(error, "layer \"%.*s\"", (int) current.size, current.data);
	}
	for (size_t i = 0; i < chain.count / 2; i++)
	{
		ImageLayer layer = chain.layers[i];

		chain.layers[i] = chain.layers[chain.count - 1 - i];
		chain.layers[chain.count - 1 - i] = layer;
	}
	image->layers = chain.layers;
	image->layer_count = chain.count;
	return CLAIR_OK;
}

/* Gives a name to the image with this top layer, which is read unless it is there. */
static ClairStatus
add_name(Outline *outline, Repositories *repositories, ClairBytes top, ClairBytes name,
		 ClairError *error)
{
	size_t number = 0;

	while (number < repositories->count && !clair_bytes_equal(repositories->tops[number], top))
		number++;
	if (number == repositories->count)
	{
		ClairStatus status;

		if (number >= OUTLINE_MAX_IMAGES)
			return clair_error(error, CLAIR_LIMIT, "more than %d images", OUTLINE_MAX_IMAGES);
		status = read_image(outline, top, &repositories->images[number], error);
		if (status != CLAIR_OK)
			return clair_error_in(error, "\"%.*s\"", (int) name.size, name.data);
		repositories->platforms[number] = repositories->images[number].platform;
		repositories->tops[number] = top;
		repositories->count++;
	}
	return outline_add_text(outline, &repositories->images[number].names, name, error);
}

/* Reads { "name": { "tag": "id of the top layer" } }. */
static ClairStatus
read_repositories(Outline *outline, struct json_object *document, Repositories *repositories,
				  ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	if (!json_object_is_type(document, json_type_object))
		return clair_error(error, CLAIR_INVALID, "not a JSON object");
	json_object_object_foreach(document, name, tags)
	{
		if (!json_object_is_type(tags, json_type_object))
			return clair_error(error, CLAIR_INVALID, "the tags of \"%s\" are not an object", name);
		json_object_object_foreach(tags, tag, id)
		{
			ClairBytes top = document_string(id);
			ClairBytes full = arena_printf(outline->arena, "%s:%s", name, tag);

			if (full.data == NULL)
				return out_of_memory(error);
			if (top.size == 0 || !text_is_valid(full))
				return clair_error(error, CLAIR_INVALID, "\"%s:%s\" has no layer's id", name, tag);
			status = add_name(outline, repositories, top, full, error);
			if (status != CLAIR_OK)
				return status;
		}
	}
	if (repositories->count == 0)
		return clair_error(error, CLAIR_INVALID, "it has no images");
	return CLAIR_OK;
}

static ClairStatus
legacy_outline(Outline *outline, ClairError *error)
{
	Repositories *repositories = arena_alloc(outline->arena, sizeof(Repositories));
	struct json_object *document;
	ClairBytes content;
	ClairStatus status;

	if (repositories == NULL)
		return out_of_memory(error);
	status = archive_read_file(outline->archive, CLAIR_LITERAL("repositories"), &content, error);
	if (status == CLAIR_OK)
		status = document_parse(content, &document, error);
	if (status == CLAIR_OK)
	{
		status = read_repositories(outline, document, repositories, error);
		json_object_put(document);
	}
	if (status != CLAIR_OK)
		return clair_error_in(error, "repositories");
	status = platform_choose(&outline->choice, repositories->platforms, repositories->count,
							 repositories->chosen, error);
	for (size_t i = 0; i < repositories->count && status == CLAIR_OK; i++)
	{
		if (repositories->chosen[i])
			status = outline_add_image(outline, &repositories->images[i], error);
	}
	return status;
}

const ImageFormat image_format_docker_legacy = {
	.recognises = legacy_recognises,
	.outline = legacy_outline,
};
