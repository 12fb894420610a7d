/*
 * alpine_test.c
 *    Proves that Alpine's listing, documents and rejections become the rows that they mean, and
 *    that what is broken in them is told, not fatal, as long as the documents are JSON and YAML.
 */
#include "feed/secdb.h"
#include "feed_sink.h"

#define DOCUMENT(branch, packages)                                                                 \
	"{\"reponame\":\"main\",\"distroversion\":\"" branch "\",\"packages\":[" packages "]}"
#define PACKAGE(name, secfixes) "{\"pkg\":{\"name\":\"" name "\",\"secfixes\":" secfixes "}}"

/* Reads one document. */
static ClairStatus
read_text(Recorder *recorder, const char *name, const char *url, const char *text)
{
	UpdaterDocument document = feed_text(name, url, text);

	recorder_clear(recorder);
	return feed_read("alpine", &document, 1, recorder);
}

static void
check_index(void)
{
	Recorder recorder = {0};

	CHECK_INT(
		read_text(&recorder, "index", "https://secdb.alpinelinux.org/",
				  "<a href=\"../\"><a href=\"edge/\"><a href=\"v3.10/\"><a href=\"v3.9/\">"
				  "<a href=\"v3.9\"><a href=\"last-update\"><a href=\"v3/\"><a href=\"v3.x/\">"
				  "<a href=\"v3.10.1/\"><a href=\"V3.1/\"><a href=\"v.1/\"><a href=\"v3.99999/\">"),
		CLAIR_OK, "a listing of a server");
	CHECK_TEXT(
		clair_bytes(recorder.rows),
		"\nfurther|index|v3.9/main.json|v3.9/main.json|0|plain\n"
		"\nfurther|index|v3.9/community.json|v3.9/community.json|1|plain\n"
		"\nfurther|index|v3.10/main.json|v3.10/main.json|0|plain\n"
		"\nfurther|index|v3.10/community.json|v3.10/community.json|1|plain\n"
		"\nfurther|index|edge/main.json|edge/main.json|0|plain\n"
		"\nfurther|index|edge/community.json|edge/community.json|1|plain\n"
		"\nfurther|index|rejections/main.yaml|https://gitlab.alpinelinux.org/alpine/security/"
		"security-rejections/-/raw/master/main.yaml|1|always\n"
		"\nfurther|index|rejections/community.yaml|https://gitlab.alpinelinux.org/alpine/security/"
		"security-rejections/-/raw/master/community.yaml|1|always\n",
		"branches in their order, each once, and the lists of rejections");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	CHECK_INT(read_text(&recorder, "index", "file:///srv/secdb/",
						"clair directory listing\nREADME\nv3.20/\nrejections/\n"),
			  CLAIR_OK, "a local directory");
	CHECK_ROW(&recorder, "further|index|v3.20/main.json|v3.20/main.json|0|plain", "its branch");
	CHECK_ROW(&recorder, "further|index|rejections/main.yaml|rejections/main.yaml|1|always",
			  "its own lists of rejections");

	CHECK_INT(read_text(&recorder, "index", "http://mirror.example.org/", "<a href=\"v3.20/\">"),
			  CLAIR_OK, "a mirror");
	CHECK_ROW(&recorder, "further|index|rejections/main.yaml|rejections/main.yaml|1|always",
			  "has its own lists too");

	CHECK_INT(read_text(&recorder, "index", "https://x/", "<html>maintenance</html>"),
			  CLAIR_INVALID, "another page");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": the listing names no branch of Alpine", "is no listing");
	CHECK_INT(read_text(&recorder, "v3.20/main.yaml", "", "{}"), CLAIR_INVALID, "another document");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "there is no document \"v3.20/main.yaml\" of Alpine", "is not read");
	recorder_clear(&recorder);
}

static void
check_identifiers(const char *text, const char *expected)
{
	Arena *arena = arena_create(1 << 20);
	size_t count;
	ClairBytes *names = secdb_identifiers(arena, clair_bytes(text), &count);
	char result[256] = "";
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += (size_t) snprintf(result + size, sizeof(result) - size, "%s%.*s", i > 0 ? " " : "",
								  (int) names[i].size, names[i].data);
	CHECK_TEXT(clair_bytes(result), expected, text);
	arena_destroy(arena);
}

static void
check_all_identifiers(void)
{
	check_identifiers("CVE-2031-1234", "CVE-2031-1234");
	check_identifiers("CVE-2031-1234 CVE-2031-12345", "CVE-2031-1234 CVE-2031-12345");
	check_identifiers("CVE-2031-1234,CVE-2031-5678;\tCVE-2031-9999",
					  "CVE-2031-1234 CVE-2031-5678 CVE-2031-9999");
	check_identifiers("CVE-2031-1234 (+ regression fix)", "CVE-2031-1234");
	check_identifiers("CVE-2031-1234 (see CVE-2031-9999 (and CVE-2031-9998)) CVE-2031-5678",
					  "CVE-2031-1234 CVE-2031-5678");
	check_identifiers("CVE-2031-1234(never closed CVE-2031-9999", "CVE-2031-1234");
	check_identifiers("CVE_2031-1234", "CVE-2031-1234");
	check_identifiers("cve-2031_1234", "CVE-2031-1234");
	check_identifiers("CVE-2031-1234-1", "CVE-2031-1234");
	check_identifiers("CVE-2031-1234.patch", "CVE-2031-1234");
	check_identifiers("CVE-2031-1234  XSA-248", "CVE-2031-1234");
	check_identifiers("GHSA-aaaa-bbbb-cccc CVE-2031-1234", "CVE-2031-1234");
	check_identifiers("CVE-\?\?\?\?-\?\?\?\?\?  XSA-295", "XSA-295");
	check_identifiers("GHSA-aaaa-bbbb-ccc1 XSA-248", "GHSA-aaaa-bbbb-ccc1 XSA-248");
	check_identifiers("wnpa-sec-2031-18", "wnpa-sec-2031-18");
	check_identifiers("GHSA-fghj-mpqr-vwxc", "GHSA-fghj-mpqr-vwxc");
	check_identifiers("use-after-free", "");
	check_identifiers("ALPINE-13661", "ALPINE-13661");
	check_identifiers("ZBX-11023", "ZBX-11023");
	check_identifiers("CVE-2031-12", "CVE-2031-12");
	check_identifiers("security fix", "");
	check_identifiers("(CVE-2031-1234)", "");
	check_identifiers("", "");
}

static void
check_packages(void)
{
	Recorder recorder = {0};

	CHECK_INT(
		read_text(
			&recorder, "v3.20/main.json", "",
			DOCUMENT(
				"v3.20",
				PACKAGE(
					"musl",
					"{\"1.2.5-r1\":[\"CVE-2031-1111 GHSA-a-1\"],"
					"\"0\":[\"CVE-2031-2222\"],\"1.2.10-r0\":[\"CVE-2031-3333\"],"
					"\"1.2.9-r9\":[\"CVE-2031-3333\",\"XSA-1\"]}") "," PACKAGE("empty",
																			   "[]") "," PACKAGE("n"
																								 "o"
																								 "n"
																								 "e",
																								 "n"
																								 "u"
																								 "l"
																								 "l") ","
																									  "{\"pkg\":{\"name\":\"absent\"}}," PACKAGE(
																										  "lists",
																										  "{\"1\":null,\"2\":{}}"))),
		CLAIR_OK, "a document");
	CHECK_ROW(&recorder, "record|v3.20/main.json|v3.20/main/musl|*", "a record");
	CHECK_ROW(&recorder,
			  "affected|v3.20/main/musl|CVE-2031-1111|0|alpine:v3.20|source|musl|apk|-|1.2.5-r1|"
			  "fixed|Unknown",
			  "a fix");
	CHECK_ROW(&recorder,
			  "affected|v3.20/main/musl|CVE-2031-2222|0|alpine:v3.20|source|musl|apk|-|-|"
			  "not_affected|Unknown",
			  "a flaw that the package never had");
	CHECK_ROW(&recorder,
			  "affected|v3.20/main/musl|CVE-2031-3333|0|alpine:v3.20|source|musl|apk|-|1.2.10-r0|"
			  "fixed|Unknown",
			  "of two fixes the highest, as apk orders them");
	CHECK_ROW(&recorder, "affected|v3.20/main/musl|XSA-1|0|*", "another's identifier");
	CHECK(strstr(recorder.rows, "|-|https://security.alpinelinux.org/vuln/CVE-2031-1111\n") != NULL,
		  "a link, no description");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 4, "nothing else");
	CHECK_INT(recorder.counts[WIRE_RECORD], 5, "packages without fixes are records");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "and not broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	CHECK_INT(read_text(&recorder, "edge/community.json", "",
						"{\"packages\":[" PACKAGE(
							"a", "{\"1-r0\":[\"CVE-2031-1111\"]}") "],"
																   "\"distroversion\":\"edge\"}"),
			  CLAIR_OK, "a document that names its branch last");
	CHECK_ROW(&recorder, "affected|edge/community/a|CVE-2031-1111|0|alpine:edge|source|a|*",
			  "edge");
	CHECK_INT(read_text(&recorder, "v3.3/community.json", "", "{\"packages\":null}"), CLAIR_OK,
			  "a document without packages");
	CHECK_INT(read_text(&recorder, "edge/main.json", "", DOCUMENT("v3.20", "")), CLAIR_INVALID,
			  "a document of another branch");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"edge/main.json\": it is of another branch, \"v3.20\"", "is refused");
	recorder_clear(&recorder);
}

static void
check_broken(void)
{
	Recorder recorder = {0};

	CHECK_INT(read_text(&recorder, "v3.20/main.json", "",
						DOCUMENT("v3.20",
								 "7,{},{\"pkg\":[]},{\"pkg\":{}},{\"pkg\":{\"name\":\"\"}}"
								 "," PACKAGE("a", "7") "," PACKAGE("b", "[1]") "," PACKAGE(
									 "c", "{\"20.10.11.r0\":[\"CVE-2031-1111\"],\"1-r0\":[\"CVE-"
										  "2031-2222\","
										  "\"security "
										  "fix\",7,\"CVE-2031-3333\"],\"2\":\"CVE-2031-4444\","
										  "\"3\":{\"x\":1}}") "," PACKAGE("\\ud800", "{}"))),
			  CLAIR_OK, "broken packages do not fail the run");
	CHECK_ROW(&recorder, "broken|v3.20/main.json|v3.20/main/|element 1: it is not an object",
			  "a number for a package");
	CHECK_ROW(&recorder, "broken|v3.20/main.json|v3.20/main/|element 2: it has no \"pkg\"",
			  "a package without pkg");
	CHECK_ROW(&recorder, "broken|v3.20/main.json|v3.20/main/|element 3: it is not an object",
			  "an array for it");
	CHECK_ROW(
		&recorder,
		"broken|v3.20/main.json|v3.20/main/|element 4: its name is missing, empty or too long",
		"a package without name");
	CHECK_ROW(&recorder, "broken|v3.20/main.json|v3.20/main/|element 9: half a surrogate pair *",
			  "a name that is no text");
	CHECK_ROW(&recorder, "broken|v3.20/main.json|v3.20/main/a|it is not an object", "fixes");
	CHECK_ROW(&recorder, "broken|v3.20/main.json|v3.20/main/b|its secfixes are not an object",
			  "an array of fixes");
	CHECK_ROW(&recorder, "broken|v3.20/main.json|v3.20/main/c|secfixes: \"20.10.11.r0\": *",
			  "a version that is none");
	CHECK_ROW(&recorder,
			  "broken|v3.20/main.json|v3.20/main/c|\"security fix\" names no vulnerability",
			  "a text without identifier");
	CHECK_ROW(
		&recorder,
		"broken|v3.20/main.json|v3.20/main/c|secfixes: \"1-r0\": an identifier is not a string",
		"a number for a text");
	CHECK_ROW(&recorder, "broken|v3.20/main.json|v3.20/main/c|secfixes: \"2\": it is not an array",
			  "a text for a list");
	CHECK_ROW(&recorder, "broken|v3.20/main.json|v3.20/main/c|secfixes: \"3\": it is not an array",
			  "an object for a list");
	CHECK_ROW(&recorder, "affected|v3.20/main/c|CVE-2031-2222|*", "what is right is kept");
	CHECK_ROW(&recorder, "affected|v3.20/main/c|CVE-2031-3333|*", "behind what is broken, too");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 2, "and nothing else");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 13, "each is told once");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	CHECK_INT(read_text(&recorder, "v3.20/main.json", "", DOCUMENT("v3.20", "{\"pkg\":{,}}")),
			  CLAIR_INVALID, "what is not JSON fails it");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"v3.20/main.json\": element 1: byte 63: a string is missing",
			   "with the place");
	CHECK_INT(read_text(&recorder, "v3.20/main.json", "",
						DOCUMENT("v3.20", PACKAGE("a", "{}") "," PACKAGE("a", "{}"))),
			  CLAIR_INVALID, "a package that is there twice");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"v3.20/main.json\": record \"v3.20/main/a\" is there twice",
			   "fails it, too");
	CHECK_INT(read_text(&recorder, "v3.20/main.json", "", "{\"distroversion\":\"v3.20\"}"),
			  CLAIR_INVALID, "so does a document without packages");
	recorder_clear(&recorder);
}

/* Reads a package with rejections; its record's row is the result. */
static void
read_rejected(Recorder *recorder, const char *rejections, char record[256])
{
	UpdaterDocument documents[] = {
		feed_text("v3.20/main.json", "",
				  DOCUMENT("v3.20",
						   PACKAGE("zlib", "{\"1.3-r0\":[\"CVE-2031-1111\",\"CVE-2031-2222\"]}"))),
		feed_text("rejections/community.yaml", "", rejections),
	};
	const char *row;

	recorder_clear(recorder);
	CHECK_INT(feed_read("alpine", documents, 2, recorder), CLAIR_OK, rejections);
	row = strstr(recorder->rows, "record|");
	snprintf(record, 128, "%.110s", row != NULL ? row : "");
}

static void
check_rejections(void)
{
	Recorder recorder = {0};
	char without[256];
	char with[256];
	UpdaterDocument broken[] = {feed_text("rejections/main.yaml", "", "a: b\n")};

	read_rejected(&recorder, "musl: [CVE-2031-1111]\n", without);
	CHECK_ROW(&recorder,
			  "affected|v3.20/main/"
			  "zlib|CVE-2031-1111|0|alpine:v3.20|source|zlib|apk|-|1.3-r0|fixed|Unknown",
			  "what is rejected of another package counts");
	read_rejected(&recorder, "zlib:\n- CVE_2031-1111 # no\n- CVE-2031-9999\n- CVE-2031-1111\n",
				  with);
	CHECK_ROW(&recorder,
			  "affected|v3.20/main/zlib|CVE-2031-1111|0|alpine:v3.20|source|zlib|apk|-|-|"
			  "not_affected|Unknown",
			  "a rejection wins over a fix");
	CHECK_ROW(&recorder,
			  "affected|v3.20/main/zlib|CVE-2031-9999|0|alpine:v3.20|source|zlib|apk|-|-|"
			  "not_affected|Unknown",
			  "one of a vulnerability that the document does not name is known");
	CHECK_ROW(&recorder, "affected|v3.20/main/zlib|CVE-2031-2222|0|*", "the others stay");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 3, "each once");
	CHECK(strcmp(with, without) != 0, "the record's digest covers its rejections");
	read_rejected(&recorder, "", with);
	CHECK_TEXT(clair_bytes(with), without, "and only its own");
	recorder_clear(&recorder);

	CHECK_INT(feed_read("alpine", broken, 1, &recorder), CLAIR_INVALID, "a broken list");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"rejections/main.yaml\": line 1: this is not a list", "fails the run");
	recorder_clear(&recorder);
}

/* The rows of a branch's two documents. */
static void
check_branch(const char *branch, int64_t records, int64_t affected, int64_t broken)
{
	static const char *const repositories[] = {"main", "community"};
	Recorder recorder = {0};
	UpdaterDocument documents[2];
	char names[2][64];

	for (size_t i = 0; i < 2; i++)
	{
		char file[256];
		const char *path;

		snprintf(names[i], sizeof(names[i]), "%s/%s.json", branch, repositories[i]);
		snprintf(file, sizeof(file), "feeds/alpine/secdb-json/%s", names[i]);
		path = unit_data(file);
		if (path == NULL)
			return;
		documents[i] = feed_file(names[i], path);
	}
	CHECK_INT(feed_read("alpine", documents, 2, &recorder), CLAIR_OK, branch);
	CHECK_INT(recorder.counts[WIRE_RECORD], records, "packages");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], affected, "vulnerabilities of packages");
	CHECK_INT(recorder.counts[WIRE_BROKEN], broken, "versions that are none");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

static void
check_fixtures(void)
{
	Recorder recorder = {0};
	UpdaterDocument documents[] = {
		feed_file("v3.19/main.json", "test/fixtures/alpine/v3.19/main.json"),
		feed_file("v3.20/main.json", "test/fixtures/alpine/v3.20/main.json"),
		feed_file("v3.20/community.json", "test/fixtures/alpine/v3.20/community.json"),
		feed_file("edge/main.json", "test/fixtures/alpine/edge/main.json"),
		feed_file("rejections/main.yaml", "test/fixtures/alpine/rejections/main.yaml"),
	};

	CHECK_INT(feed_read("alpine", documents, 5, &recorder), CLAIR_OK, "the fixtures");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 31, "ten vulnerabilities in each branch, and one");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing broken");
	CHECK_ROW(&recorder,
			  "affected|edge/main/"
			  "zlib|CVE-2031-20009|0|alpine:edge|source|zlib|apk|-|-|not_affected|Unknown",
			  "the rejection");
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_index();
	check_all_identifiers();
	check_packages();
	check_broken();
	check_rejections();
	/* Counted by another program: 461 and 1,902 texts, some of the same vulnerability. */
	check_branch("v3.3", 91, 457, 2);
	check_branch("v3.10", 239, 1869, 1);
	check_fixtures();
	return unit_result();
}
