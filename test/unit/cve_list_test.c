/*
 * cve_list_test.c
 *    Proves that records of the CVE List become the rows that they mean, and which of the zips of
 *    its releases are read when, in which order.
 */
#include "feed_sink.h"
#include "zip_writer.h"

#define BROKE "broken|index|CVE-2031-0001|"

/* What a name and URL of a release's asset look like. */
#define ASSET(name)                                                                                \
	"{\"size\":1,\"name\":\"" name "\",\"browser_download_url\":\"https://x/" name "\"}"
#define RELEASE(assets) "{\"tag_name\":\"cve\",\"assets\":[" assets "],\"body\":\"changes\"}"

static ClairStatus
read_bytes(Recorder *recorder, const char *name, ClairBytes bytes)
{
	const char *state = recorder->state;
	UpdaterDocument document = feed_text(name, "https://x/", "");

	if (write(document.descriptor, bytes.data, bytes.size) != (ssize_t) bytes.size)
		abort();
	recorder_clear(recorder);
	recorder->state = state;
	return feed_read("cve_list", &document, 1, recorder);
}

/* A file, as one of a zip in a zip, and what is not read beside it. */
static ClairStatus
read_record(Recorder *recorder, ClairBytes content)
{
	ZipWriter inner;
	ZipWriter outer;
	ClairStatus status;

	zip_begin(&inner, "deflate");
	zip_file(&inner, "cves/delta.json", CLAIR_LITERAL("{"), true);
	zip_file(&inner, "cves/2031/0xxx/CVE-2031-0001.json", content, true);
	zip_begin(&outer, "store");
	zip_file(&outer, "cves.zip", zip_end(&inner), true);
	status = read_bytes(recorder, "index", zip_end(&outer));
	free(inner.data);
	free(outer.data);
	return status;
}

static ClairBytes
load(const char *path, char buffer[8192])
{
	FILE *file = fopen(path, "rb");
	size_t size = file != NULL ? fread(buffer, 1, 8192, file) : 0;

	if (size == 0)
		abort();
	fclose(file);
	return (ClairBytes){buffer, size};
}

static void
check_records(void)
{
	Recorder recorder = {0};
	char buffer[8192];

	CHECK_INT(read_record(&recorder, load("test/fixtures/cve_list/CVE-2031-0100.json", buffer)),
			  CLAIR_OK, "a record");
	CHECK_ROW(&recorder, "record|index|CVE-2031-0100|*", "is named after its CVE");
	CHECK_INT(recorder.counts[WIRE_RECORD], 1, "other files are none");
	CHECK(strstr(recorder.rows, "|PUBLISHED|quux overflow|2031-01-01T10:00:00.000Z|"
								"2031-01-05T11:12:13.014Z\n") != NULL,
		  "its statement");
	CHECK_INT(recorder.counts[WIRE_METRIC], 3, "metrics");
	CHECK_ROW(
		&recorder,
		"metric|CVE-2031-0100|0|quux|CNA|3.1|CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H|8.1|"
		"High",
		"by who assigned it");
	CHECK_ROW(&recorder, "metric|CVE-2031-0100|1|quux|CNA|4.0|*", "of another version");
	CHECK_ROW(
		&recorder,
		"metric|CVE-2031-0100|2|CISA-ADP|ADP|3.1|CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N|"
		"0.0|Negligible",
		"by who enriched it");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "broken");
	CHECK_INT(read_record(&recorder, load("test/fixtures/cve_list/CVE-2031-0102.json", buffer)),
			  CLAIR_OK, "a rejected one");
	CHECK(strstr(recorder.rows, "|REJECTED|It was none.|-|2031-01-04T10:00:00.000Z\n") != NULL,
		  "has its reason");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

/* The containers of a record that is told as broken. */
static void
check_broken(const char *containers, const char *row)
{
	Recorder recorder = {0};
	char text[1024];

	snprintf(text, sizeof(text),
			 "{\"cveMetadata\":{\"cveId\":\"CVE-2031-0001\"},\"containers\":{%s}}", containers);
	CHECK_INT(read_record(&recorder, clair_bytes(text)), CLAIR_OK, containers);
	CHECK_ROW(&recorder, row, "is told");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 1, "once");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

static void
check_broken_records(void)
{
	Recorder recorder = {0};

	check_broken("\"cna\":[]", BROKE "it is not an object");
	check_broken("\"adp\":{}", BROKE "it is not an array");
	check_broken("\"cna\":{\"metrics\":7}", BROKE "it is not an array");
	check_broken("\"cna\":{\"metrics\":[{\"cvssV3_1\":{}}]}",
				 BROKE "a metric is of no version of CVSS that is known");
	check_broken("\"cna\":{\"metrics\":[{\"cvssV3_1\":{\"version\":\"3.1\",\"baseScore\":5}}]}",
				 BROKE "a metric does not say whose it is");
	check_broken("\"cna\":{\"metrics\":[{\"cvssV3_1\":[]}],\"providerMetadata\":{\"orgId\":\"o\"}}",
				 BROKE "it is not an object");
	CHECK_INT(read_record(&recorder, CLAIR_LITERAL("{}")), CLAIR_OK, "a file that is none");
	CHECK_ROW(
		&recorder,
		"broken|index|cves/2031/0xxx/CVE-2031-0001.json|it does not say which CVE it is about",
		"is named by its path");
	CHECK_INT(read_record(&recorder, CLAIR_LITERAL("{\"cveMetadata\":{\"cveId\":\"CVE-2031-0001\","
												   "\"state\":tru}}")),
			  CLAIR_INVALID, "a file that is not JSON fails the run");
	CHECK_INT(read_bytes(&recorder, "all", CLAIR_LITERAL("<html>")), CLAIR_INVALID, "a page");
	recorder_clear(&recorder);
}

/* Which documents a text names after a state, in order: names and modes; and the state left. */
static void
check_choice(const char *what, const char *state, const char *text, const char *expected,
			 const char *left)
{
	Recorder recorder = {.state = state};
	char found[1024] = "";
	char row[128];

	CHECK_INT(read_bytes(&recorder, "index", clair_bytes(text)), CLAIR_OK, what);
	for (const char *at = recorder.rows; (at = strstr(at, "\nfurther|index|")) != NULL; at++)
	{
		const char *name = at + strlen("\nfurther|index|");
		const char *end = strchr(name, '\n');
		const char *mode = end;

		while (mode[-1] != '|')
			mode--;
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%.*s:%.*s ",
				 (int) strcspn(name, "|"), name, (int) (end - mode), mode);
	}
	CHECK_TEXT(clair_bytes(found), expected, "documents");
	snprintf(row, sizeof(row), "state|%s%s:00.000Z", left, strlen(left) > 10 ? "" : "T00:00");
	if (left[0] == '\0')
		CHECK_INT(recorder.counts[WIRE_STATE], 0, "the state stays");
	else
		CHECK_ROW(&recorder, row, "the state");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

#define ALL2  "2031-01-02_all_CVEs_at_midnight.zip.zip"
#define AT_13 "2031-01-02_delta_CVEs_at_1300Z.zip"
#define AT_14 "2031-01-02_delta_CVEs_at_1400Z.zip"
#define END2  "2031-01-02_delta_CVEs_at_end_of_day.zip"
#define ALL3  "2031-01-03_all_CVEs_at_midnight.zip.zip"
#define AT_3  "2031-01-03_delta_CVEs_at_0300Z.zip"

static void
check_choices(void)
{
	static const char second[] = RELEASE(ASSET(ALL2) "," ASSET(AT_13));
	static const char third[] = "[" RELEASE(ASSET(AT_3) "," ASSET(ALL3)) "," RELEASE(
		ASSET(END2) "," ASSET(ALL2)) "," RELEASE(ASSET(AT_14)) "]";

	check_choice("at first", NULL, second, "all:plain ", "2031-01-02");
	check_choice("a state that is none", "yesterday", second, "all:plain ", "2031-01-02");
	check_choice("then", "2031-01-02T00:00:00.000Z", second, "all:keep " AT_13 ":patch ",
				 "2031-01-02T13:00");
	check_choice("an hour before", "2031-01-02T12:00:00.000Z", second, "all:keep " AT_13 ":patch ",
				 "2031-01-02T13:00");
	check_choice("nothing new", "2031-01-02T13:00:00.000Z", second, "all:keep ", "");
	check_choice("a day missed", "2031-01-01T13:00:00.000Z", second, "all:plain ", "2031-01-02");
	check_choice("the day after", "2031-01-02T13:00:00.000Z", third,
				 "all:keep " AT_3 ":patch " END2 ":patch ", "2031-01-03T03:00");
	check_choice("after the day's end", "2031-01-03T00:00:00.000Z", third,
				 "all:keep " AT_3 ":patch ", "2031-01-03T03:00");
	check_choice("a folder", NULL,
				 "clair directory listing\n" ALL2 "\n" ALL3 "\n" AT_3 "\nREADME\n", "all:plain ",
				 "2031-01-03");
	check_choice("the folder again", "2031-01-03T00:00:00.000Z",
				 "clair directory listing\n" ALL2 "\n" ALL3 "\n" AT_3 "\n",
				 "all:keep " AT_3 ":patch ", "2031-01-03T03:00");
	check_choice("names that are none", NULL,
				 "[" RELEASE(ASSET("2031-01-04_delta_CVEs_at_2500Z.zip") "," ASSET(ALL2) "," ASSET(
					 "2031-13-01_all_CVEs_at_midnight.zip.zip") ",{}") "]",
				 "all:plain ", "2031-01-02");
}

static void
check_refused(const char *text, const char *message)
{
	Recorder recorder = {0};

	CHECK_INT(read_bytes(&recorder, "index", clair_bytes(text)), CLAIR_INVALID, text);
	CHECK_TEXT(clair_bytes(recorder.error.message), message, "says why");
	recorder_clear(&recorder);
}

static void
check_broken_indexes(void)
{
#define NEITHER "document \"index\": it is neither a zip nor does it name one of all CVEs"
	check_refused("", NEITHER);
	check_refused("<html><a href='a.zip'>a</a></html>", NEITHER);
	check_refused("{\"message\":\"API rate limit exceeded\"}", NEITHER);
	check_refused(RELEASE(ASSET(AT_13)), NEITHER);
	check_refused("[{\"assets\":7}]", "document \"index\": byte 11: it is not an array");
	check_refused("[7]", "document \"index\": byte 1: it is not an object");
	check_refused("{\"assets\":[]} x", "document \"index\": byte 14: there is more after its end");
}

/* Of a CVE that two patches have, the one that is read first counts: it is the later one. */
static void
check_patches(void)
{
	static const char *const texts[] = {
		"{\"cveMetadata\":{\"cveId\":\"CVE-2031-0001\",\"state\":\"later\"},\"containers\":{}}",
		"{\"cveMetadata\":{\"cveId\":\"CVE-2031-0001\",\"state\":\"earlier\"},\"containers\":{}}"};
	Recorder recorder = {0};
	UpdaterDocument documents[2];

	for (int i = 0; i < 2; i++)
	{
		ZipWriter zip;
		ClairBytes bytes;

		zip_begin(&zip, "deflate");
		zip_file(&zip, "deltaCves/CVE-2031-0001.json", clair_bytes(texts[i]), true);
		if (i == 1)
			zip_file(&zip, "deltaCves/CVE-2031-0002.json",
					 CLAIR_LITERAL("{\"cveMetadata\":{\"cveId\":\"CVE-2031-0002\"},"
								   "\"containers\":{}}"),
					 true);
		bytes = zip_end(&zip);
		documents[i] = feed_text(i == 0 ? AT_3 : END2, "https://x/", "");
		if (write(documents[i].descriptor, bytes.data, bytes.size) != (ssize_t) bytes.size)
			abort();
		free(zip.data);
	}
	CHECK_INT(feed_read("cve_list", documents, 2, &recorder), CLAIR_OK, "two patches");
	CHECK_INT(recorder.counts[WIRE_RECORD], 2, "each CVE once");
	CHECK_ROW(&recorder, "record|all|CVE-2031-0001|*", "of all");
	CHECK_ROW(&recorder, "record|all|CVE-2031-0002|*", "also what only the earlier has");
	CHECK(strstr(recorder.rows, "|later\n") != NULL, "the later one counts");
	CHECK(strstr(recorder.rows, "|earlier\n") == NULL, "alone");
	recorder_clear(&recorder);
}

static void
check_hostile(const char *path, ClairStatus expected)
{
	Recorder recorder = {0};
	UpdaterDocument document;

	if (path == NULL)
		return;
	document = feed_file("index", path);
	CHECK_INT(feed_read("cve_list", &document, 1, &recorder), expected, path);
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_records();
	check_broken_records();
	check_choices();
	check_broken_indexes();
	check_patches();
	check_hostile(unit_data("hostile/feed/html-instead.json"), CLAIR_INVALID);
	check_hostile(unit_data("hostile/feed/deep.json.gz"), CLAIR_INVALID);
	check_hostile(unit_data("hostile/feed/bomb-256m.json.gz"), CLAIR_LIMIT);
	return unit_result();
}
