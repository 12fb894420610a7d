/*
 * clair.c
 *    Entry point of the library: defines the settings of the rooms that have some.
 *
 * The library needs no preloading: it keeps no shared memory and hooks nothing.
 */
#include "postgres.h"

#include "common/wire.h"
#include "server/clair.h"
#include "server/compat.h"

PG_MODULE_MAGIC_EXT(.name = "clair", .version = CLAIR_VERSION);

#if PG_VERSION_NUM < 160000
extern PGDLLEXPORT void _PG_init(void);
#endif

void
_PG_init(void)
{
	ServerInit();
	AuditInit();
	IndexInit();
	UpdateInit();
	NotifyInit();
	MarkGUCPrefixReserved("clair");
}
