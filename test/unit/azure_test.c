/*
 * azure_test.c
 *    Proves that the definitions of Azure Linux and CBL-Mariner become the rows that they mean, by
 *    their tests; and that GitHub's answers and listings name the documents of all releases.
 */
#include "oval_text.h"

/* A definition of one CVE; its tests are numbered behind its number. */
#define DEFINITION(number, cve, patchable, criteria)                                               \
	"<definition id='oval:com.microsoft.azurelinux:def:" number "' version='1'><metadata>"         \
	"<title>" cve " affecting package quux</title><reference source='CVE' ref_id='" cve            \
	"' ref_url='https://x/" cve "'/><patchable>" patchable "</patchable>"                          \
	"<advisory_id>" number "-1</advisory_id><severity>High</severity></metadata>"                  \
	"<criteria operator='AND'>" criteria "</criteria></definition>"
#define TEST_REF(number)                                                                           \
	"<criterion comment='x' test_ref='oval:com.microsoft.azurelinux:tst:" number "'/>"

#define TEST(number)                                                                               \
	"<l:rpminfo_test id='oval:com.microsoft.azurelinux:tst:" number "'>"                           \
	"<l:object object_ref='oval:com.microsoft.azurelinux:obj:1'/>"                                 \
	"<l:state state_ref='oval:com.microsoft.azurelinux:ste:" number "'/></l:rpminfo_test>"
#define STATE(number, operation, evr)                                                              \
	"<l:rpminfo_state id='oval:com.microsoft.azurelinux:ste:" number                               \
	"'><l:evr datatype='evr_string' operation='" operation "'>" evr "</l:evr></l:rpminfo_state>"
#define FACTS                                                                                      \
	"<tests>" TEST("1") TEST("2") TEST("3") TEST("4") TEST("5")                                    \
		TEST("6") "</tests>"                                                                       \
				  "<objects><l:rpminfo_object "                                                    \
				  "id='oval:com.microsoft.azurelinux:obj:1'><l:name>quux</l:name>"                 \
				  "</l:rpminfo_object></objects>"                                                  \
				  "<states>" STATE("1", "less than", "0:1.2-3.azl3")                               \
					  STATE("2", "greater than", "0:0.0.0.azl3")                                   \
						  STATE("3", "greater than", "0:1.1.azl3")                                 \
							  STATE("4", "less than or equal", "0:1.2-2.azl3")                     \
								  STATE("5", "pattern match", "1")                                 \
									  STATE("6", "less than", "0:1 2") "</states>"

#define ROW(number, cve, rest)                                                                     \
	"affected|azurelinux-3.0-oval/oval:com.microsoft.azurelinux:def:" number "|" cve               \
	"|0|azurelinux:3.0|binary|quux|rpm|" rest

static Recorder recorder;

static ClairStatus
read_definitions(const char *text)
{
	return read_oval(&recorder, "azure", "azurelinux-3.0-oval.xml", text);
}

static void
check_names(void)
{
	CHECK_INT(
		read_oval(&recorder, "azure", "index",
				  "[{\"name\":\"osv\",\"download_url\":null},"
				  "{\"name\":\"azurelinux-4.0-oval.xml\",\"size\":1,"
				  "\"download_url\":\"https://raw.x/azurelinux-4.0-oval.xml\"},"
				  "{\"name\":\"cbl-mariner-2.0-oval.xml\",\"download_url\":\"https://raw.x/m\"},"
				  "{\"name\":\"cbl-mariner-2.0-preview-oval.xml\",\"download_url\":\"https://x/\"},"
				  "{\"name\":\"cbl-mariner-ui-1.0-oval.xml\",\"download_url\":\"https://x/\"},"
				  "{\"name\":\"README.md\",\"download_url\":\"https://x/\"}]"),
		CLAIR_OK, "what GitHub says");
	CHECK_TEXT(
		clair_bytes(recorder.rows),
		"\nfurther|index|azurelinux-4.0-oval.xml|https://raw.x/azurelinux-4.0-oval.xml|0|plain\n"
		"\nfurther|index|cbl-mariner-2.0-oval.xml|https://raw.x/m|0|plain\n",
		"the documents of releases, where they are");
	CHECK_INT(
		read_oval(&recorder, "azure", "index",
				  "clair directory listing\nazurelinux-3.0-oval.xml.gz\nazurelinux-oval.xml\n"),
		CLAIR_OK, "a folder");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|azurelinux-3.0-oval.xml.gz|azurelinux-3.0-oval.xml.gz|0|plain\n",
			   "whatever they are compressed with");
	CHECK_INT(read_oval(&recorder, "azure", "index", "[{\"name\":\"README.md\"}]"), CLAIR_INVALID,
			  "a repository without any");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": it names no document of Azure Linux", "is refused");
	CHECK_INT(read_oval(&recorder, "azure", "index", "[{\"name\":1}]"), CLAIR_INVALID,
			  "a name that is none");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": byte 9: it is not a string", "is refused");
	CHECK_INT(read_oval(&recorder, "azure", "index",
						DOCUMENT(DEFINITION("1", "CVE-2031-1001", "true", TEST_REF("1")), FACTS)),
			  CLAIR_INVALID, "a document whose URL does not name a release");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": its name does not say of which release it is", "is refused");
}

static void
check_bounds(void)
{
	CHECK_INT(read_definitions(DOCUMENT(
				  DEFINITION("1", "CVE-2031-1001", "true", TEST_REF("1"))
					  DEFINITION("2", "CVE-2031-1002", "true", TEST_REF("1") TEST_REF("2"))
						  DEFINITION("3", "CVE-2031-1003", "true", TEST_REF("1") TEST_REF("3"))
							  DEFINITION("4", "CVE-2031-1004", "false", TEST_REF("4"))
								  DEFINITION("5", "CVE-2031-1005", "Not Applicable", TEST_REF("4"))
									  DEFINITION("6", "CVE-2031-1006", "false", TEST_REF("3")),
				  FACTS)),
			  CLAIR_OK, "bounds of versions");
	CHECK_ROW(&recorder, ROW("1", "CVE-2031-1001", "-|0:1.2-3.azl3|fixed|High|-|||-|1-1"), "a fix");
	CHECK_ROW(&recorder, ROW("2", "CVE-2031-1002", "-|0:1.2-3.azl3|fixed|High|-|||-|2-1"),
			  "above the lowest version is above none");
	CHECK_ROW(&recorder, ROW("3", "CVE-2031-1003", "0:1.1.azl3|0:1.2-3.azl3|fixed|High|-|||-|3-1"),
			  "above another one");
	CHECK_ROW(&recorder, ROW("4", "CVE-2031-1004", "-|-|affected|High|-|||-|-|0:1.2-2.azl3"),
			  "no fix, up to the newest build");
	CHECK_ROW(&recorder, ROW("6", "CVE-2031-1006", "0:1.1.azl3|-|affected|High|-||"),
			  "from a version on");
	CHECK_INT(recorder.counts[WIRE_RECORD], 6, "what is not applicable is a record");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 5, "and says nothing");
	CHECK(strstr(recorder.rows,
				 "|CVE-2031-1001 affecting package quux|https://x/CVE-2031-1001\n") != NULL,
		  "the title describes it");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

static void
check_broken(void)
{
	CHECK_INT(read_definitions(DOCUMENT(
				  DEFINITION("1", "CVE-2031-1001", "true", TEST_REF("99"))
					  DEFINITION("2", "CVE-2031-1002", "true", TEST_REF("5"))
						  DEFINITION("3", "CVE-2031-1003", "true", TEST_REF("6"))
							  DEFINITION("4", "CVE-2031-1004", "true", TEST_REF("1") TEST_REF("4"))
								  DEFINITION("5", "CVE-2031-1005", "true", ""),
				  FACTS)),
			  CLAIR_OK, "broken definitions do not fail the run");
#define BROKEN(number, reason)                                                                     \
	"broken|azurelinux-3.0-oval.xml|azurelinux-3.0-oval/"                                          \
	"oval:com.microsoft.azurelinux:def:" number "|" reason
	CHECK_ROW(&recorder, BROKEN("1", "a test is missing"), "a test");
	CHECK_ROW(&recorder, BROKEN("2", "a test is not understood"), "another operation");
	CHECK_ROW(&recorder, BROKEN("3", "quux: blank within the version"), "a version that is none");
	CHECK_ROW(&recorder, BROKEN("4", "quux: it has two bounds for a version"), "two ends");
	CHECK_ROW(&recorder, BROKEN("5", "a package has no release"), "no test");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 5, "each once");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 0, "and nothing of them stays");
}

/* Which digest the record of a definition has, whose test's state is this. */
static void
read_digest(const char *operation, const char *evr, char digest[65])
{
	char text[2048];
	const char *found;

	snprintf(
		text, sizeof(text),
		DOCUMENT(DEFINITION("1", "CVE-2031-1001", "true", TEST_REF("1")),
				 "<tests>" TEST("1") "</tests><objects><rpminfo_object "
									 "id='oval:com.microsoft.azurelinux:obj:1'><name>quux</name>"
									 "</rpminfo_object></objects><states>" STATE("1", "%s",
																				 "%s") "</states>"),
		operation, evr);
	CHECK_INT(read_definitions(text), CLAIR_OK, operation);
	found = strstr(recorder.rows, "def:1|");
	snprintf(digest, 65, "%s", found != NULL ? found + 6 : "");
}

static void
check_digests(void)
{
	char below[65];
	char up_to[65];
	char above[65];

	read_digest("less than", "0:1-1", below);
	read_digest("less than or equal", "0:1-1", up_to);
	read_digest("greater than", "0:1-1", above);
	CHECK(strcmp(below, up_to) != 0 && strcmp(below, above) != 0 && strcmp(up_to, above) != 0,
		  "what a state asks for is part of the record");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	xml_initialize();
	check_names();
	check_bounds();
	check_broken();
	check_digests();
	recorder_clear(&recorder);
	return unit_result();
}
