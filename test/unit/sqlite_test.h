/*
 * sqlite_test.h
 *    Databases for tests, written by SQLite itself in a folder of their own.
 */
#ifndef CLAIR_SQLITE_TEST_H
#define CLAIR_SQLITE_TEST_H

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "package/sqlite_log.h"
#include "unit.h"

static char folder[] = "/tmp/sqlite_test.XXXXXX";
static char database_path[100];
static char log_path[120];

/* A file's bytes, which the caller frees; empty when it is not there. */
static inline ClairBytes
slurp(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *data = malloc(1 << 20);
	size_t size = file != NULL ? fread(data, 1, 1 << 20, file) : 0;

	if (file != NULL)
		fclose(file);
	return (ClairBytes){data, size};
}

static inline void
run(sqlite3 *connection, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(connection, sql, NULL, NULL, &message) != SQLITE_OK)
		printf("# %s: %s\n", sql, message);
	sqlite3_free(message);
}

/* A new database, made by the statements. */
static inline sqlite3 *
create(const char *sql)
{
	sqlite3 *connection;

	unlink(database_path);
	unlink(log_path);
	if (sqlite3_open(database_path, &connection) != SQLITE_OK)
		abort();
	run(connection, "PRAGMA page_size = 512");
	run(connection, sql);
	return connection;
}

static inline bool
sqlite_test_start(void)
{
	if (mkdtemp(folder) == NULL)
		return false;
	snprintf(database_path, sizeof(database_path), "%s/database", folder);
	snprintf(log_path, sizeof(log_path), "%s" SQLITE_LOG_ENDING, database_path);
	return true;
}

static inline void
sqlite_test_end(void)
{
	unlink(database_path);
	unlink(log_path);
	rmdir(folder);
}

#endif
