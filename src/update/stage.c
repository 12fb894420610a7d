/*
 * stage.c
 *    Having documents read by clair-reader, into temporary tables.
 *
 * For each relation that the reader sends of a feed there is a table of its name and columns,
 * "stage_record" and so on, of the worker's session. Vulnerabilities are numbered, in the
 * column "item"; their ranges, which follow them, have that in place of record and name. Rows
 * are collected and inserted many at a time, past the executor: these tables have neither
 * indexes nor triggers. The transaction that this takes is over before the next frame is
 * waited for.
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

#include "common/fault.h"
#include "server/helper.h"
#include "server/settings.h"
#include "server/sql.h"
#include "update/stage.h"

/* Rows are inserted when they are so many: few, for the reader waits in the meantime. */
#define FLUSH_ROWS	1000
#define FLUSH_BYTES (1024 * 1024)

/* How many bytes of rows the greatest document may come to, for each of its own. */
#define MAX_EXPANSION 4

/* What is staged of a relation. */
typedef struct StageLayout
{
	WireRelation relation;
	bool has_item; /* in front of the relation's own columns */
	int left_out;  /* the first columns of the relation */
} StageLayout;

static const StageLayout layouts[] = {{WIRE_RECORD, false, 0},		 {WIRE_GONE, false, 0},
									  {WIRE_VULNERABILITY, true, 0}, {WIRE_AFFECTED, true, 2},
									  {WIRE_CVE, false, 0},			 {WIRE_METRIC, false, 0},
									  {WIRE_EPSS, false, 0},		 {WIRE_EPSS_EDITION, false, 0},
									  {WIRE_KEV, false, 0},			 {WIRE_REPOSITORY, false, 0},
									  {WIRE_FROZEN, false, 0},		 {WIRE_BROKEN, false, 0}};

typedef struct StageTable
{
	const StageLayout *layout;
	TupleDesc descriptor;
	int count;
	HeapTuple rows[FLUSH_ROWS];
	TupleTableSlot *slots[FLUSH_ROWS]; /* for inserting them */
} StageTable;

typedef struct Staging
{
	UpdateRun *run;
	Helper *reader;
	List *documents; /* that are read */
	StageTable *tables[lengthof(layouts)];
	StringInfoData item_record; /* of the vulnerability that came last */
	StringInfoData item_name;
	int64 sent;				 /* bytes of all rows */
	int64 sent_further;		 /* bytes of the texts of further documents */
	int64 bytes;			 /* of the rows collected */
	MemoryContext collected; /* holds them */
	MemoryContext row;		 /* holds the values of one */
	List *further;
} Staging;

static char *
TableName(const StageLayout *layout)
{
	return psprintf("stage_%s", wire_relations[layout->relation].name);
}

void
CreateStagingTables(UpdateRun *run)
{
	StringInfoData statement;
	Work work;

	BeginWork(&work);
	initStringInfo(&statement);
	for (size_t i = 0; i < lengthof(layouts); i++)
	{
		const WireRelationInfo *info = &wire_relations[layouts[i].relation];
		char *name = TableName(&layouts[i]);

		appendStringInfo(&statement,
						 "DROP TABLE IF EXISTS pg_temp.%s; CREATE TEMPORARY TABLE %s (%s", name,
						 name, layouts[i].has_item ? "item bigint, " : "");
		for (int column = layouts[i].left_out; column < info->column_count; column++)
			appendStringInfo(&statement, "%s%s %s", column > layouts[i].left_out ? ", " : "",
							 quote_identifier(info->columns[column].name),
							 info->columns[column].type == WIRE_INT ? "bigint"
																	: "text COLLATE \"C\"");
		appendStringInfoString(&statement, ");");
	}
	RunSql(statement.data, NULL);
	FAULT_POINT("stage-tables-created");
	EndWork(&work);
	run->staged = true;
}

static Relation
OpenTable(const StageTable *table)
{
	return table_openrv(makeRangeVar("pg_temp", TableName(table->layout), -1), RowExclusiveLock);
}

/* Prepares for collecting rows of the relations. */
static void
PrepareTables(Staging *staging)
{
	Work work;

	if (!staging->run->staged)
		CreateStagingTables(staging->run);
	BeginWork(&work);
	for (size_t i = 0; i < lengthof(layouts); i++)
	{
		StageTable *table = MemoryContextAlloc(work.context, sizeof(StageTable));
		Relation relation;

		table->layout = &layouts[i];
		table->count = 0;
		relation = OpenTable(table);
		MemoryContextSwitchTo(work.context);
		table->descriptor = CreateTupleDescCopy(RelationGetDescr(relation));
		table_close(relation, NoLock);
		for (int row = 0; row < FLUSH_ROWS; row++)
			table->slots[row] = MakeSingleTupleTableSlot(table->descriptor, &TTSOpsHeapTuple);
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

	for (int i = 0; i < table->count; i++)
		ExecStoreHeapTuple(table->rows[i], table->slots[i], false);
	table_multi_insert(relation, table->slots, table->count, GetCurrentCommandId(true), 0, state);
	for (int i = 0; i < table->count; i++)
		ExecClearTuple(table->slots[i]);
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
	for (size_t i = 0; i < lengthof(layouts); i++)
		if (staging->tables[i]->count > 0)
			InsertRows(staging->tables[i]);
	EndWork(&work);
	MemoryContextReset(staging->collected);
	staging->bytes = 0;
	ReportProgress(staging->run);
}

static bool
IsItem(const StringInfoData *text, ClairBytes field)
{
	return (size_t) text->len == field.size && memcmp(text->data, field.data, field.size) == 0;
}

/* The number of the vulnerability that a row is, or belongs to. */
static int64
ItemNumber(Staging *staging, WireRelation relation, ClairBytes record, ClairBytes name)
{
	if (relation == WIRE_VULNERABILITY && record.data != NULL && name.data != NULL)
	{
		resetStringInfo(&staging->item_record);
		resetStringInfo(&staging->item_name);
		appendBinaryStringInfo(&staging->item_record, record.data, (int) record.size);
		appendBinaryStringInfo(&staging->item_name, name.data, (int) name.size);
		staging->run->items++;
	}
	else if (relation == WIRE_VULNERABILITY || !IsItem(&staging->item_record, record) ||
			 !IsItem(&staging->item_name, name))
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader sent a vulnerability or range out of place")));
	return staging->run->items;
}

/* Counts a row that is staged; bounded, for a reader gone wild must not fill the disk. */
static void
CountRow(Staging *staging, const HeapTuple row)
{
	int64 most = CurrentLimits().max_document_size * MAX_EXPANSION *
				 list_length(staging->documents);

	staging->bytes += row->t_len;
	staging->sent += row->t_len;
	if (staging->sent > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the documents have more than " INT64_FORMAT " MB of rows", most >> 20),
				 errhint("See clair.max_document_size.")));
}

/* Collects a row of a relation that is staged. */
static void
CollectRow(Staging *staging, StageTable *table, const ClairBytes *fields)
{
	const StageLayout *layout = table->layout;
	const WireRelationInfo *info = &wire_relations[layout->relation];
	Datum values[WIRE_MAX_COLUMNS + 1];
	bool nulls[WIRE_MAX_COLUMNS + 1] = {false};
	int column = 0;
	MemoryContext old_context;
	int64 number;

	if (layout->has_item)
		values[column++] = Int64GetDatum(
			ItemNumber(staging, layout->relation, fields[0], fields[1]));
	old_context = MemoryContextSwitchTo(staging->row);
	for (int i = layout->left_out; i < info->column_count; i++, column++)
	{
		values[column] = (Datum) 0;
		nulls[column] = fields[i].data == NULL;
		if (nulls[column])
			continue;
		if (info->columns[i].type == WIRE_INT && wire_integer(fields[i], &number))
			values[column] = Int64GetDatum(number);
		else
			values[column] = PointerGetDatum(
				cstring_to_text_with_len(fields[i].data, (int) fields[i].size));
	}
	MemoryContextSwitchTo(staging->collected);
	table->rows[table->count] = heap_form_tuple(table->descriptor, values, nulls);
	CountRow(staging, table->rows[table->count]);
	table->count++;
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(staging->row);
	if (layout->relation == WIRE_RECORD || layout->relation == WIRE_EPSS)
		staging->run->records++;
	if (table->count == FLUSH_ROWS || staging->bytes >= FLUSH_BYTES)
		FlushRows(staging);
}

/* The document of this name among those that are read, or NULL. */
static const Document *
FindRead(const Staging *staging, const char *name)
{
	ListCell *cell;

	foreach (cell, staging->documents)
	{
		const Document *document = lfirst(cell);

		if (strcmp(document->name, name) == 0)
			return document;
	}
	return NULL;
}

static char *
CopyText(ClairBytes field)
{
	return field.data != NULL ? pnstrdup(field.data, field.size) : pstrdup("");
}

/* Counts the texts of a further document, which are kept until the end of the run. */
static void
CountFurther(Staging *staging, const ClairBytes *fields)
{
	staging->sent_further += (int64) fields[1].size + (int64) fields[2].size;
	if (staging->sent_further > CurrentLimits().reader_memory)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the documents name further ones with more than " INT64_FORMAT
							   " MB of text",
							   CurrentLimits().reader_memory >> 20),
						errhint("See clair.reader_memory.")));
}

/* Names a document that one of those that are read names; NULL when it has been named. */
static Document *
NameFurther(Staging *staging, const ClairBytes *fields)
{
	const Document *by = FindRead(staging, CopyText(fields[0]));
	DocumentMode mode;
	int64 optional;
	Document *document;

	if (by == NULL || fields[1].size == 0 || fields[2].size == 0 ||
		!wire_integer(fields[3], &optional) || !ParseDocumentMode(CopyText(fields[4]), &mode))
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader named a further document out of place")));
	CountFurther(staging, fields);
	document = NameDocument(staging->run, by, CopyText(fields[1]), CopyText(fields[2]),
							optional != 0, mode);
	if (document != NULL && fields[5].data != NULL)
	{
		document->checksum = MemoryContextStrdup(staging->run->context, CopyText(fields[5]));
		if (document->old_checksum == NULL ||
			strcmp(document->old_checksum, document->checksum) != 0)
			document->old_url = NULL; /* what is there is another one, whatever is said of it */
	}
	return document;
}

static void
TakeFurther(Staging *staging, const ClairBytes *fields)
{
	MemoryContext old_context = MemoryContextSwitchTo(staging->row);
	Document *document = NameFurther(staging, fields);

	MemoryContextSwitchTo(old_context);
	MemoryContextReset(staging->row);
	if (document != NULL)
		staging->further = lappend(staging->further, document);
}

/* Takes what the next run is to be told: the last of it counts. */
static void
TakeState(UpdateRun *run, ClairBytes state)
{
	MemoryContext old_context;

	if (state.data == NULL && run->old_state == NULL)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader wants to begin again without having begun")));
	run->begin_again |= state.data == NULL;
	if (run->state != NULL)
		pfree(run->state);
	old_context = MemoryContextSwitchTo(run->context);
	run->state = CopyText(state);
	MemoryContextSwitchTo(old_context);
}

static void
TakeRow(Staging *staging, const HelperFrame *frame)
{
	if (frame->relation == WIRE_FURTHER)
	{
		TakeFurther(staging, frame->fields);
		return;
	}
	if (frame->relation == WIRE_STATE)
	{
		TakeState(staging->run, frame->fields[0]);
		return;
	}
	for (size_t i = 0; i < lengthof(layouts); i++)
		if (frame->relation == layouts[i].relation)
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
	FAULT_POINT("stage-known");
	BeginWork(&work);
	AddText(&parameters, staging->run->settings.name);
	AddTextArray(&parameters, records, question->count);
	AddTextArray(&parameters, digests, question->count);
	known = staging->run->anew
				? 0
				: RunSql("SELECT k.number"
						 " FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS k(record, "
						 "digest, number)"
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
	FAULT_POINT("stage-read");
	FlushRows(staging);
}

static void
SendDocuments(Staging *staging, List *documents)
{
	JobFields *job = BeginJob();
	ListCell *cell;

	AddToJob(job, "job", "update");
	AddToJob(job, "updater", staging->run->settings.reader);
	AddToJob(job, "options", staging->run->settings.options);
	AddToJob(job, "state", staging->run->old_state);
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
	staging->documents = documents;
	staging->collected = AllocSetContextCreate(CurrentMemoryContext, "clair rows",
											   ALLOCSET_DEFAULT_SIZES);
	staging->row = AllocSetContextCreate(CurrentMemoryContext, "clair row", ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&staging->item_record);
	initStringInfo(&staging->item_name);
	PrepareTables(staging);
	staging->reader = StartHelper(HELPER_READER, -1);
	FAULT_POINT("stage-begun");
	SendDocuments(staging, documents);
	FAULT_POINT("stage-documents-sent");
	TakeFrames(staging);
	run->pending = 0;
	return staging->further;
}
