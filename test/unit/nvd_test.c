/*
 * nvd_test.c
 *    Proves that feeds of NVD become the rows that they mean, in both forms; what is made of
 *    metrics that are no good; and which feeds are named when, by a .meta, a state and a folder.
 */
#include "feed_sink.h"

#define BASE  "https://nvd.example.org/2.0/nvdcve-2.0-"
#define META  "lastModifiedDate:%s\r\nsize:1\r\nsha256:00\r\n"
#define CISA  "134c704f-9b21-4f2e-91b3-4a467353bcc0"
#define BROKE "broken|index|CVE-2031-0001|"

static ClairStatus
read_named(Recorder *recorder, const char *name, const char *url, const char *text)
{
	const char *state = recorder->state;
	UpdaterDocument document = feed_text(name, url, text);

	recorder_clear(recorder);
	recorder->state = state;
	return feed_read("nvd", &document, 1, recorder);
}

static ClairStatus
read_text(Recorder *recorder, const char *text)
{
	return read_named(recorder, "index", "https://example.org/feed.json", text);
}

static void
check_forms(void)
{
	Recorder recorder = {0};
	UpdaterDocument document = feed_file("index", "test/fixtures/nvd/feed-2.0.json");

	CHECK_INT(feed_read("nvd", &document, 1, &recorder), CLAIR_OK, "form 2.0");
	CHECK_INT(recorder.counts[WIRE_RECORD], 4, "records");
	CHECK_INT(recorder.counts[WIRE_CVE], 4, "statements");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "broken");
	CHECK_INT(recorder.counts[WIRE_METRIC], 6, "metrics");
	CHECK(strstr(recorder.rows, "|Deferred|A quux of old.|1999-05-01T04:00:00.000Z|"
								"2031-03-01T10:11:12.345Z\n") != NULL,
		  "the English description, in UTC");
	CHECK_ROW(&recorder,
			  "metric|CVE-1999-0101|0|nvd@nist.gov|Primary|2.0|AV:N/AC:L/Au:N/C:C/I:C/A:C|10.0|"
			  "High",
			  "version 2");
	CHECK_ROW(&recorder,
			  "metric|CVE-2031-0100|0|cna@example.org|Secondary|4.0|CVSS:4.0/AV:N/AC:L/AT:N/PR:N/"
			  "UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N|6.9|Medium",
			  "version 4");
	CHECK_ROW(&recorder,
			  "metric|CVE-2031-0100|2|nvd@nist.gov|Primary|3.1|CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/"
			  "C:N/I:N/A:H|7.5|High",
			  "version 3");
	CHECK_ROW(&recorder,
			  "metric|CVE-2031-0101|0|" CISA "|ADP|3.1|CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/"
			  "A:N|0.0|Negligible",
			  "by who enriches");
	CHECK(strstr(recorder.rows, "|Rejected|Rejected reason: it was none.|") != NULL,
		  "a rejected one");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);

	document = feed_file("index", "test/fixtures/nvd/feed-1.1.json");
	CHECK_INT(feed_read("nvd", &document, 1, &recorder), CLAIR_OK, "form 1.1");
	CHECK_INT(recorder.counts[WIRE_CVE], 2, "statements");
	CHECK_INT(recorder.counts[WIRE_METRIC], 2, "metrics");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "broken");
	CHECK_ROW(&recorder,
			  "metric|CVE-2030-0001|0|nvd@nist.gov|Primary|3.0|CVSS:3.0/AV:L/AC:H/PR:L/UI:N/S:U/"
			  "C:L/I:N/A:N|2.5|Low",
			  "version 3");
	CHECK_ROW(&recorder,
			  "metric|CVE-2030-0001|1|nvd@nist.gov|Primary|2.0|AV:L/AC:M/Au:N/C:P/I:N/A:N|1.9|Low",
			  "version 2");
	CHECK(strstr(recorder.rows, "|-|A quux.|2030-02-12T17:15:00.000Z|2030-03-02T15:10:00.000Z\n") !=
			  NULL,
		  "no state, times without seconds");
	CHECK(strstr(recorder.rows, "|Rejected|** REJECT ** It was none.|") != NULL, "a rejected one");
	recorder_clear(&recorder);
}

/* A metric of a feed in form 2.0; the row that it becomes, or why it is broken. */
static void
check_metric(const char *cvss, const char *row)
{
	Recorder recorder = {0};
	char text[1024];

	snprintf(text, sizeof(text),
			 "{\"vulnerabilities\":[{\"cve\":{\"id\":\"CVE-2031-0001\",\"metrics\":{"
			 "\"cvssMetricV31\":[{\"cvssData\":{%s},\"type\":\"Primary\",\"source\":\"s\"}]}}}]}",
			 cvss);
	CHECK_INT(read_text(&recorder, text), CLAIR_OK, cvss);
	CHECK_ROW(&recorder, row, "its row");
	CHECK_INT(recorder.counts[WIRE_METRIC], row[0] == 'm', "metrics");
	CHECK_INT(recorder.counts[WIRE_BROKEN], row[0] == 'b', "broken");
	CHECK_INT(recorder.counts[WIRE_CVE], 1, "the statement is there in any case");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

static void
check_metrics(void)
{
#define METRIC	 "metric|CVE-2031-0001|0|s|Primary|"
#define VECTOR	 "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
#define NO_SCORE BROKE "a metric has neither a valid vector nor a score from 0 to 10"
	check_metric("\"vectorString\":\"" VECTOR "\"", METRIC "3.1|" VECTOR "|7.5|High");
	check_metric("\"vectorString\":\"" VECTOR "\",\"version\":\"2.0\",\"baseScore\":1.0,"
				 "\"baseSeverity\":\"low\"",
				 METRIC "3.1|" VECTOR "|7.5|High");
	check_metric("\"vectorString\":\"" VECTOR "\",\"baseScore\":1e999",
				 METRIC "3.1|" VECTOR "|7.5|High");
	check_metric("\"version\":\"3.0\",\"baseScore\":9", METRIC "3.0|-|9.0|Critical");
	check_metric("\"version\":\"3.1\",\"baseScore\":9.80", METRIC "3.1|-|9.8|Critical");
	check_metric("\"version\":\"2.0\",\"baseScore\":9.8", METRIC "2.0|-|9.8|High");
	check_metric("\"version\":\"3.1\",\"baseScore\":4.0,\"vectorString\":\"none\"",
				 METRIC "3.1|none|4.0|Medium");
	check_metric("\"version\":\"3.1\",\"baseScore\":1e999,\"vectorString\":\"CVSS:3.1/AV:N\"",
				 NO_SCORE);
	check_metric("\"version\":\"3.1\",\"baseScore\":10.1", NO_SCORE);
	check_metric("\"version\":\"3.1\",\"baseScore\":-1", NO_SCORE);
	check_metric("\"version\":\"3.1\",\"baseScore\":\"7.5\"", NO_SCORE);
	check_metric("\"version\":\"4.0\",\"vectorString\":\"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/"
				 "VI:N/VA:L/SC:N/SI:N/SA:N\"",
				 NO_SCORE);
	check_metric("\"version\":\"5.0\",\"baseScore\":7.5",
				 BROKE "a metric is of no version of CVSS that is known");
	check_metric("\"baseScore\":7.5", BROKE "a metric is of no version of CVSS that is known");
	check_metric("\"version\":3.1", BROKE "it is not a string");
}

/* The rest of a statement's row in form 2.0, whose digest is left out. */
static void
check_broken(const char *members, const char *row)
{
	Recorder recorder = {0};
	char text[1024];

	snprintf(text, sizeof(text),
			 "{\"vulnerabilities\":[{\"cve\":{\"id\":\"CVE-2031-0001\",%s}},{\"cve\":{\"id\":"
			 "\"CVE-2031-0002\"}}]}",
			 members);
	CHECK_INT(read_text(&recorder, text), CLAIR_OK, members);
	CHECK_ROW(&recorder, row, "is told");
	CHECK_ROW(&recorder, "cve|CVE-2031-0002|*", "what is right beside it is kept");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 1, "once");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

static void
check_broken_records(void)
{
	check_broken("\"metrics\":[]", BROKE "it is not an object");
	check_broken("\"metrics\":{\"cvssMetricV31\":{}}", BROKE "it is not an array");
	check_broken("\"metrics\":{\"cvssMetricV31\":[{\"source\":\"s\"}]}",
				 BROKE "a metric has no \"cvssData\"");
	check_broken("\"metrics\":{\"cvssMetricV31\":[{\"cvssData\":{\"version\":\"3.1\",\"baseScore\":"
				 "1.0}}]}",
				 BROKE "a metric does not say whose it is");
	check_broken("\"descriptions\":\"quux\"", BROKE "it is not an array");
	check_broken("\"vulnStatus\":7", BROKE "it is not a string");
	check_broken("\"published\":\"yesterday\"", BROKE "\"yesterday\" is no time");
}

static void
check_documents(void)
{
	Recorder recorder = {0};

	CHECK_INT(read_text(&recorder, "{\"vulnerabilities\":[{\"cve\":{\"id\":\"CVE-2031-1\"}},{},7,"
								   "{\"cve\":{\"id\":\"CVE-2031-0001\"}}]}"),
			  CLAIR_OK, "elements that are no CVEs");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 3, "are told");
	CHECK_INT(recorder.counts[WIRE_CVE], 1, "the one that is one is read");
	CHECK_INT(read_text(&recorder, "{\"vulnerabilities\":[{\"cve\":{\"id\":\"CVE-2031-0001\","
								   "\"metrics\":tru}}]}"),
			  CLAIR_INVALID, "what is not JSON");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": element 1: byte 59: there is no such value", "says where");
	CHECK_INT(read_text(&recorder, "{\"resultsPerPage\":0}"), CLAIR_INVALID, "something else");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": the document has no \"vulnerabilities\"",
			   "says what is missing");
	CHECK_INT(read_text(&recorder, ""), CLAIR_INVALID, "nothing");
	CHECK_INT(read_text(&recorder, "<html><a href='x.txt'>no feeds</a></html>"), CLAIR_INVALID,
			  "a page");
	CHECK_TEXT(
		clair_bytes(recorder.error.message),
		"document \"index\": it is neither a .meta nor a dump of NVD, nor a listing that names "
		"some",
		"says what was looked for");
	recorder_clear(&recorder);
}

/* What a .meta of a day leads to: the state that it leaves, or NULL; and how many feeds, and how.
 */
static void
check_meta(const char *state, const char *day, const char *left, int feeds, const char *row)
{
	Recorder recorder = {.state = state};
	char text[256];
	char state_row[128];

	snprintf(text, sizeof(text), META, day);
	CHECK_INT(read_named(&recorder, "index", BASE "modified.meta", text), CLAIR_OK, day);
	CHECK_INT(recorder.counts[WIRE_FURTHER], feeds, "feeds are named");
	CHECK_ROW(&recorder, row, "such as");
	CHECK_INT(recorder.counts[WIRE_STATE], left != NULL, "a state is left");
	snprintf(state_row, sizeof(state_row), "state|%s", left != NULL ? left : "");
	if (left != NULL)
		CHECK_ROW(&recorder, state_row, "namely");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

static void
check_metas(void)
{
	static const char now[] = "2004-03-10T03:00:01-05:00";
	static const char left[] = "2004 2004-03-10T08:00:01.000Z";

#define FURTHER(name, year, optional, mode)                                                        \
	"further|index|" name "|nvdcve-2.0-" year ".json.gz|" optional "|" mode

	check_meta(NULL, now, left, 3, FURTHER("nvdcve-2.0-2002", "2002", "0", "plain"));
	check_meta(NULL, now, left, 3, FURTHER("nvdcve-2.0-2004", "2004", "1", "plain"));
	check_meta("nonsense", now, left, 3, FURTHER("nvdcve-2.0-2004", "2004", "1", "plain"));
	check_meta("2004 2004-03-02T08:00:00.000Z", now, left, 3,
			   FURTHER("nvdcve-2.0-2003", "2003", "0", "plain"));
	check_meta("2004 2004-03-03T08:00:01.000Z", now, left, 4,
			   FURTHER("nvdcve-2.0-2003", "2003", "0", "keep"));
	check_meta("2004 2004-03-03T08:00:01.000Z", now, left, 4,
			   FURTHER("modified", "modified", "0", "patch"));
	check_meta("2003 2004-03-09T08:00:01.000Z", now, "2003 2004-03-10T08:00:01.000Z", 3,
			   FURTHER("nvdcve-2.0-2003", "2003", "1", "keep"));
	check_meta(left, now, NULL, 3, FURTHER("nvdcve-2.0-2004", "2004", "1", "keep"));
	check_meta("2004 2004-03-11T00:00:00.000Z", now, NULL, 3,
			   FURTHER("nvdcve-2.0-2002", "2002", "0", "keep"));
}

static void
check_broken_metas(void)
{
	Recorder recorder = {0};

	CHECK_INT(read_named(&recorder, "index", BASE "modified.meta", "lastModifiedDate:soon\n"),
			  CLAIR_INVALID, "a .meta without a time");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": it does not say when the feed was modified", "is refused");
	CHECK_INT(read_named(&recorder, "index", "https://nvd.example.org/recent.meta",
						 "lastModifiedDate:2031-01-01\n"),
			  CLAIR_INVALID, "a .meta of another feed");
	recorder_clear(&recorder);
}

/* A patch: its records belong to the feeds of their years. */
static void
check_patch(void)
{
	Recorder recorder = {.state = "2004 2004-03-10"};

	CHECK_INT(read_named(&recorder, "modified", BASE "modified.json.gz",
						 "{\"vulnerabilities\":[{\"cve\":{\"id\":\"CVE-1999-0001\"}},"
						 "{\"cve\":{\"id\":\"CVE-2003-0001\",\"published\":\"soon\"}},"
						 "{\"cve\":{\"id\":\"CVE-2005-0001\"}}]}"),
			  CLAIR_OK, "a patch");
	CHECK_ROW(&recorder, "record|nvdcve-2.0-2002|CVE-1999-0001|*",
			  "the first feed has all before it");
	CHECK_ROW(&recorder, "record|nvdcve-2.0-2003|CVE-2003-0001|*", "a year");
	CHECK_ROW(&recorder, "record|nvdcve-2.0-2005|CVE-2005-0001|*", "a year that is new");
	CHECK_ROW(&recorder, "broken|nvdcve-2.0-2003|CVE-2003-0001|\"soon\" is no time",
			  "what is broken, too");
	CHECK_INT(read_named(&recorder, "modified", "https://example.org/elsewhere", "{}"),
			  CLAIR_INVALID, "a patch from elsewhere");
	recorder_clear(&recorder);
}

static void
check_listing(const char *names, int count, const char *row)
{
	Recorder recorder = {0};
	char text[512];

	snprintf(text, sizeof(text), "clair directory listing\n%s", names);
	CHECK_INT(read_named(&recorder, "index", "file:///srv/nvd/", text), CLAIR_OK, names);
	CHECK_INT(recorder.counts[WIRE_FURTHER], count, "documents are named");
	CHECK_ROW(&recorder, row, "such as");
	recorder_clear(&recorder);
}

static void
check_listings(void)
{
	check_listing("nvdcve-2.0-2030.json.gz\nnvdcve-1.1-2030.json\nnvdcve-2.0-2031.json\n"
				  "nvdcve-2.0-modified.json.gz\nREADME\n",
				  2, "further|index|nvdcve-2.0-2030|nvdcve-2.0-2030.json.gz|0|plain");
	check_listing("nvdcve-1.1-2030.json.xz\n", 1,
				  "further|index|nvdcve-1.1-2030|nvdcve-1.1-2030.json.xz|0|plain");
	check_listing("all.json.zst\nREADME\nmodified.meta\n", 1,
				  "further|index|all|all.json.zst|0|plain");
}

static void
check_file(const char *path, ClairStatus expected, int64_t records)
{
	Recorder recorder = {0};
	UpdaterDocument document;

	if (path == NULL)
		return;
	document = feed_file("index", path);
	CHECK_INT(feed_read("nvd", &document, 1, &recorder), expected, path);
	if (expected == CLAIR_OK)
		CHECK_INT(recorder.counts[WIRE_RECORD], records, "records");
	else
		printf("# %s\n", recorder.error.message);
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_forms();
	check_metrics();
	check_broken_records();
	check_documents();
	check_metas();
	check_broken_metas();
	check_patch();
	check_listings();
	check_file(unit_data("feeds/nvd/nvdcve-2.0-modified-derived.json.gz"), CLAIR_OK, 567);
	check_file(unit_data("feeds/nvd/nvdcve-1.1-modified.json.gz"), CLAIR_OK, 567);
	check_file(unit_data("feeds/nvd/clair2/nvd_test_incorrect_format.json"), CLAIR_INVALID, 0);
	check_file(unit_data("hostile/feed/number-huge.json"), CLAIR_OK, 0);
	check_file(unit_data("hostile/feed/html-instead.json"), CLAIR_INVALID, 0);
	check_file(unit_data("hostile/feed/empty.json"), CLAIR_INVALID, 0);
	check_file(unit_data("hostile/feed/deep.json.gz"), CLAIR_INVALID, 0);
	check_file(unit_data("hostile/feed/bomb-256m.json.gz"), CLAIR_LIMIT, 0);
	return unit_result();
}
