/*
 * wolfi_test.c
 *    Proves that the security databases of Wolfi and Chainguard OS become rows of their namespaces,
 *    each by its own updater, and that one of them is not taken for the other.
 */
#include "feed_sink.h"

#define DOCUMENT(place)                                                                            \
	"{\"apkurl\":\"x\",\"archs\":[\"x86_64\"],\"urlprefix\":\"https://" place                      \
	"\",\"reponame\":\"os\",\"packages\":["                                                        \
	"{\"pkg\":{\"name\":\"zlib\",\"secfixes\":{\"1.3-r0\":[\"CVE-2031-0001\",\"GHSA-fghj-mpqr-"    \
	"vwxc\"],"                                                                                     \
	"\"0\":[\"CVE-2031-0002\"],\"nonsense\":[\"CVE-2031-0003\"]}}}]}"

static Recorder recorder;

static ClairStatus
read_with(const char *updater, const char *text)
{
	UpdaterDocument document = feed_text("secdb", "https://example.org/security.json", text);

	recorder_clear(&recorder);
	return feed_read(updater, &document, 1, &recorder);
}

static void
check_updater(const char *updater, const char *text, const char *other)
{
	char row[256];

	CHECK_INT(read_with(updater, text), CLAIR_OK, updater);
	CHECK_ROW(&recorder, "record|secdb|zlib|*", "a package is a record");
	snprintf(row, sizeof(row),
			 "affected|zlib|CVE-2031-0001|0|%s:rolling|source|zlib|apk|-|1.3-r0|fixed|Unknown",
			 updater);
	CHECK_ROW(&recorder, row, "a fix of a source");
	snprintf(row, sizeof(row),
			 "affected|zlib|CVE-2031-0002|0|%s:rolling|source|zlib|apk|-|-|not_affected|Unknown",
			 updater);
	CHECK_ROW(&recorder, row, "what was never affected");
	CHECK_ROW(&recorder, "vulnerability|zlib|GHSA-fghj-mpqr-vwxc|*", "a name of others is one");
	CHECK_ROW(&recorder, "broken|secdb|zlib|secfixes: \"nonsense\": *", "a broken version is told");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 3, "and nothing else");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	CHECK_INT(read_with(updater, other), CLAIR_INVALID,
			  "the other distribution's document is refused");
	CHECK(strstr(recorder.error.message, "it is of another distribution, at packages.") != NULL,
		  "and the error says so");
	CHECK_INT(read_with(updater, "{\"packages\":null}"), CLAIR_OK, "no packages");
	CHECK_INT(read_with(updater, "{\"x\":1}"), CLAIR_INVALID,
			  "what is no such document is refused");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_updater("wolfi", DOCUMENT("packages.wolfi.dev"), DOCUMENT("packages.cgr.dev"));
	check_updater("chainguard", DOCUMENT("packages.cgr.dev"), DOCUMENT("packages.wolfi.dev"));
	recorder_clear(&recorder);
	return unit_result();
}
