/*
 * debian_test.c
 *    Proves that the tracker's document becomes the rows that it means: statuses, severities,
 *    ranges; that known records are not read again; and that what is broken is told, not fatal,
 *    as long as the document is JSON.
 */
#include "feed_sink.h"

/* Reads one document of the tracker. */
static ClairStatus
read_text(Recorder *recorder, const char *text)
{
	UpdaterDocument document = feed_text("tracker", "https://example.org/json", text);

	recorder_clear(recorder);
	return feed_read("debian", &document, 1, recorder);
}

/* Reads a release of a vulnerability; the rest of the row, from the namespace on. */
static void
check_release(const char *codename, const char *release, const char *namespace, const char *rest)
{
	Recorder recorder = {0};
	char text[1024];
	char row[1024];

	snprintf(text, sizeof(text), "{\"foo\":{\"CVE-2031-1\":{\"releases\":{\"%s\":{%s}}}}}",
			 codename, release);
	snprintf(row, sizeof(row), "affected|foo|CVE-2031-1|0|%s|source|foo|dpkg|-|%s", namespace,
			 rest);
	CHECK_INT(read_text(&recorder, text), CLAIR_OK, release);
	CHECK_ROW(&recorder, row, release);
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "one range");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

#define CHECK_STATUS(release, rest) check_release("bookworm", release, "debian:12", rest)

static void
check_statuses(void)
{
	CHECK_STATUS("\"status\":\"resolved\",\"fixed_version\":\"1:2-3\",\"urgency\":\"high\"",
				 "1:2-3|fixed|High");
	CHECK_STATUS("\"status\":\"resolved\",\"fixed_version\":\"0\"", "-|not_affected|Unknown");
	CHECK_STATUS("\"status\":\"open\",\"fixed_version\":\"0\"", "-|not_affected|Unknown");
	CHECK_STATUS("\"status\":\"open\"", "-|affected|Unknown");
	CHECK_STATUS("\"status\":\"open\",\"fixed_version\":\"\",\"urgency\":null",
				 "-|affected|Unknown");
	CHECK_STATUS("\"status\":\"open\",\"fixed_version\":\"2-1\"", "-|affected|Unknown");
	CHECK_STATUS("\"nodsa_reason\":\"\",\"nodsa\":\"Minor issue\",\"status\":\"open\"",
				 "-|affected|Unknown");
	CHECK_STATUS("\"status\":\"open\",\"nodsa_reason\":\"ignored\"", "-|will_not_fix|Unknown");
	CHECK_STATUS("\"status\":\"open\",\"nodsa_reason\":\"postponed\"", "-|deferred|Unknown");
	CHECK_STATUS("\"status\":\"open\",\"urgency\":\"end-of-life\",\"nodsa_reason\":\"ignored\"",
				 "-|end_of_life|Unknown");
	CHECK_STATUS("\"status\":\"resolved\",\"urgency\":\"end-of-life\",\"fixed_version\":\"2-1\"",
				 "2-1|fixed|Unknown");
	CHECK_STATUS("\"status\":\"undetermined\",\"fixed_version\":\"0\"",
				 "-|under_investigation|Unknown");
	CHECK_STATUS("\"st\\u0061tus\":\"op\\u0065n\",\"x\":[{\"status\":1}]", "-|affected|Unknown");
}

static void
check_severities(void)
{
	CHECK_STATUS("\"status\":\"open\",\"urgency\":\"not yet assigned\"", "-|affected|Unknown");
	CHECK_STATUS("\"status\":\"open\",\"urgency\":\"unimportant\"", "-|affected|Negligible");
	CHECK_STATUS("\"status\":\"open\",\"urgency\":\"low\"", "-|affected|Low");
	CHECK_STATUS("\"status\":\"open\",\"urgency\":\"low**\"", "-|affected|Low");
	CHECK_STATUS("\"status\":\"open\",\"urgency\":\"medium*\"", "-|affected|Medium");
	CHECK_STATUS("\"status\":\"open\",\"urgency\":\"high**\"", "-|affected|High");
	CHECK_STATUS("\"status\":\"open\",\"urgency\":\"apocalyptic\"", "-|affected|Unknown");
}

static void
check_namespaces(void)
{
	static const char *const names[][2] = {
		{"sid", "debian:unstable"}, {"duke", "debian:15"},	   {"forky", "debian:14"},
		{"trixie", "debian:13"},	{"bullseye", "debian:11"}, {"buster", "debian:10"},
		{"stretch", "debian:9"},	{"jessie", "debian:8"},	   {"wheezy", "debian:7"},
		{"squeeze", "debian:6"},	{"lenny", "debian:5"},	   {"etch", "debian:4"},
		{"sarge", "debian:3.1"},	{"woody", "debian:3.0"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		check_release(names[i][0], "\"status\":\"open\"", names[i][1], "-|affected|Unknown");
}

static void
check_rows(void)
{
	Recorder recorder = {0};

	CHECK_INT(
		read_text(
			&recorder,
			"{\"foo\":{\"TEMP-1-A\":{\"releases\":{\"sid\":{\"status\":\"open\"}},"
			"\"description\":\"caf\\u00e9 \\\"x\\\"\",\"debianbug\":1}},"
			"\"bar\":{\"CVE-1\":{\"releases\":[]},\"CVE-2\":{},\"CVE-3\":{\"releases\":{}}}}"),
		CLAIR_OK, "a document of two packages");
	CHECK_ROW(&recorder, "record|tracker|foo|*", "its first record");
	CHECK_ROW(&recorder, "record|tracker|bar|*", "its second record");
	CHECK(strstr(recorder.rows,
				 "|caf\xc3\xa9 \"x\"|https://security-tracker.debian.org/tracker/TEMP-1-A\n") !=
			  NULL,
		  "description and link");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 1,
			  "what names no release says nothing, and is not broken");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "indeed");
	CHECK_INT(recorder.questions, 1, "one question for both");
	CHECK_INT(recorder.keys, 2, "with both keys");

	CHECK_INT(read_text(&recorder, "{}"), CLAIR_OK, "a document without packages");
	CHECK_INT(recorder.questions, 0, "asks nothing");
	recorder_clear(&recorder);
}

/* The digest of the only vulnerability of a document. */
static ClairBytes
digest_in(const char *text, char digest[33])
{
	Recorder recorder = {0};
	const char *row;

	memset(digest, 0, 33);
	if (read_text(&recorder, text) == CLAIR_OK &&
		(row = strstr(recorder.rows, "vulnerability|foo|CVE-1|")) != NULL)
		memcpy(digest, row + strlen("vulnerability|foo|CVE-1|"), 32);
	recorder_clear(&recorder);
	return clair_bytes(digest);
}

static void
check_digests(void)
{
	char first[33];
	char other[33];

	digest_in(
		"{\"foo\":{\"CVE-1\":{\"description\":\"d\",\"releases\":{\"sid\":{\"status\":\"open\"},"
		"\"bookworm\":{\"status\":\"resolved\",\"fixed_version\":\"2\"}}}}}",
		first);
	CHECK_INT(strspn(first, "0123456789abcdef"), 32, "32 hex digits");
	CHECK_TEXT(digest_in("{\"foo\": {\"CVE-1\":{\"scope\":\"local\",\"releases\":{"
						 "\"bookworm\":{\"fixed_version\":\"2\",\"status\":\"resolved\"},"
						 "\"sid\":{\"status\":\"open\",\"repositories\":{\"sid\":\"3\"}}},"
						 "\"description\":\"d\"}}}",
						 other),
			   first, "what is not stored, and the order, do not change the digest");
	digest_in(
		"{\"foo\":{\"CVE-1\":{\"description\":\"d\",\"releases\":{\"sid\":{\"status\":\"open\"},"
		"\"bookworm\":{\"status\":\"resolved\",\"fixed_version\":\"3\"}}}}}",
		other);
	CHECK(strcmp(first, other) != 0, "another fix changes it");
	digest_in(
		"{\"foo\":{\"CVE-1\":{\"description\":\"e\",\"releases\":{\"sid\":{\"status\":\"open\"},"
		"\"bookworm\":{\"status\":\"resolved\",\"fixed_version\":\"2\"}}}}}",
		other);
	CHECK(strcmp(first, other) != 0, "so does another description");
}

static void
check_known(void)
{
	static const char text[] = "{\"a\":{\"CVE-1\":{\"releases\":{\"sid\":{\"status\":\"open\"}}}},"
							   "\"b\":{\"CVE-1\":{\"releases\":{\"sid\":{\"status\":\"open\"}}}},"
							   "\"c\":{\"CVE-1\":{\"releases\":{\"sid\":{\"status\":\"open\"}}}}}";
	Recorder recorder = {.known = "a\nc\n"};
	UpdaterDocument document = feed_text("tracker", "", text);

	CHECK_INT(feed_read("debian", &document, 1, &recorder), CLAIR_OK, "two of three known");
	CHECK_INT(recorder.counts[WIRE_RECORD], 3, "all records are stated");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 1, "only one is read");
	CHECK_ROW(&recorder, "affected|b|CVE-1|0|debian:unstable|source|b|dpkg|-|-|affected|Unknown",
			  "the one that is not known");
	recorder_clear(&recorder);

	recorder.all_known = true;
	document = feed_text("tracker", "", text);
	CHECK_INT(feed_read("debian", &document, 1, &recorder), CLAIR_OK, "all known");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 0, "none is read");
	recorder_clear(&recorder);
}

/* More records than one question asks about. */
static void
check_many(void)
{
	Recorder recorder = {.known = "p0\np20000\np44999\n"};
	size_t capacity = 45000 * 80;
	char *text = malloc(capacity);
	size_t size = 1;
	UpdaterDocument document;

	text[0] = '{';
	for (int i = 0; i < 45000; i++)
		size += (size_t) snprintf(
			text + size, capacity - size,
			"%s\"p%d\":{\"CVE-1\":{\"releases\":{\"sid\":{\"status\":\"open\"}}}}",
			i > 0 ? "," : "", i);
	snprintf(text + size, capacity - size, "}");
	document = feed_text("tracker", "", text);
	CHECK_INT(feed_read("debian", &document, 1, &recorder), CLAIR_OK, "45,000 records");
	CHECK_INT(recorder.questions, 3, "three questions");
	CHECK_INT(recorder.keys, 45000, "about all of them");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 44997, "all but the known ones are read");
	CHECK(!recorder_has(&recorder, "affected|p20000|*"), "an answer of the second question");
	CHECK(recorder_has(&recorder, "affected|p20001|*"), "the next one");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
	free(text);
}

static void
check_broken_items(void)
{
	Recorder recorder = {0};

	CHECK_INT(
		read_text(
			&recorder,
			"{\"a\":[],\"b\":{\"CVE-1\":7,\"CVE-2\":{\"description\":[]},\"\":{},"
			"\"CVE-3\":{\"releases\":[1]},\"CVE-4\":{\"releases\":\"none\"},"
			"\"CVE-5\":{\"description\":\"\\ud800\",\"releases\":{\"sid\":{\"status\":\"open\"}}},"
			"\"\\ud800\":{}},\"c\":{\"CVE-6\":{\"releases\":{\"bookworm\":{\"status\":\"resolved\"}"
			","
			"\"sid\":{\"status\":\"resolved\",\"fixed_version\":\"1 "
			"2\"},\"buster\":{},\"jessie\":7,"
			"\"trixie\":{\"status\":\"maybe\"},\"forky\":{\"status\":\"open\"},\"etch\":{"
			"\"status\":1}}}},"
			"\"\":{},\"\\u0000\":{}}"),
		CLAIR_OK, "broken items do not fail the run");
	CHECK_ROW(&recorder, "broken|tracker|a|it is not an object", "a record that is no object");
	CHECK_ROW(&recorder, "broken|tracker|b|CVE-1: it is not an object", "an item that is none");
	CHECK_ROW(&recorder, "broken|tracker|b|CVE-2: it is not a string", "a description");
	CHECK_ROW(&recorder, "broken|tracker|b|: its name is empty or too long", "no name");
	CHECK_ROW(&recorder, "broken|tracker|b|CVE-3: the releases are not an object", "an array");
	CHECK_ROW(&recorder, "broken|tracker|b|CVE-4: it is not an object", "a string");
	CHECK_ROW(&recorder, "broken|tracker|b|CVE-5: half a surrogate pair stands in a string",
			  "half a surrogate pair");
	CHECK_ROW(&recorder,
			  "broken|tracker|b|\\ud800: its name: half a surrogate pair stands in a string",
			  "a name that is no text");
	CHECK_ROW(&recorder, "broken|tracker|c|CVE-6: bookworm: it is resolved without a version",
			  "resolved without a version");
	CHECK_ROW(&recorder, "broken|tracker|c|CVE-6: sid: *", "a version with a blank");
	CHECK_ROW(&recorder, "broken|tracker|c|CVE-6: buster: it has no status", "no status");
	CHECK_ROW(&recorder, "broken|tracker|c|CVE-6: jessie: it is not an object", "no object");
	CHECK_ROW(&recorder, "broken|tracker|c|CVE-6: trixie: its status is not known", "a new status");
	CHECK_ROW(&recorder, "broken|tracker|c|CVE-6: etch: it is not a string", "a number");
	CHECK_ROW(&recorder, "affected|c|CVE-6|0|debian:14|source|c|dpkg|-|-|affected|Unknown",
			  "what is right beside it is kept");
	CHECK_ROW(&recorder, "broken|tracker||its name is empty or too long", "a package without name");
	CHECK_ROW(&recorder, "broken|tracker|\\u0000|a string is not UTF-8, or has a NUL in it",
			  "a package whose name is no text");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 16, "each once, though the document is read twice");
	CHECK_INT(recorder.counts[WIRE_RECORD], 3, "records with a name");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

static void
check_repeated(void)
{
	Recorder recorder = {0};

	CHECK_INT(read_text(&recorder,
						"{\"a\":{\"CVE-1\":{\"releases\":{\"sid\":{\"status\":\"open\"}}},"
						"\"CVE-1\":{\"releases\":{\"sid\":{\"status\":\"undetermined\"},"
						"\"sid\":{\"status\":\"resolved\",\"fixed_version\":\"2\"}}}}}"),
			  CLAIR_OK, "names that are there twice");
	CHECK_ROW(&recorder, "broken|tracker|a|CVE-1: it is there twice: the first is left out",
			  "a vulnerability");
	CHECK_ROW(&recorder, "broken|tracker|a|CVE-1: sid: it is there twice: the first is left out",
			  "a release");
	CHECK_ROW(&recorder, "affected|a|CVE-1|0|debian:unstable|source|a|dpkg|-|2|fixed|Unknown",
			  "the last counts");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "and only that");

	CHECK_INT(read_text(&recorder, "{\"a\":{\"CVE-1\":{\"releases\":{\"zurg\":{},\"buzz\":7}},"
								   "\"CVE-2\":{\"releases\":{\"zurg\":{\"status\":\"open\"}}}}}"),
			  CLAIR_OK, "releases that are not known");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 2, "each is told once");
	CHECK_ROW(&recorder,
			  "broken|tracker|a|CVE-1: the release \"zurg\" is not known; its entries are left out",
			  "with its name");
	recorder_clear(&recorder);
}

static void
check_refused(const char *text, ClairStatus status, const char *message)
{
	Recorder recorder = {0};

	CHECK_INT(read_text(&recorder, text), status, text);
	CHECK_TEXT(clair_bytes(recorder.error.message), message, "says where and why");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

static void
check_broken_documents(void)
{
	check_refused("", CLAIR_INVALID, "document \"tracker\": the document is empty");
	check_refused("<html>", CLAIR_INVALID,
				  "document \"tracker\": the document is not a JSON object: it begins with "
				  "\"<html>\"");
	check_refused("{\"a\":{},\"b\":{\"c\":tru}}", CLAIR_INVALID,
				  "document \"tracker\": record \"b\": byte 17: there is no such value");
	check_refused("{\"a\":{\"b\":{]}}", CLAIR_INVALID,
				  "document \"tracker\": record \"a\": byte 11: a string is missing");
	check_refused("{\"a\":tru}", CLAIR_INVALID,
				  "document \"tracker\": record \"a\": byte 5: there is no such value");
	check_refused("{\"a\":{},\"a\":{}}", CLAIR_INVALID,
				  "document \"tracker\": record \"a\" is there twice");
	check_refused("{\"a\":{}} x", CLAIR_INVALID,
				  "document \"tracker\": byte 9: there is more after the document's end");
}

static void
check_hostile(const char *file, ClairStatus expected)
{
	Recorder recorder = {0};
	const char *path = unit_data(file);
	UpdaterDocument document;

	if (path == NULL)
		return;
	document = feed_file("tracker", path);
	CHECK_INT(feed_read("debian", &document, 1, &recorder), expected, file);
	CHECK_INT(recorder.problems, 0, "rows are rows");
	if (expected != CLAIR_OK)
		printf("# %s\n", recorder.error.message);
	recorder_clear(&recorder);
}

/* A document with known numbers of rows. */
static void
check_counts(const char *path, int64_t records, int64_t vulnerabilities, int64_t affected,
			 int64_t broken)
{
	Recorder recorder = {0};
	UpdaterDocument document;

	if (path == NULL)
		return;
	document = feed_file("tracker", path);
	CHECK_INT(feed_read("debian", &document, 1, &recorder), CLAIR_OK, path);
	CHECK_INT(recorder.counts[WIRE_RECORD], records, "records");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], vulnerabilities, "vulnerabilities");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], affected, "ranges");
	CHECK_INT(recorder.counts[WIRE_BROKEN], broken, "broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_statuses();
	check_severities();
	check_namespaces();
	check_rows();
	check_digests();
	check_known();
	check_many();
	check_broken_items();
	check_repeated();
	check_broken_documents();
	check_hostile("hostile/feed/html-instead.json", CLAIR_INVALID);
	check_hostile("hostile/feed/empty.json", CLAIR_INVALID);
	check_hostile("hostile/feed/deep.json.gz", CLAIR_INVALID);
	check_hostile("hostile/feed/debian-truncated.json.gz", CLAIR_INVALID);
	check_hostile("hostile/feed/debian-trailing.json", CLAIR_INVALID);
	check_hostile("hostile/feed/debian-dup-keys.json", CLAIR_INVALID);
	check_hostile("hostile/feed/bomb-256m.json.gz", CLAIR_LIMIT);
	check_hostile("hostile/feed/lone-surrogate.json", CLAIR_OK);
	check_hostile("hostile/feed/number-huge.json", CLAIR_OK);
	check_counts(unit_data("feeds/debian/tracker-derived.json.gz"), 1205, 14797, 21739, 0);
	check_counts(unit_data("feeds/debian/vunnel/input/debian.json"), 6, 6, 25, 0);
	check_counts("test/fixtures/debian/tracker.json", 7, 9, 45, 0);
	check_counts("test/fixtures/debian/tracker-changed.json", 7, 9, 45, 0);
	return unit_result();
}
