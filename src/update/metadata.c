/*
 * metadata.c
 *    Applying what updaters say of CVEs, not of packages: statements, metrics, EPSS, KEV.
 *
 * A part of the run's one transaction (apply.c), with its comparison of records: of those that are
 * new or not what they were, what they say is replaced; of those that are gone, it goes. Each
 * updater's rows are its own. EPSS has no records: all of its scores are compared, and only those
 * that differ are written. Nothing here touches a vulnerability.
 *
 * What metric counts is worked out anew for the CVEs whose metrics have changed, and kept in
 * clair.cve: a finding whose source gives no severity gets it from there by its key.
 */
#include "postgres.h"

#include "server/sql.h"
#include "update/apply.h"
#include "update/metadata.h"

/* CVEs that change: whether something was known of them, and whether something is now. */
static const char create_tables[] =
	"DROP TABLE IF EXISTS pg_temp.stage_stated, pg_temp.stage_listed, pg_temp.stage_scored;"
	/* of statements with their metrics, of entries of KEV */
	"CREATE TEMPORARY TABLE stage_stated (cve text COLLATE \"C\", known boolean, staged boolean);"
	"CREATE TEMPORARY TABLE stage_listed (cve text COLLATE \"C\", known boolean, staged boolean);"
	/* of EPSS */
	"CREATE TEMPORARY TABLE stage_scored (cve text COLLATE \"C\", known boolean, staged boolean,"
	"     score real, percentile real);";

/* What a record with the same key as another one says is not taken. */
static void
DropDuplicates(void)
{
	if (RunSql("SELECT FROM pg_temp.stage_duplicate LIMIT 1", NULL) == 0)
		return;
	RunSql("DELETE FROM pg_temp.stage_cve"
		   " WHERE cve IN (SELECT record FROM pg_temp.stage_duplicate)",
		   NULL);
	RunSql("DELETE FROM pg_temp.stage_metric"
		   " WHERE cve IN (SELECT record FROM pg_temp.stage_duplicate)",
		   NULL);
	RunSql("DELETE FROM pg_temp.stage_kev"
		   " WHERE cve IN (SELECT record FROM pg_temp.stage_duplicate)",
		   NULL);
}

/* Finds the CVEs of which the updater states something else; how many. */
static int64
CompareStatements(const UpdateRun *run)
{
	return RunStep(run, "INSERT INTO pg_temp.stage_stated"
						" SELECT c.record, o.cve IS NOT NULL, s.cve IS NOT NULL"
						" FROM pg_temp.stage_change AS c"
						"     LEFT JOIN pg_temp.stage_cve AS s ON s.cve = c.record"
						"     LEFT JOIN clair.cve_statement AS o"
						"         ON o.cve = c.record AND o.updater = $1"
						" WHERE c.reread AND s.digest IS DISTINCT FROM o.digest"
						"     AND (s.cve IS NOT NULL OR NOT c.broken)"
						" UNION ALL"
						" SELECT g.record, true, false"
						" FROM pg_temp.stage_gone AS g"
						"     JOIN clair.cve_statement AS o"
						"         ON o.cve = g.record AND o.updater = $1");
}

static void
ReplaceStatements(const UpdateRun *run)
{
	RunStep(run, "DELETE FROM clair.cve_metric WHERE updater = $1"
				 "     AND cve IN (SELECT cve FROM pg_temp.stage_stated WHERE known)");
	RunStep(run, "DELETE FROM clair.cve_statement WHERE updater = $1"
				 "     AND cve IN (SELECT cve FROM pg_temp.stage_stated WHERE NOT staged)");
	RunStep(run, "INSERT INTO clair.cve_statement"
				 "     (cve, updater, digest, state, description, published, modified)"
				 " SELECT s.cve, $1, s.digest, s.state, s.description, s.published::timestamptz,"
				 "     s.modified::timestamptz"
				 " FROM pg_temp.stage_stated AS c"
				 "     JOIN pg_temp.stage_cve AS s ON s.cve = c.cve"
				 " ON CONFLICT (cve, updater) DO UPDATE SET digest = excluded.digest,"
				 "     state = excluded.state, description = excluded.description,"
				 "     published = excluded.published, modified = excluded.modified");
	RunStep(run, "INSERT INTO clair.cve_metric"
				 "     (cve, updater, number, source, type, version, vector, score, severity)"
				 " SELECT s.cve, $1, s.number, s.source, s.type, s.version, s.vector,"
				 "     s.score::numeric, s.severity::clair.severity"
				 " FROM pg_temp.stage_stated AS c"
				 "     JOIN pg_temp.stage_metric AS s ON s.cve = c.cve");
}

/*
 * Works out which metric of a CVE counts. Those of CVSS 3 come before 4.0, and these before 2.0;
 * of one version those that NVD calls Primary before those of who assigned the CVE, and these
 * before those of who enriched it, whose score 0 stands for "none". The README has this order.
 */
static void
ChooseMetrics(void)
{
	RunSql("INSERT INTO clair.cve (cve, severity, updater, metric)"
		   " SELECT s.cve, best.severity, best.updater, best.number"
		   " FROM pg_temp.stage_stated AS s"
		   "     LEFT JOIN ("
		   "         SELECT DISTINCT ON (m.cve) m.cve, m.severity, m.updater, m.number"
		   "         FROM pg_temp.stage_stated AS t"
		   "             JOIN clair.cve_metric AS m ON m.cve = t.cve"
		   "         WHERE m.type <> 'ADP' OR m.score > 0"
		   "         ORDER BY m.cve,"
		   "             CASE m.version WHEN '2.0' THEN 3 WHEN '4.0' THEN 2 ELSE 1 END,"
		   "             CASE m.type WHEN 'ADP' THEN 3 WHEN 'Primary' THEN 1 ELSE 2 END,"
		   "             m.version DESC, m.updater, m.source, m.number"
		   "     ) AS best ON best.cve = s.cve"
		   "     LEFT JOIN clair.cve AS c ON c.cve = s.cve"
		   " WHERE c.cve IS NULL OR (c.severity, c.updater, c.metric)"
		   "     IS DISTINCT FROM (best.severity, best.updater, best.number)"
		   " ON CONFLICT (cve) DO UPDATE SET severity = excluded.severity,"
		   "     updater = excluded.updater, metric = excluded.metric",
		   NULL);
}

/* Finds the CVEs whose entry in the catalog of exploited ones is another one; how many. */
static int64
CompareListed(const UpdateRun *run)
{
	return RunStep(run, "INSERT INTO pg_temp.stage_listed"
						" SELECT c.record, o.cve IS NOT NULL, s.cve IS NOT NULL"
						" FROM pg_temp.stage_change AS c"
						"     LEFT JOIN pg_temp.stage_kev AS s ON s.cve = c.record"
						"     LEFT JOIN clair.kev AS o ON o.cve = c.record AND o.updater = $1"
						" WHERE c.reread"
						"     AND (s.cve IS NOT NULL OR o.cve IS NOT NULL AND NOT c.broken)"
						" UNION ALL"
						" SELECT g.record, true, false"
						" FROM pg_temp.stage_gone AS g"
						"     JOIN clair.kev AS o ON o.cve = g.record AND o.updater = $1");
}

static void
ReplaceListed(const UpdateRun *run)
{
	RunStep(run, "DELETE FROM clair.kev WHERE updater = $1"
				 "     AND cve IN (SELECT cve FROM pg_temp.stage_listed WHERE NOT staged)");
	RunStep(run, "INSERT INTO clair.kev (cve, updater, date_added, due_date, ransomware, vendor,"
				 "     product, name, required_action, notes)"
				 " SELECT s.cve, $1, s.date_added::date, s.due_date::date, s.ransomware <> 0,"
				 "     s.vendor, s.product, s.name, s.required_action, s.notes"
				 " FROM pg_temp.stage_listed AS c"
				 "     JOIN pg_temp.stage_kev AS s ON s.cve = c.cve"
				 " ON CONFLICT (cve) DO UPDATE SET updater = excluded.updater,"
				 "     date_added = excluded.date_added, due_date = excluded.due_date,"
				 "     ransomware = excluded.ransomware, vendor = excluded.vendor,"
				 "     product = excluded.product, name = excluded.name,"
				 "     required_action = excluded.required_action, notes = excluded.notes");
	RunSql("INSERT INTO clair.cve (cve) SELECT cve FROM pg_temp.stage_listed WHERE staged"
		   " ON CONFLICT (cve) DO NOTHING",
		   NULL);
}

/* Adds up what became of the CVEs in one of the tables of those that change. */
static void
CountChanges(const char *table, MetadataChanges *changes)
{
	RunSql(psprintf("SELECT count(*) FILTER (WHERE staged AND NOT known),"
					"     count(*) FILTER (WHERE staged AND known),"
					"     count(*) FILTER (WHERE NOT staged)"
					" FROM pg_temp.%s",
					table),
		   NULL);
	changes->added += ResultInteger(0, 1);
	changes->changed += ResultInteger(0, 2);
	changes->withdrawn += ResultInteger(0, 3);
}

/* Finds the scores that are new, others or gone. */
static void
CompareScores(MetadataChanges *changes)
{
	RunSql("ANALYZE pg_temp.stage_epss", NULL);
	RunSql("INSERT INTO pg_temp.stage_scored"
		   " SELECT COALESCE(s.cve, e.cve), e.cve IS NOT NULL, s.cve IS NOT NULL, s.score::real,"
		   "     s.percentile::real"
		   " FROM pg_temp.stage_epss AS s"
		   "     FULL JOIN clair.epss AS e ON e.cve = s.cve"
		   " WHERE s.cve IS NULL OR e.cve IS NULL OR e.score <> s.score::real"
		   "     OR e.percentile IS DISTINCT FROM s.percentile::real",
		   NULL);
	CountChanges("stage_scored", changes);
}

/* Makes EPSS say what the document says, which has been read whole; nobody else writes to it. */
static void
ApplyScores(const UpdateRun *run, MetadataChanges *changes)
{
	MetadataChanges scores = {0};

	if (RunStep(run, "INSERT INTO clair.epss_edition (updater, model, score_date)"
					 " SELECT $1, model, score_date::timestamptz FROM pg_temp.stage_epss_edition"
					 " ON CONFLICT (updater) DO UPDATE SET model = excluded.model,"
					 "     score_date = excluded.score_date") == 0)
		return;
	CompareScores(&scores);
	if (scores.withdrawn > 0)
		RunSql("DELETE FROM clair.epss"
			   " WHERE cve IN (SELECT cve FROM pg_temp.stage_scored WHERE NOT staged)",
			   NULL);
	if (scores.changed > 0)
		RunSql("INSERT INTO clair.epss (cve, score, percentile)"
			   " SELECT cve, score, percentile FROM pg_temp.stage_scored WHERE known AND staged"
			   " ON CONFLICT (cve) DO UPDATE SET score = excluded.score,"
			   "     percentile = excluded.percentile",
			   NULL);
	if (scores.added > 0)
	{
		RunSql("INSERT INTO clair.epss (cve, score, percentile)"
			   " SELECT cve, score, percentile FROM pg_temp.stage_scored WHERE NOT known",
			   NULL);
		RunSql("INSERT INTO clair.cve (cve) SELECT cve FROM pg_temp.stage_scored WHERE NOT known"
			   " ON CONFLICT (cve) DO NOTHING",
			   NULL);
	}
	changes->added += scores.added;
	changes->changed += scores.changed;
	changes->withdrawn += scores.withdrawn;
	changes->scores = scores.added + scores.changed;
}

MetadataChanges
ApplyMetadata(const UpdateRun *run)
{
	MetadataChanges changes = {0};

	RunSql(create_tables, NULL);
	DropDuplicates();
	RunSql("ANALYZE pg_temp.stage_change, pg_temp.stage_cve, pg_temp.stage_metric", NULL);
	if (CompareStatements(run) > 0)
	{
		RunSql("ANALYZE pg_temp.stage_stated", NULL);
		ReplaceStatements(run);
		ChooseMetrics();
		CountChanges("stage_stated", &changes);
	}
	if (CompareListed(run) > 0)
	{
		ReplaceListed(run);
		CountChanges("stage_listed", &changes);
	}
	ApplyScores(run, &changes);
	return changes;
}
