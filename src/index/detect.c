/*
 * detect.c
 *    Lets the functions of detectors read files of layers, and stages the features that they find.
 *
 * A function is somebody's code that is given hostile bytes, in the caller's transaction. It is
 * called with the rights of the role that made the detector, in a subtransaction that is read-only,
 * a security-restricted operation, and rolled back: it answers, and does nothing else. It may
 * take clair.detector_timeout for a file. When it fails, the file is one that could not be read:
 * the image becomes partial, and is indexed. A cancelled statement ends all of it.
 *
 * What it answers is checked as clair-reader checks what it reads (package/findings.c).
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/resowner.h"
#include "utils/timeout.h"

#include "common/fault.h"
#include "index/index.h"
#include "server/compat.h"
#include "server/owner.h"
#include "server/settings.h"
#include "server/sql.h"

/* Bytes of what a problem says, and of what anybody would call a license. */
#define MAX_PROBLEM 500
#define MAX_LICENSE 4096

/* Columns of the query below, which are those of WIRE_FEATURE from the name on but the problem. */
enum
{
	FOUND_NAME,
	FOUND_VERSION,
	FOUND_SOURCE_NAME,
	FOUND_SOURCE_VERSION,
	FOUND_ARCHITECTURE,
	FOUND_MODULE,
	FOUND_VENDOR,
	FOUND_LICENSE,
	FOUND_COLUMNS
};

/* Columns by name, whatever others there are; the same rows in the same order each time. */
#define FIND_FEATURES                                                                              \
	"SELECT DISTINCT said.*"                                                                       \
	" FROM (SELECT to_jsonb(found) AS row FROM %s($1, $2) AS found LIMIT $3) AS answer,"           \
	"     jsonb_to_record(answer.row) AS said("                                                    \
	"         name text COLLATE \"C\", version text COLLATE \"C\","                                \
	"         source_name text COLLATE \"C\", source_version text COLLATE \"C\","                  \
	"         architecture text COLLATE \"C\", module text COLLATE \"C\","                         \
	"         vendor text COLLATE \"C\", license text COLLATE \"C\")"                              \
	" ORDER BY 1, 2, 3, 4, 5, 6, 7, 8"

/* What a function has found. */
typedef struct Found
{
	int64 count;
	char *(*rows)[FOUND_COLUMNS];
} Found;

static int clair_detector_timeout;

static TimeoutId timeout_id = MAX_TIMEOUTS; /* registered when first used */
static volatile sig_atomic_t timed_out;

void
DetectorInit(void)
{
	DefineCustomIntVariable("clair.detector_timeout",
							"Time that a detector may take for a file of a layer.",
							"0 lets it take any time.", &clair_detector_timeout, 10000, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
}

/* ---------------------------------------------------------------------------
 * Calling a function
 * --------------------------------------------------------------------------- */

/* In a signal's handler: the function is cancelled, as a statement is. */
static void
HandleTimeout(void)
{
	timed_out = true;
	QueryCancelPending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

static void
StartTimeout(void)
{
	if (timeout_id == MAX_TIMEOUTS)
		timeout_id = RegisterTimeout(USER_TIMEOUT, HandleTimeout);
	timed_out = false;
	if (clair_detector_timeout > 0)
		enable_timeout_after(timeout_id, clair_detector_timeout);
}

static void
StopTimeout(void)
{
	disable_timeout(timeout_id, false);
	if (timed_out)
		QueryCancelPending = false; /* it came when there was nothing left to cancel */
}

static void
TakeFound(Found *found, MemoryContext context)
{
	found->count = (int64) SPI_processed;
	found->rows = MemoryContextAllocHuge(context,
										 sizeof(*found->rows) * (Size) Max(found->count, 1));
	for (int64 row = 0; row < found->count; row++)
	{
		for (int i = 0; i < FOUND_COLUMNS; i++)
		{
			char *text = ResultText(row, i + 1);

			found->rows[row][i] = text != NULL ? MemoryContextStrdup(context, text) : NULL;
		}
	}
}

/* Calls the function as the detector's owner; what it has found lies in the context. */
static void
AskFunction(const DetectorFile *file, Found *found, MemoryContext context)
{
	SqlParameters parameters = {0};

	RestrictToRole(file->detector->role_id);
	FAULT_POINT("detector-begun");
	SPI_connect();
	AddText(&parameters, file->path);
	AddBytes(&parameters, file->bytes.data, file->bytes.len);
	AddInteger(&parameters, CurrentLimits().max_features + 1);
	/* The name of the function is quoted. */
	RunSql(psprintf(FIND_FEATURES, file->detector->function), &parameters);
	TakeFound(found, context);
	FAULT_POINT("detector-answered");
	SPI_finish();
}

/*
 * Whether an error is that of the function, or of what it was given; not that of the statement
 * which we are in, or of its transaction.
 */
static bool
IsOfFunction(int sqlstate)
{
	if (sqlstate == ERRCODE_QUERY_CANCELED)
		return timed_out;
	return ERRCODE_TO_CATEGORY(sqlstate) != ERRCODE_TRANSACTION_ROLLBACK;
}

static char *
DescribeError(const ErrorData *error)
{
	int length = (int) strlen(error->message);

	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		return psprintf("it took longer than %d ms, see clair.detector_timeout",
						clair_detector_timeout);
	return pnstrdup(error->message, pg_mbcliplen(error->message, length, MAX_PROBLEM));
}

/* Calls the function. NULL, or why it has found nothing. */
static char *
CallFunction(const DetectorFile *file, Found *found)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	if (file->detector->refusal != NULL)
		return pstrdup(file->detector->refusal);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	StartTimeout();
	PG_TRY();
	{
		AskFunction(file, found, context);
		StopTimeout();
	}
	PG_CATCH();
	{
		StopTimeout();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return NULL;
	if (!IsOfFunction(error->sqlerrcode))
		ReThrowError(error);
	return DescribeError(error);
}

/* ---------------------------------------------------------------------------
 * What it has found
 * --------------------------------------------------------------------------- */

/* What is wrong with a text that must be there; NULL when nothing is. */
static const char *
TextFault(const char *text, size_t greatest)
{
	if (text == NULL || text[0] == '\0')
		return "missing";
	return strlen(text) > greatest ? "too long" : NULL;
}

/* What is wrong with a row, whose license does not matter; NULL when nothing is. */
static char *
RowFault(char **row)
{
	static const char *const names[] = {
		[FOUND_VERSION] = "version",
		[FOUND_SOURCE_NAME] = "source's name",
		[FOUND_SOURCE_VERSION] = "source's version",
		[FOUND_ARCHITECTURE] = "architecture",
		[FOUND_MODULE] = "module",
		[FOUND_VENDOR] = "vendor",
	};
	const char *fault = TextFault(row[FOUND_NAME], CLAIR_MAX_NAME);

	if (fault != NULL)
		return psprintf("a package's name is %s", fault);
	for (int i = FOUND_VERSION; i < FOUND_LICENSE; i++)
	{
		if (i != FOUND_VERSION && row[i] == NULL)
			continue;
		fault = TextFault(row[i], i == FOUND_VERSION || i == FOUND_SOURCE_VERSION
									  ? CLAIR_MAX_VERSION
									  : CLAIR_MAX_NAME);
		if (fault != NULL)
			return psprintf("package \"%s\": its %s is %s", row[FOUND_NAME], names[i], fault);
	}
	return NULL;
}

/* Why a version is not valid; no value when it is. */
static ClairBytes
VersionFault(VersionFormat format, const char *what, const char *version)
{
	unsigned char key[VERSION_KEY_SIZE(CLAIR_MAX_VERSION)];
	size_t size;
	VersionProblem problem;

	if (version_encode(format, clair_bytes(version), key, &size, &problem))
		return CLAIR_NULL_BYTES;
	return clair_bytes(psprintf("%s: %s, at byte %zu", what, problem.reason, problem.position + 1));
}

static ClairBytes
OptionalField(const char *text)
{
	return text != NULL ? clair_bytes(text) : CLAIR_NULL_BYTES;
}

/* Stages a row as a feature of the file, under a number. */
static void
StageFeature(IndexJob *job, char **row, int64 number)
{
	VersionFormat format = job->file.detector->format;
	const char *source_version = row[FOUND_SOURCE_VERSION] != NULL ? row[FOUND_SOURCE_VERSION]
																   : row[FOUND_VERSION];
	ClairBytes problem = VersionFault(format, "version", row[FOUND_VERSION]);
	ClairBytes fields[] = {
		clair_bytes(job->file.content),
		clair_bytes(psprintf(INT64_FORMAT, number)),
		clair_bytes(row[FOUND_NAME]),
		clair_bytes(row[FOUND_VERSION]),
		clair_bytes(row[FOUND_SOURCE_NAME] != NULL ? row[FOUND_SOURCE_NAME] : row[FOUND_NAME]),
		clair_bytes(source_version),
		OptionalField(row[FOUND_ARCHITECTURE]),
		problem.data != NULL ? problem : VersionFault(format, "source version", source_version),
		OptionalField(row[FOUND_MODULE]),
		OptionalField(row[FOUND_VENDOR]),
		OptionalField(TextFault(row[FOUND_LICENSE], MAX_LICENSE) == NULL ? row[FOUND_LICENSE]
																		 : NULL),
	};

	StaticAssertStmt(lengthof(fields) <= WIRE_MAX_COLUMNS, "a feature must fit in a row");
	Assert(lengthof(fields) == wire_relations[WIRE_FEATURE].column_count);
	CountBytes(job, fields, lengthof(fields));
	StageRow(job->rows.relations[WIRE_FEATURE], fields);
}

/* Stages what was found. NULL, or what is wrong with some of it, which is left out. */
static char *
StageFound(IndexJob *job, const Found *found)
{
	char *problem = NULL;
	int64 number = 0;

	if (found->count > CurrentLimits().max_features)
		return psprintf("it found more than " INT64_FORMAT " packages, see clair.max_features",
						CurrentLimits().max_features);
	for (int64 i = 0; i < found->count; i++)
	{
		char **row = found->rows[i];
		char *fault = RowFault(row);

		CHECK_FOR_INTERRUPTS();
		if (fault == NULL)
			StageFeature(job, row, ++number);
		else if (problem == NULL)
			problem = fault;
	}
	return problem;
}

/* Remembers a problem for as long as the job. */
static void
KeepProblem(IndexJob *job, const char *problem, MemoryContext context)
{
	DetectorProblems *problems = &job->rows.problems;
	MemoryContext old_context = MemoryContextSwitchTo(context);
	ClairBytes fields[] = {clair_bytes(pstrdup(job->file.content)), clair_bytes(pstrdup(problem))};

	CountBytes(job, fields, lengthof(fields));
	if (problems->count == problems->capacity)
	{
		Size size = sizeof(ClairBytes) * (Size) Max(problems->capacity * 2, 16);

		problems->contents = problems->capacity == 0 ? palloc(size)
													 : repalloc(problems->contents, size);
		problems->reasons = problems->capacity == 0 ? palloc(size)
													: repalloc(problems->reasons, size);
		problems->capacity = Max(problems->capacity * 2, 16);
	}
	problems->contents[problems->count] = fields[0];
	problems->reasons[problems->count++] = fields[1];
	MemoryContextSwitchTo(old_context);
}

/* Lets the detector read the file that has been received. */
static void
Detect(IndexJob *job)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "clair detector",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	Found found = {0};
	char *problem = CallFunction(&job->file, &found);

	if (problem == NULL)
		problem = StageFound(job, &found);
	if (problem != NULL)
		KeepProblem(job, problem, old_context);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}

/* ---------------------------------------------------------------------------
 * What clair-reader says and asks
 * --------------------------------------------------------------------------- */

pg_noreturn static void
ReportMalformed(void)
{
	ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
					errmsg("clair-reader sent a malformed file for a detector")));
}

/* The detector whose file has this content; NULL when there is none. */
static const Detector *
DetectorOf(const Detectors *detectors, ClairBytes content)
{
	for (int i = 0; i < detectors->count; i++)
	{
		ClairBytes role = clair_bytes(detectors->list[i].role);

		if (content.size > role.size && content.data[role.size] == ':' &&
			clair_bytes_start_with(content, role))
			return &detectors->list[i];
	}
	return NULL;
}

bool
AreDetections(const ClairBytes *keys, uint32 count)
{
	return count > 0 && clair_bytes_start_with(keys[0], CLAIR_LITERAL(WIRE_DETECTOR_ROLE));
}

ClairBytes *
KnownDetections(const Detectors *detectors, const ClairBytes *keys, uint32 count)
{
	SqlParameters parameters = {0};
	ClairBytes *answers = palloc0(sizeof(ClairBytes) * count);
	ClairBytes *roles;
	ClairBytes *versions;

	if (count > WIRE_MAX_DETECTIONS)
		ReportMalformed();
	roles = palloc(sizeof(ClairBytes) * count);
	versions = palloc(sizeof(ClairBytes) * count);
	for (uint32 i = 0; i < count; i++)
	{
		const Detector *detector = DetectorOf(detectors, keys[i]);

		if (detector == NULL)
			ReportMalformed();
		roles[i] = clair_bytes(detector->role);
		versions[i] = clair_bytes(psprintf(INT64_FORMAT, detector->version));
	}
	AddTextArray(&parameters, keys, count);
	AddTextArray(&parameters, roles, count);
	AddTextArray(&parameters, versions, count);
	/* In all namespaces in which it is: one that is older would be read again without its features.
	 */
	RunSql("SELECT asked.number - 1"
		   " FROM unnest($1, $2, $3::bigint[]) WITH ORDINALITY"
		   "         AS asked(content, role, version, number)"
		   "     JOIN clair.package_database AS base"
		   "         ON base.content = asked.content AND base.format = asked.role"
		   " GROUP BY asked.number, asked.version"
		   " HAVING min(base.version) >= asked.version",
		   &parameters);
	for (uint64 row = 0; row < SPI_processed; row++)
		answers[ResultInteger((int64) row, 1)] = CLAIR_LITERAL("");
	return answers;
}

/* Begins with the first piece of a file. */
static void
BeginFile(IndexJob *job, const HelperFrame *row)
{
	DetectorFile *file = &job->file;

	file->detector = DetectorOf(job->detectors, row->fields[0]);
	if (file->detector == NULL || row->fields[1].data == NULL || row->fields[2].data == NULL ||
		!wire_integer(row->fields[2], &file->size) || file->size < 0 ||
		file->size > WIRE_MAX_DETECTOR_FILE)
		ReportMalformed();
	file->content = pnstrdup(row->fields[0].data, row->fields[0].size);
	file->path = pnstrdup(row->fields[1].data, row->fields[1].size);
	initStringInfo(&file->bytes);
}

void
TakeDetectorFile(IndexJob *job, const HelperFrame *row)
{
	DetectorFile *file = &job->file;
	ClairBytes piece = row->fields[3];

	if (row->fields[0].data == NULL || piece.data == NULL)
		ReportMalformed();
	if (file->detector == NULL)
		BeginFile(job, row);
	if (!clair_bytes_equal(row->fields[0], clair_bytes(file->content)) ||
		(int64) piece.size > file->size - file->bytes.len || (piece.size == 0 && file->size > 0))
		ReportMalformed();
	appendBinaryStringInfo(&file->bytes, piece.data, (int) piece.size);
	if (file->bytes.len < file->size)
		return;
	Detect(job);
	pfree(file->bytes.data);
	pfree(file->path);
	pfree(file->content);
	file->detector = NULL;
}
