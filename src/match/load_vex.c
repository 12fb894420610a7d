/*
 * load_vex.c
 *    Loading VEX documents as exceptions: clair.load_vex().
 *
 * A clair-reader reads the document and sends its statements as rows, which are collected and
 * stored in the caller's transaction, as the extension's owner. What the former version of the
 * document said, and this one says, too, stays as it is. The document's row is locked first, so
 * that two sessions load it one after the other.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common/fault.h"
#include "index/index.h"
#include "index/tenant.h"
#include "match/exception.h"
#include "server/audit.h"
#include "server/compat.h"
#include "server/descriptor.h"
#include "server/helper.h"
#include "server/owner.h"
#include "server/settings.h"
#include "server/sql.h"

PG_FUNCTION_INFO_V1(load_vex_path);
PG_FUNCTION_INFO_V1(load_vex_content);
PG_FUNCTION_INFO_V1(load_vex_json);

/* The columns of clair.loaded_vex. */
#define LOADED_COLUMNS 6

/* The parameters of the statements on exceptions: document, role and image, then the rows. */
#define SAID                                                                                       \
	" (SELECT s.*, ROW(s.vulnerability, s.package, s.version, s.architecture, s.namespace, "       \
	"s.image,"                                                                                     \
	"          s.kind, s.justification, s.reason)::text AS words"                                  \
	"  FROM clair.vex_exceptions($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $3) AS s)"
#define STANDING                                                                                   \
	" (SELECT e.id, e.ended_at, ROW(e.vulnerability, e.package, e.version, e.architecture,"        \
	"          e.namespace, e.image, e.kind, e.justification, e.reason)::text AS words"            \
	"  FROM clair.exception AS e"                                                                  \
	"  WHERE e.document = $1 AND (e.ended_at IS NULL OR e.ended_by IS NOT NULL))"

typedef struct VexLoad
{
	StagedRows *document;
	StagedRows *statements;
	StagedRows *broken;
	int64 bytes; /* of the rows so far */

	const char *state;
	int64 added;
	int64 ended;
	int64 skipped;
} VexLoad;

/* A text that a helper has sent, in the only row of the document. */
static char *
DocumentText(const VexLoad *load, int column)
{
	ArrayBuildState *values = load->document->columns[column];

	return values->dnulls[0] ? NULL : TextDatumGetCString(values->dvalues[0]);
}

static void
TakeRow(VexLoad *load, const HelperFrame *row)
{
	StagedRows *rows = row->relation == WIRE_VEX_DOCUMENT ? load->document
					   : row->relation == WIRE_VEX		  ? load->statements
					   : row->relation == WIRE_BROKEN	  ? load->broken
														  : NULL;
	int64 most;

	if (rows == NULL || (rows == load->document && rows->count > 0))
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader sent a row of \"%s\" while reading a VEX document",
							   wire_relations[row->relation].name)));
	most = Min(CurrentLimits().reader_memory, MAX_STAGED_SIZE);
	for (uint32 i = 0; i < row->count; i++)
		load->bytes += (int64) row->fields[i].size + (int64) sizeof(Datum);
	if (load->bytes > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the document has more than " INT64_FORMAT " MB of statements", most >> 20),
				 errhint("See clair.reader_memory.")));
	StageRow(rows, row->fields);
}

/* Has a document read. */
static void
ReadDocument(VexLoad *load, const Descriptor *input)
{
	Helper *reader = StartHelper(HELPER_READER, input->fd);
	JobFields *fields = BeginJob();
	HelperFrame frame;

	load->document = CreateStagedRows(WIRE_VEX_DOCUMENT);
	load->statements = CreateStagedRows(WIRE_VEX);
	load->broken = CreateStagedRows(WIRE_BROKEN);
	AddToJob(fields, "job", "vex");
	SendJob(reader, fields);
	do
	{
		ReceiveFrame(reader, &frame);
		if (frame.type == WIRE_ROW)
			TakeRow(load, &frame);
		else if (frame.type != WIRE_PROGRESS && frame.type != WIRE_DONE)
			ereport(ERROR,
					(errcode(ERRCODE_PROTOCOL_VIOLATION),
					 errmsg("clair-reader sent an unexpected frame of type %d", frame.type)));
	} while (frame.type != WIRE_DONE);
	if (load->document->count == 0)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader found neither a VEX document nor an error")));
}

/*
 * Stores and locks the document's row. False when a newer version has been loaded already: its
 * version is higher or, if it is the same or cannot be compared, it was issued later.
 */
static bool
StoreDocument(VexLoad *load, const char *role)
{
	SqlParameters parameters = {0};
	bool is_older;

	AddText(&parameters, role);
	AddRows(&parameters, load->document);
	if (RunSql("INSERT INTO clair.vex_document (format, id, version, issued_at, author, loaded_by)"
			   " SELECT d.format, d.id, d.version, d.issued::timestamptz, d.author, $1"
			   " FROM unnest($2, $3, $4, $5, $6) AS d(format, id, version, issued, author)"
			   " ON CONFLICT (id) DO NOTHING RETURNING id",
			   &parameters) > 0)
	{
		load->state = "loaded";
		return true;
	}
	RunSql("SELECT COALESCE(CASE"
		   "         WHEN known.version <> said.version"
		   "             THEN string_to_array(known.version, '.')::numeric[]"
		   "                  > string_to_array(said.version, '.')::numeric[]"
		   "         ELSE known.issued_at > said.issued::timestamptz"
		   "     END, false)::integer,"
		   "     (ROW(known.format, known.version, known.issued_at, known.author) IS DISTINCT FROM"
		   "      ROW(said.format, said.version, said.issued::timestamptz, said.author))::integer"
		   " FROM clair.vex_document AS known"
		   "     JOIN unnest($2, $3, $4, $5, $6) AS said(format, id, version, issued, author)"
		   "         ON said.id = known.id"
		   " WHERE $1 IS NOT NULL"
		   " FOR UPDATE OF known",
		   &parameters);
	is_older = ResultInteger(0, 1) != 0;
	load->state = is_older ? "older" : ResultInteger(0, 2) != 0 ? "replaced" : "unchanged";
	if (strcmp(load->state, "replaced") == 0)
		RunSql("UPDATE clair.vex_document AS known"
			   " SET format = said.format, version = said.version,"
			   "     issued_at = said.issued::timestamptz, author = said.author, loaded_by = $1,"
			   "     loaded_at = now()"
			   " FROM unnest($2, $3, $4, $5, $6) AS said(format, id, version, issued, author)"
			   " WHERE said.id = known.id",
			   &parameters);
	return !is_older;
}

/*
 * Ends the exceptions that the document does not state any more, and makes those that are new. What
 * somebody has taken back by hand is not made again, however often the document says it.
 */
static void
StoreExceptions(VexLoad *load, const char *role, const char *image)
{
	SqlParameters parameters = {0};

	AddText(&parameters, DocumentText(load, 1));
	AddText(&parameters, role);
	AddText(&parameters, image);
	AddRows(&parameters, load->statements);
	load->ended = RunSql("UPDATE clair.exception SET ended_at = now()"
						 " WHERE id IN (SELECT e.id FROM" STANDING " AS e"
						 "                  LEFT JOIN" SAID " AS s"
						 "                      ON s.words = e.words AND s.problem IS NULL"
						 "              WHERE e.ended_at IS NULL AND s.words IS NULL)",
						 &parameters);
	load->added = RunSql(
		"INSERT INTO clair.exception (vulnerability, package, version, architecture,"
		"     namespace, image, kind, justification, reason, author, document)"
		" SELECT s.vulnerability, s.package, s.version, s.architecture, s.namespace, s.image,"
		"     s.kind, s.justification, s.reason, $2, $1"
		" FROM" SAID " AS s"
		"     LEFT JOIN" STANDING " AS e ON e.words = s.words"
		" WHERE s.problem IS NULL AND e.id IS NULL"
		" RETURNING id",
		&parameters);
	if (load->added + load->ended > 0 && strcmp(load->state, "unchanged") == 0)
		load->state = "replaced";
}

/* Counts the statements that were left out, and tells of one why. */
static void
TellSkipped(VexLoad *load, const char *image)
{
	SqlParameters parameters = {0};
	const char *subject;
	const char *problem;

	AddText(&parameters, NULL);
	AddText(&parameters, NULL);
	AddText(&parameters, image);
	AddRows(&parameters, load->statements);
	load->skipped = RunSql("SELECT s.subject, s.problem FROM" SAID " AS s"
						   " WHERE s.problem IS NOT NULL",
						   &parameters);
	if (load->skipped > 0)
	{
		subject = ResultText(0, 1);
		problem = ResultText(0, 2);
	}
	else if (load->broken->count > 0)
	{
		subject = TextDatumGetCString(load->broken->columns[1]->dvalues[0]);
		problem = TextDatumGetCString(load->broken->columns[2]->dvalues[0]);
	}
	else
		return;
	load->skipped += load->broken->count;
	ereport(NOTICE, (errmsg("statements of the VEX document that were left out: " INT64_FORMAT,
							load->skipped),
					 errdetail("One is of \"%s\": %s.", subject, problem)));
}

/* Loads the document, in a context of its own, and returns what was done. */
static Datum
LoadDocument(FunctionCallInfo fcinfo, Descriptor *(*open)(FunctionCallInfo fcinfo))
{
	const char *role = GetUserNameFromId(GetUserId(), false);
	MemoryContext context;
	MemoryContext old_context;
	VexLoad load = {0};
	OwnerState caller;
	const char *image;
	char *texts[LOADED_COLUMNS];

	PreventCommandIfReadOnly("clair.load_vex()");
	PreventCommandIfParallelMode("clair.load_vex()");
	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	context = AllocSetContextCreate(CurrentMemoryContext, "clair vex", ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(context);
	ReadDocument(&load, open(fcinfo));
	image = TextArgument(fcinfo, 1);
	BecomeOwner(&caller);
	SPI_connect();
	CheckSeesAll(&caller, "clair.load_vex()"); /* a document is whose it says, not the caller's */
	image = ImageOfException(&caller, image);
	FAULT_POINT("vex-read");
	if (StoreDocument(&load, role))
	{
		StoreExceptions(&load, role, image);
		FAULT_POINT("vex-stored");
		TellSkipped(&load, image);
		RecordAction(&caller, "load_vex", DocumentText(&load, 1), AddDetail(NULL, "image", image));
	}
	SPI_finish();
	ResumeCaller(&caller);
	texts[0] = DocumentText(&load, 1);
	texts[1] = DocumentText(&load, 2);
	texts[2] = pstrdup(load.state);
	texts[3] = psprintf(INT64_FORMAT, load.added);
	texts[4] = psprintf(INT64_FORMAT, load.ended);
	texts[5] = psprintf(INT64_FORMAT, load.skipped);
	ReturnTexts((ReturnSetInfo *) fcinfo->resultinfo, texts);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	return (Datum) 0;
}

static Descriptor *
OpenPath(FunctionCallInfo fcinfo)
{
	const char *path = TextArgument(fcinfo, 0);
	bool is_directory;
	Descriptor *file = OpenServerFile(path, &is_directory);

	if (is_directory)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is a directory, not a VEX document", path)));
	return file;
}

static Descriptor *
OpenContent(FunctionCallInfo fcinfo)
{
	return SpoolArgument(fcinfo, 0);
}

static Descriptor *
OpenJson(FunctionCallInfo fcinfo)
{
	return SpoolJsonArgument(fcinfo, 0);
}

Datum
load_vex_path(PG_FUNCTION_ARGS)
{
	return LoadDocument(fcinfo, OpenPath);
}

Datum
load_vex_content(PG_FUNCTION_ARGS)
{
	return LoadDocument(fcinfo, OpenContent);
}

Datum
load_vex_json(PG_FUNCTION_ARGS)
{
	return LoadDocument(fcinfo, OpenJson);
}
