/*
 * updater.c
 *    What updaters say besides records: further documents, and how far they have come.
 */
#include "updaters/updater.h"

#include "feed/listing.h"

ClairStatus
updater_further(const UpdaterJob *job, const UpdaterDocument *by, ClairBytes name, ClairBytes url,
				bool optional, const char *mode, ClairError *error)
{
	ClairBytes fields[] = {by->name,
						   name,
						   url,
						   optional ? CLAIR_LITERAL("1") : CLAIR_LITERAL("0"),
						   clair_bytes(mode),
						   CLAIR_NULL_BYTES};

	return job->sink->row(job->sink->context, WIRE_FURTHER, fields, 6, error);
}

ClairStatus
updater_further_checked(const UpdaterJob *job, const UpdaterDocument *by, ClairBytes name,
						ClairBytes url, ClairBytes checksum, ClairError *error)
{
	ClairBytes fields[] = {by->name, name, url, CLAIR_LITERAL("0"), CLAIR_LITERAL("plain"),
						   checksum};

	return job->sink->row(job->sink->context, WIRE_FURTHER, fields, 6, error);
}

ClairStatus
updater_state(const UpdaterJob *job, ClairBytes state, ClairError *error)
{
	return job->sink->row(job->sink->context, WIRE_STATE, &state, 1, error);
}

ClairBytes
updater_last_segment(ClairBytes url)
{
	const char *end = memchr(url.data, '?', url.size);
	const char *slash;

	if (end != NULL)
		url.size = (size_t) (end - url.data);
	slash = memrchr(url.data, '/', url.size);
	return slash != NULL ? clair_bytes_skip(url, (size_t) (slash + 1 - url.data)) : url;
}

ClairBytes
updater_file_name(const UpdaterDocument *document)
{
	ClairBytes last = CLAIR_NULL_BYTES;

	if (clair_bytes_equal(document->name, CLAIR_LITERAL("index")))
		last = updater_last_segment(document->url);
	return last.size > 0 ? last : document->name;
}

bool
updater_is_archive(ClairBytes name)
{
	return memmem(name.data, name.size, ".tar", 4) != NULL ||
		   clair_bytes_end_with(name, CLAIR_LITERAL(".tgz")) ||
		   clair_bytes_end_with(name, CLAIR_LITERAL(".zip"));
}

ClairStatus
updater_name_listed(const UpdaterJob *job, const UpdaterDocument *listing, Arena *arena,
					bool (*is_wanted)(ClairBytes name), const char *wanted, ClairError *error)
{
	ClairBytes text;
	ClairBytes *names;
	size_t count = 0;
	size_t found = 0;
	ClairStatus status = record_feed_load(job->limits, listing->descriptor, arena, &text, error);

	if (status == CLAIR_OK)
		status = listing_read(arena, text, &names, &count, error);
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		if (!is_wanted(names[i]))
			continue;
		found++;
		status = updater_further(job, listing, names[i], names[i], false, "plain", error);
	}
	if (status == CLAIR_OK && found == 0)
		status = clair_error(error, CLAIR_INVALID, "the listing names no %s", wanted);
	return status;
}

static ClairStatus
read_archive(RecordFeed *feed, const UpdaterJob *job, const UpdaterDocument *document,
			 const RecordFormat *format, void *context, UpdaterArchiveFunction *further,
			 ClairError *error)
{
	bool is_listing;
	ClairStatus status = listing_is(job->limits, document->descriptor, &is_listing, error);

	if (status == CLAIR_OK && is_listing)
		status = updater_name_listed(job, document, feed->arena, updater_is_archive, "archive",
									 error);
	if (status != CLAIR_OK)
		return clair_error_in(error, "document \"%.*s\"", (int) document->name.size,
							  document->name.data);
	if (is_listing)
		return CLAIR_OK;
	if (further != NULL)
		status = further(job, document, error);
	if (status == CLAIR_OK)
		status = record_feed_read(feed, document->name, document->descriptor, format, context,
								  error);
	return status;
}

ClairStatus
updater_read_archives(const UpdaterJob *job, const RecordFormat *format, void *context,
					  UpdaterArchiveFunction *further, ClairError *error)
{
	RecordFeed feed;
	ClairStatus status = record_feed_open(&feed, job->limits, job->sink, error);

	if (status != CLAIR_OK)
		return status;
	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
		status = read_archive(&feed, job, &job->documents[i], format, context, further, error);
	record_feed_close(&feed);
	return status;
}
