/*
 * index.c
 *    What the server does with what clair-reader says of an image, "server_index": with a detector,
 *    whose files come in pieces, and with the files of a directory that are asked for.
 */
#include "postgres.h"

#include "../fuzz.h"
#include "backend.h"

#include "index/index.c"

ClairBytes *
KnownLayers(const ClairBytes *digests, uint32 count)
{
	ClairBytes *answers = palloc0(sizeof(ClairBytes) * Max(count, 1));

	for (uint32 i = 0; i < count; i += 2)
		answers[i] = digests[i];
	return answers;
}

/* What is there is the directory itself, which stays open. */
Descriptor *
OpenBeneath(int directory, const char *path)
{
	Descriptor *blob = palloc0(sizeof(Descriptor));

	require(path[0] != '/' && strstr(path, "..") == NULL);
	blob->fd = directory;
	errno = ENOENT;
	return path[0] == 'i' ? blob : NULL;
}

void
CloseDescriptor(Descriptor *descriptor)
{
	require(descriptor->fd >= 0);
	descriptor->fd = -1;
}

static void
read_image(void)
{
	static const WireRelation relations[] = {
		WIRE_IMAGE,		  WIRE_IMAGE_NAME, WIRE_IMAGE_MANIFEST, WIRE_IMAGE_LAYER, WIRE_LAYER,
		WIRE_LAYER_ENTRY, WIRE_LAYER_FACT, WIRE_LAYER_PROBLEM,	WIRE_FEATURE};
	Descriptor input = {.fd = 0};
	Detectors detectors = {
		.count = 1, .list = {{.role = "detector:made", .version = 1, .function = "public.made"}}};
	IndexJob job = {.input = &input, .is_directory = true, .detectors = &detectors};

	for (size_t i = 0; i < lengthof(relations); i++)
		job.rows.relations[relations[i]] = CreateStagedRows(relations[i]);
	ReadImage(&job);
	require(job.rows.relations[WIRE_IMAGE]->count > 0 && job.file.detector == NULL);
}

FUZZ_TARGET(server_index)
{
	fuzz_as_backend(data, size, read_image);
	return 0;
}
