/*
 * alpine.c
 *    Alpine's security database: https://secdb.alpinelinux.org/
 *
 * First round: the listing of the database's folder, document "index". It names the branches,
 * of which each has a document for every repository: "v3.20/main.json". Besides these there
 * are Alpine's lists of vulnerabilities that never applied to a package, of another server
 * (or in the folder "rejections" of a local copy): all records are read in their light, so
 * that a package's digest covers what they say of it. The lists of both repositories are
 * taken together, because packages move from one to the other between branches.
 *
 * Second round: these documents. A record is a package of a branch and repository.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/text.h"
#include "feed/json_records.h"
#include "feed/listing.h"
#include "feed/record_feed.h"
#include "feed/secdb.h"
#include "feed/yaml_lists.h"
#include "updaters/updater.h"

#define LINK	  "https://security.alpinelinux.org/vuln/"
#define SECDB_URL "https://secdb.alpinelinux.org/"
#define REJECTIONS_URL                                                                             \
	"https://gitlab.alpinelinux.org/alpine/security/security-rejections/-/raw/master/"

#define INDEX		 CLAIR_LITERAL("index")
#define REJECTIONS	 CLAIR_LITERAL("rejections/")
#define EDGE		 CLAIR_LITERAL("edge")
#define MAX_BRANCHES 1000
#define MAX_BRANCH	 16 /* bytes */
#define EDGE_NUMBER	 UINT32_MAX

#define MEMORY_PROBLEM "there is not enough memory for the documents"

/* A vulnerability that never applied to a package. */
typedef struct Rejection
{
	ClairBytes package;
	ClairBytes name;
} Rejection;

typedef struct Alpine
{
	Arena *arena;		   /* as long as the round */
	Rejection *rejections; /* ordered */
	size_t rejection_count;
	size_t rejection_capacity;
	ClairBytes *rejected; /* the names alone, in the same order */

	/* of the document that is being read */
	ClairBytes branch;
	ClairBytes place; /* "v3.20/main/" */
	SecdbSource source;
} Alpine;

/* Takes a decimal number of up to four digits off *text. */
static bool
take_number(ClairBytes *text, uint32_t *number)
{
	size_t digits = 0;

	*number = 0;
	while (digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9')
		*number = *number * 10 + (uint32_t) (text->data[digits++] - '0');
	*text = clair_bytes_skip(*text, digits);
	return digits > 0 && digits <= 4;
}

/* Whether it is the name of a branch, "v3.20" or "edge"; its place in their order. */
static bool
is_branch(ClairBytes name, uint32_t *order)
{
	uint32_t major;
	uint32_t minor;

	*order = EDGE_NUMBER;
	if (clair_bytes_equal(name, EDGE))
		return true;
	if (name.size == 0 || name.size > MAX_BRANCH || name.data[0] != 'v')
		return false;
	name = clair_bytes_skip(name, 1);
	if (!take_number(&name, &major) || name.size == 0 || name.data[0] != '.')
		return false;
	name = clair_bytes_skip(name, 1);
	if (!take_number(&name, &minor) || name.size > 0)
		return false;
	*order = major * 10000 + minor;
	return true;
}

typedef struct Branch
{
	ClairBytes name;
	uint32_t order;
} Branch;

static int
compare_branches(const void *left, const void *right)
{
	const Branch *a = left;
	const Branch *b = right;

	return (a->order > b->order) - (a->order < b->order);
}

/* Names a branch's documents; community came with v3.3. */
static ClairStatus
write_branch(const UpdaterJob *job, const UpdaterDocument *index, ClairBytes branch,
			 ClairError *error)
{
	char name[MAX_BRANCH + sizeof("/community.json")];
	ClairStatus status;

	snprintf(name, sizeof(name), "%.*s/main.json", (int) branch.size, branch.data);
	status = updater_further(job, index, clair_bytes(name), clair_bytes(name), false, "plain",
							 error);
	if (status != CLAIR_OK)
		return status;
	snprintf(name, sizeof(name), "%.*s/community.json", (int) branch.size, branch.data);
	return updater_further(job, index, clair_bytes(name), clair_bytes(name), true, "plain", error);
}

/* Names the lists of rejections: those of Alpine's GitLab for its own secdb, else the mirror's. */
static ClairStatus
write_rejections(const UpdaterJob *job, const UpdaterDocument *index, ClairError *error)
{
	static const char *const lists[] = {"main.yaml", "community.yaml"};
	bool is_mirror = !clair_bytes_start_with(index->url, CLAIR_LITERAL(SECDB_URL));
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < 2 && status == CLAIR_OK; i++)
	{
		char name[64];
		char url[256];

		snprintf(name, sizeof(name), "rejections/%s", lists[i]);
		snprintf(url, sizeof(url), "%s%s", is_mirror ? "rejections/" : REJECTIONS_URL, lists[i]);
		status = updater_further(job, index, clair_bytes(name), clair_bytes(url), true, "always",
								 error);
	}
	return status;
}

/* Collects the branches that a listing names, in their order. */
static ClairStatus
find_branches(Arena *arena, ClairBytes listing, Branch *branches, size_t *count, ClairError *error)
{
	ClairBytes *names;
	size_t name_count;
	ClairStatus status = listing_read(arena, listing, &names, &name_count, error);

	*count = 0;
	for (size_t i = 0; i < name_count && status == CLAIR_OK; i++)
	{
		Branch branch = {.name = names[i]};

		if (clair_bytes_end_with(branch.name, CLAIR_LITERAL("/")))
			branch.name.size--;
		if (!is_branch(branch.name, &branch.order))
			continue;
		if (*count == MAX_BRANCHES)
			return clair_error(error, CLAIR_LIMIT, "the listing names too many branches");
		branches[(*count)++] = branch;
	}
	if (status == CLAIR_OK && *count == 0)
		status = clair_error(error, CLAIR_INVALID, "the listing names no branch of Alpine");
	qsort(branches, *count, sizeof(Branch), compare_branches);
	return status;
}

/* Reads the listing of the database's folder. */
static ClairStatus
read_index(Alpine *alpine, const UpdaterJob *job, const UpdaterDocument *index, ClairError *error)
{
	Branch *branches = arena_alloc_array(alpine->arena, MAX_BRANCHES, sizeof(Branch));
	ClairBytes listing;
	size_t count;
	ClairStatus status;

	if (branches == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	status = record_feed_load(job->limits, index->descriptor, alpine->arena, &listing, error);
	if (status == CLAIR_OK)
		status = find_branches(alpine->arena, listing, branches, &count, error);
	if (status != CLAIR_OK)
		return clair_error_in(error, "document \"index\"");
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
		if (i == 0 || branches[i].order != branches[i - 1].order)
			status = write_branch(job, index, branches[i].name, error);
	return status == CLAIR_OK ? write_rejections(job, index, error) : status;
}

/* Adds the rejections that an item of their list names. */
static ClairStatus
add_rejections(Alpine *alpine, const YamlItem *item, ClairError *error)
{
	size_t count;
	ClairBytes *names = secdb_identifiers(alpine->arena, item->item, &count);

	for (size_t i = 0; i < count; i++)
	{
		alpine->rejections = arena_grow_array(alpine->arena, alpine->rejections,
											  alpine->rejection_count + 1,
											  &alpine->rejection_capacity, sizeof(Rejection));
		if (names == NULL || alpine->rejections == NULL)
			return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
		alpine->rejections[alpine->rejection_count++] = (Rejection){item->name, names[i]};
	}
	return CLAIR_OK;
}

static ClairStatus
read_rejections(Alpine *alpine, const UpdaterDocument *document, const ClairLimits *limits,
				ClairError *error)
{
	ClairBytes text;
	YamlItem *items;
	size_t count = 0;
	ClairStatus status = record_feed_load(limits, document->descriptor, alpine->arena, &text,
										  error);

	if (status == CLAIR_OK)
		status = yaml_lists_read(alpine->arena, text, &items, &count, error);
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
		status = add_rejections(alpine, &items[i], error);
	if (status != CLAIR_OK)
		clair_error_in(error, "document \"%.*s\"", (int) document->name.size, document->name.data);
	return status;
}

static int
compare_rejections(const void *left, const void *right)
{
	const Rejection *a = left;
	const Rejection *b = right;
	int order = clair_bytes_compare(a->package, b->package);

	return order != 0 ? order : clair_bytes_compare(a->name, b->name);
}

/* Orders the rejections, without those that are there twice. */
static ClairStatus
order_rejections(Alpine *alpine, ClairError *error)
{
	size_t count = alpine->rejection_count;
	size_t kept = 0;

	alpine->rejected = arena_alloc_array(alpine->arena, count, sizeof(ClairBytes));
	if (alpine->rejected == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	if (count > 0)
		qsort(alpine->rejections, count, sizeof(Rejection), compare_rejections);
	for (size_t i = 0; i < count; i++)
	{
		const Rejection *rejection = &alpine->rejections[i];

		if (kept > 0 && compare_rejections(rejection, &alpine->rejections[kept - 1]) == 0)
			continue;
		alpine->rejected[kept] = rejection->name;
		alpine->rejections[kept++] = *rejection;
	}
	alpine->rejection_count = kept;
	return CLAIR_OK;
}

/* The names that were rejected for a package. */
static const ClairBytes *
find_rejected(const Alpine *alpine, ClairBytes package, size_t *count)
{
	size_t low = 0;
	size_t high = alpine->rejection_count;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (clair_bytes_compare(alpine->rejections[middle].package, package) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*count = 0;
	while (low + *count < alpine->rejection_count &&
		   clair_bytes_equal(alpine->rejections[low + *count].package, package))
		++*count;
	return alpine->rejected + low;
}

static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	const Alpine *alpine = context;
	const ClairBytes *rejected;
	size_t count;
	ClairBytes name;
	ClairStatus status = secdb_name(feed, record, &name, problem, error);

	*key = alpine->place;
	if (status != CLAIR_OK || *problem != NULL)
		return status;
	*key = arena_printf(feed->arena, "%.*s%.*s", (int) alpine->place.size, alpine->place.data,
						(int) name.size, name.data);
	if (key->data == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	rejected = find_rejected(alpine, name, &count);
	for (size_t i = 0; i < count; i++)
	{
		digest_update(feed->digest, CLAIR_LITERAL("\n"));
		digest_update(feed->digest, rejected[i]);
	}
	return CLAIR_OK;
}

/* The document must be of the branch that it is named for, as far as it says. */
static ClairStatus
check_member(RecordFeed *feed, void *context, const FeedRecord *member, ClairError *error)
{
	const Alpine *alpine = context;
	JsonCursor cursor = json_cursor(member->value, feed->arena);
	ClairBytes version = CLAIR_NULL_BYTES;
	char shown[32];

	if (clair_bytes_equal(member->name, CLAIR_LITERAL("distroversion")))
		json_text_or_null(&cursor, &version);
	else
		json_skip(&cursor);
	if (!json_end(&cursor))
		return record_feed_refuse(member, &cursor, error);
	if (version.data == NULL || clair_bytes_equal(version, alpine->branch))
		return CLAIR_OK;
	text_printable(version, shown, sizeof(shown));
	return clair_error(error, CLAIR_INVALID, "it is of another branch, \"%s\"", shown);
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	const Alpine *alpine = context;
	size_t count;
	const ClairBytes *rejected = find_rejected(alpine, clair_bytes_skip(key, alpine->place.size),
											   &count);

	return secdb_itemize(feed, &alpine->source, record, key, rejected, count, error);
}

/* Reads a document of packages, "<branch>/<repository>.json". */
static ClairStatus
read_packages(Alpine *alpine, RecordFeed *feed, const UpdaterDocument *document, ClairError *error)
{
	static const RecordFormat format = {.cutter = &json_record_cutter,
										.part = "packages",
										.passes_members = true,
										.identify = identify,
										.member = check_member,
										.itemize = itemize};
	static const ClairBytes extension = CLAIR_LITERAL(".json");
	const char *slash = memchr(document->name.data, '/', document->name.size);
	ClairBytes name = document->name;
	uint32_t order;

	alpine->branch = (ClairBytes){name.data, slash != NULL ? (size_t) (slash - name.data) : 0};
	if (!is_branch(alpine->branch, &order) || !clair_bytes_end_with(name, extension) ||
		name.size > CLAIR_MAX_NAME)
		return clair_error(error, CLAIR_INVALID, "there is no document \"%.*s\" of Alpine",
						   (int) name.size, name.data);
	alpine->place = arena_printf(alpine->arena, "%.*s/", (int) (name.size - extension.size),
								 name.data);
	alpine->source.link = CLAIR_LITERAL(LINK);
	alpine->source.namespace = arena_printf(alpine->arena, "alpine:%.*s", (int) alpine->branch.size,
											alpine->branch.data);
	if (alpine->place.data == NULL || alpine->source.namespace.data == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	return record_feed_read(feed, name, document->descriptor, &format, alpine, error);
}

/* Reads a round's documents: those that others are read in the light of first. */
static ClairStatus
read_round(Alpine *alpine, const UpdaterJob *job, RecordFeed *feed, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
		if (clair_bytes_start_with(job->documents[i].name, REJECTIONS))
			status = read_rejections(alpine, &job->documents[i], job->limits, error);
	if (status == CLAIR_OK)
		status = order_rejections(alpine, error);
	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
	{
		const UpdaterDocument *document = &job->documents[i];

		if (clair_bytes_equal(document->name, INDEX))
			status = read_index(alpine, job, document, error);
		else if (!clair_bytes_start_with(document->name, REJECTIONS))
			status = read_packages(alpine, feed, document, error);
	}
	return status;
}

static ClairStatus
alpine_read(const UpdaterJob *job, ClairError *error)
{
	Alpine alpine = {0};
	RecordFeed feed;
	ClairStatus status = record_feed_open(&feed, job->limits, job->sink, error);

	if (status != CLAIR_OK)
		return status;
	alpine.arena = arena_create(record_feed_memory(job->limits));
	if (alpine.arena == NULL)
		status = clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	else
		status = read_round(&alpine, job, &feed, error);
	arena_destroy(alpine.arena);
	record_feed_close(&feed);
	return status;
}

const Updater updater_alpine = {"alpine", alpine_read};
