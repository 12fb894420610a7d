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
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"

#include "server/owner.h"

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
ResumeCaller(const OwnerState *state)
{
	AtEOXact_GUC(false, state->guc_level);
	SetUserIdAndSecContext(state->user, state->security_context);
}
