/*
 * index.c
 *    Indexing images: clair.index_image(), delete_image(), collect_garbage().
 *
 * The server opens the file, starts one clair-reader on it, collects the rows that it sends,
 * and stores them with set-based statements, everything in the caller's transaction. The
 * caller needs the privilege to execute the function, and for a path that of reading server
 * files; the tables are written as the extension's owner.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "common/fault.h"
#include "index/index.h"
#include "index/stack.h"
#include "index/tenant.h"
#include "server/audit.h"
#include "server/compat.h"
#include "server/owner.h"
#include "server/progress.h"
#include "server/settings.h"
#include "server/sql.h"

PG_FUNCTION_INFO_V1(index_image_path);
PG_FUNCTION_INFO_V1(index_image_content);
PG_FUNCTION_INFO_V1(delete_image);
PG_FUNCTION_INFO_V1(collect_garbage);

/* Columns of what indexing returns, and the number of one of them. */
#define INDEXED_IMAGE_COLUMNS 10
#define LAYERS_READ			  7

/* The architecture of this server in OCI's words (those of Go's GOARCH). */
static const char *
ServerArchitecture(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__aarch64__)
	return "arm64";
#elif defined(__i386__)
	return "386";
#elif defined(__arm__)
	return "arm";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
	return "ppc64le";
#elif defined(__s390x__)
	return "s390x";
#elif defined(__riscv) && __riscv_xlen == 64
	return "riscv64";
#else
	return "unknown";
#endif
}

size_t
DigestAlgorithmSize(ClairBytes text)
{
	static const char *const prefixes[] = {"sha256:", "sha512:"};
	static const size_t hex_sizes[] = {64, 128};

	for (size_t i = 0; i < lengthof(prefixes); i++)
	{
		size_t prefix = strlen(prefixes[i]);

		if (text.size == prefix + hex_sizes[i] && memcmp(text.data, prefixes[i], prefix) == 0 &&
			strspn(pnstrdup(text.data + prefix, hex_sizes[i]), "0123456789abcdef") == hex_sizes[i])
			return prefix - 1;
	}
	return 0;
}

/*
 * The path, below an OCI layout's directory, of what the reader calls "oci-layout",
 * "index.json" or by a digest; NULL for any other name.
 */
static char *
BlobPath(ClairBytes name)
{
	size_t algorithm = DigestAlgorithmSize(name);

	if (clair_bytes_equal(name, CLAIR_LITERAL("oci-layout")) ||
		clair_bytes_equal(name, CLAIR_LITERAL("index.json")))
		return pnstrdup(name.data, name.size);
	if (algorithm == 0)
		return NULL;
	return psprintf("blobs/%.*s/%.*s", (int) algorithm, name.data,
					(int) (name.size - algorithm - 1), name.data + algorithm + 1);
}

/* Answers a question of the reader for a file of the image's directory. */
static void
AnswerBlob(IndexJob *job, const HelperFrame *question)
{
	ClairBytes name = question->fields[0];
	char *path = BlobPath(name);
	Descriptor *blob = path != NULL && job->is_directory ? OpenBeneath(job->input->fd, path) : NULL;

	FAULT_POINT("index-blob");
	if (blob != NULL)
	{
		SendFrame(job->reader, WIRE_BLOB_ANSWER, NULL, 0, blob->fd);
		CloseDescriptor(blob);
	}
	else
	{
		ClairBytes reason = clair_bytes(path == NULL ? "not a name of a blob" : strerror(errno));

		SendFrame(job->reader, WIRE_BLOB_ANSWER, &reason, 1, -1);
	}
}

/*
 * Answers a question of the reader for layers, each of which costs a lock when it is not known, or
 * for files for detectors. A reader asks for layers once, each of them once: a wild one must not
 * take the locks that other sessions need.
 */
static void
AnswerKnown(IndexJob *job, const HelperFrame *question)
{
	FAULT_POINT("index-known");
	if (AreDetections(question->fields, question->count))
	{
		SendFrame(job->reader, WIRE_KNOWN_ANSWER,
				  KnownDetections(job->detectors, question->fields, question->count),
				  question->count, -1);
		return;
	}
	job->asked += Max(question->count, 1);
	if (job->asked > CurrentLimits().max_layers)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("clair-reader asked for more than " INT64_FORMAT " layers",
							   CurrentLimits().max_layers),
						errhint("See clair.max_layers.")));
	SendFrame(job->reader, WIRE_KNOWN_ANSWER, KnownLayers(question->fields, question->count),
			  question->count, -1);
}

void
CountBytes(IndexJob *job, const ClairBytes *fields, uint32 count)
{
	int64 most = Min(CurrentLimits().reader_memory, MAX_STAGED_SIZE);

	for (uint32 i = 0; i < count; i++)
		job->bytes += (int64) fields[i].size + (int64) sizeof(Datum);
	if (job->bytes > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the image has more than " INT64_FORMAT " MB of features", most >> 20),
				 errhint("See clair.reader_memory.")));
}

/* Takes a row of the reader; bounded, for a reader gone wild. */
static void
TakeRow(IndexJob *job, const HelperFrame *row)
{
	StagedRows *rows = job->rows.relations[row->relation];
	int64 number;

	if (row->relation == WIRE_DETECTOR_FILE)
	{
		TakeDetectorFile(job, row);
		return;
	}
	if (rows == NULL)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader sent a row of \"%s\" while indexing an image",
							   wire_relations[row->relation].name)));
	FAULT_POINT("index-row");
	CountBytes(job, row->fields, row->count);
	if (row->relation == WIRE_IMAGE &&
		(!wire_integer(row->fields[0], &number) || number != rows->count))
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader sent images that are not numbered in order")));
	StageRow(rows, row->fields);
}

/* Answers a question of the reader. */
static void
AnswerQuestion(IndexJob *job, const HelperFrame *question)
{
	MemoryContext old_context = MemoryContextSwitchTo(job->question);

	if (question->type == WIRE_KNOWN)
		AnswerKnown(job, question);
	else
		AnswerBlob(job, question);
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(job->question);
}

/* Starts the reader and collects all that it says. SPI is connected. */
static void
ReadImage(IndexJob *job)
{
	JobFields *fields = BeginJob();
	HelperFrame frame;

	job->question = AllocSetContextCreate(CurrentMemoryContext, "clair question",
										  ALLOCSET_DEFAULT_SIZES);
	job->reader = StartHelper(HELPER_READER, job->is_directory ? -1 : job->input->fd);
	AddToJob(fields, "job", job->is_sbom ? "sbom" : "index");
	AddToJob(fields, "directory", job->is_directory ? "true" : "false");
	AddToJob(fields, "platform", job->platform);
	AddToJob(fields, "architecture", ServerArchitecture());
	AddToJob(fields, "layer_format", job->layer_format);
	AddToJob(fields, "digest", job->digest);
	AddToJob(fields, "detectors", job->detectors->job);
	SendJob(job->reader, fields);
	do
	{
		ReceiveFrame(job->reader, &frame);
		switch (frame.type)
		{
			case WIRE_ROW:
				TakeRow(job, &frame);
				break;
			case WIRE_KNOWN:
			case WIRE_BLOB:
				AnswerQuestion(job, &frame);
				break;
			case WIRE_PROGRESS:
				ShowProgress("reading an image", "layers", &frame);
				break;
			case WIRE_DONE:
				break;
			default:
				ereport(ERROR,
						(errcode(ERRCODE_PROTOCOL_VIOLATION),
						 errmsg("clair-reader sent an unexpected frame of type %d", frame.type)));
		}
	} while (frame.type != WIRE_DONE);
	FAULT_POINT("index-read");
	HideProgress();
	if (job->file.detector != NULL)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader sent only a part of a file for a detector")));
	if (job->rows.relations[WIRE_IMAGE]->count == 0)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader found neither an image nor an error")));
}

/* Returns, and records, what is now known of the images, in the reader's order. */
static void
ReturnImages(FunctionCallInfo fcinfo, const IndexJob *job, const int64 *ids,
			 const OwnerState *caller)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char *function = get_func_name(fcinfo->flinfo->fn_oid);
	bool is_tenant = TenantPrefixes(caller) != NULL;

	for (int64 i = 0; i < job->rows.relations[WIRE_IMAGE]->count; i++)
	{
		SqlParameters parameters = {0};
		HeapTuple row;
		const char *name;
		const char *digest;
		Datum values[INDEXED_IMAGE_COLUMNS];
		bool nulls[INDEXED_IMAGE_COLUMNS];

		AddInteger(&parameters, ids[i]);
		AddText(&parameters, job->name);
		AddRows(&parameters, job->rows.relations[WIRE_LAYER]);
		AddRows(&parameters, job->rows.relations[WIRE_IMAGE_NAME]);
		AddInteger(&parameters, i);
		RunSql("SELECT image.id,"
			   "     COALESCE($2, (SELECT min(given.name COLLATE \"C\")"
			   "                   FROM unnest($9::bigint[], $10) AS given(image, name)"
			   "                   WHERE given.image = $11)),"
			   "     image.digest::text, image.platform, image.namespace::text, image.status,"
			   "     (SELECT count(*)::integer FROM clair.image_layer WHERE image_id = image.id),"
			   "     (SELECT count(DISTINCT part.layer)::integer FROM clair.image_layer AS part"
			   "      WHERE part.image_id = image.id AND part.layer = ANY ($3)),"
			   "     (SELECT count(*)::integer FROM clair.image_database"
			   "      WHERE image_id = image.id AND until_position IS NULL),"
			   "     (SELECT count(*) FROM clair.image_database AS found"
			   "          JOIN clair.feature ON feature.database_id = found.database_id"
			   "      WHERE found.image_id = image.id AND found.until_position IS NULL)"
			   " FROM clair.image AS image"
			   " WHERE image.id = $1",
			   &parameters);
		row = SPI_tuptable->vals[0];
		heap_deform_tuple(row, SPI_tuptable->tupdesc, values, nulls);
		nulls[LAYERS_READ] |= is_tenant; /* or it told which layers others have */
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		name = ResultText(0, 2);
		digest = ResultText(0, 3);
		RecordAction(caller, function, name != NULL ? name : digest,
					 AddDetail(NULL, "digest", digest));
	}
}

char *
TextArgument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

void
CheckIndexing(const char *function, const char *name)
{
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);
	if (name == NULL)
		return;
	if (name[0] == '\0' || strspn(name, "0123456789") == strlen(name) ||
		strncmp(name, "sha256:", 7) == 0 || strncmp(name, "sha512:", 7) == 0 ||
		strncmp(name, "sbom:", 5) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME), errmsg("invalid image name: \"%s\"", name),
						errdetail("A name is neither empty nor all digits, and does not begin with "
								  "\"sha256:\", \"sha512:\" or \"sbom:\": these are numbers and "
								  "digests.")));
}

void
KeepGarbage(void)
{
	RunSql("SELECT pg_advisory_xact_lock_shared('clair.layer_blob'::regclass::oid::integer, 0)",
		   NULL);
}

void
LockOutIndexing(void)
{
	RunSql("SELECT pg_advisory_xact_lock('clair.layer_blob'::regclass::oid::integer, 0)", NULL);
}

/* Of an archive that brings its own names, each image must have one that the caller may give. */
static void
CheckArchiveNames(const OwnerState *caller, const IndexRows *rows)
{
	SqlParameters parameters = {0};
	int64 count;
	char **names;

	AddRows(&parameters, rows->relations[WIRE_IMAGE_NAME]);
	AddInteger(&parameters, rows->relations[WIRE_IMAGE]->count);
	if (!HaveTenants())
		return;
	count = RunSql("SELECT given.name"
				   " FROM generate_series(0, $3 - 1) AS image(number)"
				   "     LEFT JOIN unnest($1::bigint[], $2) AS given(image, name)"
				   "         ON given.image = image.number",
				   &parameters);
	names = palloc(sizeof(char *) * (Size) count);
	for (int64 row = 0; row < count; row++)
		names[row] = ResultText(row, 1);
	for (int64 row = 0; row < count; row++)
		CheckTenantName(caller, names[row]);
}

/* From the opened input to the rows that the function returns. */
static void
IndexOpened(FunctionCallInfo fcinfo, IndexJob *job)
{
	static const WireRelation relations[] = {
		WIRE_IMAGE,		  WIRE_IMAGE_NAME, WIRE_IMAGE_MANIFEST, WIRE_IMAGE_LAYER, WIRE_LAYER,
		WIRE_LAYER_ENTRY, WIRE_LAYER_FACT, WIRE_LAYER_PROBLEM,	WIRE_FEATURE};
	OwnerState caller;
	int64 *ids;

	for (size_t i = 0; i < lengthof(relations); i++)
		job->rows.relations[relations[i]] = CreateStagedRows(relations[i]);
	BecomeOwner(&caller);
	SPI_connect();
	FAULT_POINT("index-opened");
	if (job->name != NULL)
		CheckTenantName(&caller, job->name); /* before anything is read */
	KeepGarbage();
	KeepParent(job);
	FAULT_POINT("index-prepared");
	job->detectors = LoadDetectors();
	job->rows.detectors = job->detectors->version;
	ReadImage(job);
	StackOnParent(job);
	FAULT_POINT("index-stacked");
	if (job->name == NULL)
		CheckArchiveNames(&caller, &job->rows);
	ids = StoreImages(&job->rows, job->name);
	if (job->is_sbom)
		TellPassedOver(ids[0]);
	FAULT_POINT("index-stored");
	ReturnImages(fcinfo, job, ids, &caller);
	FAULT_POINT("index-returned");
	SPI_finish();
	ResumeCaller(&caller);
}

Datum
IndexInput(FunctionCallInfo fcinfo, int argument, IndexJob *(*open)(FunctionCallInfo fcinfo))
{
	MemoryContext context;
	MemoryContext old_context;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(argument))
		return (Datum) 0;
	/* What is opened and started goes with the call's own context. */
	context = AllocSetContextCreate(CurrentMemoryContext, "clair index", ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(context);
	IndexOpened(fcinfo, open(fcinfo));
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	return (Datum) 0;
}

Descriptor *
SpoolArgument(FunctionCallInfo fcinfo, int number)
{
	bytea *content = PG_GETARG_BYTEA_PP(number);
	Descriptor *file = OpenSpoolFile();

	WriteSpoolFile(file, VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content));
	return file;
}

Descriptor *
SpoolJsonArgument(FunctionCallInfo fcinfo, int number)
{
	Jsonb *document = PG_GETARG_JSONB_P(number);
	char *text = JsonbToCString(NULL, &document->root, (int) VARSIZE(document));
	Descriptor *file = OpenSpoolFile();

	WriteSpoolFile(file, text, strlen(text));
	return file;
}

/* What both forms of index_image() begin with. */
static IndexJob *
BeginImage(FunctionCallInfo fcinfo)
{
	IndexJob *job = palloc0(sizeof(IndexJob));

	job->name = TextArgument(fcinfo, 1);
	job->platform = TextArgument(fcinfo, 2);
	CheckIndexing("clair.index_image()", job->name);
	return job;
}

static IndexJob *
OpenImageFile(FunctionCallInfo fcinfo)
{
	IndexJob *job = BeginImage(fcinfo);

	job->input = OpenServerFile(TextArgument(fcinfo, 0), &job->is_directory);
	return job;
}

static IndexJob *
OpenImageContent(FunctionCallInfo fcinfo)
{
	IndexJob *job = BeginImage(fcinfo);

	job->input = SpoolArgument(fcinfo, 0);
	return job;
}

Datum
index_image_path(PG_FUNCTION_ARGS)
{
	return IndexInput(fcinfo, 0, OpenImageFile);
}

Datum
index_image_content(PG_FUNCTION_ARGS)
{
	return IndexInput(fcinfo, 0, OpenImageContent);
}

/*
 * Takes a tenant's names from an image that, or on which another image, also has a name of somebody
 * else: how many such names there are. Who may see all images has none to leave.
 */
static int64
LeaveToOthers(const OwnerState *caller, int64 image)
{
	char *prefixes = TenantPrefixes(caller);
	SqlParameters parameters = {0};
	int64 count;

	if (prefixes == NULL)
		return 0;
	AddInteger(&parameters, image);
	AddText(&parameters, prefixes);
	RunSql("DELETE FROM clair.image_name WHERE image_id = $1 AND name ^@ ANY ($2::text[])",
		   &parameters);
	count = RunSql("WITH RECURSIVE above(id) AS ("
				   "     SELECT $1"
				   "     UNION"
				   "     SELECT child.id"
				   "     FROM above"
				   "         JOIN clair.image AS child ON child.parent_id = above.id)"
				   " SELECT FROM clair.image_name AS name"
				   "     JOIN above ON above.id = name.image_id"
				   " WHERE NOT name.name ^@ ANY ($2::text[])",
				   &parameters);
	if (count > 0)
		RunSql("UPDATE clair.image SET superseded_at = now()"
			   " WHERE id = $1 AND $2 IS NOT NULL AND superseded_at IS NULL"
			   "     AND id NOT IN (SELECT name.image_id FROM clair.image_name AS name)",
			   &parameters);
	return count;
}

Datum
delete_image(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	char *image = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *digest;
	OwnerState caller;
	int64 id;

	PreventCommandIfReadOnly("clair.delete_image()");
	BecomeOwner(&caller);
	SPI_connect();
	id = FindImage(&caller, image);
	AddInteger(&parameters, id);
	FAULT_POINT("image-deleting");
	/* One that another session has deleted meanwhile was found, but is not there. */
	if (RunSql("SELECT digest FROM clair.image WHERE id = $1 FOR UPDATE", &parameters) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("image \"%s\" does not exist", image)));
	digest = ResultText(0, 1);
	if (LeaveToOthers(&caller, id) == 0)
		RunSql("DELETE FROM clair.image WHERE id = $1", &parameters);
	FAULT_POINT("image-deleted");
	RecordAction(&caller, "delete_image", image, AddDetail(NULL, "digest", digest));
	SPI_finish();
	ResumeCaller(&caller);
	PG_RETURN_INT64(id);
}

Datum
collect_garbage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	OwnerState caller;
	Datum values[3];
	bool nulls[3] = {false};

	PreventCommandIfReadOnly("clair.collect_garbage()");
	InitMaterializedSRF(fcinfo, 0);
	BecomeOwner(&caller);
	SPI_connect();
	LockOutIndexing();
	FAULT_POINT("garbage-locked");
	values[0] = Int64GetDatum(
		RunSql("WITH RECURSIVE kept(id) AS ("
			   "     SELECT image.id"
			   "     FROM clair.image AS image"
			   "         LEFT JOIN clair.image_name AS name ON name.image_id = image.id"
			   "     WHERE image.superseded_at IS NULL OR name.name IS NOT NULL"
			   "     UNION"
			   "     SELECT child.parent_id"
			   "     FROM kept"
			   "         JOIN clair.image AS child ON child.id = kept.id"
			   "     WHERE child.parent_id IS NOT NULL)"
			   " DELETE FROM clair.image"
			   " WHERE id IN (SELECT old.id"
			   "              FROM clair.image AS old"
			   "                  LEFT JOIN kept ON kept.id = old.id"
			   "              WHERE kept.id IS NULL)",
			   NULL));
	FAULT_POINT("garbage-images");
	values[1] = Int64GetDatum(RunSql(
		"DELETE FROM clair.layer"
		" WHERE digest IN (SELECT layer.digest"
		"                  FROM clair.layer AS layer"
		"                      LEFT JOIN clair.image_layer AS part ON part.layer = layer.digest"
		"                  WHERE part.layer IS NULL)",
		NULL));
	FAULT_POINT("garbage-layers");
	/* What a layer says stays as long as the layer, if only in one namespace. */
	values[2] = Int64GetDatum(RunSql(
		"DELETE FROM clair.package_database"
		" WHERE id IN (SELECT base.id"
		"              FROM clair.package_database AS base"
		"                  LEFT JOIN clair.image_database AS found ON found.database_id = base.id"
		"                  LEFT JOIN clair.layer_entry AS entry"
		"                      ON entry.content = base.content AND entry.role = base.format"
		"                  LEFT JOIN clair.package_database AS older"
		"                      ON older.content = base.content AND older.format = base.format"
		"                          AND older.id < base.id"
		"              WHERE found.database_id IS NULL"
		"                  AND (entry.content IS NULL OR older.id IS NOT NULL))",
		NULL));
	RunSql("DELETE FROM clair.repository_set"
		   " WHERE id IN (SELECT known.id"
		   "              FROM clair.repository_set AS known"
		   "                  LEFT JOIN clair.image_database AS found"
		   "                      ON found.repository_set = known.id"
		   "              WHERE found.repository_set IS NULL)",
		   NULL);
	FAULT_POINT("garbage-collected");
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	if (DatumGetInt64(values[0]) + DatumGetInt64(values[1]) + DatumGetInt64(values[2]) > 0)
		RecordAction(&caller, "collect_garbage", NULL,
					 AddCount(AddCount(AddCount(NULL, "images", DatumGetInt64(values[0])), "layers",
									   DatumGetInt64(values[1])),
							  "databases", DatumGetInt64(values[2])));
	SPI_finish();
	ResumeCaller(&caller);
	return (Datum) 0;
}
