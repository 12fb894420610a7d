/*
 * csaf_record.c
 *    Records of a feed that are CSAF documents; see csaf_record.h.
 */
#include "feed/csaf_record.h"

#include "common/limits.h"
#include "feed/cve.h"

/* What is wrong with a vulnerability: a phrase; NULL when nothing is. */
static const char *
find_problem(const CsafVulnerability *vulnerability)
{
	if (!cve_is_name(vulnerability->cve))
		return "the name of a vulnerability is missing, or none of a CVE";
	if (vulnerability->description.size > CLAIR_MAX_TEXT)
		return "its description is too long";
	return NULL;
}

ClairStatus
csaf_record_read(RecordFeed *feed, const FeedRecord *record, ClairBytes key,
				 ClairStatus (*take)(void *context, const CsafDocument *document,
									 const CsafVulnerability *vulnerability, ClairError *error),
				 void *context, ClairError *error)
{
	JsonCursor cursor = json_cursor(record->value, feed->arena);
	CsafDocument document;
	ClairStatus status = CLAIR_OK;

	if (!csaf_read(&cursor, &document))
	{
		if (cursor.status == CLAIR_MEMORY)
			return record_feed_refuse(record, &cursor, error);
		return advisory_broken(&feed->writer, key, error, "byte %zu: %s", cursor.position,
							   cursor.problem);
	}
	if (clair_bytes_equal(document.status, CLAIR_LITERAL("deleted")))
		return CLAIR_OK;
	for (size_t i = 0; i < document.vulnerability_count && status == CLAIR_OK; i++)
	{
		const CsafVulnerability *vulnerability = &document.vulnerabilities[i];
		const char *problem = find_problem(vulnerability);

		status = problem != NULL ? advisory_broken(&feed->writer, key, error, "%s", problem)
								 : take(context, &document, vulnerability, error);
	}
	return status;
}
