/*
 * read_nvd.c
 *    Reads a feed of NVD in one of two ways, for what is measured of it.
 *
 * "read_nvd reader FILE" has it read by the updater, for which all records are new, into a sink
 * that counts rows. "read_nvd json-c FILE" cuts it into the same records and has json-c parse each
 * into objects, and frees these: what it takes to look at JSON at all.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define json_type json_c_type /* is the name of a function of ours, too */
#include <json.h>
#undef json_type

#include "common/digest.h"
#include "feed/json_records.h"
#include "feed/record_feed.h"
#include "updaters/updater.h"

static void
fail(const char *message)
{
	fprintf(stderr, "read_nvd: %s\n", message);
	exit(1);
}

static ClairStatus
count_row(void *context, WireRelation relation, const ClairBytes *fields, uint32_t count,
		  ClairError *error)
{
	int64_t *counts = context;

	(void) fields;
	(void) count;
	(void) error;
	counts[relation]++;
	return CLAIR_OK;
}

static ClairStatus
answer(void *context, const ClairBytes *keys, uint32_t count, ClairBytes *answers,
	   ClairError *error)
{
	(void) context;
	(void) keys;
	(void) error;
	for (uint32_t i = 0; i < count; i++)
		answers[i] = CLAIR_NULL_BYTES;
	return CLAIR_OK;
}

static ClairStatus
pass_progress(void *context, int64_t bytes, int64_t records, ClairError *error)
{
	(void) context;
	(void) bytes;
	(void) records;
	(void) error;
	return CLAIR_OK;
}

static void
read_by_updater(int descriptor)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	int64_t counts[WIRE_RELATION_COUNT] = {0};
	ClairSink sink = {
		.context = counts, .row = count_row, .known = answer, .progress = pass_progress};
	UpdaterDocument document = {CLAIR_LITERAL("index"), CLAIR_LITERAL("file:///"), descriptor};
	UpdaterJob job = {.documents = &document, .count = 1, .limits = &limits, .sink = &sink};
	ClairError error;

	if (digest_initialize(&error) != CLAIR_OK ||
		updater_by_name(CLAIR_LITERAL("nvd"))->read(&job, &error) != CLAIR_OK)
		fail(error.message);
	printf("%" PRId64 " records, %" PRId64 " metrics\n", counts[WIRE_RECORD], counts[WIRE_METRIC]);
}

static void
read_by_json_c(int descriptor)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	struct json_tokener *tokener = json_tokener_new();
	int64_t count = 0;
	ClairStream *stream;
	ClairError error;
	FeedRecord record;
	void *records = NULL;
	bool found = true;

	if (record_feed_stream(&limits, descriptor, &stream, &error) != CLAIR_OK ||
		json_record_cutter.open(stream, "vulnerabilities", &limits, &records, &error) != CLAIR_OK)
		fail(error.message);
	while (json_record_cutter.next(records, &record, &found, &error) == CLAIR_OK && found)
	{
		struct json_object *object;

		json_tokener_reset(tokener);
		object = json_tokener_parse_ex(tokener, record.value.data, (int) record.value.size);
		count += json_object_is_type(object, json_type_object);
		json_object_put(object);
	}
	if (found)
		fail(error.message);
	json_record_cutter.close(records);
	stream->close(stream);
	json_tokener_free(tokener);
	printf("%" PRId64 " records\n", count);
}

int
main(int argument_count, char **arguments)
{
	int descriptor = argument_count == 3 ? open(arguments[2], O_RDONLY | O_CLOEXEC) : -1;

	if (descriptor < 0)
		fail("usage: read_nvd reader|json-c FILE");
	if (strcmp(arguments[1], "reader") == 0)
		read_by_updater(descriptor);
	else
		read_by_json_c(descriptor);
	close(descriptor);
	return 0;
}
