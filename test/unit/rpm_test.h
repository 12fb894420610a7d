/*
 * rpm_test.h
 *    Writes rpm headers for tests of the readers of rpm's databases.
 */
#ifndef CLAIR_RPM_TEST_H
#define CLAIR_RPM_TEST_H

#include "findings_text.h"

#define HEADER_NAME		   1000
#define HEADER_VERSION	   1001
#define HEADER_RELEASE	   1002
#define HEADER_EPOCH	   1003
#define HEADER_SUMMARY	   1004
#define HEADER_VENDOR	   1011
#define HEADER_LICENSE	   1014
#define HEADER_ARCH		   1022
#define HEADER_SOURCE_RPM  1044
#define HEADER_MODULE	   5096
#define HEADER_SOURCE_NEVR 5120

#define HEADER_INT32	   4
#define HEADER_STRING	   6
#define HEADER_BIN		   7
#define HEADER_ARRAY	   8
#define HEADER_I18N_STRING 9

typedef struct HeaderWriter
{
	char index[2048];
	size_t entries;
	char data[4096];
	size_t data_size;
	char bytes[8192];
} HeaderWriter;

static inline void
write_u32(char *to, uint32_t value, bool big_endian)
{
	for (int i = 0; i < 4; i++)
		to[i] = (char) (value >> (big_endian ? 24 - 8 * i : 8 * i));
}

static inline void
write_u16(char *to, uint16_t value, bool big_endian)
{
	to[big_endian ? 0 : 1] = (char) (value >> 8);
	to[big_endian ? 1 : 0] = (char) value;
}

/* Adds an entry as it is. */
static inline void
header_entry(HeaderWriter *header, uint32_t tag, uint32_t type, uint32_t offset, uint32_t count)
{
	char *entry = header->index + 16 * header->entries++;

	write_u32(entry, tag, true);
	write_u32(entry + 4, type, true);
	write_u32(entry + 8, offset, true);
	write_u32(entry + 12, count, true);
}

/* Adds a text with the NUL at its end. */
static inline void
header_text(HeaderWriter *header, uint32_t tag, uint32_t type, const char *text)
{
	header_entry(header, tag, type, (uint32_t) header->data_size, 1);
	memcpy(header->data + header->data_size, text, strlen(text) + 1);
	header->data_size += strlen(text) + 1;
}

static inline void
header_number(HeaderWriter *header, uint32_t tag, uint32_t value)
{
	while (header->data_size % 4 != 0)
		header->data_size++;
	header_entry(header, tag, HEADER_INT32, (uint32_t) header->data_size, 1);
	write_u32(header->data + header->data_size, value, true);
	header->data_size += 4;
}

/* A header of a package; more can be added to it. */
static inline void
header_start(HeaderWriter *header, const char *name)
{
	*header = (HeaderWriter){.entries = 0};
	header_text(header, HEADER_NAME, HEADER_STRING, name);
	header_text(header, HEADER_VERSION, HEADER_STRING, "1.0");
	header_text(header, HEADER_RELEASE, HEADER_STRING, "2.el9");
	header_text(header, HEADER_ARCH, HEADER_STRING, "x86_64");
}

/* Its bytes, which live as long as the writer. */
static inline ClairBytes
header_bytes(HeaderWriter *header)
{
	size_t index_size = 16 * header->entries;

	write_u32(header->bytes, (uint32_t) header->entries, true);
	write_u32(header->bytes + 4, (uint32_t) header->data_size, true);
	memcpy(header->bytes + 8, header->index, index_size);
	memcpy(header->bytes + 8 + index_size, header->data, header->data_size);
	return (ClairBytes){header->bytes, 8 + index_size + header->data_size};
}

#endif
