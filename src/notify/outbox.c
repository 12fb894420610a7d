/*
 * outbox.c
 *    Finding out what a run changed for images, and writing it down: clair.notification.
 *
 * Compared are first the ranges that the run ended and those that it brought, then the features
 * that lie in those which differ: a range may change without a finding that does. Many
 * vulnerabilities of a package have the same range, and many images the same package databases. So
 * what is looked up is looked up for sets of features, not for vulnerabilities, and counted for
 * groups of images, not for images; a fleet has far fewer of these.
 *
 * What is found out is left in temporary tables for delivery.c.
 */
#include "postgres.h"

#include "index/tenant.h"
#include "notify/notify.h"
#include "server/sql.h"

static const char create_tables[] =
	"DROP TABLE IF EXISTS pg_temp.announce_range, pg_temp.announce_finding,"
	"     pg_temp.announce_member, pg_temp.announce_holder, pg_temp.announce_count;"
	/* ranges that are gone (side 'before') or new ('after'); shown is the severity of findings */
	"CREATE TEMPORARY TABLE announce_range (name text COLLATE \"C\", side text,"
	"     namespace text COLLATE \"C\", scope_id integer, kind clair.package_kind,"
	"     package text COLLATE \"C\", introduced clair.version, fixed clair.version,"
	"     status clair.status, severity clair.severity, shown clair.severity) ON COMMIT DROP;"
	/*
	 * what they say of features, and the set of features for which it is gone or new: those that
	 * lie in one of the ranges which are gone, but in none of those which are new, or the other way
	 * round
	 */
	"CREATE TEMPORARY TABLE announce_finding (name text COLLATE \"C\", severity clair.severity,"
	"     fixable boolean, set_number bigint, namespace text COLLATE \"C\","
	"     kind clair.package_kind, package text COLLATE \"C\","
	"     gone clair.version[], gone_ends clair.version[], gone_scopes integer[],"
	"     new clair.version[], new_ends clair.version[], new_scopes integer[]) ON COMMIT DROP;"
	/* package databases with features of a set, see clair.features_in_range() */
	"CREATE TEMPORARY TABLE announce_member (set_number bigint, database_id bigint,"
	"     namespace text COLLATE \"C\", repositories text[], by_default boolean) ON COMMIT DROP;"
	/* who has these: groups of images that have the same databases, and their repositories */
	"CREATE TEMPORARY TABLE announce_holder (database_id bigint, repository_set integer,"
	"     cpes text[], group_number bigint, images bigint) ON COMMIT DROP;"
	/* vulnerabilities whose findings changed, and of how many images */
	"CREATE TEMPORARY TABLE announce_count (name text COLLATE \"C\", images bigint)"
	"     ON COMMIT DROP;";

/*
 * The ranges that the run ended and those that it brought, but for those that are on both sides:
 * an item may change in its description only; and for those of which nothing is left.
 */
#define RANGE                                                                                      \
	"v.name, a.namespace, a.scope_id, a.kind, a.package, a.introduced, a.fixed, a.status,"         \
	" a.severity"
#define IS_LEFT "(a.introduced < a.fixed OR a.status = 'not_affected')"
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
		"     WHERE v.until_run = $1 AND a.until_run = $1 AND " IS_LEFT "),"
		" brought AS ("
		"     SELECT " RANGE " FROM clair.vulnerability AS v"
		"         JOIN clair.affected AS a ON a.vulnerability_id = v.id"
		"     WHERE v.since_run = $1 AND " IS_LEFT ")"
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

/*
 * What these ranges say; those that say the same of the same versions have one set. Where a range
 * ends that has no fix says nothing more of the features in it.
 */
#define RANGE_PART(what, side)                                                                     \
	"COALESCE(array_agg(" what " ORDER BY r.introduced, r.fixed, r.scope_id)"                      \
	"     FILTER (WHERE r.side = '" side "'), '{}')"
#define RANGES(side)                                                                               \
	RANGE_PART("r.introduced", side)                                                               \
	", " RANGE_PART("r.fixed", side) ", " RANGE_PART("r.scope_id", side)
#define RANGES_GONE RANGES("before")
#define RANGES_NEW	RANGES("after")
static void
FindFindings(void)
{
	RunSql("INSERT INTO pg_temp.announce_finding"
		   " SELECT f.name, f.shown, f.fix IS NOT NULL,"
		   "     dense_rank() OVER (ORDER BY f.namespace, f.kind, f.package, f.fix, f.gone,"
		   "         f.gone_ends, f.gone_scopes, f.new, f.new_ends, f.new_scopes),"
		   "     f.namespace, f.kind, f.package, f.gone, f.gone_ends, f.gone_scopes, f.new,"
		   "     f.new_ends, f.new_scopes"
		   " FROM (SELECT r.name, r.shown, r.namespace, r.kind, r.package, r.fix,"
		   "           " RANGES_GONE ", " RANGES_NEW
		   "       FROM (SELECT *, CASE WHEN status = 'fixed' THEN fixed END AS fix"
		   "             FROM pg_temp.announce_range) AS r"
		   "       WHERE r.status NOT IN ('not_affected', 'under_investigation')"
		   "       GROUP BY r.name, r.shown, r.namespace, r.kind, r.package, r.fix, r.status)"
		   "     AS f(name, shown, namespace, kind, package, fix, gone, gone_ends, gone_scopes,"
		   "          new, new_ends, new_scopes)",
		   NULL);
	RunSql("ANALYZE pg_temp.announce_finding", NULL);
}

/* The features of the sets, as far as they are in some package database. */
static void
FindMembers(void)
{
	RunSql("INSERT INTO pg_temp.announce_member"
		   " SELECT DISTINCT m.set_number, m.database_id, m.namespace, m.repositories, m.by_default"
		   " FROM (SELECT s.set_number, f.database_id, f.namespace, f.repositories, f.by_default"
		   "       FROM (SELECT DISTINCT ON (g.set_number) g.*"
		   "             FROM pg_temp.announce_finding AS g ORDER BY g.set_number) AS s"
		   "           CROSS JOIN LATERAL ("
		   "               SELECT 'before' AS side, *"
		   "               FROM unnest(s.gone, s.gone_ends, s.gone_scopes)"
		   "               UNION ALL"
		   "               SELECT 'after', * FROM unnest(s.new, s.new_ends, s.new_scopes))"
		   "               AS r(side, introduced, fixed, scope_id)"
		   "           CROSS JOIN LATERAL clair.features_in_range(s.namespace, s.kind, s.package,"
		   "               r.introduced, r.fixed, r.scope_id) AS f"
		   "       GROUP BY s.set_number, f.database_id, f.name, f.number, f.namespace,"
		   "           f.repositories, f.by_default"
		   "       HAVING min(r.side) = max(r.side)) AS m",
		   NULL);
	RunSql("ANALYZE pg_temp.announce_member", NULL);
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
		   "                 (SELECT m.database_id FROM pg_temp.announce_member AS m)"
		   "             GROUP BY d.image_id) AS i"
		   "       GROUP BY i.databases, i.sets) AS g"
		   "     CROSS JOIN LATERAL unnest(g.databases, g.sets)"
		   "         AS held(database_id, repository_set)"
		   "     LEFT JOIN clair.repository_set AS r"
		   "         ON r.id = held.repository_set AND r.cpes <> '{}'",
		   NULL);
	RunSql("ANALYZE pg_temp.announce_holder", NULL);
}

/* Counts the images of each vulnerability: of each combination of sets that some have. */
static void
CountImages(void)
{
	RunSql("INSERT INTO pg_temp.announce_count"
		   " WITH subject AS MATERIALIZED ("
		   "     SELECT f.name, array_agg(DISTINCT f.set_number) AS sets"
		   "     FROM pg_temp.announce_finding AS f"
		   "     GROUP BY f.name),"
		   " hit AS ("
		   "     SELECT DISTINCT c.sets, h.group_number, h.images"
		   "     FROM (SELECT DISTINCT s.sets FROM subject AS s) AS c"
		   "         CROSS JOIN LATERAL unnest(c.sets) AS part(set_number)"
		   "         JOIN " HELD_MEMBERS " ON m.set_number = part.set_number)"
		   " SELECT s.name, counted.images"
		   " FROM subject AS s"
		   "     JOIN (SELECT sets, sum(images) AS images FROM hit GROUP BY sets) AS counted"
		   "         ON counted.sets = s.sets",
		   NULL);
	RunSql("ANALYZE pg_temp.announce_count", NULL);
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
																																	"               JOIN pg_temp.announce_count AS n ON n.name = c.name"           \
																																	"           GROUP BY c.name, c.namespace, c.scope_id, c.kind, c.package) AS p" \
																																	"     GROUP BY p.name)"

#define DESCRIBED                                                                                  \
	" described AS ("                                                                              \
	"     SELECT c.name, c.side, max(c.shown) AS severity,"                                        \
	"         jsonb_agg(jsonb_build_object("                                                       \
	"             'namespace', c.namespace, 'kind', c.kind, 'package', c.package,"                 \
	"             'introduced', clair.bare(c.introduced),"                                         \
	"             'fixed', CASE WHEN c.status = 'fixed' THEN clair.bare(c.fixed) END,"             \
	"             'last_affected', CASE WHEN c.status <> 'fixed'"                                  \
	"                 THEN substring(clair.bare(c.fixed) FROM '^> (.*)') END,"                     \
	"             'status', c.status, 'severity', c.severity)"                                     \
	"             ORDER BY c.namespace, c.kind, c.package, c.introduced, c.fixed, c.scope_id)"     \
	"             AS ranges"                                                                       \
	"     FROM pg_temp.announce_range AS c"                                                        \
	"         JOIN pg_temp.announce_count AS n ON n.name = c.name"                                 \
	"     GROUP BY c.name, c.side)"

/* Whether the updater said anything of a vulnerability, n, before the run, and says it now. */
#define WAS_THERE                                                                                  \
	"EXISTS (SELECT FROM clair.vulnerability AS v"                                                 \
	"        WHERE v.name = n.name AND v.updater = $2 AND v.since_run < $1"                        \
	"            AND COALESCE(v.until_run, $1) >= $1)"
#define IS_THERE                                                                                   \
	"EXISTS (SELECT FROM clair.vulnerability AS v"                                                 \
	"        WHERE v.name = n.name AND v.updater = $2 AND v.until_run IS NULL)"

int64
WriteNotifications(int64 run, const char *updater)
{
	SqlParameters parameters = {0};

	RunSql(create_tables, NULL);
	FindRanges(run);
	FindFindings();
	FindMembers();
	if (RunSql("SELECT FROM pg_temp.announce_member LIMIT 1", NULL) == 0)
		return 0;
	FindHolders();
	CountImages();
	AddInteger(&parameters, run);
	AddText(&parameters, updater);
	AddInteger(&parameters, HaveTenants());
	return RunSql(
		"WITH " COMPARED "," DESCRIBED " INSERT INTO clair.notification"
		"     (run, updater, vulnerability, reason, changes, severity, images, before, after)"
		" SELECT $1, $2, n.name, n.reason,"
		"     CASE WHEN n.reason <> 'changed' THEN '{}'"
		"         ELSE array_remove(ARRAY["
		"             CASE WHEN compared.range THEN 'range' END,"
		"             CASE WHEN compared.status THEN 'status' END,"
		"             CASE WHEN compared.severity THEN 'severity' END], NULL) END,"
		"     COALESCE(fresh.severity, gone.severity), CASE WHEN $3 = 0 THEN n.images END,"
		"     gone.ranges, fresh.ranges"
		" FROM (SELECT n.*, CASE WHEN NOT " WAS_THERE " THEN 'added'"
		"                        WHEN NOT " IS_THERE " THEN 'withdrawn'"
		"                        ELSE 'changed' END AS reason"
		"       FROM pg_temp.announce_count AS n) AS n"
		"     LEFT JOIN compared ON compared.name = n.name"
		"     LEFT JOIN described AS gone ON gone.name = n.name AND gone.side = 'before'"
		"     LEFT JOIN described AS fresh ON fresh.name = n.name AND fresh.side = 'after'"
		" ORDER BY COALESCE(fresh.severity, gone.severity) DESC, n.name",
		&parameters);
}
