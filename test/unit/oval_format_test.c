/*
 * oval_format_test.c
 *    Proves that OVAL of any source becomes rows by what its tests say, as its updater's options
 * say.
 */
#include "oval_text.h"

#define DEFINITION(number, metadata, criteria)                                                     \
	"<definition id='oval:acme:def:" number "' version='1' class='patch'><metadata>" metadata      \
	"</metadata>" criteria "</definition>"
#define CVE "<reference source='CVE' ref_id='CVE-2031-1001' ref_url='https://x/CVE-2031-1001'/>"
#define ADVISORY                                                                                   \
	"<title>AC-1: quux</title><reference source='AC' ref_id='AC-1' ref_url='https://x/AC-1'/>" CVE \
	"<description>a flaw</description><advisory><severity>Moderate</severity></advisory>"
#define TESTED(number, comment)                                                                    \
	"<criterion test_ref='oval:acme:tst:" number "' comment='" comment "'/>"
#define TEST(kind, number, attributes, state)                                                      \
	"<l:" kind "info_test id='oval:acme:tst:" number "' " attributes                               \
	"><l:object object_ref='oval:acme:obj:1'/>" state "</l:" kind "info_test>"
#define HAS(number) "<l:state state_ref='oval:acme:ste:" number "'/>"
#define STATE(kind, number, content)                                                               \
	"<l:" kind "info_state id='oval:acme:ste:" number "'>" content "</l:" kind "info_state>"
#define EVR(operation, evr) "<l:evr operation='" operation "'>" evr "</l:evr>"
#define TESTS(kind)                                                                                \
	"<tests>" TEST(kind, "1", "", HAS("1")) TEST(kind, "2", "", HAS("2")) TEST(kind, "3", "", "")  \
		TEST(kind, "4", "check_existence='none_exist'", "") TEST(kind, "5", "", HAS("5"))          \
			TEST(kind, "6", "", HAS("6"))                                                          \
				TEST(kind, "7", "",                                                                \
					 HAS("7")) "</tests><objects><l:" kind                                         \
							   "info_object id='oval:acme:obj:1'><l:name>quux</l:name></l:" kind   \
							   "info_object></objects><states>" STATE(kind, "1",                   \
																	  EVR("less than", "0:1.2-3")) \
								   STATE(kind, "2", "<l:version operation='equals'>9</l:version>") \
									   STATE(kind, "5", EVR("greater than", "0:1-1"))              \
										   STATE(kind, "6", EVR("less than or equal", "0:2-1"))    \
											   STATE(kind, "7",                                    \
													 EVR("greater than", "0:0")) "</states>"

#define ROW(number, name, namespace, rest)                                                         \
	"affected|index/oval:acme:def:" number "|" name "|0|" namespace "|" rest

static Recorder recorder;

static ClairStatus
read_text(const char *options, const char *text)
{
	UpdaterDocument document = feed_text("index", "https://x/", text);

	recorder_clear(&recorder);
	recorder.options = options;
	return feed_read("oval", &document, 1, &recorder);
}

static void
check_documents(void)
{
	CHECK_INT(
		read_text("{\"namespace\":\"almalinux:9\"}",
				  "clair directory listing\na.xml\na.xml.bz2\na.xml.gz\nREADME\nb.oval.xml\n"),
		CLAIR_OK, "a folder");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|a.xml.gz|a.xml.gz|0|plain\n"
			   "\nfurther|index|b.oval.xml|b.oval.xml|0|plain\n",
			   "every document of it once");
	CHECK_INT(read_text("{\"namespace\":\"almalinux:9\"}", "clair directory listing\n"),
			  CLAIR_INVALID, "an empty one");
	CHECK_INT(read_text("{\"namespace\":\"\"}", DOCUMENT("", "")), CLAIR_PROTOCOL, "no namespace");
	CHECK_INT(read_text("{\"namespace\":\"almalinux:9\",\"releases\":[]}", DOCUMENT("", "")),
			  CLAIR_PROTOCOL, "releases that are no map");
}

static void
check_rpm(void)
{
#define BUILD TESTED("1", "quux is earlier than 0:1.2-3")
	CHECK_INT(
		read_text(
			"{\"namespace\":\"almalinux:9\"}",
			DOCUMENT(DEFINITION("1", ADVISORY,
								OR(TESTED("2", "Acme must be installed")
									   AND(TESTED("2", "Acme 9 is installed")
											   TESTED("9", "Module quux:1 is enabled") BUILD TESTED(
												   "2", "quux is signed with the key of Acme"))))
						 DEFINITION("2", CVE, AND(TESTED("3", "quux is installed"))) DEFINITION(
							 "3", ADVISORY, AND(TESTED("4", "quux is not installed")))
							 DEFINITION("4", ADVISORY, AND(TESTED("8", "quux is earlier than 1")))
								 DEFINITION("5", ADVISORY, AND(TESTED("5", "quux is later than 1")))
									 DEFINITION("6", ADVISORY,
												AND(TESTED("6", "quux is 2")
														TESTED("7", "quux is there"))),
					 TESTS("rpm"))),
		CLAIR_OK, "rpm packages");
	CHECK_ROW(&recorder,
			  ROW("1", "CVE-2031-1001", "almalinux:9",
				  "binary|quux|rpm|-|0:1.2-3|fixed|Medium|-|quux:1||-|AC-1"),
			  "a fix of a module");
	CHECK(strstr(recorder.rows, "|AC-1: quux|https://x/AC-1\n") != NULL, "what an advisory says");
	CHECK_ROW(&recorder,
			  ROW("2", "CVE-2031-1001", "almalinux:9", "binary|quux|rpm|-|-|affected|Unknown|-||"),
			  "what is there and has no fix");
	CHECK_ROW(&recorder,
			  ROW("3", "CVE-2031-1001", "almalinux:9",
				  "binary|quux|rpm|-|-|not_affected|Medium|-||"),
			  "what must not be there");
	CHECK_ROW(&recorder, "broken|index|index/oval:acme:def:4|quux: a test is missing",
			  "a test that is not there");
	CHECK_ROW(&recorder, "broken|index|index/oval:acme:def:5|quux: a test is of a later version",
			  "a test of another kind of range");
	CHECK_ROW(&recorder,
			  ROW("6", "CVE-2031-1001", "almalinux:9",
				  "binary|quux|rpm|-|-|affected|Medium|-|||-|-|0:2-1"),
			  "a last affected version");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 4, "nothing else");
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

static void
check_releases(void)
{
	CHECK_INT(read_text("{\"namespace\":\"almalinux:9\",\"releases\":"
						"{\"Acme 8 is installed\":\"almalinux:8\"}}",
						DOCUMENT(DEFINITION("1", CVE,
											OR(AND(TESTED("2", "Acme 8 is installed") BUILD)
												   AND(TESTED("2", "Acme 7 is installed") BUILD))),
								 TESTS("rpm"))),
			  CLAIR_OK, "releases");
	CHECK_ROW(&recorder,
			  ROW("1", "CVE-2031-1001", "almalinux:8",
				  "binary|quux|rpm|-|0:1.2-3|fixed|Unknown|-||"),
			  "the one that is asked for");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "another one is none of ours");
}

static void
check_dpkg(void)
{
	CHECK_INT(
		read_text("{\"namespace\":\"debian:11\",\"kind\":\"source\"}",
				  DOCUMENT(DEFINITION("1", CVE, AND(TESTED("2", "Debian 11 is installed") BUILD)),
						   TESTS("dpkg"))),
		CLAIR_OK, "dpkg packages");
	CHECK_ROW(&recorder,
			  ROW("1", "CVE-2031-1001", "debian:11",
				  "source|quux|dpkg|-|0:1.2-3|fixed|Unknown|-||"),
			  "sources, with versions of dpkg");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	xml_initialize();
	check_documents();
	check_rpm();
	check_releases();
	check_dpkg();
	recorder_clear(&recorder);
	return unit_result();
}
