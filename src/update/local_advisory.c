/*
 * local_advisory.c
 *    Local advisories: what a statement on clair.local_advisory comes to.
 *
 * What it has added or changed is pending: it has no run, and nobody sees the rows of another
 * transaction before they have one. The statement's trigger checks it, and makes a run of it, or of
 * what it deleted. Records are rows, so that transactions that change different ones do not meet.
 *
 * All happens in the caller's transaction, as the extension's owner: a vulnerability's version
 * before ends, and the one after begins, as in a run that read a feed (apply.c), and the same is
 * told.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"

#include "server/owner.h"
#include "server/sql.h"
#include "update/advisory.h"
#include "update/apply.h"
#include "update/run.h"

PG_FUNCTION_INFO_V1(apply_own_advisories);

#define PENDING "(SELECT * FROM clair.own_advisory WHERE run IS NULL)"

/* What the run $1 brings, in the columns that staged ranges have. */
#define BROUGHT                                                                                    \
	"(SELECT version, id, vulnerability, namespace, package, format, fixed, introduced,"           \
	"     last_affected, " ADVISORY_STATUS " AS status, " ADVISORY_SEVERITY " AS severity,"        \
	"     " ADVISORY_KIND " AS kind, module, flavour, advisory, link, description,"                \
	"     " ADVISORY_ARCHITECTURES " AS architectures,"                                            \
	"     " ADVISORY_REPOSITORIES " AS repositories, " ADVISORY_ALIASES " AS aliases"              \
	" FROM clair.own_advisory, clair.namespace_format(namespace) AS format"                        \
	" WHERE run = $1) AS s"

#define SCOPE_DIGEST "encode(sha256(convert_to(" STAGED_SCOPE_KEY ", 'UTF8')), 'hex')"

#define INVALID JUDGED(PENDING) " AS j WHERE problem IS NOT NULL"

static void
CheckPending(void)
{
	if (RunSql("SELECT vulnerability, package, problem FROM " INVALID " LIMIT 1", NULL) > 0)
		ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
						errmsg("invalid advisory on \"%s\" in package \"%s\": %s", ResultText(0, 1),
							   ResultText(0, 2), ResultText(0, 3))));
}

/* Begins a run of rows, given as a table; 0 when there are none. */
static int64
BeginLocalRun(const char *rows, const char *role, bool deleted)
{
	SqlParameters parameters = {0};

	AddText(&parameters, role);
	AddInteger(&parameters, MyProcPid);
	AddText(&parameters, deleted ? "true" : "false");
	if (RunSql(psprintf("INSERT INTO clair.update_run (updater, request, requested_by, state,"
						"     phase, first, process, started_at, finished_at, records, added,"
						"     changed, withdrawn)"
						" SELECT 'local', 0, $1, 'succeeded', 'done', false, $2,"
						"     clock_timestamp(), clock_timestamp(), count(*),"
						"     count(*) - count(version),"
						"     count(version) FILTER (WHERE NOT $3::boolean),"
						"     count(version) FILTER (WHERE $3::boolean)"
						" FROM %s AS o"
						" HAVING count(*) > 0"
						" RETURNING id",
						rows),
			   &parameters) == 0)
		return 0;
	return ResultInteger(0, 1);
}

/* Ends the versions that stand for rows. */
static void
EndVersions(const char *rows, const SqlParameters *run)
{
	RunSql(psprintf("UPDATE clair.affected SET until_run = $1"
					" WHERE until_run IS NULL"
					"     AND vulnerability_id IN (SELECT version FROM %s AS o)",
					rows),
		   run);
	RunSql(psprintf("UPDATE clair.vulnerability SET until_run = $1"
					" WHERE id IN (SELECT version FROM %s AS o)",
					rows),
		   run);
}

/* Begins new versions of what is pending, which then is not pending any more. */
static void
BeginVersions(const SqlParameters *run)
{
	RunSql("UPDATE clair.own_advisory"
		   " SET run = $1, version = nextval('clair.vulnerability_id_seq')"
		   " WHERE run IS NULL",
		   run);
	RunSql("INSERT INTO clair.scope (digest, architectures, module, flavour, repositories)"
		   " SELECT DISTINCT " SCOPE_DIGEST ", string_to_array(s.architectures, ' '), s.module,"
		   "     s.flavour, string_to_array(s.repositories, ' ')"
		   " FROM " BROUGHT " WHERE " STAGED_SCOPE_KEY " IS NOT NULL"
		   " ORDER BY 1"
		   " ON CONFLICT (digest) DO NOTHING",
		   run);
	RunSql("INSERT INTO clair.vulnerability (id, updater, record, name, digest, since_run, link,"
		   "     description, aliases)"
		   " OVERRIDING SYSTEM VALUE"
		   " SELECT s.version, 'local', s.id::text, s.vulnerability,"
		   "     left(encode(sha256(convert_to(s::text, 'UTF8')), 'hex'), 32), $1, s.link,"
		   "     s.description, string_to_array(s.aliases, ' ')"
		   " FROM " BROUGHT " ORDER BY s.version",
		   run);
	RunSql("INSERT INTO clair.affected (vulnerability_id, number, scope_id, kind, status, severity,"
		   "     namespace, package, introduced, fixed, advisory)"
		   " SELECT s.version, 0, " STAGED_SCOPE ", s.kind, s.status, s.severity, s.namespace,"
		   "     s.package, COALESCE(" STAGED_INTRODUCED ", '-infinity'), " STAGED_FIXED ","
		   "     s.advisory"
		   " FROM " BROUGHT " LEFT JOIN clair.scope AS c ON c.digest = " SCOPE_DIGEST,
		   run);
}

/* So that it is known, as of other updaters, how much of the history is left. */
static void
RememberState(const SqlParameters *run)
{
	RunSql("INSERT INTO clair.updater_state (updater, run, url, revision)"
		   " VALUES ('local', $1, '', 1)"
		   " ON CONFLICT (updater) DO NOTHING",
		   run);
}

Datum
apply_own_advisories(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	char *role = GetUserNameFromId(GetUserId(), false);
	SqlParameters parameters = {0};
	OwnerState caller;
	const char *rows;
	bool deleted;
	int64 run;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("clair.apply_own_advisories() is for a statement's trigger")));
	deleted = TRIGGER_FIRED_BY_DELETE(trigger->tg_event);
	rows = deleted ? "deleted" : PENDING;
	SPI_connect();
	SPI_register_trigger_data(trigger);
	BecomeOwner(&caller);
	if (!deleted)
		CheckPending();
	run = BeginLocalRun(rows, role, deleted);
	if (run != 0)
	{
		AddInteger(&parameters, run);
		EndVersions(rows, &parameters);
		if (!deleted)
			BeginVersions(&parameters);
		RememberState(&parameters);
		AnnounceApplied(run, "local", false);
	}
	ResumeCaller(&caller);
	SPI_finish();
	return PointerGetDatum(NULL);
}
