/*
 * updaters_fuzz.c
 *    A target for each updater that there is, "updater_debian" and so on: whatever documents say,
 *    what comes out are rows.
 *
 * The parts of an input are the state that the last run left and the options, both empty for none;
 * then, three for each document, its name, its URL and its content (fuzz.h has tars).
 */
#include <unistd.h>

#include "common/text.h"
#include "fuzz.h"

/* The list of them, which is nobody else's to know. */
#include "updaters/registry.c"

#define MAX_DOCUMENTS 4

typedef struct Documents
{
	UpdaterDocument list[MAX_DOCUMENTS];
	size_t count;
} Documents;

/* A text that there must be. */
static ClairBytes
text_field(ClairBytes part)
{
	return fuzz_copy(text_is_valid(part) ? part : CLAIR_LITERAL("index"));
}

/* A field of a job: text or, when it is empty, no value. */
static ClairBytes
job_field(ClairBytes part)
{
	return part.size > 0 && text_is_valid(part) ? fuzz_copy(part) : CLAIR_NULL_BYTES;
}

static UpdaterDocument
open_document(const ClairBytes *parts)
{
	ClairBytes content = fuzz_content(parts[2], 1);
	UpdaterDocument document = {text_field(parts[0]), text_field(parts[1]), fuzz_file(content)};

	free((char *) content.data);
	return document;
}

static int
run_updater(const FuzzTarget *target, const uint8_t *data, size_t size)
{
	const Updater *updater = target->subject;
	ClairBytes parts[2 + 3 * MAX_DOCUMENTS + 1];
	size_t count = fuzz_split((ClairBytes){(const char *) data, size}, 0, parts,
							  sizeof(parts) / sizeof(parts[0]));
	UpdaterDocument documents[MAX_DOCUMENTS];
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	UpdaterJob job = {.documents = documents, .limits = &limits, .sink = &fuzz_feed_sink};
	ClairError error;

	if (count < 5)
		return 0;
	job.state = job_field(parts[0]);
	job.options = job_field(parts[1]);
	for (; 2 + 3 * job.count + 3 <= count && job.count < MAX_DOCUMENTS; job.count++)
		documents[job.count] = open_document(parts + 2 + 3 * job.count);
	limits.max_document_size = 16 << 20;
	limits.max_record_size = 1 << 20;
	if (updater->read(&job, &error) != CLAIR_OK)
		require(error.status != CLAIR_OK && error.message[0] != '\0');
	for (size_t i = 0; i < job.count; i++)
	{
		close(documents[i].descriptor);
		free((char *) documents[i].name.data);
		free((char *) documents[i].url.data);
	}
	free((char *) job.state.data);
	free((char *) job.options.data);
	return 0;
}

__attribute__((constructor)) static void
register_updaters(void)
{
	static FuzzTarget targets[sizeof(updaters) / sizeof(updaters[0])];
	static char names[sizeof(updaters) / sizeof(updaters[0])][64];

	for (size_t i = 0; i < sizeof(updaters) / sizeof(updaters[0]); i++)
	{
		char *name = names[i];

		strcpy(name, "updater_");
		strncat(name, updaters[i]->name, sizeof(names[i]) - strlen(name) - 1);
		while ((name = strchr(name, '-')) != NULL)
			*name = '_';
		targets[i] = (FuzzTarget){NULL, names[i], run_updater, updaters[i]};
		fuzz_register(&targets[i]);
	}
}
