/*
 * kev.c
 *    CISA's catalog of known exploited vulnerabilities:
 *    https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json
 *
 * One document: { ..., "vulnerabilities": [ { cveID, vendorProject, product, vulnerabilityName,
 * dateAdded, requiredAction, dueDate, knownRansomwareCampaignUse, notes } ] }. A record is an
 * entry, named after its CVE; entries can be withdrawn.
 */
#include "feed/cve.h"
#include "common/json_cursor.h"
#include "feed/json_records.h"
#include "feed/record_feed.h"
#include "feed/timestamp.h"
#include "updaters/updater.h"

/* An entry's members, in the order in which WIRE_KEV has them behind the CVE. */
typedef enum EntryMember
{
	DATE_ADDED,
	DUE_DATE,
	RANSOMWARE,
	VENDOR,
	PRODUCT,
	NAME,
	REQUIRED_ACTION,
	NOTES,
	MEMBER_COUNT
} EntryMember;

static const ClairBytes member_names[MEMBER_COUNT] = {
	[DATE_ADDED] = CLAIR_LITERAL("dateAdded"),
	[DUE_DATE] = CLAIR_LITERAL("dueDate"),
	[RANSOMWARE] = CLAIR_LITERAL("knownRansomwareCampaignUse"),
	[VENDOR] = CLAIR_LITERAL("vendorProject"),
	[PRODUCT] = CLAIR_LITERAL("product"),
	[NAME] = CLAIR_LITERAL("vulnerabilityName"),
	[REQUIRED_ACTION] = CLAIR_LITERAL("requiredAction"),
	[NOTES] = CLAIR_LITERAL("notes"),
};

static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	static const char *const path[] = {"cveID", NULL};

	(void) context;
	return cve_of_record(feed, record, path, key, problem, error);
}

/* Takes the members of an entry that are stored. */
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
		if (i == MEMBER_COUNT)
			json_skip(cursor);
		else if (json_text_or_null(cursor, &members[i]) && members[i].size > CLAIR_MAX_TEXT)
			json_refuse(cursor, CLAIR_INVALID, "a text of it is too long");
	}
	json_end(cursor);
}

/* Puts a date into the form of the wire. False when it is none. */
static bool
settle_date(ClairBytes *date, char buffer[TIMESTAMP_SIZE])
{
	int64_t time;

	if (!timestamp_read(*date, &time))
		return false;
	*date = timestamp_write_day(time, buffer);
	return true;
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes cve,
		ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	char dates[2][TIMESTAMP_SIZE];
	ClairBytes fields[1 + MEMBER_COUNT] = {cve};
	ClairBytes *members = fields + 1;
	bool ransomware;

	(void) context;
	take_entry(&cursor, members);
	if (cursor.status == CLAIR_OK && !settle_date(&members[DATE_ADDED], dates[0]))
		json_refuse(&cursor, CLAIR_INVALID, "the day on which it was added is missing or none");
	if (cursor.status == CLAIR_OK && members[DUE_DATE].size > 0 &&
		!settle_date(&members[DUE_DATE], dates[1]))
		json_refuse(&cursor, CLAIR_INVALID, "the day on which it is due is none");
	if (cursor.status != CLAIR_OK)
		return cve_refuse(feed, record, cve, &cursor, error);

	if (members[DUE_DATE].size == 0)
		members[DUE_DATE] = CLAIR_NULL_BYTES;
	ransomware = clair_bytes_equal(members[RANSOMWARE], CLAIR_LITERAL("Known"));
	members[RANSOMWARE] = ransomware ? CLAIR_LITERAL("1") : CLAIR_LITERAL("0");
	return feed->sink->row(feed->sink->context, WIRE_KEV, fields, 1 + MEMBER_COUNT, error);
}

static ClairStatus
kev_read(const UpdaterJob *job, ClairError *error)
{
	static const RecordFormat format = {.cutter = &json_record_cutter,
										.part = "vulnerabilities",
										.passes_members = true,
										.identify = identify,
										.member = record_feed_pass,
										.itemize = itemize};
	RecordFeed feed;
	ClairStatus status;

	if (job->count != 1)
		return clair_error(error, CLAIR_INVALID, "the catalog is one document, not %zu",
						   job->count);
	status = record_feed_open(&feed, job->limits, job->sink, error);
	if (status != CLAIR_OK)
		return status;
	status = record_feed_read(&feed, job->documents[0].name, job->documents[0].descriptor, &format,
							  NULL, error);
	record_feed_close(&feed);
	return status;
}

const Updater updater_kev = {"kev", kev_read};
