/*
 * ubuntu_oval_test.c
 *    Proves that Ubuntu's OVAL, in each of its forms, becomes the rows that it means.
 */
#include "oval_text.h"

#define ID(type, number) "oval:com.ubuntu.jammy:" type ":" number
#define DEFINITION(number, metadata, criteria)                                                     \
	"<definition class='vulnerability' id='" ID("def", number) "' version='1'><metadata>" metadata \
															   "</metadata>" criteria              \
															   "</definition>"
#define CVE_DEFINITION(number, cve, severity, criteria)                                            \
	DEFINITION(number,                                                                             \
			   "<title>" cve " on Ubuntu 22.04 LTS (jammy) - low</title>"                          \
			   "<description>a flaw.\n\n    Update Instructions:\n\nRun it.</description>"         \
			   "<reference source='CVE' ref_id='" cve "' ref_url='https://x/'/>"                   \
			   "<advisory><severity>" severity "</severity></advisory>",                           \
			   "<criteria><extend_definition definition_ref='" ID(                                 \
				   "def", "100") "' "                                                              \
								 "comment='Ubuntu 22.04 LTS is installed.'/>" criteria             \
								 "</criteria>")
#define TEST_OF(number, comment)                                                                   \
	"<criterion test_ref='" ID("tst", number) "' comment='" comment "'/>"

#define PACKAGE_TEST(number, rest)                                                                 \
	"<l:dpkginfo_test id='" ID("tst", number) "' check_existence='at_least_one_exists'>"           \
											  "<l:object object_ref='" ID(                         \
												  "obj", number) "'/>" rest "</l:dpkginfo_test>"
#define STATE_REF(number) "<l:state state_ref='" ID("ste", number) "'/>"
#define OBJECT(number)                                                                             \
	"<l:dpkginfo_object id='" ID("obj", number) "'><l:name var_ref='" ID(                          \
		"var", number) "' var_check='at least one'/></l:dpkginfo_object>"
#define STATE(number, evr)                                                                         \
	"<l:dpkginfo_state id='" ID("ste", number) "'><l:evr datatype='debian_evr_string' "            \
											   "operation='less than'>" evr                        \
											   "</l:evr></l:dpkginfo_state>"
#define VARIABLE(number, values)                                                                   \
	"<constant_variable id='" ID("var", number) "'>" values "</constant_variable>"
#define VALUE(name) "<value>" name "</value>"

/* Tests 1 and 2 are of fixed versions, 3 of none, 4 of the running kernel, 5 of an esm build. */
#define TESTS                                                                                      \
	"<tests>" PACKAGE_TEST("1", STATE_REF("1")) PACKAGE_TEST("2", STATE_REF("2"))                  \
		PACKAGE_TEST("3", "") "<u:uname_test xmlns:u='http://u/' id='" ID(                         \
			"tst", "4") "'/>" PACKAGE_TEST("5", STATE_REF("5")) PACKAGE_TEST("6", STATE_REF("6"))  \
			PACKAGE_TEST(                                                                          \
				"7",                                                                               \
				STATE_REF(                                                                         \
					"9")) "</tests>"                                                               \
						  "<objects>" OBJECT("1") OBJECT("2") OBJECT("3") OBJECT("5") OBJECT(      \
							  "6") OBJECT("7") "</objects><states>" STATE("1", " 0:1.2-3ubuntu1 ") \
							  STATE("2", "0:1.2-10ubuntu1") STATE("5", "0:1.0-2ubuntu0.1~esm1")    \
								  STATE("6",                                                       \
										"0") "</states>"                                           \
											 "<variables>" VARIABLE("1", VALUE("quux")             \
																			 VALUE("libquux1"))    \
												 VARIABLE("2", VALUE("libquux1"))                  \
													 VARIABLE("3", VALUE("grault"))                \
														 VARIABLE("5", VALUE("waldo")) VARIABLE(   \
															 "6", VALUE("plugh"))                  \
															 VARIABLE("7",                         \
																	  VALUE("x")) "</variables>"

#define RECORD "com.ubuntu.jammy.cve/oval:com.ubuntu.jammy:def:"

static Recorder recorder;

static ClairStatus
read_text(const char *text)
{
	return read_oval(&recorder, "ubuntu-oval", "com.ubuntu.jammy.cve.oval.xml.bz2", text);
}

static void
check_listing(void)
{
	CHECK_INT(read_oval(&recorder, "ubuntu-oval", "index",
						"<!DOCTYPE html><html><a href=\"com.ubuntu.jammy.cve.oval.xml.bz2\">"
						"<a href=\"com.ubuntu.jammy.pkg.oval.xml.bz2\">"
						"<a href=\"com.ubuntu.jammy.usn.oval.xml.bz2\">"
						"<a href=\"oci.com.ubuntu.jammy.cve.oval.xml.bz2\">"
						"<a href=\"com.ubuntu.fips-updates_jammy.cve.oval.xml.bz2\">"
						"<a href=\"oci.com.ubuntu.noble.pkg.oval.xml.bz2\">"
						"<a href=\"oci.com.ubuntu.noble.cve.oval.xml.bz2\">"
						"<a href=\"oci.com.ubuntu.focal.pkg.oval.xml\">"
						"<a href=\"com.ubuntu.never.cve.oval.xml.bz2\">"),
			  CLAIR_OK, "a listing");
	CHECK_ROW(&recorder,
			  "further|index|com.ubuntu.jammy.cve.oval.xml.bz2|com.ubuntu.jammy.cve.oval.xml.bz2|0|"
			  "plain",
			  "of several documents of a release the one for machines, by CVE");
	CHECK_ROW(&recorder, "further|index|oci.com.ubuntu.noble.cve.oval.xml.bz2|*",
			  "else the one for containers");
	CHECK_ROW(&recorder, "further|index|oci.com.ubuntu.focal.pkg.oval.xml|*", "else by package");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 3, "none of channels, and of unknown releases");
}

static void
check_today(void)
{
	CHECK_INT(read_text(DOCUMENT(
				  "<definition class='inventory' id='" ID("def", "100") "'/>" CVE_DEFINITION(
					  "20311001", "CVE-2031-1001", "Medium",
					  OR(TEST_OF("1", "quux package in jammy was vulnerable but has been fixed")
							 TEST_OF("2", "quux2 package was vulnerable but has been fixed")
								 TEST_OF("3", "grault package is affected and needs fixing.")
									 AND(TEST_OF("4", "Is kernel linux running?")
											 TEST_OF("3", "linux")) TEST_OF("6", "plugh")))
					  CVE_DEFINITION(
						  "20311002", "CVE-2031-1002", "Untriaged",
						  OR(TEST_OF("3", "grault package is affected, but a decision has been "
										  "made to defer addressing it (2031-01-01).")
								 TEST_OF("5", "waldo package was fixed"))),
				  TESTS)),
			  CLAIR_OK, "a document of today");
	CHECK_ROW(&recorder,
			  "affected|" RECORD
			  "20311001|CVE-2031-1001|2|ubuntu:22.04|binary|plugh|dpkg|-|-|affected|Medium",
			  "fixed in version 0: it is not fixed");
	CHECK_ROW(&recorder,
			  "affected|" RECORD
			  "20311001|CVE-2031-1001|3|ubuntu:22.04|binary|quux|dpkg|-|0:1.2-3ubuntu1|"
			  "fixed|Medium",
			  "a fix, of a package that a variable names");
	CHECK_ROW(&recorder,
			  "affected|" RECORD "20311001|CVE-2031-1001|1|ubuntu:22.04|binary|libquux1|dpkg|-|"
			  "0:1.2-10ubuntu1|fixed|Medium",
			  "of several criteria on a package the widest counts");
	CHECK_ROW(&recorder,
			  "affected|" RECORD
			  "20311001|CVE-2031-1001|0|ubuntu:22.04|binary|grault|dpkg|-|-|affected|Medium",
			  "no fix");
	CHECK_ROW(&recorder,
			  "affected|" RECORD
			  "20311002|CVE-2031-1002|0|ubuntu:22.04|binary|grault|dpkg|-|-|deferred|Unknown",
			  "a fix that is put off");
	CHECK_ROW(&recorder,
			  "affected|" RECORD "20311002|CVE-2031-1002|1|ubuntu:22.04|binary|waldo|dpkg|"
			  "-|-|will_not_fix|Unknown|-|-|",
			  "what only Ubuntu Pro fixes is not fixed for others");
	CHECK_ROW(&recorder,
			  "affected|" RECORD "20311002|CVE-2031-1002|2|ubuntu:22.04|binary|waldo|dpkg|"
			  "-|0:1.0-2ubuntu0.1~esm1|fixed|Unknown|-|-|esm",
			  "but among its builds");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 7, "the running kernel says nothing");
	CHECK(strstr(recorder.rows, "|a flaw.|https://ubuntu.com/security/CVE-2031-1001\n") != NULL,
		  "the description, without instructions");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

/* The digest of the one record of a document. */
static void
read_digest(const char *text, char digest[128])
{
	const char *row;

	CHECK_INT(read_text(text), CLAIR_OK, "a document");
	row = strstr(recorder.rows, "record|");
	snprintf(digest, 128, "%.120s", row != NULL ? row + sizeof("record|" RECORD) : "");
}

static void
check_digests(void)
{
#define ONE CVE_DEFINITION("20311001", "CVE-2031-1001", "Low", TEST_OF("1", "quux package"))
#define FACTS(evr, name)                                                                           \
	"<tests>" PACKAGE_TEST("1", STATE_REF("1")) "</tests><objects>" OBJECT(                        \
		"1") "</objects>"                                                                          \
			 "<states>" STATE("1", evr) "</states><variables>" VARIABLE(                           \
				 "1", VALUE(name)) "</variables>"
	char first[128];
	char other[128];

	read_digest(DOCUMENT(ONE, FACTS("1.0-1", "quux")), first);
	read_digest(DOCUMENT(ONE, FACTS(" 1.0-1\n", "quux") "<!-- the same -->"), other);
	CHECK_TEXT(clair_bytes(other), first, "the same facts, the same digest");
	read_digest(DOCUMENT(ONE, FACTS("1.0-2", "quux")), other);
	CHECK(strcmp(first, other) != 0,
		  "a state that changes, changes the definitions that lean on it");
	read_digest(DOCUMENT(ONE, FACTS("1.0-1", "quuux")), other);
	CHECK(strcmp(first, other) != 0, "and a variable");
	read_digest(DOCUMENT(ONE, FACTS("1.0-1", "quux") ""), other);
	CHECK_TEXT(clair_bytes(other), first, "and back");
}

/* The form of 2018: no variables, criteria that are negated, an unknown test. */
static void
check_2018(void)
{
#define OLD_OBJECT(number, name)                                                                   \
	"<l:dpkginfo_object id='" ID("obj", number) "'><l:name>" name "</l:name></l:dpkginfo_object>"
	CHECK_INT(
		read_text(DOCUMENT(
			CVE_DEFINITION(
				"20311001", "CVE-2031-1001", "",
				OR("<criterion test_ref='" ID(
					"tst",
					"8") "' negate = 'true' comment='not affected'/>" TEST_OF("1",
																			  "The quux package in "
																			  "jammy was "
																			  "vulnerable but has "
																			  "been fixed")
					   TEST_OF("3", "a decision has been made to ignore it (end of life).")
						   TEST_OF("10", "The vulnerability is not known"))),
			"<tests><l:dpkginfo_test id='" ID(
				"tst", "8") "' check_existence='any_exist'>"
							"<l:object object_ref='" ID(
								"obj",
								"8") "'/></l:dpkginfo_test>"
									 "<i:unknown_test xmlns:i='http://i/' id='" ID(
										 "tst", "10") "'/>" PACKAGE_TEST("1", STATE_REF("1"))
										 PACKAGE_TEST("3", "") "</tests><objects>" OLD_OBJECT(
											 "1", "quux") OLD_OBJECT("3", "grault")
											 OLD_OBJECT("8", "waldo") "</objects><states>" STATE(
												 "1", "1.0-1") "</states>")),
		CLAIR_OK, "a document of 2018");
	CHECK_ROW(&recorder,
			  "affected|" RECORD "20311001|CVE-2031-1001|1|ubuntu:22.04|source|quux|dpkg|-|"
			  "1.0-1|fixed|Unknown",
			  "names are of source packages");
	CHECK_ROW(&recorder,
			  "affected|" RECORD "20311001|CVE-2031-1001|0|ubuntu:22.04|source|grault|dpkg|"
			  "-|-|end_of_life|Unknown",
			  "a decision");
	CHECK_ROW(&recorder,
			  "affected|" RECORD "20311001|CVE-2031-1001|2|ubuntu:22.04|source|waldo|dpkg|"
			  "-|-|not_affected|Unknown",
			  "what is not affected");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 3, "what nobody knows is not said");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
}

/* Definitions of packages, whose names stand in patterns for a manifest's lines. */
static void
check_packages(void)
{
#define LINE(name) VALUE("^" name "(?::\\w+|)\\s+(.*)$")
	CHECK_INT(
		read_text(DOCUMENT(
			DEFINITION(
				"22040001",
				"<title>quux</title><reference source='Package' ref_id='quux'/>"
				"<advisory><cve priority='high' usns='9001-1'>CVE-2031-1001</cve>"
				"<cve priority='negligible' usns='9001-1,9002-2'>CVE-2031-1002</cve></advisory>",
				"<criteria>" OR(TEST_OF("1", "(CVE-2031-1002) quux package has been fixed")
									TEST_OF("1", "(CVE-2031-1001) quux package has been fixed")
										TEST_OF("1", "quux package is affected")) "</criteria>"),
			"<tests><i:textfilecontent54_test xmlns:i='http://i/' id='" ID(
				"tst",
				"1") "'>"
					 "<i:object object_ref='" ID("obj", "1") "'/><i:state state_ref='" ID(
						 "ste",
						 "1") "'/>"
							  "</i:textfilecontent54_test></"
							  "tests><objects><i:textfilecontent54_object "
							  "xmlns:i='http://i/' id='" ID(
								  "obj",
								  "1") "'><i:filename>manifest</i:filename>"
									   "<i:pattern operation='pattern match' var_ref='" ID(
										   "var",
										   "1") "'/>"
												"</i:textfilecontent54_object></"
												"objects><states><i:textfilecontent54_state "
												"xmlns:i='http://i/' id='" ID(
													"ste",
													"1") "'><i:subexpression operation='less than'>"
														 "0:1.0-1</i:subexpression></"
														 "i:textfilecontent54_state></"
														 "states><variables>" VARIABLE(
															 "1",
															 LINE("libquux++1.0") LINE(
																 "linux-image-(?:unsigned-)?5.15.0-"
																 "\\d+")) "</variables>")),
		CLAIR_OK, "a document by package, for containers");
	CHECK_ROW(&recorder,
			  "affected|" RECORD "22040001|CVE-2031-1001|0|ubuntu:22.04|binary|libquux++1.0|"
			  "dpkg|-|0:1.0-1|fixed|High|-|-|-|-|USN-9001-1",
			  "a vulnerability, with its own priority and notice");
	CHECK_ROW(&recorder,
			  "affected|" RECORD "22040001|CVE-2031-1002|0|ubuntu:22.04|binary|libquux++1.0|"
			  "dpkg|-|0:1.0-1|fixed|Negligible",
			  "another one: which of two notices it is, is not said");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 2, "patterns of kernels are no names");
	CHECK_ROW(&recorder,
			  "broken|com.ubuntu.jammy.cve.oval.xml.bz2|" RECORD
			  "22040001|a criterion names no vulnerability",
			  "a criterion of none");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 1, "nothing else is broken");
}

static void
check_broken(void)
{
	CHECK_INT(
		read_text(DOCUMENT(
			CVE_DEFINITION("20311001", "CVE-2031-1001", "Low",
						   OR(TEST_OF("99", "a test that is not there") TEST_OF(
							   "7", "a state that is not there") TEST_OF("1", "quux package")))
				CVE_DEFINITION(
					"20311002", "CVE-2031-1002", "Low",
					TEST_OF(
						"bad",
						"x")) "<definition id='oval:com.ubuntu.never:def:1'/><definition id='x'/>",
			TESTS)),
		CLAIR_OK, "what is broken in definitions does not fail the run");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 2, "what is right stays");
#define BROKEN "broken|com.ubuntu.jammy.cve.oval.xml.bz2|"
	CHECK_ROW(&recorder, BROKEN RECORD "20311001|CVE-2031-1001: a test is missing", "tests");
	CHECK_ROW(&recorder, BROKEN RECORD "20311002|CVE-2031-1002: a test is missing", "no test");
	CHECK_ROW(&recorder,
			  BROKEN "com.ubuntu.jammy.cve/oval:com.ubuntu.never:def:1|its release is not known",
			  "an unknown release");
	CHECK_ROW(&recorder, BROKEN "com.ubuntu.jammy.cve/x|its release is not known", "no release");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 4, "each once");

	CHECK_INT(read_text("<oval_definitions><definitions>"), CLAIR_INVALID,
			  "a document that is cut");
	CHECK_TEXT(
		clair_bytes(recorder.error.message),
		"document \"com.ubuntu.jammy.cve.oval.xml.bz2\": line 1: the document ends too early",
		"fails it");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	xml_initialize();
	check_listing();
	check_today();
	check_digests();
	check_2018();
	check_packages();
	check_broken();
	check_oval_sample(&recorder, "ubuntu-oval", "feeds/ubuntu/com.ubuntu.bionic.cve.oval.xml.bz2",
					  5689, 0);
	check_oval_sample(&recorder, "ubuntu-oval",
					  "feeds/ubuntu/oci.com.ubuntu.jammy.pkg.oval.xml.bz2", 2116, 0);
	recorder_clear(&recorder);
	return unit_result();
}
