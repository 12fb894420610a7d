/*
 * image.c
 *    Reads container images into rows: outline, question, layers.
 *
 * A format makes the outline: images with their layers and what is claimed of these. The
 * server is asked once which of the claimed stored layers it knows, and the others are read
 * in the order in which they stand in the archive, so that even a compressed archive is
 * passed over only twice. A tar that no format recognises is a bare layer, whose id is its
 * diff id; an appc image, too, is one layer. Of an input that is said to be a layer nothing is
 * looked for: a layer may well hold files that have the names of a whole image's.
 */
#include "image/image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/entries.h"
#include "common/fault.h"
#include "common/text.h"
#include "image/blob.h"
#include "image/document.h"
#include "package/package.h"

/* Memory for outlines: documents, lists of layers, and what is known of them. */
#define MAX_OUTLINE_MEMORY ((size_t) 128 << 20)

/* Memory to remember which files detectors have been given. */
#define MAX_FILES_MEMORY ((size_t) 32 << 20)

/* In this order a tar is offered to them. */
static const ImageFormat *const formats[] = {&image_format_aci, &image_format_oci,
											 &image_format_docker, &image_format_docker_legacy};

typedef struct ImageReader
{
	const ImageJob *job;
	const ClairSink *sink;
	Arena *arena;
	Outline outline;
	BlobReader blobs;
	Blob **blob_list;
	size_t blob_count;
	size_t blob_capacity;
	TextMap blobs_by_key; /* see set_blob() */
} ImageReader;

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

ClairStatus
image_initialize(ClairError *error)
{
	ClairStatus status = document_initialize(error);

	if (status == CLAIR_OK)
		status = entries_initialize(error);
	return status == CLAIR_OK ? sqlite_database_initialize(error) : status;
}

static ClairStatus
send_row(const ImageReader *reader, WireRelation relation, const ClairBytes *fields, uint32_t count,
		 ClairError *error)
{
	return reader->sink->row(reader->sink->context, relation, fields, count, error);
}

/* The row of an image, and those of its names and manifests. */
static ClairStatus
send_image(const ImageReader *reader, size_t number, const Image *image, ClairError *error)
{
	char number_text[24];
	ClairBytes number_field;
	ClairBytes platform = platform_text(reader->arena, &image->platform);
	ClairStatus status;

	snprintf(number_text, sizeof(number_text), "%zu", number);
	number_field = clair_bytes(number_text);
	if (platform.data == NULL)
		return out_of_memory(error);
	status = send_row(reader, WIRE_IMAGE, (ClairBytes[]){number_field, image->id, platform}, 3,
					  error);
	for (const TextList *name = image->names; name != NULL && status == CLAIR_OK; name = name->next)
		status = send_row(reader, WIRE_IMAGE_NAME, (ClairBytes[]){number_field, name->text}, 2,
						  error);
	for (const TextList *manifest = image->manifests; manifest != NULL && status == CLAIR_OK;
		 manifest = manifest->next)
		status = send_row(reader, WIRE_IMAGE_MANIFEST, (ClairBytes[]){number_field, manifest->text},
						  2, error);
	return status;
}

/* A layer's row, under the diff id that is claimed or has been found. */
static ClairStatus
send_image_layer(const ImageReader *reader, size_t image, size_t position, const ImageLayer *layer,
				 ClairBytes diff_id, ClairError *error)
{
	char image_text[24];
	char position_text[24];
	ClairBytes fields[5];

	snprintf(image_text, sizeof(image_text), "%zu", image);
	snprintf(position_text, sizeof(position_text), "%zu", position);
	fields[0] = clair_bytes(image_text);
	fields[1] = clair_bytes(position_text);
	fields[2] = diff_id;
	fields[3] = layer->stored_digest;
	fields[4] = layer->command;
	return send_row(reader, WIRE_IMAGE_LAYER, fields, 5, error);
}

/*
 * Finds the blob that holds a layer, or adds it: by what is claimed of its bytes, else by
 * where it is.
 */
static ClairStatus
set_blob(ImageReader *reader, ImageLayer *layer, size_t position, ClairError *error)
{
	ClairBytes key = layer->stored_digest.data != NULL
						 ? layer->stored_digest
						 : arena_printf(reader->arena, "file:%.*s", (int) layer->file.size,
										layer->file.data);
	Blob **list = arena_grow_array(reader->arena, reader->blob_list, reader->blob_count + 1,
								   &reader->blob_capacity, sizeof(Blob *));
	void **place = key.data != NULL ? text_map_at(&reader->blobs_by_key, key) : NULL;

	if (list == NULL || place == NULL)
		return out_of_memory(error);
	reader->blob_list = list;
	layer->blob = *place;
	if (layer->blob == NULL)
	{
		layer->blob = arena_alloc(reader->arena, sizeof(Blob));
		if (layer->blob == NULL)
			return out_of_memory(error);
		*layer->blob = (Blob){.file = layer->file,
							  .stored_digest = layer->stored_digest,
							  .diff_id = layer->diff_id,
							  .size = layer->size,
							  .is_foreign = layer->is_foreign,
							  .layer = position,
							  .order = archive_order(reader->outline.archive, layer->file)};
		*place = layer->blob;
		list[reader->blob_count++] = layer->blob;
	}
	else if (layer->blob->diff_id.data == NULL)
		layer->blob->diff_id = layer->diff_id;
	else if (layer->diff_id.data != NULL &&
			 !clair_bytes_equal(layer->diff_id, layer->blob->diff_id))
		return clair_error(
			error, CLAIR_INVALID,
			"layer %zu: digest mismatch: two diff ids are claimed for the same bytes", position);
	return CLAIR_OK;
}

/* Asks which of the blobs the server knows. */
static ClairStatus
ask(ImageReader *reader, ClairError *error)
{
	ClairBytes *keys = arena_alloc_array(reader->arena, reader->blob_count, sizeof(ClairBytes));
	ClairBytes *answers = arena_alloc_array(reader->arena, reader->blob_count, sizeof(ClairBytes));
	uint32_t count = 0;
	uint32_t answer = 0;
	ClairStatus status;

	if (keys == NULL || answers == NULL)
		return out_of_memory(error);
	for (size_t i = 0; i < reader->blob_count; i++)
	{
		if (reader->blob_list[i]->stored_digest.data != NULL)
			keys[count++] = reader->blob_list[i]->stored_digest;
	}
	if (count == 0)
		return CLAIR_OK;
	status = reader->sink->known(reader->sink->context, keys, count, answers, error);
	for (size_t i = 0; i < reader->blob_count && status == CLAIR_OK; i++)
	{
		Blob *blob = reader->blob_list[i];

		if (blob->stored_digest.data == NULL || answers[answer++].data == NULL)
			continue;
		blob->known = arena_copy(reader->arena, answers[answer - 1]);
		if (blob->known.data == NULL)
			return out_of_memory(error);
	}
	return status;
}

static int
compare_blobs(const void *a, const void *b)
{
	const Blob *left = *(Blob *const *) a;
	const Blob *right = *(Blob *const *) b;

	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	return (left->layer > right->layer) - (left->layer < right->layer);
}

static ClairStatus
process_blobs(ImageReader *reader, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	if (reader->blob_count > 0)
		qsort(reader->blob_list, reader->blob_count, sizeof(Blob *), compare_blobs);
	for (size_t i = 0; i < reader->blob_count && status == CLAIR_OK; i++)
	{
		Blob *blob = reader->blob_list[i];

		FAULT_POINT("reader-layer");
		status = blob_process(&reader->blobs, blob, error);
		if (status != CLAIR_OK)
			clair_error_in(error, "layer %zu", blob->layer);
	}
	return status;
}

/* Sends the rows of layers whose diff id is claimed, or those of the others. */
static ClairStatus
send_image_layers(ImageReader *reader, bool claimed, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < reader->outline.image_count; i++)
	{
		const Image *image = reader->outline.images[i];

		for (size_t j = 0; j < image->layer_count && status == CLAIR_OK; j++)
		{
			const ImageLayer *layer = &image->layers[j];
			ClairBytes diff_id = layer->diff_id;

			if ((diff_id.data != NULL) != claimed)
				continue;
			if (!claimed)
				diff_id = clair_bytes(layer->blob->actual_diff_id);
			status = send_image_layer(reader, i, j + 1, layer, diff_id, error);
		}
	}
	return status;
}

static ClairStatus
read_outlined(ImageReader *reader, ClairError *error)
{
	const Outline *outline = &reader->outline;
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < outline->image_count && status == CLAIR_OK; i++)
	{
		const Image *image = outline->images[i];

		for (size_t j = 0; j < image->layer_count && status == CLAIR_OK; j++)
			status = set_blob(reader, &image->layers[j], j + 1, error);
	}
	FAULT_POINT("reader-outlined");
	for (size_t i = 0; i < outline->image_count && status == CLAIR_OK; i++)
		status = send_image(reader, i, outline->images[i], error);
	if (status == CLAIR_OK)
		status = send_image_layers(reader, true, error);
	if (status == CLAIR_OK)
		status = ask(reader, error);
	if (status == CLAIR_OK)
		status = process_blobs(reader, error);
	return status == CLAIR_OK ? send_image_layers(reader, false, error) : status;
}

/* The whole input is one layer, whose diff id is the image's id. */
static ClairStatus
read_single_layer(ImageReader *reader, Image *image, ClairError *error)
{
	char stored_digest[BLOB_KEY_SIZE];
	ImageLayer *layer = &image->layers[0];
	size_t prefix = layer->is_appc ? sizeof(BLOB_APPC_PREFIX) - 1 : 0;
	Blob blob = {.size = -1, .is_appc = layer->is_appc};
	Blob *list[] = {&blob};
	const char *claim = reader->job->digest;
	ClairStatus status = CLAIR_OK;

	if (claim != NULL)
		snprintf(stored_digest, sizeof(stored_digest), "%s%s",
				 layer->is_appc ? BLOB_APPC_PREFIX : "", claim);
	else
		status = blob_hash(&reader->blobs, &blob, stored_digest, error);
	if (status != CLAIR_OK)
		return status;
	blob.stored_digest = clair_bytes(stored_digest);
	layer->stored_digest = clair_bytes_skip(blob.stored_digest, prefix);
	reader->blob_list = list;
	reader->blob_count = 1;
	status = ask(reader, error);
	if (status == CLAIR_OK && blob.known.data != NULL && claim == NULL)
		snprintf(blob.actual_diff_id, sizeof(blob.actual_diff_id), "%s", blob.known.data);
	else if (status == CLAIR_OK)
		status = blob_process(&reader->blobs, &blob, error);
	if (status != CLAIR_OK)
		return status;
	image->id = clair_bytes_skip(clair_bytes(blob.actual_diff_id), prefix);
	status = send_image(reader, 0, image, error);
	if (status == CLAIR_OK)
		status = send_image_layer(reader, 0, 1, layer, clair_bytes(blob.actual_diff_id), error);
	return status;
}

/* Lets the formats make the outline; *recognised: whether one did. */
static ClairStatus
make_outline(ImageReader *reader, bool *recognised, ClairError *error)
{
	Outline *outline = &reader->outline;
	ClairStatus status = CLAIR_OK;

	*recognised = false;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
	{
		if (!formats[i]->recognises(outline->archive))
			continue;
		*recognised = true;
		outline->image_count = 0;
		status = formats[i]->outline(outline, error);
		if (status != CLAIR_MISSING)
			break;
	}
	return status;
}

static bool
is_layer_of(const ImageJob *job, const char *format)
{
	return job->layer_format != NULL && strcmp(job->layer_format, format) == 0;
}

static ClairStatus
read_archive(ImageReader *reader, const ClairLimits *limits, ClairError *error)
{
	const ImageJob *job = reader->job;
	ImageLayer bare_layer = {.size = -1};
	Image bare_image = {.layers = &bare_layer, .layer_count = 1};
	bool recognised;
	ClairStatus status;

	if (is_layer_of(job, "Docker"))
		return read_single_layer(reader, &bare_image, error);
	status = archive_open(job->directory ? -1 : job->input, limits, reader->sink, reader->arena,
						  &reader->outline.archive, error);
	if (status != CLAIR_OK)
		return status;
	reader->blobs.archive = reader->outline.archive;
	if (is_layer_of(job, "ACI") && !image_format_aci.recognises(reader->outline.archive))
		return clair_error(error, CLAIR_INVALID, "the layer is not an appc image");
	status = make_outline(reader, &recognised, error);
	if (status != CLAIR_OK)
		return status;
	if (!recognised)
		return read_single_layer(reader, &bare_image, error);
	if (reader->outline.image_count == 1 && reader->outline.images[0]->id.data == NULL)
		return read_single_layer(reader, reader->outline.images[0], error);
	return read_outlined(reader, error);
}

ClairStatus
image_index(const ImageJob *job, const ClairLimits *limits, const ClairSink *sink,
			ClairError *error)
{
	Arena *arena = arena_create(MAX_OUTLINE_MEMORY);
	Arena *files_arena = arena_create(MAX_FILES_MEMORY);
	Detectors *detectors;
	ImageReader reader = {
		.job = job,
		.sink = sink,
		.arena = arena,
		.outline = {.limits = limits, .arena = arena},
		.blobs = {.input = job->input,
				  .limits = limits,
				  .sink = sink,
				  .sent_layers.arena = arena,
				  .sent_contents.arena = arena,
				  .sent_files.arena = files_arena},
		.blobs_by_key.arena = arena,
	};
	ClairStatus status;

	DigestAlgorithm algorithm;

	if (arena == NULL || files_arena == NULL)
		return out_of_memory(error);
	if (job->digest != NULL && !digest_parse(clair_bytes(job->digest), &algorithm))
		status = clair_error(error, CLAIR_PROTOCOL, "malformed job: \"%s\" is no digest",
							 job->digest);
	else
		status = platform_read_choice(job->platform, job->architecture, &reader.outline.choice,
									  error);
	if (status == CLAIR_OK)
		status = detectors_read(arena, job->detectors, &detectors, error);
	if (status == CLAIR_OK)
	{
		reader.blobs.detectors = detectors;
		status = read_archive(&reader, limits, error);
	}
	archive_close(reader.outline.archive);
	arena_destroy(files_arena);
	arena_destroy(arena);
	return status;
}
