/*
 * osv.h
 *    Records of the Open Source Vulnerability format, https://ossf.github.io/osv-schema/
 *
 * { "id", "aliases", "upstream", "related", "severity", "affected": [ { "package", "ranges" } ] }.
 * What ecosystems and the parts named "..._specific" mean is the caller's. Of ranges, those of
 * an ecosystem's versions are taken ("ECOSYSTEM"); commits and SemVer are not versions of
 * packages. The lists of all single versions, which can be long, only say the same again, where
 * there are ranges.
 */
#ifndef CLAIR_OSV_H
#define CLAIR_OSV_H

#include "common/json_cursor.h"
#include "common/limits.h"

typedef struct OsvSeverity
{
	ClairBytes type;
	ClairBytes score;
} OsvSeverity;

typedef struct OsvSeverities
{
	OsvSeverity *severities;
	size_t count;
	size_t capacity;
} OsvSeverities;

typedef struct OsvNames
{
	ClairBytes *names;
	size_t count;
	size_t capacity;
} OsvNames;

/* Versions that are affected: from the first one on, up to a fix or a last one. */
typedef struct OsvRange
{
	ClairBytes introduced;	  /* no value: from the very first */
	ClairBytes fixed;		  /* the first that is not; or no value */
	ClairBytes last_affected; /* the last that is; or no value */
} OsvRange;

typedef struct OsvReference
{
	ClairBytes type;
	ClairBytes url;
} OsvReference;

/* A package that is affected. */
typedef struct OsvAffected
{
	const char *problem; /* why this is broken; the other fields then may be missing */
	ClairBytes ecosystem;
	ClairBytes name;
	ClairBytes purl;
	OsvSeverities severities; /* of this package alone */
	OsvRange *ranges;
	size_t range_count;
	size_t range_capacity;
	OsvNames versions;
	ClairBytes ecosystem_specific; /* JSON, or no value */
	ClairBytes database_specific;
} OsvAffected;

typedef struct OsvRecord
{
	ClairBytes id;
	ClairBytes summary;
	ClairBytes details;
	ClairBytes withdrawn; /* when it was, or no value */
	OsvNames aliases;
	OsvNames upstream;
	OsvNames related;
	OsvSeverities severities;
	OsvAffected *affected;
	size_t affected_count;
	size_t affected_capacity;
	OsvReference *references;
	size_t reference_count;
	size_t reference_capacity;
	ClairBytes database_specific; /* JSON, or no value */
} OsvRecord;

/*
 * Reads a record, with what it needs in the cursor's arena. False when the cursor is stopped: it
 * is not JSON, not such a record, or there is not enough memory. What is broken in one of its
 * packages is that package's problem.
 */
extern bool osv_read(JsonCursor *cursor, OsvRecord *record);

/* The score of a type, such as "CVSS_V3"; no value when there is none. */
extern ClairBytes osv_severity(const OsvSeverities *severities, const char *type);

#endif
