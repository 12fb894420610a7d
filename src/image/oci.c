/*
 * oci.c
 *    Images in an OCI image layout, in a tar or in a directory: "index.json".
 *
 * An index is a list of descriptors of manifests or of further indexes; a manifest is a
 * descriptor of a config and those of the layers; a descriptor is a digest and a size (OCI
 * image-spec, image-layout.md, image-index.md, manifest.md). Every document is checked
 * against its descriptor. What an index says of a manifest's platform decides which ones are
 * opened; it is not an image when it is an attestation or has another artifact's config.
 *
 * "docker save" of Docker 25 and later writes this layout with "manifest.json" beside it.
 * The layout counts then, since it has digests of everything, and the names are taken from
 * there as well; when the layout lacks a manifest or config, "manifest.json" is what counts.
 */
#include <inttypes.h>
#include <stdio.h>

#include "image/document.h"
#include "image/outline.h"

typedef struct Descriptor
{
	ClairBytes digest;
	int64_t size; /* -1: not given */
	ClairBytes media_type;
} Descriptor;

typedef struct Candidate
{
	Descriptor manifest;
	Platform platform;
	bool has_platform;
	bool is_artifact; /* found out when it is opened */
	Image image;	  /* when it has been opened */
	TextList *names;
} Candidate;

typedef struct OciWalk
{
	Outline *outline;
	Candidate *candidates;
	size_t candidate_count;
	size_t candidate_capacity;
	TextList *seen; /* indexes */
} OciWalk;

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

static bool
oci_recognises(const Archive *archive)
{
	return archive_is_directory(archive) ||
		   (archive_has(archive, "index.json") && archive_has(archive, "oci-layout"));
}

static bool
is_one_of(ClairBytes text, const char *first, const char *second)
{
	return clair_bytes_equal(text, clair_bytes(first)) ||
		   clair_bytes_equal(text, clair_bytes(second));
}

static bool
is_index_type(ClairBytes media_type)
{
	return is_one_of(media_type, "application/vnd.oci.image.index.v1+json",
					 "application/vnd.docker.distribution.manifest.list.v2+json");
}

/* Reads a descriptor, copied into the arena. */
static ClairStatus
read_descriptor(Arena *arena, struct json_object *object, Descriptor *descriptor, ClairError *error)
{
	ClairBytes digest = document_text(object, "digest");
	ClairBytes media_type = document_text(object, "mediaType");
	DigestAlgorithm algorithm;

	if (digest.data == NULL || !digest_parse(digest, &algorithm))
		return clair_error(error, CLAIR_INVALID, "a descriptor without a valid digest");
	descriptor->size = document_integer(object, "size", -1);
	descriptor->digest = arena_copy(arena, digest);
	descriptor->media_type = arena_copy(arena, media_type);
	if (descriptor->digest.data == NULL ||
		(media_type.data != NULL && descriptor->media_type.data == NULL))
		return out_of_memory(error);
	return CLAIR_OK;
}

/* "blobs/ALGORITHM/HEX". */
static ClairBytes
blob_file(Arena *arena, ClairBytes digest)
{
	const char *colon = memchr(digest.data, ':', digest.size);
	int algorithm = (int) (colon - digest.data);

	return arena_printf(arena, "blobs/%.*s/%.*s", algorithm, digest.data,
						(int) digest.size - algorithm - 1, colon + 1);
}

/* Reads a blob that is a document, and holds it against its descriptor. */
static ClairStatus
read_blob(Outline *outline, const Descriptor *descriptor, ClairBytes *content, ClairError *error)
{
	ClairBytes file = blob_file(outline->arena, descriptor->digest);
	char digest[DIGEST_TEXT_SIZE];
	DigestAlgorithm algorithm = DIGEST_SHA256;
	ClairStatus status;

	if (file.data == NULL)
		return out_of_memory(error);
	status = archive_read_file(outline->archive, file, content, error);
	if (status == CLAIR_OK && descriptor->size >= 0 && (int64_t) content->size != descriptor->size)
		status = clair_error(error, CLAIR_INVALID,
							 "it has %zu bytes, but its descriptor says %" PRId64, content->size,
							 descriptor->size);
	digest_parse(descriptor->digest, &algorithm);
	if (status == CLAIR_OK)
		status = digest_of(algorithm, *content, digest, error);
	if (status == CLAIR_OK && !clair_bytes_equal(clair_bytes(digest), descriptor->digest))
		status = clair_error(error, CLAIR_INVALID, "digest mismatch: its bytes have %s", digest);
	if (status != CLAIR_OK)
		clair_error_in(error, "blob %.*s", (int) descriptor->digest.size, descriptor->digest.data);
	return status;
}

/* Refuses documents of another age, and those that could be read in two ways. */
static ClairStatus
check_document(struct json_object *document, ClairError *error)
{
	struct json_object *member;

	if (!json_object_is_type(document, json_type_object))
		return clair_error(error, CLAIR_INVALID, "not a JSON object");
	if (json_object_object_get_ex(document, "fsLayers", &member) ||
		document_integer(document, "schemaVersion", 2) == 1)
		return clair_error(error, CLAIR_UNSUPPORTED,
						   "manifests of schema version 1 are not supported");
	if (json_object_object_get_ex(document, "manifests", &member) &&
		json_object_object_get_ex(document, "layers", &member))
		return clair_error(error, CLAIR_INVALID,
						   "it has both \"manifests\" and \"layers\", so it could be an index or "
						   "a manifest");
	return CLAIR_OK;
}

/* Whether an index's entry is a statement about an image, not an image. */
static bool
is_attestation(struct json_object *entry)
{
	struct json_object *annotations = document_member(entry, "annotations", json_type_object);
	struct json_object *platform = document_member(entry, "platform", json_type_object);

	return document_text(annotations, "vnd.docker.reference.type").data != NULL ||
		   (clair_bytes_equal(document_text(platform, "os"), CLAIR_LITERAL("unknown")) &&
			clair_bytes_equal(document_text(platform, "architecture"), CLAIR_LITERAL("unknown")));
}

static ClairStatus
copy_platform(Arena *arena, struct json_object *object, Platform *platform, ClairError *error)
{
	const struct
	{
		const char *key;
		ClairBytes *field;
	} fields[] = {
		{"os", &platform->os},
		{"architecture", &platform->architecture},
		{"variant", &platform->variant},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
	{
		ClairBytes text = document_text(object, fields[i].key);

		*fields[i].field = text.data != NULL ? arena_copy(arena, text) : CLAIR_LITERAL("");
		if (fields[i].field->data == NULL)
			return out_of_memory(error);
	}
	return CLAIR_OK;
}

/* The name that an index gives an entry: the whole name where it is known, else the tag. */
static ClairBytes
entry_name(struct json_object *entry)
{
	struct json_object *annotations = document_member(entry, "annotations", json_type_object);
	ClairBytes name = document_text(annotations, "io.containerd.image.name");

	if (name.size == 0)
		name = document_text(annotations, "org.opencontainers.image.ref.name");
	return name;
}

static ClairStatus walk_index(OciWalk *walk, struct json_object *index, const TextList *names,
							  int depth, ClairError *error);

/* Reads the index that a descriptor points to. */
static ClairStatus
walk_nested(OciWalk *walk, const Descriptor *descriptor, const TextList *names, int depth,
			ClairError *error)
{
	struct json_object *index;
	ClairBytes content;
	ClairStatus status;

	if (depth >= CLAIR_MAX_NESTING)
		return clair_error(error, CLAIR_INVALID, "more than %d indexes within each other",
						   CLAIR_MAX_NESTING);
	for (const TextList *seen = walk->seen; seen != NULL; seen = seen->next)
	{
		if (clair_bytes_equal(seen->text, descriptor->digest))
			return clair_error(error, CLAIR_INVALID, "index %.*s is named twice, or in a circle",
							   (int) descriptor->digest.size, descriptor->digest.data);
	}
	status = outline_add_text(walk->outline, &walk->seen, descriptor->digest, error);
	if (status == CLAIR_OK)
		status = read_blob(walk->outline, descriptor, &content, error);
	if (status == CLAIR_OK)
		status = document_parse(content, &index, error);
	if (status != CLAIR_OK)
		return status;
	status = walk_index(walk, index, names, depth + 1, error);
	json_object_put(index);
	return status;
}

static ClairStatus
add_candidate(OciWalk *walk, struct json_object *entry, const Descriptor *descriptor,
			  TextList *names, ClairError *error)
{
	struct json_object *platform = document_member(entry, "platform", json_type_object);
	Candidate *candidates;
	Candidate *candidate;

	if (walk->candidate_count >= OUTLINE_MAX_IMAGES)
		return clair_error(error, CLAIR_LIMIT, "more than %d manifests", OUTLINE_MAX_IMAGES);
	candidates = arena_grow_array(walk->outline->arena, walk->candidates, walk->candidate_count + 1,
								  &walk->candidate_capacity, sizeof(Candidate));
	if (candidates == NULL)
		return out_of_memory(error);
	walk->candidates = candidates;
	candidate = &candidates[walk->candidate_count++];
	*candidate = (Candidate){.manifest = *descriptor, .names = names};
	candidate->has_platform = document_text(platform, "architecture").size > 0;
	if (!candidate->has_platform)
		return CLAIR_OK;
	return copy_platform(walk->outline->arena, platform, &candidate->platform, error);
}

/*
 * What an entry without a media type points to: an index has "manifests". The blob is read
 * for that; it will be read again.
 */
static ClairStatus
is_index_by_content(OciWalk *walk, const Descriptor *descriptor, bool *is_index, ClairError *error)
{
	struct json_object *document;
	ClairBytes content;
	ClairStatus status = read_blob(walk->outline, descriptor, &content, error);

	if (status == CLAIR_OK)
		status = document_parse(content, &document, error);
	if (status != CLAIR_OK)
		return status;
	*is_index = document_member(document, "manifests", json_type_array) != NULL;
	json_object_put(document);
	return CLAIR_OK;
}

static ClairStatus
walk_entry(OciWalk *walk, struct json_object *entry, const TextList *inherited, int depth,
		   ClairError *error)
{
	ClairBytes name = entry_name(entry);
	TextList *names = NULL;
	Descriptor descriptor = {.size = -1};
	bool is_index;
	ClairStatus status;

	if (is_attestation(entry))
		return CLAIR_OK;
	status = read_descriptor(walk->outline->arena, entry, &descriptor, error);
	for (; inherited != NULL && status == CLAIR_OK; inherited = inherited->next)
		status = outline_add_text(walk->outline, &names, inherited->text, error);
	if (status == CLAIR_OK && name.size > 0)
		status = outline_add_text(walk->outline, &names, name, error);
	is_index = is_index_type(descriptor.media_type);
	if (status == CLAIR_OK && descriptor.media_type.size == 0)
		status = is_index_by_content(walk, &descriptor, &is_index, error);
	if (status != CLAIR_OK)
		return status;
	if (is_index)
		return walk_nested(walk, &descriptor, names, depth, error);
	return add_candidate(walk, entry, &descriptor, names, error);
}

static ClairStatus
walk_index(OciWalk *walk, struct json_object *index, const TextList *names, int depth,
		   ClairError *error)
{
	struct json_object *manifests = document_member(index, "manifests", json_type_array);
	ClairStatus status = check_document(index, error);

	if (status == CLAIR_OK && manifests == NULL)
		status = clair_error(error, CLAIR_INVALID, "an index without \"manifests\"");
	for (size_t i = 0; i < document_length(manifests) && status == CLAIR_OK; i++)
		status = walk_entry(walk, json_object_array_get_idx(manifests, i), names, depth, error);
	return status;
}

/* Whether a config of this type is an image's. Older programs give none. */
static bool
is_image_config(ClairBytes media_type)
{
	return media_type.size == 0 || is_one_of(media_type, "application/vnd.oci.image.config.v1+json",
											 "application/vnd.docker.container.image.v1+json");
}

static bool
contains(ClairBytes text, ClairBytes part)
{
	return text.size > 0 && memmem(text.data, text.size, part.data, part.size) != NULL;
}

static ClairStatus
read_layer(Outline *outline, struct json_object *object, ImageLayer *layer, ClairError *error)
{
	Descriptor descriptor;
	ClairStatus status = read_descriptor(outline->arena, object, &descriptor, error);

	if (status != CLAIR_OK)
		return status;
	if (contains(descriptor.media_type, CLAIR_LITERAL("+encrypted")))
		return clair_error(error, CLAIR_UNSUPPORTED, "encrypted layers are not supported");
	layer->is_foreign = contains(descriptor.media_type, CLAIR_LITERAL("nondistributable")) ||
						contains(descriptor.media_type, CLAIR_LITERAL("foreign"));
	layer->stored_digest = descriptor.digest;
	layer->size = descriptor.size;
	layer->file = blob_file(outline->arena, descriptor.digest);
	return layer->file.data != NULL ? CLAIR_OK : out_of_memory(error);
}

static ClairStatus
read_manifest(Outline *outline, struct json_object *manifest, Candidate *candidate,
			  ClairError *error)
{
	struct json_object *layers = document_member(manifest, "layers", json_type_array);
	struct json_object *config_object = document_member(manifest, "config", json_type_object);
	Descriptor config;
	ClairBytes content;
	ClairStatus status = check_document(manifest, error);

	if (status != CLAIR_OK)
		return status;
	if (config_object == NULL)
		return clair_error(error, CLAIR_INVALID, "a manifest without config");
	status = read_descriptor(outline->arena, config_object, &config, error);
	if (status != CLAIR_OK)
		return status;
	candidate->is_artifact = !is_image_config(config.media_type);
	if (candidate->is_artifact)
		return CLAIR_OK;
	status = read_blob(outline, &config, &content, error);
	if (status == CLAIR_OK && config_read(outline, content, config.digest, document_length(layers),
										  &candidate->image, error) != CLAIR_OK)
		status = clair_error_in(error, "config %.*s", (int) config.digest.size, config.digest.data);
	for (size_t i = 0; i < document_length(layers) && status == CLAIR_OK; i++)
	{
		status = read_layer(outline, json_object_array_get_idx(layers, i),
							&candidate->image.layers[i], error);
		if (status != CLAIR_OK)
			clair_error_in(error, "layer %zu", i + 1);
	}
	return status;
}

/* Reads a candidate's manifest and config, unless that is done. */
static ClairStatus
open_candidate(OciWalk *walk, Candidate *candidate, ClairError *error)
{
	Outline *outline = walk->outline;
	ClairBytes digest = candidate->manifest.digest;
	struct json_object *manifest;
	ClairBytes content;
	ClairStatus status;

	if (candidate->image.id.data != NULL || candidate->is_artifact)
		return CLAIR_OK;
	status = read_blob(outline, &candidate->manifest, &content, error);
	if (status == CLAIR_OK)
		status = document_parse(content, &manifest, error);
	if (status != CLAIR_OK)
		return status;
	status = read_manifest(outline, manifest, candidate, error);
	json_object_put(manifest);
	if (status != CLAIR_OK)
		return clair_error_in(error, "manifest %.*s", (int) digest.size, digest.data);
	candidate->image.names = candidate->names;
	if (!candidate->has_platform)
		candidate->platform = candidate->image.platform;
	return outline_add_text(outline, &candidate->image.manifests, digest, error);
}

/* Leaves out what turns out to be another artifact; opens those whose platform is not told. */
static ClairStatus
sort_out_candidates(OciWalk *walk, ClairError *error)
{
	size_t kept = 0;

	for (size_t i = 0; i < walk->candidate_count; i++)
	{
		Candidate *candidate = &walk->candidates[i];
		ClairStatus status = candidate->has_platform ? CLAIR_OK
													 : open_candidate(walk, candidate, error);

		if (status != CLAIR_OK)
			return status;
		if (!candidate->is_artifact)
			walk->candidates[kept++] = *candidate;
	}
	if (kept == 0)
		return clair_error(error, CLAIR_UNSUPPORTED,
						   walk->candidate_count > 0
							   ? "index.json: there are only artifacts that are not images"
							   : "index.json: it has no images");
	walk->candidate_count = kept;
	return CLAIR_OK;
}

static ClairStatus
add_chosen(OciWalk *walk, ClairError *error)
{
	Arena *arena = walk->outline->arena;
	Platform *platforms = arena_alloc_array(arena, walk->candidate_count, sizeof(Platform));
	bool *chosen = arena_alloc_array(arena, walk->candidate_count, sizeof(bool));
	ClairStatus status;

	if (platforms == NULL || chosen == NULL)
		return out_of_memory(error);
	for (size_t i = 0; i < walk->candidate_count; i++)
		platforms[i] = walk->candidates[i].platform;
	status = platform_choose(&walk->outline->choice, platforms, walk->candidate_count, chosen,
							 error);
	for (size_t i = 0; i < walk->candidate_count && status == CLAIR_OK; i++)
	{
		if (!chosen[i])
			continue;
		status = open_candidate(walk, &walk->candidates[i], error);
		if (status == CLAIR_OK && !walk->candidates[i].is_artifact)
			status = outline_add_image(walk->outline, &walk->candidates[i].image, error);
	}
	return status;
}

static ClairStatus
oci_outline(Outline *outline, ClairError *error)
{
	OciWalk walk = {.outline = outline};
	struct json_object *index = NULL;
	ClairBytes content;
	ClairStatus status = archive_read_file(outline->archive, CLAIR_LITERAL("index.json"), &content,
										   error);

	if (status == CLAIR_OK)
		status = document_parse(content, &index, error);
	if (status == CLAIR_OK)
		status = walk_index(&walk, index, NULL, 0, error);
	json_object_put(index);
	if (status != CLAIR_OK)
		return clair_error_in(error, "index.json");
	status = sort_out_candidates(&walk, error);
	if (status == CLAIR_OK)
		status = add_chosen(&walk, error);
	if (status == CLAIR_OK && !archive_is_directory(outline->archive) &&
		archive_has(outline->archive, "manifest.json"))
		status = docker_add_names(outline, error);
	return status;
}

const ImageFormat image_format_oci = {
	.recognises = oci_recognises,
	.outline = oci_outline,
};
