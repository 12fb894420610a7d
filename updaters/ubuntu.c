/*
 * ubuntu.c
 *    Ubuntu's security data: https://security-metadata.canonical.com/
 *
 * First document: the archive of OSV records, one for each vulnerability; or the listing of a
 * folder of archives. It says where a vulnerability is and what has fixed it, but not what is to
 * become of the rest. That is in the archive of OpenVEX documents, which is named in a second
 * round, and lies beside the first one. A record is a file of either, known by its name:
 *
 *	  UBUNTU-CVE-2031-0007.json	   OSV
 *	  CVE-2031-0007.json		   OpenVEX
 *
 * Other files (of notices, and of live patches) repeat what these say, and are passed over. What
 * both say of the same vulnerability of a package is put together when it is stored.
 */
#include <stdio.h>

#include "common/purl.h"
#include "common/text.h"
#include "feed/file_records.h"
#include "feed/name_list.h"
#include "feed/openvex.h"
#include "feed/osv.h"
#include "feed/record_feed.h"
#include "feed/ubuntu_statement.h"
#include "feed/unknown_words.h"
#include "updaters/updater.h"

#define LINK		   "https://ubuntu.com/security/"
#define FILE_PATTERN   "*CVE-*.json"
#define FIRST		   CLAIR_LITERAL("osv")
#define MAX_URL		   4096
#define MEMORY_PROBLEM "there is not enough memory for the record"

/* What stands before the vulnerability in a file's name. */
static const ClairBytes osv_prefix = CLAIR_LITERAL("UBUNTU-");
static const ClairBytes extension = CLAIR_LITERAL(".json");

/* What stands before the vulnerability in a record's key. */
static const ClairBytes osv_key = CLAIR_LITERAL("osv/");
static const ClairBytes vex_key = CLAIR_LITERAL("vex/");

/* A record being read. */
typedef struct Record
{
	RecordFeed *feed;
	UnknownWords *unknown;
	ClairBytes key;
	Advisory advisory;
	UbuntuStatements statements;
} Record;

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

static bool
contains(ClairBytes text, const char *part)
{
	return text.size > 0 && memmem(text.data, text.size, part, strlen(part)) != NULL;
}

static ClairStatus
broken(const Record *record, ClairBytes place, const char *problem, ClairError *error)
{
	if (place.size > CLAIR_MAX_NAME)
		place.size = CLAIR_MAX_NAME;
	if (place.size == 0)
		return advisory_broken(&record->feed->writer, record->key, error, "%s", problem);
	return advisory_broken(&record->feed->writer, record->key, error, "%.*s: %s", (int) place.size,
						   place.data, problem);
}

/* A record that could not be read: broken, unless there was not enough memory. */
static ClairStatus
refuse(const Record *record, const JsonCursor *cursor, ClairError *error)
{
	if (cursor->status == CLAIR_INVALID)
		return broken(record, CLAIR_NULL_BYTES, cursor->problem, error);
	return clair_error(error, cursor->status, "%s", cursor->problem);
}

/* Adds a statement on a channel that is named in one of the feeds' ways. */
static ClairStatus
add_statement(Record *record, UbuntuPlace place, ClairBytes name, const UbuntuStatement *statement,
			  ClairError *error)
{
	ClairStatus status = CLAIR_OK;
	const char *problem = NULL;

	if (place == UBUNTU_OTHER)
		return CLAIR_OK;
	if (place == UBUNTU_UNKNOWN && !unknown_words_add(record->unknown, name))
		return CLAIR_OK;
	if (place == UBUNTU_UNKNOWN)
		return broken(record, name, "it is not known; its entries are left out", error);
	status = ubuntu_statement_add(record->feed, &record->statements, statement, &problem, error);
	if (status == CLAIR_OK && problem != NULL)
		status = broken(record, statement->package, problem, error);
	return status;
}

/* Whether there is a fix for all of a package's ranges, of which it must have one. */
static bool
is_fixed(const OsvAffected *affected)
{
	for (size_t i = 0; i < affected->range_count; i++)
		if (affected->ranges[i].fixed.data == NULL)
			return false;
	return true;
}

/*
 * Adds what an OSV record says of a package. Of several fixes the highest counts; that a flaw came
 * with a version is not kept, for Ubuntu never says so.
 */
static ClairStatus
add_affected(Record *record, const OsvAffected *affected, ClairBytes priority, ClairError *error)
{
	UbuntuStatement statement = {.package = affected->name, .status = UBUNTU_AFFECTED};
	ClairBytes own_priority = osv_severity(&affected->severities, "Ubuntu");
	ClairStatus status = CLAIR_OK;
	UbuntuPlace place;

	if (affected->problem != NULL)
		return broken(record, affected->name, affected->problem, error);
	place = ubuntu_ecosystem(record->feed->arena, affected->ecosystem, &statement.channel);
	if (place == UBUNTU_CHANNEL && statement.channel.namespace.data == NULL)
		return memory_error(error);
	if (place == UBUNTU_CHANNEL && affected->range_count == 0)
		return broken(record, affected->name, "it has no range of versions", error);
	statement.severity = ubuntu_severity(own_priority.data != NULL ? own_priority : priority);
	if (!is_fixed(affected) || affected->range_count == 0)
		return add_statement(record, place, affected->ecosystem, &statement, error);
	statement.status = UBUNTU_FIXED;
	for (size_t i = 0; i < affected->range_count && status == CLAIR_OK; i++)
	{
		statement.fixed = affected->ranges[i].fixed;
		status = add_statement(record, place, affected->ecosystem, &statement, error);
	}
	return status;
}

/* Puts those of the names that are no CVEs and fit into a list into *found. */
static void
collect_names(const OsvNames *names, ClairBytes *found, size_t *count)
{
	for (size_t i = 0; i < names->count; i++)
	{
		ClairBytes name = names->names[i];

		if (name.size > 0 && name.size <= CLAIR_MAX_NAME &&
			memchr(name.data, ' ', name.size) == NULL &&
			!clair_bytes_start_with(name, CLAIR_LITERAL("CVE-")) &&
			!clair_bytes_start_with(name, osv_prefix))
			found[(*count)++] = name;
	}
}

/* Fills the advisory's other names: above all, the notices that brought fixes. */
static ClairStatus
take_aliases(Record *record, const OsvRecord *osv, ClairBytes *fixed_by, ClairError *error)
{
	size_t count = 0;
	size_t notices = 0;
	ClairBytes *names = arena_alloc_array(record->feed->arena,
										  osv->related.count + osv->aliases.count,
										  sizeof(ClairBytes));

	if (names == NULL)
		return memory_error(error);
	collect_names(&osv->related, names, &count);
	collect_names(&osv->aliases, names, &count);
	count = name_list_order(names, count);
	for (size_t i = 0; i < count; i++)
		if (clair_bytes_start_with(names[i], CLAIR_LITERAL("USN-")) && notices++ == 0)
			*fixed_by = names[i];
	if (notices != 1)
		*fixed_by = CLAIR_NULL_BYTES;
	record->advisory.aliases = name_list_join(record->feed->arena, names, count);
	return count > 0 && record->advisory.aliases.data == NULL ? memory_error(error) : CLAIR_OK;
}

/* Reads an OSV record. One that was withdrawn says nothing any more. */
static ClairStatus
itemize_osv(Record *record, ClairBytes text, ClairError *error)
{
	JsonCursor cursor = json_cursor(text, record->feed->arena);
	ClairStatus status = CLAIR_OK;
	ClairBytes fixed_by;
	ClairBytes priority;
	OsvRecord osv;

	if (!osv_read(&cursor, &osv))
		return refuse(record, &cursor, error);
	if (!clair_bytes_start_with(osv.id, osv_prefix) ||
		!clair_bytes_equal(clair_bytes_skip(osv.id, osv_prefix.size), record->advisory.name))
		return broken(record, osv.id, "its file has another name", error);
	if (osv.withdrawn.size > 0)
		return CLAIR_OK;
	priority = osv_severity(&osv.severities, "Ubuntu");
	for (size_t i = 0; i < osv.affected_count && status == CLAIR_OK; i++)
		status = add_affected(record, &osv.affected[i], priority, error);
	if (status == CLAIR_OK)
		status = take_aliases(record, &osv, &fixed_by, error);
	if (status != CLAIR_OK)
		return status;
	record->advisory.description = osv.details.size > 0 ? osv.details : osv.summary;
	return ubuntu_statements_write(record->feed, &record->statements, &record->advisory, fixed_by,
								   UBUNTU_PLACES, error);
}

/* What an OpenVEX statement says, its action and impact in Ubuntu's sentences. False: nothing. */
static bool
judge(const OpenvexStatement *vex, UbuntuStatus *status)
{
	if (clair_bytes_equal(vex->status, CLAIR_LITERAL("affected")))
	{
		*status = UBUNTU_AFFECTED;
		if (contains(vex->action_statement, "decided to not fix"))
			*status = UBUNTU_WILL_NOT_FIX;
		else if (contains(vex->action_statement, "no longer supported"))
			*status = UBUNTU_END_OF_LIFE;
	}
	else if (clair_bytes_equal(vex->status, CLAIR_LITERAL("not_affected")))
	{
		*status = UBUNTU_NOT_AFFECTED;
		if (clair_bytes_equal(vex->justification, CLAIR_LITERAL("component_not_present")))
			*status = UBUNTU_ABSENT;
	}
	else if (clair_bytes_equal(vex->status, CLAIR_LITERAL("under_investigation")))
		*status = UBUNTU_UNDER_INVESTIGATION;
	else if (clair_bytes_equal(vex->status, CLAIR_LITERAL("fixed")))
		*status = UBUNTU_FIXED;
	else
		return false;
	return true;
}

/* Adds what is said of a product; of the packages, the sources stand for their binaries. */
static ClairStatus
add_product(Record *record, ClairBytes product, UbuntuStatus status, ClairError *error)
{
	UbuntuStatement statement = {.status = status, .severity = CLAIR_LITERAL("Unknown")};
	const char *problem;
	ClairBytes distro;
	Purl purl;

	if (!contains(product, "arch=source"))
		return CLAIR_OK;
	problem = purl_read(record->feed->arena, product, &purl);
	if (problem == NULL && purl.type.data == NULL)
		return memory_error(error);
	if (problem != NULL)
		return broken(record, product, problem, error);
	distro = purl_qualifier(&purl, "distro");
	if (!clair_bytes_equal(purl.type, CLAIR_LITERAL("deb")) || distro.data == NULL)
		return broken(record, product, "it is no package of a distribution", error);
	statement.package = purl.name;
	statement.fixed = purl.version;
	return add_statement(record, ubuntu_channel(distro, &statement.channel), distro, &statement,
						 error);
}

/* Adds what a statement of an OpenVEX document says. */
static ClairStatus
add_statements(Record *record, const OpenvexStatement *vex, ClairError *error)
{
	ClairStatus done = CLAIR_OK;
	UbuntuStatus status;

	if (!clair_bytes_equal(vex->vulnerability, record->advisory.name))
		return broken(record, vex->vulnerability, "its file has another name", error);
	if (!judge(vex, &status))
		return broken(record, vex->status, "this status is not known", error);
	if (vex->description.size > 0)
		record->advisory.description = vex->description;
	for (size_t i = 0; i < vex->product_count && done == CLAIR_OK; i++)
		done = add_product(record, vex->products[i].name, status, error);
	return done;
}

/* Reads an OpenVEX document. */
static ClairStatus
itemize_vex(Record *record, ClairBytes text, ClairError *error)
{
	ClairStatus status = CLAIR_OK;
	OpenvexStatement statement;
	OpenvexReader reader;
	const char *problem;

	if (!openvex_open(&reader, text, record->feed->arena))
		return refuse(record, &reader.cursor, error);
	while (status == CLAIR_OK && openvex_next(&reader, &statement, &problem))
	{
		if (problem != NULL)
			status = broken(record, CLAIR_LITERAL("a statement"), problem, error);
		else
			status = add_statements(record, &statement, error);
	}
	if (status != CLAIR_OK)
		return status;
	if (reader.cursor.status != CLAIR_OK)
		return refuse(record, &reader.cursor, error);
	return ubuntu_statements_write(record->feed, &record->statements, &record->advisory,
								   CLAIR_NULL_BYTES, UBUNTU_DECISIONS, error);
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *feed_record, ClairBytes key,
		ClairError *error)
{
	Record record = {.feed = feed, .unknown = context, .key = key};

	record.advisory.record = key;
	record.advisory.name = clair_bytes_skip(key, osv_key.size);
	record.advisory.link = arena_printf(feed->arena, LINK "%.*s", (int) record.advisory.name.size,
										record.advisory.name.data);
	if (record.advisory.link.data == NULL)
		return memory_error(error);
	if (clair_bytes_start_with(key, osv_key))
		return itemize_osv(&record, feed_record->value, error);
	return itemize_vex(&record, feed_record->value, error);
}

/* A record is a file whose name is that of a vulnerability; its key says of which form it is. */
static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	const char *slash = memrchr(record->name.data, '/', record->name.size);
	size_t folder = slash != NULL ? (size_t) (slash - record->name.data) + 1 : 0;
	ClairBytes name = clair_bytes_skip(record->name, folder);
	bool is_osv = clair_bytes_start_with(name, osv_prefix);
	ClairBytes prefix = is_osv ? osv_key : vex_key;

	(void) context;
	*key = CLAIR_NULL_BYTES;
	if (is_osv)
		name = clair_bytes_skip(name, osv_prefix.size);
	if (!clair_bytes_start_with(name, CLAIR_LITERAL("CVE-")) ||
		!clair_bytes_end_with(name, extension))
		return CLAIR_OK;
	name.size -= extension.size;
	if (name.size > CLAIR_MAX_NAME)
	{
		*key = record->name;
		*problem = "its name is too long";
		return CLAIR_OK;
	}
	*key = arena_printf(feed->arena, "%.*s%.*s", (int) prefix.size, prefix.data, (int) name.size,
						name.data);
	return key->data != NULL ? CLAIR_OK : memory_error(error);
}

/*
 * The first archive names that of OpenVEX documents: it is called as that of OSV records, with the
 * other name for the format, and beside it; on a server that has a folder for each, in the other
 * one.
 */
static ClairStatus
name_vex(const UpdaterJob *job, const UpdaterDocument *osv, ClairError *error)
{
	const char *slash = memrchr(osv->url.data, '/', osv->url.size);
	ClairBytes file = slash != NULL
						  ? clair_bytes_skip(osv->url, (size_t) (slash - osv->url.data) + 1)
						  : osv->url;
	ClairBytes folder = {osv->url.data, osv->url.size - file.size};
	bool has_folders = !clair_bytes_start_with(osv->url, CLAIR_LITERAL("file:")) &&
					   clair_bytes_end_with(folder, CLAIR_LITERAL("/osv/"));
	char url[MAX_URL];

	if (!clair_bytes_equal(osv->name, FIRST) ||
		!clair_bytes_start_with(file, CLAIR_LITERAL("osv")) || file.size > MAX_URL / 2)
		return CLAIR_OK;
	file = clair_bytes_skip(file, 3);
	snprintf(url, sizeof(url), "%svex%.*s", has_folders ? "../vex/" : "", (int) file.size,
			 file.data);
	return updater_further(job, osv, CLAIR_LITERAL("vex"), clair_bytes(url), true, "plain", error);
}

static ClairStatus
ubuntu_read(const UpdaterJob *job, ClairError *error)
{
	static const RecordFormat format = {.cutter = &archive_record_cutter,
										.part = FILE_PATTERN,
										.identify = identify,
										.itemize = itemize};
	UnknownWords unknown = {0};

	return updater_read_archives(job, &format, &unknown, name_vex, error);
}

const Updater updater_ubuntu = {"ubuntu", ubuntu_read};
