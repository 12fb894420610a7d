/*
 * redhat_oval_test.c
 *    Proves that Red Hat's OVAL, in both of its forms, becomes the rows that it means.
 */
#include "oval_text.h"

#define DEFINITION(number, class, metadata, criteria)                                              \
	"<definition id='oval:com.redhat.rhsa:def:" number                                             \
	"' version='601' class='" class "'><metadata>" metadata "</metadata>" criteria "</definition>"
#define ADVISORY(details)                                                                          \
	"<title>RHSA-2031:0001: quux security update (Moderate)</title>"                               \
	"<reference source='RHSA' ref_id='RHSA-2031:0001-00' ref_url='https://x/RHSA-2031:0001'/>"     \
	"<reference source='CVE' ref_id='CVE-2031-1001' ref_url='https://x/CVE-2031-1001'/>"           \
	"<description>text</description><advisory><severity>Moderate</severity>" details "</advisory>"
#define FLAW(details)                                                                              \
	"<title>CVE-2031-2001 quux: overflow (low)</title>"                                            \
	"<reference source='CVE' ref_id='CVE-2031-2001' ref_url='https://x/CVE-2031-2001'/>"           \
	"<description>a flaw</description><advisory><severity>Low</severity>" details "</advisory>"
#define CPES(cpe) "<affected_cpe_list><cpe>" cpe "</cpe><cpe>cpe:/a:b:c</cpe></affected_cpe_list>"
#define CPE		  "cpe:/o:redhat:enterprise_linux:9"

#define PACKAGE(number, name, evr)                                                                 \
	AND("<criterion test_ref='oval:com.redhat.rhsa:tst:" number "' comment='" name                 \
		" is earlier than " evr                                                                    \
		"'/>" CRITERION(name " is signed with Red Hat redhatrelease2 key"))
#define RELEASE(words)	  CRITERION("Red Hat Enterprise Linux " words " is installed")
#define GUARDED(criteria) OR(CRITERION("Red Hat Enterprise Linux must be installed") AND(criteria))

#define TESTS                                                                                      \
	"<tests><l:rpminfo_test id='oval:com.redhat.rhsa:tst:2'>"                                      \
	"<l:object object_ref='oval:com.redhat.rhsa:obj:2'/>"                                          \
	"<l:state state_ref='oval:com.redhat.rhsa:ste:2'/></l:rpminfo_test></tests>"                   \
	"<objects><l:rpminfo_object id='oval:com.redhat.rhsa:obj:2'><l:name>quux</l:name>"             \
	"</l:rpminfo_object></objects><states><l:rpminfo_state id='oval:com.redhat.rhsa:ste:2'>"       \
	"<l:arch operation='pattern match'>x86_64|aarch64</l:arch>"                                    \
	"<l:evr operation='less than'>0:1.2-3.el9</l:evr></l:rpminfo_state></states>"

#define ROW(cve, number, rest)                                                                     \
	"affected|index/oval:com.redhat.rhsa:def:1|" cve "|" number "|rhel:" rest

static Recorder recorder;

static ClairStatus
read_definitions(const char *text)
{
	return read_oval(&recorder, "redhat-oval", "index", text);
}

static void
check_documents(void)
{
	CHECK_INT(read_definitions("clair directory listing\nPULP_MANIFEST\nREADME\n"), CLAIR_OK,
			  "a folder with a manifest");
	CHECK_TEXT(clair_bytes(recorder.rows), "\nfurther|index|PULP_MANIFEST|PULP_MANIFEST|0|plain\n",
			   "the manifest is asked");
	CHECK_INT(read_oval(&recorder, "redhat-oval", "PULP_MANIFEST",
						"RHEL9/rhel-9.oval.xml.bz2,aa,1\n"
						"RHEL9/rhel-9-including-unpatched.oval.xml.bz2,aa,1\n"
						"RHEL8/ansible-2.oval.xml.bz2,bb,2\nfeed.json,cc,3\n/etc/a.xml,1\n"
						"../x.xml,1\nbroken.xml\n"),
			  CLAIR_OK, "a manifest");
	CHECK_TEXT(
		clair_bytes(recorder.rows),
		"\nfurther|PULP_MANIFEST|RHEL8/ansible-2.oval.xml.bz2|RHEL8/ansible-2.oval.xml.bz2|0|"
		"plain\n\nfurther|PULP_MANIFEST|RHEL9/rhel-9-including-unpatched.oval.xml.bz2|"
		"RHEL9/rhel-9-including-unpatched.oval.xml.bz2|0|plain\n",
		"every stream once, with what is not fixed");
	CHECK_INT(read_definitions("clair directory listing\ncom.redhat.rhsa-RHEL7.xml\n"
							   "com.redhat.rhsa-RHEL7.xml.bz2\ncom.redhat.rhsa-RHEL8.xml.bz2\n"),
			  CLAIR_OK, "a folder of the first form");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 2, "every document once");
	CHECK_INT(read_definitions("a,b\n"), CLAIR_INVALID, "a manifest of nothing");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": it names no document of Red Hat", "fails the run");
}

static void
check_first_form(void)
{
	CHECK_INT(read_definitions(DOCUMENT(
				  DEFINITION("1", "patch", ADVISORY(CPES("cpe:/o:redhat:enterprise_linux:7")),
							 AND(OR(RELEASE("7 Client") RELEASE("7 Server") RELEASE("7 Workstation")
										RELEASE("7 ComputeNode"))
									 OR(PACKAGE("1", "quux", "0:1.2-3.el7")
											PACKAGE("1", "quux-libs", "0:1.2-3.el7")))),
				  "")),
			  CLAIR_OK, "the first form");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1001", "0",
				  "7|binary|quux|rpm|-|0:1.2-3.el7|fixed|Medium|-|||cpe:/a:b:c "
				  "cpe:/o:redhat:enterprise_linux:7 rhel:7|RHSA-2031:0001"),
			  "all variants are one release");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 2, "each package once");
	CHECK(strstr(recorder.rows, "|RHSA-2031:0001: quux security update (Moderate)|"
								"https://x/RHSA-2031:0001\n") != NULL,
		  "described by the title, linked to the advisory");
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

static void
check_second_form(void)
{
	CHECK_INT(
		read_definitions(DOCUMENT(
			DEFINITION(
				"1", "patch",
				ADVISORY("<cve impact='low'>CVE-2031-1001</cve><cve>CVE-2031-1002</cve>" CPES(CPE)),
				GUARDED(RELEASE("9") CRITERION("quux earlier than 0:1 is currently running") OR(
					PACKAGE("2", "quux", "0:1.2-3.el9") AND(CRITERION("Module perl:5.32 is enabled")
																PACKAGE("9", "perl", "4:5.32-1")))))
				DEFINITION("2", "patch", ADVISORY(CPES("cpe:/a:redhat:rhel_eus:9.2")),
						   GUARDED(OR(RELEASE("9") CRITERION("Red Hat CoreOS 4 is installed"))
									   PACKAGE("9", "quux", "0:1.1-9.el9_2"))),
			TESTS)),
		CLAIR_OK, "the second form");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1001", "0",
				  "9|binary|perl|rpm|-|4:5.32-1|fixed|Low|-|perl:5.32||cpe:/a:b:c " CPE
				  " rhel:9|RHSA-2031:0001"),
			  "a module; a severity of its own");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-1002", "1",
				  "9|binary|quux|rpm|-|0:1.2-3.el9|fixed|Medium|aarch64 x86_64|||"
				  "cpe:/a:b:c " CPE " rhel:9|RHSA-2031:0001"),
			  "architectures of the state; the severity of all");
	CHECK_ROW(&recorder,
			  "affected|index/oval:com.redhat.rhsa:def:2|CVE-2031-1001|0|rhel:9|binary|quux|rpm|-|"
			  "0:1.1-9.el9_2|fixed|Medium|-|||cpe:/a:b:c cpe:/a:redhat:rhel_eus:9.2|RHSA-2031:0001",
			  "another stream is not for images whose repositories are unknown");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 5, "other systems are not of our concern");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
}

static void
check_unfixed(void)
{
#define RESOLUTION(state, component)                                                               \
	"<resolution state='" state "'><component>" component "</component></resolution>"
#define THERE(name) CRITERION(name " is installed")
	CHECK_INT(
		read_definitions(DOCUMENT(
			DEFINITION("1", "vulnerability",
					   FLAW("<affected>" RESOLUTION("Will not fix", "quux")
								RESOLUTION("Out of support scope", "perl:5.32/perl")
									RESOLUTION("Fix deferred", "waldo")
										RESOLUTION("Affected", "grault") "</affected>" CPES(CPE)),
					   GUARDED(RELEASE("9") OR(THERE("quux") THERE("perl") THERE("waldo") THERE(
						   "grault") AND(CRITERION("plugh is installed")
											 CRITERION("plugh is not installed")))))
				DEFINITION("2", "vulnerability",
						   FLAW("<affected>" RESOLUTION("Will not fix", "other") "</affected>"),
						   GUARDED(RELEASE("9") THERE("quux"))),
			"")),
		CLAIR_OK, "what is not fixed");
#define CPE_ROW "|Low|-|||cpe:/a:b:c " CPE " rhel:9"
	CHECK_ROW(&recorder, ROW("CVE-2031-2001", "0", "9|binary|grault|rpm|-|-|affected" CPE_ROW),
			  "affected");
	CHECK_ROW(&recorder, ROW("CVE-2031-2001", "1", "9|binary|perl|rpm|-|-|end_of_life" CPE_ROW),
			  "out of support, of a component in a module");
	CHECK_ROW(&recorder, ROW("CVE-2031-2001", "2", "9|binary|plugh|rpm|-|-|not_affected" CPE_ROW),
			  "there and not there: not affected");
	CHECK_ROW(&recorder, ROW("CVE-2031-2001", "3", "9|binary|quux|rpm|-|-|will_not_fix" CPE_ROW),
			  "will not be fixed");
	CHECK_ROW(&recorder, ROW("CVE-2031-2001", "4", "9|binary|waldo|rpm|-|-|deferred" CPE_ROW),
			  "put off");
	CHECK_ROW(
		&recorder,
		"affected|index/oval:com.redhat.rhsa:def:2|CVE-2031-2001|0|rhel:9|binary|quux|rpm|-|-|"
		"will_not_fix|Low|-||",
		"one resolution is meant for all, and without CPEs no repository is asked");
	CHECK(strstr(recorder.rows, "|a flaw|https://x/CVE-2031-2001\n") != NULL,
		  "described by itself");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	xml_initialize();
	check_documents();
	check_first_form();
	check_second_form();
	check_unfixed();
	check_oval_sample(&recorder, "redhat-oval", "feeds/redhat/clair2/fetcher_rhel_test.1.xml", 1,
					  1);
	check_oval_sample(&recorder, "redhat-oval",
					  "feeds/redhat/vuls-redhat-oval-v2/testdata/fixtures/oval/v2/RHEL9/"
					  "rhel-9-including-unpatched.oval.xml.bz2",
					  4, 0);
	recorder_clear(&recorder);
	return unit_result();
}
