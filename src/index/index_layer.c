/*
 * index_layer.c
 *    Indexing images layer by layer: clair.index_layer(), clair.fetch_layer().
 *
 * A layer comes as bytes, from a file of the server, or from a URL by clair-fetch. Reading files
 * and asking servers are privileges of their own: the former is membership in
 * pg_read_server_files, the latter the right to execute clair.fetch_layer(), which
 * clair.index_layer() asks for when its path is a URL. What a path promises by ending with a
 * digest, as blobs of registries do, is verified.
 *
 * Headers and the query of a URL may be secret, so no error repeats them.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common/fault.h"
#include "index/index.h"
#include "index/stack.h"
#include "server/compat.h"
#include "server/headers.h"
#include "server/settings.h"
#include "server/transfer.h"
#include "server/url.h"

PG_FUNCTION_INFO_V1(index_layer_path);
PG_FUNCTION_INFO_V1(index_layer_content);
PG_FUNCTION_INFO_V1(fetch_layer);

/* Arguments of all forms. */
enum
{
	ARGUMENT_NAME,
	ARGUMENT_PLACE, /* path, bytes or URL */
	ARGUMENT_PARENT,
	ARGUMENT_FORMAT,
	ARGUMENT_HEADERS
};

static const char *
CheckFormat(const char *format)
{
	static const char *const formats[] = {"Docker", "ACI"};

	for (size_t i = 0; format != NULL && i < lengthof(formats); i++)
	{
		if (pg_strcasecmp(format, formats[i]) == 0)
			return formats[i];
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid format of a layer: \"%s\"", format != NULL ? format : ""),
					errhint("It is Docker or ACI.")));
}

/* What all forms begin with: everything that can be checked before the layer is opened. */
static IndexJob *
BeginLayer(FunctionCallInfo fcinfo, const char *function)
{
	IndexJob *job = palloc0(sizeof(IndexJob));

	job->name = TextArgument(fcinfo, ARGUMENT_NAME);
	if (job->name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a layer must have a name")));
	CheckIndexing(function, job->name);
	job->layer_format = CheckFormat(TextArgument(fcinfo, ARGUMENT_FORMAT));
	job->parent_name = TextArgument(fcinfo, ARGUMENT_PARENT);
	if (job->parent_name != NULL)
		job->parent = FindParent(job->parent_name);
	return job;
}

/* The digest that a path ends with; NULL when it ends otherwise. */
static const char *
DigestInPath(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash != NULL ? slash + 1 : path;

	return DigestAlgorithmSize(clair_bytes(last)) > 0 ? last : NULL;
}

/* Takes a URL apart, and refuses those that cannot be a layer's. */
static void
ParseLayerUrl(const char *text, Url *url)
{
	if (!ParseUrl(text, url) || UrlIsFile(url))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid URL of a layer"),
						errhint("It begins with https:// or http://.")));
	if (strchr(url->authority, '@') != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the URL of a layer has a user name"),
						errhint("Give an Authorization header.")));
}

/* Fetches a layer into a spool file; what the URL redirects to may be on any server. */
static Descriptor *
FetchLayer(const Url *url, const char *headers)
{
	TransferOptions options = {.proxy = FetchProxy(),
							   .user_agent = FetchUserAgent(),
							   .hosts = "*",
							   .parallel = 1,
							   .as_stored = true,
							   .max_size = CurrentLimits().max_layer_size};
	Transfer transfer = {.url = FormatUrl(url), .headers = headers, .file = OpenSpoolFile()};
	const char *shown_url = ShowUrl(url);
	Helper *fetch = StartTransfers(&options, &transfer, 1);
	TransferAnswer answer;
	bool is_fetched = false;

	FAULT_POINT("layer-asked-for");
	while (NextAnswer(fetch, 1, &answer))
	{
		if (answer.number < 0)
			continue;
		if (is_fetched)
			ReportMalformedAnswer();
		if (answer.error != NULL)
			ReportTransfer(shown_url, answer.error, answer.hint);
		if (answer.status != 200)
			ReportTransfer(shown_url, psprintf("server answered " INT64_FORMAT, answer.status),
						   NULL);
		is_fetched = true;
	}
	FAULT_POINT("layer-fetched");
	if (!is_fetched)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-fetch said nothing of a layer")));
	return transfer.file;
}

/* Begins with what is at a URL. */
static void
OpenUrl(FunctionCallInfo fcinfo, IndexJob *job, const char *text)
{
	char *headers = NULL;
	Url url;

	ParseLayerUrl(text, &url);
	if (!PG_ARGISNULL(ARGUMENT_HEADERS))
		headers = FormatHeaders(PG_GETARG_JSONB_P(ARGUMENT_HEADERS));
	job->digest = DigestInPath(url.path);
	job->input = FetchLayer(&url, headers);
}

static void
OpenFile(FunctionCallInfo fcinfo, IndexJob *job, const char *path)
{
	bool is_directory;

	if (!PG_ARGISNULL(ARGUMENT_HEADERS))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("headers can be given with a URL only")));
	job->digest = DigestInPath(path);
	job->input = OpenServerFile(path, &is_directory);
	if (is_directory)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is a directory, not a layer", path),
						errhint("An OCI layout is a whole image: use clair.index_image().")));
}

/* Asks for the privilege that who calls clair.fetch_layer() has. */
static void
CheckMayFetch(void)
{
	Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID};
	Oid function = LookupFuncName(list_make2(makeString("clair"), makeString("fetch_layer")),
								  lengthof(types), types, false);
	AclResult result = object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FUNCTION, "fetch_layer");
}

static IndexJob *
OpenLayerPath(FunctionCallInfo fcinfo)
{
	char *path = TextArgument(fcinfo, ARGUMENT_PLACE);
	bool is_url = pg_strncasecmp(path, "http:", 5) == 0 || pg_strncasecmp(path, "https:", 6) == 0;
	IndexJob *job;

	if (is_url)
		CheckMayFetch();
	job = BeginLayer(fcinfo, "clair.index_layer()");
	if (is_url)
		OpenUrl(fcinfo, job, path);
	else
		OpenFile(fcinfo, job, path);
	return job;
}

static IndexJob *
OpenLayerContent(FunctionCallInfo fcinfo)
{
	IndexJob *job = BeginLayer(fcinfo, "clair.index_layer()");

	job->input = SpoolArgument(fcinfo, ARGUMENT_PLACE);
	return job;
}

static IndexJob *
OpenLayerUrl(FunctionCallInfo fcinfo)
{
	IndexJob *job = BeginLayer(fcinfo, "clair.fetch_layer()");

	OpenUrl(fcinfo, job, TextArgument(fcinfo, ARGUMENT_PLACE));
	return job;
}

Datum
index_layer_path(PG_FUNCTION_ARGS)
{
	return IndexInput(fcinfo, ARGUMENT_PLACE, OpenLayerPath);
}

Datum
index_layer_content(PG_FUNCTION_ARGS)
{
	return IndexInput(fcinfo, ARGUMENT_PLACE, OpenLayerContent);
}

Datum
fetch_layer(PG_FUNCTION_ARGS)
{
	return IndexInput(fcinfo, ARGUMENT_PLACE, OpenLayerUrl);
}
