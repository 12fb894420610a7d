/*
 * fedora_test.c
 *    Proves that Fedora's releases lead to their repositories, and that updates say which CVEs they
 *    are about in the titles of bugs, and which module packages are of.
 */
#include "updateinfo_text.h"

#define BUGS                                                                                       \
	BUG("CVE-2031-1001, CVE-2031-10020 quux: flaw [fedora-all]")                                   \
	BUG("ACVE-2031-1 CVE-2031-100 CVE-31-1001 CVE-2031-1001")
#define REFERENCES(list) "<references>" list "</references>"
#define UPDATE                                                                                     \
	"<id>FEDORA-2031-0a1b2c3d4e</id><title>quux-1.2-3.fc41</title><severity>Important</severity>"  \
	"<description> Fixes a flaw. </description>"
#define MODULE	   "<module name='ruby' stream='2.6' version='1' context='ab' arch='x86_64'/>"
#define BUG(title) "<reference type='bugzilla' id='1' href='https://x/1' title='" title "'/>"

static Recorder recorder;

static void
check_folders(void)
{
	CHECK_INT(read_text(&recorder, "fedora", "index",
						"<html><a href=\"../\"><a href=\"41/\"><a href=\"testing/\">"),
			  CLAIR_OK, "the folder of updates");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|41/Everything/repomd.xml|"
			   "41/Everything/x86_64/repodata/repomd.xml|1|plain\n"
			   "\nfurther|index|41/Modular/repomd.xml|41/Modular/x86_64/repodata/repomd.xml|1|"
			   "plain\n"
			   "\nfurther|index|testing/repomd.xml|testing/repodata/repomd.xml|1|plain\n",
			   "names those of each release, and other folders");
	CHECK_INT(read_text(&recorder, "fedora", "41/Modular/repomd.xml", "<repomd/>"), CLAIR_OK,
			  "no updates of modules");
	CHECK_INT(read_text(&recorder, "fedora", "41/Everything/repomd.xml", "<repomd/>"),
			  CLAIR_INVALID, "but no updates at all");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"41/Everything/repomd.xml\": it names no updateinfo", "are an error");
}

static void
check_updates(void)
{
	static const char document[] = UPDATES(SECURITY(
		UPDATE REFERENCES(BUGS) COLLECTION(PACKAGE("quux", "1", "1.2", "3.fc41", "x86_64") PACKAGE(
			"quux", "1", "1.2", "3.fc41", "i686") PACKAGE("quux", "1", "1.2", "3.fc40", "x86_64")
											   PACKAGE("part", "0", "1", "1", "noarch"))));

	CHECK_INT(read_text(&recorder, "fedora", "41/Everything/updateinfo.xml", document), CLAIR_OK,
			  "an update");
	CHECK_ROW(&recorder,
			  "affected|41/Everything/FEDORA-2031-0a1b2c3d4e|CVE-2031-1001|0|fedora:41|binary|part|"
			  "rpm|-|1-1|fixed|High|-||-|-|FEDORA-2031-0a1b2c3d4e",
			  "a package whose release says nothing");
	CHECK_ROW(&recorder,
			  "affected|41/Everything/FEDORA-2031-0a1b2c3d4e|CVE-2031-10020|1|fedora:41|binary|"
			  "quux|rpm|-|1:1.2-3.fc41|fixed|High|-||-|-|FEDORA-2031-0a1b2c3d4e",
			  "the titles of bugs name CVEs");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 4, "what was built for another release is not here");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 2, "each once, and no names that are none");
	CHECK(strstr(recorder.rows, "|Fixes a flaw.|https://bodhi.fedoraproject.org/updates/"
								"FEDORA-2031-0a1b2c3d4e\n") != NULL,
		  "the notes describe it, its page is the link");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	CHECK_INT(read_text(&recorder, "fedora", "index", document), CLAIR_OK, "the same, but alone");
	CHECK_ROW(&recorder,
			  "affected|FEDORA-2031-0a1b2c3d4e|CVE-2031-1001|0|fedora:40|binary|quux|rpm|-|"
			  "1:1.2-3.fc40|fixed|High|-||-|-|FEDORA-2031-0a1b2c3d4e",
			  "the release is what a package was built for");
	CHECK_ROW(
		&recorder,
		"broken|index|FEDORA-2031-0a1b2c3d4e|part: its release does not say what it was built "
		"for",
		"and must say so");
}

static void
check_modules(void)
{
	static const char document[] = UPDATES(
		SECURITY("<id>FEDORA-MODULAR-2031-1</id><references>" CVE("CVE-2031-1001")
					 BUG("CVE-2031-9999 is not asked") "</references>" COLLECTION(
						 MODULE PACKAGE("ruby", "0", "2.6", "1.module_f38+1.fc38", "x86_64"))
						 COLLECTION(PACKAGE("ruby", "0", "3.2", "1.fc38", "x86_64")
										PACKAGE("gem", "0", "1", "1.module_f38.fc38", "x86_64"))));

	CHECK_INT(read_text(&recorder, "fedora", "38/Modular/updateinfo.xml", document), CLAIR_OK,
			  "an update of a module, and of what is in none");
	CHECK_ROW(&recorder,
			  "affected|38/Modular/FEDORA-MODULAR-2031-1|CVE-2031-1001|0|fedora:38|binary|gem|rpm|"
			  "-|1-1.module_f38.fc38|fixed|Unknown|-|-|-|-|FEDORA-MODULAR-2031-1",
			  "a package of a module that is not named");
	CHECK_ROW(&recorder,
			  "affected|38/Modular/FEDORA-MODULAR-2031-1|CVE-2031-1001|1|fedora:38|binary|ruby|rpm|"
			  "-|3.2-1.fc38|fixed|Unknown|-||-|-|FEDORA-MODULAR-2031-1",
			  "a package of none");
	CHECK_ROW(&recorder,
			  "affected|38/Modular/FEDORA-MODULAR-2031-1|CVE-2031-1001|2|fedora:38|binary|ruby|rpm|"
			  "-|2.6-1.module_f38+1.fc38|fixed|Unknown|-|ruby:2.6|-|-|FEDORA-MODULAR-2031-1",
			  "one of a module");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 1, "titles count where there is no CVE");
}

int
main(void)
{
	ClairError error;

	xml_initialize();
	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_folders();
	check_updates();
	check_modules();
	recorder_clear(&recorder);
	return unit_result();
}
