/*
 * owner.c
 *    Running the extension's own SQL as the extension's owner.
 *
 * Functions that write are SECURITY INVOKER, check their caller, and then come here: so
 * nobody needs privileges on the tables, and each function decides itself what its caller
 * must be allowed to do.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/rel.h"

#include "server/owner.h"

/*
 * Statements of the library are written for the extension's objects of the same version. An ERROR
 * when it has others: of another version's update not yet run, or run since the library was loaded.
 */
static void
CheckExtensionVersion(Relation relation, HeapTuple tuple)
{
	bool is_null;
	Datum version = heap_getattr(tuple, Anum_pg_extension_extversion, RelationGetDescr(relation),
								 &is_null);
	const char *installed = is_null ? "" : TextDatumGetCString(version);

	if (strcmp(installed, CLAIR_VERSION) != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the library of clair is of version %s, the extension in this "
							   "database of version %s",
							   CLAIR_VERSION, installed),
						errhint("Run ALTER EXTENSION clair UPDATE; if that was done just now, "
								"reconnect.")));
}

static Oid
ExtensionOwner(void)
{
	Relation relation = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	Oid owner;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("clair"));
	scan = systable_beginscan(relation, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("extension \"clair\" does not exist in this database")));
	CheckExtensionVersion(relation, tuple);
	owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return owner;
}

void
BecomeRole(OwnerState *state, Oid role)
{
	GetUserIdAndSecContext(&state->user, &state->security_context);
	SetUserIdAndSecContext(role, state->security_context | SECURITY_LOCAL_USERID_CHANGE);
	state->guc_level = NewGUCNestLevel();
}

void
BecomeOwner(OwnerState *state)
{
	BecomeRole(state, ExtensionOwner());
	set_config_option("search_path", "pg_catalog, clair, pg_temp", PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
}

void
RestrictToRole(Oid role)
{
	Oid user;
	int security_context;

	GetUserIdAndSecContext(&user, &security_context);
	SetUserIdAndSecContext(role, security_context | SECURITY_RESTRICTED_OPERATION);
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	XactReadOnly = true;
}

void
CheckOwns(const OwnerState *caller, const char *owner, const char *kind, const char *name)
{
	Oid role;

	if (caller->user == GetUserId() || superuser_arg(caller->user))
		return;
	role = get_role_oid(owner, true);
	if (!OidIsValid(role) || !has_privs_of_role(caller->user, role))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of %s \"%s\"", kind, name)));
}

void
ResumeCaller(const OwnerState *state)
{
	AtEOXact_GUC(false, state->guc_level);
	SetUserIdAndSecContext(state->user, state->security_context);
}
