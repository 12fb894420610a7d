/*
 * sbom_image.h
 *    Reads a software bill of materials into the rows of an image of one layer.
 */
#ifndef CLAIR_SBOM_IMAGE_H
#define CLAIR_SBOM_IMAGE_H

#include "common/limits.h"
#include "common/sink.h"

/*
 * What image and layer of a document are called: this and the digest of its bytes. So no document
 * can be taken for an image or a layer whose own digest is the same, however it is made.
 */
#define SBOM_PREFIX "sbom:"

/*
 * Reads a document, which may be compressed, from the descriptor of a regular file. A document that
 * the server knows is hashed, and not read.
 */
extern ClairStatus sbom_image_index(const ClairLimits *limits, int descriptor,
									const ClairSink *sink, ClairError *error);

#endif
