/*
 * sqlite_database.c
 *    A hostile SQLite database, opened in memory so that reading it can do no harm.
 */
#include "package/sqlite_database.h"

#include "package/memory_vfs.h"
#include "package/package.h"

#define PROBED_MEMORY ((size_t) 16 << 20)

/* Steps of SQLite's machine: some for each row; and how often it says that it goes on. */
#define STEPS_AT_A_TIME 100000
#define MAX_STEPS		(INT64_C(200) * 1000 * 1000)

ClairStatus
sqlite_database_initialize(ClairError *error)
{
	/* One thread; and nobody asks how much memory is used. */
	if (sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) != SQLITE_OK ||
		sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
		sqlite3_initialize() != SQLITE_OK)
		return clair_error(error, CLAIR_MEMORY, "could not initialize SQLite");
	return CLAIR_OK;
}

/* Called by SQLite now and then; anything but 0 stops it. */
static int
count_steps(void *context)
{
	SqliteDatabase *database = context;

	database->steps += STEPS_AT_A_TIME;
	return database->steps > MAX_STEPS;
}

/* SQLite also calls some damage of schemas a lack of memory: whether it is one can be tried. */
static bool
is_memory_short(void)
{
	Arena *arena = arena_create(PROBED_MEMORY);
	bool is_short = arena == NULL || arena_alloc(arena, PROBED_MEMORY / 2) == NULL;

	arena_destroy(arena);
	return is_short;
}

ClairStatus
sqlite_database_problem(SqliteDatabase *database, int result)
{
	if (result == SQLITE_NOMEM && is_memory_short())
		return clair_error(database->error, CLAIR_MEMORY, "out of memory");
	return findings_problem(database->findings, database->error, "SQLite could not read it: %s",
							result == SQLITE_INTERRUPT ? "it takes too long"
													   : sqlite3_errmsg(database->connection));
}

static int
restrict_connection(SqliteDatabase *database)
{
	static const struct
	{
		int limit;
		int value;
	} limits[] = {
		{SQLITE_LIMIT_SQL_LENGTH, 64 * 1024}, {SQLITE_LIMIT_COLUMN, 100},
		{SQLITE_LIMIT_EXPR_DEPTH, 20},		  {SQLITE_LIMIT_COMPOUND_SELECT, 2},
		{SQLITE_LIMIT_VDBE_OP, 1000},		  {SQLITE_LIMIT_FUNCTION_ARG, 8},
		{SQLITE_LIMIT_ATTACHED, 0},			  {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50},
		{SQLITE_LIMIT_VARIABLE_NUMBER, 1},	  {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
		{SQLITE_LIMIT_WORKER_THREADS, 0},
	};
	static const struct
	{
		int option;
		int value;
	} options[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},		 {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
		{SQLITE_DBCONFIG_ENABLE_FKEY, 0},
	};
	sqlite3 *connection = database->connection;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		sqlite3_limit(connection, limits[i].limit, limits[i].value);
	sqlite3_limit(connection, SQLITE_LIMIT_LENGTH,
				  database->file.size < INT32_MAX / 2 ? (int) database->file.size + 64 * 1024
													  : INT32_MAX);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		sqlite3_db_config(connection, options[i].option, options[i].value, NULL);
	sqlite3_drop_modules(connection, NULL);
	sqlite3_progress_handler(connection, STEPS_AT_A_TIME, count_steps, database);
	/* There are no files for what is sorted. */
	return sqlite3_exec(connection, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
}

ClairStatus
sqlite_database_open(SqliteDatabase *database, ClairBytes file, Findings *findings,
					 ClairError *error, bool *opened)
{
	int result;

	*database = (SqliteDatabase){.file = file, .findings = findings, .error = error};
	*opened = false;
	if (!clair_bytes_start_with(file, (ClairBytes){"SQLite format 3", 16}))
		return findings_problem(findings, error, "it is not an SQLite database");
	result = memory_vfs_open(&database->file, &database->vfs, &database->connection);
	if (result == SQLITE_OK)
		result = restrict_connection(database);
	*opened = result == SQLITE_OK;
	return *opened ? CLAIR_OK : sqlite_database_problem(database, result);
}

void
sqlite_database_close(SqliteDatabase *database)
{
	memory_vfs_close(&database->vfs, database->connection);
}

/* Whether the schema has a table of this name, stored in pages of its own. */
static ClairStatus
find_table(SqliteDatabase *database, const char *name, bool *found)
{
	sqlite3_stmt *statement;
	ClairStatus status = CLAIR_OK;
	int result = sqlite3_prepare_v2(database->connection,
									"SELECT 1 FROM main.sqlite_master"
									" WHERE name = ?1 AND type = 'table' AND rootpage > 0",
									-1, &statement, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	*found = result == SQLITE_ROW;
	if (result == SQLITE_DONE)
		status = findings_problem(database->findings, database->error, "it has no table \"%s\"",
								  name);
	else if (!*found)
		status = sqlite_database_problem(database, result);
	sqlite3_finalize(statement);
	return status;
}

ClairStatus
sqlite_database_has_table(SqliteDatabase *database, const char *name, bool *has_table)
{
	char sql[100];
	sqlite3_stmt *statement;
	int result;
	ClairStatus status = find_table(database, name, has_table);

	if (status != CLAIR_OK || !*has_table)
		return status;
	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA main.table_xinfo(%Q)", name);
	result = sqlite3_prepare_v2(database->connection, sql, -1, &statement, NULL);
	while (result == SQLITE_OK || result == SQLITE_ROW)
	{
		result = sqlite3_step(statement);
		/* The last column of the answer: how it is hidden. */
		if (result == SQLITE_ROW && sqlite3_column_int(statement, 6) != 0)
			*has_table = false;
	}
	if (result != SQLITE_DONE)
	{
		*has_table = false;
		status = sqlite_database_problem(database, result);
	}
	else if (!*has_table)
		status = findings_problem(database->findings, database->error,
								  "its table \"%s\" has columns that are computed", name);
	sqlite3_finalize(statement);
	return status;
}
