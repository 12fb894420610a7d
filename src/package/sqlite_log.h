/*
 * sqlite_log.h
 *    The write-ahead log of an SQLite database: changes that are not in the database's file yet.
 */
#ifndef CLAIR_SQLITE_LOG_H
#define CLAIR_SQLITE_LOG_H

#include "package/findings.h"

/* What the name of the log has behind that of the database. */
#define SQLITE_LOG_ENDING "-wal"

/* Whether the log has committed changes. */
extern bool sqlite_log_has_changes(ClairBytes log);

/*
 * Makes the committed changes of the log to the database's bytes, in memory from malloc that
 * may move. A log that is not this database's is a problem, and changes nothing.
 */
extern ClairStatus sqlite_log_apply(ClairBytes log, char **database, size_t *size,
									Findings *findings, ClairError *error);

#endif
