/*
 * stage.c
 *    Having documents read by clair-reader, into temporary tables.
 *
 * For each relation that the reader sends of a feed there is a table of its name and columns,
 * "stage_record" and so on, of the worker's session. Rows are collected and inserted many at
 * a time, past the executor: these tables have neither indexes nor triggers. The transaction
 * that this takes is over before the next frame is waited for.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "server/helper.h"
#include "server/sql.h"
#include "update/stage.h"

/* Rows are inserted when they have come to one of these. */
#define FLUSH_ROWS	20000
#define FLUSH_BYTES (8 * 1024 * 1024)

/* Rows of one call of the table's access method. */
#define INSERT_ROWS 1000

static const WireRelation staged_relations[] = {WIRE_RECORD, WIRE_VULNERABILITY, WIRE_AFFECTED,
												WIRE_BROKEN};

typedef struct StageTable
{
	WireRelation relation;
	TupleDesc descriptor;
	int count;
	HeapTuple rows[FLUSH_ROWS];
} StageTable;

typedef struct Staging
{
	UpdateRun *run;
	Helper *reader;
	const Document *sole; /* the only one that is read, if it is */
	StageTable *tables[lengthof(staged_relations)];
	int64 bytes;			 /* of the rows collected */
	MemoryContext collected; /* holds them */
	MemoryContext row;		 /* holds the values of one */
	List *further;
} Staging;

static char *
TableName(WireRelation relation)
{
	return psprintf("stage_%s", wire_relations[relation].name);
}

/* Creates the tables anew: an earlier run of the same worker may have left its own. */
static void
CreateTables(UpdateRun *run)
{
	StringInfoData statement;
	Work work;

	BeginWork(&work);
	initStringInfo(&statement);
	for (size_t i = 0; i < lengthof(staged_relations); i++)
	{
		const WireRelationInfo *info = &wire_relations[staged_relations[i]];
		char *name = TableName(staged_relations[i]);

		appendStringInfo(&statement, "DROP TABLE IF EXISTS pg_temp.%s; CREATE TEMPORARY TABLE %s (",
						 name, name);
		for (int column = 0; column < info->column_count; column++)
			appendStringInfo(&statement, "%s%s %s", column > 0 ? ", " : "",
							 quote_identifier(info->columns[column].name),
							 info->columns[column].type == WIRE_INT ? "bigint"
																	: "text COLLATE \"C\"");
		appendStringInfoString(&statement, ");");
	}
	RunSql(statement.data, NULL);
	EndWork(&work);
	run->staged = true;
}

static Relation
OpenTable(const StageTable *table)
{
	return table_openrv(makeRangeVar("pg_temp", TableName(table->relation), -1), RowExclusiveLock);
}

/* Prepares for collecting rows of the relations. */
static void
PrepareTables(Staging *staging)
{
	Work work;

	if (!staging->run->staged)
		CreateTables(staging->run);
	BeginWork(&work);
	for (size_t i = 0; i < lengthof(staged_relations); i++)
	{
		StageTable *table = MemoryContextAlloc(work.context, sizeof(StageTable));
		Relation relation;

		table->relation = staged_relations[i];
		table->count = 0;
		relation = OpenTable(table);
		MemoryContextSwitchTo(work.context);
		table->descriptor = CreateTupleDescCopy(RelationGetDescr(relation));
		table_close(relation, NoLock);
		staging->tables[i] = table;
	}
	EndWork(&work);
}

/* Inserts the rows that have been collected of a relation. */
static void
InsertRows(StageTable *table)
{
	Relation relation = OpenTable(table);
	BulkInsertState state = GetBulkInsertState();
	CommandId command = GetCurrentCommandId(true);
	TupleTableSlot *slots[INSERT_ROWS];
	int slot_count = Min(table->count, INSERT_ROWS);

	for (int i = 0; i < slot_count; i++)
		slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsHeapTuple);
	for (int first = 0; first < table->count; first += INSERT_ROWS)
	{
		int count = Min(table->count - first, INSERT_ROWS);

		for (int i = 0; i < count; i++)
			ExecStoreHeapTuple(table->rows[first + i], slots[i], false);
		table_multi_insert(relation, slots, count, command, 0, state);
	}
	for (int i = 0; i < slot_count; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	FreeBulkInsertState(state);
	table_finish_bulk_insert(relation, 0);
	table_close(relation, NoLock);
	table->count = 0;
}

static void
FlushRows(Staging *staging)
{
	Work work;

	if (staging->bytes == 0)
		return;
	BeginWork(&work);
	for (size_t i = 0; i < lengthof(staged_relations); i++)
		if (staging->tables[i]->count > 0)
			InsertRows(staging->tables[i]);
	EndWork(&work);
	MemoryContextReset(staging->collected);
	staging->bytes = 0;
	ReportProgress(staging->run);
}

/* Collects a row of a relation that is staged. */
static void
CollectRow(Staging *staging, StageTable *table, const ClairBytes *fields)
{
	const WireRelationInfo *info = &wire_relations[table->relation];
	Datum values[WIRE_MAX_COLUMNS] = {0};
	bool nulls[WIRE_MAX_COLUMNS] = {false};
	MemoryContext old_context = MemoryContextSwitchTo(staging->row);
	int64 number;

	for (int i = 0; i < info->column_count; i++)
	{
		nulls[i] = fields[i].data == NULL;
		if (nulls[i])
			continue;
		if (info->columns[i].type == WIRE_INT && wire_integer(fields[i], &number))
			values[i] = Int64GetDatum(number);
		else
			values[i] = PointerGetDatum(
				cstring_to_text_with_len(fields[i].data, (int) fields[i].size));
	}
	MemoryContextSwitchTo(staging->collected);
	table->rows[table->count] = heap_form_tuple(table->descriptor, values, nulls);
	staging->bytes += table->rows[table->count]->t_len;
	table->count++;
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(staging->row);
	if (table->relation == WIRE_RECORD)
		staging->run->records++;
	if (table->count == FLUSH_ROWS || staging->bytes >= FLUSH_BYTES)
		FlushRows(staging);
}

/* Takes a document that the one that is read names. */
static void
TakeFurther(Staging *staging, const ClairBytes *fields)
{
	char *name = fields[0].data != NULL ? pnstrdup(fields[0].data, fields[0].size) : NULL;
	char *url = fields[1].data != NULL ? pnstrdup(fields[1].data, fields[1].size) : NULL;
	int64 optional;
	int64 always;
	Document *document;

	if (name == NULL || url == NULL || staging->sole == NULL ||
		!wire_integer(fields[2], &optional) || !wire_integer(fields[3], &always))
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader named a further document out of place")));
	document = NameDocument(staging->run, staging->sole, name, url, optional != 0, always != 0);
	if (document != NULL)
		staging->further = lappend(staging->further, document);
}

static void
TakeRow(Staging *staging, const HelperFrame *frame)
{
	if (frame->relation == WIRE_FURTHER)
	{
		TakeFurther(staging, frame->fields);
		return;
	}
	for (size_t i = 0; i < lengthof(staged_relations); i++)
		if (frame->relation == staged_relations[i])
		{
			CollectRow(staging, staging->tables[i], frame->fields);
			return;
		}
	ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
					errmsg("clair-reader sent a row of \"%s\" while reading a feed",
						   wire_relations[frame->relation].name)));
}

/*
 * Answers which records are known: each key is a record's key, a blank and its digest, which
 * has none.
 */
static void
AnswerKnown(Staging *staging, const HelperFrame *question)
{
	ClairBytes *records = palloc(sizeof(ClairBytes) * (question->count + 1));
	ClairBytes *digests = palloc(sizeof(ClairBytes) * (question->count + 1));
	ClairBytes *answers = palloc0(sizeof(ClairBytes) * (question->count + 1));
	SqlParameters parameters = {0};
	Work work;
	int64 known;

	for (uint32 i = 0; i < question->count; i++)
	{
		ClairBytes key = question->fields[i];
		size_t blank = key.size;

		while (blank > 0 && key.data[blank - 1] != ' ')
			blank--;
		if (blank == 0)
			ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
							errmsg("clair-reader asked for a malformed key")));
		records[i] = (ClairBytes){key.data, blank - 1};
		digests[i] = clair_bytes_skip(key, blank);
	}
	BeginWork(&work);
	AddText(&parameters, staging->run->settings.name);
	AddTextArray(&parameters, records, question->count);
	AddTextArray(&parameters, digests, question->count);
	known = RunSql(
		"SELECT k.number"
		" FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS k(record, digest, number)"
		"     JOIN clair.record AS r ON r.updater = $1 AND r.record = k.record"
		"         AND r.digest = k.digest",
		&parameters);
	for (int64 i = 0; i < known; i++)
		answers[ResultInteger(i, 1) - 1] = CLAIR_LITERAL("");
	EndWork(&work);
	SendFrame(staging->reader, WIRE_KNOWN_ANSWER, answers, question->count, -1);
	pfree(records);
	pfree(digests);
	pfree(answers);
}

static void
TakeProgress(Staging *staging, const HelperFrame *frame)
{
	if (frame->count != 2 || !wire_integer(frame->fields[0], &staging->run->pending))
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader sent malformed progress")));
	ReportProgress(staging->run);
}

/* Takes what the reader sends until it is done. */
static void
TakeFrames(Staging *staging)
{
	HelperFrame frame;

	for (ReceiveFrame(staging->reader, &frame); frame.type != WIRE_DONE;
		 ReceiveFrame(staging->reader, &frame))
	{
		if (frame.type == WIRE_ROW)
			TakeRow(staging, &frame);
		else if (frame.type == WIRE_KNOWN)
			AnswerKnown(staging, &frame);
		else if (frame.type == WIRE_PROGRESS)
			TakeProgress(staging, &frame);
		else
			ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
							errmsg("clair-reader sent an unexpected frame")));
	}
	FlushRows(staging);
}

static void
SendDocuments(Staging *staging, List *documents)
{
	JobFields *job = BeginJob();
	ListCell *cell;

	AddToJob(job, "job", "update");
	AddToJob(job, "updater", staging->run->settings.name);
	SendJob(staging->reader, job);
	foreach (cell, documents)
	{
		Document *document = lfirst(cell);
		ClairBytes fields[] = {clair_bytes(document->name), clair_bytes(FormatUrl(&document->url))};

		SendFrame(staging->reader, WIRE_DOCUMENT, fields, lengthof(fields), document->content->fd);
	}
	SendFrame(staging->reader, WIRE_START, NULL, 0, -1);
}

List *
StageDocuments(UpdateRun *run, List *documents)
{
	Staging *staging = palloc0(sizeof(Staging));

	run->phase = "stage";
	staging->run = run;
	staging->sole = list_length(documents) == 1 ? linitial(documents) : NULL;
	staging->collected = AllocSetContextCreate(CurrentMemoryContext, "clair rows",
											   ALLOCSET_DEFAULT_SIZES);
	staging->row = AllocSetContextCreate(CurrentMemoryContext, "clair row", ALLOCSET_DEFAULT_SIZES);
	PrepareTables(staging);
	staging->reader = StartHelper(HELPER_READER, -1);
	SendDocuments(staging, documents);
	TakeFrames(staging);
	run->pending = 0;
	return staging->further;
}
