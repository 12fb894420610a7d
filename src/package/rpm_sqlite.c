/*
 * rpm_sqlite.c
 *    Reads rpmdb.sqlite: rpm's database since 2020, an SQLite database.
 *
 * All that matters is the table Packages(hnum, blob): a record's number and its header. The
 * database is hostile: SQLite reads it in memory, cannot write, gets no more than small limits,
 * knows no virtual tables, no views, no triggers, and Packages must be a plain table. How much
 * it does is bounded by a count of its steps, and by the bytes that it returns.
 */
#include <inttypes.h>

#include "package/memory_vfs.h"
#include "package/package.h"
#include "package/rpm_header.h"

/* Steps of SQLite's machine: some for each row; and how often it says that it goes on. */
#define STEPS_AT_A_TIME 100000
#define MAX_STEPS		(INT64_C(200) * 1000 * 1000)

typedef struct Reading
{
	ClairBytes file;
	sqlite3 *connection;
	int64_t steps;
	Findings *findings;
	ClairError *error;
} Reading;

ClairStatus
rpm_sqlite_initialize(ClairError *error)
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
	Reading *reading = context;

	reading->steps += STEPS_AT_A_TIME;
	return reading->steps > MAX_STEPS;
}

/* Says what SQLite came to. */
static ClairStatus
sqlite_problem(Reading *reading, int result)
{
	if (result == SQLITE_NOMEM)
		return clair_error(reading->error, CLAIR_MEMORY, "out of memory");
	return findings_problem(reading->findings, reading->error, "SQLite could not read it: %s",
							result == SQLITE_INTERRUPT ? "it takes too long"
													   : sqlite3_errmsg(reading->connection));
}

static void
restrict_connection(Reading *reading)
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

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		sqlite3_limit(reading->connection, limits[i].limit, limits[i].value);
	sqlite3_limit(reading->connection, SQLITE_LIMIT_LENGTH,
				  reading->file.size < INT32_MAX / 2 ? (int) reading->file.size + 64 * 1024
													 : INT32_MAX);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		sqlite3_db_config(reading->connection, options[i].option, options[i].value, NULL);
	sqlite3_drop_modules(reading->connection, NULL);
	sqlite3_progress_handler(reading->connection, STEPS_AT_A_TIME, count_steps, reading);
}

/* What a statement that gives one number gives; none is 0. */
static ClairStatus
read_number(Reading *reading, const char *sql, int *number, bool *done)
{
	sqlite3_stmt *statement;
	int result = sqlite3_prepare_v2(reading->connection, sql, -1, &statement, NULL);
	ClairStatus status = CLAIR_OK;

	*number = 0;
	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		*number = sqlite3_column_int(statement, 0);
	*done = result == SQLITE_ROW || result == SQLITE_DONE;
	if (!*done)
		status = sqlite_problem(reading, result);
	sqlite3_finalize(statement);
	return status;
}

/* Whether the table is one, and its columns hold what they hold: none of them is computed. */
static ClairStatus
check_table(Reading *reading, bool *is_table)
{
	sqlite3_stmt *statement;
	int count;
	int result;
	ClairStatus status = read_number(reading,
									 "SELECT count(*) FROM main.sqlite_master"
									 " WHERE name = 'Packages' AND type = 'table' AND rootpage > 0",
									 &count, is_table);

	if (status != CLAIR_OK || !*is_table)
		return status;
	*is_table = count == 1;
	if (!*is_table)
		return findings_problem(reading->findings, reading->error, "it has no table \"Packages\"");
	result = sqlite3_prepare_v2(reading->connection, "PRAGMA main.table_xinfo('Packages')", -1,
								&statement, NULL);
	while (result == SQLITE_OK || result == SQLITE_ROW)
	{
		result = sqlite3_step(statement);
		/* The last column of the answer: how it is hidden. */
		if (result == SQLITE_ROW && sqlite3_column_int(statement, 6) != 0)
			*is_table = false;
	}
	sqlite3_finalize(statement);
	if (result != SQLITE_DONE)
	{
		*is_table = false;
		return sqlite_problem(reading, result);
	}
	if (!*is_table)
		return findings_problem(reading->findings, reading->error,
								"its table \"Packages\" has columns that are computed");
	return CLAIR_OK;
}

static ClairStatus
read_row(Reading *reading, sqlite3_stmt *statement, uint64_t *bytes, bool *more)
{
	int64_t number = sqlite3_column_int64(statement, 0);
	ClairBytes header;

	/* Rows that share pages could have many times the bytes of the database. */
	*bytes += (uint64_t) sqlite3_column_bytes(statement, 1);
	*more = *bytes <= reading->file.size && sqlite3_column_type(statement, 0) == SQLITE_INTEGER;
	if (!*more)
		return findings_problem(reading->findings, reading->error,
								"its records have more bytes than the database");
	if (sqlite3_column_type(statement, 1) != SQLITE_BLOB)
		return findings_problem(reading->findings, reading->error,
								"record %" PRId64 ": it is not a header", number);
	header.data = sqlite3_column_blob(statement, 1);
	header.size = (size_t) sqlite3_column_bytes(statement, 1);
	return rpm_header_read(header, number, reading->findings, reading->error);
}

static ClairStatus
read_rows(Reading *reading)
{
	sqlite3_stmt *statement;
	uint64_t bytes = 0;
	bool more = true;
	ClairStatus status = CLAIR_OK;
	int result = sqlite3_prepare_v2(reading->connection,
									"SELECT rowid, blob FROM main.Packages NOT INDEXED", -1,
									&statement, NULL);

	if (result == SQLITE_OK)
	{
		while (status == CLAIR_OK && more && (result = sqlite3_step(statement)) == SQLITE_ROW)
			status = read_row(reading, statement, &bytes, &more);
	}
	if (status == CLAIR_OK && result != SQLITE_ROW && result != SQLITE_DONE)
		status = sqlite_problem(reading, result);
	sqlite3_finalize(statement);
	return status;
}

ClairStatus
rpm_sqlite_read(ClairBytes file, Findings *findings, ClairError *error)
{
	Reading reading = {.file = file, .findings = findings, .error = error};
	sqlite3_vfs vfs;
	bool is_table = false;
	ClairStatus status;
	int result;

	findings->unit = "record";
	if (!clair_bytes_start_with(file, (ClairBytes){"SQLite format 3", 16}))
		return findings_problem(findings, error, "it is not an SQLite database");
	result = memory_vfs_open(&reading.file, &vfs, &reading.connection);
	if (result == SQLITE_OK)
	{
		restrict_connection(&reading);
		status = check_table(&reading, &is_table);
		if (status == CLAIR_OK && is_table)
			status = read_rows(&reading);
	}
	else
		status = sqlite_problem(&reading, result);
	memory_vfs_close(&vfs, reading.connection);
	return status;
}
