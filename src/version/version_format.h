/*
 * version_format.h
 *    What a version format's encoder is made of: its signature, and the code for numbers.
 *
 * Internal to this room. To add a format: one line here, its value in version_key.h, and one
 * file that defines NAME_encode(). An encoder is called with a text of 1 to VERSION_MAX_TEXT
 * bytes, may find any byte in it, and must write a key that no other key of the format begins
 * with: two keys then differ within the shorter one, and KEY || 0x00 lies right behind KEY.
 */
#ifndef CLAIR_VERSION_FORMAT_H
#define CLAIR_VERSION_FORMAT_H

#include "version/version_key.h"

/* X(value, name) */
#define VERSION_FORMATS(X)                                                                         \
	X(VERSION_DPKG, dpkg)                                                                          \
	X(VERSION_RPM, rpm)                                                                            \
	X(VERSION_APK, apk)

/* As version_encode(), without the format. */
typedef bool
VersionEncoder(ClairBytes text, unsigned char *key, size_t *key_size, VersionProblem *problem);

#define X(value, name) extern VersionEncoder name##_encode;
VERSION_FORMATS(X)
#undef X

/*
 * Where a number's first bytes lie among a format's other codes: base to base + small + 23.
 * Numbers below small take one byte.
 */
typedef struct NumberCode
{
	unsigned char base;
	unsigned char small;
} NumberCode;

/* The code of epochs, and of all numbers where nothing else shares their place. */
#define NUMBER_CODE ((NumberCode){0x00, 224})

/*
 * Write a number's code and return the place behind it. There may be any number of digits, also
 * none, which is 0. The code has one byte at least, and otherwise at most as many as digits.
 */
extern unsigned char *version_put_digits(unsigned char *at, NumberCode code, ClairBytes digits);
extern unsigned char *version_put_value(unsigned char *at, NumberCode code, uint64_t value);

/* Fills the problem and returns false. The byte at fault belongs to the text. */
extern bool
version_refuse(VersionProblem *problem, const char *reason, ClairBytes text, const char *at);

static inline bool
version_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static inline bool
version_is_lower(char byte)
{
	return byte >= 'a' && byte <= 'z';
}

static inline bool
version_is_upper(char byte)
{
	return byte >= 'A' && byte <= 'Z';
}

/* Takes the run of digits at the start of bytes off it. */
static inline ClairBytes
version_take_digits(ClairBytes *rest)
{
	ClairBytes run = {rest->data, 0};

	while (run.size < rest->size && version_is_digit(run.data[run.size]))
		run.size++;
	*rest = clair_bytes_skip(*rest, run.size);
	return run;
}

#endif
