/*
 * osv_test.c
 *    Proves that OSV records are read: names, severities, packages and ranges; that what is broken
 *    of one package leaves the others alone; and what makes a record none.
 */
#include "feed/osv.h"
#include "unit.h"

static Arena *arena;

/* Reads a record; the cursor says how that went. */
static JsonCursor
read_record(const char *text, OsvRecord *record)
{
	JsonCursor cursor;

	arena_reset(arena);
	cursor = json_cursor(clair_bytes(text), arena);
	CHECK(osv_read(&cursor, record) == (cursor.status == CLAIR_OK), "the cursor says the same");
	return cursor;
}

static void
check_record(void)
{
	OsvRecord record;
	JsonCursor cursor = read_record(
		" {\"schema_version\": \"1.7.0\", \"id\": \"X-1\", \"details\": \"b\\u00e4r\", "
		"\"summary\": null,"
		" \"aliases\": null, \"upstream\": [\"CVE-2031-1\", \"CVE-2031-2\"], \"related\": [],"
		" \"severity\": [{\"type\": \"CVSS_V3\", \"score\": \"CVSS:3.1/AV:N\"}, {\"score\": null},"
		" {\"type\": \"Ubuntu\", \"score\": \"low\", \"x\": 1}],"
		" \"affected\": [{\"package\": {\"ecosystem\": \"E:1\", \"name\": \"bar\", \"purl\": "
		"\"pkg:x\","
		" \"x\": 0}, \"ranges\": [{\"type\": \"ECOSYSTEM\", \"events\": [{\"introduced\": \"0\"},"
		" {\"fixed\": \"1.2\"}]}], \"versions\": [\"1.0\", \"1.1\"], \"severity\":"
		" [{\"type\": \"Ubuntu\", \"score\": \"high\"}], \"ecosystem_specific\": {\"a\": [ 1 ]},"
		" \"database_specific\": null}],"
		" \"database_specific\": { }, \"references\": [{\"type\": \"WEB\"}]} ",
		&record);

	CHECK_INT(cursor.status, CLAIR_OK, "a record");
	CHECK_TEXT(record.id, "X-1", "id");
	CHECK_TEXT(record.details, "b\xc3\xa4r", "details");
	CHECK_TEXT(record.summary, NULL, "no summary");
	CHECK_TEXT(record.withdrawn, NULL, "not withdrawn");
	CHECK_INT(record.aliases.count, 0, "no aliases");
	CHECK_INT(record.upstream.count, 2, "what it is of");
	CHECK_TEXT(record.upstream.names[1], "CVE-2031-2", "the second of them");
	CHECK_INT(record.related.count, 0, "nothing related");
	CHECK_TEXT(osv_severity(&record.severities, "Ubuntu"), "low", "a severity");
	CHECK_TEXT(osv_severity(&record.severities, "CVSS_V4"), NULL, "none of this type");
	CHECK_TEXT(record.database_specific, "{ }", "what only its source understands");
	CHECK_INT(record.affected_count, 1, "a package");
	CHECK(record.affected[0].problem == NULL, "that is fine");
	CHECK_TEXT(record.affected[0].ecosystem, "E:1", "its ecosystem");
	CHECK_TEXT(record.affected[0].name, "bar", "its name");
	CHECK_TEXT(record.affected[0].purl, "pkg:x", "its package URL");
	CHECK_TEXT(osv_severity(&record.affected[0].severities, "Ubuntu"), "high", "its severity");
	CHECK_TEXT(record.affected[0].ecosystem_specific, "{\"a\": [ 1 ]}", "more of it");
	CHECK_TEXT(record.affected[0].database_specific, "null", "as it is written");
	CHECK_INT(record.affected[0].range_count, 1, "its range");
	CHECK_TEXT(record.affected[0].ranges[0].introduced, NULL, "from the first version");
	CHECK_TEXT(record.affected[0].ranges[0].fixed, "1.2", "to a fix");
}

/* Reads the ranges of a package; what they come to as one text, or the package's problem. */
static void
check_ranges(const char *ranges, const char *expected)
{
	OsvRecord record;
	char text[1024];
	char seen[256] = "";

	snprintf(text, sizeof(text), "{\"id\":\"X\",\"affected\":[{\"ranges\":%s}]}", ranges);
	CHECK_INT(read_record(text, &record).status, CLAIR_OK, ranges);
	for (size_t i = 0; record.affected[0].problem == NULL && i < record.affected[0].range_count;
		 i++)
	{
		const OsvRange *range = &record.affected[0].ranges[i];
		size_t size = strlen(seen);

		snprintf(seen + size, sizeof(seen) - size, "%.*s-%.*s%s%.*s;", (int) range->introduced.size,
				 range->introduced.size > 0 ? range->introduced.data : "", (int) range->fixed.size,
				 range->fixed.size > 0 ? range->fixed.data : "",
				 range->last_affected.size > 0 ? "=" : "", (int) range->last_affected.size,
				 range->last_affected.size > 0 ? range->last_affected.data : "");
	}
	CHECK_TEXT(clair_bytes(record.affected[0].problem != NULL ? record.affected[0].problem : seen),
			   expected, "what they come to");
}

#define EVENTS(events)		 "[{\"type\":\"ECOSYSTEM\",\"events\":[" events "]}]"
#define EVENT(name, version) "{\"" name "\":\"" version "\"}"

static void
check_all_ranges(void)
{
	check_ranges(EVENTS(EVENT("introduced", "0")), "-;");
	check_ranges(EVENTS(EVENT("introduced", "1.0") "," EVENT("fixed", "2.0")), "1.0-2.0;");
	check_ranges(EVENTS(EVENT("introduced", "1.0") "," EVENT("last_affected", "2.0")), "1.0-=2.0;");
	check_ranges(EVENTS(EVENT("fixed", "2.0") "," EVENT("introduced", "0")), "-2.0;");
	check_ranges(EVENTS("{\"introduced\":\"0\",\"fixed\":\"2.0\"}"), "-2.0;");
	check_ranges(EVENTS(EVENT("introduced", "0") "," EVENT("fixed", "1") "," EVENT(
					 "introduced", "2") "," EVENT("fixed", "3") "," EVENT("introduced", "4")),
				 "-1;2-3;4-;");
	check_ranges(EVENTS(EVENT("introduced", "0") "," EVENT("limit", "9")), "-;");
	check_ranges(EVENTS(""), "");
	check_ranges("[{\"type\":\"ECOSYSTEM\",\"events\":null}]", "");
	check_ranges("[]", "");
	check_ranges("null", "");
	check_ranges("[{\"type\":\"GIT\",\"events\":[{\"introduced\":\"0\"}]},"
				 "{\"events\":[{\"fixed\":\"2\"},{\"introduced\":\"1\"}],\"type\":\"ECOSYSTEM\"},"
				 "{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"3.0.0\"}]}]",
				 "1-2;");
	check_ranges(EVENTS(EVENT("fixed", "1")), "a range of it does not begin");
	check_ranges(EVENTS(EVENT("introduced", "0") "," EVENT("introduced", "1")),
				 "a range of it begins or ends twice");
	check_ranges(EVENTS(EVENT("fixed", "1") "," EVENT("last_affected", "1")),
				 "a range of it begins or ends twice");
	check_ranges(EVENTS("{\"introduced\":0}"), "it is not a string");
	check_ranges("{}", "it is not an array");
}

static void
check_broken(void)
{
	OsvRecord record;
	JsonCursor cursor = read_record(
		"{\"affected\":[{\"package\":[]},{\"package\":{\"name\":\"b\"}}],"
		"\"id\":\"X\"}",
		&record);

	CHECK_INT(cursor.status, CLAIR_OK, "a package that is broken");
	CHECK_INT(record.affected_count, 2, "does not stop the next one");
	CHECK(record.affected[0].problem != NULL, "it is told");
	CHECK_TEXT(record.affected[1].name, "b", "which is fine");

	CHECK_INT(read_record("{\"affected\":[]}", &record).status, CLAIR_INVALID, "no id");
	CHECK_INT(read_record("{\"id\":\"\"}", &record).status, CLAIR_INVALID, "an empty id");
	CHECK_INT(read_record("{\"id\":\"X\",\"affected\":{}}", &record).status, CLAIR_INVALID,
			  "packages in an object");
	CHECK_INT(read_record("{\"id\":\"X\",\"aliases\":[1]}", &record).status, CLAIR_INVALID,
			  "a name that is a number");
	CHECK_INT(read_record("{\"id\":\"X\"} x", &record).status, CLAIR_INVALID, "more than a record");
	CHECK_INT(read_record("[]", &record).status, CLAIR_INVALID, "an array");
	CHECK_INT(read_record("", &record).status, CLAIR_INVALID, "nothing");
}

int
main(void)
{
	arena = arena_create(1 << 20);
	check_record();
	check_all_ranges();
	check_broken();
	arena_destroy(arena);
	return unit_result();
}
