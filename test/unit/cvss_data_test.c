/* Proves that CVSS vectors of others' tests, and those of NVD, are read and scored as they say. */
#include "common/arena.h"
#include "feed/cvss.h"
#include "unit.h"

static Arena *arena;

/* Calls a function with each line of a file, cut at white space. False when there is no file. */
static bool
for_each_line(const char *name, void (*take)(char *line))
{
	const char *path = unit_data(name);
	FILE *file = path != NULL ? fopen(path, "r") : NULL;
	char line[4096];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		take(line);
	if (file != NULL)
		fclose(file);
	return file != NULL;
}

/* "vector #OK" or "vector" that is broken. */
static void
take_verdict(char *line)
{
	bool valid = strstr(line, "#OK") != NULL;
	Cvss cvss;

	line[strcspn(line, " \n")] = '\0';
	CHECK((cvss_read(clair_bytes(line), &cvss) == NULL) == valid, line);
}

/* "vector # comment": it is written as it is read. */
static void
take_round_trip(char *line)
{
	Cvss cvss;

	line[strcspn(line, " \n")] = '\0';
	if (cvss_read(clair_bytes(line), &cvss) != NULL)
		CHECK(false, line);
	else
		CHECK_TEXT(cvss_vector(arena, &cvss), line, line);
}

static void
check_score(const char *vector, const char *score)
{
	Cvss cvss;
	const char *problem = cvss_read(clair_bytes(vector), &cvss);

	if (problem != NULL)
		printf("# %s: %s\n", vector, problem);
	CHECK_INT(problem != NULL ? CVSS_NO_SCORE : cvss_score(&cvss),
			  cvss_read_score(clair_bytes(score)), vector);
}

/* "vector score # comment" */
static void
take_score(char *line)
{
	char *save;
	char *vector = strtok_r(line, " \n", &save);

	check_score(vector, strtok_r(NULL, " \n", &save));
}

/* "CVE, vector, score, vector, score", parted by tabs; the vectors of versions 3 and 2. */
static void
take_cve(char *line)
{
	char *columns[5] = {"", "", "", "", ""};

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < 5 && line != NULL; i++)
		columns[i] = strsep(&line, "\t");
	for (int i = 1; i < 5; i += 2)
		if (strchr(columns[i], '/') != NULL)
			check_score(columns[i], columns[i + 1]);
}

int
main(void)
{
	arena = arena_create(1 << 20);
	for_each_line("cvss/v2_error.list", take_verdict);
	for_each_line("cvss/v2_roundtrip.list", take_round_trip);
	for_each_line("cvss/v2_score.list", take_score);
	for_each_line("cvss/v30_score.list", take_score);
	for_each_line("cvss/v31_score.list", take_score);
	for_each_line("feeds/nvd/expected-modified-derived.tsv", take_cve);
	arena_destroy(arena);
	return unit_result();
}
