/*
 * nvd_record.c
 *    What NVD says of a CVE; see nvd_record.h.
 *
 * A metric that is of no use is told as broken, and left out; whatever else is not as it should
 * be makes the record broken. Configurations, which are most of a feed, are passed over.
 */
#include "feed/nvd_record.h"

#include "feed/cve_metric.h"

#define NVD		  CLAIR_LITERAL("nvd@nist.gov")
#define PRIMARY	  CLAIR_LITERAL("Primary")
#define SECONDARY CLAIR_LITERAL("Secondary")
#define ADP		  CLAIR_LITERAL("ADP")
#define REJECTED  CLAIR_LITERAL("Rejected")

/* CISA's ADP, which enriches what others say. */
#define CISA_ADP CLAIR_LITERAL("134c704f-9b21-4f2e-91b3-4a467353bcc0")

/* A record being read. */
typedef struct Reading
{
	RecordFeed *feed;
	CveStatement statement;
	CveMetrics metrics;
	ClairStatus status; /* of telling what is broken */
	ClairError *error;
} Reading;

ClairStatus
nvd_20_name(RecordFeed *feed, const FeedRecord *record, ClairBytes *cve, const char **problem,
			ClairError *error)
{
	static const char *const path[] = {"cve", "id", NULL};

	return cve_of_record(feed, record, path, cve, problem, error);
}

ClairStatus
nvd_11_name(RecordFeed *feed, const FeedRecord *record, ClairBytes *cve, const char **problem,
			ClairError *error)
{
	static const char *const path[] = {"cve", "CVE_data_meta", "ID", NULL};

	return cve_of_record(feed, record, path, cve, problem, error);
}

/* Adds a metric, or tells why it is left out. */
static void
add_metric(Reading *reading, JsonCursor *cursor, ClairBytes source, ClairBytes type)
{
	const char *problem = cve_metric_take(&reading->metrics, cursor, source, type);

	if (problem != NULL && reading->status == CLAIR_OK)
		reading->status = advisory_broken(&reading->feed->writer, reading->statement.cve,
										  reading->error, "%s", problem);
}

/* Takes an array of { lang, value }: the first one in English counts. */
static void
take_descriptions(Reading *reading, JsonCursor *cursor)
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

/*
 * Takes an element of one of the arrays of metrics. The CVSS object is read when source and type
 * are known, which may stand behind it.
 */
static void
take_metric(Reading *reading, JsonCursor *cursor)
{
	JsonCursor cvss = {0};
	ClairBytes name;
	ClairBytes source = CLAIR_NULL_BYTES;
	ClairBytes type = CLAIR_NULL_BYTES;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("source")))
			json_text_or_null(cursor, &source);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("type")))
			json_text_or_null(cursor, &type);
		else
		{
			if (clair_bytes_equal(name, CLAIR_LITERAL("cvssData")))
				cvss = *cursor;
			json_skip(cursor);
		}
	}
	if (cursor->status != CLAIR_OK)
		return;
	if (cvss.text.data == NULL)
		json_refuse(cursor, CLAIR_INVALID, "a metric has no \"cvssData\"");
	else if (clair_bytes_equal(source, CISA_ADP))
		add_metric(reading, &cvss, source, ADP);
	else
		add_metric(reading, &cvss, source, clair_bytes_equal(type, PRIMARY) ? PRIMARY : SECONDARY);
}

/* Takes the metrics: for each version of CVSS an array. */
static void
take_metrics(Reading *reading, JsonCursor *cursor)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (!clair_bytes_start_with(name, CLAIR_LITERAL("cvssMetricV")))
		{
			json_skip(cursor);
			continue;
		}
		json_enter(cursor, JSON_ARRAY);
		while (json_next_element(cursor))
			take_metric(reading, cursor);
	}
}

static void
take_20_cve(Reading *reading, JsonCursor *cursor)
{
	CveStatement *statement = &reading->statement;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("published")))
			json_text_or_null(cursor, &statement->published);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("lastModified")))
			json_text_or_null(cursor, &statement->modified);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("vulnStatus")))
			json_text_or_null(cursor, &statement->state);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("descriptions")))
			take_descriptions(reading, cursor);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("metrics")))
			take_metrics(reading, cursor);
		else
			json_skip(cursor);
	}
}

static void
take_20(Reading *reading, JsonCursor *cursor)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("cve")))
			take_20_cve(reading, cursor);
		else
			json_skip(cursor);
	}
}

/* Takes the member "cve" of form 1.1, for its description. */
static void
take_11_cve(Reading *reading, JsonCursor *cursor)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (!clair_bytes_equal(name, CLAIR_LITERAL("description")))
		{
			json_skip(cursor);
			continue;
		}
		json_enter(cursor, JSON_OBJECT);
		while (json_next_member(cursor, &name))
		{
			if (clair_bytes_equal(name, CLAIR_LITERAL("description_data")))
				take_descriptions(reading, cursor);
			else
				json_skip(cursor);
		}
	}
}

/* Takes "impact" of form 1.1, or one of the objects in it: whatever is named after CVSS. */
static void
take_11_impact(Reading *reading, JsonCursor *cursor)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("baseMetricV3")) ||
			clair_bytes_equal(name, CLAIR_LITERAL("baseMetricV2")))
		{
			json_enter(cursor, JSON_OBJECT);
			while (json_next_member(cursor, &name))
			{
				if (clair_bytes_start_with(name, CLAIR_LITERAL("cvssV")))
					add_metric(reading, cursor, NVD, PRIMARY);
				else
					json_skip(cursor);
			}
		}
		else
			json_skip(cursor);
	}
}

static void
take_11(Reading *reading, JsonCursor *cursor)
{
	CveStatement *statement = &reading->statement;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("publishedDate")))
			json_text_or_null(cursor, &statement->published);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("lastModifiedDate")))
			json_text_or_null(cursor, &statement->modified);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("cve")))
			take_11_cve(reading, cursor);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("impact")))
			take_11_impact(reading, cursor);
		else
			json_skip(cursor);
	}
	if (clair_bytes_start_with(statement->description, CLAIR_LITERAL("** REJECT **")))
		statement->state = REJECTED;
}

/* Reads a record and writes what it says. */
static ClairStatus
itemize(RecordFeed *feed, const FeedRecord *record, ClairBytes cve,
		void (*take)(Reading *reading, JsonCursor *cursor), ClairError *error)
{
	Reading reading = {.feed = feed, .statement = {.cve = cve}, .error = error};
	JsonCursor cursor = json_cursor(record->value, feed->arena);

	take(&reading, &cursor);
	json_end(&cursor);
	if (reading.status != CLAIR_OK)
		return reading.status;
	if (cursor.status != CLAIR_OK)
		return cve_refuse(feed, record, cve, &cursor, error);
	reading.statement.metrics = reading.metrics.metrics;
	reading.statement.metric_count = reading.metrics.count;
	return cve_write(&feed->writer, &reading.statement, error);
}

ClairStatus
nvd_20_itemize(RecordFeed *feed, const FeedRecord *record, ClairBytes cve, ClairError *error)
{
	return itemize(feed, record, cve, take_20, error);
}

ClairStatus
nvd_11_itemize(RecordFeed *feed, const FeedRecord *record, ClairBytes cve, ClairError *error)
{
	return itemize(feed, record, cve, take_11, error);
}
