/*
 * exception.h
 *    What exceptions have in common, however they are made.
 */
#ifndef CLAIR_EXCEPTION_H
#define CLAIR_EXCEPTION_H

/*
 * What an exception keeps of the image that a user names, or of NULL: a digest, or a pattern of
 * names. Numbers are of this database only, so of these it is the image's digest. SPI is connected.
 */
extern const char *ImageOfException(const char *image);

#endif
