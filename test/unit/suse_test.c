/*
 * suse_test.c
 *    Proves that SUSE's OVAL becomes the rows that it means, and what names of its products mean.
 */
#include "feed/suse_product.h"
#include "oval_text.h"

#define DEFINITION(number, class, metadata, criteria)                                              \
	"<definition id='oval:org.opensuse.security:def:" number                                       \
	"' version='1' class='" class "'>"                                                             \
								  "<metadata>" metadata "</metadata>" criteria "</definition>"
#define REFERENCE(source, id)                                                                      \
	"<reference source='" source "' ref_id='" id "' ref_url='https://x/" source "'/>"
#define FLAW(details)                                                                              \
	"<title>CVE-2031-1001</title>" REFERENCE("CVE", "Mitre CVE-2031-1001")                         \
		REFERENCE("SUSE CVE", "SUSE CVE-2031-1001")                                                \
			REFERENCE("SUSE-SU",                                                                   \
					  "SUSE-SU-2031:1-1") "<description>a "                                        \
										  "flaw</description><advisory><severity>Important</"      \
										  "severity>" details                                      \
										  "<cve impact='medium'>CVE-2031-1001 at "                 \
										  "SUSE</cve><cve>CVE-2031-1001 at NVD</cve></advisory>"
#define PRODUCT(name) CRITERION(name " is installed")
#define PACKAGE(number, name)                                                                      \
	"<criterion test_ref='oval:org.opensuse.security:tst:" number "' comment='" name               \
	" is installed'/>"

#define TEST(number, object, state)                                                                \
	"<l:rpminfo_test id='oval:org.opensuse.security:tst:" number "'>"                              \
	"<l:object object_ref='oval:org.opensuse.security:obj:" object "'/>"                           \
	"<l:state state_ref='oval:org.opensuse.security:ste:" state "'/></l:rpminfo_test>"
#define OBJECT(number, name)                                                                       \
	"<l:rpminfo_object id='oval:org.opensuse.security:obj:" number "'><l:name>" name               \
	"</l:name></l:rpminfo_object>"
#define STATE(number, content)                                                                     \
	"<l:rpminfo_state id='oval:org.opensuse.security:ste:" number "'>" content "</"                \
	"l:rpminfo_state>"
#define EVR(evr) "<l:evr operation='less than'>" evr "</l:evr>"
#define TESTS                                                                                      \
	"<tests>" TEST("1", "1", "1") TEST("2", "2", "1") TEST("3", "1", "3") TEST("4", "4", "4")      \
		TEST("5", "1", "5") "</tests><objects>" OBJECT("1", "quux") OBJECT("2", "quux-libs")       \
			OBJECT("4", "suse-release") "</objects><states>" STATE(                                \
				"1",                                                                               \
				"<l:arch operation='pattern match'>(aarch64|x86_64)</l:arch>" EVR("1:1.2-3.1"))    \
				STATE("3", EVR("1:1.2-150300.4.1"))                                                \
					STATE("4", "<l:version operation='equals'>10.2</l:version>")                   \
						STATE("5", EVR("0:0-0")) "</states>"

#define ROW(number, namespace, rest)                                                               \
	"affected|index/oval:org.opensuse.security:def:1|CVE-2031-1001|" number                        \
	"|" namespace "|binary|" rest

static Recorder recorder;

static ClairStatus
read_definitions(const char *text)
{
	return read_oval(&recorder, "suse", "index", text);
}

static void
check_product(const char *name, const char *namespaces, bool is_beside)
{
	Arena *arena = arena_create(1 << 20);
	SuseProduct product;

	CHECK(suse_product(arena, clair_bytes(name), &product), "memory");
	if (namespaces == NULL)
		CHECK(product.namespaces.data == NULL, name);
	else
	{
		CHECK_TEXT(product.namespaces, namespaces, name);
		CHECK_INT(product.is_beside, is_beside, "whether it is beside the distribution");
	}
	arena_destroy(arena);
}

static void
check_products(void)
{
	check_product("SUSE Linux Enterprise Server 15", "sles:15", false);
	check_product("SUSE Linux Enterprise Server 15 SP6", "sles:15.6", false);
	check_product("SUSE Linux Enterprise Server 16.0", "sles:16.0", false);
	check_product("SUSE Linux Enterprise Module for Basesystem 15 SP5", "sles:15.5", false);
	check_product("SUSE Linux Enterprise Module for Python 3 15 SP6", "sles:15.6", false);
	check_product("SUSE Linux Enterprise Module for Containers 12",
				  "sles:12 sles:12.1 sles:12.2 sles:12.3 sles:12.4 sles:12.5", false);
	check_product("SUSE Linux Enterprise Server 12", "sles:12", false);
	check_product("SUSE Linux Enterprise Server 15 SP6-LTSS", "sles:15.6", true);
	check_product("SUSE Linux Enterprise Server 15-LTSS", "sles:15", true);
	check_product("SUSE Linux Enterprise Server 11-SECURITY", "sles:11", true);
	check_product("SUSE Linux Enterprise Server 12 SP5-LTSS Extended Security", "sles:12.5", true);
	check_product("SUSE Linux Enterprise Server for SAP Applications 15 SP4", "sles:15.4", true);
	check_product("SUSE Linux Enterprise High Performance Computing 15 SP2-ESPOS", "sles:15.2",
				  true);
	check_product("SUSE Linux Enterprise Desktop 15 SP6", "sles:15.6", true);
	check_product("SUSE Package Hub 15 SP3", "sles:15.3", true);
	check_product("SUSE Package Hub for SUSE Linux Enterprise 12",
				  "sles:12 sles:12.1 sles:12.2 sles:12.3 sles:12.4 sles:12.5", true);
	check_product("SUSE Linux Enterprise Server 10 SP4 for IBM zSeries 64bit", "sles:10.4", true);
	check_product("SUSE Linux Enterprise Micro 5.3", "sle-micro:5.3", false);
	check_product("SUSE Linux Micro 6.1", "sl-micro:6.1", false);
	check_product("openSUSE Leap 15.6", "opensuse-leap:15.6", false);
	check_product("openSUSE 13.2", "opensuse-leap:13.2", false);
	check_product("openSUSE Leap Micro 5.2", "leap-micro:5.2", false);
	check_product("openSUSE Tumbleweed", "opensuse-tumbleweed:rolling", false);
	check_product("suse102", "opensuse-leap:10.2", false);
	check_product("suse111-debug", "opensuse-leap:11.1", true);
	check_product("core9", "sles:9", false);
	check_product("sles10-sp4", "sles:10.4", false);
	check_product("sles10-sp4-sdk", "sles:10.4", true);
	check_product("sled10", "sles:10", true);
	check_product("SUSE Linux Enterprise Server Teradata 12 SP3", NULL, false);
	check_product("SUSE Linux Enterprise Server 12 SP3-LTSS-TERADATA", NULL, false);
	check_product("SUSE Linux Enterprise Module for SUSE Manager Server 4.3", NULL, false);
	check_product("SUSE Linux Enterprise Storage 7", NULL, false);
	check_product("SUSE Manager Server 4.3", NULL, false);
	check_product("Open Enterprise Server 23.4", NULL, false);
	check_product("SUSE Linux Enterprise Server", NULL, false);
	check_product("SUSE Linux Enterprise Micro 5", NULL, false);
	check_product("SUSE Linux Enterprise Server 1500", NULL, false);
	check_product("openSUSE Leap 15.1500", NULL, false);
	check_product("sles", NULL, false);
	check_product("suse1", NULL, false);
	check_product("", NULL, false);
	check_product("zlib-1.2", NULL, false);
}

static void
check_documents(void)
{
#define FURTHER(name) "further|index|" name "|" name "|0|plain\n"
	CHECK_INT(
		read_definitions(
			"clair directory listing\nLICENSE\nmoblin.21.xml.gz\nopensuse.10.2.xml\n"
			"opensuse.leap.15.2-affected.xml\nopensuse.leap.15.2-patch.xml\n"
			"opensuse.leap.15.2.xml\nopensuse.leap.15.2.xml.gz\norg.opensuse.CVE-2008-5679.xml.gz\n"
			"suse.linux.enterprise.15-affected.xml\nsuse.linux.enterprise.15-affected.xml.bz2\n"
			"suse.linux.enterprise.15-affected.xml.gz\nsuse.linux.enterprise.15-patch.xml.gz\n"
			"suse.linux.enterprise.15-sp1-affected.xml.gz\nsuse.linux.enterprise.15.xml.gz\n"
			"suse.linux.enterprise.16.0-patch.xml.gz\nsuse.linux.enterprise.desktop.11.xml.gz\n"
			"suse.linux.enterprise.micro.5.5.xml.gz\nsuse.linux.enterprise.micro.5.xml.gz\n"
			"suse.linux.enterprise.server.11.xml.gz\nsuse.linux.enterprise.server.15.xml.gz\n"
			"suse.linux.micro.6-affected.xml.gz\nsuse.manager.4.0.xml.gz\n"),
		CLAIR_OK, "a folder");
	CHECK_TEXT(
		clair_bytes(recorder.rows),
		"\n" FURTHER("suse.linux.enterprise.server.11.xml.gz") "\n" FURTHER(
			"suse.linux.enterprise."
			"15-affected.xml.gz") "\n" FURTHER("suse.linux.enterprise.16.0-patch.xml.gz") "\n" FURTHER("suse.linux.enterprise.micro.5.xml.gz") "\n" FURTHER("suse.linux.micro.6-affected.xml."
																																							"gz") "\n" FURTHER("opensuse.10.2."
																																											   "xml") "\n" FURTHER("opensuse.leap.15.2-affected.xml"),
		"of each version the document that says most, and what it has in it only once");
	CHECK_INT(read_definitions("clair directory listing\nsuse.manager.4.0.xml.gz\n"), CLAIR_INVALID,
			  "a folder of other products");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": it names no document of SUSE", "fails the run");
}

static void
check_flaw(void)
{
	CHECK_INT(
		read_definitions(DOCUMENT(
			DEFINITION(
				"1", "vulnerability", FLAW(""),
				OR(AND(OR(PRODUCT("SUSE Linux Enterprise Server 15 SP3")
							  PRODUCT("SUSE Linux Enterprise Module for Basesystem 15 SP3")
								  PRODUCT("Open Enterprise Server 23.4")
									  PRODUCT("SUSE Linux Enterprise Desktop 15 SP3"))
						   OR(AND(PACKAGE("1", "quux-1.2-3.1")
									  CRITERION("quux is signed with openSUSE key"))
								  PACKAGE("2", "quux-libs-1.2-3.1")
									  CRITERION("waldo is not affected")))
					   AND(PRODUCT("SUSE Linux Enterprise Server 15 SP3-LTSS") OR(
						   PACKAGE("3", "quux-1.2-150300.4.1") CRITERION("grault is affected")))
						   AND(PRODUCT("SUSE Linux Enterprise Server 15 SP2")
								   CRITERION("quux is affected"))
							   AND(PRODUCT("SUSE Linux Enterprise Server 15 SP2-LTSS")
									   PACKAGE("3", "quux-1.2-150300.4.1"))
								   AND(PRODUCT("SUSE Manager Server 4.3")
										   PACKAGE("3", "quux-1.2-150300.4.1"))
									   AND(PRODUCT("openSUSE Leap 15.3") PACKAGE("5", "quux-0-0"))
										   AND(PRODUCT("SUSE Linux Enterprise Module for X 12")
												   PACKAGE("1", "quux-1.2-3.1")))),
			TESTS)),
		CLAIR_OK, "a CVE");
	CHECK(strstr(recorder.rows, "|CVE-2031-1001|") != NULL &&
			  strstr(recorder.rows, "|a flaw|https://x/SUSE CVE\n") != NULL,
		  "named as it is in the texts, linked to what SUSE says of it");
	CHECK_ROW(
		&recorder, ROW("8", "sles:15.3", "quux|rpm|-|1:1.2-3.1|fixed|High|-||"),
		"the distribution's fix counts, not that of longer support; its epoch is the state's");
	CHECK_ROW(&recorder, ROW("9", "sles:15.3", "quux-libs|rpm|-|1:1.2-3.1|fixed|High|-||"),
			  "another package");
	CHECK_ROW(&recorder, ROW("7", "sles:15.3", "grault|rpm|-|-|affected|High|-||"),
			  "what is not fixed");
	CHECK_ROW(&recorder, ROW("6", "sles:15.2", "quux|rpm|-|1:1.2-150300.4.1|fixed|High|-||"),
			  "a fix in longer support counts where the distribution has none");
	CHECK_ROW(&recorder, ROW("5", "sles:12.5", "quux|rpm|-|1:1.2-3.1|fixed|High|-||"),
			  "modules of version 12 are for all of its service packs");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 10,
			  "what is not affected, and other products, are passed over");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

static void
check_patch(void)
{
	CHECK_INT(
		read_definitions(DOCUMENT(
			DEFINITION(
				"1", "patch",
				"<title>quux (Moderate)</title>" REFERENCE("SUSE-SU", "SUSE-SU-2031:1-1")
					REFERENCE("CVE", "CVE-2031-1001") REFERENCE(
						"CVE",
						"CVE-2031-1002") "<description>a "
										 "patch</description><advisory><severity>Moderate</"
										 "severity>"
										 "<cve impact='critical'>CVE-2031-1001 at SUSE</cve>"
										 "<cve impact='low'>CVE-2031-1001 at NVD</cve></advisory>",
				AND(PRODUCT("SUSE Linux Enterprise Server 16.0") PACKAGE("1", "quux-1.2-3.1"))),
			TESTS)),
		CLAIR_OK, "a patch");
	CHECK_ROW(&recorder,
			  ROW("0", "sles:16.0", "quux|rpm|-|1:1.2-3.1|fixed|Critical|-|||-|SUSE-SU-2031:1-1"),
			  "a CVE with a severity of its own, SUSE's; the patch is the advisory");
	CHECK_ROW(&recorder,
			  "affected|index/oval:org.opensuse.security:def:1|CVE-2031-1002|0|sles:16.0|binary|"
			  "quux|rpm|-|1:1.2-3.1|fixed|Medium|-|||-|SUSE-SU-2031:1-1",
			  "another one");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 2, "both CVEs, once");
}

static void
check_old_forms(void)
{
#define OLD(platform) "<affected><platform>" platform "</platform></affected>" FLAW("")
	CHECK_INT(
		read_definitions(DOCUMENT(
			DEFINITION("1", "vulnerability", OLD("openSUSE 10.2"),
					   AND(PACKAGE(
						   "4", "suse102") "<criterion test_ref='oval:org.opensuse.security:tst:1' "
										   "comment='quux less than 1.2-3.1'/>"))
				DEFINITION("2", "vulnerability",
						   "<affected><platform>openSUSE 12.1</platform><platform>openSUSE 12.1 "
						   "Update</platform></affected>" FLAW(""),
						   OR(PACKAGE("1", "quux-1.2-3.1"))),
			TESTS)),
		CLAIR_OK, "old documents");
	CHECK_ROW(&recorder, ROW("0", "opensuse-leap:10.2", "quux|rpm|-|1:1.2-3.1|fixed|High|-||"),
			  "a short name of the release");
	CHECK_ROW(&recorder,
			  "affected|index/oval:org.opensuse.security:def:2|CVE-2031-1001|0|opensuse-leap:12.1|"
			  "binary|quux|rpm|-|1:1.2-3.1|fixed|High|-||",
			  "no release but the platform's");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
}

static void
check_broken(void)
{
#define LEAP PRODUCT("openSUSE Leap 15.3")
	CHECK_INT(
		read_definitions(DOCUMENT(
			DEFINITION("1", "vulnerability", FLAW(""), AND(LEAP PACKAGE("9", "a-1-1")))
				DEFINITION("2", "vulnerability", FLAW(""), AND(LEAP CRITERION("what now")))
					DEFINITION("3", "vulnerability", FLAW(""), OR(PACKAGE("1", "quux-1.2-3.1")))
						DEFINITION("4", "vulnerability", FLAW(""), AND(LEAP PACKAGE("4", "b-1"))),
			TESTS)),
		CLAIR_OK, "what is broken");
#define BROKEN(number, reason)                                                                     \
	"broken|index|index/oval:org.opensuse.security:def:" number "|" reason
	CHECK_ROW(&recorder, BROKEN("1", "a test is missing"), "a test that is not there");
	CHECK_ROW(&recorder, BROKEN("2", "a criterion is not understood"), "other words");
	CHECK_ROW(&recorder, BROKEN("3", "quux: a package has no release"), "no release");
	CHECK_ROW(&recorder, BROKEN("4", "a criterion is not understood"),
			  "a test of something else, and no product");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 0, "nothing comes of it");
}

#define SAMPLE "feeds/suse/vuls-suse-oval/testdata/fixtures/happy/"

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	xml_initialize();
	check_products();
	check_documents();
	check_flaw();
	check_patch();
	check_old_forms();
	check_broken();
	check_oval_sample(&recorder, "suse", SAMPLE "suse.linux.enterprise.15-affected.xml.gz", 2, 0);
	check_oval_sample(&recorder, "suse", SAMPLE "suse.linux.enterprise.16-patch.xml.gz", 2, 2);
	recorder_clear(&recorder);
	return unit_result();
}
