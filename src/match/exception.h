/*
 * exception.h
 *    What exceptions have in common, however they are made.
 */
#ifndef CLAIR_EXCEPTION_H
#define CLAIR_EXCEPTION_H

#include "server/owner.h"

/*
 * What an exception keeps of the image that a user names, or of NULL: a digest, or a pattern of
 * names. Numbers are of this database only, so of these it is the image's digest. Of a caller who
 * may not see all images it is a pattern of names of its own. SPI is connected, as the extension's
 * owner.
 */
extern const char *ImageOfException(const OwnerState *caller, const char *image);

#endif
