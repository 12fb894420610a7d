/*
 * cve_metric.c
 *    The metrics that a record gives a CVE; see cve_metric.h.
 */
#include "feed/cve_metric.h"

#include "feed/cvss.h"

/* By CvssVersion. */
static const ClairBytes versions[] = {
	[CVSS_2] = CLAIR_LITERAL("2.0"),
	[CVSS_3_0] = CLAIR_LITERAL("3.0"),
	[CVSS_3_1] = CLAIR_LITERAL("3.1"),
	[CVSS_4_0] = CLAIR_LITERAL("4.0"),
};

#define VERSION_COUNT (sizeof(versions) / sizeof(versions[0]))

/* What a CVSS object says. */
typedef struct Stated
{
	ClairBytes version;
	ClairBytes vector;
	ClairBytes score;
} Stated;

static void
take_object(JsonCursor *cursor, Stated *stated)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("version")))
			json_text_or_null(cursor, &stated->version);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("vectorString")))
			json_text_or_null(cursor, &stated->vector);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("baseScore")) &&
				 json_type(cursor) == JSON_NUMBER)
			json_number(cursor, &stated->score);
		else
			json_skip(cursor);
	}
}

/* The version of CVSS that an object calls its own; VERSION_COUNT when it is none. */
static size_t
find_version(ClairBytes version)
{
	size_t i = 0;

	while (i < VERSION_COUNT && !clair_bytes_equal(versions[i], version))
		i++;
	return i;
}

/* Works out what a metric comes to. NULL, or why it comes to nothing. */
static const char *
judge(const Stated *stated, CveMetric *metric)
{
	Cvss cvss;
	bool valid = stated->vector.data != NULL && cvss_read(stated->vector, &cvss) == NULL;
	size_t version = valid ? (size_t) cvss.version : find_version(stated->version);

	metric->score = valid ? cvss_base_score(&cvss) : CVSS_NO_SCORE;
	if (metric->score == CVSS_NO_SCORE && stated->score.data != NULL)
		metric->score = cvss_read_score(stated->score);
	if (version == VERSION_COUNT)
		return "a metric is of no version of CVSS that is known";
	if (metric->score == CVSS_NO_SCORE)
		return "a metric has neither a valid vector nor a score from 0 to 10";
	if (metric->source.size == 0 || metric->source.size > CLAIR_MAX_NAME)
		return "a metric does not say whose it is";
	if (stated->vector.size > CLAIR_MAX_NAME)
		return "the vector of a metric is too long";
	metric->version = versions[version];
	metric->vector = stated->vector;
	metric->severity = clair_bytes(cvss_severity((CvssVersion) version, metric->score));
	return NULL;
}

const char *
cve_metric_take(CveMetrics *metrics, JsonCursor *cursor, ClairBytes source, ClairBytes type)
{
	JsonCursor object = *cursor;
	CveMetric metric = {.source = source, .type = type};
	Stated stated = {0};
	const char *problem;

	if (!json_skip(cursor))
		return NULL; /* the cursor says what is wrong */
	take_object(&object, &stated);
	if (object.status == CLAIR_MEMORY)
	{
		json_refuse(cursor, CLAIR_MEMORY, object.problem);
		return NULL;
	}
	if (object.status != CLAIR_OK)
		return object.problem;
	problem = judge(&stated, &metric);
	if (problem == NULL && metrics->count == CVE_MAX_METRICS)
		problem = "it has too many metrics";
	if (problem == NULL)
		metrics->metrics[metrics->count++] = metric;
	return problem;
}
