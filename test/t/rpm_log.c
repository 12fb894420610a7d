/*
 * rpm_log.c
 *    Leaves changes to an rpm database in its write-ahead log, as a container that was stopped
 * does.
 *
 * Usage: rpm_log DATABASE PACKAGES. Deletes all but the first that many packages; the database
 * keeps them, what deletes them is in the log beside it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

int
main(int count, char **arguments)
{
	sqlite3 *connection;
	char sql[500];

	if (count != 3 || sqlite3_open(arguments[1], &connection) != SQLITE_OK)
		return 2;
	snprintf(sql, sizeof(sql),
			 "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
			 "DELETE FROM Packages WHERE hnum NOT IN"
			 " (SELECT hnum FROM Packages ORDER BY hnum LIMIT %d)",
			 atoi(arguments[2]));
	if (sqlite3_exec(connection, sql, NULL, NULL, NULL) != SQLITE_OK)
	{
		fprintf(stderr, "%s\n", sqlite3_errmsg(connection));
		return 1;
	}
	/* Closing the database would bring the changes into it. */
	fflush(NULL);
	_exit(0);
}
