/*
 * cve_record.c
 *    What a record of the CVE List says; see cve_record.h.
 */
#include "feed/cve_record.h"

#include "feed/cve_reading.h"

#define CNA CLAIR_LITERAL("CNA")
#define ADP CLAIR_LITERAL("ADP")

ClairStatus
cve_record_name(RecordFeed *feed, const FeedRecord *record, ClairBytes *cve, const char **problem,
				ClairError *error)
{
	static const char *const path[] = {"cveMetadata", "cveId", NULL};

	return cve_of_record(feed, record, path, cve, problem, error);
}

static void
take_metadata(CveReading *reading, JsonCursor *cursor)
{
	CveStatement *statement = &reading->statement;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("state")))
			json_text_or_null(cursor, &statement->state);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("datePublished")))
			json_text_or_null(cursor, &statement->published);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("dateUpdated")))
			json_text_or_null(cursor, &statement->modified);
		else
			json_skip(cursor);
	}
}

/* Takes who provides a container: their short name, else their number. */
static void
take_provider(JsonCursor *cursor, ClairBytes *provider)
{
	ClairBytes name;
	ClairBytes number = CLAIR_NULL_BYTES;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("shortName")))
			json_text_or_null(cursor, provider);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("orgId")))
			json_text_or_null(cursor, &number);
		else
			json_skip(cursor);
	}
	if (provider->size == 0)
		*provider = number;
}

/* Takes an array of metrics, each of which may have CVSS objects of several versions. */
static void
take_metrics(CveReading *reading, JsonCursor *cursor, ClairBytes source, ClairBytes type)
{
	ClairBytes name;

	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		json_enter(cursor, JSON_OBJECT);
		while (json_next_member(cursor, &name))
		{
			if (clair_bytes_start_with(name, CLAIR_LITERAL("cvssV")))
				cve_take_metric(reading, cursor, source, type);
			else
				json_skip(cursor);
		}
	}
}

/* Takes a container. Its metrics are read when its provider is known, who may stand behind them. */
static void
take_container(CveReading *reading, JsonCursor *cursor, ClairBytes type)
{
	bool is_cna = clair_bytes_equal(type, CNA);
	JsonCursor metrics = {0};
	ClairBytes provider = CLAIR_NULL_BYTES;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("providerMetadata")))
			take_provider(cursor, &provider);
		else if (is_cna && (clair_bytes_equal(name, CLAIR_LITERAL("descriptions")) ||
							clair_bytes_equal(name, CLAIR_LITERAL("rejectedReasons"))))
			cve_take_description(reading, cursor);
		else
		{
			if (clair_bytes_equal(name, CLAIR_LITERAL("metrics")))
				metrics = *cursor;
			json_skip(cursor);
		}
	}
	if (cursor->status != CLAIR_OK || metrics.text.data == NULL)
		return;
	take_metrics(reading, &metrics, provider, type);
	if (metrics.status != CLAIR_OK)
		json_refuse(cursor, metrics.status, metrics.problem);
}

static void
take_containers(CveReading *reading, JsonCursor *cursor)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("cna")))
			take_container(reading, cursor, CNA);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("adp")))
		{
			json_enter(cursor, JSON_ARRAY);
			while (json_next_element(cursor))
				take_container(reading, cursor, ADP);
		}
		else
			json_skip(cursor);
	}
}

static void
take_record(CveReading *reading, JsonCursor *cursor)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("cveMetadata")))
			take_metadata(reading, cursor);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("containers")))
			take_containers(reading, cursor);
		else
			json_skip(cursor);
	}
}

ClairStatus
cve_record_itemize(RecordFeed *feed, const FeedRecord *record, ClairBytes cve, ClairError *error)
{
	return cve_read(feed, record, cve, take_record, error);
}
