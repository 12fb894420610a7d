/*
 * images.c
 *    clair.index_images(): indexes many images in background workers, and tells what became of
 *    each.
 *
 * The workers (images_worker.c) take one path after the other from a list in shared memory, and
 * answer each with a message in a queue of their own; how many work at once, over all calls, is
 * bounded by clair.max_index_workers. They act with the caller's rights and with the settings of
 * clair that its session has set. When the call ends, however it does, so do they; what they have
 * indexed by then stays.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/shm_mq.h"
#include "storage/shm_toc.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "common/fault.h"
#include "index/detector.h"
#include "index/images.h"
#include "server/clair.h"
#include "server/compat.h"
#include "server/descriptor.h"
#include "server/sql.h"

PG_FUNCTION_INFO_V1(index_images);

int clair_max_index_workers;

/* A call, as the one who waits sees it. On the heap: its cleanup needs the workers. */
typedef struct Batch
{
	/* What it was given, detoasted; NULL where nothing was. */
	ArrayType *paths;
	ArrayType *names;
	text *platform;
	ArrayType *settings;

	int count; /* paths */
	Datum *path_texts;
	dsm_segment *segment;
	ImagesCall *call; /* in it */
	Workers workers;
	shm_mq_handle *queues[MAX_WORKERS]; /* NULL once its worker has ended */
	StringInfo *answers;				/* of each path; NULL so far */
	int answered;
} Batch;

void
IndexInit(void)
{
	DefineCustomIntVariable(
		"clair.max_index_workers",
		"Workers that index images at a time, over all calls of clair.index_images().", NULL,
		&clair_max_index_workers, 2, 1, MAX_WORKERS, PGC_SUSET, 0, NULL, NULL, NULL);
	DetectorInit();
}

/* ---------------------------------------------------------------------------
 * What the call was given
 * --------------------------------------------------------------------------- */

/* The settings that the session has set for itself, in a context: workers know the others. */
static ArrayType *
SessionSettings(MemoryContext context)
{
	MemoryContext old_context;
	OwnerState caller;
	ArrayType *settings;
	bool is_null;

	BecomeOwner(&caller); /* some are not shown to everybody */
	RunSql("SELECT COALESCE(array_agg(part ORDER BY s.name, number), '{}')"
		   " FROM pg_settings AS s,"
		   "     unnest(ARRAY[s.name, s.setting]) WITH ORDINALITY AS p(part, number)"
		   " WHERE s.name LIKE 'clair.%' AND s.source IN ('client', 'session')",
		   NULL);
	ResumeCaller(&caller);
	old_context = MemoryContextSwitchTo(context);
	settings = DatumGetArrayTypePCopy(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	MemoryContextSwitchTo(old_context);
	return settings;
}

static void
CheckArrays(const Batch *batch)
{
	if (ARR_NDIM(batch->paths) > 1 || (batch->names != NULL && ARR_NDIM(batch->names) > 1))
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("paths and names must be one-dimensional arrays")));
	if (array_contains_nulls(batch->paths))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a path is null")));
	if (batch->names != NULL &&
		ArrayGetNItems(ARR_NDIM(batch->names), ARR_DIMS(batch->names)) != batch->count)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("there must be as many names as paths"),
						errhint("A name that is null leaves the archive its own names.")));
}

/* What the workers would be refused for each image is refused once, and first. */
static void
CheckRights(void)
{
	SqlParameters parameters = {0};
	Oid role = GetUserId();
	OwnerState caller;

	CheckMayReadFiles(role);
	BecomeOwner(&caller);
	AddInteger(&parameters, role);
	RunSql("SELECT has_function_privilege($1::oid, 'clair.index_image(text, text, text)',"
		   "     'EXECUTE')::integer",
		   &parameters);
	if (ResultInteger(0, 1) == 0)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, "index_image");
	ResumeCaller(&caller);
}

static Batch *
CreateBatch(FunctionCallInfo fcinfo)
{
	Batch *batch = palloc0(sizeof(Batch));
	int elements;

	batch->paths = PG_GETARG_ARRAYTYPE_P(0);
	batch->names = PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1);
	batch->platform = PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_P(2);
	batch->count = ArrayGetNItems(ARR_NDIM(batch->paths), ARR_DIMS(batch->paths));
	CheckArrays(batch);
	deconstruct_array(batch->paths, TEXTOID, -1, false, TYPALIGN_INT, &batch->path_texts, NULL,
					  &elements);
	batch->answers = palloc0(sizeof(StringInfo) * (Size) Max(batch->count, 1));
	return batch;
}

/* ---------------------------------------------------------------------------
 * The segment, and the workers
 * --------------------------------------------------------------------------- */

/* Puts a value of the server's, or none, into the segment. */
static void
AddValue(shm_toc *contents, uint64 key, const void *value)
{
	void *place;

	if (value == NULL)
		return;
	place = shm_toc_allocate(contents, VARSIZE(value));
	memcpy(place, value, VARSIZE(value));
	shm_toc_insert(contents, key, place);
}

/* Makes the segment; where its queues are to be, one for each worker. */
static char *
CreateSegment(Batch *batch, int workers)
{
	const void *values[] = {batch->paths, batch->names, batch->platform, batch->settings};
	Size queues_size = IMAGES_QUEUE_SIZE * (Size) workers;
	shm_toc_estimator estimator;
	shm_toc *contents;
	Size size;
	char *queues;

	shm_toc_initialize_estimator(&estimator);
	shm_toc_estimate_chunk(&estimator, sizeof(ImagesCall));
	shm_toc_estimate_chunk(&estimator, queues_size);
	for (size_t i = 0; i < lengthof(values); i++)
		shm_toc_estimate_chunk(&estimator, values[i] != NULL ? VARSIZE(values[i]) : 0);
	shm_toc_estimate_keys(&estimator, lengthof(values) + 2);
	size = shm_toc_estimate(&estimator);
	batch->segment = dsm_create(size, 0);
	contents = shm_toc_create(IMAGES_MAGIC, dsm_segment_address(batch->segment), size);

	batch->call = shm_toc_allocate(contents, sizeof(ImagesCall));
	batch->call->role = GetUserId();
	batch->call->count = (uint32) batch->count;
	pg_atomic_init_u32(&batch->call->next, 0);
	shm_toc_insert(contents, IMAGES_CALL, batch->call);
	for (size_t i = 0; i < lengthof(values); i++)
		AddValue(contents, IMAGES_PATHS + i, values[i]);
	queues = shm_toc_allocate(contents, queues_size);
	shm_toc_insert(contents, IMAGES_QUEUES, queues);
	return queues;
}

/* Starts as many workers as may work, or as there are slots for. */
static void
StartIndexing(Batch *batch)
{
	int wanted = Min(clair_max_index_workers, batch->count);
	char *queues = CreateSegment(batch, wanted);
	ImagesRequest request;

	memset(&request, 0, sizeof(request));
	request.segment = dsm_segment_handle(batch->segment);
	StaticAssertStmt(sizeof(request) <= BGW_EXTRALEN, "a worker's request must fit");
	for (request.queue = 0; request.queue < wanted; request.queue++)
	{
		shm_mq *queue = shm_mq_create(queues + IMAGES_QUEUE_SIZE * (Size) request.queue,
									  IMAGES_QUEUE_SIZE);

		shm_mq_set_receiver(queue, MyProc);
		if (!StartWorker(&batch->workers, "ImagesWorkerMain", "clair indexer", "clair indexer",
						 &request.worker, sizeof(request)))
			break;
		batch->queues[request.queue] = shm_mq_attach(queue, batch->segment,
													 batch->workers.handles[request.queue]);
	}
	FAULT_POINT("images-started");
	CheckAnyWorker(&batch->workers);
}

static void
TakeAnswer(Batch *batch, const void *data, Size size)
{
	StringInfo answer = makeStringInfo();
	uint32 number;

	appendBinaryStringInfo(answer, data, (int) size);
	FAULT_POINT("images-answered");
	number = ReadAnswer(answer);
	Assert(number < batch->call->count && batch->answers[number] == NULL);
	batch->answers[number] = answer;
	batch->answered++;
}

/* Takes what a worker has answered so far; false when it has ended. */
static bool
TakeAnswers(Batch *batch, shm_mq_handle *queue)
{
	for (;;)
	{
		Size size;
		void *data;

		switch (shm_mq_receive(queue, &size, &data, true))
		{
			case SHM_MQ_SUCCESS:
				TakeAnswer(batch, data, size);
				break;
			case SHM_MQ_WOULD_BLOCK:
				return true;
			case SHM_MQ_DETACHED:
				return false;
		}
	}
}

static void
AwaitAnswers(Batch *batch)
{
	for (;;)
	{
		bool any = false;

		for (int i = 0; i < batch->workers.count; i++)
		{
			if (batch->queues[i] != NULL && !TakeAnswers(batch, batch->queues[i]))
				batch->queues[i] = NULL;
			any |= batch->queues[i] != NULL;
		}
		if (!any)
			return;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, -1, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Has the workers index; when the wait for them ends before they do, so do they. */
static void
IndexAll(Batch *batch)
{
	PG_ENSURE_ERROR_CLEANUP(TerminateWorkers, PointerGetDatum(&batch->workers));
	{
		StartIndexing(batch);
		AwaitAnswers(batch);
		FAULT_POINT("images-all-answered");
		WaitForWorkers(&batch->workers);
	}
	PG_END_ENSURE_ERROR_CLEANUP(TerminateWorkers, PointerGetDatum(&batch->workers));
}

/* ---------------------------------------------------------------------------
 * What became of it
 * --------------------------------------------------------------------------- */

/* Of a path whose worker has ended without an answer, or that no worker has come to. */
static void
ReturnUnanswered(ReturnSetInfo *result, const Batch *batch, int number)
{
	bool taken = (uint32) number < pg_atomic_read_u32(&batch->call->next);
	char *texts[RESULT_COLUMNS] = {NULL};

	texts[RESULT_PATH] = TextDatumGetCString(batch->path_texts[number]);
	texts[RESULT_SQLSTATE] = unpack_sql_state(ERRCODE_ADMIN_SHUTDOWN);
	texts[RESULT_ERROR] = taken ? "the worker ended that was indexing the image"
								: "no worker was left to index the image";
	texts[RESULT_HINT] = "The server's log says why.";
	ReturnTexts(result, texts);
}

static void
ReturnAnswers(ReturnSetInfo *result, const Batch *batch)
{
	if (batch->answered == 0 && pg_atomic_read_u32(&batch->call->next) == 0)
		ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
						errmsg("the workers ended before they began"),
						errhint("The server's log says why.")));
	for (int i = 0; i < batch->count; i++)
	{
		char *texts[RESULT_COLUMNS];

		if (batch->answers[i] == NULL)
			ReturnUnanswered(result, batch, i);
		else
			while (ReadAnswerRow(batch->answers[i], texts))
				ReturnTexts(result, texts);
	}
}

Datum
index_images(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	Batch *batch;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	CheckMayStartWorkers("clair.index_images()");
	CheckMayWaitForWorkers("clair.index_images()", "Call it outside of a transaction block.");
	batch = CreateBatch(fcinfo);
	SPI_connect();
	CheckRights();
	batch->settings = SessionSettings(context);
	SPI_finish();
	if (batch->count == 0)
		return (Datum) 0;
	IndexAll(batch);
	FAULT_POINT("images-ended");
	ReturnAnswers((ReturnSetInfo *) fcinfo->resultinfo, batch);
	dsm_detach(batch->segment);
	return (Datum) 0;
}
