/*
 * version.h
 *    The SQL type clair.version, for the server's rooms.
 *
 * A value is bytes only, without alignment, so that a datum with a short header is read in
 * place. What orders it, the tag and the key, are adjacent: every comparison is one memcmp.
 *
 *    bytes      field
 *    4 or 1     header of the varlena
 *    2          size of the text, big-endian; the highest bit marks a bound (see below)
 *    1          tag: the VersionFormat, or that of -infinity or infinity
 *    any        key, as version_encode() wrote it; in a bound 0x00 follows
 *    any        text, as it was given
 *
 * A bound is the place right behind a version: above it and all that are equal to it, and below
 * whatever is greater. It stands for "up to and including" where upper bounds are exclusive.
 * Infinities have neither key nor text.
 */
#ifndef CLAIR_VERSION_H
#define CLAIR_VERSION_H

#include "fmgr.h"
#include "nodes/nodes.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "version/version_key.h"

#define VERSION_TAG_MINUS_INFINITY 0
#define VERSION_TAG_INFINITY	   255

#define VERSION_HEAD_SIZE 2
#define VERSION_BOUND	  0x8000

typedef struct varlena Version;

/* A value's parts, pointing into it. */
typedef struct VersionParts
{
	int tag;
	bool bound;
	ClairBytes key;
	ClairBytes text;
} VersionParts;

#define PG_GETARG_VERSION_PP(n) ((Version *) PG_GETARG_VARLENA_PP(n))

/* Soft errors, where the server has them (16): what ereturn() does, else an ERROR. */
#if PG_VERSION_NUM >= 160000
#define version_ereturn(context, value, ...) ereturn(context, value, __VA_ARGS__)
#else
#define version_ereturn(context, value, ...)                                                       \
	do                                                                                             \
	{                                                                                              \
		(void) (context);                                                                          \
		ereport(ERROR, __VA_ARGS__);                                                               \
	} while (0)
#endif

/*
 * The clair.version of this format and text, palloc'ed. An invalid text is an ERROR; with an
 * ErrorSaveContext a soft error, and NULL.
 */
extern Version *MakeVersion(VersionFormat format, ClairBytes text, Node *escontext);

/* The bound right behind a version; infinities and bounds are returned as they are. */
extern Version *MakeBound(Version *version);

/* The format of a name that a user gave; an ERROR when there is none. */
extern VersionFormat GetVersionFormat(ClairBytes name);

/* The value that has these parts, palloc'ed. */
extern Version *BuildVersion(const VersionParts *parts);

/* The parts of a value, which point into it. */
extern VersionParts GetVersionParts(const Version *version);

/* Less than, equal to or greater than 0. */
extern int CompareVersions(const Version *a, const Version *b);

/*
 * The first bytes of what orders the version, as a number: if a < b then a's is not greater than
 * b's.
 */
extern Datum GetVersionPrefix(const Version *version);

static inline ClairBytes
GetTextBytes(const text *value)
{
	return (ClairBytes){VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

/* The bytes that order a version: tag and key. */
static inline ClairBytes
GetVersionOrder(const Version *version)
{
	const unsigned char *head = (const unsigned char *) VARDATA_ANY(version);
	size_t text_size = (size_t) ((head[0] << 8 | head[1]) & ~VERSION_BOUND);

	return (ClairBytes){(const char *) head + VERSION_HEAD_SIZE,
						VARSIZE_ANY_EXHDR(version) - VERSION_HEAD_SIZE - text_size};
}

#endif
