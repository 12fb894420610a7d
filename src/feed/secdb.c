/*
 * secdb.c
 *    What a package's record in a secdb document says; see secdb.h.
 *
 * The same vulnerability may stand under several versions, when a first fix was not enough:
 * the highest version counts. The feed knows no severities and nothing that is not fixed.
 */
#include "feed/secdb.h"

#include <stdlib.h>

#include "common/text.h"
#include "version/version_key.h"

#define MEMORY_PROBLEM "there is not enough memory for the record"

/* Which of several statements on one vulnerability counts: the greatest. */
typedef enum Rank
{
	RANK_NEVER, /* version "0" */
	RANK_FIXED,
	RANK_REJECTED
} Rank;

/* A vulnerability under a version. */
typedef struct Fix
{
	ClairBytes name;
	Rank rank;
	ClairBytes version; /* of RANK_FIXED */
	ClairBytes key;		/* the version's */
} Fix;

typedef struct Fixes
{
	Fix *fixes;
	size_t count;
	size_t capacity;
} Fixes;

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool
is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool
is_capital(char byte)
{
	return byte >= 'A' && byte <= 'Z';
}

static size_t
count_digits(ClairBytes text)
{
	size_t count = 0;

	while (count < text.size && is_digit(text.data[count]))
		count++;
	return count;
}

/*
 * The CVE that the word begins with: no value when it is none. What follows the number ("-1",
 * ".patch") is about a part of the fix; "_" is taken for "-". *exhausted: of the arena.
 */
static ClairBytes
find_cve(Arena *arena, ClairBytes word, bool *exhausted)
{
	ClairBytes year;
	ClairBytes number;
	ClairBytes cve;

	if (word.size < sizeof("CVE-1999-0001") - 1 ||
		!text_equal_ignoring_case((ClairBytes){word.data, 3}, CLAIR_LITERAL("CVE")) ||
		(word.data[3] != '-' && word.data[3] != '_'))
		return CLAIR_NULL_BYTES;
	year = clair_bytes_skip(word, 4);
	if (count_digits(year) != 4 || (year.data[4] != '-' && year.data[4] != '_'))
		return CLAIR_NULL_BYTES;
	number = clair_bytes_skip(year, 5);
	number.size = count_digits(number);
	if (number.size < 4)
		return CLAIR_NULL_BYTES;
	cve = (ClairBytes){word.data, 9 + number.size};
	if (memcmp(word.data, "CVE-", 4) == 0 && word.data[8] == '-')
		return cve;
	cve = arena_copy(arena, cve);
	*exhausted = cve.data == NULL;
	if (cve.data != NULL)
	{
		memcpy((char *) cve.data, "CVE-", 4);
		memcpy((char *) cve.data + 8, "-", 1);
	}
	return cve;
}

/*
 * Whether the word is somebody's identifier, and not just a word: a letter first, a "-", and a
 * digit or two capitals to begin with ("wnpa-sec-2031-18", "GHSA-fghj-mpqr-vwxc").
 */
static bool
is_identifier(ClairBytes word)
{
	bool dash = false;
	bool digit = false;

	if (word.size == 0 || !is_letter(word.data[0]))
		return false;
	for (size_t i = 0; i < word.size; i++)
	{
		char byte = word.data[i];

		dash |= byte == '-';
		digit |= is_digit(byte);
		if (!is_digit(byte) && !is_letter(byte) && strchr("-_.:", byte) == NULL)
			return false;
	}
	return dash && (digit || (is_capital(word.data[0]) && is_capital(word.data[1])));
}

/* Takes the next word off *rest; what stands in parentheses is passed over. */
static bool
next_word(ClairBytes *rest, ClairBytes *word)
{
	size_t depth = 0;

	*word = (ClairBytes){rest->data, 0};
	for (; rest->size > 0; *rest = clair_bytes_skip(*rest, 1))
	{
		char byte = rest->data[0];

		if (depth == 0 && byte != '\0' && strchr(" \t\r\n,;()", byte) == NULL)
		{
			if (word->size++ == 0)
				word->data = rest->data;
			continue;
		}
		if (word->size > 0)
			return true;
		if (byte == '(')
			depth++;
		else if (byte == ')' && depth > 0)
			depth--;
	}
	return word->size > 0;
}

ClairBytes *
secdb_identifiers(Arena *arena, ClairBytes text, size_t *count)
{
	ClairBytes *names = NULL;
	size_t capacity = 0;
	bool cves = false; /* what is in names are CVEs */
	ClairBytes word;

	*count = 0;
	while (next_word(&text, &word))
	{
		bool exhausted = false;
		ClairBytes name = find_cve(arena, word, &exhausted);
		bool is_cve = name.data != NULL;

		if (is_cve && !cves)
			*count = 0; /* what came before are other names of it */
		cves |= is_cve;
		if (!is_cve && !cves && is_identifier(word))
			name = word;
		if (name.data != NULL && name.size <= CLAIR_MAX_NAME)
		{
			names = arena_grow_array(arena, names, *count + 1, &capacity, sizeof(*names));
			exhausted |= names == NULL;
		}
		if (exhausted)
		{
			*count = 1;
			return NULL;
		}
		if (name.data != NULL && name.size <= CLAIR_MAX_NAME)
			names[(*count)++] = name;
	}
	return names;
}

/* Enters the object that the record's member "pkg" must be; cursor stands before the record. */
static bool
enter_package(JsonCursor *cursor)
{
	JsonCursor package = {0};
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("pkg")))
			package = *cursor;
		json_skip(cursor);
	}
	if (cursor->status != CLAIR_OK)
		return false;
	if (package.text.data == NULL)
		return json_refuse(cursor, CLAIR_INVALID, "it has no \"pkg\"");
	*cursor = package;
	return json_enter(cursor, JSON_OBJECT);
}

ClairStatus
secdb_name(RecordFeed *feed, const FeedRecord *record, ClairBytes *name, const char **problem,
		   ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	ClairBytes member;
	ClairBytes found = CLAIR_NULL_BYTES;

	json_skip(&cursor);
	if (!json_end(&cursor))
		return record_feed_refuse(record, &cursor, error);

	*name = CLAIR_NULL_BYTES;
	cursor = json_cursor(record->value, feed->arena);
	if (enter_package(&cursor))
	{
		while (json_next_member(&cursor, &member))
		{
			if (clair_bytes_equal(member, CLAIR_LITERAL("name")))
				json_text(&cursor, &found);
			else
				json_skip(&cursor);
		}
	}
	if (cursor.status == CLAIR_OK && (found.size == 0 || found.size > CLAIR_MAX_NAME))
		json_refuse(&cursor, CLAIR_INVALID, "its name is missing, empty or too long");
	if (cursor.status == CLAIR_OK)
		*name = found;
	else if (cursor.status == CLAIR_INVALID)
		*problem = cursor.problem;
	else
		return record_feed_refuse(record, &cursor, error);
	return CLAIR_OK;
}

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

static ClairStatus
add_fix(RecordFeed *feed, Fixes *fixes, const Fix *fix, ClairError *error)
{
	fixes->fixes = arena_grow_array(feed->arena, fixes->fixes, fixes->count + 1, &fixes->capacity,
									sizeof(Fix));
	if (fixes->fixes == NULL)
		return memory_error(error);
	fixes->fixes[fixes->count++] = *fix;
	return CLAIR_OK;
}

/* Adds the vulnerabilities that a text of the list under a version names. */
static ClairStatus
add_text(RecordFeed *feed, ClairBytes record, Fixes *fixes, Fix fix, ClairBytes text,
		 ClairError *error)
{
	size_t count;
	ClairBytes *names = secdb_identifiers(feed->arena, text, &count);
	ClairStatus status = CLAIR_OK;

	if (count > 0 && names == NULL)
		return memory_error(error);
	if (count == 0)
		return advisory_broken(&feed->writer, record, error, "\"%.*s\" names no vulnerability",
							   (int) (text.size < CLAIR_MAX_NAME ? text.size : CLAIR_MAX_NAME),
							   text.data);
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		fix.name = names[i];
		status = add_fix(feed, fixes, &fix, error);
	}
	return status;
}

/* Fills the fix's rank and key from its version. NULL, or why that is none. */
static ClairStatus
encode_version(RecordFeed *feed, Fix *fix, const char **problem, ClairError *error)
{
	unsigned char key[VERSION_KEY_SIZE(CLAIR_MAX_VERSION)];
	size_t key_size;
	VersionProblem version_problem = {"it is too long", 0};

	fix->rank = RANK_NEVER;
	if (clair_bytes_equal(fix->version, CLAIR_LITERAL("0")))
		return CLAIR_OK;
	fix->rank = RANK_FIXED;
	if (fix->version.size > CLAIR_MAX_VERSION ||
		!version_encode(VERSION_APK, fix->version, key, &key_size, &version_problem))
	{
		*problem = version_problem.reason;
		return CLAIR_OK;
	}
	fix->key = arena_copy(feed->arena, (ClairBytes){(const char *) key, key_size});
	return fix->key.data != NULL ? CLAIR_OK : memory_error(error);
}

static ClairStatus
broken_version(RecordFeed *feed, ClairBytes record, ClairBytes version, const char *problem,
			   ClairError *error)
{
	return advisory_broken(&feed->writer, record, error, "secfixes: \"%.*s\": %s",
						   (int) (version.size < CLAIR_MAX_NAME ? version.size : CLAIR_MAX_NAME),
						   version.data, problem);
}

/* Enters the list under a version; an empty list of another kind is one, too: then false. */
static bool
enter_list(JsonCursor *cursor)
{
	ClairBytes name;

	if (json_type(cursor) == JSON_NULL)
		return false;
	if (json_type(cursor) != JSON_OBJECT)
		return json_enter(cursor, JSON_ARRAY);
	json_enter(cursor, JSON_OBJECT);
	if (json_next_member(cursor, &name))
		json_refuse(cursor, CLAIR_INVALID, "it is not an array");
	return false;
}

/* Takes the list under a version. */
static ClairStatus
take_version(RecordFeed *feed, ClairBytes record, JsonCursor *cursor, ClairBytes version,
			 Fixes *fixes, ClairError *error)
{
	Fix fix = {.version = version};
	const char *problem = NULL;
	ClairStatus status = encode_version(feed, &fix, &problem, error);
	ClairBytes text;

	if (status == CLAIR_OK && problem != NULL)
		return broken_version(feed, record, version, problem, error);
	if (status != CLAIR_OK || !enter_list(cursor))
		return status;
	while (status == CLAIR_OK && json_next_element(cursor))
	{
		if (json_type(cursor) != JSON_STRING)
		{
			json_skip(cursor);
			status = broken_version(feed, record, version, "an identifier is not a string", error);
		}
		else if (json_text(cursor, &text))
			status = add_text(feed, record, fixes, fix, text, error);
	}
	return status;
}

/* Takes the value of "secfixes", which may be null or an empty array, too. */
static ClairStatus
take_secfixes(RecordFeed *feed, ClairBytes record, JsonCursor *cursor, Fixes *fixes,
			  ClairError *error)
{
	ClairStatus status = CLAIR_OK;
	ClairBytes version;

	if (json_type(cursor) == JSON_NULL)
	{
		json_skip(cursor);
		return CLAIR_OK;
	}
	if (json_type(cursor) == JSON_ARRAY)
	{
		json_enter(cursor, JSON_ARRAY);
		if (json_next_element(cursor))
			json_refuse(cursor, CLAIR_INVALID, "its secfixes are not an object");
		return CLAIR_OK;
	}
	json_enter(cursor, JSON_OBJECT);
	while (status == CLAIR_OK && json_next_member(cursor, &version))
	{
		JsonCursor list = *cursor;

		json_skip(cursor);
		status = take_version(feed, record, &list, version, fixes, error);
		if (status == CLAIR_OK && list.status == CLAIR_INVALID)
			status = broken_version(feed, record, version, list.problem, error);
		else if (status == CLAIR_OK && list.status != CLAIR_OK)
			json_refuse(cursor, list.status, list.problem);
	}
	return status;
}

/* By name; the statement that counts last. */
static int
compare_fixes(const void *left, const void *right)
{
	const Fix *a = left;
	const Fix *b = right;
	int order = clair_bytes_compare(a->name, b->name);

	if (order == 0)
		order = (int) a->rank - (int) b->rank;
	if (order == 0 && a->rank == RANK_FIXED)
		order = version_key_compare((const unsigned char *) a->key.data, a->key.size,
									(const unsigned char *) b->key.data, b->key.size);
	if (order == 0 && a->rank == RANK_FIXED)
		order = clair_bytes_compare(a->version, b->version); /* equal, but written differently */
	return order;
}

static ClairStatus
write_fix(RecordFeed *feed, const SecdbSource *source, ClairBytes record, ClairBytes package,
		  const Fix *fix, ClairError *error)
{
	bool fixed = fix->rank == RANK_FIXED;
	AdvisoryRange range = {
		.namespace = source->namespace,
		.kind = CLAIR_LITERAL("source"),
		.package = package,
		.format = CLAIR_LITERAL("apk"),
		.fixed = fixed ? fix->version : CLAIR_NULL_BYTES,
		.status = fixed ? CLAIR_LITERAL("fixed") : CLAIR_LITERAL("not_affected"),
		.severity = CLAIR_LITERAL("Unknown"),
	};
	Advisory advisory = {
		.record = record,
		.name = fix->name,
		.ranges = &range,
		.range_count = 1,
	};

	if (source->link.data != NULL)
	{
		advisory.link = arena_printf(feed->arena, "%.*s%.*s", (int) source->link.size,
									 source->link.data, (int) fix->name.size, fix->name.data);
		if (advisory.link.data == NULL)
			return memory_error(error);
	}
	return advisory_write(&feed->writer, &advisory, error);
}

/* Reads what the record says of its package. */
static ClairStatus
take_package(RecordFeed *feed, const FeedRecord *record, ClairBytes key, ClairBytes *package,
			 Fixes *fixes, ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	ClairStatus status = CLAIR_OK;
	ClairBytes name;

	enter_package(&cursor);
	while (status == CLAIR_OK && json_next_member(&cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("name")))
			json_text(&cursor, package);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("secfixes")))
			status = take_secfixes(feed, key, &cursor, fixes, error);
		else
			json_skip(&cursor);
	}
	if (status != CLAIR_OK || cursor.status == CLAIR_OK)
		return status;
	if (cursor.status != CLAIR_INVALID)
		return record_feed_refuse(record, &cursor, error);
	return advisory_broken(&feed->writer, key, error, "%s", cursor.problem);
}

ClairStatus
secdb_itemize(RecordFeed *feed, const SecdbSource *source, const FeedRecord *record, ClairBytes key,
			  const ClairBytes *rejected, size_t rejected_count, ClairError *error)
{
	Fixes fixes = {0};
	ClairBytes package = CLAIR_NULL_BYTES;
	ClairStatus status = take_package(feed, record, key, &package, &fixes, error);

	for (size_t i = 0; i < rejected_count && status == CLAIR_OK; i++)
	{
		Fix fix = {.name = rejected[i], .rank = RANK_REJECTED};

		status = add_fix(feed, &fixes, &fix, error);
	}
	if (fixes.count > 0)
		qsort(fixes.fixes, fixes.count, sizeof(Fix), compare_fixes);
	for (size_t i = 0; i < fixes.count && status == CLAIR_OK; i++)
		if (i + 1 == fixes.count ||
			!clair_bytes_equal(fixes.fixes[i].name, fixes.fixes[i + 1].name))
			status = write_fix(feed, source, key, package, &fixes.fixes[i], error);
	return status;
}
