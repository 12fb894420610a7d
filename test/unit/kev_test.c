/*
 * kev_test.c
 *    Proves that CISA's catalog becomes the rows that it means, that broken entries are told and a
 *    broken document is refused; and what is taken for the name of a CVE.
 */
#include "feed/cve.h"
#include "feed_sink.h"

/* A catalog with one entry, of a CVE and these further members. */
#define ENTRY(members)                                                                             \
	"{\"vulnerabilities\":[{\"cveID\":\"CVE-2031-0001\",\"dateAdded\":\"2031-02-03\"" members "}]" \
	"}"

static ClairStatus
read_text(Recorder *recorder, const char *text)
{
	UpdaterDocument document = feed_text("json", "https://example.org/kev.json", text);

	recorder_clear(recorder);
	return feed_read("kev", &document, 1, recorder);
}

static void
check_names(void)
{
	static const char *const names[] = {"CVE-1999-0001", "CVE-2031-10001",
										"CVE-2031-1234567890123456789"};
	static const char *const others[] = {"",
										 "CVE-2031-001",
										 "CVE-2031-12345678901234567890",
										 "cve-2031-0001",
										 "CVE-2031-0001 ",
										 "CVE-2031_0001",
										 "CVE-203-00001",
										 "CVE-2031-00x1",
										 "GHSA-2031-0001"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK(cve_is_name(clair_bytes(names[i])), names[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CHECK(!cve_is_name(clair_bytes(others[i])), others[i]);
	CHECK(!cve_is_name(CLAIR_NULL_BYTES), "no value");
}

static void
check_entry(const char *text, const char *row)
{
	Recorder recorder = {0};

	CHECK_INT(read_text(&recorder, text), CLAIR_OK, text);
	CHECK_ROW(&recorder, "record|json|CVE-2031-0001|*", "the record");
	CHECK_ROW(&recorder, row, "the row");
	CHECK_INT(recorder.counts[WIRE_KEV], row[0] == 'k', "an entry, unless it is broken");
	CHECK_INT(recorder.counts[WIRE_BROKEN], row[0] != 'k', "nothing else is broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

static void
check_entries(void)
{
	check_entry(ENTRY(",\"dueDate\":\"2031-03-04\",\"knownRansomwareCampaignUse\":\"Known\","
					  "\"vendorProject\":\"V\",\"product\":\"P\",\"vulnerabilityName\":\"N\","
					  "\"requiredAction\":\"R\",\"notes\":\"O\",\"cwes\":[]"),
				"kev|CVE-2031-0001|2031-02-03|2031-03-04|1|V|P|N|R|O");
	check_entry(ENTRY(",\"knownRansomwareCampaignUse\":\"Unknown\",\"dueDate\":\"\""),
				"kev|CVE-2031-0001|2031-02-03|-|0");
	check_entry(ENTRY(",\"dueDate\":null,\"product\":null"), "kev|CVE-2031-0001|2031-02-03|-|0");
	check_entry(ENTRY(",\"dueDate\":\"soon\""),
				"broken|json|CVE-2031-0001|the day on which it is due is none");
	check_entry(ENTRY(",\"dateAdded\":\"2031-02-30\""),
				"broken|json|CVE-2031-0001|the day on which it was added is missing or none");
	check_entry("{\"vulnerabilities\":[{\"cveID\":\"CVE-2031-0001\"}]}",
				"broken|json|CVE-2031-0001|the day on which it was added is missing or none");
	check_entry(ENTRY(",\"product\":7"), "broken|json|CVE-2031-0001|it is not a string");
	check_entry(ENTRY(",\"notes\":\"\\ud800\""),
				"broken|json|CVE-2031-0001|half a surrogate pair stands in a string");
}

static void
check_broken(void)
{
	Recorder recorder = {0};

	CHECK_INT(read_text(&recorder, "{\"count\":4,\"vulnerabilities\":[7,{},{\"cveID\":\"CVE-1-1\"},"
								   "{\"cveID\":[]},{\"cveID\":\"CVE-2031-0001\",\"dateAdded\":"
								   "\"2031-01-01\"}]}"),
			  CLAIR_OK, "entries that are none");
	CHECK_ROW(&recorder, "broken|json||element 1: it is not an object", "a number");
	CHECK_ROW(&recorder, "broken|json||element 2: it does not say which CVE it is about",
			  "nothing");
	CHECK_ROW(&recorder, "broken|json|CVE-1-1|element 3: it is about something that is no CVE",
			  "no CVE");
	CHECK_ROW(&recorder, "broken|json||element 4: it is not a string", "an array");
	CHECK_INT(recorder.counts[WIRE_KEV], 1, "what is right beside them is kept");
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
	check_refused("", "document \"json\": the document is empty");
	check_refused("{\"count\":0}", "document \"json\": the document has no \"vulnerabilities\"");
	check_refused("{\"vulnerabilities\":[{\"cveID\":\"CVE-2031-0001\",\"dateAdded\":tru}]}",
				  "document \"json\": element 1: byte 57: there is no such value");
	check_refused("{\"vulnerabilities\":[{\"cveID\":tru}]}",
				  "document \"json\": element 1: byte 29: there is no such value");
	check_refused("{\"a\":{]},\"vulnerabilities\":[]}",
				  "document \"json\": record \"a\": byte 6: a string is missing");
	check_refused("{\"vulnerabilities\":[{\"cveID\":\"CVE-2031-0001\"},"
				  "{\"cveID\":\"CVE-2031-0001\"}]}",
				  "document \"json\": record \"CVE-2031-0001\" is there twice");
}

static void
check_file(const char *path, ClairStatus expected, int64_t entries, int64_t broken)
{
	Recorder recorder = {0};
	UpdaterDocument document;

	if (path == NULL)
		return;
	document = feed_file("json", path);
	CHECK_INT(feed_read("kev", &document, 1, &recorder), expected, path);
	if (expected == CLAIR_OK)
	{
		CHECK_INT(recorder.counts[WIRE_RECORD], entries, "records");
		CHECK_INT(recorder.counts[WIRE_KEV], entries, "entries");
		CHECK_INT(recorder.counts[WIRE_BROKEN], broken, "broken");
	}
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_names();
	check_entries();
	check_broken();
	check_documents();
	check_file("test/fixtures/kev/catalog.json", CLAIR_OK, 3, 0);
	check_file(unit_data("feeds/kev/known_exploited_vulnerabilities.json.gz"), CLAIR_OK, 1404, 0);
	check_file(unit_data("hostile/feed/kev-truncated.json"), CLAIR_INVALID, 0, 0);
	check_file(unit_data("hostile/feed/html-instead.json"), CLAIR_INVALID, 0, 0);
	check_file(unit_data("hostile/feed/deep.json.gz"), CLAIR_INVALID, 0, 0);
	return unit_result();
}
