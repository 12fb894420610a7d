/*
 * sqlite_log_fuzz.c
 *    A database of SQLite and the log of changes that lies beside it: what is committed is made to
 *    the database, which is then read as rpm's.
 *
 * The parts of an input are the database and the log.
 */
#include "fuzz.h"
#include "package/package.h"
#include "package/sqlite_log.h"

FUZZ_TARGET(sqlite_log)
{
	ClairBytes parts[2] = {CLAIR_LITERAL(""), CLAIR_LITERAL("")};
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	Arena *arena = arena_create((size_t) 256 << 20);
	ClairBytes database;
	size_t changed;
	Findings findings;
	ClairError error;
	ClairStatus status;

	fuzz_split((ClairBytes){(const char *) data, size}, 0, parts, 2);
	database = fuzz_copy(parts[0].data != NULL ? parts[0] : CLAIR_LITERAL(""));
	changed = database.size;
	findings_start(&findings, arena, &limits);
	require(sqlite_log_apply(parts[1], (char **) &database.data, &changed, &findings, &error) ==
			CLAIR_OK);
	database.size = changed;
	status = rpm_sqlite_read(database, &findings, &error);
	require(status == CLAIR_OK || status == CLAIR_LIMIT);
	free((char *) database.data);
	arena_destroy(arena);
	return 0;
}
