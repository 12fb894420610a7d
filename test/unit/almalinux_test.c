/*
 * almalinux_test.c
 *    Proves that AlmaLinux's errata become rows, in both of their forms: for each CVE, the binary
 *    packages with their modules and architectures; that the other releases are named; and that
 *    what is broken is told, and leaves the rest alone.
 */
#include "feed_sink.h"

#define PACKAGE(name, epoch, version, release, arch, more)                                         \
	"{\"name\":\"" name "\",\"epoch\":" epoch ",\"version\":\"" version                            \
	"\",\"release\":\"" release "\",\"arch\":\"" arch "\",\"src\":\"x\"" more "}"
#define MODULE(module) ",\"module\":\"" module "\""
#define CVE(id)		   "{\"id\":\"" id "\",\"type\":\"cve\",\"href\":\"https://x/\"}"
#define SELF		   "{\"id\":\"s\",\"type\":\"self\",\"href\":\"https://errata.example.org/8/s.html\"}"
#define ERRATUM(id, type, packages, references)                                                    \
	"{\"id\":\"" id                                                                                \
	"\",\"issued_date\":1,\"severity\":\"Important\",\"title\":\"t\",\"description\":\"d\","       \
	"\"type\":\"" type "\",\"packages\":[" packages "],\"modules\":[],\"references\":[" references \
	"]}"
#define FULL(errata) "{\"schema_version\":\"1.0\",\"data\":[" errata "]}"

static Recorder recorder;

static ClairStatus
read_at(const char *name, const char *url, const char *text)
{
	UpdaterDocument document = feed_text(name, url, text);

	recorder_clear(&recorder);
	return feed_read("almalinux", &document, 1, &recorder);
}

static ClairStatus
read_full(const char *text)
{
	return read_at("8", "https://x/8/errata.full.json", text);
}

static void
check_full(void)
{
	CHECK_INT(
		read_full(FULL(ERRATUM(
			"ALSA-2031:1", "security",
			PACKAGE("a", "\"0\"", "1.0", "1.el8", "x86_64", "") "," PACKAGE("a", "\"0\"", "1.0", "1.el8", "aarch64", "") "," PACKAGE(
				"a", "\"0\"", "1.0", "1.el8",
				"src",
				"") "," PACKAGE("b", "2", "1.0", "2.el8", "noarch",
								"") "," PACKAGE("m", "\"1\"", "3", "1.module_el8.5.0+1+2", "x86_64",
												MODULE(
													"mod:1.0:8050:c5:x86_"
													"64")) "," PACKAGE("m",
																	   "\"1"
																	   "\"",
																	   "4",
																	   "1."
																	   "modu"
																	   "le_"
																	   "el8."
																	   "5.0+"
																	   "1+2",
																	   "x86_"
																	   "64",
																	   MODULE(
																		   "mod"
																		   ":2:"
																		   "805"
																		   "0:"
																		   "c5:"
																		   "x86"
																		   "_6"
																		   "4")) "," PACKAGE("n",
																							 "\"0"
																							 "\"",
																							 "5",
																							 "1."
																							 "modul"
																							 "e_"
																							 "el8."
																							 "5.0+"
																							 "1+2",
																							 "x86_"
																							 "64",
																							 ""),
			CVE("CVE-2031-1002") "," CVE("CVE-2031-1001") "," CVE("nonsense") "," SELF))),
		CLAIR_OK, "errata in full");
	CHECK_ROW(&recorder, "record|8|8/ALSA-2031:1|*", "a record");
	CHECK_ROW(&recorder, "vulnerability|8/ALSA-2031:1|CVE-2031-1001|*", "a CVE");
	CHECK_ROW(&recorder, "vulnerability|8/ALSA-2031:1|CVE-2031-1002|*", "another one");
	CHECK(strstr(recorder.rows, "|d|https://errata.example.org/8/s.html\n") != NULL,
		  "description and link");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 2, "and no others");
#define RANGE(number, rest)                                                                        \
	"affected|8/ALSA-2031:1|CVE-2031-1001|" number "|almalinux:8|binary|" rest
	CHECK_ROW(&recorder, RANGE("0", "a|rpm|-|1.0-1.el8|fixed|High|aarch64 x86_64||-|-|ALSA-2031:1"),
			  "a package of two architectures, of no module, without an epoch of 0");
	CHECK_ROW(&recorder, RANGE("1", "b|rpm|-|2:1.0-2.el8|fixed|High|-||-|-|ALSA-2031:1"),
			  "one for any, with an epoch");
	CHECK_ROW(&recorder,
			  RANGE("2",
					"m|rpm|-|1:3-1.module_el8.5.0+1+2|fixed|High|x86_64|mod:1.0|-|-|ALSA-2031:1"),
			  "one of a module");
	CHECK_ROW(&recorder,
			  RANGE("3",
					"m|rpm|-|1:4-1.module_el8.5.0+1+2|fixed|High|x86_64|mod:2|-|-|ALSA-2031:1"),
			  "of another stream of it");
	CHECK_ROW(&recorder,
			  RANGE("4", "n|rpm|-|5-1.module_el8.5.0+1+2|fixed|High|x86_64|-|-|-|ALSA-2031:1"),
			  "one of some module");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 10, "and no others");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

#define ONE PACKAGE("a", "\"0\"", "1", "1.el8", "x86_64", "")

static void
check_kinds(void)
{
	CHECK_INT(read_full(FULL(ERRATUM("ALSA-2031:1", "security", ONE, ""))), CLAIR_OK, "no CVE");
	CHECK_ROW(&recorder, "vulnerability|8/ALSA-2031:1|ALSA-2031:1|*",
			  "of security, it is one of its own name");
	CHECK_INT(read_full(FULL(ERRATUM("ALBA-2031:1", "bugfix", ONE, ""))), CLAIR_OK, "of bugs");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 0, "it is none");
	CHECK_INT(read_full(FULL(ERRATUM("ALBA-2031:1", "bugfix", ONE, CVE("CVE-2031-1001")))),
			  CLAIR_OK, "but with a CVE");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 1, "it is that");
	CHECK_INT(read_full(FULL(ERRATUM("ALSA-2031:1", "security", "", CVE("CVE-2031-1001")))),
			  CLAIR_OK, "without packages");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 0, "it says nothing");
	CHECK_INT(read_full(FULL("")), CLAIR_OK, "no errata");
}

/* The older form. */
static void
check_list(void)
{
	CHECK_INT(
		read_at(
			"9.json", "file:///x/9.json",
			"[{\"_id\":{\"$oid\":\"6\"},\"updateinfo_id\":\"ALSA-2031:2\",\"type\":\"security\","
			"\"severity\":\"Low\",\"title\":\"t\",\"pkglist\":{\"packages\":[" PACKAGE(
				"a", "\"0\"", "1", "1.module_el9", "x86_64",
				"") "],\"module\":{\"name\":\"mod\","
					"\"stream\":\"2\",\"version\":8040020210810210707}},\"references\":[" CVE(
						"CVE-2031-1001") "]},"
										 "{\"updateinfo_id\":\"ALSA-2031:3\",\"type\":\"security\","
										 "\"severity\":\"None\",\"pkglist\":{\"packages\":"
										 "[" PACKAGE(
											 "a", "\"0\"", "1", "1.el9", "x86_64",
											 "") "],\"module\":null},\"references\":null}]"),
		CLAIR_OK, "errata in a list");
	CHECK_ROW(
		&recorder,
		"affected|9/"
		"ALSA-2031:2|CVE-2031-1001|0|almalinux:9|binary|a|rpm|-|1-1.module_el9|fixed|Low|x86_64|"
		"mod:2|-|-|ALSA-2031:2",
		"packages of a module");
	CHECK_ROW(
		&recorder,
		"affected|9/"
		"ALSA-2031:3|ALSA-2031:3|0|almalinux:9|binary|a|rpm|-|1-1.el9|fixed|Negligible|x86_64||-|-|"
		"ALSA-2031:3",
		"of none");
	CHECK(strstr(recorder.rows, "|t\n") != NULL, "described by its title");
}

/* A package of this release, in a document that does not say of which release it is. */
static void
check_release(const char *release, const char *expected)
{
	char text[1024];
	char row[256];

	snprintf(text, sizeof(text),
			 FULL(ERRATUM("ALSA-2031:1", "security", PACKAGE("a", "0", "1", "%s", "x86_64", ""),
						  "")),
			 release);
	CHECK_INT(read_at("copy.json", "file:///x/copy.json", text), CLAIR_OK, release);
	CHECK_INT(recorder.counts[WIRE_AFFECTED], expected[0] != '\0', "a range, or none");
	CHECK_INT(recorder.counts[WIRE_BROKEN], expected[0] == '\0', "what has no release is told");
	snprintf(row, sizeof(row), "affected|ALSA-2031:1|ALSA-2031:1|0|%s|*", expected);
	if (expected[0] != '\0')
		CHECK_ROW(&recorder, row, expected);
}

static void
check_documents(void)
{
	CHECK_INT(read_at("errata", "https://x/9/errata.full.json", FULL("")), CLAIR_OK,
			  "a first document");
	CHECK_ROW(&recorder, "further|errata|8|../8/errata.full.json|1|plain", "names other releases");
	CHECK_ROW(&recorder, "further|errata|10|../10/errata.full.json|1|plain", "newer ones, too");
	CHECK(strstr(recorder.rows, "|9|../9/") == NULL, "but not its own");
	CHECK_INT(read_at("errata", "file:///x/9/errata.full.json", FULL("")), CLAIR_OK, "a file");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 0, "names none");
	CHECK_INT(read_at("errata", "file:///x/",
					  "clair directory listing\n8/\n9/\nx/\n10.json.gz\nreadme\n"),
			  CLAIR_OK, "a folder");
	CHECK_ROW(&recorder, "further|errata|8|8/errata.full.json|1|plain",
			  "names folders of releases");
	CHECK_ROW(&recorder, "further|errata|10.json.gz|10.json.gz|0|plain", "and files");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 3, "and nothing else");
	CHECK_INT(read_at("errata", "file:///x/", "clair directory listing\nreadme\n"), CLAIR_INVALID,
			  "a folder without errata is refused");

	check_release("1.el8", "almalinux:8");
	check_release("1.el9_4.2", "almalinux:9");
	check_release("1.module_el10.1.0+1", "almalinux:10");
	check_release("1", "");
	check_release("1.elf", "");
}

static void
check_broken(void)
{
	CHECK_INT(read_full("invalid"), CLAIR_INVALID, "what is no JSON is refused");
	CHECK_INT(read_full("{\"schema_version\":\"1.0\"}"), CLAIR_INVALID, "as is what has no errata");
	CHECK_INT(read_full(FULL("{\"id\":1},{\"title\":\"x\"},{\"id\":\"ALSA-2031:1\",\"packages\":7},"
							 "{\"id\":\"ALSA-2031:2\",\"references\":7,\"packages\":null}")),
			  CLAIR_OK, "broken records");
	CHECK_ROW(&recorder, "broken|8|8/|element 2: its id is missing or too long", "no id");
	CHECK_ROW(&recorder, "broken|8|8/ALSA-2031:1|its packages: *", "no packages");
	CHECK_INT(read_full(FULL(
				  ERRATUM("ALSA-2031:1", "security",
						  ONE "," PACKAGE("", "0", "1", "1.el8", "x86_64", "") "," PACKAGE(
							  "b", "0", "", "1.el8", "x86_64",
							  "") "," PACKAGE("c", "0", "1", "1 el8", "x86_64",
											  "") "," PACKAGE("d", "0", "1", "1.el8", "",
															  "") "," PACKAGE("e", "0", "1",
																			  "1.el8", "x 86", ""),
						  CVE("CVE-2031-1001")))),
			  CLAIR_OK, "broken packages");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 5, "are told");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "and the others kept");
	CHECK_INT(read_full(
				  FULL(ERRATUM("A", "security", ONE, "") "," ERRATUM("A", "security", ONE, ""))),
			  CLAIR_INVALID, "the same erratum twice is refused");
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_full();
	check_kinds();
	check_list();
	check_documents();
	check_broken();
	recorder_clear(&recorder);
	return unit_result();
}
