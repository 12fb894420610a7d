/*
 * backend.c
 *    The stand-in for a backend; see backend.h. Everything here is called by the server's sources.
 *
 * Every allocation is malloc()'s own, so that reading beyond one, or one whose context has been
 * reset, is seen. Messages of errors must be text, whatever they quote.
 */
#include "postgres.h"

#include <sys/socket.h>
#include <unistd.h>

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "../fuzz.h"
#include "backend.h"
#include "common/text.h"
#include "common/wire.h"
#include "server/owner.h"
#include "server/settings.h"

#undef snprintf
#undef vsnprintf

/* ---------------------------------------------------------------------------
 * Memory
 * --------------------------------------------------------------------------- */

typedef struct Chunk
{
	struct Chunk *next;
	struct Chunk **place;
	MemoryContext context;
	Size size;
} Chunk;

typedef struct Context
{
	MemoryContextData data; /* firstchild, nextchild, parent and reset_cbs are used */
	Chunk *chunks;
} Context;

static Context top;
MemoryContext CurrentMemoryContext = &top.data;
MemoryContext TopMemoryContext = &top.data;

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	Context *owner = (Context *) context;
	Chunk *chunk;

	if (size > MaxAllocHugeSize / 4)
		elog(ERROR, "invalid memory alloc request size %zu", size);
	chunk = malloc(sizeof(Chunk) + size);
	require(chunk != NULL);
	*chunk = (Chunk){owner->chunks, &owner->chunks, context, size};
	if (chunk->next != NULL)
		chunk->next->place = &chunk->next;
	owner->chunks = chunk;
	return chunk + 1;
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return memset(MemoryContextAlloc(context, size), 0, size);
}

void *
MemoryContextAllocZeroAligned(MemoryContext context, Size size)
{
	return MemoryContextAllocZero(context, size);
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	return MemoryContextAlloc(context, size);
}

void *
MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	return (flags & MCXT_ALLOC_ZERO) != 0 ? MemoryContextAllocZero(context, size)
										  : MemoryContextAlloc(context, size);
}

void *
palloc(Size size)
{
	if (!AllocSizeIsValid(size))
		elog(ERROR, "invalid memory alloc request size %zu", size);
	return MemoryContextAlloc(CurrentMemoryContext, size);
}

void *
palloc0(Size size)
{
	return memset(palloc(size), 0, size);
}

void
pfree(void *pointer)
{
	Chunk *chunk = (Chunk *) pointer - 1;

	*chunk->place = chunk->next;
	if (chunk->next != NULL)
		chunk->next->place = chunk->place;
	free(chunk);
}

void *
repalloc(void *pointer, Size size)
{
	Chunk *chunk = (Chunk *) pointer - 1;
	void *moved;

	if (!AllocSizeIsValid(size))
		elog(ERROR, "invalid memory alloc request size %zu", size);
	moved = MemoryContextAlloc(chunk->context, size);
	memcpy(moved, pointer, Min(size, chunk->size));
	pfree(pointer);
	return moved;
}

void *
repalloc_huge(void *pointer, Size size)
{
	return repalloc(pointer, size);
}

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name, Size minContextSize,
							  Size initBlockSize, Size maxBlockSize)
{
	Context *context = calloc(1, sizeof(Context));

	require(context != NULL);
	context->data.type = T_AllocSetContext;
	context->data.name = name;
	context->data.parent = parent;
	context->data.nextchild = parent->firstchild;
	parent->firstchild = &context->data;
	return &context->data;
}

void
MemoryContextRegisterResetCallback(MemoryContext context, MemoryContextCallback *callback)
{
	callback->next = context->reset_cbs;
	context->reset_cbs = callback;
}

void
MemoryContextReset(MemoryContext context)
{
	while (context->firstchild != NULL)
		MemoryContextDelete(context->firstchild);
	while (context->reset_cbs != NULL)
	{
		MemoryContextCallback *callback = context->reset_cbs;

		context->reset_cbs = callback->next;
		callback->func(callback->arg);
	}
	while (((Context *) context)->chunks != NULL)
		pfree(((Context *) context)->chunks + 1);
}

void
MemoryContextDelete(MemoryContext context)
{
	MemoryContext *place = &context->parent->firstchild;

	MemoryContextReset(context);
	while (*place != context)
		place = &(*place)->nextchild;
	*place = context->nextchild;
	free(context);
}

/* ---------------------------------------------------------------------------
 * Texts
 * --------------------------------------------------------------------------- */

char *
MemoryContextStrdup(MemoryContext context, const char *string)
{
	return strcpy(MemoryContextAlloc(context, strlen(string) + 1), string);
}

char *
pstrdup(const char *string)
{
	return MemoryContextStrdup(CurrentMemoryContext, string);
}

char *
pnstrdup(const char *in, Size len)
{
	Size size = strnlen(in, len);
	char *copy = palloc(size + 1);

	memcpy(copy, in, size);
	copy[size] = '\0';
	return copy;
}

static char *
format_text(const char *format, va_list arguments)
{
	va_list again;
	char *text;
	int size;

	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	require(size >= 0);
	text = palloc((Size) size + 1);
	vsnprintf(text, (Size) size + 1, format, arguments);
	return text;
}

char *
psprintf(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = format_text(format, arguments);
	va_end(arguments);
	return text;
}

int
pg_snprintf(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(buffer, size, format, arguments);
	va_end(arguments);
	return length;
}

void
initStringInfo(StringInfo string)
{
	string->data = palloc(1);
	string->maxlen = 1;
	resetStringInfo(string);
}

void
resetStringInfo(StringInfo string)
{
	string->data[0] = '\0';
	string->len = 0;
	string->cursor = 0;
}

/* Exactly as much as is needed. */
void
enlargeStringInfo(StringInfo string, int needed)
{
	if (needed < 0 || (Size) needed >= MaxAllocSize - (Size) string->len)
		elog(ERROR, "cannot enlarge a string");
	if (string->len + needed + 1 > string->maxlen)
	{
		string->maxlen = string->len + needed + 1;
		string->data = repalloc(string->data, (Size) string->maxlen);
	}
}

void
appendBinaryStringInfo(StringInfo string, const char *data, int size)
{
	enlargeStringInfo(string, size);
	if (size > 0)
		memcpy(string->data + string->len, data, (Size) size);
	string->len += size;
	string->data[string->len] = '\0';
}

void
appendStringInfoString(StringInfo string, const char *text)
{
	appendBinaryStringInfo(string, text, (int) strlen(text));
}

void
appendStringInfoChar(StringInfo string, char character)
{
	appendBinaryStringInfo(string, &character, 1);
}

void
appendStringInfo(StringInfo string, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	appendStringInfoString(string, format_text(format, arguments));
	va_end(arguments);
}

text *
cstring_to_text_with_len(const char *string, int size)
{
	text *result = palloc((Size) size + VARHDRSZ);

	SET_VARSIZE(result, size + VARHDRSZ);
	if (size > 0)
		memcpy(VARDATA(result), string, (Size) size);
	return result;
}

text *
cstring_to_text(const char *string)
{
	return cstring_to_text_with_len(string, (int) strlen(string));
}

char *
text_to_cstring(const text *text)
{
	return pnstrdup(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
}

const char *
quote_identifier(const char *name)
{
	return name;
}

unsigned char
pg_ascii_tolower(unsigned char byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

int
pg_mbcliplen(const char *string, int size, int limit)
{
	return Min(size, limit);
}

size_t
strlcpy(char *to, const char *from, size_t size)
{
	return (size_t) snprintf(to, size, "%s", from);
}

uint32
hash_bytes(const unsigned char *bytes, int size)
{
	uint32 hash = 2166136261;

	for (int i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 16777619;
	return hash;
}

/* ---------------------------------------------------------------------------
 * Errors
 * --------------------------------------------------------------------------- */

sigjmp_buf *PG_exception_stack;
ErrorContextCallback *error_context_stack;
volatile sig_atomic_t InterruptPending;
volatile sig_atomic_t QueryCancelPending;

bool
errstart(int level, const char *domain)
{
	return level >= ERROR;
}

bool
errstart_cold(int level, const char *domain)
{
	return errstart(level, domain);
}

void
errfinish(const char *file, int line, const char *function)
{
	pg_re_throw();
}

void
pg_re_throw(void)
{
	require(PG_exception_stack != NULL);
	siglongjmp(*PG_exception_stack, 1);
}

void
ReThrowError(ErrorData *error)
{
	pg_re_throw();
}

ErrorData *
CopyErrorData(void)
{
	return palloc0(sizeof(ErrorData));
}

void
FlushErrorState(void)
{
}

int
errcode(int code)
{
	return 0;
}

#define ERROR_TEXT(name)                                                                           \
	int name(const char *format, ...)                                                              \
	{                                                                                              \
		va_list arguments;                                                                         \
                                                                                                   \
		va_start(arguments, format);                                                               \
		require(text_is_valid(clair_bytes(format_text(format, arguments))));                       \
		va_end(arguments);                                                                         \
		return 0;                                                                                  \
	}

ERROR_TEXT(errmsg)
ERROR_TEXT(errmsg_internal)
ERROR_TEXT(errdetail)
ERROR_TEXT(errhint)

void
check_stack_depth(void)
{
}

void
ProcessInterrupts(void)
{
}

const char *
pg_strsignal(int number)
{
	return "a signal";
}

/* ---------------------------------------------------------------------------
 * Lists, arrays, rows
 * --------------------------------------------------------------------------- */

List *
lappend(List *list, void *datum)
{
	if (list == NIL)
	{
		list = palloc0(sizeof(List));
		list->type = T_List;
		list->elements = palloc(sizeof(ListCell));
	}
	else
		list->elements = repalloc(list->elements, sizeof(ListCell) * (Size) (list->length + 1));
	list->elements[list->length++].ptr_value = datum;
	return list;
}

ArrayBuildState *
initArrayResult(Oid type, MemoryContext context, bool has_context)
{
	ArrayBuildState *state = MemoryContextAllocZero(context, sizeof(ArrayBuildState));

	state->mcontext = context;
	state->dvalues = MemoryContextAlloc(context, sizeof(Datum));
	state->dnulls = MemoryContextAlloc(context, sizeof(bool));
	return state;
}

/* Looks at a text, which must lie in memory. */
static void
touch(Datum value)
{
	require(text_is_valid((ClairBytes){VARDATA_ANY(DatumGetPointer(value)),
									   VARSIZE_ANY_EXHDR(DatumGetPointer(value))}));
}

ArrayBuildState *
accumArrayResult(ArrayBuildState *state, Datum value, bool is_null, Oid type, MemoryContext context)
{
	MemoryContext old_context = MemoryContextSwitchTo(state->mcontext);

	state->dvalues = repalloc(state->dvalues, sizeof(Datum) * (Size) (state->nelems + 1));
	state->dnulls = repalloc(state->dnulls, (Size) (state->nelems + 1));
	state->dnulls[state->nelems] = is_null;
	if (!is_null)
	{
		touch(value);
		value = PointerGetDatum(cstring_to_text_with_len(
			VARDATA_ANY(DatumGetPointer(value)), (int) VARSIZE_ANY_EXHDR(DatumGetPointer(value))));
	}
	state->dvalues[state->nelems++] = value;
	MemoryContextSwitchTo(old_context);
	return state;
}

/* All that is known of an array is how many elements it has. */
Datum
makeArrayResult(ArrayBuildState *state, MemoryContext context)
{
	int64 *count = MemoryContextAlloc(context, sizeof(int64));

	*count = state->nelems;
	return PointerGetDatum(count);
}

HeapTuple
heap_form_tuple(TupleDesc descriptor, Datum *values, bool *nulls)
{
	HeapTuple tuple = palloc0(sizeof(HeapTupleData));

	for (int i = 0; i < WIRE_MAX_COLUMNS + 1; i++)
		tuple->t_len += nulls[i] ? 1 : 8;
	return tuple;
}

void
heap_deform_tuple(HeapTuple tuple, TupleDesc descriptor, Datum *values, bool *nulls)
{
	abort();
}

TupleDesc
CreateTupleDescCopy(TupleDesc descriptor)
{
	return NULL;
}

RangeVar *
makeRangeVar(char *schema, char *name, int location)
{
	return NULL;
}

static void
insert_nothing(Relation relation, TupleTableSlot **slots, int count, CommandId command, int options,
			   BulkInsertState state)
{
	require(count > 0);
}

Relation
table_openrv(const RangeVar *name, LOCKMODE mode)
{
	static const TableAmRoutine routine = {.multi_insert = insert_nothing};
	Relation relation = palloc0(sizeof(RelationData));

	relation->rd_tableam = &routine;
	return relation;
}

void
table_close(Relation relation, LOCKMODE mode)
{
	pfree(relation);
}

static void
clear_nothing(TupleTableSlot *slot)
{
}

const TupleTableSlotOps TTSOpsHeapTuple = {.clear = clear_nothing};

TupleTableSlot *
MakeSingleTupleTableSlot(TupleDesc descriptor, const TupleTableSlotOps *operations)
{
	static TupleTableSlot slot = {.tts_ops = &TTSOpsHeapTuple};

	return &slot;
}

/* Of rows that have been collected, each must still be there. */
TupleTableSlot *
ExecStoreHeapTuple(HeapTuple tuple, TupleTableSlot *slot, bool should_free)
{
	require(tuple->t_len > 0);
	return slot;
}

BulkInsertState
GetBulkInsertState(void)
{
	return NULL;
}

void
FreeBulkInsertState(BulkInsertState state)
{
}

CommandId
GetCurrentCommandId(bool used)
{
	return 0;
}

/* ---------------------------------------------------------------------------
 * Statements
 * --------------------------------------------------------------------------- */

uint64 SPI_processed;
SPITupleTable *SPI_tuptable;

int
SPI_connect(void)
{
	return SPI_OK_CONNECT;
}

int
SPI_finish(void)
{
	return SPI_OK_FINISH;
}

const char *
SPI_result_code_string(int code)
{
	return "";
}

/* Of a question, every second element of its second array is known. */
int
SPI_execute_with_args(const char *statement, int count, Oid *types, Datum *values,
					  const char *nulls, bool read_only, long limit)
{
	static HeapTuple none[1];
	static SPITupleTable table = {.vals = none};

	for (int i = 0; i < count; i++)
	{
		if (nulls[i] != 'n' && types[i] == TEXTOID)
			touch(values[i]);
	}
	SPI_tuptable = &table;
	SPI_processed = 0;
	if (strstr(statement, "WITH ORDINALITY") != NULL && types[1] == TEXTARRAYOID)
		SPI_processed = (uint64) * (int64 *) DatumGetPointer(values[1]) / 2;
	if (SPI_processed > 0)
	{
		table.vals = palloc(sizeof(HeapTuple) * SPI_processed);
		for (uint64 i = 0; i < SPI_processed; i++)
			table.vals[i] = (HeapTuple) (uintptr_t) (2 * i + 1);
	}
	return SPI_OK_SELECT;
}

/* The number of what is known. */
char *
SPI_getvalue(HeapTuple tuple, TupleDesc descriptor, int column)
{
	return psprintf("%d", (int) (uintptr_t) tuple);
}

/* ---------------------------------------------------------------------------
 * Running it
 * --------------------------------------------------------------------------- */

#define MAX_FRAMES 64
#define MAX_FIELDS 32
#define MAX_WORDS  65536 /* fit into a socket's buffer */

ClairBytes fuzz_helper_words; /* bytes that the next helper says */
int fuzz_helper_status;		  /* as waitpid() tells it */

static ClairBytes
append_frame(ClairBytes bytes, char type, uint8_t tag, const ClairBytes *fields, size_t count)
{
	size_t size = wire_frame_size(fields, (uint32_t) count);
	char *longer = realloc((char *) bytes.data, bytes.size + size);

	require(longer != NULL);
	wire_frame(longer + bytes.size, (WireType) type, tag, fields, (uint32_t) count);
	return (ClairBytes){longer, bytes.size + size};
}

static ClairBytes
append_part(ClairBytes bytes, ClairBytes part)
{
	ClairBytes fields[MAX_FIELDS + 1];
	size_t count = fuzz_split(part, 1, fields, MAX_FIELDS + 1);
	ClairBytes head = fields[0];

	for (size_t i = 1; i < count; i++)
		if (clair_bytes_equal(fields[i], CLAIR_LITERAL("\xF7n")))
			fields[i] = CLAIR_NULL_BYTES;
	if (head.size == 0)
		return bytes;
	return append_frame(bytes, head.data[0],
						head.size > 1 ? (uint8_t) ((unsigned char) head.data[1] - 'a') : 0,
						fields + 1, count - 1);
}

/* What the helper says. */
static void
prepare_helper(ClairBytes input)
{
	static const ClairBytes hello[] = {CLAIR_LITERAL("clair"), CLAIR_LITERAL("1")};
	ClairBytes parts[MAX_FRAMES];
	size_t count = fuzz_split(input, 0, parts, MAX_FRAMES);
	ClairBytes bytes = append_frame(CLAIR_NULL_BYTES, WIRE_HELLO, 0, hello, 2);
	bool is_raw = count > 1 && memchr(parts[0].data, 'r', parts[0].size) != NULL;

	if (is_raw)
	{
		ClairBytes rest = clair_bytes_skip(input, parts[0].size + 3);

		bytes.size = 0;
		bytes.data = realloc((char *) bytes.data, rest.size + 1);
		require(bytes.data != NULL);
		memcpy((char *) bytes.data, rest.data, rest.size);
		bytes.size = rest.size;
	}
	for (size_t i = 1; i < count && !is_raw; i++)
		bytes = append_part(bytes, parts[i]);
	fuzz_helper_words = bytes;
	fuzz_helper_status = parts[0].size > 0 && parts[0].data[0] == 'e'	? 1 << 8
						 : parts[0].size > 0 && parts[0].data[0] == 'k' ? 9
																		: 0;
}

void
fuzz_as_backend(const uint8_t *data, size_t size, void (*function)(void))
{
	sigjmp_buf buffer;

	if (size == 0 || size > MAX_WORDS)
		return;
	prepare_helper((ClairBytes){(const char *) data, size});
	if (fuzz_helper_words.size <= MAX_WORDS)
	{
		CurrentMemoryContext = AllocSetContextCreate(&top.data, "fuzz", ALLOCSET_DEFAULT_SIZES);
		PG_exception_stack = &buffer;
		error_context_stack = NULL;
		if (sigsetjmp(buffer, 0) == 0)
			function();
		PG_exception_stack = NULL;
		CurrentMemoryContext = &top.data;
		MemoryContextReset(&top.data);
	}
	free((char *) fuzz_helper_words.data);
}

/* ---------------------------------------------------------------------------
 * The rest of the server
 * --------------------------------------------------------------------------- */

struct Latch *MyLatch;
ResourceOwner CurrentResourceOwner;
const char *debug_query_string = "SELECT";
int temp_file_limit = -1;

char *clair_image_directories = "";
int clair_helper_timeout = 60;

ClairLimits
CurrentLimits(void)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;

	limits.max_layers = 8;
	limits.reader_memory = 32 << 10;
	return limits;
}

const char *
SandboxMode(void)
{
	return "auto";
}

void
get_parent_directory(char *path)
{
	*strrchr(path, '/') = '\0';
}

char *
pg_strerror(int number)
{
	return number == ENOENT ? "No such file or directory" : "Invalid argument";
}

void
RestrictToRole(Oid role)
{
}

/* Settings have the values that they begin with. */
void
DefineCustomBoolVariable(const char *name, const char *short_desc, const char *long_desc,
						 bool *value, bool boot_value, GucContext context, int flags,
						 GucBoolCheckHook check, GucBoolAssignHook assign, GucShowHook show)
{
	*value = boot_value;
}

void
DefineCustomIntVariable(const char *name, const char *short_desc, const char *long_desc, int *value,
						int boot_value, int min_value, int max_value, GucContext context, int flags,
						GucIntCheckHook check, GucIntAssignHook assign, GucShowHook show)
{
	*value = boot_value;
}

void
DefineCustomStringVariable(const char *name, const char *short_desc, const char *long_desc,
						   char **value, const char *boot_value, GucContext context, int flags,
						   GucStringCheckHook check, GucStringAssignHook assign, GucShowHook show)
{
	*value = (char *) boot_value;
}

bool
AcquireExternalFD(void)
{
	return true;
}

void
ReleaseExternalFD(void)
{
}

void
ResetLatch(Latch *latch)
{
}

void
SetLatch(Latch *latch)
{
}

int
WaitLatch(Latch *latch, int events, long timeout, uint32 info)
{
	return WL_TIMEOUT;
}

TimestampTz
GetCurrentTimestamp(void)
{
	return 0;
}

bool
TimestampDifferenceExceeds(TimestampTz start, TimestampTz stop, int milliseconds)
{
	return false;
}

void
pgstat_report_activity(BackendState state, const char *text)
{
	require(text_is_valid(clair_bytes(text)));
}

void
pgstat_report_query_id(uint64 id, bool force)
{
}

uint64
pgstat_get_my_query_id(void)
{
	return 0;
}

void
BeginInternalSubTransaction(const char *name)
{
}

void
ReleaseCurrentSubTransaction(void)
{
}

void
RollbackAndReleaseCurrentSubTransaction(void)
{
}

TimeoutId
RegisterTimeout(TimeoutId id, timeout_handler_proc handler)
{
	return id;
}

void
enable_timeout_after(TimeoutId id, int milliseconds)
{
}

void
disable_timeout(TimeoutId id, bool keep)
{
}
