/*
 * feed_sink.h
 *    A sink that writes down what an updater says, and documents to read, for unit tests.
 */
#ifndef CLAIR_FEED_SINK_H
#define CLAIR_FEED_SINK_H

#include <fcntl.h>
#include <sys/mman.h>

#include "common/digest.h"
#include "unit.h"
#include "updaters/updater.h"

/*
 * Rows as lines: relation and fields, with "|" between them and "-" for no value; fields without
 * one at the end of a row are left out.
 */
typedef struct Recorder
{
	char *rows;
	size_t size;
	size_t capacity;
	int64_t counts[WIRE_RELATION_COUNT];
	int64_t questions;
	int64_t keys;
	int64_t problems; /* rows that are not what their relation says */
	bool all_known;
	const char *known;	 /* keys that are, one a line; records by their key alone */
	const char *state;	 /* of the job */
	const char *options; /* of the job */
	ClairError error;	 /* of the last reading */
} Recorder;

static inline void
recorder_add(Recorder *recorder, ClairBytes bytes)
{
	if (recorder->capacity - recorder->size < bytes.size + 1)
	{
		recorder->capacity = 2 * (recorder->size + bytes.size + 1);
		recorder->rows = realloc(recorder->rows, recorder->capacity);
		if (recorder->rows == NULL)
			abort();
	}
	memcpy(recorder->rows + recorder->size, bytes.data, bytes.size);
	recorder->size += bytes.size;
	recorder->rows[recorder->size] = '\0';
}

static inline ClairStatus
recorder_row(void *context, WireRelation relation, const ClairBytes *fields, uint32_t count,
			 ClairError *error)
{
	Recorder *recorder = context;

	(void) error;
	recorder->counts[relation]++;
	if (wire_row_problem(relation, fields, count) != NULL)
		recorder->problems++;
	recorder_add(recorder, clair_bytes("\n"));
	recorder_add(recorder, clair_bytes(wire_relations[relation].name));
	while (count > 0 && fields[count - 1].data == NULL)
		count--;
	for (uint32_t i = 0; i < count; i++)
	{
		recorder_add(recorder, clair_bytes("|"));
		recorder_add(recorder, fields[i].data != NULL ? fields[i] : clair_bytes("-"));
	}
	recorder_add(recorder, clair_bytes("\n"));
	return CLAIR_OK;
}

static inline ClairStatus
recorder_known(void *context, const ClairBytes *keys, uint32_t count, ClairBytes *answers,
			   ClairError *error)
{
	Recorder *recorder = context;

	(void) error;
	recorder->questions++;
	recorder->keys += count;
	for (uint32_t i = 0; i < count; i++)
	{
		const char *blank = memchr(keys[i].data, ' ', keys[i].size);
		size_t size = blank != NULL ? (size_t) (blank - keys[i].data) : 0;
		const char *line = recorder->known;
		bool known = recorder->all_known;

		if (size != keys[i].size - 65)
			recorder->problems++; /* not a blank and 64 digits behind the key */
		while (line != NULL && *line != '\0' && !known)
		{
			const char *end = strchr(line, '\n');

			known = (size_t) (end - line) == size && memcmp(line, keys[i].data, size) == 0;
			line = end + 1;
		}
		answers[i] = known ? CLAIR_LITERAL("") : CLAIR_NULL_BYTES;
	}
	return CLAIR_OK;
}

static inline ClairStatus
recorder_progress(void *context, int64_t bytes, int64_t records, ClairError *error)
{
	Recorder *recorder = context;

	(void) error;
	if (bytes < 0 || records < 0)
		recorder->problems++;
	return CLAIR_OK;
}

/* Forgets what was written down. */
static inline void
recorder_clear(Recorder *recorder)
{
	free(recorder->rows);
	*recorder = (Recorder){0};
}

/* Whether there is such a row; the beginning of one, when it ends in "*". */
static inline bool
recorder_has(const Recorder *recorder, const char *row)
{
	char line[2048];
	size_t size = strlen(row);
	bool beginning = size > 0 && row[size - 1] == '*';

	snprintf(line, sizeof(line), "\n%.*s%s", (int) (beginning ? size - 1 : size), row,
			 beginning ? "" : "\n");
	return recorder->rows != NULL && strstr(recorder->rows, line) != NULL;
}

#define CHECK_ROW(recorder, row, what)                                                             \
	do                                                                                             \
	{                                                                                              \
		bool has = recorder_has(recorder, row);                                                    \
		CHECK(has, what);                                                                          \
		if (!has)                                                                                  \
			printf("# rows:%s\n", (recorder)->rows != NULL ? (recorder)->rows : " none");          \
	} while (0)

/* A document of this text. */
static inline UpdaterDocument
feed_text(const char *name, const char *url, const char *text)
{
	int descriptor = memfd_create("document", MFD_CLOEXEC);
	size_t size = strlen(text);

	if (descriptor < 0 || write(descriptor, text, size) != (ssize_t) size)
		abort();
	return (UpdaterDocument){clair_bytes(name), clair_bytes(url), descriptor};
}

/* A document that is a file. */
static inline UpdaterDocument
feed_file(const char *name, const char *path)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);

	if (descriptor < 0)
	{
		perror(path);
		abort();
	}
	return (UpdaterDocument){clair_bytes(name), clair_bytes("file:///"), descriptor};
}

/* Has an updater read the documents, and closes them. */
static inline ClairStatus
feed_read(const char *updater, const UpdaterDocument *documents, size_t count, Recorder *recorder)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairSink sink = {.context = recorder,
					  .row = recorder_row,
					  .known = recorder_known,
					  .progress = recorder_progress};
	UpdaterJob job = {.documents = documents,
					  .count = count,
					  .state = clair_bytes(recorder->state),
					  .options = clair_bytes(recorder->options),
					  .limits = &limits,
					  .sink = &sink};
	ClairStatus status = updater_by_name(clair_bytes(updater))->read(&job, &recorder->error);

	for (size_t i = 0; i < count; i++)
		close(documents[i].descriptor);
	return status;
}

#endif
