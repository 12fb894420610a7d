/*
 * version_key.h
 *    Version text to sort key: memcmp of two keys orders as the format's own tool does.
 *
 * For the server and for clair-reader. Pure functions over bytes: no allocation, no
 * locale, no state. Equal keys mean equal versions, though not equal texts ("1.0" and
 * "1.00"). Keys are an on-disk format: what a format's encoder writes never changes.
 */
#ifndef CLAIR_VERSION_KEY_H
#define CLAIR_VERSION_KEY_H

#include "common/bytes.h"

/* The values are stored on disk. */
typedef enum VersionFormat
{
	VERSION_DPKG = 1,
	VERSION_RPM = 2,
	VERSION_APK = 3
} VersionFormat;

typedef struct VersionProblem
{
	const char *reason; /* a phrase: "epoch is not a number" */
	size_t position;	/* of the byte at fault, from 0 */
} VersionProblem;

/* The longest version text that is taken, in bytes. */
#define VERSION_MAX_TEXT 1024

/* A buffer of this many bytes holds the key of any text of this size. */
#define VERSION_KEY_SIZE(text_size) (8 * (text_size) + 64)

/* The format of a name ("dpkg", "rpm", "apk"); false when there is none. */
extern bool version_format_by_name(ClairBytes name, VersionFormat *format);

/* The name of a format; NULL for a value that is none. */
extern const char *version_format_name(int format);

/*
 * Checks the text and writes its key. False, with the problem filled, when the text is not
 * a valid version of the format: for dpkg what dpkg --validate-version calls an error, for
 * rpm an empty text or one with blanks or control characters, for apk what
 * apk version --check refuses; and anything longer than VERSION_MAX_TEXT.
 */
extern bool version_encode(VersionFormat format, ClairBytes text, unsigned char *key,
						   size_t *key_size, VersionProblem *problem);

/* The order of two keys of one format: less than, equal to or greater than 0. */
static inline int
version_key_compare(const unsigned char *a, size_t a_size, const unsigned char *b, size_t b_size)
{
	int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

	return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

#endif
