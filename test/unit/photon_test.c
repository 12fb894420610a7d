/*
 * photon_test.c
 *    Proves that Photon OS's listing and definitions become the rows that they mean, whatever
 *    numbers the definitions have in an edition.
 */
#include "oval_text.h"

#define DEFINITION(number, references, description, advisory, criteria)                            \
	"<definition id='oval:com.vmware.phsa:def:20315" number "' version='1' class='patch'>"         \
	"<metadata><title>PHSA-2031:" number " quux Security Update. (Important)</title>"              \
	"<affected family='unix'><platform>Photon 5</platform></affected>" references                  \
	"<description>" description "</description><advisory><severity>Important</severity>" advisory  \
	"</advisory></metadata>" criteria "</definition>"
#define PHSA(number, release, advisory)                                                            \
	"<reference ref_id='PHSA:" number ":" release ":" advisory "' ref_url='https://x/" advisory    \
	"' source='PHSA'/>"
#define CVE(number, name)                                                                          \
	"<reference ref_id='CVE:" number ":" name "' ref_url='https://x/" name "' source='CVE'/>"
#define UPDATE(package, version)                                                                   \
	"This update upgrade " package " to " version " #Fixes {'CVE-2031-1001'}"
#define RELEASE(number) CRITERION("Photon OS " number " is installed")
#define PACKAGE(name, evr)                                                                         \
	AND(CRITERION(name " is earlier than " evr) CRITERION(name " is signed with VMware key"))

static Recorder recorder;

static ClairStatus
read_definitions(const char *text)
{
	return read_oval(&recorder, "photon", "index", text);
}

static void
check_listing(void)
{
	CHECK_INT(read_definitions("<html><title>Index of photon/photon_oval_definitions/</title>"
							   "<a href=\"../\"><a href=\"com.vmware.phsa-photon3.xml\">"
							   "<a href=\"com.vmware.phsa-photon3.xml.gz\">"
							   "<a href=\"com.vmware.phsa-photon3.xml.gz.sha256\">"
							   "<a href=\"com.vmware.phsa-photon4.xml\">"
							   "<a href=\"com.vmware.phsa-photon10.xml.zst\">"
							   "<a href=\"readme.xml\">"),
			  CLAIR_OK, "a listing");
	CHECK_TEXT(
		clair_bytes(recorder.rows),
		"\nfurther|index|com.vmware.phsa-photon10.xml.zst|com.vmware.phsa-photon10.xml.zst|0|"
		"plain\n"
		"\nfurther|index|com.vmware.phsa-photon3.xml.gz|com.vmware.phsa-photon3.xml.gz|0|"
		"plain\n"
		"\nfurther|index|com.vmware.phsa-photon4.xml|com.vmware.phsa-photon4.xml|0|plain\n",
		"every release once, compressed where it is");
	CHECK_INT(read_definitions("<html>maintenance</html>"), CLAIR_INVALID, "another page");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": it names no document of Photon OS", "is no listing");
}

#define FIRST(number)                                                                              \
	DEFINITION(number, PHSA(number, "5.0", "0100") CVE(number, "CVE-2031-1001"),                   \
			   UPDATE("quux", "1.2-3.ph5"), "<cve>CVE-2031-1001</cve><cve>CVE-2031-1002</cve>",    \
			   AND(RELEASE("5")                                                                    \
					   OR(PACKAGE("quux", "0:1.2-3.ph5") PACKAGE("quux-libs", "0:1.2-3.ph5"))))
#define SECOND(number)                                                                             \
	DEFINITION(number, CVE(number, "CVE-2031-1003"), UPDATE("quux", "1.3-1.ph5"), "",              \
			   AND(RELEASE("5.1") PACKAGE("quux", "0:1.3-1.ph5")))

static void
check_definitions(void)
{
	char *first;

	CHECK_INT(read_definitions(DOCUMENT(FIRST("00001") SECOND("00002"), "<tests/>")), CLAIR_OK,
			  "two definitions");
	CHECK_ROW(&recorder,
			  "affected|index/PHSA-5.0-0100/quux-1.2-3.ph5|CVE-2031-1001|0|photon:5.0|binary|quux|"
			  "rpm|-|0:1.2-3.ph5|fixed|High|-|||-|PHSA-5.0-0100",
			  "a fix of a binary package");
	CHECK_ROW(&recorder,
			  "affected|index/PHSA-5.0-0100/quux-1.2-3.ph5|CVE-2031-1002|1|photon:5.0|binary|"
			  "quux-libs|rpm|-|0:1.2-3.ph5|fixed|High|-|||-|PHSA-5.0-0100",
			  "for each of them, and each CVE of the advisory");
	CHECK_ROW(&recorder,
			  "affected|index/quux-1.3-1.ph5|CVE-2031-1003|0|photon:5.1|binary|quux|"
			  "rpm|-|0:1.3-1.ph5|fixed|High*",
			  "a CVE that only a reference names, without its number; a release with a minor one");
	CHECK(strstr(recorder.rows, "|quux Security Update. (Important)|https://x/0100\n") != NULL,
		  "the title describes it without its number, the advisory is the link");
	CHECK(strstr(recorder.rows, "|quux Security Update. (Important)|https://x/CVE-2031-1003\n") !=
			  NULL,
		  "or the CVE's own one");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 5, "and no more");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	first = strdup(strstr(recorder.rows, "\nvulnerability|"));
	CHECK_INT(read_definitions(DOCUMENT(FIRST("00002") SECOND("00005"), "")), CLAIR_OK,
			  "the same with other numbers");
	CHECK_TEXT(clair_bytes(strstr(recorder.rows, "\nvulnerability|")), first, "says the same");
	free(first);
}

static void
check_names(void)
{
#define SAME(number, references, description)                                                      \
	DEFINITION(number, references, description, "<cve>CVE-2031-1001</cve>",                        \
			   AND(RELEASE("5") PACKAGE("quux", "0:1.2-3.ph5")))
	CHECK_INT(read_definitions(DOCUMENT(
				  SAME("00001", PHSA("00001", "5.0", "0100"), UPDATE("quux", "1.2-3.ph5"))
					  SAME("00002", PHSA("00002", "5.0", "0100"), UPDATE("quux", "1.2-3.ph5"))
						  SAME("00003", PHSA("00003", "5.0", "0100"), "changes")
							  SAME("00004", "<reference ref_id='PHSA:00004' source='PHSA'/>",
								   UPDATE("quux", "1.2-3.ph5")),
				  "")),
			  CLAIR_OK, "definitions of one name, and without one");
	CHECK_ROW(&recorder, "vulnerability|index/PHSA-5.0-0100/quux-1.2-3.ph5|CVE-2031-1001|*",
			  "the first one has the name");
	CHECK_ROW(&recorder, "vulnerability|index/oval:com.vmware.phsa:def:2031500002|CVE-2031-1001|*",
			  "others are called by their id");
	CHECK_ROW(&recorder, "vulnerability|index/oval:com.vmware.phsa:def:2031500003|CVE-2031-1001|*",
			  "as is one that is described in other words");
	CHECK_ROW(&recorder, "vulnerability|index/quux-1.2-3.ph5|CVE-2031-1001|*",
			  "a reference in another form names no advisory");
	CHECK_INT(recorder.counts[WIRE_RECORD], 4, "each is a record");
}

static void
check_broken(void)
{
	CHECK_INT(
		read_definitions(DOCUMENT(
			DEFINITION("00001", "", "x", "<cve>CVE-2031-1001</cve>",
					   AND(RELEASE("five") PACKAGE("a", "0:1-1")))
				DEFINITION("00002", "", "x", "<cve>CVE-2031-1001</cve>", PACKAGE("b", "0:1-1"))
					DEFINITION("00003", "", "x", "", AND(RELEASE("5") PACKAGE("c", "0:1-1")))
						DEFINITION("00004", "", "x", "<cve>CVE-2031-1001</cve>",
								   AND(RELEASE("5")
										   OR(CRITERION("d is blue") PACKAGE("e", "0:1-1")))),
			"")),
		CLAIR_OK, "broken definitions do not fail the run");
#define BROKEN(number, reason)                                                                     \
	"broken|index|index/oval:com.vmware.phsa:def:203150000" number "|" reason
	CHECK_ROW(&recorder, BROKEN("1", "a: a criterion is not understood"), "no number");
	CHECK_ROW(&recorder, BROKEN("2", "b: a package has no release"), "no release");
	CHECK_ROW(&recorder, BROKEN("3", "it names neither a vulnerability nor an advisory"), "no CVE");
	CHECK_ROW(&recorder, BROKEN("4", "a criterion is not understood"), "other words");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 4, "each once");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "what is right stays");
	CHECK_INT(read_oval(&recorder, "photon", "com.vmware.phsa-photon5.xml.gz", "<html/>"),
			  CLAIR_INVALID, "another document");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"com.vmware.phsa-photon5.xml.gz\": line 1: the document is \"html\", not "
			   "\"oval_definitions\"",
			   "fails it");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	xml_initialize();
	check_listing();
	check_definitions();
	check_names();
	check_broken();
	check_oval_sample(&recorder, "photon", "feeds/photon/com.vmware.phsa-photon3.xml.gz", 222, 0);
	recorder_clear(&recorder);
	return unit_result();
}
