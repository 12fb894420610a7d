/* Proves what content manifests and dnf's history say of the repositories of packages. */
#include "findings_text.h"
#include "sqlite_test.h"

/* Both of dnf's schemas, as far as they matter; what rpm calls a package in a version is an item.
 */
#define DNF4                                                                                       \
	"CREATE TABLE repo (id INTEGER PRIMARY KEY, repoid TEXT NOT NULL);"                            \
	"CREATE TABLE trans_item (id INTEGER PRIMARY KEY AUTOINCREMENT, trans_id INTEGER,"             \
	" item_id INTEGER, repo_id INTEGER, action INTEGER NOT NULL, reason INTEGER NOT NULL);"        \
	"INSERT INTO repo VALUES (1, 'baseos'), (2, 'appstream'), (3, '@System'), (4, 'epel');"
#define DNF5                                                                                       \
	"CREATE TABLE repo (id INTEGER PRIMARY KEY, repoid TEXT NOT NULL);"                            \
	"CREATE TABLE trans_item (id INTEGER PRIMARY KEY AUTOINCREMENT, trans_id INTEGER,"             \
	" item_id INTEGER, repo_id INTEGER, action_id INTEGER, reason_id INTEGER);"                    \
	"INSERT INTO repo VALUES (1, 'baseos'), (2, 'appstream'), (3, '@System'), (4, 'epel');"
#define DNF4_ITEM "INSERT INTO trans_item (trans_id, item_id, repo_id, action, reason) VALUES "
#define DNF5_ITEM                                                                                  \
	"INSERT INTO trans_item (trans_id, item_id, repo_id, action_id, reason_id) VALUES "

static void
test_manifests(void)
{
	CHECK_FINDINGS(content_manifest_read,
				   "{\"metadata\": {\"icm_version\": 1}, \"content_sets\":\n [\"a-rpms\", \"b\"]}",
				   "repository=a-rpms;repository.1=b;", "content sets");
	CHECK_FINDINGS(content_manifest_read,
				   "{\"from_dnf_hint\": true, \"content_sets\": [\"a\\u002drpms\"]}",
				   "repository=a-rpms;from_dnf_hint=true;", "dnf is to be believed");
	CHECK_FINDINGS(content_manifest_read, "{\"from_dnf_hint\": \"true\", \"content_sets\": []}", "",
				   "a text is no hint; no sets");
	CHECK_FINDINGS(content_manifest_read, "{\"from_dnf_hint\": false}", "", "no hint");
	CHECK_FINDINGS(content_manifest_read,
				   "{\"content_sets\": [1, \"\", null, [\"x\"], {\"y\": \"z\"}, \"a\"]}",
				   "repository=a;", "what is no name is passed over");
	CHECK_FINDINGS(content_manifest_read, "{\"content_sets\": {\"a\": \"b\"}}", "", "no array");
	CHECK_FINDINGS(content_manifest_read, "{\"architecture\": \"x86_64\"}", "", "another document");
	CHECK_FINDINGS(content_manifest_read, "{\"content_sets\": [\"a\"]",
				   "?invalid JSON at byte 23: it ends too early;", "a file that is cut");
	CHECK_FINDINGS(content_manifest_read, "File replaced",
				   "?invalid JSON at byte 1: a value is missing;", "a file that is no JSON");
	CHECK_FINDINGS(content_manifest_read, "{\"content_sets\": [\"a\\u0000\"]}",
				   "?invalid JSON at byte 28: a string is not UTF-8, or has a NUL in it;",
				   "a name with a NUL");
	CHECK_FINDINGS(content_manifest_read, "[]", "?it is not a JSON object;", "an array");
	CHECK_FINDINGS(content_manifest_read, "", "?invalid JSON at byte 1: it ends too early;",
				   "an empty file");
}

/* What the statements make is read as this. */
static void
check_history(FileReader *reader, const char *sql, const char *expected, const char *what)
{
	ClairBytes file;

	sqlite3_close(create(sql));
	file = slurp(database_path);
	CHECK_TEXT(findings_text(reader, file), expected, what);
	free((char *) file.data);
}

static void
test_histories(void)
{
	check_history(dnf4_history_read,
				  DNF4 DNF4_ITEM
				  "(1, 10, 1, 1, 2), (1, 11, 2, 1, 2), (1, 12, 4, 1, 2), (2, 12, 3, 8, 2)",
				  "repository=appstream;repository.1=baseos;", "what is removed does not count");
	check_history(dnf4_history_read,
				  DNF4 DNF4_ITEM "(1, 10, 4, 1, 2), (2, 10, 4, 7, 2), (2, 11, 1, 6, 2)",
				  "repository=baseos;", "nor what is upgraded, but what it is upgraded to");
	check_history(dnf4_history_read,
				  DNF4 DNF4_ITEM "(1, 10, 4, 1, 2), (2, 10, 4, 8, 2), (3, 10, 1, 1, 2)",
				  "repository=baseos;", "removed and installed again, from elsewhere");
	check_history(dnf4_history_read,
				  DNF4 DNF4_ITEM "(1, 10, 1, 1, 2), (2, 10, 3, 11, 2), (1, 11, NULL, 1, 2)",
				  "repository=baseos;", "another reason; no repository");
	check_history(dnf4_history_read, DNF4 DNF4_ITEM "(1, 10, 3, 1, 2)", "", "dnf's own names");
	check_history(dnf4_history_read,
				  DNF4 "INSERT INTO repo VALUES (5, x'00ff');" DNF4_ITEM
					   "(1, 10, 5, 1, 2), (1, 11, 2, 1, 2)",
				  "repository=appstream;", "a name that is no text");
	check_history(dnf5_history_read,
				  DNF5 DNF5_ITEM "(1, 10, 1, 1, 2), (1, 11, 4, 1, 2), (2, 11, 4, 6, 2),"
								 " (2, 12, 2, 2, 2), (3, 13, 4, 1, 1), (4, 13, 3, 5, 1),"
								 " (4, 10, 3, 7, 1)",
				  "repository=appstream;repository.1=baseos;", "dnf 5");
	check_history(dnf5_history_read, DNF4, "?SQLite could not read it: no such column: action_id;",
				  "dnf 4's read as dnf 5's");
	check_history(dnf4_history_read, "CREATE TABLE repo (id INTEGER PRIMARY KEY, repoid TEXT)",
				  "?it has no table \"trans_item\";", "no transactions");
	check_history(dnf4_history_read,
				  "CREATE TABLE trans_item (id INTEGER PRIMARY KEY, item_id, repo_id, action);"
				  "CREATE VIEW repo AS SELECT 1 AS id, 'x' AS repoid",
				  "?it has no table \"repo\";", "a view");
	CHECK_FINDINGS(dnf4_history_read, "", "?it is not an SQLite database;", "an empty file");
}

/* More rows than SQLite sorts without a file, when it may have one. */
static void
test_many_rows(void)
{
	check_history(dnf4_history_read,
				  DNF4
				  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)"
				  "INSERT INTO trans_item SELECT i, 1, 9001 - i, 1 + i % 2, 1, 2 FROM n",
				  "repository=appstream;repository.1=baseos;", "many rows");
}

int
main(void)
{
	if (!sqlite_test_start())
		return 1;
	test_manifests();
	test_histories();
	test_many_rows();
	sqlite_test_end();
	return unit_result();
}
