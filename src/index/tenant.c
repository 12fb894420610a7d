/*
 * tenant.c
 *    Which images a caller may see; see tenant.h and tenant.sql.
 *
 * Functions that write do so as the extension's owner, whom row security does not bind. They ask
 * here, by the role that called them, before they touch an image. What must not be seen is, in the
 * same words, not there.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "index/tenant.h"
#include "server/compat.h"
#include "server/sql.h"

bool
HaveTenants(void)
{
	Oid relation = get_relname_relid("image", get_namespace_oid("clair", false));
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	bool result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	result = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
	ReleaseSysCache(tuple);
	return result;
}

char *
TenantPrefixes(const OwnerState *caller)
{
	SqlParameters parameters = {0};

	if (!HaveTenants())
		return NULL;
	AddText(&parameters, GetUserNameFromId(caller->user, false));
	RunSql("SELECT clair.tenant_prefixes($1)", &parameters);
	return ResultText(0, 1);
}

pg_noreturn static void
ReportNoImage(const char *image)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("image \"%s\" does not exist", image),
					errhint("An image is its number, its digest or its name; see clair.image_name. "
							"clair.index_image() adds images.")));
}

int64
FindImage(const OwnerState *caller, const char *image)
{
	char *prefixes = TenantPrefixes(caller);
	SqlParameters parameters = {0};
	int64 id;

	AddText(&parameters, image);
	RunSql("SELECT clair.image_id($1)", &parameters);
	id = ResultInteger(0, 1);
	if (prefixes != NULL)
	{
		SqlParameters seen = {0};

		AddInteger(&seen, id);
		AddText(&seen, prefixes);
		if (RunSql("SELECT FROM clair.image_name"
				   " WHERE image_id = $1 AND name ^@ ANY ($2::text[]) LIMIT 1",
				   &seen) == 0)
			ReportNoImage(image);
	}
	return id;
}

void
CheckSeesAll(const OwnerState *caller, const char *function)
{
	if (TenantPrefixes(caller) != NULL)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("%s is for roles that see all images", function),
						errdetail("Role \"%s\" sees some of them, as clair.tenant says.",
								  GetUserNameFromId(caller->user, false))));
}

void
CheckTenantName(const OwnerState *caller, const char *name)
{
	char *prefixes = TenantPrefixes(caller);
	SqlParameters parameters = {0};

	if (prefixes == NULL)
		return;
	AddText(&parameters, name);
	AddText(&parameters, prefixes);
	RunSql("SELECT COALESCE($1 ^@ ANY ($2::text[]), false)::integer,"
		   "     array_to_string($2::text[], ', ')",
		   &parameters);
	if (ResultInteger(0, 1) != 0)
		return;
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					name != NULL ? errmsg("\"%s\" is not a name of images of role \"%s\"", name,
										  GetUserNameFromId(caller->user, false))
								 : errmsg("images of role \"%s\" must have a name",
										  GetUserNameFromId(caller->user, false)),
					errhint("Names begin with one of these: %s", ResultText(0, 2))));
}
