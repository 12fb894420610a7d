/*
 * dnf_history.c
 *    Reads dnf's history of transactions: the repositories that installed packages came from.
 *
 * The history is an SQLite database. A package in one version is an item, what a transaction
 * did with it is a row of trans_item, and its last one decides whether it is still there. The
 * numbers of the actions are those of libdnf (dnf 4: TransactionItemAction) and of libdnf5.
 * Facts: "repository", "repository.1", ...
 */
#include "package/package.h"
#include "package/sqlite_database.h"

#define MAX_REPOSITORIES 1000

/* Of the latest row of each item, the repository, when the action leaves the item installed. */
#define REPOSITORIES(action, other, installing)                                                    \
	"SELECT DISTINCT repo.repoid"                                                                  \
	" FROM (SELECT max(id), " action " AS action, repo_id"                                         \
	"       FROM main.trans_item NOT INDEXED"                                                      \
	"       WHERE " action " <> " other "       GROUP BY item_id) AS last"                         \
	"     JOIN main.repo NOT INDEXED ON repo.id = last.repo_id"                                    \
	" WHERE last.action IN (" installing ")"                                                       \
	" ORDER BY 1"

/* Adds a repository; what dnf calls "@System" and the like are none. */
static ClairStatus
add_repository(SqliteDatabase *database, sqlite3_stmt *statement, int *count)
{
	ClairBytes name;

	if (sqlite3_column_type(statement, 0) != SQLITE_TEXT)
		return CLAIR_OK;
	name.data = (const char *) sqlite3_column_text(statement, 0);
	name.size = (size_t) sqlite3_column_bytes(statement, 0);
	if (name.data == NULL)
		return sqlite_database_problem(database, SQLITE_NOMEM);
	if (name.size == 0 || name.size > CLAIR_MAX_NAME || name.data[0] == '@')
		return CLAIR_OK;
	if (*count == MAX_REPOSITORIES)
		return CLAIR_OK;
	return findings_fact_of_list(database->findings, "repository", (*count)++, name,
								 database->error);
}

static ClairStatus
read_repositories(SqliteDatabase *database, const char *sql)
{
	sqlite3_stmt *statement;
	int count = 0;
	ClairStatus status = CLAIR_OK;
	int result = sqlite3_prepare_v2(database->connection, sql, -1, &statement, NULL);

	if (result == SQLITE_OK)
	{
		while (status == CLAIR_OK && (result = sqlite3_step(statement)) == SQLITE_ROW)
			status = add_repository(database, statement, &count);
	}
	if (status == CLAIR_OK && result != SQLITE_DONE)
		status = sqlite_database_problem(database, result);
	sqlite3_finalize(statement);
	return status;
}

static ClairStatus
read_history(ClairBytes file, const char *sql, Findings *findings, ClairError *error)
{
	SqliteDatabase database;
	bool readable;
	ClairStatus status = sqlite_database_open(&database, file, findings, error, &readable);

	if (status == CLAIR_OK && readable)
		status = sqlite_database_has_table(&database, "trans_item", &readable);
	if (status == CLAIR_OK && readable)
		status = sqlite_database_has_table(&database, "repo", &readable);
	if (status == CLAIR_OK && readable)
		status = read_repositories(&database, sql);
	sqlite_database_close(&database);
	return status;
}

/* Installed, downgraded to, obsoleting, upgraded to, reinstalled; 11: only the reason changed. */
ClairStatus
dnf4_history_read(ClairBytes file, Findings *findings, ClairError *error)
{
	return read_history(file, REPOSITORIES("action", "11", "1, 2, 4, 6, 9, 10"), findings, error);
}

/* Installed, upgraded to, downgraded to, reinstalled; 7: only the reason changed. */
ClairStatus
dnf5_history_read(ClairBytes file, Findings *findings, ClairError *error)
{
	return read_history(file, REPOSITORIES("action_id", "7", "1, 2, 3, 4"), findings, error);
}
