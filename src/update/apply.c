/*
 * apply.c
 *    Making the tables say what the staging tables say: set-based SQL, in one transaction.
 *
 * Compared are records of the documents that were read whole. A record that is gone ends its
 * vulnerabilities; one that was read again ends those that it states differently or no longer
 * states, and brings the ones that are new. What a record with broken parts does not state is
 * not taken for withdrawn. A namespace of which nothing would be left is frozen: what was
 * said of it last is kept, as rows of their own (freeze.c). Where several records speak of the
 * same, it is worked out what each contributes (resolve.c). An updater that speaks of CVEs, not of
 * packages, has its own tables (metadata.c).
 *
 * The statements keep to forms that a distributed PostgreSQL executes too: what ends is
 * found by an uncorrelated IN, temporary tables are sources of INSERT only.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "common/fault.h"
#include "server/sql.h"
#include "update/apply.h"
#include "update/freeze.h"
#include "update/function.h"
#include "update/metadata.h"
#include "update/resolve.h"

/* Staged rows from which on a run is planned as a bulk load. */
#define BULK_ROWS 10000

/* Broken records and items that are kept to be looked at; all of them are counted. */
#define MAX_BROKEN "10000"

/* How many records of a document may always go, unless none would be left; or of a function. */
#define SMALL_LOSS "10"

#define APPLY_LOCK_TIMEOUT "60s"

/* Statistics for the moment: of staging tables, and until autovacuum makes better ones. */
#define ROUGH_STATISTICS "20"

/* The tables that applying works with, besides those that stage.c fills. */
static const char create_tables[] =
	"DROP TABLE IF EXISTS pg_temp.stage_document, pg_temp.stage_count, pg_temp.stage_duplicate,"
	"     pg_temp.stage_change, pg_temp.stage_ended, pg_temp.stage_kept, pg_temp.stage_new,"
	"     pg_temp.stage_stated_scope, pg_temp.stage_scope, pg_temp.stage_resolved;"
	/* documents whose records are compared: read, absent, or no longer named */
	"CREATE TEMPORARY TABLE stage_document (name text COLLATE \"C\", url text, named_by text,"
	"     optional boolean, mode text, etag text, last_modified text, size bigint,"
	"     checksum text, named boolean);"
	/* how many records they have */
	"CREATE TEMPORARY TABLE stage_count (document text COLLATE \"C\", records bigint);"
	"CREATE TEMPORARY TABLE stage_duplicate (record text COLLATE \"C\");"
	/* records that are new or not what they were; with broken ones the digest is empty */
	"CREATE TEMPORARY TABLE stage_change (record text COLLATE \"C\", document text COLLATE \"C\","
	"     digest text, reread boolean, broken boolean);"
	/* vulnerabilities that end, and whether a new version of them begins (null: not compared) */
	"CREATE TEMPORARY TABLE stage_ended (id bigint, record text COLLATE \"C\","
	"     name text COLLATE \"C\", replaced boolean);"
	/*
	 * those of them that go on as a copy: for a namespace which is frozen; or, without one, because
	 * their ranges have become others
	 */
	"CREATE TEMPORARY TABLE stage_kept (id bigint, namespace text COLLATE \"C\", copy bigint);"
	/* vulnerabilities that begin */
	"CREATE TEMPORARY TABLE stage_new (id bigint, item bigint);"
	/* the scopes of the staged ranges */
	"CREATE TEMPORARY TABLE stage_stated_scope (key text COLLATE \"C\", architectures text,"
	"     module text, flavour text, repositories text, digest text COLLATE \"C\");"
	"CREATE TEMPORARY TABLE stage_scope (key text COLLATE \"C\", id integer);"
	/* what has been worked out of staged ranges (item) and of standing ones (id) */
	"CREATE TEMPORARY TABLE stage_resolved (item bigint, id bigint, number integer,"
	"     old_introduced clair.version, old_severity clair.severity, introduced clair.version,"
	"     severity clair.severity, stated_severity clair.severity);";

int64
RunStep(const UpdateRun *run, const char *statement)
{
	SqlParameters parameters = {0};

	AddText(&parameters, run->settings.name);
	AddInteger(&parameters, run->id);
	return RunSql(statement, &parameters);
}

/* Fills stage_document; texts that are not there travel as empty ones. */
static void
StageDocumentStates(UpdateRun *run)
{
	List *documents = list_concat_copy(run->documents.named, ForgottenDocuments(run));
	int count = list_length(documents);
	ClairBytes *columns[9];
	SqlParameters parameters = {0};
	int rows = 0;
	ListCell *cell;

	for (size_t i = 0; i < lengthof(columns); i++)
		columns[i] = palloc(sizeof(ClairBytes) * (count + 1));
	foreach (cell, documents)
	{
		const Document *document = lfirst(cell);
		bool named = document->state != DOCUMENT_STORED;
		const char *texts[] = {document->name,
							   named ? FormatUrl(&document->url) : "",
							   document->named_by,
							   document->optional ? "true" : "false",
							   DocumentModeWord(document->mode),
							   document->etag,
							   document->last_modified,
							   psprintf(INT64_FORMAT, document->size),
							   document->checksum};

		if (document->state == DOCUMENT_UNCHANGED || document->mode == DOCUMENT_PATCH)
			continue;
		for (size_t i = 0; i < lengthof(columns); i++)
			columns[i][rows] = clair_bytes(texts[i] != NULL ? texts[i] : "");
		rows++;
	}
	for (size_t i = 0; i < lengthof(columns); i++)
		AddTextArray(&parameters, columns[i], rows);
	RunSql("INSERT INTO pg_temp.stage_document"
		   " SELECT name, url, nullif(named_by, ''), optional::boolean, mode,"
		   "     nullif(etag, ''), nullif(last_modified, ''), size::bigint, nullif(checksum, ''),"
		   "     url <> ''"
		   " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],"
		   "     $7::text[], $8::text[], $9::text[])"
		   "     AS d(name, url, named_by, optional, mode, etag, last_modified, size, checksum)",
		   &parameters);
}

/*
 * What a feed states twice cannot be told apart: these records count as broken, and nothing
 * of them is applied.
 */
static void
SetDuplicatesAside(const UpdateRun *run)
{
	if (RunStep(run, "INSERT INTO pg_temp.stage_duplicate"
					 " SELECT record FROM pg_temp.stage_record GROUP BY record HAVING count(*) > 1"
					 " UNION"
					 " SELECT record FROM pg_temp.stage_vulnerability"
					 " GROUP BY record, name HAVING count(*) > 1") == 0)
		return;
	RunStep(run, "INSERT INTO pg_temp.stage_broken (document, record, reason)"
				 " SELECT min(r.document), d.record, 'it, or a vulnerability of it, is there twice'"
				 " FROM pg_temp.stage_duplicate AS d"
				 "     JOIN pg_temp.stage_record AS r ON r.record = d.record"
				 " GROUP BY d.record");
	RunStep(run, "DELETE FROM pg_temp.stage_affected"
				 " WHERE item IN (SELECT v.item FROM pg_temp.stage_vulnerability AS v"
				 "                    JOIN pg_temp.stage_duplicate AS d ON d.record = v.record)");
	RunStep(run, "DELETE FROM pg_temp.stage_vulnerability"
				 " WHERE record IN (SELECT record FROM pg_temp.stage_duplicate)");
}

/* Counts what the documents have: records, or the scores of the one that has these instead. */
static void
CountRecords(const UpdateRun *run)
{
	RunStep(run, "INSERT INTO pg_temp.stage_count"
				 " SELECT document, count(*) FROM pg_temp.stage_record GROUP BY document"
				 " UNION ALL"
				 " SELECT e.document, (SELECT count(*) FROM pg_temp.stage_epss)"
				 " FROM pg_temp.stage_epss_edition AS e");
}

/* A document that has suddenly lost many records is more likely broken than right. */
static void
CheckShrinkage(const UpdateRun *run)
{
	SqlParameters parameters = {0};

	AddText(&parameters, run->settings.name);
	AddInteger(&parameters, run->settings.max_shrinkage);
	AddText(&parameters, run->settings.function);
	if (RunSql("SELECT d.name, d.records, COALESCE(n.records, 0)"
			   " FROM pg_temp.stage_document AS s"
			   "     JOIN clair.document AS d ON d.updater = $1 AND d.name = s.name"
			   "     LEFT JOIN pg_temp.stage_count AS n ON n.document = d.name"
			   " WHERE s.named"
			   "     AND COALESCE(n.records, 0) * 100 < d.records * (100 - $2)"
			   "     AND (n.records IS NULL AND $3 IS NULL"
			   "         OR d.records - COALESCE(n.records, 0) > " SMALL_LOSS ")"
			   " ORDER BY d.name LIMIT 1",
			   &parameters) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("document \"%s\" shrank from %s to %s records", ResultText(0, 1),
					ResultText(0, 2), ResultText(0, 3)),
			 errdetail("At most %d percent may go at once.", (int) run->settings.max_shrinkage),
			 errhint("If that is right, set the updater's option \"max_shrinkage\" to 100 "
					 "for a run.")));
}

/* Finds the records that have changed or gone, and the vulnerabilities that end with that. */
static void
Compare(const UpdateRun *run)
{
	RunStep(
		run,
		psprintf("INSERT INTO pg_temp.stage_change"
				 " SELECT DISTINCT ON (s.record) s.record, s.document,"
				 "     CASE WHEN b.record IS NULL THEN s.digest ELSE '' END,"
				 "     %1$s OR r.digest IS DISTINCT FROM s.digest, b.record IS NOT NULL"
				 " FROM pg_temp.stage_record AS s"
				 "     LEFT JOIN clair.record AS r ON r.updater = $1 AND r.record = s.record"
				 "     LEFT JOIN (SELECT DISTINCT record FROM pg_temp.stage_broken) AS b"
				 "         ON b.record = s.record"
				 " WHERE %1$s OR r.digest IS DISTINCT FROM s.digest OR r.document <> s.document",
				 run->anew ? "true" : "false"));
	if (run->first)
		return; /* nothing can have gone */
	RunStep(run, "DELETE FROM pg_temp.stage_gone"
				 " WHERE record IN (SELECT record FROM pg_temp.stage_record)");
	RunStep(run, "INSERT INTO pg_temp.stage_gone"
				 " SELECT r.record"
				 " FROM pg_temp.stage_document AS d"
				 "     JOIN clair.record AS r ON r.updater = $1 AND r.document = d.name"
				 "     LEFT JOIN pg_temp.stage_record AS s ON s.record = r.record"
				 " WHERE s.record IS NULL");
	RunSql("ANALYZE pg_temp.stage_change, pg_temp.stage_gone", NULL);
	if (run->settings.appends)
		return; /* it has no vulnerabilities */
	RunStep(run, "INSERT INTO pg_temp.stage_ended"
				 " SELECT v.id, v.record, v.name, false"
				 " FROM pg_temp.stage_gone AS g"
				 "     JOIN clair.vulnerability AS v ON v.updater = $1 AND v.record = g.record"
				 "         AND v.until_run IS NULL AND v.frozen IS NULL"
				 " UNION ALL"
				 " SELECT v.id, v.record, v.name, s.record IS NOT NULL"
				 " FROM pg_temp.stage_change AS c"
				 "     JOIN clair.vulnerability AS v ON v.updater = $1 AND v.record = c.record"
				 "         AND v.until_run IS NULL AND v.frozen IS NULL"
				 "     LEFT JOIN pg_temp.stage_vulnerability AS s"
				 "         ON s.record = v.record AND s.name = v.name"
				 " WHERE c.reread AND (s.digest <> v.digest OR s.record IS NULL AND NOT c.broken)");
	RunSql("ANALYZE pg_temp.stage_ended", NULL);
}

/* Stores the scopes of the staged ranges that are new, and numbers all of them. */
static void
StageScopes(const UpdateRun *run)
{
	if (RunStep(run, "INSERT INTO pg_temp.stage_stated_scope"
					 " SELECT d.*, encode(sha256(convert_to(d.key, 'UTF8')), 'hex')"
					 " FROM (SELECT DISTINCT " STAGED_SCOPE_KEY " AS key, s.architectures,"
					 "           s.module, s.flavour, s.repositories"
					 "       FROM pg_temp.stage_affected AS s) AS d"
					 " WHERE d.key IS NOT NULL") == 0)
		return;
	RunStep(run, "INSERT INTO clair.scope (digest, architectures, module, flavour, repositories)"
				 " SELECT digest, string_to_array(architectures, ' '), module, flavour,"
				 "     string_to_array(repositories, ' ')"
				 " FROM pg_temp.stage_stated_scope"
				 " ORDER BY digest"
				 " ON CONFLICT (digest) DO NOTHING");
	RunStep(run, "INSERT INTO pg_temp.stage_scope"
				 " SELECT t.key, s.id"
				 " FROM pg_temp.stage_stated_scope AS t"
				 "     JOIN clair.scope AS s ON s.digest = t.digest");
}

/* Ends the vulnerabilities that end, with their ranges. */
static void
EndOldOnes(const UpdateRun *run)
{
	RunStep(run, "UPDATE clair.affected SET until_run = $2"
				 " WHERE until_run IS NULL"
				 "     AND vulnerability_id IN (SELECT id FROM pg_temp.stage_ended)");
	RunStep(run, "UPDATE clair.vulnerability SET until_run = $2"
				 " WHERE updater = $1 AND id IN (SELECT id FROM pg_temp.stage_ended)");
}

/*
 * Copies those vulnerabilities that have ended which go on: with their ranges in a namespace which
 * is frozen, or with all of them, as they have been worked out anew.
 */
static void
KeepVulnerabilities(const UpdateRun *run)
{
	if (RunStep(run,
				"INSERT INTO clair.vulnerability (id, updater, record, name, digest, since_run,"
				"     frozen, link, description, aliases)"
				" OVERRIDING SYSTEM VALUE"
				" SELECT k.copy, v.updater, v.record, v.name, v.digest, $2, k.namespace, v.link,"
				"     v.description, v.aliases"
				" FROM pg_temp.stage_kept AS k"
				"     JOIN clair.vulnerability AS v ON v.id = k.id AND v.updater = $1") == 0)
		return;
	RunStep(run, "INSERT INTO clair.affected (vulnerability_id, number, scope_id, kind, status,"
				 "     severity, stated_severity, namespace, package, introduced,"
				 "     stated_introduced, fixed, advisory)"
				 " SELECT k.copy, a.number, a.scope_id, a.kind, a.status,"
				 "     COALESCE(r.severity, a.severity),"
				 "     CASE WHEN r.id IS NULL THEN a.stated_severity"
				 "         WHEN r.severity <> r.stated_severity THEN r.stated_severity END,"
				 "     a.namespace, a.package, COALESCE(r.introduced, a.introduced),"
				 "     a.stated_introduced, a.fixed, a.advisory"
				 " FROM pg_temp.stage_kept AS k"
				 "     JOIN clair.affected AS a ON a.vulnerability_id = k.id AND a.until_run = $2"
				 "         AND COALESCE(k.namespace, a.namespace) = a.namespace"
				 "     LEFT JOIN pg_temp.stage_resolved AS r"
				 "         ON r.id = a.vulnerability_id AND r.number = a.number"
				 "         AND k.namespace IS NULL"
				 " WHERE $1 IS NOT NULL");
}

/*
 * Inserts the vulnerabilities that begin, and their ranges; returns how many. Ranges go in the
 * order, more or less, of the index that matching uses: it stays smaller, and filling it is faster
 * by more than sorting takes. One text is compared faster than three.
 */
static int64
BeginNewOnes(const UpdateRun *run)
{
	int64 begun = RunStep(run, "INSERT INTO pg_temp.stage_new"
							   " SELECT nextval('clair.vulnerability_id_seq'), n.item"
							   " FROM (SELECT s.item"
							   "       FROM pg_temp.stage_vulnerability AS s"
							   "           LEFT JOIN clair.vulnerability AS v ON v.updater = $1"
							   "               AND v.record = s.record AND v.name = s.name"
							   "               AND v.until_run IS NULL AND v.frozen IS NULL"
							   "       WHERE v.id IS NULL"
							   "       ORDER BY s.item) AS n");

	if (begun == 0)
		return 0;
	RunSql("ANALYZE pg_temp.stage_new", NULL);
	RunStep(run, "INSERT INTO clair.vulnerability"
				 "     (id, updater, record, name, digest, since_run, link, description, aliases)"
				 " OVERRIDING SYSTEM VALUE"
				 " SELECT n.id, $1, s.record, s.name, s.digest, $2, s.link, s.description,"
				 "     string_to_array(s.aliases, ' ')"
				 " FROM pg_temp.stage_new AS n"
				 "     JOIN pg_temp.stage_vulnerability AS s ON s.item = n.item"
				 " ORDER BY n.id");
	RunStep(run, "INSERT INTO clair.affected (vulnerability_id, number, scope_id, kind, status,"
				 "     severity, stated_severity, namespace, package, introduced,"
				 "     stated_introduced, fixed, advisory)"
				 " SELECT n.id, s.number, " STAGED_SCOPE ", s.kind::clair.package_kind,"
				 "     s.status::clair.status,"
				 "     COALESCE(r.severity, s.severity::clair.severity),"
				 "     CASE WHEN r.severity <> r.stated_severity THEN r.stated_severity END,"
				 "     s.namespace, s.package,"
				 "     COALESCE(r.introduced, " STAGED_INTRODUCED ", '-infinity'),"
				 "     CASE WHEN r.item IS NOT NULL THEN " STAGED_INTRODUCED " END,"
				 "     " STAGED_FIXED " AS fixed, s.advisory"
				 " FROM pg_temp.stage_new AS n"
				 "     JOIN pg_temp.stage_affected AS s ON s.item = n.item"
				 "     LEFT JOIN pg_temp.stage_scope AS c ON c.key = " STAGED_SCOPE_KEY
				 "     LEFT JOIN pg_temp.stage_resolved AS r"
				 "         ON r.item = s.item AND r.number = s.number"
				 " ORDER BY s.namespace || ' ' || s.kind || ' ' || s.package, fixed");
	return begun;
}

/*
 * Makes clair.repository_cpe say what the list of repositories does, if it has been read: then all
 * of it is there.
 */
static void
ApplyRepositories(void)
{
	if (RunSql("SELECT FROM pg_temp.stage_repository LIMIT 1", NULL) == 0)
		return;
	RunSql("ANALYZE pg_temp.stage_repository", NULL);
	RunSql("DELETE FROM clair.repository_cpe WHERE (repository, cpe) IN"
		   " (SELECT o.repository, o.cpe"
		   "  FROM clair.repository_cpe AS o"
		   "      LEFT JOIN pg_temp.stage_repository AS s"
		   "          ON s.repository = o.repository AND s.cpe = o.cpe"
		   "  WHERE s.repository IS NULL)",
		   NULL);
	RunSql("INSERT INTO clair.repository_cpe (repository, cpe)"
		   " SELECT DISTINCT repository, cpe FROM pg_temp.stage_repository ORDER BY repository, cpe"
		   " ON CONFLICT (repository, cpe) DO NOTHING",
		   NULL);
	RunSql("SELECT clair.refresh_repository_sets()", NULL);
}

/* Remembers the records and documents as they are now. */
static void
RememberDocuments(const UpdateRun *run)
{
	RunStep(run, "DELETE FROM clair.record"
				 " WHERE updater = $1 AND record IN (SELECT record FROM pg_temp.stage_gone)");
	RunStep(run, "INSERT INTO clair.record (updater, record, document, digest)"
				 " SELECT $1, record, document, digest FROM pg_temp.stage_change ORDER BY record"
				 " ON CONFLICT (updater, record)"
				 " DO UPDATE SET document = excluded.document, digest = excluded.digest");
	RunStep(run, "DELETE FROM clair.document WHERE updater = $1"
				 "     AND name IN (SELECT name FROM pg_temp.stage_document WHERE NOT named)");
	RunStep(run, "INSERT INTO clair.document (updater, name, url, named_by, optional, mode, etag,"
				 "     last_modified, run, size, checksum, records)"
				 " SELECT $1, s.name, s.url, s.named_by, s.optional, s.mode, s.etag,"
				 "     s.last_modified, $2, s.size, s.checksum, COALESCE(n.records, 0)"
				 " FROM pg_temp.stage_document AS s"
				 "     LEFT JOIN pg_temp.stage_count AS n ON n.document = s.name"
				 " WHERE s.named"
				 " ON CONFLICT (updater, name) DO UPDATE SET url = excluded.url,"
				 "     named_by = excluded.named_by, optional = excluded.optional,"
				 "     mode = excluded.mode, etag = excluded.etag,"
				 "     last_modified = excluded.last_modified, run = excluded.run,"
				 "     size = excluded.size, checksum = excluded.checksum,"
				 "     records = excluded.records");
}

/* Remembers how far the updater has come; a run that says nothing of that leaves it as it is. */
static void
RememberState(const UpdateRun *run)
{
	SqlParameters parameters = {0};

	AddText(&parameters, run->settings.name);
	AddInteger(&parameters, run->id);
	AddText(&parameters, run->settings.origin);
	AddInteger(&parameters, run->settings.revision);
	AddText(&parameters, run->state != NULL ? run->state : run->old_state);
	RunSql("INSERT INTO clair.updater_state (updater, run, url, revision, state)"
		   " VALUES ($1, $2, $3, $4, $5)"
		   " ON CONFLICT (updater) DO UPDATE SET run = excluded.run, url = excluded.url,"
		   "     revision = excluded.revision, state = excluded.state",
		   &parameters);
}

static bool
HaveChanged(const MetadataChanges *metadata)
{
	return metadata->added + metadata->changed + metadata->withdrawn > 0;
}

/*
 * Ends the run's row; begun is how many vulnerabilities began. Whether any of them began or ended.
 */
static bool
RecordSuccess(const UpdateRun *run, int64 begun, const MetadataChanges *metadata)
{
	SqlParameters parameters = {0};
	bool changed;

	RunStep(run, "INSERT INTO clair.broken_record (run, number, document, record, reason)"
				 " SELECT $2, number, document, record, reason"
				 " FROM (SELECT row_number() OVER () AS number, b.* FROM pg_temp.stage_broken AS b)"
				 "     AS b"
				 " WHERE number <= " MAX_BROKEN);
	RunSql("SELECT (SELECT COALESCE(sum(records), 0) FROM pg_temp.stage_count),"
		   "     (SELECT count(*) FROM pg_temp.stage_change WHERE reread),"
		   "     (SELECT count(*) FROM pg_temp.stage_broken),"
		   "     (SELECT count(*) FROM pg_temp.stage_ended WHERE replaced),"
		   "     (SELECT count(*) FROM pg_temp.stage_ended WHERE NOT replaced"
		   "          AND id NOT IN (SELECT id FROM pg_temp.stage_kept)),"
		   "     (SELECT count(*) FROM pg_temp.stage_ended),"
		   "     (SELECT count(*) FROM pg_temp.stage_repository)",
		   NULL);
	changed = begun > 0 || ResultInteger(0, 6) > 0;
	AddInteger(&parameters, run->id);
	AddInteger(&parameters, ResultInteger(0, 1));
	AddInteger(&parameters, ResultInteger(0, 1) - ResultInteger(0, 2) - metadata->scores);
	AddInteger(&parameters, ResultInteger(0, 3));
	AddInteger(&parameters, begun - ResultInteger(0, 4) + metadata->added);
	AddInteger(&parameters, ResultInteger(0, 4) + metadata->changed);
	AddInteger(&parameters, ResultInteger(0, 5) + metadata->withdrawn);
	AddInteger(&parameters, run->document_count);
	AddInteger(&parameters, run->bytes);
	AddText(&parameters, run->first || changed || ResultInteger(0, 7) > 0 || HaveChanged(metadata)
							 ? "succeeded"
							 : "unchanged");
	RunSql("UPDATE clair.update_run"
		   " SET state = $10, phase = 'done', finished_at = clock_timestamp(), documents = $8,"
		   "     bytes = $9, records = $2, unchanged = $3, broken = $4, added = $5, changed = $6,"
		   "     withdrawn = $7"
		   " WHERE id = $1",
		   &parameters);
	return changed;
}

/* A run is maintenance work: it may use the memory of that, but must not wait for locks long. */
static void
ApplySettings(int64 staged_rows)
{
	char *work_memory = psprintf("%dkB", Max(work_mem, maintenance_work_mem));

	set_config_option("work_mem", work_memory, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
					  false);
	set_config_option("default_statistics_target", ROUGH_STATISTICS, PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	set_config_option("lock_timeout", APPLY_LOCK_TIMEOUT, PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);

	/* Statements are many, and each is run once. */
	set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);

	/* Joins are written in the order in which they are best made. */
	set_config_option("join_collapse_limit", "1", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
					  0, false);

	/* Where statistics are missing or old, the planner takes thousands of rows for a few. */
	if (staged_rows > BULK_ROWS)
		set_config_option("enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
						  true, 0, false);
}

/* What has changed a lot is analysed at once: queries would have to wait for autovacuum. */
static void
AnalyzeTables(int64 begun, const MetadataChanges *metadata)
{
	bool appended = metadata->added + metadata->changed >= BULK_ROWS;
	Work work;

	if (begun < BULK_ROWS && !appended)
		return;
	BeginWork(&work);
	set_config_option("default_statistics_target", ROUGH_STATISTICS, PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	if (appended)
		RunSql("ANALYZE clair.record, clair.cve, clair.cve_statement, clair.cve_metric, clair.epss",
			   NULL);
	else
		RunSql("ANALYZE clair.record, clair.vulnerability, clair.affected", NULL);
	EndWork(&work);
}

void
ApplyRun(UpdateRun *run)
{
	Work work;
	int64 begun;
	MetadataChanges metadata = {0};
	bool changed;
	int settings;

	run->phase = "apply";
	ReportProgress(run);
	BeginWork(&work);
	FAULT_POINT("apply-begun");
	settings = NewGUCNestLevel();
	ApplySettings(run->records + run->items);
	RunSql(create_tables, NULL);
	RunSql("ANALYZE pg_temp.stage_record, pg_temp.stage_vulnerability, pg_temp.stage_affected",
		   NULL);
	if (run->settings.function != NULL)
		StageFunctionState(run);
	else
		StageDocumentStates(run);
	FAULT_POINT("apply-staged");
	SetDuplicatesAside(run);
	CountRecords(run);
	if (run->import == NULL)
		CheckShrinkage(run); /* an export was held against its former state where it is from */
	FAULT_POINT("apply-counted");
	Compare(run);
	FAULT_POINT("apply-compared");
	if (run->settings.appends)
		metadata = ApplyMetadata(run);
	if (run->import != NULL)
		TakeFrozenNamespaces(run);
	else
		FreezeNamespaces(run);
	FAULT_POINT("apply-frozen");
	StageScopes(run);
	RunSql("ANALYZE pg_temp.stage_scope", NULL);
	FAULT_POINT("apply-scopes");
	ResolveRanges(run);
	RunSql("ANALYZE pg_temp.stage_resolved, pg_temp.stage_ended", NULL); /* empty ones, too */
	FAULT_POINT("apply-resolved");
	EndOldOnes(run);
	FAULT_POINT("apply-ended");
	KeepVulnerabilities(run);
	FAULT_POINT("apply-kept");
	begun = BeginNewOnes(run);
	FAULT_POINT("apply-inserted");
	ApplyRepositories();
	RememberDocuments(run);
	FAULT_POINT("apply-documents");
	RememberState(run);
	FAULT_POINT("apply-state");
	changed = RecordSuccess(run, begun, &metadata);
	AtEOXact_GUC(false, settings);
	FAULT_POINT("apply-recorded");
	if (changed)
		AnnounceApplied(run->id, run->settings.name, run->first);
	FAULT_POINT("apply-announced");
	EndWork(&work);
	FAULT_POINT("apply-committed");
	AnalyzeTables(begun, &metadata);
}
