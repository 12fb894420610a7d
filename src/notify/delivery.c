/*
 * delivery.c
 *    Who is told: a row of clair.delivery for each consumer that a notification is for; and NOTIFY.
 *
 * Filters are asked when the notification is written, finding by finding: one finding that is gone
 * or new must be let through by all of a filter. So nothing depends on when a consumer comes to
 * read, and a run that commits late is not passed by.
 *
 * What is undone before a consumer was told of it is not told: its deliveries are cancelled, those
 * of the change and of what undoes it. Told is a consumer to which the notification was handed out.
 * NOTIFY is for those who listen at the moment, and is not taken for telling.
 */
#include "postgres.h"

#include "index/tenant.h"
#include "notify/notify.h"
#include "server/sql.h"

/* So many are analysed at once: neither the rest here nor who takes them can wait for autovacuum.
 */
#define BULK_DELIVERIES 1000

static const char create_tables[] =
	"DROP TABLE IF EXISTS pg_temp.announce_notification, pg_temp.announce_consumer, "
	"pg_temp.announce_watch,"
	"     pg_temp.announce_place,"
	"     pg_temp.announce_undone, pg_temp.announce_locked;"
	/* what is told */
	"CREATE TEMPORARY TABLE announce_notification (LIKE clair.notification) ON COMMIT DROP;"
	/* the consumers; those that are being dropped are left out, and then are not until we are done
	 */
	"CREATE TEMPORARY TABLE announce_consumer (LIKE clair.consumer, prefixes text[])"
	"     ON COMMIT DROP;"
	/* which images the consumers watch that watch certain ones, by what these have */
	"CREATE TEMPORARY TABLE announce_watch (consumer text COLLATE \"C\", database_id bigint,"
	"     repository_set integer) ON COMMIT DROP;"
	/* which sets of features a consumer can see, and in which namespaces */
	"CREATE TEMPORARY TABLE announce_place (consumer text COLLATE \"C\", set_number bigint,"
	"     namespace text COLLATE \"C\") ON COMMIT DROP;"
	/* deliveries to cancel, and the notification that undoes what they tell of */
	"CREATE TEMPORARY TABLE announce_undone (consumer text COLLATE \"C\", notification bigint,"
	"     undone_by bigint) ON COMMIT DROP;"
	"CREATE TEMPORARY TABLE announce_locked (consumer text COLLATE \"C\", notification bigint)"
	"     ON COMMIT DROP;";

/*
 * Finds the deliveries that the run undoes, whether or not it tells their consumers. Going back
 * from what has become of a vulnerability, as far as a consumer has not been told of that yet: the
 * last change, if it is now taken back exactly; or everything since the vulnerability was added, if
 * it is now withdrawn.
 */
static int64
FindUndone(void)
{
	return RunSql("INSERT INTO pg_temp.announce_undone"
				  " WITH chain AS ("
				  "     SELECT e.consumer, e.notification, n.id AS undone_by,"
				  "         m.before IS NOT DISTINCT FROM n.after"
				  "             AND m.after IS NOT DISTINCT FROM n.before AS is_inverse,"
				  "         m.reason = 'added' AND n.reason = 'withdrawn' AS is_whole,"
				  "         row_number() OVER later AS back,"
				  "         bool_and(e.state = 'pending' AND e.attempts = 0) OVER later AS untold"
				  "     FROM pg_temp.announce_notification AS n"
				  "         JOIN clair.delivery AS e ON e.vulnerability = n.vulnerability"
				  "             AND e.notification < n.id AND e.state <> 'cancelled'"
				  "         JOIN clair.notification AS m"
				  "             ON m.id = e.notification AND m.updater = n.updater"
				  "     WINDOW later AS (PARTITION BY e.consumer, n.id"
				  "         ORDER BY e.notification DESC))"
				  " SELECT c.consumer, c.notification, c.undone_by"
				  " FROM chain AS c"
				  "     JOIN (SELECT consumer, undone_by, max(notification) AS since"
				  "           FROM chain"
				  "           WHERE untold AND (is_inverse AND back = 1 OR is_whole)"
				  "           GROUP BY consumer, undone_by) AS s"
				  "         ON s.consumer = c.consumer AND s.undone_by = c.undone_by"
				  " WHERE c.notification >= s.since",
				  NULL);
}

/* Cancels them, unless some of them are being handed out at this moment. */
static void
CancelUndone(void)
{
	if (FindUndone() == 0)
		return;
	RunSql("ANALYZE pg_temp.announce_undone", NULL);
	RunSql("INSERT INTO pg_temp.announce_locked"
		   " SELECT d.consumer, d.notification"
		   " FROM clair.delivery AS d"
		   " WHERE d.state = 'pending' AND d.attempts = 0"
		   "     AND (d.consumer, d.notification) IN"
		   "         (SELECT u.consumer, u.notification FROM pg_temp.announce_undone AS u)"
		   " FOR UPDATE SKIP LOCKED",
		   NULL);
	RunSql("ANALYZE pg_temp.announce_locked", NULL);
	RunSql("DELETE FROM pg_temp.announce_undone"
		   " WHERE (consumer, undone_by) IN"
		   "     (SELECT u.consumer, u.undone_by"
		   "      FROM pg_temp.announce_undone AS u"
		   "          LEFT JOIN pg_temp.announce_locked AS l"
		   "              ON l.consumer = u.consumer AND l.notification = u.notification"
		   "      WHERE l.notification IS NULL)",
		   NULL);
	RunSql("UPDATE clair.delivery SET state = 'cancelled', finished_at = now()"
		   " WHERE (consumer, notification) IN"
		   "     (SELECT u.consumer, u.notification FROM pg_temp.announce_undone AS u"
		   "      UNION SELECT u.consumer, u.undone_by FROM pg_temp.announce_undone AS u)",
		   NULL);
}

void
DeliverNotifications(int64 run)
{
	SqlParameters parameters = {0};
	int64 told;

	AddInteger(&parameters, run);
	RunSql(create_tables, NULL);
	if (RunSql("INSERT INTO pg_temp.announce_consumer"
			   " SELECT c.*, clair.tenant_prefixes(c.owner) FROM clair.consumer AS c"
			   " FOR KEY SHARE OF c SKIP LOCKED",
			   NULL) == 0)
		return;
	RunSql("INSERT INTO pg_temp.announce_notification"
		   " SELECT * FROM clair.notification WHERE run = $1",
		   &parameters);
	RunSql("ANALYZE pg_temp.announce_notification", NULL);
	RunSql("INSERT INTO pg_temp.announce_watch"
		   " SELECT DISTINCT c.name, d.database_id, COALESCE(d.repository_set, 0)"
		   " FROM pg_temp.announce_consumer AS c"
		   "     JOIN clair.image_name AS n ON " IS_WATCHED "     JOIN clair.image_database AS d"
		   "         ON d.image_id = n.image_id AND d.until_position IS NULL"
		   " WHERE NOT " WATCHES_ALL,
		   NULL);
	RunSql("ANALYZE pg_temp.announce_watch", NULL);
	RunSql("INSERT INTO pg_temp.announce_place"
		   " SELECT c.name, m.set_number, m.namespace"
		   " FROM pg_temp.announce_consumer AS c"
		   "     CROSS JOIN (SELECT DISTINCT m.set_number, m.namespace"
		   "                 FROM " HELD_MEMBERS ") AS m"
		   " WHERE " WATCHES_ALL " UNION"
		   " SELECT w.consumer, m.set_number, m.namespace"
		   " FROM " HELD_MEMBERS
		   "     JOIN pg_temp.announce_watch AS w ON w.database_id = h.database_id"
		   "         AND w.repository_set = h.repository_set",
		   NULL);
	RunSql("ANALYZE pg_temp.announce_place", NULL);
	told = RunSql(
		"INSERT INTO clair.delivery (consumer, notification, vulnerability)"
		" SELECT DISTINCT c.name, n.id, n.vulnerability"
		" FROM (SELECT p.consumer, p.namespace, g.name, g.severity, g.fixable"
		"       FROM pg_temp.announce_place AS p"
		"           JOIN pg_temp.announce_finding AS g ON g.set_number = p.set_number) AS f"
		"     JOIN pg_temp.announce_consumer AS c ON c.name = f.consumer AND " IS_LET_THROUGH
		"     JOIN pg_temp.announce_notification AS n ON n.vulnerability = f.name"
		" ORDER BY c.name, n.id",
		NULL);
	if (told >= BULK_DELIVERIES)
		RunSql("ANALYZE clair.notification, clair.delivery", NULL);
	CancelUndone();
}

/* What is to be said where: all of it on clair, and on the channels of consumers what they get. */
#define SAID                                                                                       \
	" new AS ("                                                                                    \
	"     SELECT * FROM clair.notification WHERE run = $1 AND $3 IS NULL"                          \
	"     UNION ALL"                                                                               \
	"     SELECT * FROM clair.notification WHERE image_id = ANY ($3::bigint[])),"                  \
	" said AS ("                                                                                   \
	"     SELECT 'clair' AS channel, n.* FROM new AS n"                                            \
	"     UNION ALL"                                                                               \
	"     SELECT 'clair_' || d.consumer, n.*"                                                      \
	"     FROM new AS n"                                                                           \
	"         JOIN clair.delivery AS d ON d.notification = n.id AND d.state = 'pending')"

/*
 * Anybody may listen: where there are tenants, it is only said that there is something to ask for,
 * and by which run.
 */
static void
WakeListeners(const SqlParameters *parameters)
{
	RunSql("WITH" SAID " SELECT pg_notify(m.channel, m.message::text)"
		   " FROM (SELECT s.channel, json_strip_nulls(json_build_object("
		   "           'version', 1, 'run', min(s.run), 'updater', min(s.updater))) AS message"
		   "       FROM said AS s"
		   "       WHERE $2 IS NOT NULL"
		   "       GROUP BY s.channel) AS m"
		   " ORDER BY m.channel",
		   parameters);
}

void
SendNotifications(int64 run, const char *images, int64 limit)
{
	SqlParameters parameters = {0};

	AddInteger(&parameters, run);
	AddInteger(&parameters, limit);
	AddText(&parameters, images);
	if (HaveTenants())
	{
		WakeListeners(&parameters);
		return;
	}
	RunSql("WITH" SAID ","
		   " counted AS ("
		   "     SELECT s.*, count(*) OVER (PARTITION BY s.channel) AS total FROM said AS s)"
		   " SELECT pg_notify(m.channel, m.message::text)"
		   " FROM (SELECT c.channel, c.id, json_strip_nulls(json_build_object("
		   "           'version', 1, 'run', c.run, 'updater', c.updater, 'notification', c.id,"
		   "           'vulnerability', c.vulnerability, 'reason', c.reason,"
		   "           'changes', c.changes, 'severity', c.severity, 'images', c.images))"
		   "           AS message"
		   "       FROM counted AS c"
		   "       WHERE c.total <= $2"
		   "       UNION ALL"
		   "       SELECT c.channel, min(c.id), json_strip_nulls(json_build_object("
		   "           'version', 1, 'run', min(c.run), 'updater', min(c.updater),"
		   "           'notifications', count(*), 'severity', max(c.severity),"
		   "           'added', count(*) FILTER (WHERE c.reason = 'added'),"
		   "           'changed', count(*) FILTER (WHERE c.reason = 'changed'),"
		   "           'withdrawn', count(*) FILTER (WHERE c.reason = 'withdrawn'),"
		   "           'indexed', NULLIF(count(*) FILTER (WHERE c.reason = 'indexed'), 0)))"
		   "       FROM counted AS c"
		   "       WHERE c.total > $2"
		   "       GROUP BY c.channel) AS m"
		   " ORDER BY m.channel, m.id",
		   &parameters);
}
