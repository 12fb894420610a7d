/*
 * databases.c
 *    The package databases of an image, with their features and what they say of the image.
 *
 * A package database is stored once per content and namespace, so an image that gets another
 * namespace gets other package databases with the same features.
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
		columns[1][count] = clair_bytes(entry->canonical);
		columns[2][count] = clair_bytes(entry->content);
		columns[3][count] = clair_bytes(entry->role);
		columns[4][count] = clair_bytes(psprintf("%d", counts ? 0 : entry->until_position));
		columns[5][count] = clair_bytes(entry->location);
		count++;
	}
	for (size_t i = 0; i < lengthof(columns); i++)
		AddTextArray(parameters, columns[i], count);
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
		   "         THEN clair.version(base.format, staged.version_text) END,"
		   "     staged.source_name,"
		   "     CASE WHEN staged.problem IS NULL"
		   "         THEN clair.version(base.format, staged.source_version) END,"
		   "     staged.architecture,"
		   "     CASE WHEN staged.problem IS NOT NULL THEN staged.version_text END,"
		   "     staged.problem, staged.module, staged.vendor, staged.license,"
		   "     " FLAVOUR " FROM " STAGED_FEATURES
		   "     JOIN (SELECT id, content, format, " LOOKED_UP_IN " FROM clair.package_database"
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
	RunSql("UPDATE clair.package_database AS base"
		   " SET version = read.version"
		   " FROM (SELECT content, role, max(version::integer) AS version"
		   "       FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)"
		   "           AS entry(layer, number, version, path, type, target, role, content)"
		   "       WHERE content IS NOT NULL"
		   "       GROUP BY content, role) AS read"
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

void
StoreDatabases(const IndexRows *rows, const StoredImage *image)
{
	SqlParameters wanted = {0};
	int64 new_count;
	ClairBytes *new_ids;

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
		   " GROUP BY 1, 3"
		   " ORDER BY 1, 3"
		   " ON CONFLICT (content, namespace, format) DO NOTHING"
		   " RETURNING id",
		   &wanted);
	new_ids = ReturnedIds(&new_count);
	if (new_count == 0)
		return;
	InsertFeatures(rows, new_ids, new_count);

	/* A layer that was known before, in another namespace: its features are known too. */
	CopyFeatures(new_ids, new_count);
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
		   "     JOIN clair.package_database AS base"
		   "         ON base.content = found.content AND base.format = found.format"
		   "             AND base.namespace = $7",
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
MoveDatabases(int64 image, const char *namespace)
{
	SqlParameters parameters = {0};
	int64 new_count;
	ClairBytes *new_ids;

	AddInteger(&parameters, image);
	AddText(&parameters, namespace);
	RunSql("INSERT INTO clair.package_database (content, namespace, format, version)"
		   " SELECT base.content, $2, base.format, base.version"
		   " FROM clair.image_database AS found"
		   "     JOIN clair.package_database AS base ON base.id = found.database_id"
		   " WHERE found.image_id = $1"
		   " GROUP BY base.id"
		   " ORDER BY 1, 3"
		   " ON CONFLICT (content, namespace, format) DO NOTHING"
		   " RETURNING id",
		   &parameters);
	new_ids = ReturnedIds(&new_count);
	CopyFeatures(new_ids, new_count);
	RunSql("UPDATE clair.image_database AS found"
		   " SET database_id = moved.id"
		   " FROM clair.package_database AS base"
		   "     JOIN clair.package_database AS moved"
		   "         ON moved.content = base.content AND moved.format = base.format"
		   " WHERE found.image_id = $1 AND base.id = found.database_id"
		   "     AND moved.namespace = $2 AND moved.id <> base.id",
		   &parameters);
}

void
StoreStatus(int64 image, const char *advisories)
{
	SqlParameters parameters = {0};

	AddInteger(&parameters, image);
	AddText(&parameters, advisories);
	RunSql("UPDATE clair.image"
		   " SET status = CASE"
		   "     WHEN NOT EXISTS (SELECT FROM clair.image_database"
		   "                      WHERE image_id = $1 AND until_position IS NULL)"
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
