/*
 * detector.c
 *    Making, changing and dropping detectors: clair.create_detector() and its like.
 *
 * Whoever may execute the first may make detectors, and owns them: the function is called with the
 * owner's rights, as long as whoever could change it is able to act as that role anyway. Versions
 * are handed out under a lock that is held until the transaction ends, so that they become visible
 * in their order: who has seen one has seen all that are smaller.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common/glob.h"
#include "index/detector.h"
#include "index/store.h"
#include "server/audit.h"
#include "server/compat.h"
#include "server/owner.h"
#include "server/sql.h"

PG_FUNCTION_INFO_V1(create_detector);
PG_FUNCTION_INFO_V1(alter_detector);
PG_FUNCTION_INFO_V1(drop_detector);

/* Arguments of the functions, which are parameters of the statements too. */
enum
{
	ARGUMENT_NAME,
	ARGUMENT_FUNCTION,
	ARGUMENT_PATHS,
	ARGUMENT_FORMAT,
	ARGUMENT_NAMESPACE,
	ARGUMENT_IMAGE_NAMESPACE
};

Detectors *
LoadDetectors(void)
{
	Detectors *detectors = palloc0(sizeof(Detectors));
	StringInfoData job;
	int64 count = RunSql(
		"SELECT detector.role, detector.version, detector.function,"
		"     CASE"
		"         WHEN owner.oid IS NULL THEN format('role \"%s\" does not exist', detector.owner)"
		"         WHEN called.oid IS NULL THEN format('function %s does not exist', function)"
		"         WHEN NOT pg_has_role(called.proowner, owner.oid, 'MEMBER') THEN"
		"             format('role \"%s\", which owns function %s, is no member of role \"%s\"',"
		"                 pg_get_userbyid(called.proowner), function, detector.owner)"
		"     END,"
		"     owner.oid, detector.format, detector.name, wanted.pattern"
		" FROM clair.detector AS detector"
		"     CROSS JOIN unnest(detector.paths) WITH ORDINALITY AS wanted(pattern, number)"
		"     LEFT JOIN pg_roles AS owner ON owner.rolname = detector.owner"
		"     LEFT JOIN pg_proc AS called"
		"         ON called.oid = to_regprocedure(detector.function || '(text, bytea)')"
		" ORDER BY detector.name, wanted.number"
		" FOR KEY SHARE OF detector",
		NULL);

	initStringInfo(&job);
	for (int64 row = 0; row < count; row++)
	{
		const char *role = ResultText(row, 1);
		Detector *detector = &detectors->list[Max(detectors->count - 1, 0)];

		if (row == 0 || strcmp(detector->role, role) != 0)
		{
			if (detectors->count == CLAIR_MAX_DETECTORS)
				elog(ERROR, "more than %d detectors", CLAIR_MAX_DETECTORS);
			detector = &detectors->list[detectors->count++];
			detector->role = role;
			detector->version = ResultInteger(row, 2);
			detector->function = ResultText(row, 3);
			detector->refusal = ResultText(row, 4);
			detector->role_id = (Oid) ResultInteger(row, 5);
			if (!version_format_by_name(clair_bytes(ResultText(row, 6)), &detector->format))
				elog(ERROR, "unknown format of versions: %s", ResultText(row, 6));
			detectors->version = Max(detectors->version, detector->version);
		}
		appendStringInfo(&job, "%s %s %s\n", ResultText(row, 7), ResultText(row, 2),
						 ResultText(row, 8));
	}
	if (detectors->count > 0)
		detectors->job = job.data;
	return detectors;
}

/* ---------------------------------------------------------------------------
 * What detectors may be
 * --------------------------------------------------------------------------- */

static void
CheckName(const char *name)
{
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name) || name[0] < 'a' ||
		strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME), errmsg("invalid name of a detector"),
				 errhint("A name has up to 63 lower-case letters, digits and underscores, and "
						 "begins with a letter.")));
}

/* Whether a column of the function's rows has a meaning, and which it must have. */
static bool
IsFeatureColumn(const char *name, bool *has_name, bool *has_version)
{
	static const char *const names[] = {"name",	  "version", "source_name", "source_version",
										"module", "vendor",	 "license",		"architecture"};

	*has_name |= strcmp(name, "name") == 0;
	*has_version |= strcmp(name, "version") == 0;
	for (size_t i = 0; i < lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static void
CheckResult(Oid function)
{
	TupleDesc row;
	bool has_name = false;
	bool has_version = false;
	bool is_known = get_func_result_type(function, NULL, &row) == TYPEFUNC_COMPOSITE &&
					get_func_retset(function);

	for (int i = 0; is_known && i < row->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(row, i);

		is_known = column->attisdropped ||
				   IsFeatureColumn(NameStr(column->attname), &has_name, &has_version);
	}
	if (!is_known || !has_name || !has_version)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function \"%s\" does not return features", get_func_name(function)),
				 errhint("It returns a set of rows with the columns name and version, and maybe "
						 "source_name, source_version, architecture, module, vendor, license.")));
}

/* Checks that the caller may call the function, and returns its name as SQL takes it. */
static char *
CheckFunction(Oid function)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc procedure;
	char *name;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
						errmsg("function with OID %u does not exist", function)));
	procedure = (Form_pg_proc) GETSTRUCT(tuple);
	name = quote_qualified_identifier(get_namespace_name(procedure->pronamespace),
									  NameStr(procedure->proname));
	if (procedure->prokind != PROKIND_FUNCTION || procedure->pronargs != 2 ||
		procedure->proargtypes.values[0] != TEXTOID || procedure->proargtypes.values[1] != BYTEAOID)
		ereport(ERROR, (errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
						errmsg("function \"%s\" does not take the path and the content of a file",
							   NameStr(procedure->proname)),
						errhint("Its arguments are (text, bytea).")));
	if (object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, NameStr(procedure->proname));
	if (!is_member_of_role(procedure->proowner, GetUserId()))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("function %s cannot be a detector of role \"%s\"", name,
							   GetUserNameFromId(GetUserId(), false)),
						errdetail("Its owner, \"%s\", could let it do what it likes as that role.",
								  GetUserNameFromId(procedure->proowner, false)),
						errhint("Create the detector as the function's owner.")));
	ReleaseSysCache(tuple);
	CheckResult(function);
	return name;
}

static void
CheckPaths(ArrayType *paths)
{
	Datum *patterns;
	bool *nulls;
	int count;

	deconstruct_array(paths, TEXTOID, -1, false, TYPALIGN_INT, &patterns, &nulls, &count);
	if (ARR_NDIM(paths) > 1 || count == 0 || count > CLAIR_MAX_PATTERNS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a detector must have 1 to %d patterns of paths", CLAIR_MAX_PATTERNS)));
	for (int i = 0; i < count; i++)
	{
		char *pattern = nulls[i] ? "" : TextDatumGetCString(patterns[i]);
		const char *problem = glob_problem(clair_bytes(pattern));

		if (problem != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid pattern of paths: \"%s\"", pattern),
					 errdetail("Of the pattern, %s.", problem),
					 errhint("A pattern is a path without a \"/\" at its beginning; * stands "
							 "for anything but /, and ** for directories.")));
	}
}

static void
CheckFormat(const char *format)
{
	VersionFormat ignored;

	if (!version_format_by_name(clair_bytes(format), &ignored))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown version format \"%s\"", format)));
}

static void
CheckNamespace(const char *namespace)
{
	const char *colon = strchr(namespace, ':');

	if (colon == NULL || colon == namespace || colon[1] == '\0' ||
		strlen(namespace) > CLAIR_MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid namespace: \"%s\"", namespace),
				 errhint("A namespace is a name and a release, such as debian:12 or python:3.")));
}

static char *
Argument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

/* Checks what was given, and adds it: each argument is a parameter. */
static void
AddDefinition(SqlParameters *parameters, FunctionCallInfo fcinfo)
{
	const char *format = Argument(fcinfo, ARGUMENT_FORMAT);
	const char *namespace = Argument(fcinfo, ARGUMENT_NAMESPACE);

	CheckName(Argument(fcinfo, ARGUMENT_NAME));
	if (!PG_ARGISNULL(ARGUMENT_PATHS))
		CheckPaths(PG_GETARG_ARRAYTYPE_P(ARGUMENT_PATHS));
	if (format != NULL)
		CheckFormat(format);
	if (namespace != NULL && namespace[0] != '\0')
		CheckNamespace(namespace);
	AddText(parameters, Argument(fcinfo, ARGUMENT_NAME));
	AddText(parameters, PG_ARGISNULL(ARGUMENT_FUNCTION)
							? NULL
							: CheckFunction(PG_GETARG_OID(ARGUMENT_FUNCTION)));
	AddArgument(parameters, fcinfo, ARGUMENT_PATHS);
	AddText(parameters, format);
	AddText(parameters, namespace);
	AddText(parameters, Argument(fcinfo, ARGUMENT_IMAGE_NAMESPACE));
}

/* ---------------------------------------------------------------------------
 * The functions
 * --------------------------------------------------------------------------- */

/* Whoever makes or changes a detector waits here for the end of whoever else does. */
static void
LockVersions(void)
{
	RunSql("SELECT pg_advisory_xact_lock('clair.detector'::regclass::oid::integer, 0)", NULL);
}

/* Records what is given of a detector. */
static void
RecordDefinition(const OwnerState *caller, const char *action, FunctionCallInfo fcinfo)
{
	static const char *const names[] = {[ARGUMENT_FUNCTION] = "function",
										[ARGUMENT_PATHS] = "paths",
										[ARGUMENT_FORMAT] = "format",
										[ARGUMENT_NAMESPACE] = "namespace",
										[ARGUMENT_IMAGE_NAMESPACE] = "image_namespace"};

	RecordAction(caller, action, Argument(fcinfo, ARGUMENT_NAME),
				 ArgumentsDetail(fcinfo, names, ARGUMENT_FUNCTION, lengthof(names)));
}

Datum
create_detector(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	OwnerState caller;

	PreventCommandIfReadOnly("clair.create_detector()");
	for (int i = 0; i <= ARGUMENT_FORMAT; i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("of a detector, only the namespaces may be null")));
	}
	AddDefinition(&parameters, fcinfo);
	BecomeOwner(&caller);
	SPI_connect();
	LockVersions();
	RunSql("SELECT count(*) FROM clair.detector", NULL);
	if (ResultInteger(0, 1) >= CLAIR_MAX_DETECTORS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("there are %d detectors already", CLAIR_MAX_DETECTORS)));
	AddText(&parameters, GetUserNameFromId(caller.user, false));
	if (RunSql("INSERT INTO clair.detector"
			   "     (name, function, paths, format, namespace, image_namespace, owner, version)"
			   " VALUES ($1, $2, $3, $4, NULLIF($5, ''), NULLIF($6, ''), $7,"
			   "     nextval('clair.detector_version'))"
			   " ON CONFLICT (name) DO NOTHING",
			   &parameters) == 0)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("detector \"%s\" already exists", Argument(fcinfo, ARGUMENT_NAME)),
						errhint("clair.alter_detector() changes it.")));
	RecordDefinition(&caller, "create_detector", fcinfo);
	SPI_finish();
	ResumeCaller(&caller);
	PG_RETURN_VOID();
}

/* Becomes the extension's owner, connects SPI, and checks that the caller owns the detector. */
static void
OpenDetector(const char *name, OwnerState *caller)
{
	SqlParameters parameters = {0};

	BecomeOwner(caller);
	SPI_connect();
	LockVersions();
	AddText(&parameters, name);
	if (RunSql("SELECT owner FROM clair.detector WHERE name = $1", &parameters) == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("detector \"%s\" does not exist", name)));
	CheckOwns(caller, ResultText(0, 1), "detector", name);
}

Datum
alter_detector(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	OwnerState caller;

	PreventCommandIfReadOnly("clair.alter_detector()");
	if (PG_ARGISNULL(ARGUMENT_NAME))
		PG_RETURN_VOID();
	AddDefinition(&parameters, fcinfo);
	OpenDetector(Argument(fcinfo, ARGUMENT_NAME), &caller);
	RunSql("UPDATE clair.detector"
		   " SET function = COALESCE($2, function), paths = COALESCE($3, paths),"
		   "     format = COALESCE($4, format),"
		   "     namespace = NULLIF(COALESCE($5, namespace), ''),"
		   "     image_namespace = NULLIF(COALESCE($6, image_namespace), ''),"
		   "     version = nextval('clair.detector_version'), set_at = now()"
		   " WHERE name = $1",
		   &parameters);
	RecordDefinition(&caller, "alter_detector", fcinfo);
	SPI_finish();
	ResumeCaller(&caller);
	PG_RETURN_VOID();
}

/* Forgets what a detector has found: what its files were is taken out of layers, then of images. */
static void
ForgetDetections(const char *name)
{
	SqlParameters parameters = {0};
	int64 count;
	int64 *images;

	AddText(&parameters, psprintf(WIRE_DETECTOR_ROLE "%s", name));
	AddText(&parameters, psprintf("detector \"%s\": ", name));
	count = RunSql("SELECT DISTINCT part.image_id"
				   " FROM (SELECT layer FROM clair.layer_entry"
				   "       WHERE role LIKE 'detector:%' AND role = $1"
				   "       UNION"
				   "       SELECT layer FROM clair.layer_problem"
				   "       WHERE starts_with(reason, $2)) AS seen"
				   "     JOIN clair.image_layer AS part ON part.layer = seen.layer"
				   " ORDER BY 1",
				   &parameters);
	images = palloc(sizeof(int64) * Max(count, 1));
	for (int64 row = 0; row < count; row++)
		images[row] = ResultInteger(row, 1);
	RunSql("DELETE FROM clair.layer_problem WHERE starts_with(reason, $2) AND $1 <> ''",
		   &parameters);
	parameters.count = 1;
	RunSql("DELETE FROM clair.layer_entry WHERE role LIKE 'detector:%' AND role = $1", &parameters);
	for (int64 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		RestoreImage(images[i]);
	}
	RunSql("DELETE FROM clair.package_database WHERE format = $1", &parameters);
}

Datum
drop_detector(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	OwnerState caller;

	PreventCommandIfReadOnly("clair.drop_detector()");
	/* What others have indexed must be seen when they are done. */
	if (IsolationUsesXactSnapshot())
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("clair.drop_detector() needs a transaction of isolation level READ "
							   "COMMITTED")));
	OpenDetector(name, &caller);
	AddText(&parameters, name);
	LockOutIndexing();
	RunSql("DELETE FROM clair.detector WHERE name = $1", &parameters);
	ForgetDetections(name);
	RecordAction(&caller, "drop_detector", name, NULL);
	SPI_finish();
	ResumeCaller(&caller);
	PG_RETURN_VOID();
}
