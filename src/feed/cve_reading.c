/*
 * cve_reading.c
 *    Reading a record in JSON that is about a CVE; see cve_reading.h.
 */
#include "feed/cve_reading.h"

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

/* Reads a CVSS object as a metric, and adds it. NULL, or why it is left out. */
static const char *
add_metric(CveReading *reading, JsonCursor *cursor, ClairBytes source, ClairBytes type)
{
	JsonCursor object = *cursor;
	CveMetric metric = {.source = source, .type = type};
	Stated stated = {0};
	const char *problem;

	if (!json_skip(cursor))
		return NULL; /* the cursor says what is wrong */
	take_object(&object, &stated);
	if (object.status == CLAIR_INVALID)
		return object.problem;
	if (object.status != CLAIR_OK)
	{
		json_refuse(cursor, object.status, object.problem);
		return NULL;
	}
	problem = judge(&stated, &metric);
	if (problem == NULL && reading->metric_count == CVE_MAX_METRICS)
		problem = "it has too many metrics";
	if (problem == NULL)
		reading->metrics[reading->metric_count++] = metric;
	return problem;
}

void
cve_take_metric(CveReading *reading, JsonCursor *cursor, ClairBytes source, ClairBytes type)
{
	const char *problem = add_metric(reading, cursor, source, type);

	if (problem != NULL && reading->status == CLAIR_OK)
		reading->status = advisory_broken(&reading->feed->writer, reading->statement.cve,
										  reading->error, "%s", problem);
}

void
cve_take_description(CveReading *reading, JsonCursor *cursor)
{
	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		ClairBytes name;
		ClairBytes language = CLAIR_NULL_BYTES;
		ClairBytes value = CLAIR_NULL_BYTES;

		json_enter(cursor, JSON_OBJECT);
		while (json_next_member(cursor, &name))
		{
			if (clair_bytes_equal(name, CLAIR_LITERAL("lang")))
				json_text_or_null(cursor, &language);
			else if (clair_bytes_equal(name, CLAIR_LITERAL("value")))
				json_text_or_null(cursor, &value);
			else
				json_skip(cursor);
		}
		if (reading->statement.description.data == NULL &&
			clair_bytes_start_with(language, CLAIR_LITERAL("en")))
			reading->statement.description = value;
	}
}

ClairStatus
cve_read(RecordFeed *feed, const FeedRecord *record, ClairBytes cve, CveTaker *take,
		 ClairError *error)
{
	CveReading reading = {.feed = feed, .statement = {.cve = cve}, .error = error};
	JsonCursor cursor = json_cursor(record->value, feed->arena);

	take(&reading, &cursor);
	json_end(&cursor);
	if (reading.status != CLAIR_OK)
		return reading.status;
	if (cursor.status != CLAIR_OK)
		return cve_refuse(feed, record, cve, &cursor, error);
	reading.statement.metrics = reading.metrics;
	reading.statement.metric_count = reading.metric_count;
	return cve_write(&feed->writer, &reading.statement, error);
}
