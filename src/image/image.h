/*
 * image.h
 *    Reads container images, from whatever they are stored in, into rows.
 */
#ifndef CLAIR_IMAGE_H
#define CLAIR_IMAGE_H

#include "common/limits.h"
#include "common/sink.h"

typedef struct ImageJob
{
	int input;				  /* descriptor of a regular file; not used with directory */
	bool directory;			  /* an OCI layout, whose files come from the sink */
	const char *platform;	  /* "os/architecture[/variant]", "all", or NULL */
	const char *architecture; /* the server's, in Go's words ("amd64"), for platform NULL */

	/* When the input is known to be one layer. */
	const char *layer_format; /* "Docker": a tar, whatever it holds; "ACI"; or NULL: not known */
	const char *digest;		  /* claimed of its bytes as stored; or NULL */

	ClairBytes detectors; /* see detectors_read() */
} ImageJob;

/* Makes libraries load what they load on first use: once, in main(), before the filter. */
extern ClairStatus image_initialize(ClairError *error);

/*
 * Reads the images of the job. Rows of images come before those of their layers, which come
 * layer by layer, once a layer has proved to be what it claims to be; a diff id that the
 * image does not claim comes with the image's layers after that.
 */
extern ClairStatus image_index(const ImageJob *job, const ClairLimits *limits,
							   const ClairSink *sink, ClairError *error);

#endif
