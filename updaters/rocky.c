/*
 * rocky.c
 *    Rocky Linux's errata: https://errata.rockylinux.org/, which Apollo serves, page by page.
 *
 * First document, "errata": the first page, { "advisories": [...], "links": {"last": ...} }. It
 * says which page is the last one, so that all of them are named at once. Of a copy of one's own,
 * it is the listing of a folder with pages, of whatever names, or one page. A record is an erratum:
 *
 *	  { "name", "kind", "severity", "synopsis", "description", "cves": [ { "cve" } ],
 *		"packages": [ { "nevra", "module_name", "module_stream", "product_name" } ] }
 *
 * Errata are served by their dates, the newest one first, so that a new one moves all others; what
 * is known is not read again, wherever it stands. Apollo's records in OSV say less: sources only,
 * without modules, architectures and epochs.
 */
#include <stdio.h>

#include "common/text.h"
#include "feed/json_records.h"
#include "feed/listing.h"
#include "feed/rpm_erratum.h"
#include "feed/severity.h"
#include "feed/unknown_words.h"
#include "updaters/updater.h"

#define FIRST		   CLAIR_LITERAL("errata")
#define PRODUCT		   CLAIR_LITERAL("Rocky Linux ")
#define LINK		   "https://errata.rockylinux.org/"
#define PAGE		   CLAIR_LITERAL("page=")
#define MAX_PAGES	   20000
#define MAX_URL		   1024
#define MEMORY_PROBLEM "there is not enough memory for the record"

/* A document being read. */
typedef struct Rocky
{
	const UpdaterJob *job;
	const UpdaterDocument *document;
	UnknownWords unknown; /* products that have been told of */
} Rocky;

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

/* The release of "Rocky Linux 9 x86_64", "Rocky Linux 8.4 aarch64 (Legacy)"; no value: none. */
static ClairBytes
release_of(ClairBytes product)
{
	ClairBytes release;

	if (!clair_bytes_start_with(product, PRODUCT))
		return CLAIR_NULL_BYTES;
	release = clair_bytes_skip(product, PRODUCT.size);
	product = release;
	for (release.size = 0; release.size < product.size; release.size++)
		if (product.data[release.size] < '0' || product.data[release.size] > '9')
			break;
	return release.size > 0 && release.size <= 3 ? release : CLAIR_NULL_BYTES;
}

/* Takes a package of an erratum. */
static ClairStatus
take_package(RecordFeed *feed, Rocky *rocky, ClairBytes key, JsonCursor *cursor,
			 RpmErratum *erratum, ClairError *error)
{
	ClairBytes nevra = CLAIR_NULL_BYTES;
	ClairBytes module = CLAIR_NULL_BYTES;
	ClairBytes stream = CLAIR_NULL_BYTES;
	ClairBytes product = CLAIR_NULL_BYTES;
	const char *problem = "it is none";
	RpmBuild build = {.name = CLAIR_NULL_BYTES};
	ClairBytes release;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("nevra")))
			json_text_or_null(cursor, &nevra);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("module_name")))
			json_text_or_null(cursor, &module);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("module_stream")))
			json_text_or_null(cursor, &stream);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("product_name")))
			json_text_or_null(cursor, &product);
		else
			json_skip(cursor);
	}
	if (cursor->status != CLAIR_OK)
		return CLAIR_OK;
	release = release_of(product);
	if (release.data == NULL)
		return unknown_words_add(&rocky->unknown, product)
				   ? advisory_broken(&feed->writer, key, error,
									 "%.*s: this product is not known; its packages are left out",
									 product.size < CLAIR_MAX_NAME ? (int) product.size
																   : CLAIR_MAX_NAME,
									 product.data != NULL ? product.data : "")
				   : CLAIR_OK;
	if (rpm_build_read(nevra, &build))
	{
		build.namespace = arena_printf(feed->arena, "rocky:%.*s", (int) release.size, release.data);
		if (module.size > 0)
			build.module = arena_printf(feed->arena, "%.*s:%.*s", (int) module.size, module.data,
										(int) stream.size, stream.data != NULL ? stream.data : "");
		if (build.namespace.data == NULL || (module.size > 0 && build.module.data == NULL) ||
			!rpm_erratum_add_build(feed->arena, erratum, &build, &problem))
			return memory_error(error);
	}
	if (problem == NULL)
		return CLAIR_OK;
	return advisory_broken(&feed->writer, key, error, "package \"%.*s\": %s",
						   nevra.size < CLAIR_MAX_NAME ? (int) nevra.size : CLAIR_MAX_NAME,
						   nevra.data != NULL ? nevra.data : "", problem);
}

/* Takes the packages, for which null may stand. */
static ClairStatus
take_packages(RecordFeed *feed, Rocky *rocky, ClairBytes key, JsonCursor *cursor,
			  RpmErratum *erratum, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	if (cursor->text.data == NULL || json_type(cursor) == JSON_NULL)
		return CLAIR_OK;
	json_enter(cursor, JSON_ARRAY);
	while (status == CLAIR_OK && json_next_element(cursor))
		status = take_package(feed, rocky, key, cursor, erratum, error);
	return status;
}

/* Takes the CVEs; false when the arena is exhausted. */
static bool
take_cves(Arena *arena, JsonCursor *cursor, RpmErratum *erratum)
{
	ClairBytes name;

	if (json_type(cursor) != JSON_ARRAY)
		return json_skip(cursor) || cursor->status != CLAIR_MEMORY;
	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		ClairBytes cve = CLAIR_NULL_BYTES;

		json_enter(cursor, JSON_OBJECT);
		while (json_next_member(cursor, &name))
		{
			if (clair_bytes_equal(name, CLAIR_LITERAL("cve")))
				json_text_or_null(cursor, &cve);
			else
				json_skip(cursor);
		}
		if (!rpm_erratum_add_cve(arena, erratum, cve))
			return false;
	}
	return true;
}

/* Takes a record's members, all but the packages, of which it says where they stand. */
static bool
take_members(Arena *arena, JsonCursor *cursor, RpmErratum *erratum, JsonCursor *packages)
{
	ClairBytes synopsis = CLAIR_NULL_BYTES;
	ClairBytes word = CLAIR_NULL_BYTES;
	ClairBytes kind = CLAIR_NULL_BYTES;
	bool enough = true;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (enough && json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("name")))
			json_text_or_null(cursor, &erratum->id);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("synopsis")))
			json_text_or_null(cursor, &synopsis);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("description")))
			json_text_or_null(cursor, &erratum->description);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("severity")))
			json_text_or_null(cursor, &word);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("kind")))
			json_text_or_null(cursor, &kind);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("cves")))
			enough = take_cves(arena, cursor, erratum);
		else
		{
			if (clair_bytes_equal(name, CLAIR_LITERAL("packages")))
				*packages = *cursor;
			json_skip(cursor);
		}
	}
	erratum->severity = severity_from_word(word);
	erratum->is_security = clair_bytes_equal(kind, CLAIR_LITERAL("Security"));
	if (erratum->description.size == 0)
		erratum->description = synopsis;
	return enough;
}

static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	JsonCursor packages = {0};
	RpmErratum erratum = {0};

	(void) context;
	json_skip(&cursor);
	if (!json_end(&cursor))
		return record_feed_refuse(record, &cursor, error);
	cursor = json_cursor(record->value, feed->arena);
	*key = CLAIR_LITERAL("");
	if (!take_members(feed->arena, &cursor, &erratum, &packages))
		return memory_error(error);
	if (cursor.status != CLAIR_OK && cursor.status != CLAIR_INVALID)
		return record_feed_refuse(record, &cursor, error);
	if (cursor.status == CLAIR_INVALID)
		*problem = cursor.problem;
	else if (erratum.id.size == 0 || erratum.id.size > CLAIR_MAX_NAME)
		*problem = "its name is missing or too long";
	else
		*key = erratum.id;
	return CLAIR_OK;
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	Rocky *rocky = context;
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	JsonCursor packages = {0};
	RpmErratum erratum = {0};
	ClairStatus status;

	if (!take_members(feed->arena, &cursor, &erratum, &packages))
		return memory_error(error);
	erratum.link = arena_printf(feed->arena, LINK "%.*s", (int) key.size, key.data);
	if (erratum.link.data == NULL)
		return memory_error(error);
	status = take_packages(feed, rocky, key, &packages, &erratum, error);
	if (status != CLAIR_OK)
		return status;
	if (packages.status == CLAIR_INVALID)
		status = advisory_broken(&feed->writer, key, error, "its packages: %s", packages.problem);
	else if (packages.status != CLAIR_OK)
		return record_feed_refuse(record, &packages, error);
	return status == CLAIR_OK ? rpm_erratum_write(feed, key, &erratum, error) : status;
}

/* The number behind the last "page=" of a URL, and where it stands; 0: there is none. */
static int
page_number(ClairBytes url, size_t *begin, size_t *end)
{
	int number = 0;

	for (*begin = url.size; *begin >= PAGE.size; --*begin)
		if (memcmp(url.data + *begin - PAGE.size, PAGE.data, PAGE.size) == 0)
			break;
	if (*begin < PAGE.size)
		return 0;
	for (*end = *begin; *end < url.size && number <= MAX_PAGES; ++*end)
	{
		if (url.data[*end] < '0' || url.data[*end] > '9')
			break;
		number = 10 * number + url.data[*end] - '0';
	}
	return number;
}

/* Names all pages behind the first one, up to the last. */
static ClairStatus
name_pages(const Rocky *rocky, ClairBytes last, ClairError *error)
{
	size_t begin;
	size_t end;
	int count = last.size > 0 && last.size < MAX_URL ? page_number(last, &begin, &end) : 0;
	ClairStatus status = CLAIR_OK;

	if (count == 0)
		return clair_error(error, CLAIR_INVALID, "it does not say which page is the last one");
	if (count > MAX_PAGES)
		return clair_error(error, CLAIR_LIMIT, "there are more than %d pages", MAX_PAGES);
	for (int number = 2; number <= count && status == CLAIR_OK; number++)
	{
		char name[16];
		char url[MAX_URL + 16];

		snprintf(name, sizeof(name), "page-%d", number);
		snprintf(url, sizeof(url), "%.*s%d%.*s", (int) begin, last.data, number,
				 (int) (last.size - end), last.data + end);
		status = updater_further(rocky->job, rocky->document, clair_bytes(name), clair_bytes(url),
								 false, "plain", error);
	}
	return status;
}

/* Of the first page, "links" says which other ones there are; a copy of it names none. */
static ClairStatus
take_member(RecordFeed *feed, void *context, const FeedRecord *member, ClairError *error)
{
	const Rocky *rocky = context;
	JsonCursor cursor = json_cursor(member->value, feed->arena);
	ClairBytes last = CLAIR_NULL_BYTES;
	bool is_links = clair_bytes_equal(member->name, CLAIR_LITERAL("links")) &&
					json_type(&cursor) == JSON_OBJECT;
	ClairBytes name;

	if (!is_links)
		json_skip(&cursor);
	else
		json_enter(&cursor, JSON_OBJECT);
	while (is_links && json_next_member(&cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("last")))
			json_text_or_null(&cursor, &last);
		else
			json_skip(&cursor);
	}
	if (!json_end(&cursor))
		return record_feed_refuse(member, &cursor, error);
	if (!is_links || !clair_bytes_equal(rocky->document->name, FIRST) ||
		clair_bytes_start_with(rocky->document->url, CLAIR_LITERAL("file:")))
		return CLAIR_OK;
	return name_pages(rocky, last, error);
}

static bool
is_page(ClairBytes name)
{
	return memmem(name.data, name.size, ".json", 5) != NULL;
}

static ClairStatus
read_document(RecordFeed *feed, Rocky *rocky, ClairError *error)
{
	static const RecordFormat format = {.cutter = &json_record_cutter,
										.part = "advisories",
										.passes_members = true,
										.identify = identify,
										.member = take_member,
										.itemize = itemize};
	const UpdaterDocument *document = rocky->document;
	bool is_listing = false;
	ClairStatus status = CLAIR_OK;

	if (clair_bytes_equal(document->name, FIRST))
		status = listing_is(rocky->job->limits, document->descriptor, &is_listing, error);
	if (status == CLAIR_OK && is_listing)
		status = updater_name_listed(rocky->job, document, feed->arena, is_page, "pages", error);
	else if (status == CLAIR_OK)
		return record_feed_read(feed, document->name, document->descriptor, &format, rocky, error);
	if (status == CLAIR_OK)
		return status;
	return clair_error_in(error, "document \"%.*s\"", (int) document->name.size,
						  document->name.data);
}

static ClairStatus
rocky_read(const UpdaterJob *job, ClairError *error)
{
	Rocky rocky = {.job = job};
	RecordFeed feed;
	ClairStatus status = record_feed_open(&feed, job->limits, job->sink, error);

	if (status != CLAIR_OK)
		return status;
	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
	{
		rocky.document = &job->documents[i];
		status = read_document(&feed, &rocky, error);
	}
	record_feed_close(&feed);
	return status;
}

const Updater updater_rocky = {"rocky", rocky_read};
