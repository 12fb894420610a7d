/*
 * cvss.c
 *    CVSS vectors and scores; see cvss.h (FIRST: "A Complete Guide to the CVSS Version 2.0",
 *    chapter 3.2; specifications of 3.0 and 3.1, chapters 6 to 8; of 4.0, chapter 7).
 *
 * A metric is its place in its version's table, a value its place in the metric's list, from 1
 * on; optional metrics have "not defined" first, which is what a metric that is not given means.
 * Weights stand beside the values, as integers. All is computed in integers of 128 bits, in
 * units that make every step exact, but for one power in version 3: it is cut off 18 digits
 * behind the point, and no vector's score lies so close to a border.
 */
#include "feed/cvss.h"

#define ONE ((Exact) 1000000000000000000) /* the unit of version 3's intermediate results */

typedef __int128 Exact;

typedef struct Metric
{
	const char *name;
	const char *values; /* parted by blanks */
	int16_t weights[6]; /* of the values, in the unit that the formulas below say */
} Metric;

/* The metrics of version 2, in the order of its vectors. */
enum
{
	V2_AV,
	V2_AC,
	V2_AU,
	V2_C,
	V2_I,
	V2_A,
	V2_E,
	V2_RL,
	V2_RC,
	V2_CDP,
	V2_TD,
	V2_CR,
	V2_IR,
	V2_AR,
	V2_COUNT
};

static const Metric v2_metrics[] = {
	{"AV", "L A N", {395, 646, 1000}},
	{"AC", "H M L", {350, 610, 710}},
	{"Au", "M S N", {450, 560, 704}},
	{"C", "N P C", {0, 275, 660}},
	{"I", "N P C", {0, 275, 660}},
	{"A", "N P C", {0, 275, 660}},
	{"E", "ND U POC F H", {100, 85, 90, 95, 100}},
	{"RL", "ND OF TF W U", {100, 87, 90, 95, 100}},
	{"RC", "ND UC UR C", {100, 90, 95, 100}},
	{"CDP", "ND N L LM MH H", {0, 0, 1, 3, 4, 5}},
	{"TD", "ND N L M H", {100, 0, 25, 75, 100}},
	{"CR", "ND L M H", {100, 50, 100, 151}},
	{"IR", "ND L M H", {100, 50, 100, 151}},
	{"AR", "ND L M H", {100, 50, 100, 151}},
};

/* The metrics of version 3; a modified metric has the values of its base metric behind "X". */
enum
{
	V3_AV,
	V3_AC,
	V3_PR,
	V3_UI,
	V3_S,
	V3_C,
	V3_I,
	V3_A,
	V3_E,
	V3_RL,
	V3_RC,
	V3_CR,
	V3_IR,
	V3_AR,
	V3_MAV,
	V3_MAC,
	V3_MPR,
	V3_MUI,
	V3_MS,
	V3_MC,
	V3_MI,
	V3_MA,
	V3_COUNT
};

static const Metric v3_metrics[] = {
	{"AV", "N A L P", {85, 62, 55, 20}},
	{"AC", "L H", {77, 44}},
	{"PR", "N L H", {85, 62, 27}},
	{"UI", "N R", {85, 62}},
	{"S", "U C", {0, 1}},
	{"C", "N L H", {0, 22, 56}},
	{"I", "N L H", {0, 22, 56}},
	{"A", "N L H", {0, 22, 56}},
	{"E", "X U P F H", {100, 91, 94, 97, 100}},
	{"RL", "X O T W U", {100, 95, 96, 97, 100}},
	{"RC", "X U R C", {100, 92, 96, 100}},
	{"CR", "X L M H", {10, 5, 10, 15}},
	{"IR", "X L M H", {10, 5, 10, 15}},
	{"AR", "X L M H", {10, 5, 10, 15}},
	{"MAV", "X N A L P", {0}},
	{"MAC", "X L H", {0}},
	{"MPR", "X N L H", {0}},
	{"MUI", "X N R", {0}},
	{"MS", "X U C", {0}},
	{"MC", "X N L H", {0}},
	{"MI", "X N L H", {0}},
	{"MA", "X N L H", {0}},
};

/* The weights of PR when the scope changes. */
static const int16_t v3_changed_pr[] = {85, 68, 50};

static const Metric v4_metrics[] = {
	{"AV", "N A L P", {0}},	   {"AC", "L H", {0}},
	{"AT", "N P", {0}},		   {"PR", "N L H", {0}},
	{"UI", "N P A", {0}},	   {"VC", "H L N", {0}},
	{"VI", "H L N", {0}},	   {"VA", "H L N", {0}},
	{"SC", "H L N", {0}},	   {"SI", "H L N", {0}},
	{"SA", "H L N", {0}},	   {"E", "X A P U", {0}},
	{"CR", "X H M L", {0}},	   {"IR", "X H M L", {0}},
	{"AR", "X H M L", {0}},	   {"MAV", "X N A L P", {0}},
	{"MAC", "X L H", {0}},	   {"MAT", "X N P", {0}},
	{"MPR", "X N L H", {0}},   {"MUI", "X N P A", {0}},
	{"MVC", "X H L N", {0}},   {"MVI", "X H L N", {0}},
	{"MVA", "X H L N", {0}},   {"MSC", "X H L N", {0}},
	{"MSI", "X S H L N", {0}}, {"MSA", "X S H L N", {0}},
	{"S", "X N P", {0}},	   {"AU", "X N Y", {0}},
	{"R", "X A U I", {0}},	   {"V", "X D C", {0}},
	{"RE", "X L M H", {0}},	   {"U", "X Clear Green Amber Red", {0}},
};

typedef struct Specification
{
	const char *prefix;
	const Metric *metrics;
	size_t count;
	size_t base_count; /* the first metrics, which must be given */
	bool ordered;
} Specification;

static const Specification specifications[] = {
	[CVSS_2] = {"", v2_metrics, V2_COUNT, V2_E, true},
	[CVSS_3_0] = {"CVSS:3.0/", v3_metrics, V3_COUNT, V3_E, false},
	[CVSS_3_1] = {"CVSS:3.1/", v3_metrics, V3_COUNT, V3_E, false},
	[CVSS_4_0] = {"CVSS:4.0/", v4_metrics, sizeof(v4_metrics) / sizeof(v4_metrics[0]), 11, true},
};

/* Finds the version, and takes its prefix off the vector. */
static bool
take_prefix(ClairBytes *vector, CvssVersion *version)
{
	*version = CVSS_2;
	if (!clair_bytes_start_with(*vector, CLAIR_LITERAL("CVSS:")))
		return true;
	for (int i = CVSS_3_0; i <= CVSS_4_0; i++)
	{
		ClairBytes prefix = clair_bytes(specifications[i].prefix);

		if (!clair_bytes_start_with(*vector, prefix))
			continue;
		*version = (CvssVersion) i;
		*vector = clair_bytes_skip(*vector, prefix.size);
		return true;
	}
	return false;
}

/* Takes the next of the values of a metric off the list. */
static ClairBytes
next_value(const char **list)
{
	ClairBytes value = {*list, strcspn(*list, " ")};

	*list += value.size + ((*list)[value.size] == ' ');
	return value;
}

/* The number of a metric's value; 0 when it has no such value. */
static uint8_t
find_value(const Metric *metric, ClairBytes value)
{
	const char *list = metric->values;

	for (uint8_t number = 1; *list != '\0'; number++)
		if (clair_bytes_equal(next_value(&list), value))
			return number;
	return 0;
}

/* Takes "name:value". *next is the number of the metric behind the last one. */
static const char *
take_metric(const Specification *specification, ClairBytes raw, Cvss *cvss, size_t *next)
{
	const char *colon = memchr(raw.data, ':', raw.size);
	ClairBytes name;
	size_t metric = 0;
	uint8_t value;

	if (colon == NULL)
		return "a metric has no value";
	name = (ClairBytes){raw.data, (size_t) (colon - raw.data)};
	while (metric < specification->count &&
		   !clair_bytes_equal(clair_bytes(specification->metrics[metric].name), name))
		metric++;
	if (metric == specification->count)
		return "a metric is not one of its version";
	value = find_value(&specification->metrics[metric], clair_bytes_skip(raw, name.size + 1));
	if (value == 0)
		return "a metric does not have such a value";
	if (cvss->values[metric] != 0)
		return "a metric is there twice";
	if (specification->ordered && metric < *next)
		return "its metrics are not in their order";
	cvss->values[metric] = value;
	*next = metric + 1;
	return NULL;
}

/* How many of the metrics from begin up to end are given. */
static size_t
count_given(const Cvss *cvss, size_t begin, size_t end)
{
	size_t count = 0;

	for (size_t i = begin; i < end; i++)
		count += cvss->values[i] != 0;
	return count;
}

static bool
is_whole_or_missing(const Cvss *cvss, size_t begin, size_t end)
{
	size_t count = count_given(cvss, begin, end);

	return count == 0 || count == end - begin;
}

const char *
cvss_read(ClairBytes vector, Cvss *cvss)
{
	const Specification *specification;
	const char *problem = NULL;
	size_t next = 0;
	bool more = true;

	*cvss = (Cvss){0};
	if (!take_prefix(&vector, &cvss->version))
		return "it is of a version that is not known";
	if (vector.size == 0)
		return "it is empty";
	specification = &specifications[cvss->version];
	while (more && problem == NULL)
	{
		ClairBytes raw = vector;
		const char *slash = memchr(raw.data, '/', raw.size);

		more = slash != NULL;
		if (more)
		{
			raw.size = (size_t) (slash - raw.data);
			vector = clair_bytes_skip(vector, raw.size + 1);
		}
		problem = take_metric(specification, raw, cvss, &next);
	}
	if (problem != NULL)
		return problem;
	if (count_given(cvss, 0, specification->base_count) < specification->base_count)
		return "a metric that must be given is missing";
	if (cvss->version == CVSS_2 &&
		(!is_whole_or_missing(cvss, V2_E, V2_CDP) || !is_whole_or_missing(cvss, V2_CDP, V2_COUNT)))
		return "a group of its metrics is not whole";
	return NULL;
}

ClairBytes
cvss_vector(Arena *arena, const Cvss *cvss)
{
	const Specification *specification = &specifications[cvss->version];
	ClairBytes vector = clair_bytes(specification->prefix);
	const char *separator = "";

	for (size_t i = 0; i < specification->count && vector.data != NULL; i++)
	{
		const char *list = specification->metrics[i].values;
		ClairBytes value = CLAIR_NULL_BYTES;

		if (cvss->values[i] == 0)
			continue;
		for (uint8_t number = 0; number < cvss->values[i]; number++)
			value = next_value(&list);
		vector = arena_printf(arena, "%.*s%s%s:%.*s", (int) vector.size, vector.data, separator,
							  specification->metrics[i].name, (int) value.size, value.data);
		separator = "/";
	}
	return vector;
}

/* The weight of a metric's value; when it is not given, of "not defined". */
static int
weight(const Cvss *cvss, size_t metric)
{
	uint8_t value = cvss->values[metric];

	return specifications[cvss->version].metrics[metric].weights[value > 0 ? value - 1 : 0];
}

/* Whether one of the optional metrics from begin up to end is defined. */
static bool
defines(const Cvss *cvss, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++)
		if (cvss->values[i] > 1)
			return true;
	return false;
}

/* The nearest tenth of a value in units of which one is 1; a half goes up. Not for values below 0.
 */
static int
round_half_up(Exact value, Exact one)
{
	return (int) ((value * 20 + one) / (2 * one));
}

/*
 * The impact in units of ONE: the base group's or, adjusted, with what is required here. Only
 * the adjusted one is bounded, though both can be above 10.
 */
static Exact
v2_impact(const Cvss *cvss, bool adjusted)
{
	Exact unharmed = 1;
	Exact impact;

	for (size_t i = 0; i < 3; i++)
		unharmed *= 100000 - weight(cvss, V2_C + i) * (adjusted ? weight(cvss, V2_CR + i) : 100);
	impact = (ONE - unharmed * 1000) * 1041 / 100;
	return adjusted && impact > 10 * ONE ? 10 * ONE : impact;
}

/*
 * The base equation. Where the guide lets an adjusted one fall below 0 (little impact, hard to
 * reach, and of low importance), it is 0.
 */
static int
v2_base(const Cvss *cvss, bool adjusted)
{
	Exact impact = v2_impact(cvss, adjusted);
	Exact exploitability = (Exact) weight(cvss, V2_AV) * weight(cvss, V2_AC) * weight(cvss, V2_AU) *
						   20 * (ONE / 1000000000);
	Exact sum = impact * 6 / 10 + exploitability * 4 / 10 - ONE * 15 / 10;

	if (impact == 0 || sum < 0)
		return 0;
	return round_half_up(sum * 1176, ONE * 1000);
}

static int
v2_temporal(const Cvss *cvss, int base)
{
	return round_half_up(base * weight(cvss, V2_E) * weight(cvss, V2_RL) * weight(cvss, V2_RC),
						 10000000);
}

static int
v2_environmental(const Cvss *cvss)
{
	int adjusted = v2_temporal(cvss, v2_base(cvss, true));
	int damage = adjusted * 10 + (100 - adjusted) * weight(cvss, V2_CDP);

	return round_half_up(damage * weight(cvss, V2_TD), 10000);
}

static int
v2_score(const Cvss *cvss)
{
	if (defines(cvss, V2_CDP, V2_COUNT))
		return v2_environmental(cvss);
	return v2_temporal(cvss, v2_base(cvss, false));
}

/*
 * The least tenth that is not below a value in units of which one is 1. Version 3.1 looks at five
 * digits behind the point only, so that all computers come to the same.
 */
static int
round_up(const Cvss *cvss, Exact value, Exact one)
{
	if (cvss->version == CVSS_3_1)
	{
		value = (value + one / 200000) / (one / 100000);
		one = 100000;
	}
	return (int) ((value * 10 + one - 1) / one);
}

/* The number of a base metric's value or, modified, of the value that takes its place here. */
static uint8_t
v3_value(const Cvss *cvss, size_t metric, bool modified)
{
	uint8_t value = modified ? cvss->values[V3_MAV + metric] : 0;

	return value > 1 ? (uint8_t) (value - 1) : cvss->values[metric];
}

static int
v3_weight(const Cvss *cvss, size_t metric, bool modified)
{
	return v3_metrics[metric].weights[v3_value(cvss, metric, modified) - 1];
}

/* A power of a value below ONE, in units of ONE. */
static Exact
power(Exact value, int exponent)
{
	Exact result = value;

	while (--exponent > 0)
		result = result * value / ONE;
	return result;
}

/* The impact in units of ONE. */
static Exact
v3_impact(const Cvss *cvss, bool modified, bool changed)
{
	Exact unharmed = 1;
	Exact harmed;
	Exact grown;

	for (size_t i = 0; i < 3; i++)
		unharmed *= 1000 -
					v3_weight(cvss, V3_C + i, modified) * (modified ? weight(cvss, V3_CR + i) : 10);
	harmed = ONE - unharmed * (ONE / 1000000000);
	if (harmed > ONE * 915 / 1000)
		harmed = ONE * 915 / 1000;
	if (harmed == 0)
		return 0;
	if (!changed)
		return harmed * 642 / 100;
	if (modified && cvss->version == CVSS_3_1)
		grown = power(harmed * 9731 / 10000 - ONE * 2 / 100, 13);
	else
		grown = power(harmed - ONE * 2 / 100, 15);
	return (harmed - ONE * 29 / 1000) * 752 / 100 - grown * 325 / 100;
}

/* The base equation, over the base metrics or, modified, over those that take their place. */
static int
v3_base(const Cvss *cvss, bool modified)
{
	bool changed = v3_weight(cvss, V3_S, modified) != 0;
	Exact impact = v3_impact(cvss, modified, changed);
	int privileges = changed ? v3_changed_pr[v3_value(cvss, V3_PR, modified) - 1]
							 : v3_weight(cvss, V3_PR, modified);
	Exact exploitability = (Exact) v3_weight(cvss, V3_AV, modified) *
						   v3_weight(cvss, V3_AC, modified) * privileges *
						   v3_weight(cvss, V3_UI, modified) * 822 * (ONE / 10000000000);
	Exact sum = impact + exploitability;

	if (impact == 0)
		return 0;
	if (changed)
		sum = sum * 108 / 100;
	return round_up(cvss, sum > 10 * ONE ? 10 * ONE : sum, ONE);
}

static int
v3_score(const Cvss *cvss)
{
	int base = v3_base(cvss, defines(cvss, V3_CR, V3_COUNT));

	return round_up(cvss, base * weight(cvss, V3_E) * weight(cvss, V3_RL) * weight(cvss, V3_RC),
					10000000);
}

int
cvss_base_score(const Cvss *cvss)
{
	if (cvss->version == CVSS_4_0)
		return CVSS_NO_SCORE;
	return cvss->version == CVSS_2 ? v2_base(cvss, false) : v3_base(cvss, false);
}

int
cvss_score(const Cvss *cvss)
{
	if (cvss->version == CVSS_4_0)
		return CVSS_NO_SCORE;
	return cvss->version == CVSS_2 ? v2_score(cvss) : v3_score(cvss);
}

int
cvss_read_score(ClairBytes number)
{
	int score = 0;
	size_t point = number.size;

	for (size_t i = 0; i < number.size; i++)
	{
		char byte = number.data[i];

		if (byte == '.' && point == number.size && i > 0)
			point = i;
		else if (byte < '0' || byte > '9' || (i > point + 1 && byte != '0') || score > 100)
			return CVSS_NO_SCORE;
		else if (i <= point + 1)
			score = score * 10 + (byte - '0');
	}
	if (number.size == 0 || point + 1 == number.size)
		return CVSS_NO_SCORE;
	if (point == number.size)
		score *= 10;
	return score <= 100 ? score : CVSS_NO_SCORE;
}

const char *
cvss_severity(CvssVersion version, int score)
{
	if (score < 0 || score > 100)
		return "Unknown";
	if (score == 0)
		return "Negligible";
	if (score < 40)
		return "Low";
	if (score < 70)
		return "Medium";
	return score < 90 || version == CVSS_2 ? "High" : "Critical";
}
