/*
 * exception.c
 *    Making and ending exceptions: clair.create_exception(), clair.end_exception().
 *
 * Whoever may execute the functions may say that findings do not count, and the role that did is
 * recorded; the table is written as the extension's owner.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "index/index.h"
#include "index/tenant.h"
#include "match/exception.h"
#include "server/audit.h"
#include "server/compat.h"
#include "server/owner.h"
#include "server/sql.h"

PG_FUNCTION_INFO_V1(create_exception);
PG_FUNCTION_INFO_V1(end_exception);

/* A text as a pattern of LIKE that means nothing else. */
#define LIKE_ESCAPED(text) "regexp_replace(" text ", '([\\\\%_])', '\\\\\\1', 'g')"

/* Whether an exception is about images of names with these beginnings only; of any if they are
 * null. */
#define IS_OF_TENANT(prefixes)                                                                     \
	"(" prefixes "::text[] IS NULL OR image ^@ ANY (ARRAY("                                        \
	"SELECT " LIKE_ESCAPED("p.prefix") " FROM unnest(" prefixes "::text[]) AS p(prefix))))"

/* Arguments of create_exception(). */
enum
{
	ARGUMENT_VULNERABILITY,
	ARGUMENT_REASON,
	ARGUMENT_PACKAGE,
	ARGUMENT_IMAGE,
	ARGUMENT_NAMESPACE,
	ARGUMENT_EXPIRES_AT,
	ARGUMENT_KIND,
	ARGUMENT_JUSTIFICATION,
	ARGUMENT_VERSION,
	ARGUMENT_ARCHITECTURE
};

/* A text that must be there, and not be empty. */
static const char *
RequireText(FunctionCallInfo fcinfo, int number, const char *what)
{
	const char *text = TextArgument(fcinfo, number);

	if (text == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("an exception must have a %s", what)));
	if (strspn(text, " \t\n") == strlen(text))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("an exception must have a %s", what)));
	return text;
}

/*
 * The pattern of images of a caller who may not see all of them: it must be of names, and begin
 * with what its names begin with, which is taken as it stands.
 */
static const char *
ImageOfTenant(const char *image, const char *prefixes)
{
	SqlParameters parameters = {0};

	AddText(&parameters, image);
	AddText(&parameters, prefixes);
	if (RunSql("SELECT " LIKE_ESCAPED(
				   "own.prefix") " || substr($1, length(own.begin) + 1)"
								 " FROM (SELECT p.prefix, b.begin"
								 "       FROM unnest($2::text[]) AS p(prefix)"
								 "           CROSS JOIN LATERAL (VALUES (p.prefix), (" LIKE_ESCAPED(
									 "p.prefix") "))"
												 "               AS b(begin)"
												 "       WHERE $1 ^@ b.begin"
												 "       ORDER BY length(b.begin) DESC"
												 "       LIMIT 1) AS own",
			   &parameters) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("an exception of this role must name its own images"),
				 errhint("The argument \"image\" is a name, or a pattern of names, that begins as "
						 "clair.tenant says.")));
	return ResultText(0, 1);
}

const char *
ImageOfException(const OwnerState *caller, const char *image)
{
	char *prefixes = TenantPrefixes(caller);

	SqlParameters parameters = {0};

	if (prefixes != NULL)
		return ImageOfTenant(image, prefixes);
	if (image == NULL)
		return NULL;
	if (strncmp(image, "sha256:", 7) == 0 || strncmp(image, "sha512:", 7) == 0)
	{
		if (DigestAlgorithmSize(clair_bytes(image)) == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("invalid digest of an image: \"%s\"", image)));
		return image;
	}
	if (image[0] == '\0' || strspn(image, "0123456789") != strlen(image))
		return image;
	AddText(&parameters, image);
	RunSql("SELECT digest FROM clair.image WHERE id = (SELECT clair.image_id($1))", &parameters);
	return ResultText(0, 1);
}

/* Refuses what would not hold from the beginning. */
static void
CheckHolds(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(ARGUMENT_KIND))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("an exception must have a kind")));
	if (!PG_ARGISNULL(ARGUMENT_EXPIRES_AT) &&
		PG_GETARG_TIMESTAMPTZ(ARGUMENT_EXPIRES_AT) <= GetCurrentTransactionStartTimestamp())
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("an exception cannot have expired when it is made")));
	if (PG_ARGISNULL(ARGUMENT_PACKAGE) &&
		!(PG_ARGISNULL(ARGUMENT_VERSION) && PG_ARGISNULL(ARGUMENT_ARCHITECTURE)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an exception for a version or an architecture must have a package")));
}

Datum
create_exception(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	const char *author = GetUserNameFromId(GetUserId(), false);
	OwnerState caller;
	int64 id;

	PreventCommandIfReadOnly("clair.create_exception()");
	AddText(&parameters, RequireText(fcinfo, ARGUMENT_VULNERABILITY, "vulnerability"));
	AddText(&parameters, RequireText(fcinfo, ARGUMENT_REASON, "reason"));
	CheckHolds(fcinfo);
	BecomeOwner(&caller);
	SPI_connect();
	AddText(&parameters, author);
	AddText(&parameters, ImageOfException(&caller, TextArgument(fcinfo, ARGUMENT_IMAGE)));
	AddText(&parameters, TextArgument(fcinfo, ARGUMENT_PACKAGE));
	AddText(&parameters, TextArgument(fcinfo, ARGUMENT_NAMESPACE));
	AddText(&parameters, TextArgument(fcinfo, ARGUMENT_JUSTIFICATION));
	AddText(&parameters, TextArgument(fcinfo, ARGUMENT_ARCHITECTURE));
	AddArgument(&parameters, fcinfo, ARGUMENT_VERSION);
	AddArgument(&parameters, fcinfo, ARGUMENT_EXPIRES_AT);
	AddArgument(&parameters, fcinfo, ARGUMENT_KIND);
	RunSql("INSERT INTO clair.exception (vulnerability, reason, author, image, package, namespace,"
		   "     justification, architecture, version, expires_at, kind)"
		   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
		   " RETURNING id",
		   &parameters);
	id = ResultInteger(0, 1);
	RecordAction(&caller, "create_exception", psprintf(INT64_FORMAT, id), NULL);
	SPI_finish();
	ResumeCaller(&caller);
	PG_RETURN_INT64(id);
}

Datum
end_exception(PG_FUNCTION_ARGS)
{
	SqlParameters parameters = {0};
	const char *role = GetUserNameFromId(GetUserId(), false);
	OwnerState caller;
	bool is_ended;

	PreventCommandIfReadOnly("clair.end_exception()");
	AddInteger(&parameters, PG_GETARG_INT64(0));
	AddText(&parameters, role);
	BecomeOwner(&caller);
	SPI_connect();
	AddText(&parameters, TenantPrefixes(&caller));
	is_ended = RunSql("UPDATE clair.exception SET ended_at = now(), ended_by = $2"
					  " WHERE id = $1 AND ended_at IS NULL AND " IS_OF_TENANT("$3"),
					  &parameters) > 0;
	if (!is_ended && RunSql("SELECT FROM clair.exception"
							" WHERE id = $1 AND $2 IS NOT NULL AND " IS_OF_TENANT("$3"),
							&parameters) == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("exception " INT64_FORMAT " does not exist", PG_GETARG_INT64(0))));
	if (is_ended)
		RecordAction(&caller, "end_exception", psprintf(INT64_FORMAT, PG_GETARG_INT64(0)), NULL);
	SPI_finish();
	ResumeCaller(&caller);
	PG_RETURN_BOOL(is_ended);
}
