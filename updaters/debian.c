/*
 * debian.c
 *    The Debian security tracker: https://security-tracker.debian.org/tracker/data/json
 *
 * One document: { source package: { vulnerability: { description, releases: { codename:
 * { status, urgency, fixed_version, nodsa_reason } } } } }. A record is a source package, an
 * item is a vulnerability of it. Each release that the item names is a range of its own,
 * with a severity of its own. "repositories", which changes with every upload, is not read.
 *
 * A codename that is not in the table below is told once, and its entries are left out.
 */
#include "common/json_cursor.h"
#include "feed/json_records.h"
#include "feed/record_feed.h"
#include "feed/unknown_words.h"
#include "updaters/updater.h"
#include "version/version_key.h"

#define LINK "https://security-tracker.debian.org/tracker/"

/* Status words of the schema. */
#define AFFECTED			CLAIR_LITERAL("affected")
#define FIXED				CLAIR_LITERAL("fixed")
#define NOT_AFFECTED		CLAIR_LITERAL("not_affected")
#define UNDER_INVESTIGATION CLAIR_LITERAL("under_investigation")
#define WILL_NOT_FIX		CLAIR_LITERAL("will_not_fix")
#define DEFERRED			CLAIR_LITERAL("deferred")
#define END_OF_LIFE			CLAIR_LITERAL("end_of_life")

typedef struct Word
{
	ClairBytes word;
	ClairBytes meaning;
} Word;

/*
 * Codenames, the most frequent first. Class names ("stable") are not among them: what they
 * mean changes with each release.
 */
static const Word releases[] = {
	{CLAIR_LITERAL("bookworm"), CLAIR_LITERAL("debian:12")},
	{CLAIR_LITERAL("bullseye"), CLAIR_LITERAL("debian:11")},
	{CLAIR_LITERAL("trixie"), CLAIR_LITERAL("debian:13")},
	{CLAIR_LITERAL("forky"), CLAIR_LITERAL("debian:14")},
	{CLAIR_LITERAL("sid"), CLAIR_LITERAL("debian:unstable")},
	{CLAIR_LITERAL("duke"), CLAIR_LITERAL("debian:15")},
	{CLAIR_LITERAL("buster"), CLAIR_LITERAL("debian:10")},
	{CLAIR_LITERAL("stretch"), CLAIR_LITERAL("debian:9")},
	{CLAIR_LITERAL("jessie"), CLAIR_LITERAL("debian:8")},
	{CLAIR_LITERAL("wheezy"), CLAIR_LITERAL("debian:7")},
	{CLAIR_LITERAL("squeeze"), CLAIR_LITERAL("debian:6")},
	{CLAIR_LITERAL("lenny"), CLAIR_LITERAL("debian:5")},
	{CLAIR_LITERAL("etch"), CLAIR_LITERAL("debian:4")},
	{CLAIR_LITERAL("sarge"), CLAIR_LITERAL("debian:3.1")},
	{CLAIR_LITERAL("woody"), CLAIR_LITERAL("debian:3.0")},
};

#define RELEASE_COUNT (sizeof(releases) / sizeof(releases[0]))

/*
 * Urgencies, stars removed. Anything else is Unknown, for appenders to fill in: "not yet
 * assigned" says nothing, and "end-of-life" is a status that stands where the urgency was.
 */
static const Word urgencies[] = {
	{CLAIR_LITERAL("unimportant"), CLAIR_LITERAL("Negligible")},
	{CLAIR_LITERAL("low"), CLAIR_LITERAL("Low")},
	{CLAIR_LITERAL("medium"), CLAIR_LITERAL("Medium")},
	{CLAIR_LITERAL("high"), CLAIR_LITERAL("High")},
};

#define URGENCY_COUNT (sizeof(urgencies) / sizeof(urgencies[0]))

/* What the feed says of a vulnerability in one release. */
typedef struct Release
{
	ClairBytes status;
	ClairBytes urgency;
	ClairBytes fixed_version;
	ClairBytes nodsa_reason;
} Release;

/* A vulnerability being read. */
typedef struct Item
{
	ClairBytes package; /* the record's key */
	ClairBytes name;
	ClairBytes description;
	AdvisoryRange ranges[RELEASE_COUNT]; /* by release; those without a package are not there */
} Item;

/* Where the word is in the table; count when it is not. */
static size_t
look_up(const Word *words, size_t count, ClairBytes word)
{
	size_t i = 0;

	while (i < count && !clair_bytes_equal(words[i].word, word))
		i++;
	return i;
}

static ClairBytes
severity(ClairBytes urgency)
{
	size_t i;

	while (urgency.size > 0 && urgency.data[urgency.size - 1] == '*')
		urgency.size--;
	i = look_up(urgencies, URGENCY_COUNT, urgency);
	return i < URGENCY_COUNT ? urgencies[i].meaning : CLAIR_LITERAL("Unknown");
}

/* Tells once that a codename is not known. */
static ClairStatus
tell_unknown(RecordFeed *feed, UnknownWords *unknown, const Item *item, ClairBytes codename,
			 ClairError *error)
{
	if (!unknown_words_add(unknown, codename))
		return CLAIR_OK;
	if (codename.size > UNKNOWN_WORDS_MAX_SIZE)
		codename.size = UNKNOWN_WORDS_MAX_SIZE;
	return advisory_broken(&feed->writer, item->package, error,
						   "%.*s: the release \"%.*s\" is not known; its entries are left out",
						   (int) item->name.size, item->name.data, (int) codename.size,
						   codename.data);
}

/* Whether the text of a version is one; the problem when not. */
static bool
is_version(ClairBytes text, const char **problem)
{
	unsigned char key[VERSION_KEY_SIZE(CLAIR_MAX_VERSION)];
	size_t key_size;
	VersionProblem version_problem;

	if (text.size > CLAIR_MAX_VERSION)
	{
		*problem = "it is too long";
		return false;
	}
	if (version_encode(VERSION_DPKG, text, key, &key_size, &version_problem))
		return true;
	*problem = version_problem.reason;
	return false;
}

/*
 * Fills the range's status and fix. NULL, or why it cannot. The order matters: undecided
 * comes before all, and "0" says of whatever status that the release never had the flaw.
 */
static const char *
judge(const Release *release, AdvisoryRange *range)
{
	const char *problem = NULL;

	if (release->status.data == NULL)
		return "it has no status";
	if (clair_bytes_equal(release->status, CLAIR_LITERAL("undetermined")))
		range->status = UNDER_INVESTIGATION;
	else if (clair_bytes_equal(release->fixed_version, CLAIR_LITERAL("0")))
		range->status = NOT_AFFECTED;
	else if (clair_bytes_equal(release->status, CLAIR_LITERAL("resolved")))
	{
		range->status = FIXED;
		range->fixed = release->fixed_version;
		if (range->fixed.size == 0)
			problem = "it is resolved without a version";
		else
			(void) is_version(range->fixed, &problem);
	}
	else if (!clair_bytes_equal(release->status, CLAIR_LITERAL("open")))
		problem = "its status is not known";
	else if (clair_bytes_equal(release->urgency, CLAIR_LITERAL("end-of-life")))
		range->status = END_OF_LIFE;
	else if (clair_bytes_equal(release->nodsa_reason, CLAIR_LITERAL("ignored")))
		range->status = WILL_NOT_FIX;
	else if (clair_bytes_equal(release->nodsa_reason, CLAIR_LITERAL("postponed")))
		range->status = DEFERRED;
	else
		range->status = AFFECTED;
	return problem;
}

static ClairStatus
broken_release(RecordFeed *feed, const Item *item, ClairBytes codename, const char *problem,
			   ClairError *error)
{
	return advisory_broken(&feed->writer, item->package, error, "%.*s: %.*s: %s",
						   (int) item->name.size, item->name.data, (int) codename.size,
						   codename.data, problem);
}

/* Takes the object that describes a vulnerability in one release. */
static bool
take_release(JsonCursor *cursor, Release *release)
{
	ClairBytes name;

	*release = (Release){0};
	if (!json_enter(cursor, JSON_OBJECT))
		return false;
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("status")))
			json_text_or_null(cursor, &release->status);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("urgency")))
			json_text_or_null(cursor, &release->urgency);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("fixed_version")))
			json_text_or_null(cursor, &release->fixed_version);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("nodsa_reason")))
			json_text_or_null(cursor, &release->nodsa_reason);
		else
			json_skip(cursor);
	}
	return cursor->status == CLAIR_OK;
}

/* Fills the range of a release, which the item may have already: then the last one counts. */
static ClairStatus
add_range(RecordFeed *feed, Item *item, const Release *release, size_t number, ClairError *error)
{
	AdvisoryRange range = {
		.namespace = releases[number].meaning,
		.kind = CLAIR_LITERAL("source"),
		.package = item->package,
		.format = CLAIR_LITERAL("dpkg"),
		.severity = severity(release->urgency),
	};
	const char *problem = judge(release, &range);

	if (problem == NULL)
	{
		if (item->ranges[number].package.data != NULL)
			problem = "it is there twice: the first is left out";
		item->ranges[number] = range;
	}
	if (problem == NULL)
		return CLAIR_OK;
	return broken_release(feed, item, releases[number].word, problem, error);
}

/*
 * Takes the releases of a vulnerability: an object, or an empty array in place of an empty
 * object. What is wrong with one release is told in a row, and does not stop the cursor.
 */
static ClairStatus
take_releases(RecordFeed *feed, UnknownWords *unknown, JsonCursor *cursor, Item *item,
			  ClairError *error)
{
	ClairStatus status = CLAIR_OK;
	ClairBytes codename;

	if (json_type(cursor) == JSON_ARRAY)
	{
		json_enter(cursor, JSON_ARRAY);
		if (json_next_element(cursor))
			json_refuse(cursor, CLAIR_INVALID, "the releases are not an object");
		return CLAIR_OK;
	}
	json_enter(cursor, JSON_OBJECT);
	while (status == CLAIR_OK && json_next_member(cursor, &codename))
	{
		JsonCursor after = *cursor;
		size_t number = look_up(releases, RELEASE_COUNT, codename);
		Release release;

		if (number == RELEASE_COUNT)
		{
			status = tell_unknown(feed, unknown, item, codename, error);
			json_skip(cursor);
		}
		else if (take_release(cursor, &release))
			status = add_range(feed, item, &release, number, error);
		else if (cursor->status == CLAIR_INVALID)
		{
			status = broken_release(feed, item, codename, cursor->problem, error);
			json_skip(&after);
			*cursor = after;
		}
	}
	return status;
}

/* Takes the object that describes a vulnerability of a package. */
static ClairStatus
take_item(RecordFeed *feed, UnknownWords *unknown, JsonCursor *cursor, Item *item,
		  ClairError *error)
{
	ClairStatus status = CLAIR_OK;
	ClairBytes name;

	if (item->name.size == 0 || item->name.size > CLAIR_MAX_NAME)
	{
		json_refuse(cursor, CLAIR_INVALID, "its name is empty or too long");
		return CLAIR_OK;
	}
	json_enter(cursor, JSON_OBJECT);
	while (status == CLAIR_OK && json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("description")))
			json_text_or_null(cursor, &item->description);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("releases")))
			status = take_releases(feed, unknown, cursor, item, error);
		else
			json_skip(cursor);
	}
	if (item->description.size > CLAIR_MAX_TEXT)
		json_refuse(cursor, CLAIR_INVALID, "its description is too long");
	return status;
}

/*
 * Writes the item. Its ranges come in the table's order, so that their digest does not hang
 * on the feed's. A vulnerability without any release says nothing, and is not written.
 */
static ClairStatus
write_item(RecordFeed *feed, Item *item, ClairError *error)
{
	char link[sizeof(LINK) + CLAIR_MAX_NAME];
	Advisory advisory = {
		.record = item->package,
		.name = item->name,
		.description = item->description,
		.link = {link, sizeof(LINK) - 1 + item->name.size},
		.ranges = item->ranges,
	};

	for (size_t i = 0; i < RELEASE_COUNT; i++)
		if (item->ranges[i].package.data != NULL)
			item->ranges[advisory.range_count++] = item->ranges[i];
	if (advisory.range_count == 0)
		return CLAIR_OK;
	memcpy(link, LINK, sizeof(LINK) - 1);
	memcpy(link + sizeof(LINK) - 1, item->name.data, item->name.size);
	return advisory_write(&feed->writer, &advisory, error);
}

/* Reads and writes one vulnerability of a package. */
static ClairStatus
read_item(RecordFeed *feed, UnknownWords *unknown, ClairBytes package, const JsonMember *member,
		  ClairError *error)
{
	Item item = {.package = package, .name = member->name};
	JsonCursor cursor = json_cursor(member->value, feed->arena);
	ClairStatus status = take_item(feed, unknown, &cursor, &item, error);

	if (status != CLAIR_OK)
		return status;
	if (cursor.status == CLAIR_INVALID)
		return advisory_broken(&feed->writer, package, error, "%.*s: %s", (int) item.name.size,
							   item.name.data, cursor.problem);
	if (cursor.status != CLAIR_OK)
		return clair_error(error, cursor.status, "%s", cursor.problem);
	return write_item(feed, &item, error);
}

static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	(void) feed;
	(void) context;
	(void) error;
	*key = record->name;
	if (key->size > CLAIR_MAX_NAME)
		*problem = "its name is too long";
	return CLAIR_OK;
}

/* Reads the vulnerabilities of a package. Of two with the same name the last one counts. */
static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes package,
		ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	ClairStatus status = CLAIR_OK;
	JsonMember *members;
	size_t count;

	if (json_type(&cursor) != JSON_OBJECT && json_skip(&cursor) && json_end(&cursor))
		return advisory_broken(&feed->writer, package, error, "it is not an object");
	json_members(&cursor, &members, &count);
	json_end(&cursor);
	if (cursor.status != CLAIR_OK)
		return record_feed_refuse(record, &cursor, error);
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		if (i + 1 < count && clair_bytes_equal(members[i].name, members[i + 1].name))
			status = advisory_broken(&feed->writer, package, error,
									 "%.*s: it is there twice: the first is left out",
									 (int) members[i].name.size, members[i].name.data);
		else if (members[i].problem != NULL)
			status = advisory_broken(&feed->writer, package, error, "%.*s: its name: %s",
									 (int) members[i].name.size, members[i].name.data,
									 members[i].problem);
		else
			status = read_item(feed, context, package, &members[i], error);
	}
	return status;
}

static ClairStatus
debian_read(const UpdaterJob *job, ClairError *error)
{
	static const RecordFormat format = {.cutter = &json_record_cutter,
										.identify = identify,
										.itemize = itemize};
	UnknownWords unknown = {0};
	RecordFeed feed;
	ClairStatus status;

	if (job->count != 1)
		return clair_error(error, CLAIR_INVALID, "the tracker is one document, not %zu",
						   job->count);
	status = record_feed_open(&feed, job->limits, job->sink, error);
	if (status != CLAIR_OK)
		return status;
	status = record_feed_read(&feed, job->documents[0].name, job->documents[0].descriptor, &format,
							  &unknown, error);
	record_feed_close(&feed);
	return status;
}

const Updater updater_debian = {"debian", debian_read};
