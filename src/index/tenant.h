/*
 * tenant.h
 *    Which images a caller may see, for functions that row security does not bind any more.
 *
 * All are called with SPI connected, as the extension's owner.
 */
#ifndef CLAIR_TENANT_H
#define CLAIR_TENANT_H

#include "postgres.h"

#include "server/owner.h"

/* Whether there are any: otherwise everybody may see everything. */
extern bool HaveTenants(void);

/*
 * What the names of a caller's images begin with, as the text of an array; NULL when it may see all
 * of them, as everybody may as long as there are no tenants.
 */
extern char *TenantPrefixes(const OwnerState *caller);

/* The image that a text means; for who may not see it, there is none. */
extern int64 FindImage(const OwnerState *caller, const char *image);

/* Refuses a caller who may not see all images: for what is said of more than its own. */
extern void CheckSeesAll(const OwnerState *caller, const char *function);

/* Refuses a name that is not one of the caller's images. */
extern void CheckTenantName(const OwnerState *caller, const char *name);

#endif
