/*
 * aci.c
 *    appc images: a tar with a "manifest" beside the root file system in "rootfs".
 *
 * Such an image (App Container Specification, aci.md) is one layer, the whole tar; its id is the
 * SHA-512 digest of that. The manifest names it, and may name other images that lie below it and
 * are not part of the archive: these are told as problems of the layer, which make the image
 * partial. What a "pathWhitelist" would leave out of the rendered image is listed all the same.
 */
#include "image/aci.h"

#include "common/path.h"
#include "image/document.h"
#include "image/outline.h"

static bool
aci_recognises(const Archive *archive)
{
	return archive_is_appc(archive);
}

/* Parses and checks a manifest; the caller gives *manifest back. */
static ClairStatus
parse_manifest(ClairBytes content, struct json_object **manifest, ClairError *error)
{
	struct json_object *labels = NULL;
	ClairStatus status = document_parse(content, manifest, error);

	if (status != CLAIR_OK)
		return status;
	if (!clair_bytes_equal(document_text(*manifest, "acKind"), CLAIR_LITERAL("ImageManifest")))
		status = clair_error(error, CLAIR_INVALID, "its acKind is not \"ImageManifest\"");
	else if (document_text(*manifest, "name").size == 0)
		status = clair_error(error, CLAIR_INVALID, "it has no name");
	else if (json_object_object_get_ex(*manifest, "labels", &labels) &&
			 !json_object_is_type(labels, json_type_array))
		status = clair_error(error, CLAIR_INVALID, "its labels are not an array");
	if (status != CLAIR_OK)
		json_object_put(*manifest);
	return status;
}

/* The value of a label of an image or a dependency; no value when it has none of this name. */
static ClairBytes
find_label(struct json_object *object, const char *name)
{
	struct json_object *labels = document_member(object, "labels", json_type_array);

	for (size_t i = 0; i < document_length(labels); i++)
	{
		struct json_object *label = json_object_array_get_idx(labels, i);

		if (clair_bytes_equal(document_text(label, "name"), clair_bytes(name)))
			return document_text(label, "value");
	}
	return CLAIR_NULL_BYTES;
}

/* appc has the processor's own names where others have Go's. */
static Platform
read_platform(struct json_object *manifest)
{
	static const struct
	{
		ClairBytes name;
		ClairBytes architecture;
		ClairBytes variant;
	} architectures[] = {
		{CLAIR_LITERAL("aarch64"), CLAIR_LITERAL("arm64"), CLAIR_LITERAL("")},
		{CLAIR_LITERAL("armv6l"), CLAIR_LITERAL("arm"), CLAIR_LITERAL("v6")},
		{CLAIR_LITERAL("armv7l"), CLAIR_LITERAL("arm"), CLAIR_LITERAL("v7")},
		{CLAIR_LITERAL("i386"), CLAIR_LITERAL("386"), CLAIR_LITERAL("")},
	};
	Platform platform = {.os = find_label(manifest, "os"),
						 .architecture = find_label(manifest, "arch")};

	for (size_t i = 0; i < sizeof(architectures) / sizeof(architectures[0]); i++)
	{
		if (!clair_bytes_equal(platform.architecture, architectures[i].name))
			continue;
		platform.architecture = architectures[i].architecture;
		platform.variant = architectures[i].variant;
		break;
	}
	return platform;
}

/* Copies a platform's texts out of the manifest. False when exhausted. */
static bool
keep_platform(Arena *arena, Platform *platform)
{
	ClairBytes *texts[] = {&platform->os, &platform->architecture, &platform->variant};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		*texts[i] = texts[i]->size > 0 ? arena_copy(arena, *texts[i]) : CLAIR_LITERAL("");
		if (texts[i]->data == NULL)
			return false;
	}
	return true;
}

/* "name:version", or the name alone. No value when exhausted. */
static ClairBytes
image_name(Arena *arena, struct json_object *object, const char *key)
{
	ClairBytes name = document_text(object, key);
	ClairBytes version = find_label(object, "version");

	return arena_printf(arena, "%.*s%s%.*s", (int) name.size, name.data != NULL ? name.data : "",
						version.size > 0 ? ":" : "", (int) version.size,
						version.size > 0 ? version.data : "");
}

static ClairStatus
read_image(Outline *outline, struct json_object *manifest, Image *image, ClairError *error)
{
	ClairBytes name = image_name(outline->arena, manifest, "name");

	*image = (Image){.platform = read_platform(manifest), .layer_count = 1};
	image->layers = arena_alloc_array(outline->arena, 1, sizeof(ImageLayer));
	if (name.data == NULL || image->layers == NULL ||
		!keep_platform(outline->arena, &image->platform))
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	image->layers[0] = (ImageLayer){.size = -1, .is_appc = true};
	return outline_add_text(outline, &image->names, name, error);
}

static ClairStatus
aci_outline(Outline *outline, ClairError *error)
{
	struct json_object *manifest;
	ClairBytes content;
	Image image;
	bool chosen;
	ClairStatus status = archive_read_file(outline->archive, CLAIR_LITERAL("manifest"), &content,
										   error);

	if (status == CLAIR_OK)
		status = parse_manifest(content, &manifest, error);
	if (status != CLAIR_OK)
		return clair_error_in(error, "manifest");
	status = read_image(outline, manifest, &image, error);
	json_object_put(manifest);
	if (status == CLAIR_OK)
		status = platform_choose(&outline->choice, &image.platform, 1, &chosen, error);
	return status == CLAIR_OK ? outline_add_image(outline, &image, error) : status;
}

const ImageFormat image_format_aci = {
	.recognises = aci_recognises,
	.outline = aci_outline,
};

/* Tells of the images that this one lies upon. */
static ClairStatus
read_dependencies(ClairBytes file, Findings *findings, ClairError *error)
{
	struct json_object *manifest;
	struct json_object *dependencies;
	ClairStatus status = parse_manifest(file, &manifest, error);

	if (status != CLAIR_OK)
		return status;
	dependencies = document_member(manifest, "dependencies", json_type_array);
	for (size_t i = 0; i < document_length(dependencies) && status == CLAIR_OK; i++)
	{
		ClairBytes name = image_name(findings->arena, json_object_array_get_idx(dependencies, i),
									 "imageName");

		if (name.data == NULL)
			status = clair_error(error, CLAIR_MEMORY, "out of memory");
		else
			status = findings_problem(findings, error,
									  "the image depends on \"%.*s\", which is not in the archive",
									  (int) name.size, name.data);
	}
	json_object_put(manifest);
	return status;
}

const WantedFile aci_manifest = {.path = "manifest", .role = "manifest", .read = read_dependencies};

/* Takes "rootfs/" off a clean path; the manifest's place in the root is not given to a file. */
static bool
strip_root(ClairBytes *path)
{
	static const ClairBytes root = CLAIR_LITERAL("rootfs");

	if (!path_is_below(*path, root))
		return false;
	*path = clair_bytes_skip(*path, root.size + 1);
	return !clair_bytes_equal(*path, clair_bytes(aci_manifest.path));
}

bool
aci_enter_root(Entry *entry, char *buffer)
{
	if (clair_bytes_equal(entry->path, clair_bytes(aci_manifest.path)))
		return entry->type == ENTRY_FILE;
	if (!strip_root(&entry->path))
		return false;
	return entry->type != ENTRY_HARDLINK ||
		   (path_clean(entry->target, buffer, &entry->target) && strip_root(&entry->target));
}
