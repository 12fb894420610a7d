/*
 * ubuntu_test.c
 *    Proves that Ubuntu's OSV records and OpenVEX documents become the rows that they mean, which
 *    files of an archive they are, and that what is broken in one is told, not fatal.
 */
#include "feed_sink.h"
#include "tar_writer.h"

#define CVE "CVE-2031-0007"

/* Reads an archive, which is freed, as a document. */
static ClairStatus
read_tar(Recorder *recorder, const char *name, const char *url, TarWriter *tar)
{
	UpdaterDocument document = {clair_bytes(name), clair_bytes(url), memory_file(tar_end(tar))};

	recorder_clear(recorder);
	tar_free(tar);
	return feed_read("ubuntu", &document, 1, recorder);
}

/* Reads an archive with one file. */
static void
read_file(Recorder *recorder, const char *path, const char *text)
{
	TarWriter tar = {0};

	tar_file(&tar, path, text);
	CHECK_INT(read_tar(recorder, "archive", "file:///srv/archive.tar", &tar), CLAIR_OK, text);
	CHECK_INT(recorder->problems, 0, "rows are rows");
}

#define PACKAGE(ecosystem, events)                                                                 \
	"{\"package\":{\"ecosystem\":\"" ecosystem "\",\"name\":\"foo\"},"                             \
	"\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"}" events "]}],"         \
	"\"versions\":[\"1.0-1\"]}"
#define FIXED(version) ",{\"fixed\":\"" version "\"}"

/* Reads an OSV record of these members and packages. */
static void
read_osv(Recorder *recorder, const char *members, const char *packages)
{
	char text[4096];

	snprintf(text, sizeof(text), "{\"id\":\"UBUNTU-" CVE "\",%s\"affected\":[%s]}", members,
			 packages);
	read_file(recorder, "osv/cve/2031/UBUNTU-" CVE ".json", text);
}

/* A row of the OSV record's, and of the OpenVEX document's, from the namespace on. */
#define CHECK_OSV(recorder, number, rest, what)                                                    \
	CHECK_ROW(recorder, "affected|osv/" CVE "|" CVE "|" number "|" rest, what)
#define CHECK_VEX(recorder, number, rest, what)                                                    \
	CHECK_ROW(recorder, "affected|vex/" CVE "|" CVE "|" number "|" rest, what)

static void
check_osv(void)
{
	Recorder recorder = {0};

	read_osv(&recorder,
			 "\"upstream\":[\"" CVE "\"],\"related\":[\"USN-9001-1\",\"UBUNTU-CVE-2031-0008\"],"
			 "\"details\":\"bar mishandles.\",\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"x\"},"
			 "{\"type\":\"Ubuntu\",\"score\":\"medium\"}],",
			 PACKAGE("Ubuntu:22.04:LTS", FIXED("1.0-2")) "," PACKAGE("Ubuntu:31.04", ""));
	CHECK(strstr(recorder.rows,
				 "|bar mishandles.|https://ubuntu.com/security/" CVE "|USN-9001-1\n") != NULL,
		  "description, link and notices");
	CHECK_OSV(&recorder, "0", "ubuntu:22.04|source|foo|dpkg|-|1.0-2|fixed|Medium|-|-||-|USN-9001-1",
			  "a fix of ordinary builds");
	CHECK_OSV(&recorder, "1", "ubuntu:31.04|source|foo|dpkg|-|-|affected|Medium|-|-|",
			  "a release of which nobody has heard");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 2, "nothing else");

	read_osv(&recorder, "\"related\":[\"USN-2-1\",\"USN-1-1\"],\"summary\":\"short\",",
			 PACKAGE("Ubuntu:22.04:LTS", FIXED("1.0-2")));
	CHECK(strstr(recorder.rows, "|short|https://ubuntu.com/security/" CVE "|USN-1-1 USN-2-1\n") !=
			  NULL,
		  "several notices");
	CHECK_OSV(&recorder, "0", "ubuntu:22.04|source|foo|dpkg|-|1.0-2|fixed|Unknown|-|-|",
			  "of which it is not known which one has the fix; nor how bad it is");

	read_osv(&recorder, "", PACKAGE("Ubuntu:Pro:20.04:LTS", FIXED("1.0-2+esm1")));
	CHECK_OSV(&recorder, "0", "ubuntu:20.04|source|foo|dpkg|-|-|will_not_fix|Unknown|-|-|",
			  "what only Pro fixes will not be fixed for others");
	CHECK_OSV(&recorder, "1", "ubuntu:20.04|source|foo|dpkg|-|1.0-2+esm1|fixed|Unknown|-|-|esm",
			  "for Pro it is");
	read_osv(&recorder, "",
			 PACKAGE("Ubuntu:Pro:20.04:LTS", "") "," PACKAGE("Ubuntu:20.04:LTS", ""));
	CHECK_OSV(&recorder, "0", "ubuntu:20.04|source|foo|dpkg|-|-|affected|Unknown|-|-|",
			  "what both have not fixed");
	CHECK_OSV(&recorder, "1", "ubuntu:20.04|source|foo|dpkg|-|-|affected|Unknown|-|-|esm",
			  "is said of both");
	read_osv(
		&recorder, "",
		PACKAGE("Ubuntu:Pro:FIPS:20.04:LTS", FIXED("1.0-2.fips.9")) "," PACKAGE(
			"Ubuntu:Pro:FIPS-updates:20.04:LTS",
			FIXED("1.0-2.fips.10")) "," PACKAGE("Ubuntu:Pro:Realtime:22.04:LTS",
												"") "," PACKAGE("Ubuntu:Nvidia-BlueField:22.04:LTS",
																""));
	CHECK_OSV(&recorder, "0", "ubuntu:20.04|source|foo|dpkg|-|1.0-2.fips.10|fixed|Unknown|-|-|fips",
			  "of the builds for FIPS the highest fix; nothing follows for others");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "nor from other products");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "which are not broken");

	read_osv(&recorder, "\"withdrawn\":\"2031-01-01T00:00:00Z\",", PACKAGE("Ubuntu:25.10", ""));
	CHECK_INT(recorder.counts[WIRE_RECORD], 1, "a record that was withdrawn");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 0, "says nothing");
	read_osv(&recorder, "", PACKAGE("Ubuntu:25.10", FIXED("1-1") ",{\"introduced\":\"2\"}"));
	CHECK_OSV(&recorder, "0", "ubuntu:25.10|source|foo|dpkg|-|-|affected|Unknown|-|-|",
			  "a flaw that came back is not fixed");
	read_osv(&recorder, "",
			 PACKAGE("Ubuntu:25.10", FIXED("2-1") ",{\"introduced\":\"3\"}" FIXED("10-1")));
	CHECK_OSV(&recorder, "0", "ubuntu:25.10|source|foo|dpkg|-|10-1|fixed|Unknown|-|-|",
			  "of several fixes the highest counts");
	recorder_clear(&recorder);
}

#define SOURCE(name, version, distro)                                                              \
	"{\"@id\":\"pkg:deb/ubuntu/" name "@" version "?arch=source&distro=" distro "\"},"             \
	"{\"@id\":\"pkg:deb/ubuntu/lib" name "@" version "?arch=amd64&distro=" distro "\"}"
#define STATEMENT(members, products)                                                               \
	"{\"vulnerability\":{\"name\":\"" CVE "\",\"description\":\"bar mishandles.\"}," members       \
	",\"products\":[" products "]}"
#define NOT_FIXED                                                                                  \
	"\"status\":\"affected\",\"action_statement\":\"It is known, but it was decided to not fix "   \
	"it.\""
#define NO_LONGER                                                                                  \
	"\"status\":\"affected\",\"action_statement\":\"This package is no longer supported.\""
#define NEEDED "\"status\":\"affected\",\"action_statement\":\"It needs fixing.\""

/* Reads an OpenVEX document of these statements. */
static void
read_vex(Recorder *recorder, const char *statements)
{
	char text[8192];

	snprintf(text, sizeof(text), "{\"metadata\":{\"version\":1},\"statements\":[%s]}", statements);
	read_file(recorder, "vex-all/vex/cve/2031/" CVE ".json", text);
}

static void
check_vex(void)
{
	Recorder recorder = {0};

	read_vex(
		&recorder,
		STATEMENT(NOT_FIXED, SOURCE("a", "1-1", "jammy")) "," STATEMENT(NO_LONGER, SOURCE("b", "1-1", "focal") "," SOURCE("a", "1-1", "focal")) "," STATEMENT(
			"\"status\":\"under_investigation\"",
			SOURCE(
				"a", "1-1",
				"noble")) "," STATEMENT(NEEDED,
										SOURCE(
											"a", "1-1",
											"plucky")) "," STATEMENT("\"status\":\"fixed\"",
																	 SOURCE(
																		 "a", "1-2",
																		 "questing")) "," STATEMENT("\"status\":\"not_affected\"",
																									SOURCE(
																										"c",
																										"1-1",
																										"jammy")) "," STATEMENT(NOT_FIXED,
																																SOURCE("a", "1-1", "esm-apps%2Fjammy") "," SOURCE(
																																	"a",
																																	"1-1",
																																	"bluefield/jammy")));
	CHECK_VEX(&recorder, "0", "ubuntu:20.04|source|a|dpkg|-|-|end_of_life|Unknown|-|-|",
			  "a package that is no longer supported");
	CHECK_VEX(&recorder, "1", "ubuntu:22.04|source|a|dpkg|-|-|will_not_fix|Unknown|-|-|",
			  "one that will not be fixed");
	CHECK_VEX(&recorder, "2", "ubuntu:22.04|source|a|dpkg|-|-|will_not_fix|Unknown|-|-|esm",
			  "in Pro, too");
	CHECK_VEX(&recorder, "3", "ubuntu:24.04|source|a|dpkg|-|-|under_investigation|Unknown|-|-|",
			  "one that is looked at");
	CHECK_VEX(&recorder, "4", "ubuntu:20.04|source|b|dpkg|-|-|end_of_life|Unknown|-|-|",
			  "the second product of a statement");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 5, "nothing of what OSV says itself");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing broken");
	CHECK(strstr(recorder.rows, "|bar mishandles.|https://ubuntu.com/security/" CVE "\n") != NULL,
		  "description and link");

	read_vex(
		&recorder,
		STATEMENT(
			"\"status\":\"not_affected\"",
			SOURCE("a", "1-1", "jammy") "," SOURCE("b", "1-1", "jammy") "," SOURCE(
				"a", "1-1",
				"fips/jammy")) "," STATEMENT("\"status\":\"fixed\"",
											 SOURCE(
												 "a", "1-1%2Besm1",
												 "esm-apps/jammy")) "," STATEMENT("\"status\":"
																				  "\"not_"
																				  "affected\","
																				  "\"justification"
																				  "\":\"component_"
																				  "not_present\"",
																				  SOURCE(
																					  "c", "1-1",
																					  "jammy")) "," STATEMENT(NEEDED,
																											  SOURCE(
																												  "c",
																												  "1-1",
																												  "esm-apps/jammy")));
	CHECK_VEX(&recorder, "0", "ubuntu:22.04|source|a|dpkg|-|-|not_affected|Unknown|-|-|",
			  "ordinary builds are not affected, whatever follows from those of Pro");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "which is said where something would follow");

	read_vex(&recorder, "");
	CHECK_INT(recorder.counts[WIRE_RECORD], 1, "a document without statements");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 0, "says nothing");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "and is not broken");
	recorder_clear(&recorder);
}

static void
check_broken(void)
{
	Recorder recorder = {0};

	read_osv(&recorder, "",
			 PACKAGE("Ubuntu:22.04:LTS", FIXED("1 0")) "," PACKAGE("Debian:12", "") "," PACKAGE(
				 "Debian:12",
				 "") ","
					 "{\"package\":{\"ecosystem\":\"Ubuntu:25.10\",\"name\":\"bar\"}},"
					 "{\"package\":{\"ecosystem\":1,\"name\":\"baz\"}},"
					 "{\"package\":{\"ecosystem\":\"Ubuntu:25.10\",\"name\":\"a/b\"},\"ranges\":"
					 "[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"}]}]}," PACKAGE(
						 "Ubuntu:25.10", ""));
	CHECK_ROW(&recorder, "broken|archive|osv/" CVE "|foo: *", "a version that is none");
	CHECK_ROW(&recorder,
			  "broken|archive|osv/" CVE "|Debian:12: it is not known; its entries are left out",
			  "an ecosystem that is not Ubuntu's");
	CHECK_ROW(&recorder, "broken|archive|osv/" CVE "|bar: it has no range of versions", "no range");
	CHECK_ROW(&recorder, "broken|archive|osv/" CVE "|it is not a string", "a package that is none");
	CHECK_ROW(&recorder, "broken|archive|osv/" CVE "|a/b: its package has an invalid name",
			  "a name that is none");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 5, "each is told once");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "what is right is kept");

	read_file(&recorder, "UBUNTU-" CVE ".json", "{\"id\":\"UBUNTU-CVE-2031-0008\"}");
	CHECK_ROW(&recorder,
			  "broken|archive|osv/" CVE "|UBUNTU-CVE-2031-0008: its file has another name",
			  "a record of another vulnerability");
	read_file(&recorder, "UBUNTU-" CVE ".json", "<html>");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 1, "what is no JSON");
	read_file(&recorder, CVE ".json", "{}");
	CHECK_ROW(&recorder, "broken|archive|vex/" CVE "|it has no statements", "what is no document");

	read_vex(&recorder,
			 "{},[],{\"vulnerability\":\"CVE-2031-0008\",\"status\":\"fixed\"}," STATEMENT(
				 "\"status\":\"fine\"",
				 "") "," STATEMENT(NOT_FIXED,
								   "{\"@id\":\"pkg:deb/ubuntu/a@1?arch=source\"},"
								   "{\"@id\":\"pkg:rpm/ubuntu/a@1?arch=source&distro=jammy\"},"
								   "{\"@id\":\"foo?arch=source\"},{\"@id\":\"foo\"}," SOURCE(
									   "a", "1-1", "zany") "," SOURCE("b", "1-1",
																	  "zany") "," SOURCE("c", "1-1",
																						 "jammy")));
	CHECK_ROW(&recorder, "broken|archive|vex/" CVE "|a statement: it is not an object", "an array");
	CHECK_ROW(&recorder, "broken|archive|vex/" CVE "|CVE-2031-0008: its file has another name",
			  "a statement on another vulnerability");
	CHECK_ROW(&recorder, "broken|archive|vex/" CVE "|fine: this status is not known", "a new word");
	CHECK_ROW(&recorder,
			  "broken|archive|vex/" CVE
			  "|pkg:deb/ubuntu/a@1?arch=source: it is no package of a distribution",
			  "a product without a release");
	CHECK_ROW(&recorder, "broken|archive|vex/" CVE "|foo?arch=source: *",
			  "a product without a name");
	CHECK_ROW(&recorder,
			  "broken|archive|vex/" CVE "|zany: it is not known; its entries are left out",
			  "a codename that is not known");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 8, "each is told once");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "what is right is kept");
	recorder_clear(&recorder);
}

static void
check_archives(void)
{
	Recorder recorder = {0};
	TarWriter tar = {0};
	UpdaterDocument listing = feed_text(
		"osv", "file:///srv/ubuntu", "clair directory listing\nosv-all.tar.xz\nvex-all.tar.xz\n");

	tar_file(&tar, "x/UBUNTU-" CVE ".json", "{\"id\":\"UBUNTU-" CVE "\"}");
	tar_file(&tar, "x/" CVE ".json", "{\"statements\":[]}");
	tar_file(&tar, "osv/usn/USN-9001-1.json", "{}");
	tar_file(&tar, "vex/usn/USN-9001-1.json", "{}");
	tar_file(&tar, "osv/lsn/LSN-0001-1-CVE-1.json", "{}");
	tar_file(&tar, "x/CVE-2031-0001.txt", "{}");
	CHECK_INT(read_tar(&recorder, "osv", "https://example.org/osv/osv-all.tar.xz", &tar), CLAIR_OK,
			  "an archive of both forms");
	CHECK_ROW(&recorder, "further|osv|vex|../vex/vex-all.tar.xz|1|plain",
			  "names the one in the other folder");
	CHECK_ROW(&recorder, "record|osv|osv/" CVE "|*", "an OSV record");
	CHECK_ROW(&recorder, "record|osv|vex/" CVE "|*", "an OpenVEX document");
	CHECK_INT(recorder.counts[WIRE_RECORD], 2, "nothing else");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing broken");

	tar_file(&tar, "x", "");
	read_tar(&recorder, "osv", "https://example.org/ubuntu/osv.tar", &tar);
	CHECK_ROW(&recorder, "further|osv|vex|vex.tar|1|plain", "or beside it");
	tar_file(&tar, "x", "");
	read_tar(&recorder, "osv", "file:///srv/osv/osv-all.tar.zst", &tar);
	CHECK_ROW(&recorder, "further|osv|vex|vex-all.tar.zst|1|plain",
			  "of files only what lies below the first one's folder is read");
	tar_file(&tar, "x", "");
	read_tar(&recorder, "osv", "file:///srv/notices.zip", &tar);
	CHECK_INT(recorder.counts[WIRE_FURTHER], 0, "an archive of another name is all there is");
	tar_file(&tar, "x", "");
	read_tar(&recorder, "vex", "https://example.org/osv/osv-all.tar.xz", &tar);
	CHECK_INT(recorder.counts[WIRE_FURTHER], 0, "the second one names none");

	recorder_clear(&recorder);
	CHECK_INT(feed_read("ubuntu", &listing, 1, &recorder), CLAIR_OK, "a folder");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|osv|osv-all.tar.xz|osv-all.tar.xz|0|plain\n"
			   "\nfurther|osv|vex-all.tar.xz|vex-all.tar.xz|0|plain\n",
			   "names its archives");
	recorder_clear(&recorder);
}

static void
check_data(void)
{
	Recorder recorder = {0};
	const char *path = unit_data("feeds/ubuntu/vuls-ubuntu-vex/testdata/fixtures/vex-all.tar.xz");
	UpdaterDocument document;

	if (path == NULL)
		return;
	document = feed_file("vex", path);
	CHECK_INT(feed_read("ubuntu", &document, 1, &recorder), CLAIR_OK, "documents of Ubuntu's");
	CHECK_INT(recorder.counts[WIRE_RECORD], 2, "of two vulnerabilities, and one of a notice");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing broken");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 0, "nothing that OSV does not say");
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_osv();
	check_vex();
	check_broken();
	check_archives();
	check_data();
	return unit_result();
}
