/*
 * outline.h
 *    What an archive says of its images before any layer is read.
 *
 * Formats make the outline: each recognises its archives and adds their images. To add a
 * format: one file that defines an ImageFormat, one line in image.c.
 */
#ifndef CLAIR_OUTLINE_H
#define CLAIR_OUTLINE_H

#include "common/arena.h"
#include "common/limits.h"
#include "image/archive.h"
#include "image/platform.h"

typedef struct ImageLayer
{
	ClairBytes file;		  /* in the archive */
	ClairBytes stored_digest; /* claimed, of the file's bytes; or no value */
	ClairBytes diff_id;		  /* claimed, of the tar's bytes; or no value */
	ClairBytes command;		  /* that made it, or no value */
	int64_t size;			  /* claimed, of the file; -1: nothing claimed */
	bool is_foreign;		  /* may be absent, to be had elsewhere */
	bool is_appc;			  /* the whole input, an appc image */
	struct Blob *blob;		  /* that holds it; set by image.c */
} ImageLayer;

typedef struct TextList
{
	struct TextList *next;
	ClairBytes text;
} TextList;

typedef struct Image
{
	ClairBytes id; /* no value: the diff id of its one layer, the whole input */
	Platform platform;
	TextList *names;
	TextList *manifests; /* digests */
	ImageLayer *layers;	 /* the base first */
	size_t layer_count;
} Image;

typedef struct Outline
{
	Archive *archive;
	const ClairLimits *limits;
	PlatformChoice choice;
	Arena *arena; /* of the job; everything here belongs to it */
	Image **images;
	size_t image_count;
	size_t image_capacity;
} Outline;

typedef struct ImageFormat
{
	bool (*recognises)(const Archive *archive);

	/* Adds the images that are meant. CLAIR_MISSING lets a later format try. */
	ClairStatus (*outline)(Outline *outline, ClairError *error);
} ImageFormat;

extern const ImageFormat image_format_aci;
extern const ImageFormat image_format_oci;
extern const ImageFormat image_format_docker;
extern const ImageFormat image_format_docker_legacy;

/* The greatest number of manifests, or of images, of one archive. */
#define OUTLINE_MAX_IMAGES 1000

/* Bytes of a layer's command; a longer one is of no use to anybody who reads it. */
#define OUTLINE_MAX_COMMAND (64 * 1024)

/* Adds an image; when its id is there already, its names and manifests to that one. */
extern ClairStatus outline_add_image(Outline *outline, const Image *image, ClairError *error);

/* Adds a text, copied, unless it is there. */
extern ClairStatus
outline_add_text(Outline *outline, TextList **list, ClairBytes text, ClairError *error);

/*
 * config.c: reads an image's config: platform, and diff ids and commands of the layers, of
 * which the manifest says that there are layer_count. id: no value means the config's digest.
 */
extern ClairStatus config_read(Outline *outline, ClairBytes config, ClairBytes id,
							   size_t layer_count, Image *image, ClairError *error);

/* docker.c: adds the names that "manifest.json" has for the outline's images. */
extern ClairStatus docker_add_names(Outline *outline, ClairError *error);

#endif
