/*
 * cvss_test.c
 *    Proves that CVSS vectors are checked and scored as FIRST's specifications say, to the tenth.
 *
 * The totals over all vectors come from the specifications' formulas, worked out in fractions
 * (Python's), which have no rounding but the one that is specified.
 */
#include "common/arena.h"
#include "feed/cvss.h"
#include "unit.h"

static Arena *arena;

#define V31 "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
#define V30 "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
#define V40 "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
#define V2	"AV:N/AC:L/Au:N/C:P/I:P/A:P"

/* The vector as it is written again, or the problem. */
static void
check(const char *vector, const char *expected)
{
	Cvss cvss;
	const char *problem = cvss_read(clair_bytes(vector), &cvss);

	CHECK_TEXT(problem != NULL ? clair_bytes(problem) : cvss_vector(arena, &cvss), expected,
			   vector);
}

static void
check_valid(const char *vector)
{
	check(vector, vector);
}

static void
check_vectors(void)
{
	check_valid(V2);
	check_valid(V2 "/E:ND/RL:OF/RC:UR");
	check_valid(V2 "/CDP:LM/TD:ND/CR:L/IR:M/AR:H");
	check_valid(V2 "/E:POC/RL:TF/RC:UC/CDP:MH/TD:N/CR:ND/IR:ND/AR:ND");
	check_valid(V30);
	check_valid(V31 "/E:X/RL:W/RC:R/CR:X/IR:L/AR:M/MAV:P/MAC:H/MPR:H/MUI:R/MS:C/MC:N/MI:L/MA:X");
	check("CVSS:3.1/E:P/A:H/I:H/MS:X/C:H/S:U/UI:N/PR:N/AC:L/AV:N", V31 "/E:P/MS:X");
	check_valid(V40);
	check_valid(V40 "/E:U/CR:H/IR:M/AR:L/MAV:A/MAC:H/MAT:P/MPR:L/MUI:A/MVC:N/MVI:L/MVA:H/MSC:L/"
					"MSI:S/MSA:S/S:P/AU:Y/R:I/V:C/RE:M/U:Clear");
	check_valid(V40 "/E:X/U:Red");
}

static void
check_problems(void)
{
	check("", "it is empty");
	check("CVSS:3.1/", "it is empty");
	check("CVSS:2.0/" V2, "it is of a version that is not known");
	check("CVSS:3.2/AV:N", "it is of a version that is not known");
	check("CVSS:3.1", "it is of a version that is not known");
	check("cvss:3.1/AV:N", "a metric is not one of its version");
	check("(" V2 ")", "a metric is not one of its version");
	check(V2 "/", "a metric has no value");
	check("/" V2, "a metric has no value");
	check("AV", "a metric has no value");
	check("AV:", "a metric does not have such a value");
	check("AV:n", "a metric does not have such a value");
	check("AV:N A", "a metric does not have such a value");
	check("AV:L A", "a metric does not have such a value");
	check(V31 "/E:", "a metric does not have such a value");
	check(V31 "/E:POC", "a metric does not have such a value");
	check(V31 "/:X", "a metric is not one of its version");
	check(V31 "/CDP:H", "a metric is not one of its version");
	check(V31 "/AV:N", "a metric is there twice");
	check(V31 "/E:X/E:X", "a metric is there twice");
	check("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "a metric that must be given is missing");
	check("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/MA:H",
		  "a metric that must be given is missing");
	check("AV:N/AC:L/Au:N/C:P/I:P", "a metric that must be given is missing");
	check("AV:N/AC:L/Au:N/C:P/A:P/I:P", "its metrics are not in their order");
	check(V2 "/E:F", "a group of its metrics is not whole");
	check(V2 "/CDP:H/TD:H/CR:H", "a group of its metrics is not whole");
	check(V2 "/CDP:H/TD:H/CR:H/IR:H/AR:H/E:F/RL:W/RC:C", "its metrics are not in their order");
	check("CVSS:4.0/AC:L/AV:N/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
		  "its metrics are not in their order");
	check("CVSS:4.0/AV:N/AC:L/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
		  "a metric that must be given is missing");
	check(V40 "/U:Red/E:X", "its metrics are not in their order");
	check(V40 "/U:red", "a metric does not have such a value");
	check(V40 "/MSC:S", "a metric does not have such a value");
}

static Cvss
vector(const char *text)
{
	Cvss cvss;
	const char *problem = cvss_read(clair_bytes(text), &cvss);

	if (problem != NULL)
		printf("# %s: %s\n", text, problem);
	return cvss;
}

static void
check_score(const char *text, int expected)
{
	Cvss cvss = vector(text);

	CHECK_INT(cvss_score(&cvss), expected, text);
}

static void
check_scores(void)
{
	Cvss cvss;

	check_score(V2, 75);
	check_score("AV:L/AC:H/Au:M/C:N/I:N/A:N", 0);
	/* The base group's impact is not bounded by 10, an adjusted one is: 7.15008 and 7.14949 */
	check_score("AV:L/AC:L/Au:N/C:C/I:C/A:C", 72);
	check_score("AV:L/AC:L/Au:N/C:C/I:C/A:C/CDP:ND/TD:ND/CR:M/IR:ND/AR:ND", 71);
	/* 5.0 x 0.85 = 4.25: a half goes up */
	check_score("AV:N/AC:L/Au:N/C:P/I:N/A:N/E:U/RL:U/RC:C", 43);
	/* 0.6 x 1.43 + 0.4 x 1.24 - 1.5 is below 0 */
	check_score("AV:L/AC:H/Au:M/C:P/I:N/A:N/CDP:ND/TD:ND/CR:L/IR:ND/AR:ND", 0);
	check_score("AV:L/AC:H/Au:M/C:P/I:N/A:N/CDP:H/TD:ND/CR:L/IR:ND/AR:ND", 50);
	check_score(V2 "/E:ND/RL:ND/RC:ND/CDP:ND/TD:ND/CR:ND/IR:ND/AR:ND", 75);

	check_score(V31, 98);
	check_score(V31 "/E:U", 90);			   /* 9.8 x 0.91 = 8.918 */
	check_score(V31 "/E:U/RL:O/RC:U", 78);	   /* 9.8 x 0.91 x 0.95 x 0.92 = 7.794 */
	check_score(V31 "/MC:N/MI:N/MA:N", 0);	   /* no impact here */
	check_score(V31 "/MAV:X/CR:X/E:X", 98);	   /* nothing is defined */
	check_score(V31 "/MC:N/MI:N/MA:N/E:U", 0); /* temporal metrics count here, too */
	check_score(V31 "/MPR:H", 72);			   /* as if it had been PR:H */
	/* A changed scope: in 3.1 the environmental score's impact grows faster */
	check_score("CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H/MS:C", 99);
	check_score("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H/MS:C", 100);
	check_score("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:N/I:H/A:H/CR:H/IR:H/AR:H", 96);
	check_score("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:N/I:H/A:H/CR:H/IR:H/AR:H", 97);

	cvss = vector(V31 "/E:U/MC:N/MI:N/MA:N");
	CHECK_INT(cvss_base_score(&cvss), 98, "the base score is of the base metrics");
	cvss = vector(V2 "/E:U/RL:OF/RC:UC");
	CHECK_INT(cvss_base_score(&cvss), 75, "in version 2, too");
	cvss = vector(V40);
	CHECK_INT(cvss_base_score(&cvss), CVSS_NO_SCORE, "version 4.0 has none");
	CHECK_INT(cvss_score(&cvss), CVSS_NO_SCORE, "at all");
}

/* A metric in a vector of which all values are tried; parted by blanks, "" for leaving it out. */
typedef struct Choice
{
	const char *name;
	const char *values;
} Choice;

/* Adds up the scores of all vectors that begin so, and go on with the choices. */
static void
add_all(char *text, const Choice *choices, int64_t *count, int64_t *sum)
{
	size_t length = strlen(text);
	const char *value = choices->values;

	if (choices->name == NULL)
	{
		Cvss cvss;

		if (cvss_read(clair_bytes(text), &cvss) == NULL)
		{
			(*count)++;
			*sum += cvss_score(&cvss);
		}
		return;
	}
	for (; *value != '\0'; value += strcspn(value, " "), value += *value == ' ')
	{
		sprintf(text + length, "%s%s:%.*s", length > 0 && text[length - 1] != '/' ? "/" : "",
				choices->name, (int) strcspn(value, " "), value);
		add_all(text, choices + 1, count, sum);
	}
	text[length] = '\0';
}

static void
check_total(const char *prefix, const Choice *choices, int64_t count, int64_t sum, const char *what)
{
	char text[256];
	int64_t counted = 0;
	int64_t added = 0;

	snprintf(text, sizeof(text), "%s", prefix);
	add_all(text, choices, &counted, &added);
	CHECK_INT(counted, count, what);
	CHECK_INT(added, sum, "  and the sum of their scores");
}

#define V2_BASE                                                                                    \
	{"AV", "L A N"}, {"AC", "H M L"}, {"Au", "M S N"}, {"C", "N P C"}, {"I", "N P C"},             \
	{                                                                                              \
		"A", "N P C"                                                                               \
	}
#define V3_BASE                                                                                    \
	{"AV", "N A L P"}, {"AC", "L H"}, {"PR", "N L H"}, {"UI", "N R"}, {"S", "U C"},                \
		{"C", "N L H"}, {"I", "N L H"},                                                            \
	{                                                                                              \
		"A", "N L H"                                                                               \
	}

static void
check_totals(void)
{
	static const Choice v2_base[] = {V2_BASE, {NULL, NULL}};
	static const Choice v2_temporal[] = {
		V2_BASE, {"E", "ND U POC F H"}, {"RL", "ND OF TF W U"}, {"RC", "ND UC UR C"}, {NULL, NULL}};
	static const Choice v2_environmental[] = {V2_BASE,
											  {"CDP", "ND N L LM MH H"},
											  {"TD", "ND N L M H"},
											  {"CR", "ND L M H"},
											  {"IR", "ND L M H"},
											  {"AR", "ND L M H"},
											  {NULL, NULL}};
	static const Choice v3_base[] = {V3_BASE, {NULL, NULL}};
	static const Choice v3_temporal[] = {
		V3_BASE, {"E", "X U P F H"}, {"RL", "X O T W U"}, {"RC", "X U R C"}, {NULL, NULL}};
	static const Choice v3_environmental[] = {
		V3_BASE, {"CR", "L M H"}, {"IR", "L M H"}, {"AR", "L M H"}, {NULL, NULL}};

	check_total("", v2_base, 729, 38007, "all base vectors of version 2");
	check_total("", v2_temporal, 72900, 3246800, "all temporal ones");
	check_total("", v2_environmental, 1399680, 52178456, "all environmental ones");
	check_total("CVSS:3.0/", v3_base, 2592, 142706, "all base vectors of version 3.0");
	check_total("CVSS:3.0/", v3_temporal, 259200, 13138423, "all temporal ones");
	check_total("CVSS:3.0/", v3_environmental, 69984, 3801457, "all with requirements");
	check_total("CVSS:3.1/", v3_base, 2592, 142706, "all base vectors of version 3.1");
	check_total("CVSS:3.1/", v3_temporal, 259200, 13138423, "all temporal ones");
	check_total("CVSS:3.1/", v3_environmental, 69984, 3806158, "all with requirements");
}

static void
check_words(void)
{
	static const struct
	{
		int score;
		const char *v2;
		const char *later;
	} words[] = {
		{CVSS_NO_SCORE, "Unknown", "Unknown"},
		{0, "Negligible", "Negligible"},
		{1, "Low", "Low"},
		{39, "Low", "Low"},
		{40, "Medium", "Medium"},
		{69, "Medium", "Medium"},
		{70, "High", "High"},
		{89, "High", "High"},
		{90, "High", "Critical"},
		{100, "High", "Critical"},
		{101, "Unknown", "Unknown"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		CHECK_TEXT(clair_bytes(cvss_severity(CVSS_2, words[i].score)), words[i].v2, "version 2");
		for (int version = CVSS_3_0; version <= CVSS_4_0; version++)
			CHECK_TEXT(clair_bytes(cvss_severity((CvssVersion) version, words[i].score)),
					   words[i].later, "later versions");
	}
}

static void
check_numbers(void)
{
	static const struct
	{
		const char *number;
		int score;
	} numbers[] = {
		{"7.5", 75},   {"0", 0},
		{"0.0", 0},	   {"10", 100},
		{"10.0", 100}, {"9.80", 98},
		{"007.5", 75}, {"10.000", 100},
		{"9", 90},	   {"", -1},
		{".5", -1},	   {"5.", -1},
		{".", -1},	   {"10.1", -1},
		{"11", -1},	   {"100", -1},
		{"7.55", -1},  {"7.5.0", -1},
		{"-1.0", -1},  {"7,5", -1},
		{"7.5e0", -1}, {" 7.5", -1},
		{"null", -1},  {"1e400", -1},
		{"5..", -1},   {"9999999999999999999999999", -1},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		CHECK_INT(cvss_read_score(clair_bytes(numbers[i].number)), numbers[i].score,
				  numbers[i].number);
}

int
main(void)
{
	Arena *none = arena_create(0);
	Cvss cvss = vector(V2);

	arena = arena_create(1 << 20);
	check_vectors();
	check_problems();
	check_scores();
	check_totals();
	check_words();
	check_numbers();
	CHECK_TEXT(cvss_vector(none, &cvss), NULL, "without memory nothing is written");
	arena_destroy(none);
	arena_destroy(arena);
	return unit_result();
}
