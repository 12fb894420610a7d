/*
 * image_fuzz.h
 *    A sink for fuzzers: every row must be one of its relation. And tars with right checksums.
 */
#ifndef CLAIR_IMAGE_FUZZ_H
#define CLAIR_IMAGE_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/sink.h"

static inline ClairStatus
fuzz_row(void *context, WireRelation relation, const ClairBytes *fields, uint32_t count,
		 ClairError *error)
{
	(void) context;
	(void) error;
	if (wire_row_problem(relation, fields, count) != NULL)
		abort();
	return CLAIR_OK;
}

static inline ClairStatus
fuzz_known(void *context, const ClairBytes *keys, uint32_t count, ClairBytes *answers,
		   ClairError *error)
{
	(void) context;
	(void) error;
	for (uint32_t i = 0; i < count; i++)
		answers[i] = keys[i].data[keys[i].size - 1] % 2 == 0 ? keys[i] : CLAIR_NULL_BYTES;
	return CLAIR_OK;
}

static inline ClairStatus
fuzz_blob(void *context, ClairBytes name, int *descriptor, ClairError *error)
{
	(void) context;
	(void) name;
	(void) descriptor;
	return clair_error(error, CLAIR_MISSING, "there is no such file");
}

static inline ClairStatus
fuzz_progress(void *context, int64_t bytes, int64_t records, ClairError *error)
{
	(void) context;
	(void) bytes;
	(void) records;
	(void) error;
	return CLAIR_OK;
}

static const ClairSink fuzz_sink = {
	.row = fuzz_row,
	.known = fuzz_known,
	.blob = fuzz_blob,
	.progress = fuzz_progress,
};

/*
 * A copy, in which every block that looks like a tar header has the checksum that it should
 * have, so that changes to headers are not all refused for the same reason.
 */
static inline char *
fuzz_tar(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	for (size_t at = 0; size - at >= 512; at += 512)
	{
		unsigned int sum = 0;

		if (memcmp(copy + at + 257, "ustar", 5) != 0)
			continue;
		memset(copy + at + 148, ' ', 8);
		for (int i = 0; i < 512; i++)
			sum += (unsigned char) copy[at + (size_t) i];
		snprintf(copy + at + 148, 8, "%06o", sum);
	}
	return copy;
}

#endif
