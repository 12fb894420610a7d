/*
 * sbom_image.c
 *    Reads a software bill of materials into the rows of an image; see sbom_image.h.
 *
 * The image has one layer, the document, and the layer one file for each thing that the document
 * says: so whatever is done with images and layers is done with these, too. A package database is
 * known by the digest of the packages in it: documents that differ in nothing but the time when
 * they were made share their features.
 */
#include "image/sbom_image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/digest.h"
#include "common/stream.h"
#include "image/layer.h"
#include "package/sbom.h"

#define NAME_SIZE (sizeof(SBOM_PREFIX) - 1 + DIGEST_TEXT_SIZE)

typedef struct SbomImage
{
	const ClairLimits *limits;
	const ClairSink *sink;
	Arena *arena;
	char *text; /* malloc'ed: an arena would keep what it has grown out of */
	size_t size;
	char name[NAME_SIZE];
	Sbom sbom;
} SbomImage;

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

static ClairStatus
append(SbomImage *image, size_t *capacity, ClairBytes piece, ClairError *error)
{
	if (piece.size > *capacity - image->size)
	{
		size_t wanted = *capacity + (*capacity / 2) + piece.size;
		char *larger = realloc(image->text, wanted);

		if (larger == NULL)
			return out_of_memory(error);
		image->text = larger;
		*capacity = wanted;
	}
	memcpy(image->text + image->size, piece.data, piece.size);
	image->size += piece.size;
	return CLAIR_OK;
}

/* Loads the document, inflated, within clair.max_file_size. */
static ClairStatus
load(SbomImage *image, int descriptor, ClairError *error)
{
	ClairStream *file;
	ClairStream *stream = NULL;
	ClairBytes piece;
	size_t capacity = 0;
	ClairStatus status = stream_open_file(descriptor, 0, -1, &file, error);

	if (status != CLAIR_OK)
		return status;
	status = stream_open_decompressed(file, image->limits->max_file_size, "clair.max_file_size",
									  image->limits->max_ratio, &stream, error);
	if (status != CLAIR_OK)
	{
		file->close(file);
		return status;
	}
	while ((status = stream->read(stream, &piece, error)) == CLAIR_OK && piece.size > 0)
	{
		status = append(image, &capacity, piece, error);
		if (status != CLAIR_OK)
			break;
	}
	stream->close(stream);
	return status;
}

static ClairStatus
send_row(const SbomImage *image, WireRelation relation, const ClairBytes *fields, uint32_t count,
		 ClairError *error)
{
	return image->sink->row(image->sink->context, relation, fields, count, error);
}

static ClairStatus
send_image(const SbomImage *image, ClairError *error)
{
	static const ClairBytes number = CLAIR_LITERAL("0");
	static const ClairBytes position = CLAIR_LITERAL("1");
	ClairBytes name = clair_bytes(image->name);
	ClairStatus status = send_row(image, WIRE_IMAGE,
								  (ClairBytes[]){number, name, CLAIR_LITERAL("unknown")}, 3, error);

	if (status != CLAIR_OK)
		return status;
	return send_row(image, WIRE_IMAGE_LAYER,
					(ClairBytes[]){number, position, name, CLAIR_NULL_BYTES, CLAIR_NULL_BYTES}, 5,
					error);
}

static ClairStatus
send_layer(const SbomImage *image, ClairError *error)
{
	char size[24];
	char components[24];
	char version[24];
	ClairBytes name = clair_bytes(image->name);

	snprintf(size, sizeof(size), "%zu", image->size);
	snprintf(components, sizeof(components), "%" PRId64, image->sbom.components);
	snprintf(version, sizeof(version), "%d", LAYER_WALK_VERSION);
	return send_row(image, WIRE_LAYER,
					(ClairBytes[]){name, name, clair_bytes(size), clair_bytes(size),
								   clair_bytes(components), clair_bytes(version)},
					6, error);
}

/* Adds a text to a digest, such that no two lists of texts come to the same bytes. */
static void
digest_text(Digest *digest, ClairBytes text)
{
	digest_update(digest, text.data != NULL ? CLAIR_LITERAL("=") : CLAIR_LITERAL("-"));
	digest_update(digest, text);
	digest_update(digest, (ClairBytes){"", 1});
}

/* What a package database is known by. */
static ClairStatus
name_content(const char *role, const Feature *features, char content[DIGEST_TEXT_SIZE],
			 ClairError *error)
{
	Digest *digest = digest_create(DIGEST_SHA256);
	size_t prefix = sizeof(SBOM_PREFIX) - 1;
	char text[DIGEST_TEXT_SIZE];

	if (digest == NULL)
		return out_of_memory(error);
	digest_text(digest, clair_bytes(role));
	for (const Feature *feature = features; feature != NULL; feature = feature->next)
	{
		const ClairBytes texts[] = {feature->name,		   feature->version,
									feature->source_name,  feature->source_version,
									feature->architecture, feature->module,
									feature->vendor,	   feature->license};

		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			digest_text(digest, texts[i]);
	}
	digest_finish(digest, text);
	digest_destroy(digest);
	memcpy(content, SBOM_PREFIX, prefix);
	memcpy(content + prefix, text, strlen(text) + 1);
	return CLAIR_OK;
}

/* Adds what stands in for a file, unless there is nothing to say. */
static ClairStatus
add_entry(SbomImage *image, SbomFile file, const WantedFile *wanted, Layer *layer,
		  ClairError *error)
{
	Findings *findings = &image->sbom.files[file];
	LayerEntry *entry;

	if (findings->facts == NULL && findings->problems == NULL && image->sbom.count[file] == 0)
		return CLAIR_OK;
	entry = arena_alloc(image->arena, sizeof(LayerEntry));
	if (entry == NULL)
		return out_of_memory(error);
	*entry = (LayerEntry){.path = clair_bytes(wanted->path),
						  .type = LAYER_FILE,
						  .number = file + 1,
						  .wanted = wanted,
						  .findings = findings};
	layer->entries[layer->entry_count++] = entry;
	return wanted->is_database
			   ? name_content(wanted->role, findings->features, entry->content, error)
			   : CLAIR_OK;
}

/* Sends what the document says as what a layer says. */
static ClairStatus
send_contents(SbomImage *image, ClairError *error)
{
	LayerEntry *entries[SBOM_FILE_COUNT];
	WantedFile wanted[SBOM_FILE_COUNT];
	Layer layer = {.limits = image->limits, .arena = image->arena, .entries = entries};
	TextMap known = {.arena = image->arena};
	ClairStatus status = CLAIR_OK;

	for (SbomFile file = 0; file < SBOM_FILE_COUNT && status == CLAIR_OK; file++)
	{
		wanted[file] = (WantedFile){
			.path = arena_printf(image->arena, "sbom/%s", sbom_roles[file]).data,
			.role = sbom_roles[file],
			.is_database = file >= SBOM_DATABASE};
		if (wanted[file].path == NULL)
			return out_of_memory(error);
		status = add_entry(image, file, &wanted[file], &layer, error);
	}
	return status == CLAIR_OK ? layer_send(&layer, image->name, &known, image->sink, error)
							  : status;
}

static ClairStatus
index_document(SbomImage *image, int descriptor, ClairError *error)
{
	ClairBytes key;
	ClairBytes known;
	char digest[DIGEST_TEXT_SIZE];
	ClairBytes text;
	ClairStatus status = load(image, descriptor, error);

	if (status != CLAIR_OK)
		return status;
	text = (ClairBytes){image->text != NULL ? image->text : "", image->size};
	status = digest_of(DIGEST_SHA256, text, digest, error);
	if (status != CLAIR_OK)
		return status;
	snprintf(image->name, sizeof(image->name), "%s%s", SBOM_PREFIX, digest);
	key = clair_bytes(image->name);
	status = image->sink->known(image->sink->context, &key, 1, &known, error);
	if (status != CLAIR_OK || known.data != NULL)
		return status == CLAIR_OK ? send_image(image, error) : status;
	status = sbom_read(text, image->limits, image->arena, &image->sbom, error);
	if (status == CLAIR_OK)
		status = send_image(image, error);
	if (status == CLAIR_OK)
		status = send_layer(image, error);
	return status == CLAIR_OK ? send_contents(image, error) : status;
}

ClairStatus
sbom_image_index(const ClairLimits *limits, int descriptor, const ClairSink *sink,
				 ClairError *error)
{
	SbomImage image = {.limits = limits,
					   .sink = sink,
					   .arena = arena_create((size_t) limits->reader_memory / 2)};
	ClairStatus status = image.arena != NULL ? index_document(&image, descriptor, error)
											 : out_of_memory(error);

	free(image.text);
	arena_destroy(image.arena);
	return status;
}
