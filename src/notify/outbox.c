/*
 * outbox.c
 *    Finding out what a run changed for images, and writing it down: clair.notification.
 *
 * Compared are first the ranges that the run ended and those that it brought, then the features
 * that lie in those which differ: a range may change without a finding that does. What is found
 * out about package databases holds for all images that have them, so images are counted by what
 * databases they have; a fleet has far fewer of such sets than images.
 *
 * All of it is proportional to what changed, and left in temporary tables for delivery.c.
 */
#include "postgres.h"

#include "notify/notify.h"
#include "server/sql.h"

static const char create_tables[] =
	"DROP TABLE IF EXISTS pg_temp.announce_range, pg_temp.announce_feature,"
	"     pg_temp.announce_holder;"
	/* ranges that are gone (side 'before') or new ('after'); shown is the severity of findings */
	"CREATE TEMPORARY TABLE announce_range (name text COLLATE \"C\", side text,"
	"     namespace text COLLATE \"C\", scope_id integer, kind clair.package_kind,"
	"     package text COLLATE \"C\", introduced clair.version, fixed clair.version,"
	"     status clair.status, severity clair.severity, shown clair.severity);"
	/* package databases with findings that are gone or new, see clair.features_in_range() */
	"CREATE TEMPORARY TABLE announce_feature (name text COLLATE \"C\", database_id bigint,"
	"     namespace text COLLATE \"C\", repositories text[], by_default boolean,"
	"     severity clair.severity, fixable boolean);"
	/* who has these: groups of images that have the same databases, and their repositories */
	"CREATE TEMPORARY TABLE announce_holder (database_id bigint, repository_set integer,"
	"     cpes text[], image_group bigint, images bigint);";

/*
 * The ranges that the run ended and those that it brought, but for those that are on both sides:
 * an item may change in its description only.
 */
#define RANGE                                                                                      \
	"v.name, a.namespace, a.scope_id, a.kind, a.package, a.introduced, a.fixed, a.status,"         \
	" a.severity"
static void
FindRanges(int64 run)
{
	SqlParameters parameters = {0};

	AddInteger(&parameters, run);
	RunSql(
		"INSERT INTO pg_temp.announce_range"
		" WITH ended AS ("
		"     SELECT " RANGE " FROM clair.vulnerability AS v"
		"         JOIN clair.affected AS a ON a.vulnerability_id = v.id"
		"     WHERE v.until_run = $1 AND a.until_run = $1),"
		" brought AS ("
		"     SELECT " RANGE " FROM clair.vulnerability AS v"
		"         JOIN clair.affected AS a ON a.vulnerability_id = v.id"
		"     WHERE v.since_run = $1)"
		" SELECT r.name, r.side, r.namespace, r.scope_id, r.kind, r.package, r.introduced,"
		"     r.fixed, r.status, r.severity,"
		"     CASE WHEN r.severity <> 'Unknown' THEN r.severity"
		"         ELSE COALESCE(c.severity, r.severity) END"
		" FROM ((SELECT 'before' AS side, * FROM ended EXCEPT ALL SELECT 'before', * FROM brought)"
		"       UNION ALL"
		"       (SELECT 'after', * FROM brought EXCEPT ALL SELECT 'after', * FROM ended)) AS r"
		"     LEFT JOIN clair.cve AS c ON c.cve = r.name",
		&parameters);
	RunSql("ANALYZE pg_temp.announce_range", NULL);
}

/* The findings that are on one side only, as far as they are of package databases. */
static void
FindFeatures(void)
{
	RunSql("INSERT INTO pg_temp.announce_feature"
		   " SELECT DISTINCT f.name, f.database_id, f.namespace, f.repositories, f.by_default,"
		   "     f.shown, f.fixed <> 'infinity'"
		   " FROM (SELECT r.name, f.database_id, f.namespace, f.repositories, f.by_default,"
		   "           r.shown, r.fixed"
		   "       FROM pg_temp.announce_range AS r"
		   "           CROSS JOIN LATERAL clair.features_in_range(r.namespace, r.kind, r.package,"
		   "               r.introduced, r.fixed, r.scope_id) AS f"
		   "       WHERE r.status NOT IN ('not_affected', 'under_investigation')"
		   "       GROUP BY r.name, f.database_id, f.name, f.number, f.namespace,"
		   "           f.repositories, f.by_default, r.shown, r.status, r.fixed"
		   "       HAVING min(r.side) = max(r.side)) AS f",
		   NULL);
	RunSql("ANALYZE pg_temp.announce_feature", NULL);
}

/* The images that have these package databases. */
static void
FindHolders(void)
{
	RunSql("INSERT INTO pg_temp.announce_holder"
		   " SELECT held.database_id, held.repository_set, r.cpes, g.number, g.images"
		   " FROM (SELECT row_number() OVER () AS number, i.databases, i.sets, count(*) AS images"
		   "       FROM (SELECT d.image_id,"
		   "                 array_agg(d.database_id"
		   "                     ORDER BY d.database_id, d.repository_set) AS databases,"
		   "                 array_agg(COALESCE(d.repository_set, 0)"
		   "                     ORDER BY d.database_id, d.repository_set) AS sets"
		   "             FROM clair.image_database AS d"
		   "             WHERE d.until_position IS NULL AND d.database_id IN"
		   "                 (SELECT f.database_id FROM pg_temp.announce_feature AS f)"
		   "             GROUP BY d.image_id) AS i"
		   "       GROUP BY i.databases, i.sets) AS g"
		   "     CROSS JOIN LATERAL unnest(g.databases, g.sets)"
		   "         AS held(database_id, repository_set)"
		   "     LEFT JOIN clair.repository_set AS r"
		   "         ON r.id = held.repository_set AND r.cpes <> '{}'",
		   NULL);
	RunSql("ANALYZE pg_temp.announce_holder", NULL);
}

/*
 * What changed of a vulnerability: compared are the ranges that its packages had and have. Of a
 * package that is on one side only, it is the range.
 */
#define SIDE(what, side) "array_agg(" what ") FILTER (WHERE c.side = '" side "')"
#define DIFFERS(what)	 SIDE(what, "before") " IS DISTINCT FROM " SIDE(what, "after")
#define COMPARED                                                                                                                                                                                                   \
	" compared AS ("                                                                                                                                                                                               \
	"     SELECT p.name, bool_or(p.range) AS range, bool_or(p.status) AS status,"                                                                                                                                  \
	"         bool_or(p.severity) AS severity"                                                                                                                                                                     \
	"     FROM (SELECT c.name,"                                                                                                                                                                                    \
	"               " DIFFERS(                                                                                                                                                                                     \
		"c.introduced ORDER BY c.introduced, c.fixed") " OR "                                                                                                                                                      \
													   "               " DIFFERS(                                                                                                                                  \
														   "c.fixed ORDER BY c.introduced, "                                                                                                                       \
														   "c.fixed") " AS range,"                                                                                                                                 \
																	  "               " SIDE(                                                                                                                      \
																		  "DISTINCT c.status",                                                                                                                     \
																		  "before") " <> " SIDE("DISTINCT c.status",                                                                                               \
																								"after") "                   AS status,"                                                                           \
																										 "               " SIDE(                                                                                   \
																											 "DISTINCT c.severity",                                                                                \
																											 "before") " <> "                                                                                      \
																													   "               " SIDE(                                                                     \
																														   "DISTINCT c.severity",                                                                  \
																														   "after") " AS severity"                                                                 \
																																	"           FROM pg_temp.announce_range AS c"                                  \
																																	"               JOIN counted ON counted.name = c.name"                         \
																																	"           GROUP BY c.name, c.namespace, c.scope_id, c.kind, c.package) AS p" \
																																	"     GROUP BY p.name)"

#define DESCRIBED                                                                                  \
	" described AS ("                                                                              \
	"     SELECT c.name, c.side, max(c.shown) AS severity,"                                        \
	"         jsonb_agg(jsonb_build_object("                                                       \
	"             'namespace', c.namespace, 'kind', c.kind, 'package', c.package,"                 \
	"             'introduced', clair.bare(c.introduced), 'fixed', clair.bare(c.fixed),"           \
	"             'status', c.status, 'severity', c.severity)"                                     \
	"             ORDER BY c.namespace, c.kind, c.package, c.introduced, c.fixed, c.scope_id)"     \
	"             AS ranges"                                                                       \
	"     FROM pg_temp.announce_range AS c"                                                        \
	"         JOIN counted ON counted.name = c.name"                                               \
	"     GROUP BY c.name, c.side)"

int64
WriteNotifications(int64 run, const char *updater)
{
	SqlParameters parameters = {0};

	RunSql(create_tables, NULL);
	FindRanges(run);
	FindFeatures();
	FindHolders();
	AddInteger(&parameters, run);
	AddText(&parameters, updater);
	return RunSql(
		"WITH counted AS ("
		"     SELECT hit.name, sum(hit.images) AS images"
		"     FROM (SELECT DISTINCT f.name, h.image_group, h.images FROM " HELD_FEATURES ") AS hit"
		"     GROUP BY hit.name),"
		" former AS ("
		"     SELECT DISTINCT v.name FROM counted"
		"         JOIN clair.vulnerability AS v ON v.name = counted.name AND v.updater = $2"
		"     WHERE v.since_run < $1 AND COALESCE(v.until_run, $1) >= $1),"
		" present AS ("
		"     SELECT DISTINCT v.name FROM counted"
		"         JOIN clair.vulnerability AS v ON v.name = counted.name AND v.updater = $2"
		"     WHERE v.until_run IS NULL)," COMPARED "," DESCRIBED " INSERT INTO clair.notification"
		"     (run, updater, vulnerability, reason, changes, severity, images, before, after)"
		" SELECT $1, $2, counted.name,"
		"     CASE WHEN former.name IS NULL THEN 'added'"
		"          WHEN present.name IS NULL THEN 'withdrawn'"
		"          ELSE 'changed' END,"
		"     CASE WHEN former.name IS NULL OR present.name IS NULL THEN '{}'"
		"         ELSE array_remove(ARRAY["
		"             CASE WHEN compared.range THEN 'range' END,"
		"             CASE WHEN compared.status THEN 'status' END,"
		"             CASE WHEN compared.severity THEN 'severity' END], NULL) END,"
		"     COALESCE(fresh.severity, gone.severity), counted.images, gone.ranges, fresh.ranges"
		" FROM counted"
		"     LEFT JOIN former ON former.name = counted.name"
		"     LEFT JOIN present ON present.name = counted.name"
		"     LEFT JOIN compared ON compared.name = counted.name"
		"     LEFT JOIN described AS gone ON gone.name = counted.name AND gone.side = 'before'"
		"     LEFT JOIN described AS fresh ON fresh.name = counted.name AND fresh.side = 'after'"
		" ORDER BY COALESCE(fresh.severity, gone.severity) DESC, counted.name",
		&parameters);
}
