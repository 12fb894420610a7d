/*
 * databases.c
 *    The package databases of an image, with their features and what they say of the image.
 *
 * A package database is stored once per content and namespace, so an image that gets another
 * namespace gets other package databases with the same features. So is a file in which a detector
 * looks for features; in the namespace of the detector, if it has one.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "index/databases.h"

/* The columns of clair.feature. */
#define FEATURE_COLUMNS                                                                            \
	"(database_id, number, namespace, name, version, source_name, source_version, architecture,"   \
	" invalid_version, problem, module, vendor, license, flavour)"

/* Of a package database: the namespace that its features are looked up in, and has it flavours? */
#define LOOKED_UP_IN                                                                               \
	"clair.advisory_namespace(namespace) AS advisories,"                                           \
	" EXISTS (SELECT FROM clair.flavour_rule AS rule"                                              \
	"         WHERE rule.family = split_part(clair.advisory_namespace(namespace), ':', 1))"        \
	"     AS has_flavours"

/* The flavour that version_text shows there. */
#define FLAVOUR                                                                                    \
	"CASE WHEN has_flavours THEN"                                                                  \
	"     COALESCE((SELECT min(rule.flavour) FROM clair.flavour_rule AS rule"                      \
	"               WHERE rule.family = split_part(advisories, ':', 1)"                            \
	"                   AND version_text ~ rule.version_pattern), '')"                             \
	" ELSE '' END"

/* Staged features with the package database that they belong to. */
#define STAGED_FEATURES                                                                            \
	"unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS staged(content, number, name,"       \
	" version_text, source_name, source_version, architecture, problem, module, vendor, license)"

/*
 * Adds the image's package databases: position, canonical path, content, format, until, and the
 * location that they share with those which they follow.
 */
static void
AddDatabases(SqlParameters *parameters, const StoredImage *image)
{
	ClairBytes *columns[6];
	int64 count = 0;

	for (size_t i = 0; i < lengthof(columns); i++)
		columns[i] = palloc(sizeof(ClairBytes) * Max(image->entry_count, 1));
	for (int64 i = 0; i < image->entry_count; i++)
	{
		const MergeEntry *entry = &image->entries[i];
		bool counts = entry->reachable && !entry->superseded;
		bool was_visible = entry->until_position > entry->position && entry->target == NULL;

		if (entry->content == NULL || (!counts && !was_visible))
			continue;
		columns[0][count] = clair_bytes(psprintf("%d", entry->position));
		columns[1][count] = clair_bytes(entry->shown);
		columns[2][count] = clair_bytes(entry->content);
		columns[3][count] = clair_bytes(entry->role);
		columns[4][count] = clair_bytes(psprintf("%d", counts ? 0 : entry->until_position));
		columns[5][count] = clair_bytes(entry->location);
		count++;
	}
	for (size_t i = 0; i < lengthof(columns); i++)
		AddTextArray(parameters, columns[i], count);
}

/* Adds why detectors did not find all features: content of a package database, problem. */
static void
AddProblems(SqlParameters *parameters, const IndexRows *rows)
{
	AddTextArray(parameters, rows->problems.contents, rows->problems.count);
	AddTextArray(parameters, rows->problems.reasons, rows->problems.count);
}

/* Whether a layer has a file that a detector wants, visible or not. */
static bool
HasDetected(const StoredImage *image)
{
	for (int64 i = 0; i < image->entry_count; i++)
	{
		if (IsDetected(&image->entries[i]))
			return true;
	}
	return false;
}

/* The ids that the last statement returned. */
static ClairBytes *
ReturnedIds(int64 *count)
{
	ClairBytes *ids;

	*count = (int64) SPI_processed;
	ids = palloc(sizeof(ClairBytes) * Max(*count, 1));
	for (int64 row = 0; row < *count; row++)
		ids[row] = clair_bytes(ResultText(row, 1));
	return ids;
}

/* Gives package databases that have none the features that older ones of the same content have. */
static void
CopyFeatures(const ClairBytes *ids, int64 count)
{
	SqlParameters parameters = {0};

	AddTextArray(&parameters, ids, count);
	RunSql("INSERT INTO clair.feature " FEATURE_COLUMNS
		   " SELECT base.id, feature.number, advisories, feature.name, feature.version,"
		   "     feature.source_name, feature.source_version, feature.architecture,"
		   "     feature.invalid_version, feature.problem, feature.module, feature.vendor,"
		   "     feature.license, " FLAVOUR " FROM (SELECT id, sibling_id, " LOOKED_UP_IN
		   "       FROM (SELECT fresh.id, fresh.namespace, min(sibling.id) AS sibling_id"
		   "             FROM clair.package_database AS fresh"
		   "                 JOIN clair.package_database AS sibling"
		   "                     ON sibling.content = fresh.content"
		   "                         AND sibling.format = fresh.format AND sibling.id < fresh.id"
		   "                 LEFT JOIN clair.feature AS mine ON mine.database_id = fresh.id"
		   "             WHERE fresh.id = ANY ($1::bigint[]) AND mine.database_id IS NULL"
		   "             GROUP BY fresh.id, fresh.namespace) AS found"
		   "       OFFSET 0) AS base"
		   "     JOIN clair.feature AS feature ON feature.database_id = base.sibling_id"
		   "     CROSS JOIN LATERAL (SELECT COALESCE(clair.bare(feature.version),"
		   "                             feature.invalid_version)) AS said(version_text)",
		   &parameters);
}

/* Gives package databases that have none the features that have been read of their content. */
static void
InsertFeatures(const IndexRows *rows, const ClairBytes *ids, int64 count)
{
	SqlParameters parameters = {0};

	AddTextArray(&parameters, ids, count);
	AddRows(&parameters, rows->relations[WIRE_FEATURE]);
	RunSql("INSERT INTO clair.feature " FEATURE_COLUMNS
		   " SELECT DISTINCT ON (base.id, staged.number::integer)"
		   "     base.id, staged.number::integer, advisories, staged.name,"
		   "     CASE WHEN staged.problem IS NULL"
		   "         THEN clair.version(base.version_format, staged.version_text) END,"
		   "     staged.source_name,"
		   "     CASE WHEN staged.problem IS NULL"
		   "         THEN clair.version(base.version_format, staged.source_version) END,"
		   "     staged.architecture,"
		   "     CASE WHEN staged.problem IS NOT NULL THEN staged.version_text END,"
		   "     staged.problem, staged.module, staged.vendor, staged.license,"
		   "     " FLAVOUR " FROM " STAGED_FEATURES "     JOIN (SELECT id, content, " LOOKED_UP_IN
		   ","
		   "               COALESCE((SELECT detector.format FROM clair.detector AS detector"
		   "                         WHERE detector.role = package_database.format), format)"
		   "                   AS version_format"
		   "           FROM clair.package_database"
		   "           WHERE id = ANY ($1::bigint[])"
		   "           OFFSET 0) AS base ON base.content = staged.content"
		   " ORDER BY base.id, staged.number::integer",
		   &parameters);
}

void
RefreshDatabases(const IndexRows *rows)
{
	SqlParameters read = {0};
	SqlParameters outdated = {0};
	int64 count;
	ClairBytes *ids;

	if (rows->relations[WIRE_LAYER_ENTRY]->count == 0)
		return;
	AddRows(&read, rows->relations[WIRE_LAYER_ENTRY]);
	AddProblems(&read, rows);
	RunSql("UPDATE clair.package_database AS base"
		   " SET version = read.version, problem = read.problem"
		   " FROM (SELECT entry.content, role, max(version::integer) AS version,"
		   "           max(found.problem) AS problem"
		   "       FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)"
		   "               AS entry(layer, number, version, path, type, target, role, content)"
		   "           LEFT JOIN unnest($9, $10) AS found(content, problem)"
		   "               ON found.content = entry.content"
		   "       WHERE entry.content IS NOT NULL"
		   "       GROUP BY entry.content, role) AS read"
		   " WHERE base.content = read.content AND base.format = read.role"
		   "     AND base.version < read.version"
		   " RETURNING base.id",
		   &read);
	ids = ReturnedIds(&count);
	if (count == 0)
		return;
	AddTextArray(&outdated, ids, count);
	RunSql("DELETE FROM clair.feature WHERE database_id = ANY ($1::bigint[])", &outdated);
	InsertFeatures(rows, ids, count);
}

/* Gives new package databases features: those that have been read, else those of older ones. */
static void
FillDatabases(const IndexRows *rows)
{
	int64 count;
	ClairBytes *ids = ReturnedIds(&count);

	if (count == 0)
		return;
	InsertFeatures(rows, ids, count);

	/* A layer that was known before, in another namespace: its features are known too. */
	CopyFeatures(ids, count);
}

/* Stores the files of detectors, as StoreDatabases() does with package databases. */
static void
StoreDetected(const IndexRows *rows, const StoredImage *image)
{
	SqlParameters wanted = {0};

	AddRows(&wanted, rows->relations[WIRE_IMAGE_LAYER]);
	AddInteger(&wanted, image->number);
	AddText(&wanted, image->namespace);
	AddProblems(&wanted, rows);
	RunSql("INSERT INTO clair.package_database (content, namespace, format, version, problem)"
		   " SELECT entry.content, COALESCE(detector.namespace, $7), entry.role,"
		   "     max(entry.version), COALESCE(max(found.problem), max(older.problem))"
		   " FROM unnest($1::bigint[], $2, $3, $4, $5)"
		   "         AS part(image, position, layer, stored_digest, command)"
		   "     JOIN clair.layer_entry AS entry ON entry.layer = part.layer"
		   "     JOIN clair.detector AS detector ON detector.role = entry.role"
		   "     LEFT JOIN unnest($8, $9) AS found(content, problem)"
		   "         ON found.content = entry.content"
		   "     LEFT JOIN clair.package_database AS older"
		   "         ON older.content = entry.content AND older.format = entry.role"
		   " WHERE part.image = $6 AND entry.content IS NOT NULL"
		   " GROUP BY 1, 2, 3"
		   " ORDER BY 1, 3"
		   " ON CONFLICT (content, namespace, format) DO NOTHING"
		   " RETURNING id",
		   &wanted);
	FillDatabases(rows);
}

void
StoreDatabases(const IndexRows *rows, const StoredImage *image)
{
	SqlParameters wanted = {0};

	AddRows(&wanted, rows->relations[WIRE_IMAGE_LAYER]);
	AddInteger(&wanted, image->number);
	AddText(&wanted, image->namespace);
	AddText(&wanted, HasApkDatabase(image->entries, image->entry_count) ? APK_DOCUMENTS : NULL);
	RunSql("INSERT INTO clair.package_database (content, namespace, format, version)"
		   " SELECT entry.content, $7, entry.role, max(entry.version)"
		   " FROM unnest($1::bigint[], $2, $3, $4, $5)"
		   "         AS part(image, position, layer, stored_digest, command)"
		   "     JOIN clair.layer_entry AS entry ON entry.layer = part.layer"
		   " WHERE part.image = $6 AND entry.content IS NOT NULL"
		   "     AND starts_with(COALESCE(entry.target, entry.path), $8) IS NOT TRUE"
		   "     AND NOT starts_with(entry.role, '" WIRE_DETECTOR_ROLE "')"
		   " GROUP BY 1, 3"
		   " ORDER BY 1, 3"
		   " ON CONFLICT (content, namespace, format) DO NOTHING"
		   " RETURNING id",
		   &wanted);
	FillDatabases(rows);
	if (HasDetected(image))
		StoreDetected(rows, image);
}

void
StoreImageDatabases(const StoredImage *image, const char *repository_set)
{
	SqlParameters parameters = {0};

	AddDatabases(&parameters, image);
	AddText(&parameters, image->namespace);
	AddInteger(&parameters, image->id);
	AddText(&parameters, repository_set);
	RunSql("INSERT INTO clair.image_database (image_id, position, path, location, database_id,"
		   " until_position, repository_set)"
		   " SELECT $8, found.position, found.path, found.location, base.id,"
		   "     NULLIF(found.until, 0), CASE WHEN base.format = 'rpm' THEN $9::integer END"
		   " FROM unnest($1::integer[], $2, $3, $4, $5::integer[], $6)"
		   "         AS found(position, path, content, format, until, location)"
		   "     LEFT JOIN clair.detector AS detector ON detector.role = found.format"
		   "     JOIN clair.package_database AS base"
		   "         ON base.content = found.content AND base.format = found.format"
		   "             AND base.namespace = COALESCE(detector.namespace, $7)"
		   " WHERE detector.image_namespace IS NULL OR $7 LIKE detector.image_namespace",
		   &parameters);
}

const char *
NamespaceOfVersions(const IndexRows *rows, const StoredImage *image)
{
	SqlParameters parameters = {0};
	ClairBytes *contents = palloc(sizeof(ClairBytes) * Max(image->entry_count, 1));
	int64 count = 0;

	for (int64 i = 0; i < image->entry_count; i++)
	{
		const MergeEntry *entry = &image->entries[i];

		if (entry->content != NULL && entry->reachable && !entry->superseded &&
			strcmp(entry->role, "rpm") == 0)
			contents[count++] = clair_bytes(entry->content);
	}
	if (count == 0)
		return "unknown";
	AddTextArray(&parameters, contents, count);
	AddRows(&parameters, rows->relations[WIRE_FEATURE]);
	/* What was staged may be stored too, and in several namespaces: it counts once. */
	RunSql("SELECT COALESCE(clair.namespace_of_versions(array_agg(version_text),"
		   "     array_agg(vendor)), 'unknown')"
		   " FROM (SELECT staged.content, staged.number::integer, staged.version_text,"
		   "           staged.vendor"
		   "       FROM " STAGED_FEATURES
		   "       WHERE staged.content = ANY ($1) AND staged.problem IS NULL"
		   "       UNION"
		   "       SELECT base.content, feature.number, clair.bare(feature.version),"
		   "           feature.vendor"
		   "       FROM clair.package_database AS base"
		   "           JOIN clair.feature AS feature ON feature.database_id = base.id"
		   "       WHERE base.content = ANY ($1) AND base.format = 'rpm'"
		   "           AND feature.problem IS NULL) AS package",
		   &parameters);
	return ResultText(0, 1);
}

const char *
AdvisoryNamespace(const char *namespace)
{
	SqlParameters parameters = {0};

	AddText(&parameters, namespace);
	RunSql("SELECT clair.advisory_namespace($1)", &parameters);
	return ResultText(0, 1);
}

void
StoreStatus(int64 image, const char *advisories)
{
	SqlParameters parameters = {0};

	AddInteger(&parameters, image);
	AddText(&parameters, advisories);
	RunSql("UPDATE clair.image"
		   " SET status = CASE"
		   "     WHEN NOT EXISTS (SELECT FROM clair.image_database AS found"
		   "                          JOIN clair.package_database AS base"
		   "                              ON base.id = found.database_id"
		   "                      WHERE found.image_id = $1 AND found.until_position IS NULL"
		   "                          AND NOT starts_with(base.format, '" WIRE_DETECTOR_ROLE "'))"
		   "         THEN 'no_package_database'"
		   "     WHEN EXISTS (SELECT FROM clair.image_problem"
		   "                  WHERE image_id = $1 AND unsupported)"
		   "         THEN 'unsupported_database'"
		   "     WHEN $2 = 'unknown' THEN 'unknown_namespace'"
		   "     WHEN NOT EXISTS (SELECT FROM clair.updater_definition,"
		   "                          unnest(namespaces) AS pattern"
		   "                      WHERE $2 LIKE pattern)"
		   "         THEN 'unsupported_namespace'"
		   "     WHEN EXISTS (SELECT FROM clair.image_problem WHERE image_id = $1) THEN 'partial'"
		   "     ELSE 'ok' END"
		   " WHERE id = $1",
		   &parameters);
}
