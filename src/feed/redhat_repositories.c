/*
 * redhat_repositories.c
 *    Red Hat's list of repositories; see redhat_repositories.h.
 *
 * {"data": {"rhel-9-for-x86_64-baseos-rpms": {"cpes":
 * ["cpe:/o:redhat:enterprise_linux:9::baseos"]}}}
 */
#include "feed/redhat_repositories.h"

#include "feed/cpe.h"
#include "feed/json_records.h"

#define DATA		   CLAIR_LITERAL("data")
#define KEY			   CLAIR_LITERAL("repositories")
#define MEMORY_PROBLEM "there is not enough memory for the list"

/* The list that is being read. */
typedef struct Reading
{
	RecordFeed *feed;
	ClairBytes repository;
	int64_t rows;
} Reading;

static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	(void) feed;
	(void) context;
	(void) problem;
	(void) error;
	*key = clair_bytes_equal(record->name, DATA) ? KEY : CLAIR_NULL_BYTES;
	return CLAIR_OK;
}

/* Writes that the repository belongs to a product. */
static ClairStatus
write_product(Reading *reading, ClairBytes text, ClairError *error)
{
	RecordFeed *feed = reading->feed;
	Cpe cpe;
	const char *problem = cpe_read(feed->arena, text, &cpe);
	ClairBytes uri;

	if (problem != NULL)
		return advisory_broken(&feed->writer, KEY, error, "repository \"%.*s\": \"%.*s\": %s",
							   (int) reading->repository.size, reading->repository.data,
							   (int) (text.size < CPE_MAX_SIZE ? text.size : CPE_MAX_SIZE),
							   text.data, problem);
	uri = cpe_uri(feed->arena, &cpe);
	if (uri.data == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	reading->rows++;
	return feed->sink->row(feed->sink->context, WIRE_REPOSITORY,
						   (ClairBytes[]){reading->repository, uri}, 2, error);
}

static ClairStatus
take_products(Reading *reading, JsonCursor *cursor, ClairError *error)
{
	ClairStatus status = CLAIR_OK;
	ClairBytes text;

	json_enter(cursor, JSON_ARRAY);
	while (status == CLAIR_OK && json_next_element(cursor))
		if (json_text(cursor, &text))
			status = write_product(reading, text, error);
	return status;
}

static ClairStatus
take_repository(Reading *reading, JsonCursor *cursor, ClairError *error)
{
	ClairStatus status = CLAIR_OK;
	ClairBytes name;

	if (reading->repository.size == 0 || reading->repository.size > CLAIR_MAX_NAME)
	{
		json_refuse(cursor, CLAIR_INVALID, "the name of a repository is empty or too long");
		return CLAIR_OK;
	}
	json_enter(cursor, JSON_OBJECT);
	while (status == CLAIR_OK && json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("cpes")))
			status = take_products(reading, cursor, error);
		else
			json_skip(cursor);
	}
	return status;
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	Reading reading = {.feed = feed};
	ClairStatus status = CLAIR_OK;

	(void) context;
	(void) key;
	json_enter(&cursor, JSON_OBJECT);
	while (status == CLAIR_OK && json_next_member(&cursor, &reading.repository))
		status = take_repository(&reading, &cursor, error);
	if (status != CLAIR_OK)
		return status;
	if (json_end(&cursor) && reading.rows == 0)
		json_refuse(&cursor, CLAIR_INVALID, "it names no repository");
	return cursor.status == CLAIR_OK ? CLAIR_OK : record_feed_refuse(record, &cursor, error);
}

ClairStatus
redhat_repositories_read(RecordFeed *feed, ClairBytes document, int descriptor, ClairError *error)
{
	static const RecordFormat format = {.cutter = &json_record_cutter,
										.identify = identify,
										.itemize = itemize};

	return record_feed_read(feed, document, descriptor, &format, NULL, error);
}
