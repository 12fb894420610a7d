/*
 * Fuzzes the reader of rpm's sqlite databases, and that of their write-ahead logs: the input's
 * first two bytes say, in units of 512 bytes, where the log begins.
 */
#include "package/byte_order.h"
#include "package/sqlite_log.h"
#include "package_fuzz.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Applies the log to a copy of the database, which the caller frees. */
static char *
apply_log(ClairBytes log, ClairBytes database, size_t *size)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	Arena *arena = arena_create((size_t) 1 << 20);
	char *copy = malloc(database.size + 1);
	Findings findings;
	ClairError error;

	findings_start(&findings, arena, &limits);
	memcpy(copy, database.data, database.size);
	*size = database.size;
	if (sqlite_log_apply(log, &copy, size, &findings, &error) != CLAIR_OK)
		abort();
	arena_destroy(arena);
	return copy;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ClairBytes database;
	ClairBytes log = CLAIR_NULL_BYTES;
	char *applied;

	if (size < 2)
		return 0;
	database = (ClairBytes){(const char *) data + 2, size - 2};
	if ((size_t) big_u16((const char *) data) * 512 < database.size)
	{
		size_t start = (size_t) big_u16((const char *) data) * 512;

		log = clair_bytes_skip(database, start);
		database.size = start;
	}
	applied = apply_log(log, database, &size);
	package_fuzz(rpm_sqlite_read, (const uint8_t *) applied, size);
	free(applied);
	return 0;
}
