/* Proves what is sent of a layer: the paths that matter, links followed, the last one of two. */
#include "common/digest.h"
#include "image/image.h"
#include "recorder.h"
#include "tar_writer.h"

#define PACKAGE "Package: a\nStatus: install ok installed\nVersion: 1\n"
#define OTHER	"Package: b\nStatus: install ok installed\nVersion: 2\n"

static TarWriter tar;
static Recorder recorder;
static ClairError error;
static const char *detectors = "";

/* Indexes the tar as a bare layer. */
static ClairStatus
index_tar(void)
{
	ClairSink sink = recorder_sink(&recorder);
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ImageJob job = {.input = memory_file(tar_end(&tar)),
					.architecture = "amd64",
					.detectors = clair_bytes(detectors)};
	ClairStatus status;

	recorder_clear(&recorder);
	status = image_index(&job, &limits, &sink, &error);
	close(job.input);
	tar_free(&tar);
	return status;
}

/* Checks the layer's entries: "path|type|target|role;" without digests, in order. */
static void
check_entries(const char *expected, const char *what)
{
	char text[8192] = "";
	size_t used = 0;
	ClairStatus status = index_tar();

	if (status != CLAIR_OK)
		used += (size_t) snprintf(text, sizeof(text), "error: %s", error.message);
	for (int i = 0; i < recorder.count; i++)
	{
		const char *field = recorder.rows[i];
		const char *end = strrchr(field, '|'); /* of the role */

		if (strncmp(field, "layer_entry|", 12) != 0)
			continue;
		for (int skipped = 0; skipped < 4; skipped++)
			field = strchr(field, '|') + 1;
		used += (size_t) snprintf(text + used, sizeof(text) - used, "%.*s;", (int) (end - field),
								  field);
	}
	CHECK_TEXT(clair_bytes(text), expected, what);
	CHECK(recorder.bad == NULL, "and all rows are well-formed");
}

static void
test_paths(void)
{
	tar_directory(&tar, "./");
	tar_directory(&tar, "./var/");
	tar_directory(&tar, "/var/lib");
	tar_file(&tar, "var//lib/./dpkg/status", PACKAGE);
	tar_file(&tar, "var/lib/dpkg/status-old", OTHER);
	tar_file(&tar, "usr/bin/doc/x", "x");
	tar_file(&tar, "../etc/os-release", "ID=no");
	check_entries("var|directory|-|-;var/lib|directory|-|-;var/lib/dpkg/status|file|-|dpkg;",
				  "wanted paths and directories above them");

	tar_file(&tar, "var/lib/dpkg/status.d/base", PACKAGE);
	tar_file(&tar, "var/lib/dpkg/status.d/base.md5sums", "x");
	tar_file(&tar, "var/lib/dpkg/status.d/more/base", "x");
	tar_file(&tar, "etc/apt/sources.list.d/a.list", "");
	tar_file(&tar, "etc/apt/sources.list.d/a.sources", "");
	tar_file(&tar, "etc/apt/sources.list.d/a.gpg", "");
	check_entries("var/lib/dpkg/status.d/base|file|-|dpkg;"
				  "etc/apt/sources.list.d/a.list|file|-|apt-sources;"
				  "etc/apt/sources.list.d/a.sources|file|-|apt-sources;",
				  "files of wanted directories");

	tar_file(&tar, "var/lib", "x");
	tar_symlink(&tar, "etc", "/x");
	tar_add(&tar, '3', "usr", "", CLAIR_LITERAL(""));
	tar_directory(&tar, "lib/apk/db/installed");
	check_entries("var/lib|file|-|-;etc|symlink|/x|-;usr|other|-|-;"
				  "lib/apk/db/installed|directory|-|-;",
				  "whatever lies where a directory or a wanted file should be");
}

static void
test_last_one_counts(void)
{
	tar_file(&tar, "var/lib/dpkg/status", PACKAGE);
	tar_file(&tar, "etc/debian_version", "1");
	tar_file(&tar, "var/lib/dpkg/status", OTHER);
	check_entries("etc/debian_version|file|-|debian_version;var/lib/dpkg/status|file|-|dpkg;",
				  "of two entries of one path the last one counts, at its place");
	CHECK(recorder_count(&recorder, "feature|") == 1 && recorder_find(&recorder, "|b|2|") != NULL,
		  "and so do its features");
}

static void
test_whiteouts(void)
{
	tar_file(&tar, "var/lib/dpkg/.wh.status", "");
	tar_file(&tar, "var/lib/dpkg/.wh.other", "");
	tar_file(&tar, ".wh.var", "");
	tar_file(&tar, "var/lib/.wh..wh..opq", "");
	tar_file(&tar, "usr/bin/.wh..wh..opq", "");
	tar_file(&tar, ".wh..wh..opq", "");
	tar_file(&tar, "var/lib/dpkg/status.d/.wh.a", "");
	tar_file(&tar, "var/lib/dpkg/.wh..wh.plnk", "");
	tar_file(&tar, "var/lib/dpkg/.wh.", "");
	tar_file(&tar, "var/lib/dpkg/status.d/.wh..", "");
	tar_file(&tar, "var/lib/dpkg/status.d/.wh...", "");
	tar_file(&tar, "var/lib/dpkg/status", PACKAGE);
	check_entries("var/lib/dpkg/status|whiteout|-|-;var|whiteout|-|-;var/lib|opaque|-|-;"
				  "|opaque|-|-;var/lib/dpkg/status.d/a|whiteout|-|-;"
				  "var/lib/dpkg/status|file|-|dpkg;",
				  "whiteouts of what matters, beside a file of the same path");
}

static void
test_links(void)
{
	tar_file(&tar, "var/lib/dpkg/status.real", PACKAGE);
	tar_symlink(&tar, "var/lib/dpkg/status", "status.real");
	check_entries("var/lib/dpkg/status.real|file|var/lib/dpkg/status|dpkg;"
				  "var/lib/dpkg/status|symlink|status.real|dpkg;",
				  "a link's target is read, wherever it stands");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "its features are there");

	tar_symlink(&tar, "var/lib/dpkg", "../../data/dpkg");
	tar_file(&tar, "data/dpkg/status", PACKAGE);
	tar_file(&tar, "data/dpkg/status.d/x", OTHER);
	check_entries("var/lib/dpkg|symlink|../../data/dpkg|-;"
				  "data/dpkg/status|file|var/lib/dpkg/status|dpkg;"
				  "data/dpkg/status.d/x|file|var/lib/dpkg/status.d/x|dpkg;",
				  "so are files below a link to a directory");

	tar_symlink(&tar, "lib", "usr/lib");
	tar_file(&tar, "usr/lib/apk/db/installed", "P:a\nV:1-r0\n");
	check_entries("lib|symlink|usr/lib|-;usr/lib/apk/db/installed|file|-|apk;",
				  "a target that is wanted itself needs no reason");

	tar_symlink(&tar, "var/lib/dpkg/status", "/a");
	tar_symlink(&tar, "a", "b");
	tar_symlink(&tar, "b", "c/d");
	tar_symlink(&tar, "c", "e");
	tar_file(&tar, "e/d", PACKAGE);
	check_entries("var/lib/dpkg/status|symlink|/a|dpkg;a|symlink|b|dpkg;b|symlink|c/d|dpkg;"
				  "c|symlink|e|-;e/d|file|var/lib/dpkg/status|dpkg;",
				  "links to links");

	tar_symlink(&tar, "var/lib/dpkg/status.d/x", "../y");
	tar_file(&tar, "var/lib/dpkg/y", PACKAGE);
	check_entries("var/lib/dpkg/status.d/x|symlink|../y|dpkg;"
				  "var/lib/dpkg/y|file|var/lib/dpkg/status.d/x|dpkg;",
				  "a link that is a file of a wanted directory");

	tar_symlink(&tar, "var/lib/dpkg/status", "../../../../etc/passwd");
	tar_symlink(&tar, "lib/apk/db/installed", "installed");
	tar_symlink(&tar, "etc/os-release", "nowhere");
	check_entries("var/lib/dpkg/status|symlink|../../../../etc/passwd|dpkg;"
				  "lib/apk/db/installed|symlink|installed|apk;"
				  "etc/os-release|symlink|nowhere|os-release;",
				  "links that lead out, in a circle, or nowhere");
}

static void
test_hard_links(void)
{
	tar_file(&tar, "var/lib/dpkg/status-old", PACKAGE);
	tar_hardlink(&tar, "var/lib/dpkg/status", "./var/lib/dpkg/status-old");
	check_entries("var/lib/dpkg/status-old|file|var/lib/dpkg/status|dpkg;"
				  "var/lib/dpkg/status|file|-|dpkg;",
				  "a hard link is a file with its target's bytes");
	CHECK_INT(recorder_count(&recorder, "feature|"), 1, "which are one package database");

	tar_file(&tar, "usr/lib/os-release", "ID=a");
	tar_hardlink(&tar, "etc/os-release", "usr/lib/os-release");
	check_entries("usr/lib/os-release|file|-|os-release;etc/os-release|file|-|os-release;",
				  "a hard link to a wanted file");
	CHECK_INT(recorder_count(&recorder, "layer_fact|"), 2, "has the facts, too");

	tar_hardlink(&tar, "var/lib/dpkg/status", "lower/file");
	check_entries("var/lib/dpkg/status|symlink|/lower/file|dpkg;",
				  "one to a lower layer's file becomes a symbolic link");
}

static void
test_limits(void)
{
	for (int i = 0; i < 40; i++)
	{
		char name[100];
		char target[100];

		snprintf(name, sizeof(name), "var/lib/dpkg/status.d/%d", i);
		snprintf(target, sizeof(target), "/target/%d", i);
		tar_symlink(&tar, name, target);
		tar_file(&tar, target + 1, PACKAGE);
	}
	CHECK_INT(index_tar(), CLAIR_OK, "many links are no error");
	CHECK_INT(recorder_count(&recorder, "layer_entry|"), 40 + 16, "but only some are followed");

	for (int i = 0; i < 30; i++)
	{
		char name[100];
		char target[100];

		snprintf(name, sizeof(name), i == 0 ? "var/lib/dpkg/status" : "l%d", i);
		snprintf(target, sizeof(target), "/l%d", i + 1);
		tar_symlink(&tar, name, target);
	}
	CHECK_INT(index_tar(), CLAIR_OK, "a long chain of links is no error either");
}

static void
test_text(void)
{
	tar_file(&tar, "var/lib/dpkg/status.d/\xe9\xff", PACKAGE);
	tar_symlink(&tar, "etc", "\xff");
	check_entries("var/lib/dpkg/status.d/\\xe9\\xff|file|-|dpkg;etc|symlink|\\xff|-;",
				  "names that are not text are escaped");
}

static void
test_detectors(void)
{
	detectors = "maven 3 opt/app/*/pom.properties\n"
				"python 7 usr/lib/python3/*/METADATA\npython 7 **/PKG-INFO\n";
	tar_directory(&tar, "opt");
	tar_directory(&tar, "opt/app/one");
	tar_file(&tar, "opt/app/one/pom.properties", "a");
	tar_file(&tar, "opt/app/one/more/pom.properties", "a");
	tar_file(&tar, "opt/app/two", "x");
	tar_symlink(&tar, "usr/lib/python3", "python3.11");
	tar_file(&tar, "usr/lib/python3.11/x/METADATA", "x");
	tar_file(&tar, "srv/x/PKG-INFO", "b");
	tar_file(&tar, "PKG-INFO", "b");
	tar_file(&tar, "srv/x/other", "b");
	check_entries("opt/app/one/pom.properties|file|-|detector:maven;opt/app/two|file|-|-;"
				  "usr/lib/python3|symlink|python3.11|-;srv/x/PKG-INFO|file|-|detector:python;"
				  "PKG-INFO|file|-|detector:python;",
				  "files that detectors want, and what lies where a directory above one should be");
	CHECK(recorder_find(&recorder, "|3|opt/app/one/pom.properties|") != NULL &&
			  recorder_find(&recorder, "|7|PKG-INFO|") != NULL,
		  "each with the version of its detector");

	tar_file(&tar, "opt/app/.wh.one", "");
	tar_file(&tar, "opt/app/one/.wh.pom.properties", "");
	tar_file(&tar, "opt/app/one/.wh.other", "");
	tar_file(&tar, "opt/app/.wh..wh..opq", "");
	tar_file(&tar, "srv/.wh.x", "");
	check_entries("opt/app/one|whiteout|-|-;opt/app/one/pom.properties|whiteout|-|-;"
				  "opt/app/one/other|whiteout|-|-;opt/app|opaque|-|-;srv/x|whiteout|-|-;",
				  "whiteouts of what a detector may want: with ** of anything");

	detectors = "a 1 var/lib/dpkg/status\nb 2 var/lib/dpkg/*\n";
	tar_file(&tar, "var/lib/dpkg/status", PACKAGE);
	tar_symlink(&tar, "var/lib/dpkg/link", "status");
	tar_add(&tar, '1', "var/lib/dpkg/again", "var/lib/dpkg/status", CLAIR_LITERAL(""));
	tar_add(&tar, '1', "var/lib/dpkg/gone", "opt/x", CLAIR_LITERAL(""));
	check_entries("var/lib/dpkg/status|file|-|dpkg;var/lib/dpkg/status|file|-|detector:a;"
				  "var/lib/dpkg/status|file|-|detector:b;var/lib/dpkg/link|symlink|status|-;"
				  "var/lib/dpkg/again|file|-|detector:b;var/lib/dpkg/gone|file|-|detector:b;",
				  "one file for several, links, and hard links");
	CHECK(recorder_count(&recorder, "detector_file|detector:a:") == 1 &&
			  recorder_count(&recorder, "detector_file|detector:b:") == 2,
		  "each gets its files, once");
	CHECK(recorder_find(&recorder, "var/lib/dpkg/gone|detector \"b\": it is a hard link to "
								   "\"opt/x\", which was not read|0") != NULL,
		  "and is told of the one that it does not get");
}

/* The key of a file of the last layer: the digest of path, NUL and content. */
static const char *
key_of(const char *detector, const char *path, ClairBytes content)
{
	static char key[256];
	char digest[DIGEST_TEXT_SIZE];
	size_t start = strlen(path) + 1;
	char *bytes = malloc(start + content.size);

	memcpy(bytes, path, start);
	memcpy(bytes + start, content.data, content.size);
	digest_of(DIGEST_SHA256, (ClairBytes){bytes, start + content.size}, digest, &error);
	free(bytes);
	snprintf(key, sizeof(key), "detector:%s:%s", detector, digest);
	return key;
}

static void
test_files(void)
{
	ClairBytes large = {calloc(1, 2500000), 2500000};
	char expected[512];

	memset((char *) large.data, 'x', large.size);
	detectors = "a 1 srv/*\n";
	tar_file(&tar, "srv/empty", "");
	tar_file(&tar, "srv/one", "1");
	tar_add(&tar, '0', "srv/large", "", large);
	CHECK_INT(index_tar(), CLAIR_OK, "files of all sizes");
	snprintf(expected, sizeof(expected), "detector_file|%s|srv/empty|0|",
			 key_of("a", "srv/empty", CLAIR_LITERAL("")));
	CHECK(recorder_find(&recorder, expected) != NULL, "an empty one has one piece");
	snprintf(expected, sizeof(expected), "detector_file|%s|srv/one|1|1",
			 key_of("a", "srv/one", CLAIR_LITERAL("1")));
	CHECK(recorder_find(&recorder, expected) != NULL, "and so has a small one");
	snprintf(expected, sizeof(expected), "detector_file|%s|srv/large|2500000|x",
			 key_of("a", "srv/large", large));
	CHECK_INT(recorder_count(&recorder, expected), 3, "a large one comes in pieces");
	CHECK_INT(recorder.questions, 2, "the server was asked for the layer, and for its files");
	CHECK(recorder.bad == NULL, "and all rows are well-formed");
	free((char *) large.data);
}

static void
test_limits_of_detectors(void)
{
	ClairBytes large = {calloc(1, 40 << 20), 40 << 20};

	detectors = "a 1 srv/*\nb 1 srv/b*\n";
	tar_file(&tar, "srv/small", "1");
	tar_add(&tar, '0', "srv/a", "", large);
	tar_add(&tar, '0', "srv/b", "", large);
	tar_file(&tar, "srv/z", "1");
	CHECK_INT(index_tar(), CLAIR_OK, "more bytes than a layer may have for detectors");
	CHECK(recorder_find(&recorder,
						"|1|srv/b|detector \"a\": with it, the layer has more than 64 MB "
						"for detectors|0") != NULL &&
			  recorder_find(&recorder, "|2|srv/b|detector \"b\": with it,") != NULL,
		  "are left out for each");
	CHECK(recorder_find(&recorder, "|srv/b|file|-|detector:b|-") != NULL &&
			  recorder_find(&recorder, "|srv/z|1|1") != NULL,
		  "the file is still there, and others are read");

	detectors = "a 1 **\n";
	for (int i = 0; i < WIRE_MAX_DETECTIONS + 2; i++)
	{
		char path[32];

		snprintf(path, sizeof(path), "srv/%05d", i);
		tar_file(&tar, path, "");
	}
	CHECK_INT(index_tar(), CLAIR_OK, "more files than a layer may have for detectors");
	CHECK_INT(recorder_count(&recorder, "detector_file|"), WIRE_MAX_DETECTIONS, "are left out");
	CHECK_INT(recorder_count(&recorder, "layer_problem|"), 1, "which is said once");
	CHECK(recorder_find(&recorder,
						"|srv/10000|detector \"a\": the layer has more than 10000 files for "
						"detectors, and it was left out|0") != NULL,
		  "of the first one");

	detectors = "a x srv/*\n";
	tar_file(&tar, "srv/small", "1");
	CHECK_INT(index_tar(), CLAIR_PROTOCOL, "a list of detectors that is none");
	free((char *) large.data);
}

int
main(void)
{
	digest_initialize(&error);
	image_initialize(&error);
	test_paths();
	test_last_one_counts();
	test_whiteouts();
	test_links();
	test_hard_links();
	test_limits();
	test_text();
	test_detectors();
	test_files();
	test_limits_of_detectors();
	recorder_clear(&recorder);
	return unit_result();
}
