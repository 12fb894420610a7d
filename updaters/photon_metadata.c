/*
 * photon_metadata.c
 *    Photon OS's CVE metadata: https://packages.broadcom.com/photon/photon_cve_metadata/
 *
 * In place of its OVAL: these say how bad a CVE is, and which have no fix, but name no advisories.
 * First round, document "index": "photon_versions.json", { "branches": [ "5.0", ... ] }, or the
 * listing of a folder. There is a document for each branch, "cve_data_photon5.0.json", though not
 * always. In place of all this the first document may be one of these.
 *
 * A document is an array of { cve_id, pkg, cve_score, aff_ver, res_ver, status }: of a binary
 * package and a CVE one or several. Older ones have no status. A record is such an entry; one that
 * says that a package is not affected, or the same as an entry before it, is passed over.
 */
#include "common/text.h"
#include "common/text_map.h"
#include "feed/cvss.h"
#include "feed/json_records.h"
#include "feed/listing.h"
#include "feed/rpm_ranges.h"
#include "updaters/updater.h"

#define PREFIX	 CLAIR_LITERAL("cve_data_photon")
#define EXPECTED "it is neither a document of Photon OS's CVEs, by its name, nor names one"

typedef struct Reading
{
	ClairBytes branch; /* of the document */
	TextMap seen;	   /* keys of its records; with that of the first one its fix */
} Reading;

/* An entry's members, in the order of their names below. */
typedef enum EntryMember
{
	CVE,
	PACKAGE,
	SCORE,
	AFFECTED,
	FIXED,
	STATUS,
	MEMBER_COUNT
} EntryMember;

static const ClairBytes member_names[MEMBER_COUNT] = {
	[CVE] = CLAIR_LITERAL("cve_id"),	  [PACKAGE] = CLAIR_LITERAL("pkg"),
	[SCORE] = CLAIR_LITERAL("cve_score"), [AFFECTED] = CLAIR_LITERAL("aff_ver"),
	[FIXED] = CLAIR_LITERAL("res_ver"),	  [STATUS] = CLAIR_LITERAL("status"),
};

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the documents");
}

/* The branch that a file's name has, "5.0" of "cve_data_photon5.0.json.gz"; no value for others. */
static ClairBytes
branch_of(ClairBytes name)
{
	const char *end = memmem(name.data, name.size, ".json", 5);
	ClairBytes branch;

	if (end == NULL || !clair_bytes_start_with(name, PREFIX))
		return CLAIR_NULL_BYTES;
	branch = (ClairBytes){name.data + PREFIX.size, (size_t) (end - name.data) - PREFIX.size};
	return text_count_numbers(branch) == 2 ? branch : CLAIR_NULL_BYTES;
}

/* What stands for a text that is not there. */
static ClairBytes
text_or_none(ClairBytes text)
{
	text = text_trim(text);
	return text.size == 0 || clair_bytes_equal(text, CLAIR_LITERAL("NA")) ? CLAIR_NULL_BYTES : text;
}

/* Takes the members of an entry: texts, or a number. */
static void
take_entry(JsonCursor *cursor, ClairBytes members[MEMBER_COUNT])
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		size_t i = 0;

		while (i < MEMBER_COUNT && !clair_bytes_equal(name, member_names[i]))
			i++;
		if (i < MEMBER_COUNT && json_type(cursor) == JSON_STRING)
			json_text(cursor, &members[i]);
		else if (i == SCORE && json_type(cursor) == JSON_NUMBER)
			json_number(cursor, &members[i]);
		else
			json_skip(cursor);
	}
	json_end(cursor);
	for (size_t i = 0; i < MEMBER_COUNT; i++)
		members[i] = members[i].data != NULL ? text_or_none(members[i]) : members[i];
}

/* Whether it is about nothing: a package that is not affected. */
static bool
is_denial(const ClairBytes members[MEMBER_COUNT])
{
	if (members[STATUS].data == NULL)
		return members[FIXED].data == NULL && members[AFFECTED].data == NULL;
	return text_equal_ignoring_case(members[STATUS], CLAIR_LITERAL("Not Affected"));
}

/* What is wrong with a name; NULL when nothing is. */
static const char *
name_problem(ClairBytes name)
{
	if (name.size == 0 || name.size > CLAIR_MAX_NAME)
		return "its CVE or package is missing or too long";
	for (size_t i = 0; i < name.size; i++)
		if ((unsigned char) name.data[i] <= ' ')
			return "its CVE or package has blanks in it";
	return NULL;
}

/* What is wrong with an entry; NULL when nothing is. */
static const char *
entry_problem(Arena *arena, const ClairBytes members[MEMBER_COUNT])
{
	const char *problem = name_problem(members[CVE]);
	RpmClaim claim;

	if (problem == NULL)
		problem = name_problem(members[PACKAGE]);
	if (problem == NULL && members[FIXED].data != NULL)
		problem = rpm_claim_fix(arena, &claim, members[FIXED]);
	else if (problem == NULL && members[STATUS].data != NULL &&
			 !text_equal_ignoring_case(members[STATUS], CLAIR_LITERAL("Fixed")))
		problem = "its status is not known";
	return problem;
}

/* The name of a CVE in its usual spelling, which is not always used; others as they are. */
static bool
settle_name(Arena *arena, ClairBytes *name)
{
	char *upper;

	if (name->size < 4 ||
		!text_equal_ignoring_case((ClairBytes){name->data, 4}, CLAIR_LITERAL("CVE-")))
		return true;
	upper = arena_alloc(arena, name->size);
	if (upper == NULL)
		return false;
	memcpy(upper, name->data, name->size);
	memcpy(upper, "CVE-", 4);
	*name = (ClairBytes){upper, name->size};
	return true;
}

/*
 * The key of an entry, "5.0/CVE-2031-0001/curl"; where one before it has that, with the version of
 * the fix behind it. No value when one before it says the same. False when memory is exhausted.
 */
static bool
name_entry(Reading *reading, Arena *arena, const ClairBytes members[MEMBER_COUNT], ClairBytes *key)
{
	ClairBytes fixed = members[FIXED].data != NULL ? members[FIXED] : CLAIR_LITERAL("-");
	ClairBytes *first = arena_alloc(arena, sizeof(ClairBytes));
	void **place;

	*key = arena_printf(arena, "%.*s/%.*s/%.*s", (int) reading->branch.size, reading->branch.data,
						(int) members[CVE].size, members[CVE].data, (int) members[PACKAGE].size,
						members[PACKAGE].data);
	place = key->data != NULL ? text_map_at(&reading->seen, *key) : NULL;
	if (place == NULL || first == NULL)
		return false;
	if (*place == NULL)
	{
		*first = arena_copy(arena, fixed);
		*place = first;
		return first->data != NULL;
	}
	*first = *(ClairBytes *) *place;
	*key = arena_printf(arena, "%.*s/%.*s", (int) key->size, key->data, (int) fixed.size,
						fixed.data);
	place = key->data != NULL ? text_map_at(&reading->seen, *key) : NULL;
	if (place == NULL)
		return false;
	if (*place != NULL || clair_bytes_equal(*first, fixed))
		*key = CLAIR_NULL_BYTES;
	*place = reading;
	return true;
}

static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	Reading *reading = context;
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	ClairBytes members[MEMBER_COUNT] = {0};

	*key = reading->branch;
	take_entry(&cursor, members);
	*problem = cursor.problem;
	if (cursor.status != CLAIR_OK)
		return record_feed_check(feed, record, &cursor, error);
	if (is_denial(members))
	{
		*key = CLAIR_NULL_BYTES;
		return CLAIR_OK;
	}
	*problem = entry_problem(feed->arena, members);
	if (*problem != NULL)
		return CLAIR_OK;
	if (!settle_name(feed->arena, &members[CVE]) || !name_entry(reading, feed->keys, members, key))
		return memory_error(error);
	return CLAIR_OK;
}

/* Writes what an entry says. */
static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	const Reading *reading = context;
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	ClairBytes members[MEMBER_COUNT] = {0};
	AdvisoryRange range = {
		.kind = CLAIR_LITERAL("binary"),
		.format = CLAIR_LITERAL("rpm"),
		.module = CLAIR_LITERAL(""),
		.flavour = CLAIR_LITERAL(""),
	};
	Advisory advisory = {.record = key, .ranges = &range, .range_count = 1};
	int score;

	take_entry(&cursor, members);
	range.namespace = arena_printf(feed->arena, "photon:%.*s", (int) reading->branch.size,
								   reading->branch.data);
	if (range.namespace.data == NULL || !settle_name(feed->arena, &members[CVE]))
		return memory_error(error);
	score = members[SCORE].data != NULL ? cvss_read_score(members[SCORE]) : CVSS_NO_SCORE;
	advisory.name = members[CVE];
	range.package = members[PACKAGE];
	range.fixed = members[FIXED];
	range.status = clair_bytes(members[FIXED].data != NULL ? "fixed" : "affected");
	range.severity = clair_bytes(cvss_severity(CVSS_3_1, score));
	return advisory_write(&feed->writer, &advisory, error);
}

/* Names the document of a branch. */
static ClairStatus
name_branch(const UpdaterJob *job, const UpdaterDocument *index, Arena *arena, ClairBytes branch,
			ClairError *error)
{
	ClairBytes name = arena_printf(arena, "%.*s%.*s.json", (int) PREFIX.size, PREFIX.data,
								   (int) branch.size, branch.data);

	if (name.data == NULL)
		return memory_error(error);
	if (branch_of(name).data == NULL)
		return clair_error(error, CLAIR_INVALID, "\"branches\" has something that is no release");
	return updater_further(job, index, name, name, true, "plain", error);
}

/* Reads "photon_versions.json". */
static ClairStatus
read_versions(const UpdaterJob *job, const UpdaterDocument *index, Arena *arena, ClairBytes text,
			  ClairError *error)
{
	JsonCursor cursor = json_cursor(text, arena);
	ClairStatus status = CLAIR_OK;
	ClairBytes branch;
	size_t found = 0;

	json_enter(&cursor, JSON_OBJECT);
	while (json_next_member(&cursor, &branch))
	{
		if (!clair_bytes_equal(branch, CLAIR_LITERAL("branches")))
		{
			json_skip(&cursor);
			continue;
		}
		json_enter(&cursor, JSON_ARRAY);
		while (json_next_element(&cursor))
			if (json_text(&cursor, &branch) && status == CLAIR_OK)
			{
				status = name_branch(job, index, arena, branch, error);
				found++;
			}
	}
	if (status == CLAIR_OK && !json_end(&cursor))
		return clair_error(error, cursor.status, "byte %zu: %s", cursor.position, cursor.problem);
	if (status == CLAIR_OK && found == 0)
		return clair_error(error, CLAIR_INVALID, EXPECTED);
	return status;
}

/* Names the documents of a folder. */
static ClairStatus
read_listing(const UpdaterJob *job, const UpdaterDocument *index, Arena *arena, ClairBytes text,
			 ClairError *error)
{
	ClairBytes *names;
	size_t count;
	size_t found = 0;
	ClairStatus status = listing_read(arena, text, &names, &count, error);

	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		if (branch_of(names[i]).data == NULL)
			continue;
		status = updater_further(job, index, names[i], names[i], false, "plain", error);
		found++;
	}
	if (status == CLAIR_OK && found == 0)
		return clair_error(error, CLAIR_INVALID, EXPECTED);
	return status;
}

static ClairStatus
read_index(const UpdaterJob *job, const UpdaterDocument *index, Arena *arena, ClairError *error)
{
	ClairBytes text;
	ClairStatus status = record_feed_load(job->limits, index->descriptor, arena, &text, error);

	if (status == CLAIR_OK && clair_bytes_start_with(text_trim(text), CLAIR_LITERAL("{")))
		status = read_versions(job, index, arena, text, error);
	else if (status == CLAIR_OK)
		status = read_listing(job, index, arena, text, error);
	if (status != CLAIR_OK && status != CLAIR_STOPPED && status != CLAIR_PROTOCOL)
		clair_error_in(error, "document \"index\"");
	return status;
}

static ClairStatus
read_document(RecordFeed *feed, const UpdaterJob *job, const UpdaterDocument *document,
			  ClairError *error)
{
	static const RecordFormat format = {
		.cutter = &json_record_cutter, .part = "", .identify = identify, .itemize = itemize};
	Reading reading = {.branch = branch_of(updater_file_name(document)),
					   .seen = {.arena = feed->keys}};
	Arena *arena;
	ClairStatus status;

	if (reading.branch.data != NULL)
		return record_feed_read(feed, document->name, document->descriptor, &format, &reading,
								error);
	arena = arena_create(record_feed_memory(job->limits));
	status = arena != NULL ? read_index(job, document, arena, error) : memory_error(error);
	arena_destroy(arena);
	return status;
}

static ClairStatus
photon_metadata_read(const UpdaterJob *job, ClairError *error)
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

const Updater updater_photon_metadata = {"photon-metadata", photon_metadata_read};
