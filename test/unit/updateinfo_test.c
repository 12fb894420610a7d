/*
 * updateinfo_test.c
 *    Proves that updates of any source become rows as its updater's options say, that packages of
 * other releases are told apart from those that are wanted, and that nothing grows without bound.
 */
#include "feed/rpm_release.h"
#include "updateinfo_text.h"

#define OPTIONS "{\"namespace\": \"rhel:7\"}"

static Recorder recorder;

static ClairStatus
read_updates(const char *options, const char *text)
{
	UpdaterDocument document = feed_text("index", "https://x/updateinfo.xml", text);

	recorder_clear(&recorder);
	recorder.options = options;
	return feed_read("updateinfo", &document, 1, &recorder);
}

static void
check_release(const char *release, const char *family, const char *expected)
{
	CHECK_TEXT(rpm_release_built_for(clair_bytes(release), clair_bytes(family)), expected, release);
}

static void
check_releases(void)
{
	check_release("27.el9_4", "rhel", "9");
	check_release("7.el7.centos", "centos", "7");
	check_release("4.module+el8.5.0+738+032c9c02", "rocky", "8");
	check_release("2.gitd0a45fe.module_el8.2.0+305", "almalinux", "8");
	check_release("1.el10", "oracle", "10");
	check_release("1.fc41", "fedora", "41");
	check_release("1.59.amzn1", "amzn", "2018.03");
	check_release("11.amzn2.0.2", "amzn", "2");
	check_release("1.amzn2022.0.1", "amzn", "2022");
	check_release("3.36", "rhel", NULL);
	check_release("", "rhel", NULL);
	check_release("1.el", "rhel", NULL);
	check_release("1.el7qux", "rhel", NULL);
	check_release("1.kernel7", "rhel", NULL);
	check_release("1.el7", "fedora", NULL);
	check_release("1.fc41", "amzn", NULL);
}

static void
check_options(void)
{
	static const char document[] = UPDATES(
		SECURITY("<id>X-1</id><title>An update</title><references>" CVE("CVE-2031-1001")
					 CVE("CVE-2031-1001") "<reference type='self' "
										  "href='https://x/X-1'/></references>" COLLECTION(
											  PACKAGE("quux", "0", "1", "1.el7_9", "x86_64")
												  PACKAGE("quux", "0", "2", "1.el8", "x86_64")
													  PACKAGE("plain", "00", "1", "1", "noarch"))));

	CHECK_INT(read_updates(OPTIONS, document), CLAIR_OK, "updates");
	CHECK_ROW(
		&recorder,
		"affected|X-1|CVE-2031-1001|0|rhel:7|binary|plain|rpm|-|00:1-1|fixed|Unknown|-||-|-|X-1",
		"a release that says nothing");
	CHECK_ROW(
		&recorder,
		"affected|X-1|CVE-2031-1001|1|rhel:7|binary|quux|rpm|-|1-1.el7_9|fixed|Unknown|-||-|-|"
		"X-1",
		"a release of the namespace");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 2, "not one of another");
	CHECK(strstr(recorder.rows, "|An update|https://x/X-1\n") != NULL,
		  "the title describes it, its own page is the link");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 1, "a CVE that is named twice is one");

	CHECK_INT(
		read_updates("{\"namespace\": \"rhel:8\", \"repositories\": [\"rhel:8\", \"cpe:/a:x\"],"
					 " \"link\": \"https://y/\"}",
					 document),
		CLAIR_OK, "with all options");
	CHECK_ROW(&recorder,
			  "affected|X-1|CVE-2031-1001|1|rhel:8|binary|quux|rpm|-|2-1.el8|fixed|Unknown|-||-|"
			  "cpe:/a:x rhel:8|X-1",
			  "another release, and repositories in order");
	CHECK(strstr(recorder.rows, "|An update|https://y/X-1\n") != NULL, "the option's link");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	CHECK_INT(read_updates(NULL, document), CLAIR_PROTOCOL, "no namespace");
	CHECK_INT(read_updates("{\"namespace\": 7}", document), CLAIR_PROTOCOL, "one that is no text");
}

static void
check_folders(void)
{
	CHECK_INT(read_updates(OPTIONS, "clair directory listing\nBaseOS/\nAppStream/\nx.iso\n"),
			  CLAIR_OK, "a folder of repositories");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|AppStream/repomd.xml|AppStream/repodata/repomd.xml|1|plain\n"
			   "\nfurther|index|BaseOS/repomd.xml|BaseOS/repodata/repomd.xml|1|plain\n",
			   "each of them");
	CHECK_INT(read_updates(OPTIONS, "<r:repomd xmlns:r='x'/>"), CLAIR_INVALID, "a repository");
	CHECK_TEXT(clair_bytes(recorder.error.message), "document \"index\": it names no updateinfo",
			   "without updates");
	CHECK_INT(read_updates(OPTIONS, ""), CLAIR_INVALID, "nothing at all");
}

/* A document of one update, with so many parts, which "%d" is the number of. */
static char *
many(const char *before, const char *part, int count, const char *after)
{
	size_t size = strlen(before) + (strlen(part) + 12) * (size_t) count + strlen(after) + 200;
	char *text = malloc(size);
	char *end = text;

	if (text == NULL)
		abort();
	end += sprintf(end, "<updates><update type='security'><id>X-1</id>%s", before);
	for (int i = 0; i < count; i++)
		end += sprintf(end, part, i);
	sprintf(end, "%s</update></updates>", after);
	return text;
}

static void
check_too_many(const char *before, const char *part, int count, const char *after,
			   const char *problem)
{
	char *text = many(before, part, count, after);
	char row[200];

	CHECK_INT(read_updates(OPTIONS, text), CLAIR_OK, problem);
	snprintf(row, sizeof(row), "broken|index|X-1|%s", problem);
	CHECK_ROW(&recorder, row, "is told");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 0, "and nothing else said");
	free(text);
}

static void
check_bounds(void)
{
	check_too_many("<pkglist><collection>",
				   "<package name='p%d' version='1' release='1' arch='noarch'/>", 100001,
				   "</collection></pkglist>", "it has too many packages");
	check_too_many("<pkglist><collection>",
				   "<package name='p' version='1' release='1' arch='a%d'/>", 65,
				   "</collection></pkglist>", "it has packages for too many architectures");
	check_too_many("<references>", "<reference type='cve' id='CVE-2031-%05d'/>", 10001,
				   "</references>" COLLECTION(PACKAGE("p", "0", "1", "1", "noarch")),
				   "it names too many vulnerabilities or packages");
}

int
main(void)
{
	ClairError error;

	xml_initialize();
	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_releases();
	check_options();
	check_folders();
	check_bounds();
	recorder_clear(&recorder);
	return unit_result();
}
