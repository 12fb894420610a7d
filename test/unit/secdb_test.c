/*
 * secdb_test.c
 *    Proves that a secdb of any source becomes rows as its updater's options say, and that options
 *    are read as what they are, or refused.
 */
#include "feed_sink.h"
#include "updaters/options.h"

#define DOCUMENT(packages)		"{\"apkurl\":\"{{x}}\",\"packages\":[" packages "]}"
#define PACKAGE(name, secfixes) "{\"pkg\":{\"name\":\"" name "\",\"secfixes\":" secfixes "}}"

static ClairStatus
read_text(Recorder *recorder, const char *options, const char *text)
{
	UpdaterDocument document = feed_text("secdb", "https://example.org/secdb.json", text);

	recorder_clear(recorder);
	recorder->options = options;
	return feed_read("secdb", &document, 1, recorder);
}

static void
check_documents(void)
{
	static const char packages[] = DOCUMENT(PACKAGE(
		"zlib",
		"{\"1.3-r0\":[\"CVE-2031-0001\"],"
		"\"0\":[\"CVE-2031-0002\"]}") "," PACKAGE("bash", "{\"not a version\":[\"CVE-2031-3\"]}"));
	Recorder recorder = {0};

	CHECK_INT(read_text(&recorder, "{\"namespace\":\"wolfi:rolling\",\"link\":\"https://x/\"}",
						packages),
			  CLAIR_OK, "a document");
	CHECK_ROW(&recorder, "record|secdb|zlib|*", "a package is a record");
	CHECK_ROW(&recorder, "vulnerability|zlib|CVE-2031-0001|*", "a vulnerability of it");
	CHECK(strstr(recorder.rows, "|https://x/CVE-2031-0001") != NULL, "its link");
	CHECK_ROW(&recorder,
			  "affected|zlib|CVE-2031-0001|0|wolfi:rolling|source|zlib|apk|-|1.3-r0|fixed|Unknown",
			  "its range, in the namespace of the option");
	CHECK_ROW(
		&recorder,
		"affected|zlib|CVE-2031-0002|0|wolfi:rolling|source|zlib|apk|-|-|not_affected|Unknown",
		"what never was affected");
	CHECK_ROW(&recorder, "broken|secdb|bash|secfixes: \"not a version\": *", "a broken version");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	CHECK_INT(read_text(&recorder, "{\"namespace\":\"alpine:v3.20\"}", packages), CLAIR_OK,
			  "without a link");
	CHECK(strstr(recorder.rows, "https://") == NULL, "there is none");
	CHECK_INT(read_text(&recorder, "{\"namespace\":\"alpine:v3.20\"}", "<html>"), CLAIR_INVALID,
			  "what is no JSON is refused");
	CHECK_INT(read_text(&recorder, "{\"namespace\":\"alpine:v3.20\"}", DOCUMENT("")), CLAIR_OK,
			  "no packages");
	recorder_clear(&recorder);
}

static void
check_refusal(const char *options)
{
	Recorder recorder = {0};

	CHECK_INT(read_text(&recorder, options, DOCUMENT("")), CLAIR_PROTOCOL,
			  options != NULL ? options : "no options");
	recorder_clear(&recorder);
}

static void
check_refusals(void)
{
	check_refusal(NULL);
	check_refusal("{}");
	check_refusal("{\"namespace\":\"\"}");
	check_refusal("{\"namespace\":7}");
	check_refusal("{\"namespace\":[\"wolfi:rolling\"]}");
	check_refusal("{\"namespace\":\"wolfi:rolling\",\"link\":null}");
	check_refusal("{\"namespace\":\"wolfi:rolling\"");
	check_refusal("[]");
	check_refusal("{\"namespace\":\"\\ud800\"}");
}

static void
check_types(void)
{
	UpdaterJob job = {.options = CLAIR_LITERAL("{\"map\":{\"b\":\"2\",\"a\":\"\\u0031\"},"
											   "\"list\":[\"x\",\"y\"],\"none\":[],\"text\":\"t\","
											   "\"twice\":{\"a\":\"1\",\"a\":\"2\"},"
											   "\"mixed\":[\"x\",1]}")};
	Arena *arena = arena_create((size_t) 1 << 20);
	UpdaterOptionEntry *entries;
	ClairBytes *texts;
	ClairBytes text;
	size_t count;
	ClairError error;

	CHECK_INT(updater_option(&job, arena, "text", &text, &error), CLAIR_OK, "a text");
	CHECK_TEXT(text, "t", "its value");
	CHECK_INT(updater_option(&job, arena, "other", &text, &error), CLAIR_OK,
			  "one that is not given");
	CHECK(text.data == NULL, "has no value");
	CHECK_INT(updater_option_list(&job, arena, "list", &texts, &count, &error), CLAIR_OK, "a list");
	CHECK_INT(count, 2, "its length");
	CHECK_TEXT(texts[1], "y", "its last text");
	CHECK_INT(updater_option_list(&job, arena, "none", &texts, &count, &error), CLAIR_OK,
			  "an empty list");
	CHECK_INT(count, 0, "its length");
	CHECK_INT(updater_option_map(&job, arena, "map", &entries, &count, &error), CLAIR_OK, "a map");
	CHECK_INT(count, 2, "its entries");
	CHECK_TEXT(entries[0].name, "a", "by name");
	CHECK_TEXT(entries[0].value, "1", "with their values");
	CHECK_INT(updater_option_map(&job, arena, "other", &entries, &count, &error), CLAIR_OK,
			  "a map that is not given");
	CHECK_INT(count, 0, "has no entries");

	CHECK_INT(updater_option(&job, arena, "list", &text, &error), CLAIR_PROTOCOL,
			  "a list is no text");
	CHECK_TEXT(clair_bytes(error.message), "malformed job: option \"list\" is not a text",
			   "the error says which");
	CHECK_INT(updater_option_list(&job, arena, "text", &texts, &count, &error), CLAIR_PROTOCOL,
			  "a text is no list");
	CHECK_INT(updater_option_list(&job, arena, "mixed", &texts, &count, &error), CLAIR_PROTOCOL,
			  "nor is one with a number in it");
	CHECK_INT(updater_option_map(&job, arena, "twice", &entries, &count, &error), CLAIR_PROTOCOL,
			  "a map has each name once");
	CHECK_INT(updater_option_map(&job, arena, "list", &entries, &count, &error), CLAIR_PROTOCOL,
			  "a list is no map");
	arena_destroy(arena);
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_documents();
	check_refusals();
	check_types();
	return unit_result();
}
