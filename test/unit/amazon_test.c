/*
 * amazon_test.c
 *    Proves that Amazon's mirrors, extras and repositories lead to the updates of each, and that
 * these become the rows that they mean: an extra's fixes say nothing of the core's packages.
 */
#include "updateinfo_text.h"

#define MIRRORS_OF_2023 "https://x/al2023/core/mirrors/latest/x86_64/mirror.list"

#define ALAS(id, severity, description, cves, packages)                                            \
	SECURITY("<id>" id "</id><title>" id ": an update</title><issued date='2031-01-02 03:04'/>"    \
			 "<updated date='2031-01-02T03:04:05Z'/><severity>" severity                           \
			 "</severity><description>" description "</description><references>" cves              \
			 "</references>" COLLECTION(packages))

/* What an affected row begins with. */
#define ROW(record, name, number, rest) "affected|" record "|" name "|" number "|" rest

static Recorder recorder;

static ClairStatus
read_amazon(const char *name, const char *text)
{
	return read_text(&recorder, "amazon", name, text);
}

static void
check_index(void)
{
	CHECK_INT(read_from(&recorder, "amazon", "index", MIRRORS_OF_2023,
						"http://x/al2023/guid/\nhttps://y/al2023/guid\nhttps://x/al2023/guid//\n"),
			  CLAIR_OK, "Amazon's own mirrors of 2023");
	CHECK_ROW(&recorder,
			  "further|index|repomd.xml|https://x/al2023/guid/repodata/repomd.xml|0|plain",
			  "the repository on the same server, by HTTPS");
	CHECK_ROW(&recorder,
			  "further|index|amzn2-core/mirror.list|"
			  "https://x/2/core/latest/x86_64/mirror.list|1|plain",
			  "the core of 2");
	CHECK_ROW(&recorder,
			  "further|index|extras-catalog.json|https://x/2/extras-catalog-x86_64.json|1|plain",
			  "the extras of 2");
	CHECK_ROW(&recorder,
			  "further|index|al2022-core/mirror.list|"
			  "https://x/al2022/core/mirrors/latest/x86_64/mirror.list|1|plain",
			  "2022");
	CHECK_ROW(&recorder,
			  "further|index|al2023-livepatch/mirror.list|"
			  "https://x/al2023/kernel-livepatch/mirrors/latest/x86_64/mirror.list|1|plain",
			  "live patches of 2023");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 5, "and nothing else");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	CHECK_INT(read_from(&recorder, "amazon-1", "index", "http://x/mirror.list",
						"\n# \nhttp://y/updates/x86_64\nhttps://z/\n"),
			  CLAIR_OK, "another list of mirrors");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|repomd.xml|http://y/updates/x86_64/repodata/repomd.xml|0|plain\n",
			   "names one repository: that of the first mirror");
	CHECK_INT(read_from(&recorder, "amazon", "index", "https://x/mirror.list", "http://x/\n"),
			  CLAIR_INVALID, "mirrors without HTTPS");
	CHECK_TEXT(clair_bytes(recorder.error.message), "document \"index\": it names no mirror",
			   "are none for a list that came with it");
	CHECK_INT(read_amazon("index", "neither nor"), CLAIR_INVALID, "something else");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": it is neither a repository nor does it name any",
			   "is no index");
}

static void
check_folders(void)
{
	CHECK_INT(read_amazon("index", "clair directory listing\namzn2-core/\namzn2extra-docker/\n"
								   ".git/\nREADME\n"),
			  CLAIR_OK, "a folder of repositories");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|amzn2-core/repomd.xml|amzn2-core/repodata/repomd.xml|1|plain\n"
			   "\nfurther|index|amzn2extra-docker/repomd.xml|"
			   "amzn2extra-docker/repodata/repomd.xml|1|plain\n",
			   "each of them");
	CHECK_INT(read_amazon("index", "<html><a href=\"Packages/\"><a href=\"repodata/\">"), CLAIR_OK,
			  "a repository");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|repomd.xml|repodata/repomd.xml|0|plain\n", "its index");
	CHECK_INT(read_amazon("index", "<!DOCTYPE html><a href=\"repomd.xml\"><a href=\"x.gz\">"),
			  CLAIR_OK, "its repodata");
	CHECK_TEXT(clair_bytes(recorder.rows), "\nfurther|index|repomd.xml|repomd.xml|0|plain\n",
			   "its index, too");
	CHECK_INT(read_amazon("index", "<html>maintenance</html>"), CLAIR_INVALID, "another page");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": it is neither a repository nor does it name any",
			   "is no listing");
}

static void
check_catalog(void)
{
	CHECK_INT(read_amazon("extras-catalog.json",
						  "{\"motd\": null, \"topics\": [{\"n\": \"docker\", \"inst\": [\"x\"]},"
						  " {\"versions\": [], \"n\": \"kernel-5.10\"}], \"status\": []}"),
			  CLAIR_OK, "a catalogue of extras");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|extras-catalog.json|amzn2extra-docker/mirror.list|"
			   "extras/docker/latest/x86_64/mirror.list|1|plain\n"
			   "\nfurther|extras-catalog.json|amzn2extra-kernel-5.10/mirror.list|"
			   "extras/kernel-5.10/latest/x86_64/mirror.list|1|plain\n",
			   "a repository for each");
	CHECK_INT(read_amazon("extras-catalog.json", "{\"topics\": [{\"n\": \"../x\"}]}"),
			  CLAIR_INVALID, "a name that is a path");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"extras-catalog.json\": the name of an extra is none", "is refused");
	CHECK_INT(read_amazon("extras-catalog.json", "{\"topics\": [{\"n\": \"x\"},]}"), CLAIR_INVALID,
			  "what is no JSON");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"extras-catalog.json\": byte 23: it is not an object", "is refused, too");
	CHECK_INT(read_amazon("extras-catalog.json", "{}"), CLAIR_INVALID, "no extras");
}

static void
check_repomd(void)
{
	static const char index[] =
		"<?xml version='1.0'?><!-- x --><repomd xmlns='http://linux.duke.edu/metadata/repo'>"
		"<data type='primary'><location href='repodata/p.xml.gz'/></data>"
		"<data type='updateinfo'><checksum type='sha256'>00ab</checksum>"
		"<open-checksum type='sha256'>ff</open-checksum>"
		"<location href='repodata/u.xml.gz'/></data></repomd>";
	static const char other[] = "<repomd><data type='primary'/></repomd>";

	CHECK_INT(read_amazon("amzn2-core/repomd.xml", index), CLAIR_OK, "an index of a repository");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|amzn2-core/repomd.xml|amzn2-core/updateinfo.xml|../repodata/u.xml.gz|0|"
			   "plain|sha256:00ab\n",
			   "names updates, with their checksum");
	CHECK_INT(read_amazon("index", index), CLAIR_OK, "as the first document");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|updateinfo.xml|../repodata/u.xml.gz|0|plain|sha256:00ab\n",
			   "the same");
	CHECK_INT(read_amazon("amzn2extra-docker/repomd.xml", other), CLAIR_OK, "an extra");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 0, "may have no updates");
	CHECK_INT(read_amazon("amzn2-core/repomd.xml", other), CLAIR_INVALID, "the core");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"amzn2-core/repomd.xml\": it names no updateinfo", "may not");
	CHECK_INT(read_amazon("repomd.xml", "<repomd><data type='updateinfo'/></repomd>"),
			  CLAIR_INVALID, "updates without a place");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"repomd.xml\": it does not say where its updateinfo is", "are told");
	CHECK_INT(read_amazon("repomd.xml", "<repomd><data"), CLAIR_INVALID, "half an index");
}

static void
check_updates(void)
{
	CHECK_INT(
		read_amazon(
			"amzn2-core/updateinfo.xml",
			UPDATES(ALAS("ALAS2-2031-0001", "important",
						 "Updates are available:\nCVE-2031-1001:\n\ttext of\n  one\n\n"
						 "CVE-2031-1002:\n\ttext of two\n1519780: \nCVE-2031-1002 quux: flaw\n",
						 CVE("CVE-2031-1002") CVE("CVE-2031-1001"),
						 PACKAGE("quux", "0", "1.2", "3.amzn2", "x86_64")
							 PACKAGE("quux", "0", "1.2", "3.amzn2", "aarch64")
								 PACKAGE("quux-debuginfo", "0", "1.2", "3.amzn2", "x86_64")
									 PACKAGE("quux", "0", "1.2", "3.amzn2", "src")
										 PACKAGE("doc", "10", "1.2", "3.amzn2.0.1", "noarch")))),
		CLAIR_OK, "an advisory");
	CHECK_ROW(&recorder, "record|amzn2-core/updateinfo.xml|amzn2-core/ALAS2-2031-0001|*",
			  "its place and id are its key");
	CHECK_ROW(&recorder,
			  ROW("amzn2-core/ALAS2-2031-0001", "CVE-2031-1001", "0",
				  "amzn:2|binary|doc|rpm|-|10:1.2-3.amzn2.0.1|fixed|High|-|-|-|-|ALAS2-2031-0001"),
			  "a package with an epoch");
	CHECK_ROW(&recorder,
			  ROW("amzn2-core/ALAS2-2031-0001", "CVE-2031-1002", "1",
				  "amzn:2|binary|quux|rpm|-|1.2-3.amzn2|fixed|High|-|-|-|-|ALAS2-2031-0001"),
			  "one that is the same for all architectures");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 4, "neither sources nor what is for debuggers");
	CHECK(strstr(recorder.rows, "|text of\n  one|https://alas.aws.amazon.com/AL2/"
								"ALAS-2031-0001.html\n") != NULL,
		  "a vulnerability is described by its own text");
	CHECK(strstr(recorder.rows, "|text of two\n1519780: \nCVE-2031-1002 quux: flaw|https:") != NULL,
		  "another one, too");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
}

static void
check_descriptions(void)
{
	CHECK_INT(read_amazon("updateinfo.xml",
						  UPDATES(ALAS("ALAS2023-2031-001", "Moderate",
									   "First text (1) here. (CVE-2031-1001)\n\nSecond text.\n"
									   "(CVE-2031-1002)",
									   CVE("CVE-2031-1001") CVE("CVE-2031-1002")
										   CVE("CVE-2031-1003"),
									   PACKAGE("quux", "", "1.2", "3.amzn2023", "noarch")))),
			  CLAIR_OK, "texts with their CVEs at the end");
	CHECK(strstr(recorder.rows, "|First text (1) here.|https://alas.aws.amazon.com/AL2023/"
								"ALAS-2031-001.html\n") != NULL,
		  "the first one");
	CHECK(strstr(recorder.rows, "|Second text.|https:") != NULL, "the second one");
	CHECK(strstr(recorder.rows, "|ALAS2023-2031-001: an update|https:") != NULL,
		  "what has none is described by the title");
	CHECK_ROW(&recorder,
			  ROW("ALAS2023-2031-001", "CVE-2031-1003", "0",
				  "amzn:2023|binary|quux|rpm|-|1.2-3.amzn2023|fixed|Medium|-|-|-|-|"
				  "ALAS2023-2031-001"),
			  "without a place");
}

static void
check_similar_names(void)
{
	CHECK_INT(read_amazon("updateinfo.xml",
						  UPDATES(ALAS("ALAS2-2031-0001", "low",
									   "see CVE-2031-1001:\n\tCVE-2031-10010:\n\tlong\n"
									   "CVE-2031-1001: not a heading\n  CVE-2031-1001:\n short",
									   CVE("CVE-2031-1001") CVE("CVE-2031-10010"),
									   PACKAGE("quux", "0", "1", "1.amzn2", "noarch"))
									  ALAS("ALAS2-2031-0002", "low",
										   "(CVE-2031-1001 is not it) first (CVE-2031-10010) "
										   "second (CVE-2031-1001) third",
										   CVE("CVE-2031-1001") CVE("CVE-2031-10010"),
										   PACKAGE("quux", "0", "1", "1.amzn2", "noarch")))),
			  CLAIR_OK, "names of which one begins another");
	CHECK(strstr(recorder.rows, "|short|https:") != NULL, "the shorter one's heading");
	CHECK(strstr(recorder.rows, "|long\nCVE-2031-1001: not a heading|https:") != NULL,
		  "the longer one's");
	CHECK(strstr(recorder.rows, "|second|https:") != NULL, "the shorter one at the end");
	CHECK(strstr(recorder.rows, "|(CVE-2031-1001 is not it) first|https:") != NULL,
		  "the longer one at the end");
}

static void
check_architectures(void)
{
	CHECK_INT(read_amazon("updateinfo.xml",
						  UPDATES(ALAS("ALAS2-2031-0001", "low", "x", CVE("CVE-2031-1001"),
									   PACKAGE("both", "0", "1", "1.amzn2", "x86_64") PACKAGE(
										   "both", "0", "1", "1.amzn2",
										   "i686") PACKAGE("both", "0", "1", "1.amzn2", "aarch64")
										   PACKAGE("differs", "0", "1", "1.amzn2", "x86_64")
											   PACKAGE("differs", "0", "1", "2.amzn2", "aarch64")
												   PACKAGE("one", "0", "1", "1.amzn2", "x86_64")))),
			  CLAIR_OK, "packages for two machines");
	CHECK_ROW(&recorder,
			  ROW("ALAS2-2031-0001", "CVE-2031-1001", "0",
				  "amzn:2|binary|both|rpm|-|1-1.amzn2|fixed|Low|-|-|-|-|ALAS2-2031-0001"),
			  "the same for both");
	CHECK_ROW(
		&recorder,
		ROW("ALAS2-2031-0001", "CVE-2031-1001", "1",
			"amzn:2|binary|differs|rpm|-|1-1.amzn2|fixed|Low|i686 x86_64|-|-|-|ALAS2-2031-0001"),
		"other versions");
	CHECK_ROW(&recorder,
			  ROW("ALAS2-2031-0001", "CVE-2031-1001", "2",
				  "amzn:2|binary|differs|rpm|-|1-2.amzn2|fixed|Low|aarch64|-|-|-|ALAS2-2031-0001"),
			  "of each");
	CHECK_ROW(&recorder,
			  ROW("ALAS2-2031-0001", "CVE-2031-1001", "3",
				  "amzn:2|binary|one|rpm|-|1-1.amzn2|fixed|Low|i686 x86_64|-|-|-|ALAS2-2031-0001"),
			  "for one of them");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 4, "and no more");
}

static void
check_extras(void)
{
	CHECK_INT(read_amazon("amzn2extra-kernel-5.10/updateinfo.xml",
						  UPDATES(ALAS("ALAS2KERNEL-5.10-2022-001", "medium", "x",
									   CVE("CVE-2031-1001"),
									   PACKAGE("kernel", "0", "5.10.68", "62.173.amzn2", "x86_64")
										   PACKAGE("other", "0", "5.101", "1.amzn2", "x86_64")))),
			  CLAIR_OK, "an advisory of an extra");
	CHECK_ROW(&recorder,
			  ROW("amzn2extra-kernel-5.10/ALAS2KERNEL-5.10-2022-001", "CVE-2031-1001", "0",
				  "amzn:2|binary|kernel|rpm|5.10|5.10.68-62.173.amzn2|fixed|Medium|-|-|-|-|"
				  "ALAS2KERNEL-5.10-2022-001"),
			  "begins where the extra does");
	CHECK_ROW(&recorder,
			  ROW("amzn2extra-kernel-5.10/ALAS2KERNEL-5.10-2022-001", "CVE-2031-1001", "1",
				  "amzn:2|binary|other|rpm|-|5.101-1.amzn2|fixed|Medium|-|-|-|-|"
				  "ALAS2KERNEL-5.10-2022-001"),
			  "but for what is of another version");
	CHECK(strstr(recorder.rows,
				 "|https://alas.aws.amazon.com/AL2/ALASKERNEL-5.10-2022-001.html\n") != NULL,
		  "its page");
	CHECK_INT(read_amazon("amzn2extra-lamp-mariadb10.2-php7.2/updateinfo.xml",
						  UPDATES(ALAS("ALAS2LAMP-2031-001", "medium", "x", CVE("CVE-2031-1001"),
									   PACKAGE("mariadb", "3", "10.2.38", "1.amzn2", "x86_64")
										   PACKAGE("php", "0", "7.2.34", "1.amzn2", "x86_64")))),
			  CLAIR_OK, "an extra of two lines");
	CHECK_ROW(&recorder,
			  ROW("amzn2extra-lamp-mariadb10.2-php7.2/ALAS2LAMP-2031-001", "CVE-2031-1001", "0",
				  "amzn:2|binary|mariadb|rpm|3:10.2|3:10.2.38-1.amzn2|fixed|Medium|-|-|-|-|"
				  "ALAS2LAMP-2031-001"),
			  "the first one, with an epoch");
	CHECK_ROW(&recorder,
			  ROW("amzn2extra-lamp-mariadb10.2-php7.2/ALAS2LAMP-2031-001", "CVE-2031-1001", "1",
				  "amzn:2|binary|php|rpm|7.2|7.2.34-1.amzn2|fixed|Medium|-|-|-|-|"
				  "ALAS2LAMP-2031-001"),
			  "the second one");
}

static void
check_releases(void)
{
	CHECK_INT(
		read_amazon("updateinfo.xml",
					UPDATES(ALAS("ALAS-2018-1093", "Important", "x", CVE("CVE-2031-1001"),
								 PACKAGE("git", "0", "2.14.5", "1.59.amzn1", "x86_64"))
								ALAS("ALAS2022-2021-003", "critical", "x", CVE("CVE-2031-1002"),
									 PACKAGE("log4j", "0", "2.15.0", "1.amzn2022.0.1", "noarch")))),
		CLAIR_OK, "other releases");
	CHECK_ROW(&recorder,
			  ROW("ALAS-2018-1093", "CVE-2031-1001", "0",
				  "amzn:2018.03|binary|git|rpm|-|2.14.5-1.59.amzn1|fixed|High|-|-|-|-|"
				  "ALAS-2018-1093"),
			  "Amazon Linux 1");
	CHECK_ROW(&recorder,
			  ROW("ALAS2022-2021-003", "CVE-2031-1002", "0",
				  "amzn:2022|binary|log4j|rpm|-|2.15.0-1.amzn2022.0.1|fixed|Critical|-|-|-|-|"
				  "ALAS2022-2021-003"),
			  "Amazon Linux 2022");
	CHECK(strstr(recorder.rows, "|https://alas.aws.amazon.com/ALAS-2018-1093.html\n") != NULL &&
			  strstr(recorder.rows, "|https://alas.aws.amazon.com/AL2022/ALAS-2021-003.html\n") !=
				  NULL,
		  "and their pages");
}

static void
check_broken(void)
{
	CHECK_INT(
		read_amazon(
			"updateinfo.xml",
			UPDATES(ALAS("ALAS2-2031-0001", "grave", "x", CVE("CVE-31-1") CVE("CVE-2031-1001"),
						 PACKAGE("good", "0", "1", "1.amzn2", "x86_64")
							 PACKAGE("alien", "0", "1", "1.el7", "x86_64")
								 PACKAGE("", "0", "1", "1.amzn2", "x86_64")
									 PACKAGE("old", "x", "1", "1.amzn2", "x86_64")
										 PACKAGE("none", "0", "", "1.amzn2", "x86_64"))
						SECURITY("<title>no id</title>")
							ALAS("ALAS2-2031-0001", "low", "x", "",
								 PACKAGE("twice", "0", "1", "1.amzn2", "x86_64"))
								ALAS("ALAS2-2031-0002", "low", "x", CVE("CVE-2031-1002"), "")
									SECURITY("<id>ALAS2-2031-0003</id>") "<update "
																		 "type='bugfix'><id>ALAS2-"
																		 "2031-0004</id></update>"
																		 "<update/>")),
		CLAIR_OK, "broken advisories");
	CHECK_ROW(&recorder,
			  ROW("ALAS2-2031-0001", "CVE-2031-1001", "0",
				  "amzn:2|binary|good|rpm|-|1-1.amzn2|fixed|Unknown|-|-|-|-|ALAS2-2031-0001"),
			  "what is good counts, a word that is not known is no severity");
	CHECK_ROW(&recorder, "broken|updateinfo.xml|ALAS2-2031-0001|a reference is not of a CVE",
			  "a name that is none");
	CHECK_ROW(&recorder,
			  "broken|updateinfo.xml|ALAS2-2031-0001|alien: its release does not say what it was "
			  "built for",
			  "a package of another distribution");
	CHECK_ROW(&recorder,
			  "broken|updateinfo.xml|ALAS2-2031-0001|the name of a package is missing or too long",
			  "a package without a name");
	CHECK_ROW(&recorder, "broken|updateinfo.xml|ALAS2-2031-0001|old: its epoch is no number",
			  "an epoch that is none");
	CHECK_ROW(&recorder, "broken|updateinfo.xml|ALAS2-2031-0001|none: it has no version",
			  "a package without a version");
	CHECK_ROW(&recorder,
			  "broken|updateinfo.xml||element 2: its id is missing or too long, or has blanks in "
			  "it",
			  "an advisory without an id");
	CHECK_ROW(&recorder,
			  ROW("ALAS2-2031-0001#2", "ALAS2-2031-0001", "0",
				  "amzn:2|binary|twice|rpm|-|1-1.amzn2|fixed|Low|-|-|-|-|ALAS2-2031-0001"),
			  "an id that comes twice, and an advisory that names no CVE");
	CHECK_INT(recorder.counts[WIRE_RECORD], 4, "what is no security update is no record");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 2, "what has no packages says nothing");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 6, "all that is broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	CHECK_INT(read_amazon("updateinfo.xml", "<repomd/>"), CLAIR_INVALID, "another document");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"updateinfo.xml\": line 1: the document is \"repomd\", not \"updates\"",
			   "is none of updates");
}

int
main(void)
{
	ClairError error;

	xml_initialize();
	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_index();
	check_folders();
	check_catalog();
	check_repomd();
	check_updates();
	check_descriptions();
	check_similar_names();
	check_architectures();
	check_extras();
	check_releases();
	check_broken();
	recorder_clear(&recorder);
	return unit_result();
}
