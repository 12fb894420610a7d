/*
 * rpm_repositories.c
 *    What updaters have in common whose source is the updateinfo.xml of rpm repositories; see
 *    rpm_repositories.h.
 */
#include "updaters/rpm_repositories.h"

#include <stdio.h>

#include "common/text.h"
#include "feed/listing.h"
#include "feed/repomd.h"

#define MIRROR_LIST "mirror.list"
#define REPOMD		"repomd.xml"
#define REPODATA	"repodata/"
#define UPDATEINFO	"updateinfo.xml"

#define PEEK_SIZE 4096 /* bytes of a document that tell what it is */

#define MEMORY_PROBLEM "there is not enough memory for the index"

typedef enum Kind
{
	KIND_UNKNOWN,
	KIND_LISTING,
	KIND_MIRROR_LIST,
	KIND_REPOMD,
	KIND_UPDATEINFO
} Kind;

/* What is being read. */
typedef struct Reading
{
	const RpmRepositories *repositories;
	const UpdaterJob *job;
	RecordFeed *feed;
	Arena *arena; /* reset for every document */
	const UpdaterDocument *document;
	ClairBytes place;
} Reading;

/* The name of the root element of XML, without a prefix, as far as it is there. */
static ClairBytes
root_of(ClairBytes text)
{
	size_t size = 0;

	for (;;)
	{
		const char *begin = text.size > 0 ? memchr(text.data, '<', text.size) : NULL;

		if (begin == NULL)
			return CLAIR_NULL_BYTES;
		text = clair_bytes_skip(text, (size_t) (begin + 1 - text.data));
		if (text.size == 0 ||
			(text.data[0] != '?' && !clair_bytes_start_with(text, CLAIR_LITERAL("!--"))))
			break;
	}
	while (size < text.size && strchr(" \t\r\n/>", text.data[size]) == NULL)
		if (text.data[size++] == ':')
		{
			text = clair_bytes_skip(text, size);
			size = 0;
		}
	return (ClairBytes){text.data, size};
}

static ClairStatus
find_kind(const Reading *reading, Kind *kind, ClairError *error)
{
	char buffer[PEEK_SIZE];
	size_t size = sizeof(buffer);
	ClairStatus status = record_feed_peek(reading->job->limits, reading->document->descriptor,
										  buffer, &size, error);
	ClairBytes text = text_trim((ClairBytes){buffer, size});
	ClairBytes root = root_of(text);

	if (clair_bytes_equal(root, CLAIR_LITERAL("updates")))
		*kind = KIND_UPDATEINFO;
	else if (clair_bytes_equal(root, CLAIR_LITERAL("repomd")))
		*kind = KIND_REPOMD;
	else if (clair_bytes_start_with(text, CLAIR_LITERAL("clair directory listing")) ||
			 clair_bytes_start_with(text, CLAIR_LITERAL("<")))
		*kind = KIND_LISTING;
	else if (size > 0 && memmem(text.data, text.size, "://", 3) != NULL)
		*kind = KIND_MIRROR_LIST;
	else
		*kind = KIND_UNKNOWN;
	return status;
}

ClairStatus
rpm_repository_name(const UpdaterJob *job, const UpdaterDocument *by, ClairBytes place,
					const char *document, ClairBytes url, bool optional, ClairError *error)
{
	char name[CLAIR_MAX_NAME + sizeof(UPDATEINFO)];

	if (place.size > CLAIR_MAX_NAME)
		return clair_error(error, CLAIR_LIMIT, "the name of a repository is too long");
	snprintf(name, sizeof(name), "%.*s%s", (int) place.size, place.data, document);
	return updater_further(job, by, clair_bytes(name), url, optional, "plain", error);
}

/* Names the index of the repository that a mirror has. */
static ClairStatus
read_mirror_list(Reading *reading, ClairError *error)
{
	ClairBytes mirror;
	ClairBytes url;
	ClairStatus status = mirror_list_read(reading->job->limits, reading->document->descriptor,
										  reading->arena, reading->document->url, &mirror, error);

	if (status != CLAIR_OK)
		return status;
	if (mirror.data == NULL)
		return clair_error(error, CLAIR_INVALID, "it names no mirror");
	url = arena_printf(reading->arena, "%.*s" REPODATA REPOMD, (int) mirror.size, mirror.data);
	if (url.data == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	return rpm_repository_name(reading->job, reading->document, reading->place, REPOMD, url, false,
							   error);
}

/* Whether the index of the repository that is read need not name updates. */
static bool
may_lack_updates(const Reading *reading)
{
	if (reading->repositories->may_lack != NULL)
		return reading->repositories->may_lack(reading->place);
	return reading->place.size > 0;
}

/* Names the updates of a repository. */
static ClairStatus
read_repomd(Reading *reading, ClairError *error)
{
	RepomdDocument found;
	ClairBytes name;
	ClairBytes url;
	ClairStatus status = repomd_find(reading->job->limits, reading->document->descriptor,
									 reading->arena, "updateinfo", &found, error);

	if (status != CLAIR_OK)
		return status;
	if (found.location.data == NULL && may_lack_updates(reading))
		return CLAIR_OK;
	if (found.location.data == NULL)
		return clair_error(error, CLAIR_INVALID, "it names no updateinfo");
	name = arena_printf(reading->arena, "%.*s" UPDATEINFO, (int) reading->place.size,
						reading->place.data);
	url = arena_printf(reading->arena, "../%.*s", (int) found.location.size, found.location.data);
	if (name.data == NULL || url.data == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	return updater_further_checked(reading->job, reading->document, name, url, found.checksum,
								   error);
}

static ClairStatus
read_updates(Reading *reading, ClairError *error)
{
	const RpmRepositories *repositories = reading->repositories;
	UpdateinfoSource updates = repositories->updates;
	ClairStatus status = CLAIR_OK;

	updates.place = reading->place;
	if (repositories->complete != NULL)
		status = repositories->complete(reading->place, reading->arena, &updates, error);
	if (status != CLAIR_OK)
		return status;
	return updateinfo_read(reading->feed, reading->document->name, reading->document->descriptor,
						   &updates, error);
}

/* Whether a name of a listing is that of a folder that may be a repository. */
static bool
is_folder(ClairBytes name)
{
	return name.size > 1 && name.size <= CLAIR_MAX_NAME && name.data[0] != '.' &&
		   memchr(name.data, '/', name.size) == name.data + name.size - 1 && text_is_valid(name);
}

/* Names the repositories of a folder. */
static ClairStatus
name_folders(Reading *reading, const ClairBytes *names, size_t count, ClairError *error)
{
	size_t found = 0;
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		ClairBytes url;

		if (!is_folder(names[i]))
			continue;
		found++;
		if (reading->repositories->name_folder != NULL)
		{
			status = reading->repositories->name_folder(reading->job, reading->document, names[i],
														error);
			continue;
		}
		url = arena_printf(reading->arena, "%.*s" REPODATA REPOMD, (int) names[i].size,
						   names[i].data);
		if (url.data == NULL)
			return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
		status = rpm_repository_name(reading->job, reading->document, names[i], REPOMD, url, true,
									 error);
	}
	if (status == CLAIR_OK && found == 0)
		return clair_error(error, CLAIR_INVALID, "it is neither a repository nor does it name any");
	return status;
}

static ClairStatus
read_listing(Reading *reading, ClairError *error)
{
	static const ClairBytes repomd = CLAIR_LITERAL(REPOMD);
	static const ClairBytes repodata = CLAIR_LITERAL(REPODATA);
	ClairBytes text;
	ClairBytes *names;
	size_t count;
	ClairStatus status = record_feed_load(reading->job->limits, reading->document->descriptor,
										  reading->arena, &text, error);

	if (status == CLAIR_OK)
		status = listing_read(reading->arena, text, &names, &count, error);
	if (status != CLAIR_OK)
		return status;
	for (size_t i = 0; i < count; i++)
	{
		if (clair_bytes_equal(names[i], repomd))
			return rpm_repository_name(reading->job, reading->document, reading->place, REPOMD,
									   repomd, false, error);
		if (clair_bytes_equal(names[i], repodata))
			return rpm_repository_name(reading->job, reading->document, reading->place, REPOMD,
									   CLAIR_LITERAL(REPODATA REPOMD), false, error);
	}
	return name_folders(reading, names, count, error);
}

/* Reads a document as what it is; errors of records name their document themselves. */
static ClairStatus
read_kind(Reading *reading, Kind kind, ClairError *error)
{
	const UpdaterDocument *document = reading->document;
	ClairStatus status;

	if (kind == KIND_UPDATEINFO)
		return read_updates(reading, error);
	if (kind == KIND_REPOMD)
		status = read_repomd(reading, error);
	else if (kind == KIND_MIRROR_LIST)
		status = read_mirror_list(reading, error);
	else if (kind == KIND_LISTING)
		status = read_listing(reading, error);
	else
		status = clair_error(error, CLAIR_INVALID,
							 "it is neither a repository nor does it name any");
	if (status != CLAIR_OK && status != CLAIR_STOPPED && status != CLAIR_PROTOCOL)
		clair_error_in(error, "document \"%.*s\"", (int) document->name.size, document->name.data);
	return status;
}

/* Takes the place off the name of a document, whose end says what it is. */
static bool
take_place(ClairBytes name, ClairBytes kind, ClairBytes *place)
{
	if (!clair_bytes_end_with(name, kind))
		return false;
	*place = (ClairBytes){name.data, name.size - kind.size};
	return place->size == 0 || place->data[place->size - 1] == '/';
}

static ClairStatus
read_document(Reading *reading, ClairError *error)
{
	const UpdaterDocument *document = reading->document;
	Kind kind = KIND_UNKNOWN;
	bool done = false;
	ClairStatus status = CLAIR_OK;

	reading->place = CLAIR_LITERAL("");
	if (reading->repositories->see != NULL)
		status = reading->repositories->see(reading->job, document, reading->arena, &done, error);
	if (status != CLAIR_OK || done)
		return status;
	if (take_place(document->name, CLAIR_LITERAL(UPDATEINFO), &reading->place))
		kind = KIND_UPDATEINFO;
	else if (take_place(document->name, CLAIR_LITERAL(REPOMD), &reading->place))
		kind = KIND_REPOMD;
	else if (take_place(document->name, CLAIR_LITERAL(MIRROR_LIST), &reading->place))
		kind = KIND_MIRROR_LIST;
	else
	{
		reading->place = CLAIR_LITERAL("");
		status = find_kind(reading, &kind, error);
	}
	return status == CLAIR_OK ? read_kind(reading, kind, error) : status;
}

ClairStatus
rpm_repositories_read(const RpmRepositories *repositories, const UpdaterJob *job, ClairError *error)
{
	RecordFeed feed;
	Reading reading = {.repositories = repositories, .job = job, .feed = &feed};
	ClairStatus status = record_feed_open(&feed, job->limits, job->sink, error);

	if (status != CLAIR_OK)
		return status;
	reading.arena = arena_create(record_feed_memory(job->limits));
	if (reading.arena == NULL)
		status = clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
	{
		arena_reset(reading.arena);
		reading.document = &job->documents[i];
		status = read_document(&reading, error);
	}
	arena_destroy(reading.arena);
	record_feed_close(&feed);
	return status;
}
