/*
 * secdb.c
 *    Any source whose document is a secdb: for updaters of the user's own, and for those that have
 *    nothing else to say of it.
 *
 * Its option "namespace" says of which distribution release the packages are, "link" what stands
 * before a vulnerability's name. A record is a package, by its name.
 */
#include "updaters/secdb_source.h"

#include "feed/json_records.h"
#include "updaters/options.h"

static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	(void) context;
	return secdb_name(feed, record, key, problem, error);
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	return secdb_itemize(feed, context, record, key, NULL, 0, error);
}

static ClairStatus
read_options(const UpdaterJob *job, Arena *arena, SecdbSource *source, ClairError *error)
{
	ClairStatus status = updater_option(job, arena, "namespace", &source->namespace, error);

	if (status == CLAIR_OK && source->namespace.size == 0)
		status = clair_error(error, CLAIR_PROTOCOL, "malformed job: it has no namespace");
	return status == CLAIR_OK ? updater_option(job, arena, "link", &source->link, error) : status;
}

ClairStatus
secdb_source_read(const UpdaterJob *job, SecdbSource *source,
				  ClairStatus (*member)(RecordFeed *feed, void *context, const FeedRecord *member,
										ClairError *error),
				  ClairError *error)
{
	RecordFormat format = {.cutter = &json_record_cutter,
						   .part = "packages",
						   .passes_members = true,
						   .identify = identify,
						   .member = member,
						   .itemize = itemize};
	RecordFeed feed;
	ClairStatus status = record_feed_open(&feed, job->limits, job->sink, error);

	if (status != CLAIR_OK)
		return status;
	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
		status = record_feed_read(&feed, job->documents[i].name, job->documents[i].descriptor,
								  &format, source, error);
	record_feed_close(&feed);
	return status;
}

static ClairStatus
secdb_read(const UpdaterJob *job, ClairError *error)
{
	Arena *arena = arena_create(record_feed_memory(job->limits));
	SecdbSource source;
	ClairStatus status;

	if (arena == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	status = read_options(job, arena, &source, error);
	if (status == CLAIR_OK)
		status = secdb_source_read(job, &source, record_feed_pass, error);
	arena_destroy(arena);
	return status;
}

const Updater updater_secdb = {"secdb", secdb_read};
