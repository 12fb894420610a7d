/*
 * redhat_test.c
 *    Proves what Red Hat's documents become: archive, changes and deletions the right records, and
 *    each record the ranges that it means; and where a run goes on, or begins again.
 */
#include "feed_sink.h"
#include "tar_writer.h"

#define FIXTURES "test/fixtures/redhat/"
#define OFFICIAL "https://security.access.redhat.com/data/csaf/v2/vex-feed/"
#define ARCHIVE	 "https://x/csaf_vex_2031-02-03.tar"

/* Times in milliseconds: 2031-02-02T00:00Z, 2031-02-03T00:00Z, ... */
#define FEBRUARY_2 "1927756800000"
#define FEBRUARY_3 "1927843200000"
#define FEBRUARY_4 "1927929600000"

/* A document of CSAF without any product. */
#define EMPTY "{\"document\":{\"tracking\":{\"id\":\"x\"}}}"

static UpdaterDocument
tar_document(TarWriter *tar)
{
	UpdaterDocument document = {CLAIR_LITERAL("archive"), CLAIR_LITERAL(ARCHIVE),
								memory_file(tar_end(tar))};

	tar_free(tar);
	return document;
}

static ClairStatus
read_one(Recorder *recorder, UpdaterDocument document, const char *state)
{
	recorder_clear(recorder);
	recorder->state = state;
	return feed_read("redhat", &document, 1, recorder);
}

static void
check_latest(void)
{
	Recorder recorder = {0};

	CHECK_INT(read_one(&recorder,
					   feed_text("latest", OFFICIAL "archive_latest.txt",
								 "csaf_vex_2031-02-01.tar.zst\n"),
					   NULL),
			  CLAIR_OK, "the first document");
	CHECK_ROW(&recorder, "further|latest|archive|csaf_vex_2031-02-01.tar.zst|0|keep", "names one");
	CHECK_ROW(&recorder, "further|latest|changes|changes.csv|0|plain", "the changes");
	CHECK_ROW(&recorder, "further|latest|deletions|deletions.csv|0|plain", "the deletions");
	CHECK_ROW(&recorder,
			  "further|latest|repositories|https://security.access.redhat.com/data/metrics/"
			  "repository-to-cpe.json|0|plain",
			  "the repositories");
	CHECK_INT(recorder.counts[WIRE_STATE], 0, "and says no state");

	read_one(&recorder, feed_text("latest", "file:///srv/redhat/archive_latest.txt", "2031-02-01"),
			 NULL);
	CHECK_ROW(&recorder, "further|latest|archive|2031-02-01|0|keep", "of a copy");
	CHECK_ROW(&recorder, "further|latest|changes|changes.csv|1|plain", "may have no changes");
	CHECK_ROW(&recorder, "further|latest|repositories|repository-to-cpe.json|1|plain",
			  "has its own repositories");

	CHECK_INT(read_one(&recorder, feed_text("latest", OFFICIAL, "<html>2031-02-01</html>"), NULL),
			  CLAIR_INVALID, "something else");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"latest\": \"<html>2031-02-01</html>\" is not the name of an archive",
			   "why");
	CHECK_INT(read_one(&recorder, feed_text("latest", OFFICIAL, "../2031-02-01.tar"), NULL),
			  CLAIR_INVALID, "a name with a folder");
	CHECK_INT(read_one(&recorder, feed_text("latest", OFFICIAL, "csaf_vex.tar"), NULL),
			  CLAIR_INVALID, "a name without a day");
	recorder_clear(&recorder);
}

/* Whether a run that is at a state goes on, when there is a newer archive. */
static void
check_track(const char *state, const char *archive, bool goes_on, const char *what)
{
	Recorder recorder = {0};

	read_one(&recorder, feed_text("latest", "file:///srv/redhat/archive_latest.txt", archive),
			 state);
	CHECK_INT(recorder.counts[WIRE_FURTHER], goes_on ? 4 : 0, what);
	CHECK(recorder_has(&recorder, "state") != goes_on, "and says so");
	recorder_clear(&recorder);
}

static void
check_first_run(void)
{
	TarWriter tar = {0};
	UpdaterDocument documents[3];
	Recorder recorder = {0};

	tar_directory(&tar, "2031/");
	tar_file(&tar, "2031/cve-2031-0001.json", EMPTY);
	tar_file(&tar, "2031/cve-2031-0002.json", EMPTY);
	tar_file(&tar, "2031/cve-2031-0003.json", EMPTY);
	tar_file(&tar, "2031/cve-2031-0004.json", EMPTY);
	tar_file(&tar, "2031/cve-2031-0005.json", EMPTY);
	tar_file(&tar, "2031/rhsa-2031_0001.json", "not this");
	documents[0] = tar_document(&tar);
	documents[1] = feed_text("changes", "https://x/changes.csv",
							 "\"2031/cve-2031-0002.json\",\"2031-02-04T10:00:00+00:00\"\n"
							 "\"2031/cve-2031-0004.json\",\"2031-02-03T10:00:00+00:00\"\n"
							 "\"2031/cve-2031-0006.json\",\"2031-02-03T09:00:00+00:00\"\n"
							 "\"2031/cve-2031-0003.json\",\"2031-02-02T01:00:00+02:00\"\n"
							 "\"2031/../cve-2031-0007.json\",\"2031-02-03T09:00:00+00:00\"\n"
							 "\"index.txt\",\"2031-02-03T09:00:00+00:00\"\n");
	documents[2] = feed_text("deletions", "https://x/deletions.csv",
							 "\"2031/cve-2031-0005.json\",\"2031-02-04T00:00:00Z\"\n"
							 "\"2031/cve-2031-0004.json\",\"2031-02-03T11:00:00Z\"\n"
							 "\"2031/cve-2031-0006.json\",\"2031-02-03T08:00:00Z\"\n"
							 "\"2031/cve-2031-0003.json\",\"2031-01-03T08:00:00Z\"\n");
	CHECK_INT(feed_read("redhat", documents, 3, &recorder), CLAIR_OK, "the first run");
	CHECK_ROW(&recorder, "record|archive|CVE-2031-0001|*", "what the archive has");
	CHECK_ROW(&recorder, "record|archive|CVE-2031-0003|*", "and was changed before");
	CHECK_INT(recorder.counts[WIRE_RECORD], 2, "but nothing that has changed or gone since");
	CHECK_ROW(&recorder, "further|changes|2031/cve-2031-0002.json|2031/cve-2031-0002.json|1|patch",
			  "which is fetched");
	CHECK_ROW(&recorder, "further|changes|2031/cve-2031-0006.json|*",
			  "also when it was gone before");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 2, "but not what has gone after it had changed");
	CHECK_INT(recorder.counts[WIRE_GONE], 0, "nothing is gone that was not there");
	CHECK_ROW(&recorder, "state|csaf_vex_2031-02-03.tar 1927965600000 " FEBRUARY_4,
			  "how far it is");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

static void
check_later_runs(void)
{
	static const char state[] = "a_2031-01-01.tar " FEBRUARY_3 " " FEBRUARY_3;
	UpdaterDocument documents[2] = {
		feed_text("changes", "https://x/changes.csv",
				  "\"2031/cve-2031-0002.json\",\"2031-02-04T00:00:00Z\"\n"
				  "\"2031/cve-2031-0003.json\",\"2031-02-03T00:00:00Z\"\n"
				  "\"2031/cve-2031-0004.json\",\"2031-02-02T23:59:59Z\"\n"),
		feed_text("deletions", "https://x/deletions.csv",
				  "\"2031/cve-2031-0005.json\",\"2031-02-03T00:00:01Z\"\n"
				  "\"2031/cve-2031-0006.json\",\"2031-02-03T00:00:00Z\"\n"
				  "\"2031/cve-2031-0002.json\",\"2031-02-03T12:00:00Z\"\n")};
	Recorder recorder = {.state = state};

	CHECK_INT(feed_read("redhat", documents, 2, &recorder), CLAIR_OK, "a later run");
	CHECK_ROW(&recorder, "further|changes|2031/cve-2031-0002.json|*", "what has changed");
	CHECK_ROW(&recorder, "further|changes|2031/cve-2031-0003.json|*", "or may have, at that time");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 2, "is fetched");
	CHECK_ROW(&recorder, "gone|CVE-2031-0005", "what has gone");
	CHECK_INT(recorder.counts[WIRE_GONE], 1, "is told");
	CHECK_ROW(&recorder, "state|a_2031-01-01.tar " FEBRUARY_4 " 1927886400000", "how far it is");

	read_one(&recorder,
			 feed_text("deletions", "https://x/deletions.csv",
					   "\"2031/cve-2031-0005.json\",\"2031-02-04T00:00:00Z\"\n"),
			 state);
	CHECK_ROW(&recorder, "state|a_2031-01-01.tar " FEBRUARY_3 " " FEBRUARY_4, "of one list alone");
	CHECK_INT(read_one(&recorder, feed_text("changes", "https://x/changes.csv", "<html>\n"), state),
			  CLAIR_INVALID, "another file");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"changes\": line 1: it is not a path and a time", "is told");
	CHECK_INT(read_one(&recorder,
					   feed_text("changes", "https://x/changes.csv", "\"a\",\"2031-02-30\"\n"),
					   state),
			  CLAIR_INVALID, "a day that is none");
	recorder_clear(&recorder);
}

/* More changes than are worth being fetched one by one. */
static void
check_gap(int changes, bool goes_on)
{
	Recorder recorder = {0};
	char *text = malloc((size_t) changes * 64 + 1);
	size_t size = 0;

	text[0] = '\0';
	for (int i = 0; i < changes; i++)
		size += (size_t) sprintf(text + size,
								 "\"2031/cve-2031-%04d.json\",\"2031-02-04T00:00:00Z\"\n", i);
	CHECK_INT(read_one(&recorder, feed_text("changes", "https://x/changes.csv", text),
					   "a_2031-01-01.tar " FEBRUARY_3 " -"),
			  CLAIR_OK, "many changes");
	CHECK_INT(recorder.counts[WIRE_FURTHER], goes_on ? changes : 0, "are fetched, or not");
	CHECK(recorder_has(&recorder, "state") != goes_on, "and the run begins again, or not");
	recorder_clear(&recorder);
	free(text);
}

static void
check_ranges(const char *fixture, const char *key, const char *const *rows, size_t count)
{
	Recorder recorder = {0};
	char path[256];
	char name[128];

	snprintf(path, sizeof(path), FIXTURES "%s", fixture);
	CHECK_INT(read_one(&recorder, feed_file(fixture, path), NULL), CLAIR_OK, fixture);
	snprintf(name, sizeof(name), "record|archive|%s|*", key);
	CHECK_ROW(&recorder, name, "the record is the archive's");
	for (size_t i = 0; i < count; i++)
	{
		char row[1024];

		snprintf(row, sizeof(row), "affected|%s|%s|%zu|%s", key, key, i, rows[i]);
		CHECK_ROW(&recorder, row, "a range");
	}
	CHECK_INT(recorder.counts[WIRE_AFFECTED], (int64_t) count, "and no others");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	if (strcmp(key, "CVE-2031-0100") == 0)
		CHECK_ROW(&recorder, "vulnerability|CVE-2031-0100|CVE-2031-0100|*", "the vulnerability");
	if (strcmp(key, "CVE-2031-0200") == 0)
		CHECK_ROW(&recorder,
				  "broken|archive|CVE-2031-0200|product \"AppStream-8.10.0.Z.MAIN.EUS:"
				  "nodejs-flat-1:1-1.el8.x86_64::rhel8\": its module has no stream",
				  "a product that is broken");
	recorder_clear(&recorder);
}

#define CHECK_RANGES(fixture, key, rows)                                                           \
	check_ranges(fixture, key, rows, sizeof(rows) / sizeof(rows[0]))

static void
check_documents(void)
{
	static const char *const packages[] = {
		"rhel:10|binary|quux|rpm|-|-|under_investigation|Medium|-||-|"
		"cpe:/o:redhat:enterprise_linux:10 rhel:10",
		/* the source stands for its binary packages */
		"rhel:8|source|quux|rpm|-|-|will_not_fix|Medium|-||-|"
		"cpe:/o:redhat:enterprise_linux:8 rhel:8",
		/* not fixed in 9, and fixed in a part of 9: the fix counts */
		"rhel:9|binary|quux|rpm|-|0:1.2-2.el9_2.1|fixed|High|x86_64||-|"
		"cpe:/a:redhat:rhel_eus:9.2::appstream|RHSA-2031:0008",
		"rhel:9|binary|quux|rpm|-|0:1.2-3.el9_5|fixed|Medium|aarch64 x86_64||-|"
		"cpe:/a:redhat:enterprise_linux:9::appstream cpe:/o:redhat:enterprise_linux:9::baseos "
		"rhel:9|RHSA-2031:0007",
		"rhel:9|binary|quux|rpm|0:1.2^|0:2.0-1.el9_6|fixed|Medium|aarch64 x86_64||-|"
		"cpe:/a:redhat:enterprise_linux:9::appstream rhel:9|RHSA-2031:0042",
		"rhel:9|binary|quux-doc|rpm|-|0:1.2-3.el9_5|fixed|Medium|-||-|"
		"cpe:/a:redhat:enterprise_linux:9::appstream rhel:9|RHSA-2031:0007",
		"rhel:9|binary|qux-quux|rpm|-|1:7-1.el9qux|fixed|Medium|x86_64||-|"
		"cpe:/a:redhat:qux:1::el9|RHSA-2031:0009"};
	static const char *const modules[] = {
		/* two builds for one advisory: the lower one is fixed, too */
		"rhel:8|binary|nodejs|rpm|-|1:18.12-9.module+el8.6.0+400+dddddddd|fixed|Critical|x86_64|"
		"nodejs:18|-|cpe:/a:redhat:rhel_aus:8.6::appstream|RHSA-2031:0022",
		"rhel:8|binary|nodejs|rpm|-|1:18.20-2.module+el8.10.0+500+aaaaaaaa|fixed|Critical|x86_64|"
		"nodejs:18|-|cpe:/a:redhat:enterprise_linux:8::appstream rhel:8|RHSA-2031:0020",
		"rhel:8|binary|nodejs|rpm|-|1:20.11-1.module+el8.10.0+501+cccccccc|fixed|Critical|x86_64|"
		"nodejs:20|-|cpe:/a:redhat:enterprise_linux:8::appstream rhel:8|RHSA-2031:0021",
		/* a fix in one stream is none in another */
		"rhel:8|source|nodejs|rpm|-|-|end_of_life|Critical|-|nodejs:16|-|"
		"cpe:/o:redhat:enterprise_linux:8 rhel:8"};
	static const char *const kernel[] = {
		"rhel:8|binary|kernel|rpm|-|0:4.18.0-553.el8_10|fixed|Low|x86_64||-|"
		"cpe:/o:redhat:enterprise_linux:8::baseos rhel:8|RHSA-2031:0030",
		"rhel:8|binary|kernel-core|rpm|-|0:4.18.0-553.el8_10|fixed|Low|x86_64||-|"
		"cpe:/o:redhat:enterprise_linux:8::baseos rhel:8|RHSA-2031:0030",
		"rhel:8|binary|kernel-modules|rpm|-|0:4.18.0-553.el8_10|fixed|Low|x86_64||-|"
		"cpe:/o:redhat:enterprise_linux:8::baseos rhel:8|RHSA-2031:0030",
		"rhel:8|binary|perf|rpm|-|0:4.18.0-553.el8_10|fixed|Low|x86_64||-|"
		"cpe:/o:redhat:enterprise_linux:8::baseos rhel:8|RHSA-2031:0030",
		"rhel:9|binary|kernel|rpm|-|-|deferred|Negligible|-||-|"
		"cpe:/o:redhat:enterprise_linux:9 rhel:9",
		"rhel:9|binary|kernel-core|rpm|-|-|deferred|Negligible|-||-|"
		"cpe:/o:redhat:enterprise_linux:9 rhel:9"};

	CHECK_RANGES("2031/cve-2031-0100.json", "CVE-2031-0100", packages);
	CHECK_RANGES("2031/cve-2031-0200.json", "CVE-2031-0200", modules);
	CHECK_RANGES("2031/cve-2031-0300.json", "CVE-2031-0300", kernel);
}

/* A module as older documents have it: a relationship of a relationship. */
static void
check_nested(void)
{
	Recorder recorder = {0};

	CHECK_INT(
		read_one(
			&recorder,
			feed_text("2031/cve-2031-0001.json", "https://x/",
					  "{\"document\":{\"tracking\":{\"id\":\"CVE-2031-0001\"}},\"product_tree\":{"
					  "\"full_product_names\":["
					  "{\"product_id\":\"A\",\"product_identification_helper\":{\"cpe\":"
					  "\"cpe:/a:redhat:enterprise_linux:8::appstream\"}},"
					  "{\"product_id\":\"M\",\"product_identification_helper\":{\"purl\":"
					  "\"pkg:rpmmod/redhat/ruby@2.5:8090:b46abd14\"}},"
					  "{\"product_id\":\"R\",\"product_identification_helper\":{\"purl\":"
					  "\"pkg:rpm/redhat/ruby@2.5.9-1.module%2Bel8?arch=s390x&epoch=1\"}}],"
					  "\"relationships\":["
					  "{\"product_reference\":\"M\",\"relates_to_product_reference\":\"A\","
					  "\"full_product_name\":{\"product_id\":\"A:M\"}},"
					  "{\"product_reference\":\"R\",\"relates_to_product_reference\":\"A:M\","
					  "\"full_product_name\":{\"product_id\":\"A:M:R\"}},"
					  "{\"product_reference\":\"L\",\"relates_to_product_reference\":\"L\","
					  "\"full_product_name\":{\"product_id\":\"L\"}}]},"
					  "\"vulnerabilities\":[{\"cve\":\"CVE-2031-0001\","
					  "\"product_status\":{\"fixed\":[\"A:M:R\",\"A\",\"L\",\"nothing\"]}},"
					  "{\"cve\":\"x\"}]}"),
			NULL),
		CLAIR_OK, "a nested module");
	CHECK_ROW(&recorder,
			  "affected|CVE-2031-0001|CVE-2031-0001|0|rhel:8|binary|ruby|rpm|-|"
			  "1:2.5.9-1.module+el8|fixed|Unknown|s390x|ruby:2.5|-|"
			  "cpe:/a:redhat:enterprise_linux:8::appstream rhel:8",
			  "is found");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "a relationship with itself is nothing");
	CHECK_ROW(&recorder,
			  "broken|archive|CVE-2031-0001|the name of a vulnerability is missing, or none of a "
			  "CVE",
			  "a vulnerability without a name");

	CHECK_INT(read_one(&recorder, feed_text("2031/cve-2031-0001.json", "https://x/", "<html>"),
					   NULL),
			  CLAIR_OK, "a document that is none");
	CHECK_INT(recorder.counts[WIRE_RECORD], 1, "is a record");
	CHECK_ROW(&recorder, "broken|archive|CVE-2031-0001|byte 0: *", "and broken");
	CHECK_INT(read_one(&recorder, feed_text("other", "https://x/", EMPTY), NULL), CLAIR_INVALID,
			  "there is no other document");
	recorder_clear(&recorder);
}

/* Files that are made to do harm, in place of a document: broken records, or errors. */
static void
check_hostile(void)
{
	static const char *const broken[] = {"html-instead.json", "deep.json.gz",
										 "empty.json",		  "lone-surrogate.json",
										 "number-huge.json",  "debian-trailing.json"};
	Recorder recorder = {0};
	char name[64];
	const char *path;

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
	{
		snprintf(name, sizeof(name), "hostile/feed/%s", broken[i]);
		path = unit_data(name);
		if (path == NULL)
			return;
		CHECK_INT(read_one(&recorder, feed_file("2031/cve-2031-0001.json", path), NULL), CLAIR_OK,
				  broken[i]);
		CHECK_ROW(&recorder, "broken|archive|CVE-2031-0001|*", "is told as broken");
		CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 0, "and says nothing");
	}
	CHECK_INT(read_one(&recorder,
					   feed_file("2031/cve-2031-0001.json",
								 unit_data("hostile/feed/bomb-256m.json.gz")),
					   NULL),
			  CLAIR_LIMIT, "a bomb");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"2031/cve-2031-0001.json\": the record is too large", "reaches a limit");
	recorder_clear(&recorder);
}

static void
check_deleted(void)
{
	Recorder recorder = {0};

	read_one(&recorder,
			 feed_text("2031/cve-2031-0001.json", "https://x/",
					   "{\"document\":{\"tracking\":{\"id\":\"CVE-2031-0001\",\"status\":"
					   "\"deleted\"}},\"vulnerabilities\":[{\"cve\":\"x\"}]}"),
			 NULL);
	CHECK_INT(recorder.counts[WIRE_RECORD], 1, "a withdrawn document");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY] + recorder.counts[WIRE_BROKEN], 0,
			  "says nothing");
	recorder_clear(&recorder);
}

static void
check_repositories(void)
{
	Recorder recorder = {0};

	CHECK_INT(read_one(&recorder, feed_file("repositories", FIXTURES "repository-to-cpe.json"),
					   NULL),
			  CLAIR_OK, "the list of repositories");
	CHECK_ROW(&recorder, "record|repositories|repositories|*", "is a record");
	CHECK_INT(recorder.counts[WIRE_REPOSITORY], 5, "with its rows");
	CHECK_ROW(&recorder,
			  "repository|rhel-9-for-x86_64-appstream-eus-rpms__9_DOT_2|"
			  "cpe:/a:redhat:rhel_eus:9.2::appstream",
			  "such as this");
	CHECK_INT(read_one(&recorder, feed_text("repositories", "x", "{\"data\":{}}"), NULL),
			  CLAIR_INVALID, "an empty list");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"repositories\": record \"data\": byte 10: it names no repository",
			   "why");
	read_one(&recorder,
			 feed_text("repositories", "x",
					   "{\"data\":{\"a\":{\"cpes\":[\"CPE:/a:RedHat:x\",\"x\"]}}}"),
			 NULL);
	CHECK_ROW(&recorder, "repository|a|cpe:/a:redhat:x", "a name in another writing");
	CHECK_ROW(&recorder, "broken|repositories|repositories|repository \"a\": \"x\": *", "or none");
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	if (digest_initialize(&error) != CLAIR_OK)
		return 1;
	check_latest();
	check_track(NULL, "a_2031-02-04.tar", true, "the first run");
	check_track("a_2031-02-04.tar - -", "a_2031-02-04.tar", true, "the same archive");
	check_track("a_2031-02-03.tar - -", "a_2031-02-04.tar", false, "another one, and no list");
	check_track("a_2031-01-01.tar " FEBRUARY_3 " -", "a_2031-02-10.tar", true,
				"an archive not much newer than the last change");
	check_track("a_2031-01-01.tar " FEBRUARY_2 " -", "a_2031-02-10.tar", false,
				"changes that are missed");
	check_first_run();
	check_later_runs();
	check_gap(5000, true);
	check_gap(5001, false);
	check_documents();
	check_nested();
	check_hostile();
	check_deleted();
	check_repositories();
	return unit_result();
}
