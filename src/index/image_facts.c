/*
 * image_facts.c
 *    What the visible files of a merged image say of it: its namespace, its repositories.
 *
 * The layers are merged, and what they say is stored; SQL functions weigh it (namespace.sql,
 * repository.sql).
 */
#include "postgres.h"

#include "executor/spi.h"

#include "index/databases.h"

/* The facts of visible files, which AddFiles() has added from the seventh parameter on. */
#define VISIBLE_FACTS                                                                              \
	"unnest($1::bigint[], $2::bigint[], $3, $4, $5)"                                               \
	"     AS part(image, position, layer, stored_digest, command)"                                 \
	" JOIN unnest($7::bigint[], $8, $9, $10) AS file(position, path, role, canonical)"             \
	"     ON file.position = part.position AND part.image = $6"                                    \
	" JOIN clair.layer_fact AS fact ON fact.layer = part.layer AND fact.path = file.path"

/* The key of a set of repositories; its text form keeps names with odd characters apart. */
#define SET_DIGEST(repositories) "encode(sha256(convert_to(" repositories "::text, 'UTF8')), 'hex')"

static bool
IsOfRepositories(const char *role)
{
	return strcmp(role, "content-manifest") == 0 || strcmp(role, "dnf-history") == 0;
}

/*
 * Adds the layers and the visible files that are no package databases, those of repositories or
 * the others: position of the layer, path in it, role, canonical path. How many these are.
 */
static int64
AddFiles(SqlParameters *parameters, const IndexRows *rows, const StoredImage *image,
		 bool of_repositories)
{
	ClairBytes *columns[4];
	int64 count = 0;

	AddRows(parameters, rows->relations[WIRE_IMAGE_LAYER]);
	AddInteger(parameters, image->number);
	for (size_t i = 0; i < lengthof(columns); i++)
		columns[i] = palloc(sizeof(ClairBytes) * Max(image->entry_count, 1));
	for (int64 i = 0; i < image->entry_count; i++)
	{
		const MergeEntry *entry = &image->entries[i];

		if (!entry->reachable || entry->content != NULL ||
			IsOfRepositories(entry->role) != of_repositories)
			continue;
		columns[0][count] = clair_bytes(psprintf("%d", entry->position));
		columns[1][count] = clair_bytes(entry->path);
		columns[2][count] = clair_bytes(entry->role);
		columns[3][count] = clair_bytes(entry->canonical);
		count++;
	}
	for (size_t i = 0; i < lengthof(columns); i++)
		AddTextArray(parameters, columns[i], count);
	return count;
}

void
FindNamespace(const IndexRows *rows, StoredImage *image)
{
	SqlParameters parameters = {0};
	const char *given;

	AddFiles(&parameters, rows, image, false);
	AddRows(&parameters, rows->relations[WIRE_IMAGE]);
	/*
	 * etc/os-release stands before usr/lib/os-release, and both before those of Bottlerocket's
	 * roots: the latter count when they are alone.
	 */
	RunSql("SELECT said.namespace, given.namespace,"
		   "     clair.advisory_namespace(COALESCE(given.namespace, said.namespace))"
		   " FROM (SELECT clair.namespace_of(array_agg(role), array_agg(key), array_agg(value))"
		   "           AS namespace"
		   "       FROM (SELECT file.role, fact.key, fact.value,"
		   "                 rank() OVER (PARTITION BY file.role, CASE file.role"
		   "                                  WHEN 'os-release' THEN '' ELSE file.canonical END"
		   "                              ORDER BY file.canonical LIKE '%-linux-gnu/sys-root/%',"
		   "                                  file.canonical COLLATE \"C\") AS place"
		   "             FROM " VISIBLE_FACTS ") AS visible"
		   "       WHERE place = 1) AS said"
		   "     LEFT JOIN clair.image_namespace AS given ON given.digest = ("
		   "         SELECT digest"
		   "         FROM unnest($11::bigint[], $12, $13) AS image(number, digest, platform)"
		   "         WHERE number = $6)",
		   &parameters);
	image->detected = ResultText(0, 1);
	given = ResultText(0, 2);
	image->advisories = ResultText(0, 3);
	if (image->detected == NULL)
		image->detected = NamespaceOfVersions(rows, image);
	image->namespace = given != NULL ? given : image->detected;
	if (image->advisories == NULL)
		image->advisories = AdvisoryNamespace(image->namespace);
}

static bool
HasRpmDatabase(const StoredImage *image)
{
	for (int64 i = 0; i < image->entry_count; i++)
	{
		if (image->entries[i].content != NULL && strcmp(image->entries[i].role, "rpm") == 0)
			return true;
	}
	return false;
}

const char *
StoreRepositories(const IndexRows *rows, const StoredImage *image)
{
	SqlParameters facts = {0};
	SqlParameters set = {0};
	char *repositories;
	char *known;

	if (!HasRpmDatabase(image) || AddFiles(&facts, rows, image, true) == 0)
		return NULL;
	RunSql("SELECT found.repositories, stored.id"
		   " FROM (SELECT clair.repositories_of(array_agg(file.position::integer),"
		   "           array_agg(file.canonical), array_agg(file.role), array_agg(fact.key),"
		   "           array_agg(fact.value)) AS repositories"
		   "       FROM " VISIBLE_FACTS ") AS found"
		   "     LEFT JOIN clair.repository_set AS stored"
		   "         ON stored.digest = " SET_DIGEST("found.repositories"),
		   &facts);
	repositories = ResultText(0, 1);
	known = ResultText(0, 2);
	if (repositories == NULL || known != NULL)
		return known;

	AddText(&set, repositories);
	if (RunSql("INSERT INTO clair.repository_set (digest, repositories, cpes)"
			   " SELECT " SET_DIGEST("$1::text[]") ", $1::text[], clair.cpes_of($1::text[])"
												   " ON CONFLICT (digest) DO NOTHING"
												   " RETURNING id",
			   &set) == 0 &&
		RunSql("SELECT id FROM clair.repository_set WHERE digest = " SET_DIGEST("$1::text[]"),
			   &set) == 0)
		elog(ERROR, "set of repositories is neither new nor known");
	return ResultText(0, 1);
}
