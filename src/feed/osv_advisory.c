/*
 * osv_advisory.c
 *    From records of the Open Source Vulnerability format to rows; see osv_advisory.h.
 */
#include "feed/osv_advisory.h"

#include "common/purl.h"
#include "common/text.h"
#include "feed/cve.h"
#include "feed/cvss.h"
#include "feed/name_list.h"
#include "feed/osv_ranges.h"
#include "feed/severity.h"

#define MEMORY_PROBLEM	"there is not enough memory for the record"
#define MAX_DESCRIPTION (1024 * 1024)
#define MAX_ALIASES		(64 * 1024) /* bytes of all of them */
#define MAX_ROWS		1000000		/* ranges of all of a record's vulnerabilities */
#define CVE				CLAIR_LITERAL("CVE-")
#define SUBPACKAGE		CLAIR_LITERAL("subpackage") /* see clair.scope.flavour */

static const ClairBytes unknown = CLAIR_LITERAL("Unknown");

/* A record being read. */
typedef struct Reading
{
	RecordFeed *feed;
	OsvSource *source;
	ClairBytes key;
	const OsvRecord *record;
	ClairBytes own_cve; /* that the record is named after, or no value */
	ClairBytes severity;
	OsvClaims claims;
	ClairBytes *names; /* of its vulnerabilities */
	size_t name_count;
} Reading;

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

/* Tells that something of a record is left out, and what it is of. */
static ClairStatus
broken(const Reading *reading, ClairBytes place, const char *problem, ClairError *error)
{
	if (place.size > CLAIR_MAX_NAME)
		place.size = CLAIR_MAX_NAME;
	if (place.size == 0)
		return advisory_broken(&reading->feed->writer, reading->key, error, "%s", problem);
	return advisory_broken(&reading->feed->writer, reading->key, error, "%.*s: %s",
						   (int) place.size, place.data, problem);
}

/* The text that a member of an object has; no value when it has none, or there is no object. */
static ClairBytes
text_of(Arena *arena, ClairBytes json, const char *member)
{
	JsonCursor cursor = json_cursor(json, arena);
	ClairBytes found = CLAIR_NULL_BYTES;
	ClairBytes name;

	if (json.size == 0 || json_type(&cursor) != JSON_OBJECT)
		return CLAIR_NULL_BYTES;
	json_enter(&cursor, JSON_OBJECT);
	while (json_next_member(&cursor, &name))
	{
		if (clair_bytes_equal(name, clair_bytes(member)) && json_type(&cursor) == JSON_STRING)
			json_text(&cursor, &found);
		else
			json_skip(&cursor);
	}
	return found;
}

/* What a word means, in the scales that distributions have; Unknown when it is not known. */
static ClairBytes
severity_of_word(ClairBytes word)
{
	if (text_equal_ignoring_case(word, CLAIR_LITERAL("unimportant"))) /* Debian's */
		return CLAIR_LITERAL("Negligible");
	return severity_from_word(word);
}

/* What a member of a "..._specific" object says of the severity. */
static ClairBytes
severity_of_object(Arena *arena, ClairBytes json)
{
	ClairBytes word = text_of(arena, json, "severity");

	return severity_of_word(word.data != NULL ? word : text_of(arena, json, "urgency"));
}

/* The severity by words, such as Ubuntu's; else by the CVSS vector of the highest version. */
static ClairBytes
severity_of_list(const OsvSeverities *list)
{
	ClairBytes found = unknown;
	int version = -1;

	for (size_t i = 0; i < list->count; i++)
	{
		const OsvSeverity *severity = &list->severities[i];
		Cvss cvss;

		if (!clair_bytes_start_with(severity->type, CLAIR_LITERAL("CVSS_")))
		{
			ClairBytes word = severity_of_word(severity->score);

			if (!clair_bytes_equal(word, unknown))
				return word;
		}
		else if (cvss_read(severity->score, &cvss) == NULL && (int) cvss.version > version &&
				 cvss_score(&cvss) != CVSS_NO_SCORE)
		{
			version = (int) cvss.version;
			found = clair_bytes(cvss_severity(cvss.version, cvss_score(&cvss)));
		}
	}
	return found;
}

/* The word that summaries of advisories begin with: "Moderate: zlib security update". */
static ClairBytes
severity_of_summary(ClairBytes summary)
{
	const char *colon = summary.size > 0 ? memchr(summary.data, ':', summary.size) : NULL;

	if (colon == NULL)
		return unknown;
	summary.size = (size_t) (colon - summary.data);
	return severity_of_word(summary);
}

static ClairBytes
first_known(const ClairBytes *severities, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!clair_bytes_equal(severities[i], unknown))
			return severities[i];
	return unknown;
}

/* The CVE that an id has in it: "CVE-2031-0001", "DEBIAN-CVE-2031-0001". */
static ClairBytes
cve_in(ClairBytes id)
{
	const char *begin = id.size > 0 ? memmem(id.data, id.size, CVE.data, CVE.size) : NULL;
	ClairBytes cve = CLAIR_NULL_BYTES;

	if (begin != NULL && (begin == id.data || begin[-1] == '-'))
		cve = clair_bytes_skip(id, (size_t) (begin - id.data));
	return cve.data != NULL && cve_is_name(cve) ? cve : CLAIR_NULL_BYTES;
}

/* Whether an id is that of an update that is not about security: ALBA-, RLEA-, SUSE-RU-, ... */
static bool
is_other_update(ClairBytes id)
{
	static const ClairBytes kinds[] = {CLAIR_LITERAL("BA-"), CLAIR_LITERAL("EA-"),
									   CLAIR_LITERAL("RU-"), CLAIR_LITERAL("OU-"),
									   CLAIR_LITERAL("FU-")};
	const char *suse = memmem(id.data, id.size, "SUSE-", 5);
	ClairBytes kind;

	if (id.size <= 5)
		return false;
	kind = clair_bytes_skip(id, suse != NULL ? (size_t) (suse + 5 - id.data) : 2);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (clair_bytes_start_with(kind, kinds[i]))
			return true;
	return false;
}

/* Puts the CVEs among names into found: how many are in it. */
static size_t
collect_cves(const OsvNames *names, ClairBytes *found, size_t count)
{
	for (size_t i = 0; i < names->count; i++)
	{
		ClairBytes cve = cve_in(names->names[i]);

		if (cve.data != NULL)
			found[count++] = cve;
	}
	return count;
}

/* Whether a vulnerability can be called so. */
static bool
is_name(ClairBytes name)
{
	return name.size > 0 && name.size <= CLAIR_MAX_NAME &&
		   memchr(name.data, ' ', name.size) == NULL;
}

/* Finds the vulnerabilities that the record is about; none when it is none. */
static ClairStatus
take_names(Reading *reading, ClairError *error)
{
	const OsvRecord *record = reading->record;
	const OsvNames *lists[] = {&record->upstream, &record->aliases, &record->related};
	size_t count = 0;

	reading->own_cve = cve_in(record->id);
	reading->names = arena_alloc_array(reading->feed->arena,
									   record->upstream.count + record->aliases.count +
										   record->related.count + 1,
									   sizeof(ClairBytes));
	if (reading->names == NULL)
		return memory_error(error);
	if (reading->own_cve.data != NULL)
		reading->names[count++] = reading->own_cve;
	for (size_t i = 0; i < 3 && count == 0; i++)
		count = collect_cves(lists[i], reading->names, 0);
	for (size_t i = 0; i < record->upstream.count && count == 0; i++)
		if (reading->source->is_of_components && is_name(record->upstream.names[i]))
			reading->names[count++] = record->upstream.names[i];
	if (count == 0 && !is_other_update(record->id))
		reading->names[count++] = record->id;
	reading->name_count = name_list_order(reading->names, count);
	return CLAIR_OK;
}

/* What is said of a package beside its versions; namespace has no value: it is passed over. */
static ClairStatus
take_package(Reading *reading, const OsvAffected *affected, AdvisoryRange *range, bool *drops_epoch,
			 ClairError *error)
{
	Arena *arena = reading->feed->arena;
	OsvSource *source = reading->source;
	ClairBytes namespace = CLAIR_NULL_BYTES;
	ClairBytes known = affected->ecosystem;
	OsvEcosystem ecosystem;
	bool of_known;

	for (size_t i = 0; i < source->mapping_count; i++)
		if (clair_bytes_equal(source->mappings[i].ecosystem, affected->ecosystem))
	namespace = source->mappings[i].namespace;
	if (!osv_ecosystem(arena, affected->ecosystem, namespace, &ecosystem, &of_known))
		return memory_error(error);
	*range = (AdvisoryRange){.package = affected->name};
	if (ecosystem.namespace.data == NULL)
	{
		ClairBytes word = of_known ? known : text_take_part(&known, ':');

		return unknown_words_add(&source->unknown, word)
				   ? broken(reading, word, "this ecosystem is not known; its entries are left out",
							error)
				   : CLAIR_OK;
	}
	range->namespace = ecosystem.namespace;
	range->kind = ecosystem.kind;
	range->format = ecosystem.format;
	range->flavour = ecosystem.flavour;
	range->repositories = ecosystem.repositories;
	range->advisory = reading->own_cve.data == NULL ? reading->record->id : CLAIR_NULL_BYTES;
	range->status = CLAIR_LITERAL("affected");
	*drops_epoch = ecosystem.drops_epoch;
	return CLAIR_OK;
}

/* Takes the architecture that a package URL names, or that it is a source. */
static ClairStatus
take_purl(Reading *reading, ClairBytes text, AdvisoryRange *range, const char **problem,
		  ClairError *error)
{
	ClairBytes architecture;
	Purl purl;

	if (text.size == 0)
		return CLAIR_OK;
	*problem = purl_read(reading->feed->arena, text, &purl);
	if (*problem != NULL)
		return CLAIR_OK;
	if (purl.type.data == NULL)
		return memory_error(error);
	architecture = purl_qualifier(&purl, "arch");
	if (clair_bytes_equal(architecture, CLAIR_LITERAL("source")) ||
		clair_bytes_equal(architecture, CLAIR_LITERAL("src")))
		range->kind = CLAIR_LITERAL("source");
	else if (architecture.data != NULL && !clair_bytes_equal(architecture, CLAIR_LITERAL("noarch")))
		range->architectures = architecture;
	if (architecture.size > CLAIR_MAX_NAME ||
		(architecture.size > 0 && memchr(architecture.data, ' ', architecture.size) != NULL))
		*problem = "its architecture is none";
	return CLAIR_OK;
}

/* Adds the ranges of a package; its single versions, where it has no ranges. */
static bool
add_ranges(Reading *reading, const OsvAffected *affected, const AdvisoryRange *range,
		   bool drops_epoch, const char **problem)
{
	Arena *arena = reading->feed->arena;

	for (size_t i = 0; i < affected->range_count && *problem == NULL; i++)
		if (!osv_claims_add(arena, &reading->claims, range, drops_epoch, &affected->ranges[i],
							problem))
			return false;
	for (size_t i = 0; i < affected->versions.count && affected->range_count == 0; i++)
	{
		ClairBytes version = affected->versions.names[i];
		OsvRange single = {.introduced = version, .last_affected = version};
		const char *version_problem;

		if (!osv_claims_add(arena, &reading->claims, range, drops_epoch, &single, &version_problem))
			return false;
		if (*problem == NULL)
			*problem = version_problem;
	}
	if (*problem == NULL && affected->range_count == 0 && affected->versions.count == 0)
		*problem = "it has no versions";
	return true;
}

/* Takes what the record says of a package. */
static ClairStatus
take_affected(Reading *reading, const OsvAffected *affected, ClairError *error)
{
	Arena *arena = reading->feed->arena;
	const char *problem = affected->problem;
	bool drops_epoch = false;
	AdvisoryRange range;
	ClairStatus status;

	if (affected->ecosystem.size == 0) /* commits of a repository, or nothing that can be read */
		return problem == NULL ? CLAIR_OK : broken(reading, affected->name, problem, error);
	status = take_package(reading, affected, &range, &drops_epoch, error);
	if (status != CLAIR_OK || range.namespace.data == NULL)
		return status;
	if (problem == NULL && (affected->name.size == 0 || affected->name.size > CLAIR_MAX_NAME))
		problem = "the name of a package is missing or too long";
	if (problem == NULL)
		status = take_purl(reading, affected->purl, &range, &problem, error);
	if (status != CLAIR_OK)
		return status;
	range.severity = first_known(
		(ClairBytes[]){severity_of_object(arena, affected->ecosystem_specific),
					   severity_of_list(&affected->severities),
					   severity_of_object(arena, affected->database_specific), reading->severity},
		4);
	if (problem == NULL && !add_ranges(reading, affected, &range, drops_epoch, &problem))
		return memory_error(error);
	if (problem == NULL && reading->source->is_of_components)
	{
		range.kind = CLAIR_LITERAL("binary");
		range.flavour = SUBPACKAGE;
		if (!add_ranges(reading, affected, &range, drops_epoch, &problem))
			return memory_error(error);
	}
	return problem != NULL ? broken(reading, affected->name, problem, error) : CLAIR_OK;
}

/* Whether a URL has the record's id in it, in which "-" may stand for ":". */
static bool
has_id(ClairBytes url, ClairBytes id)
{
	for (size_t i = 0; i + id.size <= url.size; i++)
	{
		size_t j = 0;

		while (j < id.size &&
			   (url.data[i + j] == id.data[j] || (id.data[j] == ':' && url.data[i + j] == '-')))
			j++;
		if (j == id.size)
			return true;
	}
	return false;
}

/* Where to read of the record: the advisory itself among those that it refers to. */
static ClairStatus
take_link(const Reading *reading, ClairBytes *link, ClairError *error)
{
	const OsvRecord *record = reading->record;
	ClairBytes prefix = reading->source->link;

	*link = CLAIR_NULL_BYTES;
	for (size_t i = 0; i < record->reference_count && prefix.data == NULL; i++)
	{
		const OsvReference *reference = &record->references[i];

		if (!clair_bytes_equal(reference->type, CLAIR_LITERAL("ADVISORY")) ||
			reference->url.size > 4 * CLAIR_MAX_NAME)
			continue;
		if (link->data == NULL || has_id(reference->url, record->id))
			*link = reference->url;
	}
	if (prefix.data == NULL)
		return CLAIR_OK;
	*link = arena_printf(reading->feed->arena, "%.*s%.*s", (int) prefix.size, prefix.data,
						 (int) record->id.size, record->id.data);
	return link->data != NULL ? CLAIR_OK : memory_error(error);
}

/* The other names of a vulnerability that is the only one of its record. */
static ClairStatus
take_aliases(const Reading *reading, ClairBytes *aliases, ClairError *error)
{
	const OsvNames *lists[] = {&reading->record->upstream, &reading->record->aliases};
	ClairBytes *names = arena_alloc_array(reading->feed->arena, lists[0]->count + lists[1]->count,
										  sizeof(ClairBytes));
	size_t count = 0;
	size_t size = 0;

	*aliases = CLAIR_NULL_BYTES;
	if (names == NULL)
		return memory_error(error);
	if (reading->name_count > 1)
		return CLAIR_OK;
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < lists[i]->count; j++)
		{
			ClairBytes name = lists[i]->names[j];

			if (!is_name(name) || cve_in(name).data != NULL ||
				clair_bytes_equal(name, reading->names[0]) || size + name.size > MAX_ALIASES)
				continue;
			names[count++] = name;
			size += name.size + 1;
		}
	count = name_list_order(names, count);
	*aliases = name_list_join(reading->feed->arena, names, count);
	return count > 0 && aliases->data == NULL ? memory_error(error) : CLAIR_OK;
}

/* Writes the vulnerabilities, each with all ranges. */
static ClairStatus
write_names(Reading *reading, ClairError *error)
{
	const OsvRecord *record = reading->record;
	OsvClaims *claims = &reading->claims;
	Advisory advisory = {.record = reading->key};
	AdvisoryRange *ranges;
	ClairStatus status;

	osv_claims_join(claims);
	if (claims->count == 0)
		return CLAIR_OK;
	if (claims->count > MAX_ROWS / (reading->name_count + 1))
		return broken(reading, CLAIR_NULL_BYTES, "it has too many ranges", error);
	ranges = arena_alloc_array(reading->feed->arena, claims->count, sizeof(AdvisoryRange));
	if (ranges == NULL)
		return memory_error(error);
	for (size_t i = 0; i < claims->count; i++)
		ranges[i] = claims->claims[i].range;
	advisory.ranges = ranges;
	advisory.range_count = (uint32_t) claims->count;
	advisory.description = record->details.size > 0 ? record->details : record->summary;
	if (advisory.description.size > MAX_DESCRIPTION)
		advisory.description = CLAIR_NULL_BYTES;
	status = take_link(reading, &advisory.link, error);
	if (status == CLAIR_OK)
		status = take_aliases(reading, &advisory.aliases, error);
	for (size_t i = 0; i < reading->name_count && status == CLAIR_OK; i++)
	{
		advisory.name = reading->names[i];
		status = advisory_write(&reading->feed->writer, &advisory, error);
	}
	return status;
}

ClairStatus
osv_advisory_write(RecordFeed *feed, OsvSource *source, ClairBytes key, const OsvRecord *record,
				   ClairError *error)
{
	Reading reading = {.feed = feed, .source = source, .key = key, .record = record};
	ClairStatus status;

	if (record->withdrawn.size > 0)
		return CLAIR_OK;
	status = take_names(&reading, error);
	if (status != CLAIR_OK || reading.name_count == 0)
		return status;
	reading.severity = first_known(
		(ClairBytes[]){severity_of_object(feed->arena, record->database_specific),
					   severity_of_summary(record->summary), severity_of_list(&record->severities)},
		3);
	for (size_t i = 0; i < record->affected_count && status == CLAIR_OK; i++)
		status = take_affected(&reading, &record->affected[i], error);
	return status == CLAIR_OK ? write_names(&reading, error) : status;
}

ClairStatus
osv_advisory_itemize(RecordFeed *feed, OsvSource *source, const FeedRecord *record, ClairBytes key,
					 ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	OsvRecord osv;

	if (osv_read(&cursor, &osv))
		return osv_advisory_write(feed, source, key, &osv, error);
	if (cursor.status == CLAIR_INVALID || cursor.status == CLAIR_LIMIT)
		return advisory_broken(&feed->writer, key, error, "%s", cursor.problem);
	return clair_error(error, cursor.status, "%s", cursor.problem);
}
