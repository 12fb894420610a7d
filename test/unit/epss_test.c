/*
 * epss_test.c
 *    Proves that EPSS's document becomes its scores, that broken lines are told and left out, and
 *    that what is no such document, or says two things of a CVE, is refused.
 */
#include "feed_sink.h"

#define HEADING "cve,epss,percentile\n"

static ClairStatus
read_text(Recorder *recorder, const char *text)
{
	UpdaterDocument document = feed_text("csv", "https://example.org/epss.csv", text);

	recorder_clear(recorder);
	return feed_read("epss", &document, 1, recorder);
}

/* A document of one line behind the heading; the row that it becomes, or why it is broken. */
static void
check_line(const char *line, const char *row)
{
	Recorder recorder = {0};
	char text[256];

	snprintf(text, sizeof(text), HEADING "%s\n", line);
	CHECK_INT(read_text(&recorder, text), CLAIR_OK, line);
	CHECK_ROW(&recorder, row, "its row");
	CHECK_INT(recorder.counts[WIRE_EPSS], row[0] == 'e', "scores");
	CHECK_INT(recorder.counts[WIRE_BROKEN], row[0] == 'b', "broken");
	CHECK_ROW(&recorder, "epss_edition|csv", "the edition, of which nothing is known");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

static void
check_lines(void)
{
#define BROKEN	   "broken|csv|CVE-2031-0001|line 2: "
#define NOT_NUMBER BROKEN "a score is no number from 0 to 1"
	check_line("CVE-2031-0001,0.00123,0.45678", "epss|CVE-2031-0001|0.00123|0.45678");
	check_line("\"CVE-2031-0001\",\"1\",\"0\"\r", "epss|CVE-2031-0001|1|0");
	check_line("CVE-2031-0001,9.5e-05,1E-400", "epss|CVE-2031-0001|0.000095000000|0.000000000000");
	check_line("CVE-2031-0001,abc,0.9", NOT_NUMBER);
	check_line("CVE-2031-0001,0.1,", NOT_NUMBER);
	check_line("CVE-2031-0001,-1,0.9", NOT_NUMBER);
	check_line("CVE-2031-0001,0.1,2", NOT_NUMBER);
	check_line("CVE-2031-0001,nan,0.9", NOT_NUMBER);
	check_line("CVE-2031-0001,0.1,inf", NOT_NUMBER);
	check_line("CVE-2031-0001,0x1,0.9", NOT_NUMBER);
	check_line("CVE-2031-0001,1e999,0.9", NOT_NUMBER);
	check_line("CVE-2031-0001,0.1.1,0.9", NOT_NUMBER);
	check_line("CVE-2031-0001, 0.1,0.9", NOT_NUMBER);
	check_line("CVE-2031-0001,0.00000000000000000000000000000001,0.9", NOT_NUMBER);
	check_line("CVE-2031-0001", BROKEN "it has too few fields");
	check_line("NOT-A-CVE,0.1,0.1",
			   "broken|csv|NOT-A-CVE|line 2: it is about something that is no CVE");
	check_line("CVE-2031-0001,0.1,0.2,extra", "broken|csv||line 2: *");
}

static void
check_editions(void)
{
	Recorder recorder = {0};

	CHECK_INT(read_text(&recorder,
						"#model_version:v2031.01.01,score_date:2031-01-02T00:00:00+0000\n"
						"#another comment\n" HEADING "CVE-2031-0002,0.2,0.3\n\n"
						"CVE-2031-0001,0.1,0.2"),
			  CLAIR_OK, "a document with its edition");
	CHECK_ROW(&recorder, "epss_edition|csv|v2031.01.01|2031-01-02T00:00:00.000Z", "the edition");
	CHECK_INT(recorder.counts[WIRE_EPSS], 2, "in whatever order");
	CHECK_INT(recorder.counts[WIRE_RECORD], 0, "there are no records");
	CHECK_INT(read_text(&recorder, "#model_version:v1,score_date:not a date\n" HEADING), CLAIR_OK,
			  "a date that is none");
	CHECK_ROW(&recorder, "broken|csv||line 1: the date of the scores is none", "is told");
	CHECK_ROW(&recorder, "epss_edition|csv|v1", "and left out");
	CHECK_INT(read_text(&recorder, "cve,epss\nCVE-2031-0001,0.1\n"), CLAIR_OK,
			  "without percentiles");
	CHECK_ROW(&recorder, "epss|CVE-2031-0001|0.1", "they have no value");
	CHECK_INT(read_text(&recorder, "CVE-2031-0001,0.1,0.2\n"), CLAIR_OK, "without a heading");
	CHECK_ROW(&recorder, "epss|CVE-2031-0001|0.1|0.2", "the first line is one of scores");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

static void
check_refused(const char *text, const char *message)
{
	Recorder recorder = {0};

	CHECK_INT(read_text(&recorder, text), CLAIR_INVALID, text);
	CHECK_TEXT(clair_bytes(recorder.error.message), message, "says where and why");
	recorder_clear(&recorder);
}

static void
check_documents(void)
{
#define NO_HEADING "there is no heading \"cve,epss,percentile\""
	check_refused("", "document \"csv\": the document is empty");
	check_refused("# nothing\n", "document \"csv\": the document is empty");
	check_refused("<html>\n", "document \"csv\": line 1: " NO_HEADING);
	check_refused("# a\ninvalid,header,format\nCVE-2031-0001,0.1,0.2\n",
				  "document \"csv\": line 2: " NO_HEADING);
	check_refused("cve,score,percentile\n", "document \"csv\": line 1: " NO_HEADING);
	check_refused(HEADING "CVE-2031-0001,0.1,0.2\nCVE-2031-0002,0.1,0.2\nCVE-2031-0001,0.1,0.2\n",
				  "document \"csv\": \"CVE-2031-0001\" is there twice");
	check_refused(HEADING "CVE-2031-0001,0.1,0.2\nCVE-2031-0001,0.1,0.2\n",
				  "document \"csv\": \"CVE-2031-0001\" is there twice");
}

static void
check_file(const char *path, ClairStatus expected, int64_t scores, int64_t broken)
{
	Recorder recorder = {0};
	UpdaterDocument document;

	if (path == NULL)
		return;
	document = feed_file("csv", path);
	CHECK_INT(feed_read("epss", &document, 1, &recorder), expected, path);
	if (expected == CLAIR_OK)
	{
		CHECK_INT(recorder.counts[WIRE_EPSS], scores, "scores");
		CHECK_INT(recorder.counts[WIRE_BROKEN], broken, "broken");
	}
	if (strstr(path, "epss-bad") != NULL)
	{
		CHECK_ROW(&recorder, "epss|CVE-2020-0001|0.5|0.9", "the first good line");
		CHECK_ROW(&recorder, "epss|CVE-2020-0006|0.00010|0.00020", "the other one");
	}
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_lines();
	check_editions();
	check_documents();
	check_file("test/fixtures/epss/scores.csv", CLAIR_OK, 4, 0);
	check_file(unit_data("feeds/epss/epss_scores-current.csv.gz"), CLAIR_OK, 360142, 0);
	check_file(unit_data("feeds/epss/vunnel/missing-date.csv"), CLAIR_OK, 5, 0);
	check_file(unit_data("feeds/epss/vunnel/invalid-header.csv"), CLAIR_INVALID, 0, 0);
	check_file(unit_data("hostile/feed/epss-bad.csv"), CLAIR_OK, 2, 7);
	check_file(unit_data("hostile/feed/html-instead.json"), CLAIR_INVALID, 0, 0);
	check_file(unit_data("hostile/feed/deep.json.gz"), CLAIR_INVALID, 0, 0);
	check_file(unit_data("hostile/feed/bomb-256m.json.gz"), CLAIR_LIMIT, 0, 0);
	return unit_result();
}
