/*
 * oracle_test.c
 *    Proves that Oracle's listing and definitions become the rows that they mean: each package
 *    with the release, architecture, module and flavour of its branch of the criteria.
 */
#include "oval_text.h"

#define DEFINITION(id, version, title, cves, criteria)                                             \
	"<definition id='oval:com.oracle.elsa:def:" id "' version='" version "' class='patch'>"        \
	"<metadata><title>\n" title "\n</title><affected family='unix'>"                               \
	"<platform>Oracle Linux 8</platform></affected>"                                               \
	"<reference source='elsa' ref_id='ELSA-2031-0001' ref_url='https://x/ELSA-2031-0001'/>"        \
	"<description>changes</description><advisory><severity>IMPORTANT</severity>" cves              \
	"</advisory></metadata>" criteria "</definition>"
#define CVE(name) "<cve href='https://x/" name "'>" name "</cve>"
#define PACKAGE(name, evr)                                                                         \
	AND(CRITERION(name " is earlier than " evr)                                                    \
			CRITERION(name " is signed with the Oracle Linux 8 key"))
#define RELEASE(number) CRITERION("Oracle Linux " number " is installed")
#define ARCH(name)		CRITERION("Oracle Linux arch is " name)

/* What an affected row of the fixture begins with. */
#define ROW(name, number, rest)                                                                    \
	"affected|index/oval:com.oracle.elsa:def:20310001|" name "|" number "|" rest

static Recorder recorder;

static ClairStatus
read_definitions(const char *text)
{
	return read_oval(&recorder, "oracle", "index", text);
}

static void
check_listing(void)
{
	CHECK_INT(read_definitions("<html><a href=\"com.oracle.elsa-2031.xml.bz2\">"
							   "<a href=\"com.oracle.elsa-2030.xml.bz2\">"
							   "<a href=\"com.oracle.elsa-2030.xml\">"
							   "<a href=\"com.oracle.elsa-all.xml.bz2\">"
							   "<a href=\"com.oracle.elsa-20310001.xml\">"
							   "<a href=\"com.oracle.elsa-ol8.xml.bz2\"><a href=\"../\">"),
			  CLAIR_OK, "a listing");
	CHECK_TEXT(
		clair_bytes(recorder.rows),
		"\nfurther|index|com.oracle.elsa-2030.xml|com.oracle.elsa-2030.xml|0|plain\n"
		"\nfurther|index|com.oracle.elsa-2031.xml.bz2|com.oracle.elsa-2031.xml.bz2|0|plain\n",
		"years, each once");
	CHECK_INT(read_definitions("clair directory listing\ncom.oracle.elsa-all.xml.gz\n"
							   "com.oracle.elsa-20310001.xml\n"),
			  CLAIR_OK, "a folder without years");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|com.oracle.elsa-all.xml.gz|com.oracle.elsa-all.xml.gz|0|plain\n",
			   "all");
	CHECK_INT(read_definitions("clair directory listing\ncom.oracle.elsa-20310001.xml\n"
							   "com.oracle.elsa-20310002.xml\nREADME\n"),
			  CLAIR_OK, "a folder of single advisories");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 2, "single ones");
	CHECK_INT(read_definitions("<html>maintenance</html>"), CLAIR_INVALID, "another page");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": it names no document of Oracle Linux", "is no listing");
}

static void
check_branches(void)
{
	CHECK_INT(
		read_definitions(DOCUMENT(
			DEFINITION("20310001", "501", "ELSA-2031-0001:  quux security update (IMPORTANT)",
					   CVE("CVE-2031-1001") CVE("CVE-2031-1002"),
					   OR(AND(RELEASE("8") OR(
						   AND(ARCH("x86_64") OR(PACKAGE("quux", "0:1.2-3.el8")
													 PACKAGE("quux-libs", "0:1.2-3.el8")))
							   AND(ARCH("aarch64") OR(PACKAGE("quux", "0:1.2-3.el8")
														  PACKAGE("quux-libs", "0:1.2-4.el8")))))
							  AND(RELEASE("10") ARCH("x86_64") PACKAGE("quux", "0:1.4-1.el10")))),
			"<tests><l:rpminfo_test id='oval:x:tst:1'/></tests>")),
		CLAIR_OK, "two releases, two architectures");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1001", "0",
				  "oracle:10|binary|quux|rpm|-|0:1.4-1.el10|fixed|High|x86_64|||-|ELSA-2031-0001"),
			  "a release has what stands in its branch");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1001", "1",
				  "oracle:8|binary|quux|rpm|-|0:1.2-3.el8|fixed|High|aarch64|||-|ELSA-2031-0001"),
			  "an architecture");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1001", "2",
				  "oracle:8|binary|quux|rpm|-|0:1.2-3.el8|fixed|High|x86_64|||-|ELSA-2031-0001"),
			  "another one");
	CHECK_ROW(
		&recorder,
		ROW("CVE-2031-1002", "3",
			"oracle:8|binary|quux-libs|rpm|-|0:1.2-4.el8|fixed|High|aarch64|||-|ELSA-2031-0001"),
		"with a version");
	CHECK_ROW(
		&recorder,
		ROW("CVE-2031-1002", "4",
			"oracle:8|binary|quux-libs|rpm|-|0:1.2-3.el8|fixed|High|x86_64|||-|ELSA-2031-0001"),
		"of its own");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 10, "for each CVE the same");
	CHECK(strstr(recorder.rows, "|ELSA-2031-0001:  quux security update (IMPORTANT)|"
								"https://x/ELSA-2031-0001\n") != NULL,
		  "the title describes it, the advisory is the link");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

static void
check_modules(void)
{
	CHECK_INT(read_definitions(DOCUMENT(
				  DEFINITION("20310001", "501", "ELSA-2031-0001:  nodejs:12 security update",
							 CVE("CVE-2031-1001"),
							 AND(RELEASE("8") ARCH("x86_64")
									 OR(AND(CRITERION("Module nodejs:12 is enabled") OR(PACKAGE(
										 "nodejs", "1:12.1-1.el8") PACKAGE("npm", "1:6.1-1.el8")))
											PACKAGE("plain", "0:1-1.el8")))),
				  "")),
			  CLAIR_OK, "a module");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1001", "0",
				  "oracle:8|binary|nodejs|rpm|-|1:12.1-1.el8|fixed|High|x86_64|nodejs:12||"
				  "-|ELSA-2031-0001"),
			  "scopes its branch");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1001", "2",
				  "oracle:8|binary|plain|rpm|-|0:1-1.el8|fixed|High|x86_64|||-|"
				  "ELSA-2031-0001"),
			  "and no other");
}

static void
check_flavours(void)
{
	CHECK_INT(read_definitions(
				  DOCUMENT(DEFINITION("20310001", "501", "t", CVE("CVE-2031-1001"),
									  AND(RELEASE("8") OR(
										  PACKAGE("gnutls", "10:3.6-4.0.1.el8_fips")
											  PACKAGE("glibc", "2:2.28-1.0.1.ksplice1.el8_4") AND(
												  PACKAGE("nettle", "10:3.4-1.el8")
													  CRITERION("nettle is fips patched"))
												  AND(PACKAGE("openssl", "2:1.1-1.el8")
														  CRITERION("openssl is ksplice-based"))))),
						   "")),
			  CLAIR_OK, "flavours");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1001", "0",
				  "oracle:8|binary|glibc|rpm|-|2:2.28-1.0.1.ksplice1.el8_4|fixed|High|-||"
				  "ksplice|-|ELSA-2031-0001"),
			  "by the version: ksplice");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1001", "1",
				  "oracle:8|binary|gnutls|rpm|-|10:3.6-4.0.1.el8_fips|fixed|High|-||fips|"
				  "-|ELSA-2031-0001"),
			  "FIPS");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1001", "2",
				  "oracle:8|binary|nettle|rpm|-|10:3.4-1.el8|fixed|"
				  "High|-||fips|-|ELSA-2031-0001"),
			  "by a criterion: FIPS");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1001", "3",
				  "oracle:8|binary|openssl|rpm|-|2:1.1-1.el8|fixed|"
				  "High|-||ksplice|-|ELSA-2031-0001"),
			  "ksplice");
}

static void
check_versions(void)
{
	CHECK_INT(read_definitions(
				  DOCUMENT(DEFINITION("20310001", "501", "t", "",
									  AND(RELEASE("8") PACKAGE("old", "0:1-1.el8")))
							   DEFINITION("20310001", "1000", "t", "",
										  AND(RELEASE("8") OR(PACKAGE("a", "0:1.9-1.el8")
																  PACKAGE("a", "0:1.10-1.el8"))))
								   DEFINITION("20310001", "502", "t", "",
											  AND(RELEASE("8") PACKAGE("older", "0:1-1.el8"))),
						   "")),
			  CLAIR_OK, "three versions of a definition");
	CHECK_ROW(&recorder,
			  ROW("ELSA-2031-0001", "0",
				  "oracle:8|binary|a|rpm|-|0:1.10-1.el8|fixed|High|-|||-|ELSA-2031-0001"),
			  "without a CVE the advisory is the name; the highest version of a fix counts");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "of the highest version alone");
	CHECK_ROW(&recorder,
			  "broken|index|index/oval:com.oracle.elsa:def:20310001|element 1: there is a higher "
			  "version of it",
			  "the others are told");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 2, "both");
}

static void
check_broken(void)
{
	CHECK_INT(
		read_definitions(DOCUMENT(
			DEFINITION("20310001", "1", "t", CVE("CVE-2031-1001"),
					   AND(RELEASE("8") OR(
						   PACKAGE("good", "0:1-1") AND(PACKAGE("a", "0:1-1") PACKAGE("b", "0:1-1"))
							   CRITERION("c is earlier than 0: 1") CRITERION("d is blue")
								   AND(RELEASE("7") PACKAGE("e", "0:1-1")))))
				DEFINITION("20310002", "1", "t", CVE("CVE-2031-1001"), PACKAGE("f", "0:1-1"))
					DEFINITION("20310003", "1", "t", CVE("CVE-2031-1001"),
							   "<criteria operator='XOR'/>")
						DEFINITION("20310004", "1", "t", CVE("CVE-2031-1001"), "")
							DEFINITION("20310005", "1", "t", CVE("CVE-2031-1001"),
									   "<criteria negate='true'>" CRITERION(
										   "x") "</criteria>") "<definition/>",
			"")),
		CLAIR_OK, "what is broken in definitions does not fail the run");
	CHECK_ROW(&recorder, ROW("CVE-2031-1001", "0", "oracle:8|binary|good|*"),
			  "what is right stays");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "and that a package is of two releases cannot be");
#define BROKEN(number, reason)                                                                     \
	"broken|index|index/oval:com.oracle.elsa:def:2031000" number "|" reason
	CHECK_ROW(&recorder, BROKEN("1", "a: it asks for two packages at once"), "two packages");
	CHECK_ROW(&recorder, BROKEN("1", "c: it has no version"), "a version of two words");
	CHECK_ROW(&recorder, BROKEN("1", "a criterion is not understood"), "other words");
	CHECK_ROW(&recorder, BROKEN("2", "f: a package has no release"), "no release");
	CHECK_ROW(&recorder, BROKEN("3", "its criteria have an operator that is not known"), "XOR");
	CHECK_ROW(&recorder, BROKEN("4", "it has no criteria"), "no criteria");
	CHECK_ROW(&recorder, BROKEN("5", "its criteria are negated"), "a negation");
	CHECK_ROW(&recorder, "broken|index|index|element 6: its id is missing or too long", "no id");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 8, "each once");

	CHECK_INT(read_definitions(DOCUMENT("<definition id='oval:x:def:1'/><definition "
										"id='oval:x:def:1'/>",
										"")),
			  CLAIR_INVALID, "a definition that is there twice");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": record \"index/oval:x:def:1\" is there twice", "fails it");
	CHECK_INT(read_oval(&recorder, "oracle", "com.oracle.elsa-2031.xml", "<html/>"), CLAIR_INVALID,
			  "another document");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"com.oracle.elsa-2031.xml\": line 1: the document is \"html\", not "
			   "\"oval_definitions\"",
			   "fails it, too");
}

/* Adds an OR of so many architectures, each with a letter and a number. */
static char *
add_architectures(char *at, char letter, int count)
{
	at += sprintf(at, "<criteria operator='OR'>");
	for (int i = 0; i < count; i++)
		at += sprintf(at, "<criterion comment='Oracle Linux arch is %c%d'/>", letter, i);
	return at + sprintf(at, "</criteria>");
}

static void
check_explosion(void)
{
#define TWO	 OR(CRITERION("Oracle Linux arch is a") CRITERION("Oracle Linux arch is a"))
#define FOUR TWO TWO
	static char document[1 << 20];
	char *at = document;

	CHECK_INT(read_definitions(
				  DOCUMENT(DEFINITION("20310001", "1", "t", CVE("CVE-2031-1001"),
									  AND(FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR)),
						   "")),
			  CLAIR_OK, "criteria that multiply to 2^20 cases");
	CHECK_ROW(&recorder, BROKEN("1", "its criteria have too many cases"), "are told, and left");

	at += sprintf(at, "<oval_definitions><definitions>"
					  "<definition id='oval:com.oracle.elsa:def:20310001'><criteria>");
	at = add_architectures(at, 'a', 2000);
	at = add_architectures(at, 'b', 2000);
	strcpy(at, "</criteria></definition></definitions></oval_definitions>");
	CHECK_INT(read_definitions(document), CLAIR_OK, "4,000,000 cases of which none can be");
	CHECK_ROW(&recorder, BROKEN("1", "its criteria have too many cases"), "are told, and left");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	xml_initialize();
	check_listing();
	check_branches();
	check_modules();
	check_flavours();
	check_versions();
	check_broken();
	check_explosion();
	check_oval_sample(
		&recorder, "oracle",
		"feeds/oracle/vuls-oracle-linux/testdata/fixtures/com.oracle.elsa-all.xml.bz2", 2, 0);
	recorder_clear(&recorder);
	return unit_result();
}
