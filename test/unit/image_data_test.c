/* Proves that real images give exactly their packages, and hostile ones an error or no more. */
#include <fcntl.h>

#include "common/digest.h"
#include "image/image.h"
#include "recorder.h"

static Recorder recorder;
static ClairError error;

static ClairStatus
index_file(const char *path)
{
	ClairSink sink = recorder_sink(&recorder);
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ImageJob job = {.input = open(path, O_RDONLY | O_CLOEXEC), .architecture = "amd64"};
	ClairStatus status;

	recorder_clear(&recorder);
	status = image_index(&job, &limits, &sink, &error);
	close(job.input);
	return status;
}

/* The field of this number (0: the relation) of a row, into one of a few buffers. */
static const char *
field(const char *row, int number)
{
	static char buffers[4][1024];
	static int next;
	char *buffer = buffers[next++ % 4];

	while (number-- > 0 && row != NULL)
		row = strchr(row, '|') != NULL ? strchr(row, '|') + 1 : NULL;
	snprintf(buffer, sizeof(buffers[0]), "%.*s", row != NULL ? (int) strcspn(row, "|") : 0,
			 row != NULL ? row : "");
	return buffer;
}

/* The content of the package database of the top layer, or "". */
static const char *
top_content(void)
{
	static char content[200];
	char top[200] = "";

	content[0] = '\0';
	for (int i = 0; i < recorder.count; i++)
	{
		if (strncmp(recorder.rows[i], "image_layer|", 12) == 0)
			snprintf(top, sizeof(top), "layer_entry|%s|", field(recorder.rows[i], 3));
	}
	for (int i = 0; i < recorder.count && top[0] != '\0'; i++)
	{
		if (strncmp(recorder.rows[i], top, strlen(top)) == 0 &&
			strcmp(field(recorder.rows[i], 8), "-") != 0)
			snprintf(content, sizeof(content), "%s", field(recorder.rows[i], 8));
	}
	return content;
}

/* Whether the features are those of the file's rows with "installed", or of all its rows. */
static void
check_expected(const char *image, const char *expected_file, bool is_apk)
{
	const char *path = unit_data(image);
	char line[4096];
	char prefix[300];
	FILE *file;
	int expected = 0;
	int missing = 0;

	if (path == NULL)
		return;
	CHECK_INT(index_file(path), CLAIR_OK, image);
	CHECK(recorder.bad == NULL, "all rows are well-formed");
	snprintf(prefix, sizeof(prefix), "feature|%s|", top_content());
	file = fopen(unit_data(expected_file), "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
	{
		char *columns[6] = {""};
		char *at = line;
		char wanted[2048];

		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; i < 6 && at != NULL; i++)
			columns[i] = strsep(&at, "\t");
		if (!is_apk && strcmp(columns[5], "installed") != 0)
			continue;
		expected++;
		if (is_apk)
			snprintf(wanted, sizeof(wanted), "|%s|%s|%s|%s|%s|-", columns[0], columns[1],
					 columns[2], columns[1], columns[3]);
		else
			snprintf(wanted, sizeof(wanted), "|%s|%s|%.*s|%s|%s|-", columns[0], columns[1],
					 columns[2][0] != '\0' ? (int) strcspn(columns[2], " ") : 1024,
					 columns[2][0] != '\0' ? columns[2] : columns[0], columns[3], columns[4]);
		if (recorder_find(&recorder, wanted) == NULL)
		{
			missing++;
			printf("# not found: %s\n", wanted);
		}
	}
	if (file != NULL)
		fclose(file);
	CHECK_INT(missing, 0, "every package that is expected is there");
	CHECK_INT(recorder_count(&recorder, prefix), expected, "and no other");
}

static void
test_images(void)
{
	static const char *const suites[] = {"bookworm", "trixie", "sid", "jammy"};
	static const char *const forms[] = {"docker.tar.gz", "oci-gzip.tar", "oci-zstd.tar"};

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
	{
		char ids[3][200];

		for (size_t j = 0; j < sizeof(forms) / sizeof(forms[0]); j++)
		{
			char image[200];
			char expected[200];

			snprintf(image, sizeof(image), "images/%s/%s.%s", suites[i], suites[i], forms[j]);
			snprintf(expected, sizeof(expected), "images/%s/expected.layer3.tsv", suites[i]);
			check_expected(image, expected, false);
			snprintf(ids[j], sizeof(ids[j]), "%s",
					 recorder.count > 0 ? field(recorder.rows[0], 2) : "");
			CHECK_INT(recorder_count(&recorder, "layer|"), 3, "three layers");
		}
		CHECK_TEXT(clair_bytes(ids[0]), ids[1], "the same image by any form");
	}
	check_expected("images/bookworm/bookworm.aci", "images/bookworm/expected.layer3.tsv", false);
	CHECK(recorder_find(&recorder, "image_name|0|example.com/bookworm:latest") != NULL,
		  "an appc image by its name");
	check_expected("images/trixie/trixie-slim.full.oci-gzip.tar",
				   "images/trixie/expected.layer3.tsv", false);
	check_expected("images/alpine/alpine-310.tar.gz", "images/alpine/expected.alpine-310.tsv",
				   true);
}

/*
 * What hostile files must come to: a status, and with CLAIR_OK the number of features of the
 * top layer; and a text that a row or the error must have.
 */
typedef struct Expectation
{
	const char *file;
	ClairStatus status;
	int features;
	const char *text;
} Expectation;

static const Expectation expectations[] = {
	{"tar/traversal.tar.gz", CLAIR_OK, 2, "|openssl|3.0.11-1~deb12u1|"},
	{"tar/dotslash.tar", CLAIR_OK, 2, "|bash|5.2.15-2+b2|bash|5.2.15-2|amd64|-"},
	{"tar/absolute.tar", CLAIR_OK, 2, "|version_id|12"},
	{"tar/status-symlink.tar", CLAIR_OK, 0, "|symlink|/etc/passwd|dpkg|-"},
	{"tar/status-symlink-in.tar", CLAIR_OK, 2, "|symlink|status.real|dpkg|-"},
	{"tar/usr-lib-os-release.tar", CLAIR_OK, 2, "|usr/lib/os-release|id|debian"},
	{"tar/status-hardlink.tar", CLAIR_OK, 2, "|var/lib/dpkg/status|file|-|dpkg|sha256:"},
	{"tar/dup-member.tar", CLAIR_OK, 2, NULL},
	{"tar/longname-gnu.tar.gz", CLAIR_OK, 2, NULL},
	{"tar/pax-path.tar", CLAIR_OK, 2, NULL},
	{"tar/size-huge.tar", CLAIR_LIMIT, 0, "clair.max_file_size"},
	{"tar/bad-checksum.tar", CLAIR_INVALID, 0, "not a tar archive"},
	{"tar/no-eof.tar", CLAIR_INVALID, 0, "Truncated"},
	{"tar/empty.tar", CLAIR_OK, 0, "image_layer|0|1|sha256:e3b0c44298fc1c149afbf4c8996fb924"},
	{"tar/concat-gzip.tar.gz", CLAIR_OK, 2, NULL},
	{"gzip/truncated.tar.gz", CLAIR_INVALID, 0, "gzip data is truncated"},
	{"gzip/header-only.tar.gz", CLAIR_INVALID, 0, "gzip data is truncated"},
	{"gzip/flipped.tar.gz", CLAIR_INVALID, 0, "gzip data is corrupt"},
	{"gzip/bzip2.tar.bz2", CLAIR_OK, 2, NULL},
	{"gzip/good.tar.xz", CLAIR_OK, 2, NULL},
	{"gzip/good.tar.zst", CLAIR_OK, 2, NULL},
	{"bomb/status-10g.tar.gz", CLAIR_LIMIT, 0, "clair.max_file_size"},
	{"bomb/million-entries.tar.gz", CLAIR_OK, 0, "|1000000"},
	{"bomb/deep-path.tar.gz", CLAIR_OK, 2, NULL},
	{"dpkg/long-line.tar.gz", CLAIR_OK, 3, "line 4 is longer than 8 MB"},
	{"dpkg/non-utf8.tar.gz", CLAIR_OK, 1, "|good|2|good|2|-|-"},
	{"dpkg/nul.tar.gz", CLAIR_OK, 2, "line 1: \"ba\" is not a package's name"},
	{"dpkg/no-version.tar.gz", CLAIR_OK, 2, "line 1: package \"nover\": its version is missing"},
	{"dpkg/dup-stanza.tar.gz", CLAIR_OK, 2, NULL},
	{"dpkg/crlf.tar.gz", CLAIR_OK, 2, "|openssl|3.0.11-1~deb12u1|openssl|3.0.11-1~deb12u1|amd64|-"},
	{"dpkg/no-final-newline.tar.gz", CLAIR_OK, 2, NULL},
	{"dpkg/not-installed.tar.gz", CLAIR_OK, 5, "|hold|1.5|"},
	{"dpkg/injection.tar.gz", CLAIR_OK, 3, "|y|1\"; SELECT 1|"},
	{"apk/good.tar.gz", CLAIR_OK, 3, "|libssl3|3.1.4-r0|openssl|3.1.4-r0|-|-"},
	{"apk/no-final-blank.tar.gz", CLAIR_OK, 3, NULL},
	{"apk/no-version.tar.gz", CLAIR_OK, 3, "package \"x\": its version is missing"},
	{"apk/nul-and-8bit.tar.gz", CLAIR_OK, 3, NULL},
	{"apk/crlf.tar.gz", CLAIR_OK, 3, "|musl|1.2.4-r1|musl|1.2.4-r1|x86_64|-"},
	{"docker/good.tar", CLAIR_OK, 3, "image_name|0|example/hostile:latest"},
	{"docker/missing-layer.tar", CLAIR_MISSING, 0, "layer 2: file \"ddf081e2"},
	{"docker/layer-twice.tar", CLAIR_OK, 3, "image_layer|0|3|"},
	{"docker/manifest-not-json.tar", CLAIR_INVALID, 0, "manifest.json: invalid JSON"},
	{"docker/manifest-deep.tar.gz", CLAIR_INVALID, 0, "nesting too deep"},
	{"docker/manifest-null-layers.tar", CLAIR_MISSING, 0, "config \"x.json\""},
	{"docker/layer-traversal-name.tar", CLAIR_MISSING, 0, "../../../etc/passwd"},
	{"docker/layer-symlink.tar", CLAIR_OK, 2, "image_name|0|x:y"},
	{"docker/two-images.tar", CLAIR_INVALID, 0, "it has 0 diff ids, but the manifest has 1 layers"},
	{"oci/good.tar", CLAIR_OK, 3, "image_manifest|0|sha256:11122eab"},
	{"oci/digest-mismatch.tar", CLAIR_INVALID, 0, "manifest sha256:2aa2a8e4"},
	{"oci/index-loop.tar", CLAIR_INVALID, 0, "index.json: blob sha256:cccc"},
	{"oci/wrong-mediatype.tar", CLAIR_OK, 2, NULL},
	{"oci/foreign-layer.tar", CLAIR_INVALID, 0, "manifest sha256:828f9e88"},
	{"oci/multi-arch.tar", CLAIR_OK, 2, "|linux/amd64"},
	{"aci/good.aci", CLAIR_OK, 2, "image_name|0|example.com/debian"},
	{"aci/dotslash.aci", CLAIR_OK, 2, "|linux/amd64"},
	{"aci/manifest-not-json.aci", CLAIR_INVALID, 0, "manifest: invalid JSON at byte 1"},
};

static void
test_hostile(void)
{
	for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++)
	{
		const Expectation *expected = &expectations[i];
		char name[200];
		char prefix[300];
		const char *path;
		ClairStatus status;

		snprintf(name, sizeof(name), "hostile/%s", expected->file);
		path = unit_data(name);
		if (path == NULL)
			continue;
		status = index_file(path);
		CHECK_INT(status, expected->status, name);
		CHECK(recorder.bad == NULL, "  rows are well-formed");
		if (status == CLAIR_OK)
		{
			snprintf(prefix, sizeof(prefix), "feature|%s|", top_content());
			CHECK_INT(recorder_count(&recorder, prefix), expected->features, "  features");
		}
		else
			CHECK_INT(recorder_count(&recorder, "layer|"), 0, "  no layer is sent");
		if (expected->text != NULL)
			CHECK(status == CLAIR_OK ? recorder_find(&recorder, expected->text) != NULL
									 : strstr(error.message, expected->text) != NULL ||
										   strstr(error.hint, expected->text) != NULL,
				  expected->text);
	}
}

/* Layers of Red Hat images: content manifests at all their places, one that is no JSON, none. */
static void
test_manifests(void)
{
	static const struct
	{
		const char *layer;
		const char *path; /* NULL: there is no fact */
	} layers[] = {
		{"layer-with-embedded-cs.tar", "root/buildinfo/content_manifests/foo-1.1-2.json"},
		{"rhcos-layer-with-embedded-cs.tar", "usr/share/buildinfo/foo-1.1-2.json"},
		{"rhcos-layer-with-conflicting-files.tar", "usr/share/buildinfo/foo-1.1-2.json"},
		{"layer-with-invalid-content-manifests-json.tar", NULL},
		{"layer-with-no-cpe-info.tar", NULL},
	};

	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
	{
		char name[200];
		char fact[200];
		const char *path;

		snprintf(name, sizeof(name), "images/claircore-rhel-layers/%s", layers[i].layer);
		path = unit_data(name);
		if (path == NULL)
			continue;
		CHECK_INT(index_file(path), CLAIR_OK, layers[i].layer);
		snprintf(fact, sizeof(fact), "|%s|repository.1|content-set-2", layers[i].path);
		if (layers[i].path != NULL)
			CHECK(recorder_find(&recorder, fact) != NULL, fact + 1);
		else
			CHECK_INT(recorder_count(&recorder, "layer_fact|"), 0, "  no facts");
	}
}

int
main(void)
{
	digest_initialize(&error);
	image_initialize(&error);
	if (unit_data("images") != NULL)
	{
		test_images();
		test_manifests();
	}
	if (unit_data("hostile") != NULL)
		test_hostile();
	recorder_clear(&recorder);
	return unit_result();
}
