/*
 * sqlite_database.h
 *    A hostile SQLite database, opened in memory so that reading it can do no harm.
 *
 * Nothing of it is trusted: it cannot be written, gets no more than small limits, has no virtual
 * tables, no views and no triggers, and how much SQLite does with it is bounded by a count of
 * its steps. What it holds is read with statements of ours, from tables that
 * sqlite_database_has_table() has found to be plain ones.
 */
#ifndef CLAIR_SQLITE_DATABASE_H
#define CLAIR_SQLITE_DATABASE_H

#include <sqlite3.h>

#include "package/findings.h"

typedef struct SqliteDatabase
{
	ClairBytes file;
	sqlite3_vfs vfs;
	sqlite3 *connection;
	int64_t steps;
	Findings *findings; /* take what is wrong with the database */
	ClairError *error;
} SqliteDatabase;

/*
 * Opens the database that lies in file. A file that is none is a problem of the findings, and
 * *opened is false. To be closed in any case.
 */
extern ClairStatus sqlite_database_open(SqliteDatabase *database, ClairBytes file,
										Findings *findings, ClairError *error, bool *opened);
extern void sqlite_database_close(SqliteDatabase *database);

/*
 * Whether the table is one, and its columns hold what they hold: none of them is computed. A
 * problem when not. The name is one of ours.
 */
extern ClairStatus
sqlite_database_has_table(SqliteDatabase *database, const char *name, bool *has_table);

/* Says what SQLite came to: a problem, or an error when memory is short. */
extern ClairStatus sqlite_database_problem(SqliteDatabase *database, int result);

#endif
