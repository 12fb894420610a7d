/*
 * rpm_sqlite.c
 *    Reads rpmdb.sqlite: rpm's database since 2020, an SQLite database.
 *
 * All that matters is the table Packages(hnum, blob): a record's number and its header. How
 * much is read is bounded, beside SQLite's own work, by the bytes that the database returns.
 */
#include <inttypes.h>

#include "package/package.h"
#include "package/rpm_header.h"
#include "package/sqlite_database.h"

static ClairStatus
read_row(SqliteDatabase *database, sqlite3_stmt *statement, uint64_t *bytes, bool *more)
{
	int64_t number = sqlite3_column_int64(statement, 0);
	ClairBytes header;

	/* Rows that share pages could have many times the bytes of the database. */
	*bytes += (uint64_t) sqlite3_column_bytes(statement, 1);
	*more = *bytes <= database->file.size && sqlite3_column_type(statement, 0) == SQLITE_INTEGER;
	if (!*more)
		return findings_problem(database->findings, database->error,
								"its records have more bytes than the database");
	if (sqlite3_column_type(statement, 1) != SQLITE_BLOB)
		return findings_problem(database->findings, database->error,
								"record %" PRId64 ": it is not a header", number);
	header.data = sqlite3_column_blob(statement, 1);
	header.size = (size_t) sqlite3_column_bytes(statement, 1);
	return rpm_header_read(header, number, database->findings, database->error);
}

static ClairStatus
read_rows(SqliteDatabase *database)
{
	sqlite3_stmt *statement;
	uint64_t bytes = 0;
	bool more = true;
	ClairStatus status = CLAIR_OK;
	int result = sqlite3_prepare_v2(database->connection,
									"SELECT rowid, blob FROM main.Packages NOT INDEXED", -1,
									&statement, NULL);

	if (result == SQLITE_OK)
	{
		while (status == CLAIR_OK && more && (result = sqlite3_step(statement)) == SQLITE_ROW)
			status = read_row(database, statement, &bytes, &more);
	}
	if (status == CLAIR_OK && result != SQLITE_ROW && result != SQLITE_DONE)
		status = sqlite_database_problem(database, result);
	sqlite3_finalize(statement);
	return status;
}

ClairStatus
rpm_sqlite_read(ClairBytes file, Findings *findings, ClairError *error)
{
	SqliteDatabase database;
	bool readable;
	ClairStatus status;

	findings->unit = "record";
	status = sqlite_database_open(&database, file, findings, error, &readable);
	if (status == CLAIR_OK && readable)
		status = sqlite_database_has_table(&database, "Packages", &readable);
	if (status == CLAIR_OK && readable)
		status = read_rows(&database);
	sqlite_database_close(&database);
	return status;
}
