/*
 * freeze.c
 *    Keeping what was said of namespaces that a feed says nothing of any more.
 *
 * For each vulnerability that ends, and each namespace that is frozen by that, a row of
 * clair.vulnerability keeps the ranges in that namespace (KeepVulnerabilities() in apply.c
 * makes it); its column "frozen" says so, and takes it out of all later comparisons. When the feed
 * speaks of the namespace again, these rows end.
 */
#include "postgres.h"

#include "server/sql.h"
#include "update/apply.h"
#include "update/freeze.h"

/*
 * The namespaces, as the text of an array, of which the run would leave nothing: all ranges
 * end, and none is staged. NULL when there is none.
 */
static char *
FindAbandoned(const UpdateRun *run)
{
	SqlParameters parameters = {0};

	AddText(&parameters, run->settings.name);
	RunSql("WITH candidate AS ("
		   "     SELECT a.namespace"
		   "     FROM pg_temp.stage_ended AS e"
		   "         JOIN clair.affected AS a"
		   "             ON a.vulnerability_id = e.id AND a.until_run IS NULL"
		   "     EXCEPT SELECT namespace FROM pg_temp.stage_affected)"
		   " SELECT array_agg(c.namespace ORDER BY c.namespace)"
		   " FROM candidate AS c"
		   " WHERE NOT EXISTS ("
		   "     SELECT FROM clair.affected AS a"
		   "         JOIN clair.vulnerability AS v ON v.id = a.vulnerability_id"
		   "         LEFT JOIN pg_temp.stage_ended AS e ON e.id = v.id"
		   "     WHERE a.namespace = c.namespace AND a.until_run IS NULL AND v.updater = $1"
		   "         AND e.id IS NULL)",
		   &parameters);
	return ResultText(0, 1);
}

/* The frozen namespaces that the feed speaks of again; NULL when there is none. */
static char *
FindRevived(const UpdateRun *run)
{
	SqlParameters parameters = {0};

	AddText(&parameters, run->settings.name);
	RunSql("SELECT array_agg(namespace) FROM clair.frozen_namespace"
		   " WHERE updater = $1 AND namespace IN (SELECT namespace FROM pg_temp.stage_affected)",
		   &parameters);
	return ResultText(0, 1);
}

static void
Freeze(const UpdateRun *run, const char *namespaces)
{
	SqlParameters parameters = {0};

	AddText(&parameters, run->settings.name);
	AddInteger(&parameters, run->id);
	AddText(&parameters, namespaces);
	RunSql("INSERT INTO clair.frozen_namespace (updater, namespace, run)"
		   " SELECT $1, namespace, $2 FROM unnest($3::text[]) AS namespace"
		   " ON CONFLICT (updater, namespace) DO NOTHING",
		   &parameters);
	RunSql("INSERT INTO pg_temp.stage_kept"
		   " SELECT k.id, k.namespace, nextval('clair.vulnerability_id_seq')"
		   " FROM (SELECT DISTINCT e.id, a.namespace"
		   "       FROM pg_temp.stage_ended AS e"
		   "           JOIN clair.affected AS a"
		   "               ON a.vulnerability_id = e.id AND a.until_run IS NULL"
		   "       WHERE a.namespace = ANY ($3::text[])"
		   "       ORDER BY e.id, a.namespace) AS k",
		   &parameters);
}

static void
Revive(const UpdateRun *run, const char *namespaces)
{
	SqlParameters parameters = {0};

	AddText(&parameters, run->settings.name);
	AddText(&parameters, namespaces);
	RunSql("INSERT INTO pg_temp.stage_ended"
		   " SELECT id, record, name, NULL FROM clair.vulnerability"
		   " WHERE updater = $1 AND frozen = ANY ($2::text[]) AND until_run IS NULL",
		   &parameters);
	RunSql("DELETE FROM clair.frozen_namespace"
		   " WHERE updater = $1 AND namespace = ANY ($2::text[])",
		   &parameters);
}

void
FreezeNamespaces(const UpdateRun *run)
{
	char *namespaces;

	if (run->first)
		return;
	namespaces = FindRevived(run);
	if (namespaces != NULL)
		Revive(run, namespaces);
	/*
	 * What is not said any more was perhaps never said, if it was read in another way; and a source
	 * of the user's own may be as small as one advisory, which can be withdrawn.
	 */
	if (run->anew || run->settings.options != NULL)
		return;
	namespaces = FindAbandoned(run);
	if (namespaces != NULL)
		Freeze(run, namespaces);
}

void
TakeFrozenNamespaces(const UpdateRun *run)
{
	RunStep(run, "INSERT INTO pg_temp.stage_ended"
				 " SELECT id, record, name, NULL FROM clair.vulnerability"
				 " WHERE updater = $1 AND frozen IS NOT NULL AND until_run IS NULL");
	RunStep(run, "DELETE FROM clair.frozen_namespace"
				 " WHERE updater = $1"
				 "     AND namespace NOT IN (SELECT namespace FROM pg_temp.stage_frozen)");
	RunStep(run, "INSERT INTO clair.frozen_namespace (updater, namespace, run)"
				 " SELECT DISTINCT $1, namespace, $2 FROM pg_temp.stage_frozen"
				 " ON CONFLICT (updater, namespace) DO NOTHING");
}
