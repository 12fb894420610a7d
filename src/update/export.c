/*
 * export.c
 *    clair.export_updates(): writes what updaters have brought to a file.
 *
 * The lines are SQL's, of one snapshot; clair-reader compresses them and writes the file, since
 * the server links no such library. The file is opened here, with the rights of the caller, who
 * must be a member of pg_write_server_files; it has no name until it is complete, or one of its own
 * where the file system wants that. So what is there stays until then, and nothing is left of an
 * export that fails.
 *
 * The position is the greatest run below which all have ended: of what a run under way at the
 * moment brings, the next export tells.
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "common/fault.h"
#include "server/audit.h"
#include "server/compat.h"
#include "server/descriptor.h"
#include "server/helper.h"
#include "server/owner.h"
#include "server/sql.h"

PG_FUNCTION_INFO_V1(export_updates);

#define FETCH_ROWS	1000
#define PIECE_BYTES (256 * 1024)

typedef struct Export
{
	char *path;
	char *part; /* its name until it is complete */
	bool has_name;
	bool complete;
	Helper *writer;
	StringInfoData buffer; /* lines that have not been sent yet */
	MemoryContextCallback callback;
} Export;

/* Takes away what has not become the export: where a file must have a name, and in the moment in
 * which it gets one. */
static void
RemovePart(void *argument)
{
	const Export *export = argument;

	if (!export->complete)
		unlink(export->part);
}

static void
CheckMayWriteFiles(void)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_WRITE_SERVER_FILES))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied to write files on the server"),
						errdetail("Role \"%s\" is not a member of \"pg_write_server_files\".",
								  GetUserNameFromId(GetUserId(), false))));
}

/* Creates the file that is written to. */
static Descriptor *
CreatePart(Export *export, const char *path)
{
	Descriptor *file;
	char *folder;

	export->path = pstrdup(path);
	canonicalize_path(export->path);
	if (!is_absolute_path(export->path))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("path \"%s\" is not absolute", path),
						errhint("Name the file as the server sees it, from the root on.")));
	export->part = psprintf("%s.%d.part", export->path, MyProcPid);
	unlink(export->part);
	folder = pstrdup(export->path);
	get_parent_directory(folder);
	file = CreateUnnamedFile(folder);
	export->has_name = file == NULL;
	if (export->has_name)
		file = CreateServerFile(export->part);
	export->callback.func = RemovePart;
	export->callback.arg = export;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &export->callback);
	return file;
}

static void
SendLines(Export *export)
{
	ClairBytes piece = {export->buffer.data, (size_t) export->buffer.len};

	while (piece.size > 0)
	{
		ClairBytes field = {piece.data, Min(piece.size, PIECE_BYTES)};

		SendFrame(export->writer, WIRE_WRITE, &field, 1, -1);
		piece = clair_bytes_skip(piece, field.size);
	}
	resetStringInfo(&export->buffer);
}

static void
AddLine(Export *export, const char *line)
{
	appendStringInfoString(&export->buffer, line);
	appendStringInfoChar(&export->buffer, '\n');
	if (export->buffer.len >= PIECE_BYTES)
		SendLines(export);
}

/* An updater that the export has something of. */
typedef struct ExportPart
{
	char *updater;
	char *since; /* NULL: everything is told */
	char *as_of;
	int64 lines;
} ExportPart;

/* Runs a query that reads as of the call's snapshot. */
static void
ReadSql(const char *statement, const SqlParameters *parameters)
{
	if (SPI_execute_with_args(statement, parameters->count, (Oid *) parameters->types,
							  (Datum *) parameters->values, parameters->nulls, true,
							  0) != SPI_OK_SELECT)
		elog(ERROR, "could not run a query of clair.export_updates()");
}

/* Finds what is to be exported, in the memory of the call; refuses what cannot be. */
static ExportPart *
FindParts(FunctionCallInfo fcinfo, int64 *count, MemoryContext context)
{
	SqlParameters parameters = {0};
	ExportPart *parts;

	AddArgument(&parameters, fcinfo, 1);
	AddArgument(&parameters, fcinfo, 2);
	ReadSql("SELECT string_agg(w.updater, ', ' ORDER BY w.updater)"
			" FROM unnest($2::text[]) AS w(updater)"
			" WHERE w.updater NOT IN ("
			"     SELECT p.updater FROM clair.exported_parts($1::bigint, $2::text[]) AS p)",
			&parameters);
	if (ResultText(0, 1) != NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is nothing to export of: %s", ResultText(0, 1)),
						errhint("The view clair.update_status says what has succeeded.")));
	ReadSql("SELECT p.updater, p.since_run, p.as_of, p.since_run < p.forgotten, p.forgotten"
			" FROM clair.exported_parts($1::bigint, $2::text[]) AS p"
			" ORDER BY p.updater",
			&parameters);
	*count = (int64) SPI_processed;
	MemoryContextSwitchTo(context);
	parts = palloc0(sizeof(ExportPart) * (*count + 1));
	for (int64 i = 0; i < *count; i++)
	{
		parts[i].updater = ResultText(i, 1);
		parts[i].since = ResultText(i, 2);
		parts[i].as_of = ResultText(i, 3);
		if (ResultText(i, 4) != NULL && strcmp(ResultText(i, 4), "t") == 0)
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("what updater \"%s\" changed after run %s has been forgotten",
								   parts[i].updater, parts[i].since),
							errdetail("What ended up to run %s is deleted.", ResultText(i, 5)),
							errhint("Export everything, without a position.")));
	}
	return parts;
}

static char *
FindPosition(void)
{
	SqlParameters parameters = {0};

	ReadSql("SELECT COALESCE(min(id) FILTER (WHERE state = 'running') - 1, max(id), 0)"
			" FROM clair.update_run",
			&parameters);
	return ResultText(0, 1);
}

/* The first line. */
static void
AddHead(Export *export, const ExportPart *parts, int64 count, const char *position)
{
	StringInfoData line;

	initStringInfo(&line);
	appendStringInfo(&line,
					 "{\"clair\":\"updates\",\"version\":1,\"site\":\"" UINT64_FORMAT
					 "-%u\",\"position\":%s,\"updaters\":[",
					 GetSystemIdentifier(), MyDatabaseId, position);
	for (int64 i = 0; i < count; i++)
	{
		appendStringInfo(&line, "%s{\"name\":", i > 0 ? "," : "");
		escape_json(&line, parts[i].updater);
		appendStringInfo(&line, ",\"since\":%s,\"as_of\":",
						 parts[i].since != NULL ? parts[i].since : "null");
		escape_json(&line, parts[i].as_of);
		appendStringInfoChar(&line, '}');
	}
	appendStringInfoString(&line, "]}");
	AddLine(export, line.data);
}

/* The section of an updater. */
static void
AddPart(Export *export, ExportPart *part)
{
	SqlParameters parameters = {0};
	StringInfoData line;
	Portal portal;

	initStringInfo(&line);
	appendStringInfoString(&line, "{\"updater\":");
	escape_json(&line, part->updater);
	appendStringInfoChar(&line, '}');
	AddLine(export, line.data);
	AddText(&parameters, part->updater);
	AddText(&parameters, part->since);
	portal = SPI_cursor_open_with_args(NULL,
									   "SELECT l FROM clair.exported_lines($1, $2::bigint) AS l",
									   parameters.count, parameters.types, parameters.values,
									   parameters.nulls, true, 0);
	for (SPI_cursor_fetch(portal, true, FETCH_ROWS); SPI_processed > 0;
		 SPI_cursor_fetch(portal, true, FETCH_ROWS))
	{
		CHECK_FOR_INTERRUPTS();
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			char *text = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);

			AddLine(export, text);
			pfree(text);
		}
		part->lines += (int64) SPI_processed;
		SPI_freetuptable(SPI_tuptable);
	}
	FAULT_POINT("export-part");
	SPI_cursor_close(portal);
}

/* Has the file finished and given its name. */
static void
FinishFile(Export *export, Descriptor *file)
{
	HelperFrame frame;

	SendLines(export);
	SendFrame(export->writer, WIRE_START, NULL, 0, -1);
	ReceiveFrame(export->writer, &frame);
	if (frame.type != WIRE_DONE)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader sent an unexpected frame")));
	FAULT_POINT("export-written");
	if (!export->has_name)
		NameFile(file, export->part);
	CloseDescriptor(file);
	durable_rename(export->part, export->path, ERROR);
	export->complete = true;
	FAULT_POINT("export-renamed");
}

Datum
export_updates(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context = CurrentMemoryContext;
	Export *export = palloc0(sizeof(Export));
	JobFields *job = BeginJob();
	OwnerState owner;
	Descriptor *file;
	ExportPart *parts;
	int64 count;
	char *position;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	CheckMayWriteFiles();
	if (!RecoveryInProgress())
		PreventCommandIfReadOnly("clair.export_updates()");
	SPI_connect();
	BecomeOwner(&owner);
	parts = FindParts(fcinfo, &count, context);
	position = FindPosition();
	file = CreatePart(export, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	FAULT_POINT("export-created");
	initStringInfo(&export->buffer);
	export->writer = StartHelper(HELPER_READER, file->fd);
	AddToJob(job, "job", "export");
	SendJob(export->writer, job);
	FAULT_POINT("export-begun");
	AddHead(export, parts, count, position);
	for (int64 i = 0; i < count; i++)
		AddPart(export, &parts[i]);
	FAULT_POINT("export-told");
	FinishFile(export, file);
	if (!RecoveryInProgress()) /* a standby cannot */
		RecordAction(&owner, "export_updates", export->path, NULL);
	for (int64 i = 0; i < count; i++)
	{
		char *texts[] = {parts[i].updater, parts[i].as_of, parts[i].since,
						 psprintf(INT64_FORMAT, parts[i].lines), position};

		ReturnTexts(result, texts);
	}
	ResumeCaller(&owner);
	SPI_finish();
	return (Datum) 0;
}
