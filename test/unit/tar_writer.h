/*
 * tar_writer.h
 *    Writes small tars in memory, entry by entry, for tests.
 */
#ifndef CLAIR_TAR_WRITER_H
#define CLAIR_TAR_WRITER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/bytes.h"

typedef struct TarWriter
{
	char *data;
	size_t size;
} TarWriter;

/* Adds an entry: type as in the header ('0' file, '1' hard link, '2' symlink, '5' directory). */
static inline void
tar_add(TarWriter *tar, char type, const char *name, const char *target, ClairBytes content)
{
	size_t padded = (content.size + 511) / 512 * 512;
	char *header;
	unsigned int sum = 0;

	tar->data = realloc(tar->data, tar->size + 512 + padded);
	header = tar->data + tar->size;
	memset(header, 0, 512 + padded);
	snprintf(header, 100, "%s", name);
	memcpy(header + 100, "0000644", 7);
	memcpy(header + 108, "0000000", 7);
	memcpy(header + 116, "0000000", 7);
	snprintf(header + 124, 12, "%011zo", content.size & 077777777777);
	memcpy(header + 136, "00000000000", 11);
	memset(header + 148, ' ', 8);
	header[156] = type;
	snprintf(header + 157, 100, "%s", target);
	memcpy(header + 257, "ustar", 6);
	memcpy(header + 263, "00", 2);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char) header[i];
	snprintf(header + 148, 8, "%06o", sum);
	if (content.size > 0)
		memcpy(header + 512, content.data, content.size);
	tar->size += 512 + padded;
}

static inline void
tar_file(TarWriter *tar, const char *name, const char *content)
{
	tar_add(tar, '0', name, "", clair_bytes(content));
}

static inline void
tar_directory(TarWriter *tar, const char *name)
{
	tar_add(tar, '5', name, "", CLAIR_LITERAL(""));
}

static inline void
tar_symlink(TarWriter *tar, const char *name, const char *target)
{
	tar_add(tar, '2', name, target, CLAIR_LITERAL(""));
}

static inline void
tar_hardlink(TarWriter *tar, const char *name, const char *target)
{
	tar_add(tar, '1', name, target, CLAIR_LITERAL(""));
}

/* Ends the tar. */
static inline ClairBytes
tar_end(TarWriter *tar)
{
	tar->data = realloc(tar->data, tar->size + 1024);
	memset(tar->data + tar->size, 0, 1024);
	tar->size += 1024;
	return (ClairBytes){tar->data, tar->size};
}

static inline void
tar_free(TarWriter *tar)
{
	free(tar->data);
	*tar = (TarWriter){NULL, 0};
}

/* A descriptor of a file with these bytes. */
static inline int
memory_file(ClairBytes bytes)
{
	int descriptor = memfd_create("test", MFD_CLOEXEC);

	if (write(descriptor, bytes.data, bytes.size) != (ssize_t) bytes.size)
		abort();
	return descriptor;
}

#endif
