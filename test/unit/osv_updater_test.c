/*
 * osv_updater_test.c
 *    Proves what OSV records come to: for whom they are, by ecosystem; which vulnerabilities they
 *    are about; their ranges, severities and links; in whatever documents they come; and that what
 *    is broken is told, and leaves the rest alone.
 */
#include "feed_sink.h"
#include "zip_writer.h"

/* A package that is affected: E(ecosystem), P(name), and what else there is. */
#define PACKAGE(ecosystem, name, more)                                                             \
	"{\"package\":{\"ecosystem\":\"" ecosystem "\",\"name\":\"" name "\"}," more "}"
#define RANGE(events)		 "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[" events "]}]"
#define RECORD(id, more)	 "{\"id\":\"" id "\"," more "}"
#define FROM_START_TO(fixed) "{\"introduced\":\"0\"},{\"fixed\":\"" fixed "\"}"

static Recorder recorder;

static ClairStatus
read_document(const char *name, const char *text)
{
	UpdaterDocument document = feed_text(name, "https://example.org/x/all.zip", text);
	Recorder fresh = {.state = recorder.state, .options = recorder.options};

	recorder_clear(&recorder);
	recorder = fresh;
	return feed_read("osv", &document, 1, &recorder);
}

/* What the ranges of a record say, without what precedes the namespace. */
static void
check_row(const char *record, const char *name, int number, const char *range, const char *what)
{
	char row[1024];

	snprintf(row, sizeof(row), "affected|%s|%s|%d|%s", record, name, number, range);
	CHECK_ROW(&recorder, row, what);
}

/* A package of an ecosystem becomes this: namespace, kind; "": nothing, and it is told. */
static void
check_ecosystem(const char *ecosystem, const char *version, const char *expected)
{
	char text[1024];
	char row[1024];

	snprintf(text, sizeof(text),
			 RECORD("CVE-2031-1001",
					"\"affected\":[" PACKAGE("%s", "p", RANGE(FROM_START_TO("%s"))) "]"),
			 ecosystem, version);
	CHECK_INT(read_document("osv", text), CLAIR_OK, ecosystem);
	CHECK_INT(recorder.counts[WIRE_AFFECTED], expected[0] != '\0', "a range, or none");
	CHECK_INT(recorder.counts[WIRE_BROKEN], expected[0] == '\0', "what is not known is told");
	if (expected[0] == '\0')
		return;
	snprintf(row, sizeof(row), "affected|CVE-2031-1001|CVE-2031-1001|0|%s", expected);
	CHECK_ROW(&recorder, row, expected);
}

static void
check_ecosystems(void)
{
	check_ecosystem("Debian:12", "1:2-3", "debian:12|source|p|dpkg|-|1:2-3|fixed|Unknown");
	check_ecosystem("Debian", "1", "");
	check_ecosystem("Ubuntu:22.04:LTS", "1", "ubuntu:22.04|source|p|dpkg|-|1|fixed|Unknown|-|-|");
	check_ecosystem("Ubuntu:Pro:18.04:LTS", "1",
					"ubuntu:18.04|source|p|dpkg|-|1|fixed|Unknown|-|-|esm");
	check_ecosystem("Alpine:v3.20", "1-r1", "alpine:v3.20|source|p|apk|-|1-r1|fixed|Unknown");
	check_ecosystem("Rocky Linux:9", "1:2-3.el9", "rocky:9|source|p|rpm|-|2-3.el9|fixed|Unknown");
	check_ecosystem("AlmaLinux:8", "1:2-3.el8",
					"almalinux:8|binary|p|rpm|-|1:2-3.el8|fixed|Unknown");
	check_ecosystem("Red Hat:enterprise_linux:9::baseos", "0:2-3.el9",
					"rhel:9|binary|p|rpm|-|0:2-3.el9|fixed|Unknown|-|-|-|cpe:/"
					"a:redhat:enterprise_linux:9::baseos "
					"cpe:/o:redhat:enterprise_linux:9::baseos rhel:9");
	check_ecosystem(
		"Red Hat:rhel_eus:9.4::appstream", "2-3",
		"rhel:9|binary|p|rpm|-|2-3|fixed|Unknown|-|-|-|cpe:/a:redhat:rhel_eus:9.4::appstream "
		"cpe:/o:redhat:rhel_eus:9.4::appstream");
	check_ecosystem("Red Hat:openshift", "2-3", "");
	check_ecosystem("SUSE:Linux Enterprise Server 15 SP5-LTSS", "2-3",
					"sles:15.5|source|p|rpm|-|2-3|fixed|Unknown");
	check_ecosystem("SUSE:Linux Enterprise Module for Basesystem 15 SP6", "2-3",
					"sles:15.6|source|p|rpm|-|2-3|fixed|Unknown");
	check_ecosystem("SUSE:Linux Enterprise Server 12", "2-3",
					"sles:12|source|p|rpm|-|2-3|fixed|Unknown");
	check_ecosystem("SUSE:Manager Server 4.3", "2-3", "");
	check_ecosystem("SUSE:Linux Enterprise Server ", "2-3", "");
	check_ecosystem("openSUSE:Leap 15.6", "2-3",
					"opensuse-leap:15.6|source|p|rpm|-|2-3|fixed|Unknown");
	check_ecosystem("openSUSE:Tumbleweed", "2-3",
					"opensuse-tumbleweed:rolling|source|p|rpm|-|2-3|fixed|Unknown");
	check_ecosystem("Wolfi", "1-r0", "wolfi:rolling|source|p|apk|-|1-r0|fixed|Unknown");
	check_ecosystem("Chainguard", "1-r0", "chainguard:rolling|source|p|apk|-|1-r0|fixed|Unknown");
	check_ecosystem("Azure Linux:3", "2-3", "azurelinux:3.0|source|p|rpm|-|2-3|fixed|Unknown");
	check_ecosystem("Azure Linux:2", "2-3", "mariner:2.0|source|p|rpm|-|2-3|fixed|Unknown");
	check_ecosystem("Photon OS:5.0", "2-3", "photon:5.0|binary|p|rpm|-|2-3|fixed|Unknown");
	check_ecosystem("npm", "1.0.0", "");
	check_ecosystem("Mageia:9", "1", "");

	recorder.options = "{\"ecosystems\":{\"House:1\":\"debian:12\",\"Rocky Linux:9\":\"centos:9\"},"
					   "\"link\":\"https://x/\"}";
	check_ecosystem("House:1", "1-1", "debian:12|source|p|dpkg|-|1-1|fixed|Unknown");
	CHECK(strstr(recorder.rows, "|https://x/CVE-2031-1001\n") != NULL, "the link of the options");
	check_ecosystem("Rocky Linux:9", "1:2-3", "centos:9|source|p|rpm|-|2-3|fixed|Unknown");
	check_ecosystem("House:2", "1-1", "");
	recorder.options = NULL;
}

/* A record is about these vulnerabilities, blank-separated; its rest is members. */
static void
check_names(const char *id, const char *rest, const char *expected)
{
	char text[2048];
	char row[256];
	char names[256];
	int count = 0;

	snprintf(text, sizeof(text),
			 RECORD("%s",
					"%s\"affected\":[" PACKAGE("Debian:12", "p", RANGE(FROM_START_TO("1"))) "]"),
			 id, rest);
	CHECK_INT(read_document("osv", text), CLAIR_OK, rest);
	snprintf(names, sizeof(names), "%s", expected);
	for (char *name = strtok(names, " "); name != NULL; name = strtok(NULL, " "), count++)
	{
		snprintf(row, sizeof(row), "vulnerability|%s|%s|*", id, name);
		CHECK_ROW(&recorder, row, expected);
	}
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], count, "and no others");
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

static void
check_all_names(void)
{
	check_names("CVE-2031-1001", "\"aliases\":[\"CVE-2031-1002\"],", "CVE-2031-1001");
	check_names("DEBIAN-CVE-2031-1001", "\"upstream\":[\"CVE-2031-1001\"],", "CVE-2031-1001");
	CHECK(strstr(recorder.rows, "|fixed|Unknown\n") != NULL, "a CVE is no advisory");
	check_names("DSA-1-1",
				"\"upstream\":[\"CVE-2031-1002\",\"CVE-2031-1001\",\"CVE-2031-1001\"],"
				"\"related\":[\"CVE-2031-1003\"],",
				"CVE-2031-1001 CVE-2031-1002");
	CHECK(strstr(recorder.rows, "|fixed|Unknown|-|-|-|-|DSA-1-1\n") != NULL,
		  "the advisory that brings the fix");
	check_names("RLSA-2031:1", "\"aliases\":[\"CVE-2031-1001\",\"GHSA-x\"],", "CVE-2031-1001");
	CHECK(strstr(recorder.rows, "|GHSA-x\n") != NULL, "another name of the only vulnerability");
	check_names("ALSA-2031:1",
				"\"related\":[\"CVE-2031-1001\",\"CVE-2031-1002\"],\"aliases\":[\"GHSA-x\"],",
				"CVE-2031-1001 CVE-2031-1002");
	CHECK(strstr(recorder.rows, "GHSA-x") == NULL, "of several it is not said which one it is");
	check_names("ALSA-2031:2", "", "ALSA-2031:2");
	check_names("ALBA-2031:1", "", "");
	check_names("RLEA-2031:1", "", "");
	check_names("SUSE-RU-2031:1-1", "", "");
	check_names("openSUSE-RU-2031:1-1", "", "");
	check_names("ALBA-2031:1", "\"related\":[\"CVE-2031-1001\"],", "CVE-2031-1001");
	check_names("XCVE-2031-1001", "", "XCVE-2031-1001");
	check_names("DSA-1-1",
				"\"withdrawn\":\"2031-01-01T00:00:00Z\",\"upstream\":[\"CVE-2031-1001\"],", "");
}

/* Ranges of a package of Debian's become these, in order: from to last_affected status; */
static void
check_ranges(const char *ranges, const char *expected)
{
	char text[4096];
	char seen[1024] = "";
	const char *at;

	snprintf(text, sizeof(text),
			 RECORD("CVE-2031-1001", "\"affected\":[" PACKAGE("Debian:12", "p", "%s") "]"), ranges);
	CHECK_INT(read_document("osv", text), CLAIR_OK, ranges);
	for (at = recorder.rows; at != NULL && (at = strstr(at, "\naffected|")) != NULL; at++)
	{
		char fields[18][64] = {{0}};
		char line[1024];
		int count = 0;

		snprintf(line, sizeof(line), "%.*s", (int) strcspn(at + 1, "\n"), at + 1);
		for (char *field = strtok(line, "|"); field != NULL && count < 18;
			 field = strtok(NULL, "|"))
			snprintf(fields[count++], 64, "%s", field);
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s %s %s %s; ", fields[8],
				 fields[9], fields[17][0] != '\0' ? fields[17] : "-", fields[10]);
	}
	CHECK_TEXT(clair_bytes(seen), expected, ranges);
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

static void
check_all_ranges(void)
{
	check_ranges(RANGE(FROM_START_TO("1.5")), "- 1.5 - fixed; ");
	check_ranges(RANGE("{\"introduced\":\"1.0\"}"), "1.0 - - affected; ");
	check_ranges(RANGE("{\"introduced\":\"1.0\"},{\"last_affected\":\"1.4\"}"),
				 "1.0 - 1.4 affected; ");
	check_ranges(RANGE(FROM_START_TO("1.5") ",{\"introduced\":\"2.0\"},{\"fixed\":\"2.3\"}"),
				 "- 1.5 - fixed; 2.0 2.3 - fixed; ");

	/* what overlaps or meets is one range, whatever the order */
	check_ranges(RANGE("{\"introduced\":\"1.2\"},{\"fixed\":\"1.8\"},{\"introduced\":\"1.0\"},"
					   "{\"fixed\":\"1.5\"}"),
				 "1.0 1.8 - fixed; ");
	check_ranges(RANGE(FROM_START_TO("1.5") ",{\"introduced\":\"1.5\"},{\"fixed\":\"1.8\"}"),
				 "- 1.8 - fixed; ");
	check_ranges(RANGE("{\"introduced\":\"1\"},{\"last_affected\":\"2\"},{\"introduced\":\"2\"},"
					   "{\"fixed\":\"3\"}"),
				 "1 3 - fixed; ");
	check_ranges(RANGE("{\"introduced\":\"1\"},{\"last_affected\":\"2\"},{\"introduced\":\"0\"},"
					   "{\"fixed\":\"2\"}"),
				 "- - 2 affected; ");
	check_ranges(RANGE("{\"introduced\":\"1\"},{\"fixed\":\"2\"},{\"introduced\":\"1.5\"}"),
				 "1 - - affected; ");

	/* nothing is in these */
	check_ranges(RANGE(FROM_START_TO("0")), "");
	check_ranges(RANGE("{\"introduced\":\"2\"},{\"fixed\":\"2.0\"}"), "2 2.0 - fixed; ");
	check_ranges(RANGE("{\"introduced\":\"2\"},{\"fixed\":\"1\"}"), "");
	check_ranges(RANGE("{\"introduced\":\"2\"},{\"last_affected\":\"2\"}"), "2 - 2 affected; ");

	/* single versions, where there is nothing else */
	check_ranges("\"versions\":[\"1.0\",\"1.2\"]", "1.0 - 1.0 affected; 1.2 - 1.2 affected; ");
	check_ranges("\"versions\":[\"1.0\"]," RANGE(FROM_START_TO("2")), "- 2 - fixed; ");
	check_ranges("\"ranges\":[{\"type\":\"GIT\",\"events\":[]}],\"versions\":[\"1.0\"]",
				 "1.0 - 1.0 affected; ");

	check_ranges(RANGE(FROM_START_TO("not a version")), "");
	CHECK_ROW(&recorder, "broken|osv|CVE-2031-1001|p: *", "a version that is none is told");
	check_ranges("\"ranges\":[]", "");
	CHECK_ROW(&recorder, "broken|osv|CVE-2031-1001|p: it has no versions",
			  "as is that there is none");
	check_ranges("\"versions\":[\"a b\",\"1\"]", "1 - 1 affected; ");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 1, "of single versions, the others are kept");
}

/* The members of a record and of its package come to this severity. */
static void
check_severity(const char *record, const char *package, const char *expected)
{
	char text[2048];
	char row[256];

	snprintf(text, sizeof(text),
			 RECORD("CVE-2031-1001", "%s\"affected\":[" PACKAGE(
										 "Debian:12", "p", "%s" RANGE(FROM_START_TO("1"))) "]"),
			 record, package);
	CHECK_INT(read_document("osv", text), CLAIR_OK, package);
	snprintf(row, sizeof(row), "debian:12|source|p|dpkg|-|1|fixed|%s", expected);
	check_row("CVE-2031-1001", "CVE-2031-1001", 0, row, package);
}

static void
check_severities(void)
{
	static const char critical[] =
		"\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/"
		"S:U/C:H/I:H/A:H\"}],";

	check_severity("", "", "Unknown");
	check_severity(critical, "", "Critical");
	check_severity(
		"\"severity\":[{\"type\":\"CVSS_V2\",\"score\":\"AV:N/AC:L/Au:N/C:P/I:P/A:P\"},"
		"{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N\"}],",
		"", "Low");
	check_severity("\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"9.8\"}],", "", "Unknown");
	check_severity("\"summary\":\"Moderate: p security update\",", "", "Medium");
	check_severity("\"summary\":\"p: a flaw\",", "", "Unknown");
	check_severity(critical, "\"severity\":[{\"type\":\"Ubuntu\",\"score\":\"negligible\"}],",
				   "Negligible");
	check_severity(critical, "\"ecosystem_specific\":{\"urgency\":\"unimportant\"},", "Negligible");
	check_severity(critical, "\"ecosystem_specific\":{\"urgency\":\"not yet assigned\"},",
				   "Critical");
	check_severity("\"database_specific\":{\"severity\":\"HIGH\"},", "", "High");
	check_severity("", "\"database_specific\":{\"severity\":\"Important\"},", "High");
	check_severity("", "\"ecosystem_specific\":null,\"database_specific\":[1],", "Unknown");
}

/* Severities, links and the like in what one record says of several packages. */
static void
check_packages(void)
{
	CHECK_INT(
		read_document(
			"osv",
			RECORD(
				"ALSA-2031:7",
				"\"related\":[\"CVE-2031-1001\"],\"details\":\"d\",\"references\":[{"
				"\"type\":\"ADVISORY\",\"url\":"
				"\"https://r/RHSA-2031:7\"},{\"type\":\"ADVISORY\",\"url\":\"https://a/8/"
				"ALSA-2031-7.html\"},"
				"{\"type\":\"WEB\",\"url\":\"https://w/ALSA-2031-7\"}],\"affected\":["
				"{\"package\":{\"ecosystem\":\"AlmaLinux:8\",\"name\":\"a\",\"purl\":"
				"\"pkg:rpm/almalinux/a?arch=x86_64\"}," RANGE(FROM_START_TO(
					"1-1")) "},"
							"{\"package\":{\"ecosystem\":\"AlmaLinux:8\",\"name\":\"a\","
							"\"purl\":\"pkg:rpm/almalinux/a?arch=noarch\"}," RANGE(FROM_START_TO(
								"1-2")) "},"
										"{\"package\":{\"ecosystem\":\"AlmaLinux:8\","
										"\"name\":\"b\",\"purl\":\"pkg:rpm/almalinux/"
										"b?arch=src\"}," RANGE(FROM_START_TO("1-3")) "}," PACKAGE("AlmaLinux:8", "c", RANGE(FROM_START_TO("1-4"))) "," PACKAGE(
											"AlmaLinux:8", "c",
											RANGE(FROM_START_TO(
												"1-5"))) "," PACKAGE("AlmaLinux:8", "",
																	 RANGE(FROM_START_TO(
																		 "1-5"))) ","
																				  "{\""
																				  "pac"
																				  "kag"
																				  "e\""
																				  ":{"
																				  "\"e"
																				  "cos"
																				  "yst"
																				  "em"
																				  "\":"
																				  "\"A"
																				  "lma"
																				  "Lin"
																				  "ux:"
																				  "8\""
																				  ",\""
																				  "nam"
																				  "e\""
																				  ":\""
																				  "d\""
																				  ",\""
																				  "pur"
																				  "l\""
																				  ":\""
																				  "non"
																				  "sen"
																				  "se"
																				  "\"}"
																				  "," RANGE(FROM_START_TO("1-3")) "}," PACKAGE(
																					  "AlmaLinux:8",
																					  "e",
																					  "\"ranges\":"
																					  "7") ","
																						   "{\"rang"
																						   "es\":[{"
																						   "\"type"
																						   "\":"
																						   "\"GIT\""
																						   ",\"even"
																						   "ts\":[]"
																						   "}]}]")),
		CLAIR_OK, "a record of several packages");
	CHECK_ROW(&recorder, "vulnerability|ALSA-2031:7|CVE-2031-1001|*", "its vulnerability");
	CHECK(strstr(recorder.rows, "|d|https://a/8/ALSA-2031-7.html\n") != NULL,
		  "with the reference to the advisory itself");
	check_row("ALSA-2031:7", "CVE-2031-1001", 0,
			  "almalinux:8|binary|a|rpm|-|1-2|fixed|Unknown|-|-|-|-|ALSA-2031:7",
			  "any architecture");
	check_row("ALSA-2031:7", "CVE-2031-1001", 1,
			  "almalinux:8|binary|a|rpm|-|1-1|fixed|Unknown|x86_64|-|-|-|ALSA-2031:7",
			  "one of them");
	check_row("ALSA-2031:7", "CVE-2031-1001", 2,
			  "almalinux:8|binary|c|rpm|-|1-5|fixed|Unknown|-|-|-|-|ALSA-2031:7",
			  "of two the higher");
	check_row("ALSA-2031:7", "CVE-2031-1001", 3,
			  "almalinux:8|source|b|rpm|-|1-3|fixed|Unknown|-|-|-|-|ALSA-2031:7", "a source");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 4, "nothing else");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 3, "what is broken is told");
	CHECK_ROW(&recorder, "broken|osv|ALSA-2031:7|d: *", "a package URL");
	CHECK_ROW(&recorder, "broken|osv|ALSA-2031:7|e: *", "a range");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	CHECK_INT(
		read_document("osv",
					  "[" RECORD("CVE-2031-1001",
								 "\"affected\":[" PACKAGE("npm", "p", "\"ranges\":[]") "," PACKAGE(
									 "npm", "q",
									 "\"ranges\":[]") "]") "," RECORD("CVE-2031-1002",
																	  "\"affected\":[" PACKAGE(
																		  "npm", "p",
																		  "\"x\":1") "]") "]"),
		CLAIR_OK, "packages of no distribution");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 1, "are told once");
	CHECK_INT(recorder.counts[WIRE_RECORD], 2, "and their records are known from then on");
}

#define SMALL(id)                                                                                  \
	RECORD(id, "\"affected\":[" PACKAGE("Debian:12", "p", RANGE(FROM_START_TO("1"))) "]")

static void
check_documents(void)
{
	ZipWriter zip;
	ClairBytes archive;
	UpdaterDocument document;

	CHECK_INT(read_document("osv", " [" SMALL("CVE-2031-1001") ",\n" SMALL("CVE-2031-1002") "] "),
			  CLAIR_OK, "an array");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 2, "has two records");
	CHECK_INT(read_document("osv", SMALL("CVE-2031-1001") "\n" SMALL("CVE-2031-1002") "\n"),
			  CLAIR_OK, "lines");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 2, "are as many records");
	CHECK_ROW(&recorder, "record|osv|CVE-2031-1002|*", "by their ids");
	CHECK_INT(read_document("a.json", SMALL("CVE-2031-1001")), CLAIR_OK, "a file of a folder");
	CHECK_ROW(&recorder, "record|a.json|CVE-2031-1001|*", "is a record");
	CHECK_INT(read_document("osv", SMALL("CVE-2031-1001") "\n{}\n" SMALL("CVE-2031-1002")),
			  CLAIR_OK, "what has no id");
	CHECK_ROW(&recorder, "broken|osv||element 2: *", "is broken");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 2, "and the others are read");
	CHECK_INT(read_document("osv", SMALL("CVE-2031-1001") SMALL("CVE-2031-1001")), CLAIR_INVALID,
			  "the same twice is refused");
	CHECK_INT(read_document("osv", "{\"id\":\"CVE-2031-1001\""), CLAIR_INVALID,
			  "an end too early is, too");
	CHECK_INT(read_document("osv", ""), CLAIR_INVALID, "as is nothing");
	CHECK_INT(read_document("osv", "no JSON at all"), CLAIR_INVALID, "and anything else");

	zip_begin(&zip, "deflate");
	zip_file(&zip, "advisories/12/CVE-2031-1001.json", clair_bytes(SMALL("CVE-2031-1001")), true);
	zip_file(&zip, "advisories/12/CVE-2031-1002.json", clair_bytes("{\"id\":"), true);
	zip_file(&zip, "README.md", clair_bytes("# {"), true);
	zip_file(&zip, "all.json", clair_bytes("[{\"id\":\"x\"}]"), true);
	archive = zip_end(&zip);
	document = (UpdaterDocument){CLAIR_LITERAL("osv"), CLAIR_LITERAL("https://x/all.zip"),
								 memfd_create("document", MFD_CLOEXEC)};
	if (write(document.descriptor, archive.data, archive.size) != (ssize_t) archive.size)
		abort();
	recorder_clear(&recorder);
	CHECK_INT(feed_read("osv", &document, 1, &recorder), CLAIR_OK, "an archive");
	CHECK_ROW(&recorder, "record|osv|CVE-2031-1001|*", "a file is a record");
	CHECK_ROW(&recorder, "broken|osv|CVE-2031-1002|*", "one that is no record is broken");
	CHECK_INT(recorder.counts[WIRE_RECORD], 2, "and what is called otherwise is none");
	free(zip.data);

	CHECK_INT(read_document("osv", "clair directory listing\nALSA-2031%3A1.json\nall.zip\nx.txt\n"),
			  CLAIR_OK, "a folder");
	CHECK_ROW(&recorder, "further|osv|ALSA-2031%3A1.json|ALSA-2031%3A1.json|0|plain",
			  "names records");
	CHECK_ROW(&recorder, "further|osv|all.zip|all.zip|0|plain", "and archives");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 2, "and nothing else");
	CHECK_INT(read_document("osv", "clair directory listing\nx.txt\n"), CLAIR_INVALID,
			  "a folder without any is refused");
}

#define CHANGES                                                                                    \
	"2031-01-03T00:00:00Z,Debian/"                                                                 \
	"DSA-1-1\n2031-01-02T12:00:00.5Z,ALSA-2031:1\n2031-01-01T00:00:00Z,DSA-2\n"

static void
check_changes(void)
{
	CHECK_INT(read_document("osv", CHANGES), CLAIR_OK, "a list of changes");
	CHECK_ROW(&recorder, "further|osv|all|all.zip|0|keep", "has an archive beside it");
	CHECK_ROW(&recorder, "state|2031-01-03T00:00:00.000Z", "and says how far that has come");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 1, "at first that is all");
	recorder.state = "2031-01-02T00:00:00.000Z";
	CHECK_INT(read_document("osv", CHANGES), CLAIR_OK, "later");
	CHECK_ROW(&recorder, "further|osv|changed/Debian/DSA-1-1|Debian/DSA-1-1.json|1|patch",
			  "what has changed since then is read");
	CHECK_ROW(&recorder, "further|osv|changed/ALSA-2031:1|ALSA-2031%3A1.json|1|patch", "all of it");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 3, "and nothing else");
	CHECK_INT(read_document("changed/Debian/DSA-1-1", SMALL("DSA-1-1")), CLAIR_OK,
			  "a changed record");
	CHECK_ROW(&recorder, "record|all|DSA-1-1|*", "is one of the archive's");
	CHECK_INT(read_document("osv", "2031-01-03T00:00:00Z,../../etc/passwd\n"), CLAIR_INVALID,
			  "a way out of the folder is none");
	CHECK_INT(read_document("osv", "2031-01-03T00:00:00Z\n"), CLAIR_INVALID,
			  "a row needs two fields");
	CHECK(strstr(recorder.error.message, "line 1") != NULL, "and the line is told");
	recorder.state = "nonsense";
	CHECK_INT(read_document("osv", CHANGES), CLAIR_OK, "a state that is none");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 1, "is as if there was none");
	recorder.state = "2031-01-02T00:00:00.000Z";

	char *many = malloc(3000 * 64);
	size_t size = 0;

	for (int i = 0; i < 2500; i++)
		size += (size_t) sprintf(many + size, "2031-01-03T00:00:00Z,X-%d\n", i);
	CHECK_INT(read_document("osv", many), CLAIR_OK, "with too many changes");
	CHECK_ROW(&recorder, "state", "all begins again");
	free(many);
	recorder.state = NULL;
}

static void
check_hostile(void)
{
	char *deep = malloc(64 * 1024);
	size_t size = (size_t) sprintf(deep, "{\"id\":\"X\",\"x\":");

	memset(deep + size, '[', 2000);
	memset(deep + size + 2000, ']', 2000);
	sprintf(deep + size + 4000, "}");
	CHECK(read_document("osv", deep) != CLAIR_OK, "what is nested too deep is refused");
	free(deep);
	CHECK_INT(read_document("osv", "{\"id\":\"a\\u0000b\"}"), CLAIR_OK, "an id that is no text");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 1, "is broken");
	CHECK_INT(read_document("osv",
							RECORD("X-1", "\"affected\":[" PACKAGE(
											  "Debian:12", "p",
											  RANGE(FROM_START_TO("1"))) "],\"affected\":{}")),
			  CLAIR_OK, "members that contradict each other");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 1, "are broken");
}

int
main(void)
{
	ClairError error;

	if (digest_initialize(&error) != CLAIR_OK)
		abort();
	check_ecosystems();
	check_all_names();
	check_all_ranges();
	check_severities();
	check_packages();
	check_documents();
	check_changes();
	check_hostile();
	recorder_clear(&recorder);
	return unit_result();
}
