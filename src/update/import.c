/*
 * import.c
 *    clair.import_updates(): takes over what another database has ingested.
 *
 * A reader goes over the whole file first, in the caller's session, and tells which updaters it has
 * something of: a file that is cut off, damaged or of another version is refused before anything
 * begins. Then a worker has a run for each of these updaters, as clair.update() does: the file is
 * its only document, and what it says is compared, resolved, announced and kept as history like
 * what any document says. The worker opens the file with the rights of the caller's session role.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "common/fault.h"
#include "server/audit.h"
#include "server/clair.h"
#include "server/compat.h"
#include "server/descriptor.h"
#include "server/helper.h"
#include "server/owner.h"
#include "server/progress.h"
#include "server/sql.h"
#include "update/import.h"
#include "update/request.h"

PG_FUNCTION_INFO_V1(import_updates);

#define MAX_PARTS 10000

/* Bytes of what is said of them, at most. */
#define MAX_PARTS_SIZE (16 * 1024 * 1024)

/* Escapes what cannot stand in the path of a URL. */
static char *
FileUrl(const char *path)
{
	StringInfoData url;

	initStringInfo(&url);
	appendStringInfoString(&url, "file://");
	for (const char *at = path; *at != '\0'; at++)
	{
		if (isalnum((unsigned char) *at) || strchr("/-._~", *at) != NULL)
			appendStringInfoChar(&url, *at);
		else
			appendStringInfo(&url, "%%%02X", (unsigned char) *at);
	}
	return url.data;
}

static void
AddOption(StringInfo options, const char *name, const char *value)
{
	appendStringInfoString(options, options->len > 0 ? "," : "{");
	escape_json(options, name);
	appendStringInfoChar(options, ':');
	escape_json(options, value);
}

void
SetImport(UpdaterSettings *settings, const Import *import)
{
	const ImportCall *call = import->call;
	StringInfoData options;

	initStringInfo(&options);
	AddOption(&options, "updater", import->part->updater);
	AddOption(&options, "site", call->site);
	AddOption(&options, "position", psprintf(INT64_FORMAT, call->position));
	if (import->part->since >= 0)
		AddOption(&options, "since", psprintf(INT64_FORMAT, import->part->since));
	appendStringInfoChar(&options, '}');
	settings->reader = "export";
	settings->options = options.data;
	settings->document = "export";
	settings->url = FileUrl(call->path);
	settings->origin = "export";
	settings->function = NULL;
	settings->set_by = GetUserNameFromId(GetSessionUserId(), false);
	settings->hosts = "";
}

/* Has the file gone over; the rows of WIRE_EXPORT. */
static StagedRows *
Inspect(const char *path)
{
	StagedRows *rows = CreateStagedRows(WIRE_EXPORT);
	JobFields *job = BeginJob();
	bool is_directory;
	Descriptor *file = OpenServerFile(path, &is_directory);
	Helper *reader;
	HelperFrame frame;
	int64 bytes = 0;

	if (is_directory)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is a directory", path)));
	reader = StartHelper(HELPER_READER, file->fd);
	AddToJob(job, "job", "inspect");
	SendJob(reader, job);
	for (ReceiveFrame(reader, &frame); frame.type != WIRE_DONE; ReceiveFrame(reader, &frame))
	{
		for (uint32 i = 0; i < frame.count; i++)
			bytes += (int64) frame.fields[i].size;
		if (frame.type == WIRE_ROW && frame.relation == WIRE_EXPORT && rows->count < MAX_PARTS &&
			bytes < MAX_PARTS_SIZE)
			StageRow(rows, frame.fields);
		else if (frame.type == WIRE_PROGRESS)
			ShowProgress("reading an export", "lines", &frame);
		else
			ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
							errmsg("clair-reader sent an unexpected frame")));
	}
	FAULT_POINT("import-inspected");
	HideProgress();
	CloseDescriptor(file);
	return rows;
}

/* Refuses updaters that there are not here, or not in the file; $6 are those that are wanted. */
static void
CheckUpdaters(const SqlParameters *parameters)
{
	RunSql("SELECT string_agg(e.updater, ', ' ORDER BY e.updater)"
		   " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])"
		   "     AS e(updater, site, position, since, as_of)"
		   "     LEFT JOIN clair.updater AS u ON u.name = e.updater"
		   " WHERE u.name IS NULL AND ($6::text[] IS NULL OR e.updater = ANY ($6::text[]))",
		   parameters);
	if (ResultText(0, 1) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the export has updaters that there are not here: %s", ResultText(0, 1)),
				 errhint("Create them with clair.create_updater(), or name those that are to be "
						 "imported.")));
	RunSql("SELECT string_agg(w.updater, ', ' ORDER BY w.updater)"
		   " FROM unnest($6::text[]) AS w(updater)"
		   " WHERE w.updater NOT IN (SELECT unnest($1::text[]))",
		   parameters);
	if (ResultText(0, 1) != NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("the export has nothing of: %s", ResultText(0, 1))));
}

/* The updaters that are wanted, the positions of the file, and the one that was reached here. */
#define POSITIONS                                                                                  \
	"(SELECT e.updater, e.position::bigint, e.since::bigint,"                                      \
	"     substr(s.state, length(e.site) + 2)::bigint AS reached"                                  \
	" FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])"                     \
	"     AS e(updater, site, position, since, as_of)"                                             \
	"     LEFT JOIN clair.updater_state AS s"                                                      \
	"         ON s.updater = e.updater AND s.url = 'export'"                                       \
	"         AND starts_with(s.state, e.site || ' ')"                                             \
	" WHERE $6::text[] IS NULL OR e.updater = ANY ($6::text[])) AS e"

/* Refuses parts that cannot be read upon what has been imported; the reader does so, too. */
static void
CheckPositions(const SqlParameters *parameters)
{
	if (RunSql("SELECT e.updater, e.position, e.reached FROM " POSITIONS
			   " WHERE e.position < e.reached ORDER BY e.updater LIMIT 1",
			   parameters) > 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the export is older than what has been imported of \"%s\"",
							   ResultText(0, 1)),
						errdetail("It has position %s, and position %s was reached here.",
								  ResultText(0, 2), ResultText(0, 3))));
	if (RunSql("SELECT e.updater, e.since FROM " POSITIONS
			   " WHERE COALESCE(e.reached, -1) < e.since ORDER BY e.updater LIMIT 1",
			   parameters) > 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the export tells only what changed of \"%s\" since position %s",
							   ResultText(0, 1), ResultText(0, 2)),
						errdetail("That position has not been reached here."),
						errhint("Import what was exported before that first, or an export of "
								"everything.")));
}

/* Shares with the worker what is to be imported. SPI is connected. */
static dsm_segment *
ShareCall(const char *path, const SqlParameters *parameters)
{
	int64 count = RunSql("SELECT e.updater, e.site, e.position, e.since, e.as_of::timestamptz"
						 " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])"
						 "     AS e(updater, site, position, since, as_of)"
						 " WHERE $6::text[] IS NULL OR e.updater = ANY ($6::text[])"
						 " ORDER BY e.updater",
						 parameters);
	dsm_segment *segment = dsm_create(
		offsetof(ImportCall, parts) + sizeof(ImportPart) * (Size) (count + 1), 0);
	ImportCall *call = dsm_segment_address(segment);

	memset(call, 0, offsetof(ImportCall, parts));
	strlcpy(call->path, path, sizeof(call->path));
	call->count = (int) count;
	for (int64 i = 0; i < count; i++)
	{
		ImportPart *part = &call->parts[i];
		char *as_of = ResultText(i, 5);

		strlcpy(call->site, ResultText(i, 2), sizeof(call->site));
		call->position = ResultInteger(i, 3);
		strlcpy(part->updater, ResultText(i, 1), sizeof(part->updater));
		strlcpy(part->as_of, as_of != NULL ? as_of : "", sizeof(part->as_of));
		part->since = ResultText(i, 4) != NULL ? ResultInteger(i, 4) : -1;
	}
	return segment;
}

Datum
import_updates(PG_FUNCTION_ARGS)
{
	char *path;
	SqlParameters parameters = {0};
	OwnerState owner;
	dsm_segment *segment;
	const ImportCall *call;
	int64 request = NewRequest();
	StagedRows *rows;

	CheckMayStartWorkers("clair.import_updates()");
	CheckMayWaitForWorkers("clair.import_updates()", "Call it outside of a transaction block.");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	path = text_to_cstring(PG_GETARG_TEXT_PP(0));
	rows = Inspect(path);
	AddRows(&parameters, rows);
	AddArgument(&parameters, fcinfo, 1);
	SPI_connect();
	BecomeOwner(&owner);
	CheckUpdaters(&parameters);
	CheckPositions(&parameters);
	FAULT_POINT("import-checked");
	segment = ShareCall(path, &parameters);
	call = dsm_segment_address(segment);
	FAULT_POINT("import-shared");
	RunImport(dsm_segment_handle(segment), request);
	for (int i = 0; i < call->count; i++)
		ReturnRun((ReturnSetInfo *) fcinfo->resultinfo, call->parts[i].updater, request);
	FAULT_POINT("import-returned");
	dsm_detach(segment);
	RecordAction(&owner, "import_updates", path, NULL);
	ResumeCaller(&owner);
	SPI_finish();
	return (Datum) 0;
}
