/*
 * nvd_record.c
 *    What NVD says of a CVE; see nvd_record.h.
 *
 * Configurations, which are most of a feed, are passed over.
 */
#include "feed/nvd_record.h"

#include "feed/cve_reading.h"

#define NVD		  CLAIR_LITERAL("nvd@nist.gov")
#define PRIMARY	  CLAIR_LITERAL("Primary")
#define SECONDARY CLAIR_LITERAL("Secondary")
#define ADP		  CLAIR_LITERAL("ADP")
#define REJECTED  CLAIR_LITERAL("Rejected")

/* CISA's ADP, which enriches what others say. */
#define CISA_ADP CLAIR_LITERAL("134c704f-9b21-4f2e-91b3-4a467353bcc0")

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

/*
 * Takes an element of one of the arrays of metrics. The CVSS object is read when source and type
 * are known, which may stand behind it.
 */
static void
take_metric(CveReading *reading, JsonCursor *cursor)
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
		cve_take_metric(reading, &cvss, source, ADP);
	else
		cve_take_metric(reading, &cvss, source,
						clair_bytes_equal(type, PRIMARY) ? PRIMARY : SECONDARY);
}

/* Takes the metrics: for each version of CVSS an array. */
static void
take_metrics(CveReading *reading, JsonCursor *cursor)
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
take_20_cve(CveReading *reading, JsonCursor *cursor)
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
			cve_take_description(reading, cursor);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("metrics")))
			take_metrics(reading, cursor);
		else
			json_skip(cursor);
	}
}

static void
take_20(CveReading *reading, JsonCursor *cursor)
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
take_11_cve(CveReading *reading, JsonCursor *cursor)
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
				cve_take_description(reading, cursor);
			else
				json_skip(cursor);
		}
	}
}

/* Takes "impact" of form 1.1, or one of the objects in it: whatever is named after CVSS. */
static void
take_11_impact(CveReading *reading, JsonCursor *cursor)
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
					cve_take_metric(reading, cursor, NVD, PRIMARY);
				else
					json_skip(cursor);
			}
		}
		else
			json_skip(cursor);
	}
}

static void
take_11(CveReading *reading, JsonCursor *cursor)
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

ClairStatus
nvd_20_itemize(RecordFeed *feed, const FeedRecord *record, ClairBytes cve, ClairError *error)
{
	return cve_read(feed, record, cve, take_20, error);
}

ClairStatus
nvd_11_itemize(RecordFeed *feed, const FeedRecord *record, ClairBytes cve, ClairError *error)
{
	return cve_read(feed, record, cve, take_11, error);
}
