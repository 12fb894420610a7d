/*
 * resolve.c
 *    Working out what several records say of the same vulnerability of a package.
 *
 * Advisories are not rewritten when a later one fixes the same vulnerability once more, and what
 * a source says of fixes and of decisions not to fix may come in different documents. Ranges are
 * final when they are stored, so it is decided here what each contributes. Ranges are of one
 * group when namespace, scope, kind, package and vulnerability are the same. Within a group:
 *
 *	  not_affected leaves nothing of the others;
 *	  a range begins where its record says; where that says nothing, below all versions; but, with a
 *	  fix of rpm, where the next lower upstream version that has a fix ends: a release that stays
 *	  with an older version is fixed by its own fix, not by a later rebase;
 *	  ranges with a fix that overlap or meet, one by one, become one: from the lowest beginning up
 *	  to the highest fix; those that do not all stand;
 *	  ranges without a fix likewise: the one that reaches highest stands, and of these the one that
 *	  says most: will_not_fix, end_of_life, deferred, under_investigation, affected, in this order:
 *	  a list of what is not fixed, without the reasons, calls all of it affected;
 *	  but nothing is left of one that overlaps a range with a fix; or, where what is unfixed counts
 *	  (clair.builtin_updater.unfixed_counts), since each record is about another component of the
 *	  package, of a range with a fix that overlaps one without.
 *
 * So of fixes whose records state no beginnings, which is the rule, the highest counts, or, of rpm,
 * the highest of each upstream version; and with any fix, nothing is left that has none, or the
 * other way round. A record that states several ranges of a package, each with its beginning, means
 * all of them, and another record's fix ends what it overlaps.
 *
 * A range of which nothing is left is stored as empty: introduced where it is fixed. What stands
 * takes the group's highest severity when its own record states none. Only the groups that the
 * run touches are looked at.
 */
#include "postgres.h"

#include "server/sql.h"
#include "update/apply.h"
#include "update/resolve.h"

static const char create_tables[] =
	"DROP TABLE IF EXISTS pg_temp.stage_group, pg_temp.stage_claim;"
	"CREATE TEMPORARY TABLE stage_group (namespace text COLLATE \"C\", scope_id integer,"
	"     kind clair.package_kind, package text COLLATE \"C\", name text COLLATE \"C\");"
	/* the ranges of these groups: staged ones have an item, standing ones an id */
	"CREATE TEMPORARY TABLE stage_claim (item bigint, id bigint, number integer,"
	"     record text COLLATE \"C\", namespace text COLLATE \"C\", scope_id integer,"
	"     kind clair.package_kind, package text COLLATE \"C\", name text COLLATE \"C\","
	"     introduced clair.version, stated_introduced clair.version, fixed clair.version,"
	"     status clair.status, severity clair.severity, stated_severity clair.severity);";

/* The ranges that will begin: those of vulnerabilities that are not current, or end. */
static void
ClaimStaged(const UpdateRun *run)
{
	RunStep(run, "INSERT INTO pg_temp.stage_claim"
				 " SELECT s.item, NULL, s.number, v.record, s.namespace, " STAGED_SCOPE ","
				 "     s.kind::clair.package_kind, s.package, v.name, NULL,"
				 "     " STAGED_INTRODUCED ", " STAGED_FIXED ","
				 "     s.status::clair.status, NULL, s.severity::clair.severity"
				 " FROM pg_temp.stage_vulnerability AS v"
				 "     LEFT JOIN clair.vulnerability AS current ON current.updater = $1"
				 "         AND current.record = v.record AND current.name = v.name"
				 "         AND current.until_run IS NULL AND current.frozen IS NULL"
				 "     LEFT JOIN pg_temp.stage_ended AS e ON e.id = current.id"
				 "     JOIN pg_temp.stage_affected AS s ON s.item = v.item"
				 "     LEFT JOIN pg_temp.stage_scope AS c ON c.key = " STAGED_SCOPE_KEY
				 " WHERE current.id IS NULL OR e.id IS NOT NULL");
}

/* The groups that change: those of ranges that begin, and of ranges that end. */
static void
FindGroups(const UpdateRun *run)
{
	RunStep(run, "INSERT INTO pg_temp.stage_group"
				 " SELECT namespace, scope_id, kind, package, name FROM pg_temp.stage_claim"
				 " UNION"
				 " SELECT a.namespace, a.scope_id, a.kind, a.package, e.name"
				 " FROM pg_temp.stage_ended AS e"
				 "     JOIN clair.affected AS a ON a.vulnerability_id = e.id");
	RunSql("ANALYZE pg_temp.stage_group", NULL);
}

/* The ranges of these groups that stand. */
static void
ClaimStanding(const UpdateRun *run)
{
	RunStep(run, "INSERT INTO pg_temp.stage_claim"
				 " SELECT NULL, a.vulnerability_id, a.number, v.record, a.namespace, a.scope_id,"
				 "     a.kind, a.package, v.name, a.introduced, a.stated_introduced, a.fixed,"
				 "     a.status, a.severity,"
				 "     COALESCE(a.stated_severity, a.severity)"
				 " FROM pg_temp.stage_group AS g"
				 "     JOIN clair.vulnerability AS v ON v.updater = $1 AND v.name = g.name"
				 "         AND v.until_run IS NULL AND v.frozen IS NULL"
				 "     LEFT JOIN pg_temp.stage_ended AS e ON e.id = v.id"
				 "     JOIN clair.affected AS a ON a.vulnerability_id = v.id"
				 "         AND a.namespace = g.namespace AND a.scope_id = g.scope_id"
				 "         AND a.kind = g.kind AND a.package = g.package"
				 " WHERE e.id IS NULL");
}

#define GROUP_COLUMNS "namespace, scope_id, kind, package, name"

/*
 * Judges the groups. Base is, of rpm's fixes, where their upstream version, with the epoch, ends;
 * an island is what a range shares with those that overlap or meet it; of an island, the range that
 * stands for it has rank 1.
 */
static void
Judge(const UpdateRun *run)
{
	RunSql("ANALYZE pg_temp.stage_claim", NULL);
	RunStep(run,
			"INSERT INTO pg_temp.stage_resolved"
			" WITH based AS ("
			"     SELECT c.*, status = 'fixed' AS is_fix,"
			"         (status = 'fixed') <> (SELECT COALESCE(bool_or(unfixed_counts), false)"
			"             FROM clair.builtin_updater WHERE name = $1) AS prevails,"
			"         CASE WHEN status = 'fixed' AND clair.format(fixed) = 'rpm'"
			"             THEN clair.rpm(regexp_replace(clair.bare(fixed), '^0:|-[^-]*$', '', 'g')"
			"                 || '^') END AS base"
			"     FROM pg_temp.stage_claim AS c),"
			" begun AS ("
			"     SELECT b.*, COALESCE(stated_introduced, clair.max(base) OVER ("
			"         PARTITION BY " GROUP_COLUMNS ", is_fix ORDER BY base"
			"         GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), '-infinity') AS begins"
			"     FROM based AS b),"
			" parted AS ("
			"     SELECT b.*, begins > clair.max(fixed) OVER ("
			"         PARTITION BY " GROUP_COLUMNS ", is_fix ORDER BY begins"
			"         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS is_apart"
			"     FROM begun AS b),"
			" numbered AS ("
			"     SELECT p.*, count(*) FILTER (WHERE is_apart) OVER ("
			"         PARTITION BY " GROUP_COLUMNS ", is_fix ORDER BY begins"
			"         ROWS UNBOUNDED PRECEDING) AS island"
			"     FROM parted AS p),"
			" ranked AS ("
			"     SELECT n.*,"
			"         bool_or(status = 'not_affected') OVER same AS is_denied,"
			"         range_agg(clair.version_range(begins, GREATEST(begins, fixed)))"
			"             FILTER (WHERE prevails) OVER same AS prevailing,"
			"         max(stated_severity) OVER same AS worst,"
			"         clair.min(begins) OVER (PARTITION BY " GROUP_COLUMNS ", is_fix, island)"
			"             AS beginning,"
			"         row_number() OVER (PARTITION BY " GROUP_COLUMNS ", is_fix, island"
			"             ORDER BY fixed DESC,"
			"                 array_position('{will_not_fix,end_of_life,deferred,"
			"under_investigation,affected}'::clair.status[], status), record, number) AS rank"
			"     FROM numbered AS n"
			"     WINDOW same AS (PARTITION BY " GROUP_COLUMNS ")),"
			" judged AS ("
			"     SELECT r.*, NOT is_denied AND rank = 1"
			"             AND (prevails OR prevailing IS NULL"
			"                 OR NOT prevailing && clair.version_range(beginning,"
			"                    GREATEST(beginning, fixed)))"
			"             AS stands"
			"     FROM ranked AS r)"
			" SELECT item, id, number, introduced, severity,"
			"     CASE WHEN stands THEN beginning ELSE fixed END,"
			"     CASE WHEN stands AND stated_severity = 'Unknown' THEN worst"
			"         ELSE stated_severity END,"
			"     stated_severity"
			" FROM judged");
}

/* Lets the vulnerabilities begin anew of which a standing range has become another one. */
static void
RenewStanding(const UpdateRun *run)
{
	RunStep(run, "DELETE FROM pg_temp.stage_resolved"
				 " WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM pg_temp.stage_resolved"
				 "     WHERE id IS NOT NULL"
				 "         AND (old_introduced <> introduced OR old_severity <> severity))");
	RunStep(run, "INSERT INTO pg_temp.stage_kept"
				 " SELECT r.id, NULL, nextval('clair.vulnerability_id_seq')"
				 " FROM (SELECT DISTINCT id FROM pg_temp.stage_resolved WHERE id IS NOT NULL"
				 "       ORDER BY id) AS r");
	RunStep(run, "INSERT INTO pg_temp.stage_ended"
				 " SELECT v.id, v.record, v.name, NULL"
				 " FROM pg_temp.stage_kept AS k"
				 "     JOIN clair.vulnerability AS v ON v.id = k.id"
				 " WHERE k.namespace IS NULL");
}

void
ResolveRanges(const UpdateRun *run)
{
	if (!run->settings.resolves)
		return;
	RunSql(create_tables, NULL);
	ClaimStaged(run);
	FindGroups(run);
	if (!run->first)
		ClaimStanding(run);
	Judge(run);
	RenewStanding(run);
}
