/*
 * owner.h
 *    Running the extension's own SQL: as its owner, with a search_path that nobody can bend.
 */
#ifndef CLAIR_OWNER_H
#define CLAIR_OWNER_H

#include "postgres.h"

typedef struct OwnerState
{
	Oid user;
	int security_context;
	int guc_level;
} OwnerState;

/* Becomes a role, until ResumeCaller() or an ERROR's abort of the transaction. */
extern void BecomeRole(OwnerState *state, Oid role);

/*
 * Becomes the extension's owner: after the caller's privileges have been checked, before SPI
 * is used. An ERROR undoes it (the transaction's abort restores both), success must.
 */
extern void BecomeOwner(OwnerState *state);
extern void ResumeCaller(const OwnerState *state);

/*
 * Becomes a role that has given us a function to call, until the transaction or subtransaction
 * ends: nothing is written, nothing outlives it or acts as somebody else, and names are not looked
 * up where the session says.
 */
extern void RestrictToRole(Oid role);

/*
 * Refuses a caller that is neither a member of the role of this name nor a superuser. Kind and name
 * are what the role owns: consumer "x".
 */
extern void
CheckOwns(const OwnerState *caller, const char *owner, const char *kind, const char *name);

#endif
