/*
 * oval_source.c
 *    What updaters of sources in OVAL have in common; see oval_source.h.
 */
#include "updaters/oval_source.h"

#include <limits.h>
#include <stdlib.h>

#include "common/text.h"
#include "feed/github.h"
#include "feed/listing.h"

/* A file of a listing. */
typedef struct Choice
{
	ClairBytes subject;
	int rank;
	ClairBytes name;
	ClairBytes url;
} Choice;

/* The files of a listing. */
typedef struct Files
{
	ClairBytes *names;
	ClairBytes *urls; /* or NULL: the same */
	size_t count;
} Files;

static int
compare_choices(const void *left, const void *right)
{
	const Choice *a = left;
	const Choice *b = right;
	int order = clair_bytes_compare(a->subject, b->subject);

	if (order == 0)
		order = (a->rank > b->rank) - (a->rank < b->rank);
	return order != 0 ? order : clair_bytes_compare(a->name, b->name);
}

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the listing");
}

/* The files that are read, best first of each subject. */
static size_t
find_choices(const OvalSource *source, const Files *files, Choice *choices)
{
	size_t found = 0;
	size_t kept = 0;
	int best = INT_MAX;

	for (size_t i = 0; i < files->count; i++)
	{
		Choice *choice = &choices[found];

		choice->name = files->names[i];
		choice->url = files->urls != NULL ? files->urls[i] : choice->name;
		choice->rank = source->rank(choice->name, &choice->subject);
		if (choice->rank < 0)
			continue;
		best = choice->rank < best ? choice->rank : best;
		found++;
	}
	for (size_t i = 0; i < found; i++)
		if (!source->one_rank || choices[i].rank == best)
			choices[kept++] = choices[i];
	if (kept > 0)
		qsort(choices, kept, sizeof(Choice), compare_choices);
	return kept;
}

/* Whether a file is not needed beside the one that was named last. */
static bool
is_covered(const OvalSource *source, ClairBytes subject, ClairBytes last)
{
	if (last.data == NULL || !clair_bytes_start_with(subject, last))
		return false;
	return subject.size == last.size ||
		   (source->covers && strchr("-.", subject.data[last.size]) != NULL);
}

/* Chooses among the files of a listing, and names those. */
static ClairStatus
name_documents(const OvalSource *source, const UpdaterJob *job, const UpdaterDocument *index,
			   Arena *arena, const Files *files, ClairError *error)
{
	ClairBytes manifest = clair_bytes(source->manifest);
	Choice *choices = arena_alloc_array(arena, files->count, sizeof(Choice));
	ClairBytes last = CLAIR_NULL_BYTES;
	ClairStatus status = CLAIR_OK;
	size_t count;

	if (choices == NULL)
		return memory_error(error);
	for (size_t i = 0; i < files->count; i++)
		if (manifest.data != NULL && clair_bytes_equal(files->names[i], manifest))
			return updater_further(job, index, manifest, manifest, false, "plain", error);
	count = find_choices(source, files, choices);
	if (count == 0)
		return clair_error(error, CLAIR_INVALID, "it names no document of %s", source->title);
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		if (is_covered(source, choices[i].subject, last))
			continue;
		last = choices[i].subject;
		status = updater_further(job, index, choices[i].name, choices[i].url, false, "plain",
								 error);
	}
	return status;
}

/* Whether it is no listing: of HTML, or of our server's. */
static bool
is_manifest(ClairBytes text)
{
	return !clair_bytes_start_with(text_trim(text), CLAIR_LITERAL("<")) &&
		   !clair_bytes_start_with(text, CLAIR_LITERAL("clair directory listing"));
}

/* The paths that a manifest's lines begin with. */
static ClairStatus
read_manifest(Arena *arena, ClairBytes text, Files *files, ClairError *error)
{
	size_t capacity = 0;
	ClairBytes line;

	while (text_next_line(&text, &line))
	{
		const char *comma = memchr(line.data, ',', line.size);

		if (comma == NULL || comma == line.data || line.data[0] == '/' || !text_is_valid(line) ||
			memmem(line.data, line.size, "..", 2) != NULL)
			continue;
		files->names = arena_grow_array(arena, files->names, files->count + 1, &capacity,
										sizeof(ClairBytes));
		if (files->names == NULL)
			return memory_error(error);
		files->names[files->count++] = (ClairBytes){line.data, (size_t) (comma - line.data)};
	}
	return CLAIR_OK;
}

static ClairStatus
read_listing(const OvalSource *source, const UpdaterJob *job, const UpdaterDocument *index,
			 Arena *arena, ClairError *error)
{
	ClairBytes text;
	Files files = {0};
	ClairStatus status = record_feed_load(job->limits, index->descriptor, arena, &text, error);

	if (status != CLAIR_OK)
		return status;
	if (clair_bytes_start_with(text_trim(text), CLAIR_LITERAL("[")))
		status = github_contents(arena, text, &files.names, &files.urls, &files.count, error);
	else if (source->manifest != NULL && is_manifest(text))
		status = read_manifest(arena, text, &files, error);
	else
		status = listing_read(arena, text, &files.names, &files.count, error);
	if (status == CLAIR_OK)
		status = name_documents(source, job, index, arena, &files, error);
	return status;
}

/* Reads a document that may be a listing; *done is whether it was. */
static ClairStatus
read_index(const OvalSource *source, const UpdaterJob *job, const UpdaterDocument *index,
		   bool *done, ClairError *error)
{
	Arena *arena = NULL;
	bool is_oval;
	ClairStatus status = oval_is_document(job->limits, index->descriptor, &is_oval, error);

	*done = !is_oval;
	if (status == CLAIR_OK && !is_oval)
	{
		arena = arena_create(record_feed_memory(job->limits));
		if (arena == NULL)
			status = memory_error(error);
		else
			status = read_listing(source, job, index, arena, error);
		arena_destroy(arena);
	}
	if (status != CLAIR_OK && status != CLAIR_STOPPED && status != CLAIR_PROTOCOL)
		clair_error_in(error, "document \"%.*s\"", (int) index->name.size, index->name.data);
	return status;
}

int
oval_source_form(ClairBytes name)
{
	static const char *const forms[] = {".gz", ".zst", ".xz", ".bz2", ".xml"};

	for (int i = 0; i < 5; i++)
		if (clair_bytes_end_with(name, clair_bytes(forms[i])))
			return i;
	return -1;
}

ClairStatus
oval_source_read(const OvalSource *source, const UpdaterJob *job, ClairError *error)
{
	RecordFeed feed;
	ClairStatus status = record_feed_open(&feed, job->limits, job->sink, error);

	if (status != CLAIR_OK)
		return status;
	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
	{
		const UpdaterDocument *document = &job->documents[i];
		bool done = false;

		if (clair_bytes_equal(document->name, CLAIR_LITERAL("index")) ||
			clair_bytes_equal(document->name, clair_bytes(source->manifest)))
			status = read_index(source, job, document, &done, error);
		if (status == CLAIR_OK && !done)
			status = oval_read(&feed, document->name, updater_file_name(document),
							   document->descriptor, &source->format, source->context, error);
	}
	record_feed_close(&feed);
	return status;
}
