/*
 * notify.c
 *    Announcing what a run changed: rows of clair.notification, and NOTIFY clair.
 *
 * Called by the update room inside the transaction of a run that changed something, as the
 * extension's owner: rows and NOTIFY reach others when, and only when, the run commits.
 * Anybody may LISTEN, so a payload says neither names of images nor texts.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "server/clair.h"
#include "server/sql.h"
#include "update/run.h"

static int clair_notify_limit;

/*
 * The ranges that the run ended and those that it brought, but for those that are on both
 * sides: an item may change in its description only.
 */
#define RANGE                                                                                      \
	"v.name, a.namespace, a.scope_id, a.kind, a.package, a.introduced, a.fixed, a.status,"         \
	" a.severity"
#define CHANGED_RANGES                                                                             \
	" ended AS ("                                                                                  \
	"     SELECT " RANGE " FROM clair.vulnerability AS v"                                          \
	"         JOIN clair.affected AS a ON a.vulnerability_id = v.id"                               \
	"     WHERE v.until_run = $1 AND a.until_run = $1),"                                           \
	" brought AS ("                                                                                \
	"     SELECT " RANGE " FROM clair.vulnerability AS v"                                          \
	"         JOIN clair.affected AS a ON a.vulnerability_id = v.id"                               \
	"     WHERE v.since_run = $1),"                                                                \
	" changed AS ("                                                                                \
	"     (SELECT 'before' AS side, * FROM ended EXCEPT ALL SELECT 'before', * FROM brought)"      \
	"     UNION ALL"                                                                               \
	"     (SELECT 'after', * FROM brought EXCEPT ALL SELECT 'after', * FROM ended))"

/* Whether a feature is what the scope of a range asks for, as clair.image_vulnerability has it. */
#define IN_SCOPE                                                                                   \
	"(c.scope_id = 0 OR EXISTS ("                                                                  \
	"     SELECT FROM clair.scope AS s"                                                            \
	"     WHERE s.id = c.scope_id"                                                                 \
	"         AND (s.architectures IS NULL"                                                        \
	"              OR f.architecture = ANY (s.architectures || 'noarch'::text))"                   \
	"         AND (s.module IS NULL OR s.module = COALESCE(f.module, ''))"                         \
	"         AND (s.flavour IS NULL OR s.flavour = f.flavour)"                                    \
	"         AND (s.repositories IS NULL OR s.repositories && COALESCE("                          \
	"                  (SELECT r.cpes FROM clair.repository_set AS r"                              \
	"                   WHERE r.id = d.repository_set AND r.cpes <> '{}'),"                        \
	"                  ARRAY[f.namespace]::text[]))))"

/* The images whose features lie in a changed range of this kind that counts as affected. */
#define HIT(kind, package, version)                                                                \
	" SELECT c.name, d.image_id"                                                                   \
	" FROM changed AS c"                                                                           \
	"     JOIN clair.feature AS f ON f.namespace = c.namespace AND f." package " = c.package"      \
	"         AND f." version " < c.fixed AND f." version " >= c.introduced"                       \
	"     JOIN clair.image_database AS d"                                                          \
	"         ON d.database_id = f.database_id AND d.until_position IS NULL"                       \
	" WHERE c.kind = '" kind "' AND c.status NOT IN ('not_affected', 'under_investigation')"       \
	"     AND " IN_SCOPE
#define HIT_IMAGES                                                                                 \
	" hit AS (" HIT("source", "source_name", "source_version") " UNION" HIT("binary", "name",      \
																			"version") ")"

/* Writes the notifications of a run; how many. */
static int64
WriteNotifications(int64 run, const char *updater)
{
	SqlParameters parameters = {0};

	AddInteger(&parameters, run);
	AddText(&parameters, updater);
	return RunSql(
		"WITH" CHANGED_RANGES "," HIT_IMAGES ","
		" counted AS (SELECT name, count(*) AS images FROM hit GROUP BY name),"
		" described AS ("
		"     SELECT c.name, c.side, max(CASE WHEN c.severity <> 'Unknown' THEN c.severity"
		"             ELSE COALESCE((SELECT m.severity FROM clair.cve AS m WHERE m.cve = c.name),"
		"                 c.severity) END) AS severity,"
		"         jsonb_agg(jsonb_build_object("
		"             'namespace', c.namespace, 'kind', c.kind, 'package', c.package,"
		"             'introduced', clair.bare(c.introduced), 'fixed', clair.bare(c.fixed),"
		"             'status', c.status, 'severity', c.severity)"
		"             ORDER BY c.namespace, c.kind, c.package, c.introduced, c.fixed, c.scope_id)"
		"             AS ranges"
		"     FROM changed AS c"
		"         JOIN counted ON counted.name = c.name"
		"     GROUP BY c.name, c.side)"
		" INSERT INTO clair.notification"
		"     (run, updater, vulnerability, reason, severity, images, before, after)"
		" SELECT $1, $2, counted.name,"
		"     CASE WHEN NOT EXISTS (SELECT FROM clair.vulnerability AS v"
		"                           WHERE v.name = counted.name AND v.updater = $2"
		"                               AND v.since_run < $1 AND COALESCE(v.until_run, $1) >= $1)"
		"              THEN 'added'"
		"          WHEN NOT EXISTS (SELECT FROM clair.vulnerability AS v"
		"                           WHERE v.name = counted.name AND v.updater = $2"
		"                               AND v.until_run IS NULL)"
		"              THEN 'withdrawn'"
		"          ELSE 'changed' END,"
		"     COALESCE(fresh.severity, gone.severity), counted.images, gone.ranges, fresh.ranges"
		" FROM counted"
		"     LEFT JOIN described AS gone ON gone.name = counted.name AND gone.side = 'before'"
		"     LEFT JOIN described AS fresh ON fresh.name = counted.name AND fresh.side = 'after'"
		" ORDER BY COALESCE(fresh.severity, gone.severity) DESC, counted.name",
		&parameters);
}

/* Tells whoever listens: one message each, or one for all when there are many. */
static void
SendNotifications(int64 run, int64 count)
{
	SqlParameters parameters = {0};

	AddInteger(&parameters, run);
	if (count <= clair_notify_limit)
		RunSql(
			"SELECT pg_notify('clair', json_build_object("
			"     'version', 1, 'run', run, 'updater', updater, 'notification', id,"
			"     'vulnerability', vulnerability, 'reason', reason, 'severity', severity,"
			"     'images', images)::text)"
			" FROM (SELECT * FROM clair.notification WHERE run = $1 ORDER BY id) AS notification",
			&parameters);
	else
		RunSql("SELECT pg_notify('clair', json_build_object("
			   "     'version', 1, 'run', min(run), 'updater', min(updater),"
			   "     'notifications', count(*), 'severity', max(severity),"
			   "     'added', count(*) FILTER (WHERE reason = 'added'),"
			   "     'changed', count(*) FILTER (WHERE reason = 'changed'),"
			   "     'withdrawn', count(*) FILTER (WHERE reason = 'withdrawn'))::text)"
			   " FROM clair.notification WHERE run = $1",
			   &parameters);
}

/* The first run of an updater tells nothing: everything that it brings is new. */
static void
AnnounceRun(int64 run, const char *updater, bool first)
{
	int64 count;

	if (first)
		return;
	count = WriteNotifications(run, updater);
	if (count > 0)
		SendNotifications(run, count);
}

void
NotifyInit(void)
{
	DefineCustomIntVariable("clair.notify_limit",
							"Changed vulnerabilities from which on a run sends one summary.",
							"The summary has counts; details are in clair.notification.",
							&clair_notify_limit, 100, 0, INT_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
	OnRunApplied(AnnounceRun);
}
