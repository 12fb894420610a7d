/*
 * bytes.h
 *    A piece of memory that belongs to somebody else: pointer and length.
 *
 * Used by helpers and server alike, for every value that comes from outside:
 * such values need not end in NUL and may contain any byte.
 */
#ifndef CLAIR_BYTES_H
#define CLAIR_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct ClairBytes
{
	const char *data; /* NULL means: no value (SQL's NULL) */
	size_t size;	  /* in bytes; 0 when data is NULL */
} ClairBytes;

#define CLAIR_NULL_BYTES ((ClairBytes){NULL, 0})

/* The bytes of a string literal. */
#define CLAIR_LITERAL(literal) ((ClairBytes){(literal), sizeof(literal) - 1})

/* The bytes of a NUL-terminated string; of NULL, no value. */
static inline ClairBytes
clair_bytes(const char *string)
{
	return (ClairBytes){string, string != NULL ? strlen(string) : 0};
}

static inline bool
clair_bytes_equal(ClairBytes a, ClairBytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Their order, byte by byte: less than, equal to or greater than 0. */
static inline int
clair_bytes_compare(ClairBytes a, ClairBytes b)
{
	size_t shorter = a.size < b.size ? a.size : b.size;
	int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static inline bool
clair_bytes_start_with(ClairBytes bytes, ClairBytes prefix)
{
	return bytes.size >= prefix.size && memcmp(bytes.data, prefix.data, prefix.size) == 0;
}

static inline bool
clair_bytes_end_with(ClairBytes bytes, ClairBytes suffix)
{
	return bytes.size >= suffix.size &&
		   memcmp(bytes.data + bytes.size - suffix.size, suffix.data, suffix.size) == 0;
}

/* What is left of bytes after the first count of them (count <= size). */
static inline ClairBytes
clair_bytes_skip(ClairBytes bytes, size_t count)
{
	if (count == 0)
		return bytes; /* perhaps no value: C11 does not add even 0 to NULL */
	return (ClairBytes){bytes.data + count, bytes.size - count};
}

#endif
