/*
 * images_worker.c
 *    The background worker of clair.index_images(): indexes one image after the other.
 *
 * Started by that function (images.c), connected as the session role of who called it. It takes
 * one of clair.max_index_workers places before it does anything; then paths from the call's
 * segment until there is none left. Each image is indexed by clair.index_image(), with the rights
 * of the role that called, in a transaction of its own, whose outcome it answers. SIGINT cancels
 * one image, SIGTERM ends the worker. Two workers that meet the same layer are kept apart by the
 * locks that clair.index_image() takes.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/shm_mq.h"
#include "storage/shm_toc.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "common/fault.h"
#include "index/images.h"
#include "server/compat.h"
#include "server/sql.h"
#include "server/worker.h"

extern PGDLLEXPORT void ImagesWorkerMain(Datum argument);

typedef struct ImagesWorker
{
	ImagesCall *call;
	Datum *paths;
	Datum *names; /* NULL: none was given */
	bool *no_name;
	const char *platform; /* or NULL */
	shm_mq_handle *queue;
} ImagesWorker;

static int
Deconstruct(ArrayType *array, Datum **values, bool **nulls)
{
	int count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, values, nulls, &count);
	return count;
}

/* Sets what the caller's session has set. */
static void
ApplySettings(ArrayType *settings)
{
	Datum *texts;
	int count = Deconstruct(settings, &texts, NULL);

	for (int i = 0; i < count; i += 2)
		SetConfigOption(TextDatumGetCString(texts[i]), TextDatumGetCString(texts[i + 1]), PGC_SUSET,
						PGC_S_SESSION);
}

/* Connects to the call's segment. The caller may have gone, and the segment with it. */
static void
AttachSegment(ImagesWorker *worker, const ImagesRequest *request)
{
	dsm_segment *segment = dsm_attach(request->segment);
	shm_toc *contents;
	shm_mq *queue;
	ArrayType *names;
	text *platform;

	if (segment == NULL)
		proc_exit(0);
	contents = shm_toc_attach(IMAGES_MAGIC, dsm_segment_address(segment));
	if (contents == NULL)
		elog(ERROR, "shared memory segment of clair.index_images() is not one");
	queue = (shm_mq *) ((char *) shm_toc_lookup(contents, IMAGES_QUEUES, false) +
						IMAGES_QUEUE_SIZE * (Size) request->queue);
	shm_mq_set_sender(queue, MyProc);
	worker->queue = shm_mq_attach(queue, segment, NULL);
	worker->call = shm_toc_lookup(contents, IMAGES_CALL, false);
	Deconstruct(shm_toc_lookup(contents, IMAGES_PATHS, false), &worker->paths, NULL);
	names = shm_toc_lookup(contents, IMAGES_NAMES, true);
	if (names != NULL)
		Deconstruct(names, &worker->names, &worker->no_name);
	platform = shm_toc_lookup(contents, IMAGES_PLATFORM, true);
	worker->platform = platform != NULL ? text_to_cstring(platform) : NULL;
	ApplySettings(shm_toc_lookup(contents, IMAGES_SETTINGS, false));
}

static char *
PathOf(const ImagesWorker *worker, uint32 number)
{
	return TextDatumGetCString(worker->paths[number]);
}

/* Indexes an image; its rows are the answer. */
static void
IndexPath(const ImagesWorker *worker, uint32 number, StringInfo answer)
{
	bool named = worker->names != NULL && !worker->no_name[number];
	SqlParameters parameters = {0};
	char *texts[RESULT_COLUMNS] = {NULL};
	int64 count;
	Work work;

	BeginWorkAs(&work, worker->call->role);
	FAULT_POINT("indexer-begun");
	texts[RESULT_PATH] = PathOf(worker, number);
	AddText(&parameters, texts[RESULT_PATH]);
	AddText(&parameters, named ? TextDatumGetCString(worker->names[number]) : NULL);
	AddText(&parameters, worker->platform);
	count = RunSql("SELECT * FROM clair.index_image($1, $2, $3)", &parameters);
	for (int64 row = 0; row < count; row++)
	{
		for (int column = RESULT_IMAGE; column < RESULT_SQLSTATE; column++)
			texts[column] = ResultText(row, column);
		AddAnswerRow(answer, texts);
	}
	FAULT_POINT("indexer-indexed");
	EndWork(&work);
}

/* The answer for an image that could not be indexed: why. */
static void
AnswerError(const ImagesWorker *worker, uint32 number, const ErrorData *error, StringInfo answer)
{
	char *texts[RESULT_COLUMNS] = {NULL};

	texts[RESULT_PATH] = PathOf(worker, number);
	texts[RESULT_SQLSTATE] = unpack_sql_state(error->sqlerrcode);
	texts[RESULT_ERROR] = error->message;
	texts[RESULT_DETAIL] = error->detail;
	texts[RESULT_HINT] = error->hint;
	BeginAnswer(answer, number);
	AddAnswerRow(answer, texts);
}

/* Makes the answer for a path, in the current memory context. */
static void
MakeAnswer(const ImagesWorker *worker, uint32 number, StringInfo answer)
{
	MemoryContext context = CurrentMemoryContext;

	BeginAnswer(answer, number);
	PG_TRY();
	{
		IndexPath(worker, number, answer);
	}
	PG_CATCH();
	{
		AnswerError(worker, number, AbortWork(context), answer);
	}
	PG_END_TRY();
}

/* Shows which path is being worked on. */
static void
ReportPath(const ImagesWorker *worker, uint32 number)
{
	char activity[1024];

	snprintf(activity, sizeof(activity), "clair: indexing %u of %u: %s", number + 1,
			 worker->call->count, PathOf(worker, number));
	pgstat_report_activity(STATE_RUNNING, activity);
}

/* Takes path after path. Whom nobody waits for any more does not go on. */
static void
WorkOff(const ImagesWorker *worker)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "clair index worker",
												  ALLOCSET_DEFAULT_SIZES);
	uint32 number;

	while ((number = pg_atomic_fetch_add_u32(&worker->call->next, 1)) < worker->call->count)
	{
		StringInfoData answer;

		MemoryContextSwitchTo(context);
		initStringInfo(&answer);
		QueryCancelPending = false; /* a cancel is of one image */
		ReloadSettings();
		ReportPath(worker, number);
		FAULT_POINT("indexer-taken");
		MakeAnswer(worker, number, &answer);
		FAULT_POINT("indexer-committed");
		if (shm_mq_send(worker->queue, (Size) answer.len, answer.data, false, true) !=
			SHM_MQ_SUCCESS)
			proc_exit(0);
		FAULT_POINT("indexer-answered");
		MemoryContextReset(context);
	}
}

void
ImagesWorkerMain(pg_attribute_unused() Datum argument)
{
	ImagesRequest request;
	ImagesWorker worker = {0};

	memcpy(&request, MyBgworkerEntry->bgw_extra, sizeof(request));
	pqsignal(SIGINT, StatementCancelHandler);
	pqsignal(SIGTERM, die);
	BeginWorker(&request.worker);
	AttachSegment(&worker, &request);
	FAULT_POINT("indexer-attached");
	TakePlace(INDEX_PLACE_LOCK, &clair_max_index_workers,
			  "clair: waiting for other images to be indexed");
	FAULT_POINT("indexer-placed");
	WorkOff(&worker);
	pgstat_report_activity(STATE_IDLE, NULL);
	proc_exit(0);
}
