/*
 * read_sbom.c
 *    Reads a software bill of materials in one of two ways, for what is measured of it.
 *
 * "read_sbom reader FILE" has it read ten times as clair-reader does, into a sink that counts rows.
 * "read_sbom json-c FILE" has json-c parse it as often into objects, and frees these: what it takes
 * to look at JSON at all.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json.h>

#include "common/digest.h"
#include "image/sbom_image.h"

#define READS 10

static void
fail(const char *message)
{
	fprintf(stderr, "read_sbom: %s\n", message);
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

static int64_t
read_by_reader(int descriptor)
{
	int64_t counts[WIRE_RELATION_COUNT] = {0};
	const ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	const ClairSink sink = {.context = counts, .row = count_row, .known = answer};
	ClairError error;

	if (sbom_image_index(&limits, descriptor, &sink, &error) != CLAIR_OK)
		fail(error.message);
	return counts[WIRE_FEATURE];
}

static int64_t
read_by_json_c(int descriptor)
{
	off_t size = lseek(descriptor, 0, SEEK_END);
	char *text = malloc((size_t) size + 1);
	struct json_object *document;
	struct json_object *components;
	int64_t count = 0;

	if (text == NULL || pread(descriptor, text, (size_t) size, 0) != size)
		fail("could not read the file");
	text[size] = '\0';
	document = json_tokener_parse(text);
	if (document == NULL)
		fail("it is no JSON");
	if (json_object_object_get_ex(document, "components", &components))
		count = (int64_t) json_object_array_length(components);
	json_object_put(document);
	free(text);
	return count;
}

int
main(int argc, char **argv)
{
	ClairError error;
	int descriptor;
	int64_t count = 0;

	if (argc != 3)
		fail("usage: read_sbom reader|json-c FILE");
	descriptor = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (descriptor < 0 || digest_initialize(&error) != CLAIR_OK)
		fail("could not begin");
	for (int i = 0; i < READS; i++)
		count = strcmp(argv[1], "reader") == 0 ? read_by_reader(descriptor)
											   : read_by_json_c(descriptor);
	printf("%" PRId64 "\n", count);
	return 0;
}
