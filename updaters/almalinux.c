/*
 * almalinux.c
 *    AlmaLinux's errata: https://errata.almalinux.org/
 *
 * First document, "errata": that of one release, https://errata.almalinux.org/9/errata.full.json,
 * beside which are, by the numbers of their folders, those of the others; or, of a copy of one's
 * own, the listing of a folder that has these folders, or files of any release.
 *
 * A record is an erratum. Two forms are known:
 *
 *	  errata.full.json  { "data": [ { "id", "type", "packages": [ { ..., "module" } ] } ] }
 *	  errata.json       [ { "updateinfo_id", "type", "pkglist": { "packages", "module" } } ]
 *
 * The former says of each package which module it is of, the latter of all packages of an erratum
 * at once. AlmaLinux's records in OSV say less than either: no modules, no architectures.
 */
#include <stdio.h>

#include "common/text.h"
#include "feed/json_records.h"
#include "feed/listing.h"
#include "feed/rpm_erratum.h"
#include "feed/severity.h"
#include "updaters/updater.h"

#define FIRST		   CLAIR_LITERAL("errata")
#define FILE_NAME	   "errata.full.json"
#define OLDEST_RELEASE 8
#define NEWEST_RELEASE 20 /* that is asked for: one that is not there costs a request */
#define PEEKED		   64
#define MEMORY_PROBLEM "there is not enough memory for the record"

/* A document being read. */
typedef struct AlmaLinux
{
	ClairBytes release; /* its packages are of; empty: what they were built for */
	ClairBytes place;	/* what stands before the id in a record's key */
} AlmaLinux;

/* A package as an erratum lists it. */
typedef struct Package
{
	ClairBytes name;
	ClairBytes epoch;
	ClairBytes version;
	ClairBytes release;
	ClairBytes architecture;
	ClairBytes module; /* name:stream:version:context:architecture, or no value */
} Package;

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

static bool
is_number(ClairBytes text)
{
	bool is = text.size > 0 && text.size <= 3;

	for (size_t i = 0; i < text.size && is; i++)
		is = text.data[i] >= '0' && text.data[i] <= '9';
	return is;
}

/* The release that a package was built for, by the ".el8" or "_el8" in its release. */
static ClairBytes
built_for(ClairBytes release)
{
	for (size_t i = 0; i + 3 < release.size; i++)
	{
		ClairBytes number = clair_bytes_skip(release, i + 3);

		if (memchr("._+", release.data[i], 3) == NULL || memcmp(release.data + i + 1, "el", 2) != 0)
			continue;
		for (number.size = 0; i + 3 + number.size < release.size; number.size++)
			if (release.data[i + 3 + number.size] < '0' || release.data[i + 3 + number.size] > '9')
				break;
		if (is_number(number))
			return number;
	}
	return CLAIR_LITERAL("");
}

/* A text, or a number as it is written; no value for anything else. */
static void
take_word(JsonCursor *cursor, ClairBytes *word)
{
	if (json_type(cursor) == JSON_STRING)
		json_text(cursor, word);
	else if (json_type(cursor) == JSON_NUMBER)
		json_number(cursor, word);
	else
		json_skip(cursor);
}

static void
take_package(JsonCursor *cursor, Package *package)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("name")))
			take_word(cursor, &package->name);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("epoch")))
			take_word(cursor, &package->epoch);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("version")))
			take_word(cursor, &package->version);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("release")))
			take_word(cursor, &package->release);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("arch")))
			take_word(cursor, &package->architecture);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("module")))
			take_word(cursor, &package->module);
		else
			json_skip(cursor);
	}
}

/* "name:stream" of a module's full name; the text itself when it has no more. */
static ClairBytes
name_and_stream(ClairBytes module)
{
	size_t colons = 0;

	for (size_t i = 0; i < module.size; i++)
		if (module.data[i] == ':' && ++colons == 2)
			module.size = i;
	return module;
}

/* Adds a package to the erratum, or tells what is wrong with it. */
static ClairStatus
add_package(RecordFeed *feed, const AlmaLinux *almalinux, ClairBytes key, RpmErratum *erratum,
			const Package *package, ClairBytes module, ClairError *error)
{
	Arena *arena = feed->arena;
	ClairBytes release = almalinux->release.size > 0 ? almalinux->release
													 : built_for(package->release);
	bool has_epoch = package->epoch.size > 0 &&
					 !clair_bytes_equal(package->epoch, CLAIR_LITERAL("0"));
	RpmBuild build = {.name = package->name,
					  .architecture = package->architecture,
					  .module = package->module.size > 0 ? name_and_stream(package->module)
														 : module};
	const char *problem = NULL;

	if (package->version.size == 0 || package->release.size == 0)
		problem = "its version or release is missing";
	else if (release.size == 0)
		problem = "it does not say which release it is of";
	if (problem == NULL)
	{
		build.namespace = arena_printf(arena, "almalinux:%.*s", (int) release.size, release.data);
		build.version = arena_printf(arena, "%.*s%s%.*s-%.*s",
									 has_epoch ? (int) package->epoch.size : 0, package->epoch.data,
									 has_epoch ? ":" : "", (int) package->version.size,
									 package->version.data, (int) package->release.size,
									 package->release.data);
		if (build.namespace.data == NULL || build.version.data == NULL ||
			!rpm_erratum_add_build(arena, erratum, &build, &problem))
			return memory_error(error);
	}
	if (problem == NULL)
		return CLAIR_OK;
	return advisory_broken(&feed->writer, key, error, "%.*s: %s",
						   package->name.size < CLAIR_MAX_NAME ? (int) package->name.size
															   : CLAIR_MAX_NAME,
						   package->name.data != NULL ? package->name.data : "", problem);
}

/* Takes the packages of an erratum, all of one module, or of that which each of them names. */
static ClairStatus
take_packages(RecordFeed *feed, const AlmaLinux *almalinux, ClairBytes key, JsonCursor *cursor,
			  RpmErratum *erratum, ClairBytes module, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	if (cursor->text.data == NULL || json_type(cursor) == JSON_NULL)
		return CLAIR_OK;
	json_enter(cursor, JSON_ARRAY);
	while (status == CLAIR_OK && json_next_element(cursor))
	{
		Package package = {.name = CLAIR_NULL_BYTES};

		take_package(cursor, &package);
		if (cursor->status == CLAIR_OK)
			status = add_package(feed, almalinux, key, erratum, &package, module, error);
	}
	return status;
}

/* Takes "pkglist": where its packages stand, and the module that they are of. */
static bool
take_list(Arena *arena, JsonCursor *cursor, JsonCursor *packages, ClairBytes *module)
{
	ClairBytes parts[2] = {{0}};
	ClairBytes name;

	if (json_type(cursor) != JSON_OBJECT)
		return json_skip(cursor);
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("packages")))
			*packages = *cursor;
		if (clair_bytes_equal(name, CLAIR_LITERAL("module")) && json_type(cursor) == JSON_OBJECT)
		{
			json_enter(cursor, JSON_OBJECT);
			while (json_next_member(cursor, &name))
			{
				if (clair_bytes_equal(name, CLAIR_LITERAL("name")))
					take_word(cursor, &parts[0]);
				else if (clair_bytes_equal(name, CLAIR_LITERAL("stream")))
					take_word(cursor, &parts[1]);
				else
					json_skip(cursor);
			}
		}
		else
			json_skip(cursor);
	}
	if (parts[0].size == 0)
		return true;
	*module = arena_printf(arena, "%.*s:%.*s", (int) parts[0].size, parts[0].data,
						   (int) parts[1].size, parts[1].data != NULL ? parts[1].data : "");
	return module->data != NULL;
}

/* Takes the references: the CVEs, and the page of the erratum itself. */
static bool
take_references(Arena *arena, JsonCursor *cursor, RpmErratum *erratum)
{
	ClairBytes name;

	if (json_type(cursor) != JSON_ARRAY)
		return json_skip(cursor);
	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		ClairBytes id = CLAIR_NULL_BYTES;
		ClairBytes type = CLAIR_NULL_BYTES;
		ClairBytes url = CLAIR_NULL_BYTES;

		json_enter(cursor, JSON_OBJECT);
		while (json_next_member(cursor, &name))
		{
			if (clair_bytes_equal(name, CLAIR_LITERAL("id")))
				take_word(cursor, &id);
			else if (clair_bytes_equal(name, CLAIR_LITERAL("type")))
				take_word(cursor, &type);
			else if (clair_bytes_equal(name, CLAIR_LITERAL("href")))
				take_word(cursor, &url);
			else
				json_skip(cursor);
		}
		if (clair_bytes_equal(type, CLAIR_LITERAL("self")) && url.size <= 4 * CLAIR_MAX_NAME)
			erratum->link = url;
		if (clair_bytes_equal(type, CLAIR_LITERAL("cve")) &&
			!rpm_erratum_add_cve(arena, erratum, id))
			return false;
	}
	return true;
}

/* Takes a record's members, all but the packages, of which it says where they stand. */
static bool
take_members(Arena *arena, JsonCursor *cursor, RpmErratum *erratum, JsonCursor *packages,
			 ClairBytes *module)
{
	ClairBytes title = CLAIR_NULL_BYTES;
	ClairBytes word = CLAIR_NULL_BYTES;
	bool enough = true;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (enough && json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("id")) ||
			clair_bytes_equal(name, CLAIR_LITERAL("updateinfo_id")))
			take_word(cursor, &erratum->id);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("title")))
			take_word(cursor, &title);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("description")))
			take_word(cursor, &erratum->description);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("severity")))
			take_word(cursor, &word);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("type")))
		{
			ClairBytes type = CLAIR_NULL_BYTES;

			take_word(cursor, &type);
			erratum->is_security = clair_bytes_equal(type, CLAIR_LITERAL("security"));
		}
		else if (clair_bytes_equal(name, CLAIR_LITERAL("pkglist")))
			enough = take_list(arena, cursor, packages, module);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("references")))
			enough = take_references(arena, cursor, erratum);
		else
		{
			if (clair_bytes_equal(name, CLAIR_LITERAL("packages")))
				*packages = *cursor;
			json_skip(cursor);
		}
	}
	erratum->severity = severity_from_word(word);
	if (erratum->description.size == 0)
		erratum->description = title;
	return enough || cursor->status != CLAIR_OK;
}

static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	const AlmaLinux *almalinux = context;
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	JsonCursor packages = {0};
	ClairBytes module = CLAIR_NULL_BYTES;
	RpmErratum erratum = {0};

	json_skip(&cursor);
	if (!json_end(&cursor))
		return record_feed_refuse(record, &cursor, error);
	cursor = json_cursor(record->value, feed->arena);
	*key = almalinux->place;
	if (!take_members(feed->arena, &cursor, &erratum, &packages, &module))
		return memory_error(error);
	if (cursor.status != CLAIR_OK && cursor.status != CLAIR_INVALID)
		return record_feed_refuse(record, &cursor, error);
	if (cursor.status == CLAIR_INVALID)
		*problem = cursor.problem;
	else if (erratum.id.size == 0 || erratum.id.size > CLAIR_MAX_NAME)
		*problem = "its id is missing or too long";
	if (*problem != NULL)
		return CLAIR_OK;
	*key = arena_printf(feed->arena, "%.*s%.*s", (int) almalinux->place.size, almalinux->place.data,
						(int) erratum.id.size, erratum.id.data);
	return key->data != NULL ? CLAIR_OK : memory_error(error);
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	const AlmaLinux *almalinux = context;
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	JsonCursor packages = {0};
	ClairBytes module = CLAIR_NULL_BYTES;
	RpmErratum erratum = {0};
	ClairStatus status;

	if (!take_members(feed->arena, &cursor, &erratum, &packages, &module))
		return memory_error(error);
	status = take_packages(feed, almalinux, key, &packages, &erratum, module, error);
	if (status != CLAIR_OK)
		return status;
	if (packages.status == CLAIR_INVALID)
		status = advisory_broken(&feed->writer, key, error, "its packages: %s", packages.problem);
	else if (packages.status != CLAIR_OK)
		return record_feed_refuse(record, &packages, error);
	return status == CLAIR_OK ? rpm_erratum_write(feed, key, &erratum, error) : status;
}

/* The release that a document is of, by the folder that it is in, or its own name: "9.json". */
static ClairBytes
release_of(ClairBytes url)
{
	ClairBytes file = updater_last_segment(url);
	ClairBytes folder = {url.data, (size_t) (file.data - url.data)};
	ClairBytes number = text_take_part(&file, '.');

	if (is_number(number))
		return number;
	if (folder.size > 0)
		folder.size--;
	folder = updater_last_segment(folder);
	return is_number(folder) ? folder : CLAIR_LITERAL("");
}

/* Names the documents of the other releases. */
static ClairStatus
name_releases(const UpdaterJob *job, const UpdaterDocument *first, ClairBytes own,
			  ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (int number = OLDEST_RELEASE; number <= NEWEST_RELEASE && status == CLAIR_OK; number++)
	{
		char name[16];
		char url[64];

		snprintf(name, sizeof(name), "%d", number);
		snprintf(url, sizeof(url), "../%d/" FILE_NAME, number);
		if (!clair_bytes_equal(own, clair_bytes(name)))
			status = updater_further(job, first, clair_bytes(name), clair_bytes(url), true, "plain",
									 error);
	}
	return status;
}

/* Names what a folder has: folders of releases, and files. */
static ClairStatus
read_listing(RecordFeed *feed, const UpdaterJob *job, const UpdaterDocument *listing,
			 ClairError *error)
{
	ClairBytes text;
	ClairBytes *names;
	size_t count = 0;
	size_t found = 0;
	ClairStatus status = record_feed_load(job->limits, listing->descriptor, feed->arena, &text,
										  error);

	if (status == CLAIR_OK)
		status = listing_read(feed->arena, text, &names, &count, error);
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		bool is_folder = names[i].data[names[i].size - 1] == '/';
		ClairBytes name = {names[i].data, names[i].size - is_folder};
		ClairBytes url = names[i];

		if (is_folder ? !is_number(name) : memmem(name.data, name.size, ".json", 5) == NULL)
			continue;
		found++;
		if (is_folder)
			url = arena_printf(feed->arena, "%.*s" FILE_NAME, (int) url.size, url.data);
		if (url.data == NULL)
			return memory_error(error);
		status = updater_further(job, listing, name, url, is_folder, "plain", error);
	}
	if (status == CLAIR_OK && found == 0)
		status = clair_error(error, CLAIR_INVALID, "the listing names no errata");
	return status;
}

/* Reads the errata of a document, of either form. */
static ClairStatus
read_errata(RecordFeed *feed, const UpdaterJob *job, const UpdaterDocument *document,
			ClairError *error)
{
	static const RecordFormat full = {.cutter = &json_record_cutter,
									  .part = "data",
									  .passes_members = true,
									  .identify = identify,
									  .member = record_feed_pass,
									  .itemize = itemize};
	static const RecordFormat list = {
		.cutter = &json_record_cutter, .part = "", .identify = identify, .itemize = itemize};
	AlmaLinux almalinux = {.release = release_of(document->url)};
	bool is_list;
	char place[8];
	char peeked[PEEKED];
	size_t size = sizeof(peeked);
	ClairBytes beginning;
	ClairStatus status = record_feed_peek(job->limits, document->descriptor, peeked, &size, error);

	if (status != CLAIR_OK)
		return status;
	snprintf(place, sizeof(place), "%.*s%s", (int) almalinux.release.size, almalinux.release.data,
			 almalinux.release.size > 0 ? "/" : "");
	almalinux.place = clair_bytes(place);
	beginning = text_trim((ClairBytes){peeked, size});
	is_list = beginning.size > 0 && beginning.data[0] == '[';
	return record_feed_read(feed, document->name, document->descriptor, is_list ? &list : &full,
							&almalinux, error);
}

static ClairStatus
read_document(RecordFeed *feed, const UpdaterJob *job, const UpdaterDocument *document,
			  ClairError *error)
{
	ClairBytes own = release_of(document->url);
	bool is_first = clair_bytes_equal(document->name, FIRST);
	bool is_listing = false;
	ClairStatus status = CLAIR_OK;

	if (is_first)
		status = listing_is(job->limits, document->descriptor, &is_listing, error);
	if (status == CLAIR_OK && is_listing)
		status = read_listing(feed, job, document, error);
	else if (status == CLAIR_OK && is_first && own.size > 0 &&
			 !clair_bytes_start_with(document->url, CLAIR_LITERAL("file:")))
		status = name_releases(job, document, own, error);
	if (status == CLAIR_OK && !is_listing)
		return read_errata(feed, job, document, error);
	if (status == CLAIR_OK)
		return status;
	return clair_error_in(error, "document \"%.*s\"", (int) document->name.size,
						  document->name.data);
}

static ClairStatus
almalinux_read(const UpdaterJob *job, ClairError *error)
{
	RecordFeed feed;
	ClairStatus status = record_feed_open(&feed, job->limits, job->sink, error);

	if (status != CLAIR_OK)
		return status;
	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
		status = read_document(&feed, job, &job->documents[i], error);
	record_feed_close(&feed);
	return status;
}

const Updater updater_almalinux = {"almalinux", almalinux_read};
