/*
 * store.c
 *    From what a reader said of an archive to the rows of its images.
 *
 * Rows that sessions share (layers, package databases) are inserted in the order of their
 * digests with ON CONFLICT DO NOTHING, table after table in one order, so that sessions
 * which store the same ones wait for each other but never in a circle. What a layer says is
 * stored with the layer; merging reads it from there, whether it was read now or long ago.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"

#include "common/fault.h"
#include "index/databases.h"
#include "index/store.h"

static ImagesStored images_stored; /* set once, when the library is loaded */

void
OnImagesStored(ImagesStored callback)
{
	images_stored = callback;
}

static EntryType
EntryTypeOf(const char *type)
{
	static const char *const names[] = {
		[ENTRY_FILE] = "file",	 [ENTRY_DIRECTORY] = "directory", [ENTRY_SYMLINK] = "symlink",
		[ENTRY_OTHER] = "other", [ENTRY_WHITEOUT] = "whiteout",	  [ENTRY_OPAQUE] = "opaque"};

	for (size_t i = 0; i < lengthof(names); i++)
	{
		if (strcmp(type, names[i]) == 0)
			return i;
	}
	elog(ERROR, "unknown type of a layer's entry: %s", type);
}

/* Reads what the layers of an image say, base first, and merges it. */
static void
MergeImage(const IndexRows *rows, StoredImage *image)
{
	SqlParameters parameters = {0};

	AddRows(&parameters, rows->relations[WIRE_IMAGE_LAYER]);
	AddInteger(&parameters, image->number);
	image->entry_count = RunSql(
		"SELECT part.position, entry.type, entry.path, entry.target, entry.role, entry.content"
		" FROM unnest($1::bigint[], $2::bigint[], $3, $4, $5)"
		"         AS part(image, position, layer, stored_digest, command)"
		"     JOIN clair.layer_entry AS entry ON entry.layer = part.layer"
		" WHERE part.image = $6"
		" ORDER BY part.position, entry.number",
		&parameters);
	image->entries = palloc0(sizeof(MergeEntry) * Max(image->entry_count, 1));
	for (int64 row = 0; row < image->entry_count; row++)
	{
		MergeEntry *entry = &image->entries[row];

		entry->position = (int) ResultInteger(row, 1);
		entry->type = EntryTypeOf(ResultText(row, 2));
		entry->path = ResultText(row, 3);
		entry->target = ResultText(row, 4);
		entry->role = ResultText(row, 5);
		entry->content = ResultText(row, 6);
		if (entry->content != NULL && entry->role == NULL)
			ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
							errmsg("clair-reader sent a content that has no role")));
	}
	MergeLayers(image->entries, image->entry_count);
	ChooseDatabases(image->entries, image->entry_count);
}

/* Roles of files whose links matter when they lead nowhere. */
static bool
IsDatabaseRole(const char *role)
{
	return strcmp(role, "dpkg") == 0 || strcmp(role, "apk") == 0 || strcmp(role, "rpm") == 0;
}

static bool
LeadsToDatabase(const StoredImage *image, const MergeEntry *link)
{
	if (link->leads_to == NULL)
		return false;
	for (int64 i = 0; i < image->entry_count; i++)
	{
		const MergeEntry *entry = &image->entries[i];

		if (entry->content != NULL && entry->reachable &&
			strcmp(entry->canonical, link->leads_to) == 0)
			return true;
	}
	return false;
}

/* The layer whose database a visible log is of, if that is an older one; or 0. */
static int
OlderLayerOfLog(const StoredImage *image, const MergeEntry *log)
{
	if (!log->reachable || strcmp(log->role, "sqlite-log") != 0)
		return 0;
	for (int64 i = 0; i < image->entry_count; i++)
	{
		const MergeEntry *entry = &image->entries[i];

		if (entry->content != NULL && entry->reachable && !entry->superseded &&
			entry->position < log->position &&
			strcmp(psprintf("%s-wal", entry->canonical), log->canonical) == 0)
			return entry->position;
	}
	return 0;
}

/*
 * Adds what merging the layers brought to light: links at wanted paths that lead to no package
 * database that was read; changes to a package database that is in an older layer, and was
 * read without them; visible files that were left out for detectors. Position of the layer, path,
 * what is wrong; or an empty text when the layer says that.
 */
static void
AddMergeProblems(SqlParameters *parameters, const StoredImage *image)
{
	ClairBytes *columns[3];
	int64 count = 0;

	for (size_t i = 0; i < lengthof(columns); i++)
		columns[i] = palloc(sizeof(ClairBytes) * Max(image->entry_count, 1));
	for (int64 i = 0; i < image->entry_count; i++)
	{
		const MergeEntry *entry = &image->entries[i];
		int older = OlderLayerOfLog(image, entry);

		if (entry->is_visible_link && IsDatabaseRole(entry->role) && !LeadsToDatabase(image, entry))
			columns[2][count] = clair_bytes(psprintf(
				"it is a link to \"%s\", where no package database was read", entry->target));
		else if (older != 0)
			columns[2][count] = clair_bytes(
				psprintf("it has changes to the database of layer %d, which were left out", older));
		else if (IsDetected(entry) && entry->reachable && entry->content == NULL)
			columns[2][count] = CLAIR_LITERAL("");
		else
			continue;
		columns[0][count] = clair_bytes(psprintf("%d", entry->position));
		columns[1][count] = clair_bytes(entry->path);
		count++;
	}
	for (size_t i = 0; i < lengthof(columns); i++)
		AddTextArray(parameters, columns[i], count);
}

/* Inserts the image; false when it was there already. Sets its id either way. */
static bool
StoreImageRow(const IndexRows *rows, StoredImage *image)
{
	SqlParameters parameters = {0};
	bool is_new;

	AddRows(&parameters, rows->relations[WIRE_IMAGE]);
	AddInteger(&parameters, image->number);
	AddText(&parameters, image->namespace);
	AddText(&parameters, image->detected);
	AddInteger(&parameters, rows->parent);
	is_new = RunSql("INSERT INTO clair.image (digest, platform, namespace, detected_namespace,"
					" status, parent_id)"
					" SELECT digest, platform, $5, $6, 'ok', NULLIF($7, 0)"
					" FROM unnest($1::bigint[], $2, $3) AS image(number, digest, platform)"
					" WHERE number = $4"
					" ON CONFLICT (digest) DO NOTHING"
					" RETURNING id",
					&parameters) == 1;
	if (!is_new && RunSql("SELECT stored.id"
						  " FROM unnest($1::bigint[], $2, $3) AS image(number, digest, platform)"
						  "     JOIN clair.image AS stored ON stored.digest = image.digest"
						  " WHERE number = $4 AND $5 IS NOT NULL AND $6 IS NOT NULL"
						  "     AND $7 IS NOT NULL",
						  &parameters) != 1)
		elog(ERROR, "image is neither new nor known");
	image->id = ResultInteger(0, 1);
	return is_new;
}

/* Stores layers, package databases and problems of a new image, then its status. */
static void
StoreImageContents(const IndexRows *rows, const StoredImage *image)
{
	SqlParameters layers = {0};
	SqlParameters problems = {0};

	AddRows(&layers, rows->relations[WIRE_IMAGE_LAYER]);
	AddInteger(&layers, image->number);
	AddInteger(&layers, image->id);
	/* A layer that the reader has invented is refused by the foreign key. */
	RunSql("INSERT INTO clair.image_layer"
		   " (image_id, position, layer, reading, stored_digest, command)"
		   " SELECT $7, part.position, part.layer, COALESCE(stored.reading, 0),"
		   "     part.stored_digest, part.command"
		   " FROM unnest($1::bigint[], $2::integer[], $3, $4, $5)"
		   "         AS part(image, position, layer, stored_digest, command)"
		   "     LEFT JOIN clair.layer AS stored ON stored.digest = part.layer"
		   " WHERE part.image = $6",
		   &layers);

	StoreImageDatabases(image, StoreRepositories(rows, image));

	AddMergeProblems(&problems, image);
	AddInteger(&problems, image->id);
	RunSql("INSERT INTO clair.image_problem (image_id, number, place, reason, unsupported)"
		   " SELECT $4, row_number() OVER (ORDER BY position, path, number), format('layer %s: "
		   "%s', position, path),"
		   "     reason, unsupported"
		   " FROM (SELECT position, path, 0 AS number, reason, false AS unsupported"
		   "       FROM unnest($1::integer[], $2, $3) AS link(position, path, reason)"
		   "       WHERE reason <> ''"
		   "       UNION ALL"
		   "       SELECT DISTINCT part.position, problem.path, problem.number, problem.reason,"
		   "           problem.unsupported"
		   "       FROM clair.image_layer AS part"
		   "           JOIN clair.layer_problem AS problem ON problem.layer = part.layer"
		   "           LEFT JOIN clair.layer_entry AS entry"
		   "               ON entry.layer = part.layer AND entry.path = problem.path"
		   "       WHERE part.image_id = $4"
		   "           AND (entry.layer IS NULL OR entry.role IN ('manifest', 'sbom')"
		   "               OR (part.position, problem.path, '') IN ("
		   "                   SELECT position, path, reason"
		   "                   FROM unnest($1::integer[], $2, $3) AS link(position, path, reason))"
		   "               OR EXISTS (SELECT FROM clair.image_database AS found"
		   "                              JOIN clair.package_database AS base"
		   "                                  ON base.id = found.database_id"
		   "                          WHERE found.image_id = part.image_id"
		   "                              AND found.position = part.position"
		   "                              AND found.until_position IS NULL"
		   "                              AND base.content = entry.content))"
		   "       UNION ALL"
		   "       SELECT found.position,"
		   "           COALESCE(substr(found.path, length(detector.role) + 2), found.path),"
		   "           said.number, concat('detector \"' || detector.name || '\": ', said.reason),"
		   "           false"
		   "       FROM clair.image_database AS found"
		   "           JOIN clair.package_database AS base ON base.id = found.database_id"
		   "           LEFT JOIN clair.detector AS detector ON detector.role = base.format"
		   "           CROSS JOIN LATERAL ("
		   "               SELECT 0 AS number, base.problem AS reason"
		   "               UNION ALL"
		   "               SELECT feature.number, format('package \"%s\" has the invalid version"
		   " \"%s\": %s', feature.name, feature.invalid_version, feature.problem)"
		   "               FROM clair.feature AS feature"
		   "               WHERE feature.database_id = base.id AND feature.problem IS NOT NULL"
		   "           ) AS said"
		   "       WHERE found.image_id = $4 AND found.until_position IS NULL"
		   "           AND said.reason IS NOT NULL) AS problem",
		   &problems);
	StoreStatus(image->id, image->advisories);
}

/*
 * Whether an image is there already; it stays until we are done. Sets its id, and whether a layer
 * of it has been read again since it was put together.
 */
static bool
FindImage(const IndexRows *rows, StoredImage *image, bool *is_outdated)
{
	SqlParameters parameters = {0};

	AddRows(&parameters, rows->relations[WIRE_IMAGE]);
	AddInteger(&parameters, image->number);
	if (RunSql("SELECT stored.id, (SELECT count(*) FROM clair.image_layer AS part"
			   "                       JOIN clair.layer AS layer ON layer.digest = part.layer"
			   "                   WHERE part.image_id = stored.id"
			   "                       AND part.reading <> layer.reading)"
			   " FROM unnest($1::bigint[], $2, $3) AS image(number, digest, platform)"
			   "     JOIN clair.image AS stored ON stored.digest = image.digest"
			   " WHERE number = $4"
			   " FOR KEY SHARE OF stored",
			   &parameters) == 0)
		return false;
	image->id = ResultInteger(0, 1);
	*is_outdated = ResultInteger(0, 2) > 0;
	return true;
}

/* Forgets what an image consists of, so that it can be put together again. */
static void
ForgetImageContents(const StoredImage *image)
{
	static const char *const statements[] = {
		"DELETE FROM clair.image_problem WHERE image_id = $1",
		"DELETE FROM clair.image_database WHERE image_id = $1",
		"DELETE FROM clair.image_layer WHERE image_id = $1",
	};
	SqlParameters own = {0};
	SqlParameters changed = {0};

	AddInteger(&own, image->id);
	AddInteger(&changed, image->id);
	AddText(&changed, image->namespace);
	AddText(&changed, image->detected);
	/* Another session that does the same waits here. */
	RunSql("UPDATE clair.image SET namespace = $2, detected_namespace = $3 WHERE id = $1",
		   &changed);
	for (size_t i = 0; i < lengthof(statements); i++)
		RunSql(statements[i], &own);
}

/*
 * Stores an image, unless it is known and nothing has changed about its layers; returns its id, and
 * whether it is new.
 */
static int64
StoreImage(const IndexRows *rows, int64 number, bool *is_new)
{
	StoredImage image = {.number = number};
	bool is_outdated = false;
	bool is_known = FindImage(rows, &image, &is_outdated);

	*is_new = false;
	if (is_known && !is_outdated)
		return image.id;
	MergeImage(rows, &image);
	FAULT_POINT("index-merged");
	FindNamespace(rows, &image);
	StoreDatabases(rows, &image);
	FAULT_POINT("index-databases-stored");
	if (is_outdated)
		ForgetImageContents(&image);
	else
		*is_new = StoreImageRow(rows, &image);
	FAULT_POINT("index-image-row");
	if (is_outdated || *is_new)
		StoreImageContents(rows, &image);
	return image.id;
}

void
RestoreImage(int64 id)
{
	IndexRows rows = {.parent = 0};
	StoredImage image = {.number = 0, .id = id};
	SqlParameters parameters = {0};

	for (int i = 0; i < WIRE_RELATION_COUNT; i++)
		rows.relations[i] = CreateStagedRows(i);
	AddInteger(&parameters, id);
	/* Another session that does the same waits here. */
	if (RunSql("SELECT 0, digest, platform FROM clair.image WHERE id = $1 FOR NO KEY UPDATE",
			   &parameters) == 0)
		return;
	rows.relations[WIRE_IMAGE] = StageResult(WIRE_IMAGE);
	RunSql("SELECT 0, position, layer, stored_digest, command FROM clair.image_layer"
		   " WHERE image_id = $1 ORDER BY position",
		   &parameters);
	rows.relations[WIRE_IMAGE_LAYER] = StageResult(WIRE_IMAGE_LAYER);
	MergeImage(&rows, &image);
	FindNamespace(&rows, &image);
	StoreDatabases(&rows, &image);
	ForgetImageContents(&image);
	StoreImageContents(&rows, &image);
}

/* The names that an image shall have: the given one, or those of the archive. */
#define GIVEN_NAMES                                                                                \
	"(SELECT given.name FROM unnest($1::bigint[], $2) AS given(image, name)"                       \
	" WHERE given.image = $3 AND $5 IS NULL"                                                       \
	" UNION ALL SELECT $5 WHERE $5 IS NOT NULL)"

/* Lets the names and manifests of an image point to it. */
static void
StorePointers(const IndexRows *rows, int64 number, int64 id, const char *name)
{
	SqlParameters names = {0};
	SqlParameters kept = {0};
	SqlParameters manifests = {0};

	AddRows(&names, rows->relations[WIRE_IMAGE_NAME]);
	AddInteger(&names, number);
	AddInteger(&names, id);
	AddText(&names, name);
	/* Names that are there are only locked: who had them until then is superseded. */
	RunSql("INSERT INTO clair.image_name (name, image_id)"
		   " SELECT DISTINCT given.name COLLATE \"C\", $4"
		   " FROM " GIVEN_NAMES " AS given"
		   " ORDER BY 1"
		   " ON CONFLICT (name) DO UPDATE SET image_id = excluded.image_id WHERE false",
		   &names);
	RunSql("UPDATE clair.image SET superseded_at = now()"
		   " WHERE id IN (SELECT former.image_id"
		   "              FROM " GIVEN_NAMES " AS given"
		   "                  JOIN clair.image_name AS former ON former.name = given.name"
		   "              WHERE former.image_id <> $4)",
		   &names);
	RunSql("UPDATE clair.image_name SET image_id = $4, since = now()"
		   " WHERE image_id <> $4 AND name IN (SELECT given.name FROM " GIVEN_NAMES " AS given)",
		   &names);
	AddInteger(&kept, id);
	RunSql("UPDATE clair.image SET superseded_at = NULL"
		   " WHERE id = $1 AND superseded_at IS NOT NULL",
		   &kept);

	AddRows(&manifests, rows->relations[WIRE_IMAGE_MANIFEST]);
	AddInteger(&manifests, number);
	AddInteger(&manifests, id);
	RunSql("INSERT INTO clair.manifest (digest, image_id)"
		   " SELECT DISTINCT digest COLLATE \"C\", $4"
		   " FROM unnest($1::bigint[], $2) AS pointer(image, digest)"
		   " WHERE pointer.image = $3"
		   " ORDER BY 1"
		   " ON CONFLICT (digest) DO NOTHING",
		   &manifests);
}

/* One name cannot point to several images. */
static void
CheckName(const IndexRows *rows, const char *name)
{
	SqlParameters parameters = {0};

	if (name == NULL || rows->relations[WIRE_IMAGE]->count == 1)
		return;
	AddRows(&parameters, rows->relations[WIRE_IMAGE]);
	AddRows(&parameters, rows->relations[WIRE_IMAGE_NAME]);
	RunSql("SELECT string_agg(format('%s (%s)', COALESCE(given.name, image.digest), "
		   "image.platform), ', '"
		   "     ORDER BY image.number)"
		   " FROM unnest($1::bigint[], $2, $3) AS image(number, digest, platform)"
		   "     LEFT JOIN unnest($4::bigint[], $5) AS given(image, name) ON given.image = "
		   "image.number",
		   &parameters);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("one name cannot be given to the " INT64_FORMAT " images of the archive",
					rows->relations[WIRE_IMAGE]->count),
			 errdetail("The archive has %s.", ResultText(0, 1)),
			 errhint("Leave the name out, and they keep their own; or choose one platform.")));
}

int64 *
StoreImages(const IndexRows *rows, const char *name)
{
	int64 count = rows->relations[WIRE_IMAGE]->count;
	int64 *ids = palloc(sizeof(int64) * count);
	int64 *order = palloc(sizeof(int64) * count);
	int64 *new_ids = palloc(sizeof(int64) * count);
	int64 new_count = 0;
	SqlParameters parameters = {0};

	CheckName(rows, name);
	StoreLayers(rows);
	FAULT_POINT("index-layers-stored");
	RefreshDatabases(rows);
	AddRows(&parameters, rows->relations[WIRE_IMAGE]);
	RunSql("SELECT number FROM unnest($1::bigint[], $2, $3) AS image(number, digest, platform)"
		   " ORDER BY digest COLLATE \"C\", number",
		   &parameters);
	for (int64 i = 0; i < count; i++)
		order[i] = ResultInteger(i, 1);
	for (int64 i = 0; i < count; i++)
	{
		bool is_new;

		ids[order[i]] = StoreImage(rows, order[i], &is_new);
		if (is_new)
			new_ids[new_count++] = ids[order[i]];
	}
	FAULT_POINT("index-contents-stored");
	for (int64 i = 0; i < count; i++)
		StorePointers(rows, order[i], ids[order[i]], name);
	FAULT_POINT("index-named");
	if (new_count > 0 && images_stored != NULL)
		images_stored(new_ids, new_count);
	return ids;
}
