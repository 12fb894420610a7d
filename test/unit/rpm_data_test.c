/* Proves that rpm databases give exactly what rpm lists, and damaged ones a part and the reason. */
#include <dirent.h>
#include <fcntl.h>

#include "common/digest.h"
#include "common/stream.h"
#include "image/image.h"
#include "package/package.h"
#include "recorder.h"

static Recorder recorder;
static ClairError error;
static const ClairLimits limits = {CLAIR_LIMITS(CLAIR_LIMIT_INITIALIZER)};

/* A row of an expected list: what clair.feature should have of it, parted by "|". */
typedef struct Expected
{
	char **lines;
	int count;
} Expected;

static void
add_expected(Expected *expected, char *line)
{
	char *columns[7] = {"", "", "", "", "", "", ""};
	char *source;
	char *version = NULL;
	char row[2048];
	char module[256] = "-";

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < 7 && line != NULL; i++)
		columns[i] = strsep(&line, "\t");
	if (strcmp(columns[0], "name") == 0 || strcmp(columns[0], "gpg-pubkey") == 0)
		return;
	/* name-version-release.src.rpm */
	source = columns[5];
	if (strlen(source) > strlen(".src.rpm"))
	{
		source[strlen(source) - strlen(".src.rpm")] = '\0';
		*strrchr(source, '-') = '|';
		version = strrchr(source, '-');
		*version++ = '\0';
		*strchr(version, '|') = '-';
	}
	if (columns[6][0] != '\0')
		snprintf(module, sizeof(module), "%.*s",
				 (int) (strchr(strchr(columns[6], ':') + 1, ':') - columns[6]), columns[6]);
	snprintf(row, sizeof(row), "|%s|%s%s%s-%s|%s|%s|%s|-|%s|", columns[0],
			 strcmp(columns[1], "0") == 0 ? "" : columns[1],
			 columns[1][0] == '\0' || strcmp(columns[1], "0") == 0 ? "" : ":", columns[2],
			 columns[3], source, version, columns[4], module);
	expected->lines = realloc(expected->lines, sizeof(char *) * (size_t) (expected->count + 1));
	expected->lines[expected->count++] = strdup(row);
}

/* The list of a file; empty when it is not there. */
static Expected
read_expected(const char *name)
{
	Expected expected = {.count = 0};
	const char *path = unit_data(name);
	FILE *file = path != NULL ? fopen(path, "r") : NULL;
	char line[4096];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		add_expected(&expected, line);
	if (file != NULL)
		fclose(file);
	return expected;
}

static void
free_expected(Expected *expected)
{
	for (int i = 0; i < expected->count; i++)
		free(expected->lines[i]);
	free(expected->lines);
}

/* Whether the recorder's features are those of the list. */
static void
check_features(const char *list)
{
	Expected expected = read_expected(list);
	int missing = 0;

	for (int i = 0; i < expected.count; i++)
	{
		if (recorder_find(&recorder, expected.lines[i]) != NULL)
			continue;
		missing++;
		printf("# not found: %s\n", expected.lines[i]);
	}
	CHECK_INT(missing, 0, "every package that is expected is there");
	CHECK_INT(recorder_count(&recorder, "feature|"), expected.count, "and no other");
	CHECK_INT(recorder_count(&recorder, "layer_problem|"), 0, "and no problem");
	CHECK(recorder.bad == NULL, "all rows are well-formed");
	free_expected(&expected);
}

static void
test_images(void)
{
	static const char *const images[] = {
		"amazon2-bdb",
		"centos7-bdb",
		"centos7-sqlite",
		"centos8-modular-bdb",
		"centos8-modular-sqlite",
		"leap151-ndb",
		"photon30-sqlite",
		"rocky9-ndb",
		"rocky9-sqlite",
		"ubi7-bdb",
	};

	for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++)
	{
		ClairSink sink = recorder_sink(&recorder);
		ImageJob job = {.architecture = "amd64"};
		char name[200];
		const char *path;

		snprintf(name, sizeof(name), "images/rpm/%s.layer.tar.gz", images[i]);
		path = unit_data(name);
		if (path == NULL)
			continue;
		recorder_clear(&recorder);
		job.input = open(path, O_RDONLY | O_CLOEXEC);
		CHECK_INT(image_index(&job, &limits, &sink, &error), CLAIR_OK, images[i]);
		close(job.input);
		snprintf(name, sizeof(name), "images/rpm/%s.expected.tsv", images[i]);
		check_features(name);
	}
}

/* The bytes of a file, decompressed; the caller frees the data. */
static ClairBytes
read_file(const char *path)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	char *data = malloc(1);
	size_t size = 0;
	ClairStream *file;
	ClairStream *stream;
	ClairBytes piece;

	if (stream_open_file(descriptor, 0, -1, &file, &error) != CLAIR_OK ||
		stream_open_decompressed(file, limits.max_layer_size, "clair.max_layer_size",
								 limits.max_ratio, &stream, &error) != CLAIR_OK)
		abort();
	while (stream->read(stream, &piece, &error) == CLAIR_OK && piece.size > 0)
	{
		data = realloc(data, size + piece.size);
		memcpy(data + size, piece.data, piece.size);
		size += piece.size;
	}
	stream->close(stream);
	close(descriptor);
	return (ClairBytes){data, size};
}

/*
 * Reads a database; its findings become rows of the recorder. False when there is no such file. A
 * reader that does not end is ended, and the test with it; the memory is that of a reader.
 */
static bool
read_database(FileReader *reader, const char *name)
{
	const char *path = unit_data(name);
	Arena *arena = arena_create((size_t) limits.reader_memory);
	Findings findings;
	ClairBytes file;

	recorder_clear(&recorder);
	if (path == NULL)
		return false;
	file = read_file(path);
	findings_start(&findings, arena, &limits);
	alarm(60);
	CHECK_INT(reader(file, &findings, &error), CLAIR_OK, name);
	alarm(0);
	for (const Feature *feature = findings.features; feature != NULL; feature = feature->next)
	{
		ClairBytes fields[] = {
			CLAIR_LITERAL("sha256:"), CLAIR_LITERAL("1"),	feature->name,
			feature->version,		  feature->source_name, feature->source_version,
			feature->architecture,	  feature->problem,		feature->module,
			feature->vendor,		  feature->license,
		};

		recorder_row(&recorder, WIRE_FEATURE, fields, sizeof(fields) / sizeof(fields[0]), &error);
	}
	for (const Problem *problem = findings.problems; problem != NULL; problem = problem->next)
	{
		ClairBytes fields[] = {CLAIR_LITERAL("sha256:"), CLAIR_LITERAL("1"), CLAIR_LITERAL("path"),
							   problem->reason, CLAIR_LITERAL("0")};

		recorder_row(&recorder, WIRE_LAYER_PROBLEM, fields, 5, &error);
	}
	arena_destroy(arena);
	free((char *) file.data);
	return true;
}

static void
test_databases(void)
{
	static const struct
	{
		const char *database;
		FileReader *reader;
		const char *list;
	} databases[] = {
		{"real/cbl-mariner-2.0/rpmdb.sqlite.xz", rpm_sqlite_read,
		 "real/cbl-mariner-2.0/expected.tsv"},
		{"real/libuuid/Packages", rpm_bdb_read, "real/libuuid/expected.tsv"},
		{"grype-sles/Packages", rpm_bdb_read, "grype-sles/expected.tsv"},
		{"syft/Packages", rpm_bdb_read, "syft/expected.tsv"},
	};

	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++)
	{
		char name[200];

		snprintf(name, sizeof(name), "pkgdb/rpm/%s", databases[i].database);
		if (!read_database(databases[i].reader, name))
			continue;
		snprintf(name, sizeof(name), "pkgdb/rpm/%s", databases[i].list);
		check_features(name);
	}
	if (read_database(rpm_manifest_read, "pkgdb/rpm/syft/container-manifest-2"))
	{
		CHECK_INT(recorder_count(&recorder, "feature|"), 5, "a manifest of five packages");
		CHECK(recorder_find(&recorder, "|vim|2:9.0-1.cm2|vim|9.0-1.cm2|x86_64|-|-|Microsoft "
									   "Corporation") != NULL,
			  "one has an epoch");
		CHECK_INT(recorder_count(&recorder, "layer_problem|"), 0, "and no problem");
	}
	if (read_database(rpm_sqlite_read, "pkgdb/rpm/claircore-sqlite/no_packages.sqlite"))
		CHECK_INT(recorder_count(&recorder, "feature|"), 0, "nothing is in it");
}

static void
test_damaged(void)
{
	const char *path = unit_data("hostile/rpmdb");
	DIR *folder = path != NULL ? opendir(path) : NULL;
	struct dirent *entry;
	int files = 0;
	int databases = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
	{
		static const struct
		{
			const char *ending;
			FileReader *reader;
		} readers[] = {
			{".Packages.gz", rpm_bdb_read},
			{".Packages.db.gz", rpm_ndb_read},
			{".rpmdb.sqlite.gz", rpm_sqlite_read},
			{"text.Packages", rpm_bdb_read},
		};
		char name[300];

		files += entry->d_name[0] != '.' && strcmp(entry->d_name, "INDEX.tsv") != 0;
		snprintf(name, sizeof(name), "hostile/rpmdb/%s", entry->d_name);
		for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		{
			int features;
			int problems;

			if (!clair_bytes_end_with(clair_bytes(name), clair_bytes(readers[i].ending)) ||
				!read_database(readers[i].reader, name))
				continue;
			databases++;
			features = recorder_count(&recorder, "feature|");
			problems = recorder_count(&recorder, "layer_problem|");
			CHECK(recorder.bad == NULL, "  rows are well-formed");
			/* Before they were damaged, they had one, two or 32 packages. */
			CHECK(problems > 0 ? features <= 32 : features == 1 || features == 2 || features == 32,
				  "  a part of its packages, or what is wrong");
		}
	}
	if (folder != NULL)
		closedir(folder);
	CHECK_INT(databases, files, "every database of the folder was read, once");
}

/* A broken header before a sound one. */
static void
test_headers(void)
{
	static const char *const headers[] = {
		"count-huge-array", "dup-tags",		   "good",		  "name-array",	  "name-i18n-type",
		"no-name",			"offset-negative", "seven-bytes", "type-unknown",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
	{
		char name[200];

		snprintf(name, sizeof(name), "hostile/rpmhdr/%s.rpmdb.sqlite.gz", headers[i]);
		if (read_database(rpm_sqlite_read, name))
			CHECK(recorder_find(&recorder, "|sentinel|") != NULL, "  the one after it is listed");
	}
	if (read_database(rpm_sqlite_read, "hostile/rpmhdr/sqlite-text-blob.rpmdb.sqlite.gz"))
		CHECK_INT(recorder_count(&recorder, "feature|"), 0, "  nothing is listed");
}

int
main(void)
{
	digest_initialize(&error);
	image_initialize(&error);
	test_images();
	test_databases();
	test_damaged();
	test_headers();
	recorder_clear(&recorder);
	return unit_result();
}
