/*
 * recorder.h
 *    A sink that keeps rows as lines of text: "relation|field|field", "-" for no value.
 *
 * For tests of what clair-reader sends. It knows what it is told to know, answers with files
 * of a folder when it is asked for blobs, and can count and find rows.
 */
#ifndef CLAIR_RECORDER_H
#define CLAIR_RECORDER_H

#include <fcntl.h>
#include <stdlib.h>

#include "common/sink.h"
#include "unit.h"

typedef struct Recorder
{
	char **rows;
	int count;
	int questions;
	int keys; /* of all questions */
	const char *known_key;
	const char *known_answer;
	const char *folder; /* of blobs */
	const char *bad;	/* why a row is not one of its relation */
} Recorder;

static inline ClairStatus
recorder_row(void *context, WireRelation relation, const ClairBytes *fields, uint32_t count,
			 ClairError *error)
{
	Recorder *recorder = context;
	size_t size = 64;
	char *row;
	char *end;

	(void) error;
	if (wire_row_problem(relation, fields, count) != NULL)
		recorder->bad = wire_row_problem(relation, fields, count);
	for (uint32_t i = 0; i < count; i++)
		size += fields[i].size + 2;
	row = malloc(size);
	end = row + sprintf(row, "%s", wire_relations[relation].name);
	for (uint32_t i = 0; i < count; i++)
	{
		*end++ = '|';
		memcpy(end, fields[i].data != NULL ? fields[i].data : "-",
			   fields[i].data != NULL ? fields[i].size : 1);
		end += fields[i].data != NULL ? fields[i].size : 1;
	}
	*end = '\0';
	recorder->rows = realloc(recorder->rows, sizeof(char *) * (size_t) (recorder->count + 1));
	recorder->rows[recorder->count++] = row;
	return CLAIR_OK;
}

static inline ClairStatus
recorder_known(void *context, const ClairBytes *keys, uint32_t count, ClairBytes *answers,
			   ClairError *error)
{
	Recorder *recorder = context;

	(void) error;
	recorder->questions++;
	recorder->keys += (int) count;
	for (uint32_t i = 0; i < count; i++)
		answers[i] = recorder->known_key != NULL &&
							 clair_bytes_equal(keys[i], clair_bytes(recorder->known_key))
						 ? clair_bytes(recorder->known_answer)
						 : CLAIR_NULL_BYTES;
	return CLAIR_OK;
}

static inline ClairStatus
recorder_blob(void *context, ClairBytes name, int *descriptor, ClairError *error)
{
	Recorder *recorder = context;
	const char *colon = memchr(name.data, ':', name.size);
	char path[4096];

	if (colon == NULL)
		snprintf(path, sizeof(path), "%s/%.*s", recorder->folder, (int) name.size, name.data);
	else
		snprintf(path, sizeof(path), "%s/blobs/%.*s/%.*s", recorder->folder,
				 (int) (colon - name.data), name.data,
				 (int) (name.size - (size_t) (colon - name.data) - 1), colon + 1);
	*descriptor = open(path, O_RDONLY | O_CLOEXEC);
	return *descriptor >= 0 ? CLAIR_OK : clair_error(error, CLAIR_MISSING, "there is no such file");
}

static inline ClairStatus
recorder_progress(void *context, int64_t bytes, int64_t records, ClairError *error)
{
	(void) context;
	(void) bytes;
	(void) records;
	(void) error;
	return CLAIR_OK;
}

static inline ClairSink
recorder_sink(Recorder *recorder)
{
	return (ClairSink){.context = recorder,
					   .row = recorder_row,
					   .known = recorder_known,
					   .blob = recorder_blob,
					   .progress = recorder_progress};
}

/* Forgets the rows and the questions. */
static inline void
recorder_clear(Recorder *recorder)
{
	for (int i = 0; i < recorder->count; i++)
		free(recorder->rows[i]);
	free(recorder->rows);
	*recorder = (Recorder){.folder = recorder->folder};
}

/* The rows that begin like this. */
static inline int
recorder_count(const Recorder *recorder, const char *start)
{
	int count = 0;

	for (int i = 0; i < recorder->count; i++)
		count += strncmp(recorder->rows[i], start, strlen(start)) == 0;
	return count;
}

/* The first row that contains the text; NULL when none does. */
static inline const char *
recorder_find(const Recorder *recorder, const char *text)
{
	for (int i = 0; i < recorder->count; i++)
	{
		if (strstr(recorder->rows[i], text) != NULL)
			return recorder->rows[i];
	}
	return NULL;
}

#endif
