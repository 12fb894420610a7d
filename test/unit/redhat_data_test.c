/*
 * redhat_data_test.c
 *    Proves that real documents of Red Hat become what a second reader, written apart from this
 * one, makes of them, and that a real feed becomes the documents that another tool keeps of it.
 */
#include "feed_sink.h"

#define FEEDS "feeds/redhat/"
#define VULS  FEEDS "vuls-redhat-vex-v1/testdata/"

/* What the second reader finds: ranges for each architecture and repository by itself. */
typedef struct Sample
{
	const char *path;
	int64_t vulnerabilities;
	int64_t builds;
	int64_t broken;
} Sample;

static const Sample samples[] = {
	{FEEDS "vex-large/CVE-2024-1597.json.xz", 1, 27, 0},
	{FEEDS "vex-large/RHSA-2023_6939.json.xz", 17, 2057, 0},
	{FEEDS "claircore-vex/cve-2023-38545.json.xz", 1, 105, 0},
	{FEEDS "claircore-vex/cve-2023-4154.json", 0, 0, 0}, /* known_not_affected alone */
	{FEEDS "claircore-vex/cve-2023-42670.json", 0, 0, 0},
	{FEEDS "claircore-vex/cve-2024-24786-bad-rpmmod.json", 1, 2, 1},
	{FEEDS "claircore-vex/cve-2024-24786-simple.json", 1, 1, 0},
	{FEEDS "claircore-vex/delete_CVE-2023-0030.json", 0, 0, 0},
	{FEEDS "claircore-acceptance/cve-2024-0727-openssl.json", 1, 52, 0},
	{FEEDS "claircore-acceptance/cve-2025-40907-perl.json.xz", 1, 39, 0},
	{FEEDS "claircore-acceptance/cve-2026-123.json", 0, 0,
	 1}, /* no name of a CVE has three digits */
	{FEEDS "claircore-acceptance/cve-2026-2673.json", 1, 11, 0},
	{FEEDS "csaf/rhsa-2022-0011.json", 0, 0, 0}, /* products without package URLs */
	{FEEDS "csaf/cve-1999-0001-deleted.json", 0, 0, 0},
	{VULS "golden/2023/CVE-2023-6212.json.xz", 1, 103, 0},
	{VULS "golden/2023/CVE-2023-6228.json", 1, 33, 0},
	{VULS "golden/2023/CVE-2023-6238.json", 0, 0, 0}, /* no release of the distribution is named */
	{VULS "golden/2023/CVE-2023-6240.json.xz", 1, 686, 0}};

/* How many words the fields of a row have that are lists of architectures and repositories. */
static int64_t
builds_of_row(const char *row)
{
	int64_t architectures = 1;
	int64_t repositories = 0;
	int field = 0;

	for (; *row != '\n' && *row != '\0'; row++)
	{
		if (*row == '|')
			field++;
		architectures += field == 12 && *row == ' ';
		repositories += field == 15 && strncmp(row, "cpe:", 4) == 0;
	}
	return architectures * repositories;
}

static int64_t
count_builds(const Recorder *recorder)
{
	int64_t builds = 0;

	for (const char *row = recorder->rows; row != NULL; row = strchr(row, '\n'))
	{
		row++;
		if (strncmp(row, "affected|", 9) == 0)
			builds += builds_of_row(row);
	}
	return builds;
}

static void
check_sample(const Sample *sample)
{
	const char *path = unit_data(sample->path);
	UpdaterDocument document;
	Recorder recorder = {0};

	if (path == NULL)
		return;
	document = feed_file("2031/cve-2031-0001.json", path);
	CHECK_INT(feed_read("redhat", &document, 1, &recorder), CLAIR_OK, sample->path);
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], sample->vulnerabilities, "vulnerabilities");
	CHECK_INT(count_builds(&recorder), sample->builds, "builds that are affected");
	CHECK_INT(recorder.counts[WIRE_BROKEN], sample->broken, "what is broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

/* What claircore expects to be found in an image, with what it is found by. */
static void
check_acceptance(void)
{
	const char *path = unit_data(FEEDS "claircore-acceptance/cve-2025-40907-perl.json.xz");
	UpdaterDocument document;
	Recorder recorder = {0};

	if (path == NULL)
		return;
	document = feed_file("2025/cve-2025-40907.json", path);
	feed_read("redhat", &document, 1, &recorder);
	CHECK_ROW(&recorder,
			  "affected|CVE-2025-40907|CVE-2025-40907|8|rhel:8|binary|perl-FCGI|rpm|-|"
			  "1:0.78-12.module+el8.10.0+23147+df114ff4|fixed|High|aarch64 ppc64le s390x x86_64|"
			  "perl-FCGI:0.78|-|cpe:/a:redhat:enterprise_linux:8::appstream rhel:8|RHSA-2025:8696",
			  "the module that an image of perl has, in the context that sorts lowest");
	recorder_clear(&recorder);
}

/* The archive of a day, and the lists that came with it: the other tool keeps four documents. */
static void
check_feed(void)
{
	static const char *const files[][2] = {{"archive", VULS "fixtures/csaf_vex_2024-08-04.tar.zst"},
										   {"changes", VULS "fixtures/changes.csv"},
										   {"deletions", VULS "fixtures/deletions.csv"}};
	UpdaterDocument documents[3];
	Recorder recorder = {0};

	for (size_t i = 0; i < 3; i++)
	{
		const char *path = unit_data(files[i][1]);

		if (path == NULL)
			return;
		documents[i] = feed_file(files[i][0], path);
	}
	documents[0].url = CLAIR_LITERAL("https://x/csaf_vex_2024-08-04.tar.zst");
	CHECK_INT(feed_read("redhat", documents, 3, &recorder), CLAIR_OK, "a real feed");
	CHECK_ROW(&recorder, "record|archive|CVE-2023-6228|*", "of the archive");
	CHECK_ROW(&recorder, "record|archive|CVE-2023-6238|*", "likewise");
	CHECK_INT(recorder.counts[WIRE_RECORD], 2, "without what has changed or gone that day");
	CHECK_ROW(&recorder, "further|changes|2023/cve-2023-6240.json|*", "what has changed");
	CHECK_ROW(&recorder, "further|changes|2023/cve-2023-6212.json|*", "likewise");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 2, "and nothing else");
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	if (digest_initialize(&error) != CLAIR_OK)
		return 1;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		check_sample(&samples[i]);
	check_acceptance();
	check_feed();
	return unit_result();
}
