/* Proves what the readers of rpm's databases find, in any byte order, sound, damaged or alien. */
#include <zlib.h>

#include "rpm_test.h"
#include "sqlite_test.h"

#define ONE	  "one 1.0-2.el9 one 1.0-2.el9 x86_64;"
#define TWO	  "two 1.0-2.el9 two 1.0-2.el9 x86_64;"
#define THREE "three 1.0-2.el9 three 1.0-2.el9 x86_64;"

static HeaderWriter header;

/* A header of a package; with a summary of so many bytes it can be made long. */
static ClairBytes
package(const char *name, size_t summary)
{
	header_start(&header, name);
	if (summary > 0)
	{
		header_entry(&header, HEADER_SUMMARY, HEADER_STRING, (uint32_t) header.data_size, 1);
		memset(header.data + header.data_size, 's', summary - 1);
		header.data_size += summary;
	}
	return header_bytes(&header);
}

/* ---------------------------------------------------------------------------
 * Berkeley DB: a page for each of two buckets, and overflow pages
 * --------------------------------------------------------------------------- */

#define BDB_PAGE  512
#define BDB_PAGES 8

static char bdb[BDB_PAGE * BDB_PAGES];
static bool bdb_big_endian;

static char *
bdb_page(uint32_t number, int type)
{
	char *page = bdb + number * BDB_PAGE;

	write_u32(page + 8, number, bdb_big_endian);
	page[25] = (char) type;
	return page;
}

static void
bdb_add_item(char *page, char type, const char *data, size_t size)
{
	uint16_t count = (uint16_t) (bdb_big_endian ? page[21] : page[20]);
	size_t end = BDB_PAGE;

	if (count > 0)
	{
		const unsigned char *last = (unsigned char *) page + 26 + 2 * (count - 1);

		end = bdb_big_endian ? (size_t) last[0] << 8 | last[1] : (size_t) last[1] << 8 | last[0];
	}
	page[end - size - 1] = type;
	memcpy(page + end - size, data, size);
	write_u16(page + 26 + 2 * count, (uint16_t) (end - size - 1), bdb_big_endian);
	write_u16(page + 20, count + 1, bdb_big_endian);
}

static void
bdb_add_key(char *page, uint32_t number)
{
	char key[4];

	write_u32(key, number, bdb_big_endian);
	bdb_add_item(page, 1, key, sizeof(key));
}

static void
bdb_add(uint32_t page, uint32_t number, ClairBytes value)
{
	bdb_add_key(bdb_page(page, 13), number);
	bdb_add_item(bdb_page(page, 13), 1, value.data, value.size);
}

/* A value on overflow pages, from the one of this number on. */
static void
bdb_add_overflow(uint32_t page, uint32_t number, ClairBytes value, uint32_t first)
{
	char item[11] = {0};

	write_u32(item + 3, first, bdb_big_endian);
	write_u32(item + 7, (uint32_t) value.size, bdb_big_endian);
	bdb_add_key(bdb_page(page, 13), number);
	bdb_add_item(bdb_page(page, 13), 3, item, sizeof(item));
	while (value.size > 0)
	{
		char *overflow = bdb_page(first, 7);
		size_t size = value.size < BDB_PAGE - 26 ? value.size : BDB_PAGE - 26;

		memcpy(overflow + 26, value.data, size);
		write_u16(overflow + 22, (uint16_t) size, bdb_big_endian);
		value = clair_bytes_skip(value, size);
		first++;
		write_u32(overflow + 16, value.size > 0 ? first : 0, bdb_big_endian);
	}
}

/* Three packages: one inline, one on a page of the second bucket, one on overflow pages. */
static void
bdb_write(bool big_endian)
{
	memset(bdb, 0, sizeof(bdb));
	bdb_big_endian = big_endian;
	bdb_page(0, 8);
	write_u32(bdb + 12, 0x00061561, big_endian);
	write_u32(bdb + 16, 9, big_endian);
	write_u32(bdb + 20, BDB_PAGE, big_endian);
	write_u32(bdb + 32, BDB_PAGES - 1, big_endian);
	write_u32(bdb + 72, 1, big_endian);
	/* Bucket 0 is on page 1, bucket 1 on page 2. */
	write_u32(bdb + 96, 1, big_endian);
	write_u32(bdb + 100, 1, big_endian);
	bdb_add(1, 0, (ClairBytes){"\3\0\0\0", 4});
	bdb_add(1, 1, package("one", 0));
	bdb_add_overflow(2, 2, package("two", 1100), 4);
	bdb_add(2, 3, package("three", 0));
}

#define CHECK_BDB(expected, what)                                                                  \
	CHECK_TEXT(findings_text(rpm_bdb_read, (ClairBytes){bdb, sizeof(bdb)}), expected, what)

static void
test_bdb(bool big_endian)
{
	char *page;

	bdb_write(big_endian);
	CHECK_BDB(ONE TWO THREE, big_endian ? "big-endian" : "little-endian");

	bdb_add(1, 3, package("later", 0));
	CHECK_BDB(ONE TWO THREE, "of two of one number, the later page's counts");

	bdb_write(big_endian);
	write_u32(bdb + 5 * BDB_PAGE + 16, 4, big_endian);
	CHECK_BDB(ONE THREE "?record 2: its pages are damaged;", "overflow pages in a circle");
	write_u32(bdb + 5 * BDB_PAGE + 16, 0, big_endian);
	CHECK_BDB(ONE THREE "?record 2: its pages are damaged;", "too few of them");
	write_u32(bdb + 5 * BDB_PAGE + 16, 1000000, big_endian);
	CHECK_BDB(ONE THREE "?record 2: its pages are damaged;", "one that is not there");
	write_u32(bdb + 5 * BDB_PAGE + 16, 6, big_endian);
	write_u16(bdb + 6 * BDB_PAGE + 22, 0, big_endian);
	CHECK_BDB(ONE THREE "?record 2: its pages are damaged;", "an empty one");
	write_u16(bdb + 6 * BDB_PAGE + 22, 5000, big_endian);
	CHECK_BDB(ONE THREE "?record 2: its pages are damaged;", "one with more bytes than a page has");

	bdb_write(big_endian);
	memset(bdb + BDB_PAGE, 0, BDB_PAGE);
	CHECK_BDB(TWO THREE "?bucket 0: its page, 1, is damaged;", "a bucket without page");
	bdb_write(big_endian);
	write_u32(bdb + BDB_PAGE + 8, 9, big_endian);
	CHECK_BDB(TWO THREE "?bucket 0: its page, 1, is damaged;?page 1 is damaged;",
			  "a page of another number");
	bdb_write(big_endian);
	write_u32(bdb + BDB_PAGE + 16, 1, big_endian);
	CHECK_BDB(ONE TWO THREE "?page 1: what follows it is damaged;", "a page that follows itself");
	bdb_write(big_endian);
	write_u16(bdb + BDB_PAGE + 20, 3, big_endian);
	CHECK_BDB(TWO THREE "?page 1 is damaged;", "an odd number of items");
	write_u16(bdb + BDB_PAGE + 20, 65534, big_endian);
	CHECK_BDB(TWO THREE "?page 1 is damaged;", "more items than fit");
	bdb_write(big_endian);
	page = bdb + BDB_PAGE;
	write_u16(page + 26 + 4, 600, big_endian);
	CHECK_BDB(TWO THREE "?page 1 is damaged;", "an item behind the page");
	bdb_write(big_endian);
	write_u32(bdb + 32, 100, big_endian);
	CHECK_BDB(ONE TWO THREE "?it should have 101 pages, but has 8;", "pages that are missing");
	write_u32(bdb + 72, 0xffffffff, big_endian);
	CHECK_BDB(ONE TWO THREE "?it should have 101 pages, but has 8;"
							"?its number of buckets is invalid;",
			  "too many buckets");
	bdb_write(big_endian);
	write_u32(bdb + 16, 7, big_endian);
	CHECK_BDB("??its version of Berkeley DB is not supported;", "an old version");
	bdb_write(big_endian);
	bdb[24] = 1;
	CHECK_BDB("??it is encrypted, partitioned, or has checksums;", "an encrypted one");
	bdb_write(big_endian);
	write_u32(bdb + 20, 768, big_endian);
	CHECK_BDB("?the size of its pages is invalid;", "pages of an odd size");
	bdb_write(big_endian);
	write_u32(bdb + 12, 0x00053162, big_endian);
	CHECK_BDB("??it is not a hash table of Berkeley DB;", "a tree of it");
	CHECK_TEXT(findings_text(rpm_bdb_read, (ClairBytes){bdb, 511}),
			   "?it is not a hash table of Berkeley DB;", "a file that is cut");
	CHECK_FINDINGS(rpm_bdb_read, "", "?it is not a hash table of Berkeley DB;", "an empty file");
}

/* ---------------------------------------------------------------------------
 * ndb
 * --------------------------------------------------------------------------- */

static char ndb[16384];
static size_t ndb_size;

static void
ndb_add(uint32_t number, ClairBytes value)
{
	size_t blocks = (value.size + 16 + 12 + 15) / 16;
	char *record = ndb + ndb_size;
	char *tail = record + blocks * 16 - 12;
	char *slot = ndb + 32 + 16 * (size_t) (number - 1);

	memcpy(slot, "Slot", 4);
	write_u32(slot + 4, number, false);
	write_u32(slot + 8, (uint32_t) (ndb_size / 16), false);
	write_u32(slot + 12, (uint32_t) blocks, false);
	memcpy(record, "BlbS", 4);
	write_u32(record + 4, number, false);
	write_u32(record + 12, (uint32_t) value.size, false);
	memcpy(record + 16, value.data, value.size);
	write_u32(tail, (uint32_t) adler32(1, (const Bytef *) record, (uInt) (tail - record)), false);
	write_u32(tail + 4, (uint32_t) value.size, false);
	memcpy(tail + 8, "BlbE", 4);
	ndb_size += blocks * 16;
}

static void
ndb_write(void)
{
	memset(ndb, 0, sizeof(ndb));
	ndb_size = 4096;
	memcpy(ndb, "RpmP", 4);
	write_u32(ndb + 12, 1, false);
	for (size_t at = 32; at < 4096; at += 16)
		memcpy(ndb + at, "Slot", 4);
	ndb_add(1, package("one", 0));
	ndb_add(2, package("two", 1000));
	ndb_add(3, package("three", 0));
}

#define CHECK_NDB(expected, what)                                                                  \
	CHECK_TEXT(findings_text(rpm_ndb_read, (ClairBytes){ndb, ndb_size}), expected, what)

static void
test_ndb(void)
{
	ndb_write();
	CHECK_NDB(ONE TWO THREE, "ndb");
	ndb[4096 + 16 + 8 + 64] ^= 1;
	CHECK_NDB("nne 1.0-2.el9 nne 1.0-2.el9 x86_64;" TWO THREE "?record 1: its checksum is wrong;",
			  "a wrong checksum");
	ndb_write();
	memcpy(ndb + 48, ndb + 32, 16);
	write_u32(ndb + 52, 2, false);
	CHECK_NDB(ONE THREE "?record 2: it overlaps with another;", "records that overlap");
	ndb_write();
	write_u32(ndb + 60, 1, false);
	CHECK_NDB(ONE THREE "?record 2: it is damaged;", "too few blocks");
	write_u32(ndb + 60, 0xffffffff, false);
	CHECK_NDB(ONE THREE "?record 2: it lies outside of the file;", "too many");
	ndb_write();
	write_u32(ndb + 56, 1, false);
	CHECK_NDB(ONE THREE "?record 2: it lies outside of the file;", "a record among the slots");
	ndb_write();
	ndb[4096 - 16] = 'x';
	CHECK_NDB(ONE TWO THREE "?byte 4080: there is no slot;", "a slot that is none");
	ndb_write();
	write_u32(ndb + 12, 0, false);
	CHECK_NDB("?0 pages of slots do not fit in 5504 bytes;", "no slots");
	write_u32(ndb + 12, 0x10000000, false);
	CHECK_NDB("?268435456 pages of slots do not fit in 5504 bytes;", "too many pages of slots");
	write_u32(ndb + 4, 1, false);
	CHECK_NDB("??its version, 1, is not supported;", "a version to come");
	CHECK_FINDINGS(rpm_ndb_read, "RpmP", "?it is not rpm's database called ndb;",
				   "a file that is cut");
}

/* ---------------------------------------------------------------------------
 * sqlite, and its write-ahead log: written by SQLite itself, in a folder of its own
 * --------------------------------------------------------------------------- */

static void
insert(sqlite3 *connection, ClairBytes value)
{
	sqlite3_stmt *statement;

	sqlite3_prepare_v2(connection, "INSERT INTO Packages(blob) VALUES (?)", -1, &statement, NULL);
	sqlite3_bind_blob(statement, 1, value.data, (int) value.size, SQLITE_TRANSIENT);
	sqlite3_step(statement);
	sqlite3_finalize(statement);
}

#define RPM_TABLE                                                                                  \
	"CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"

/* What is found in a database that the statements make. */
static void
check_sqlite(const char *sql, const char *expected, const char *what)
{
	sqlite3 *connection = create(sql);
	ClairBytes file;

	sqlite3_close(connection);
	file = slurp(database_path);
	CHECK_TEXT(findings_text(rpm_sqlite_read, file), expected, what);
	free((char *) file.data);
}

static void
test_sqlite(void)
{
	sqlite3 *connection = create(RPM_TABLE ";CREATE TABLE Name (key TEXT, hnum INTEGER)");
	ClairBytes file;

	insert(connection, package("one", 0));
	insert(connection, package("two", 3000));
	insert(connection, (ClairBytes){"short", 5});
	insert(connection, package("three", 0));
	run(connection, "INSERT INTO Packages VALUES (7, 'a text')");
	sqlite3_close(connection);
	file = slurp(database_path);
	CHECK_TEXT(findings_text(rpm_sqlite_read, file),
			   ONE TWO THREE "?record 3: 5 bytes are not a header of 0 entries and 0 bytes;"
							 "?record 7: it is not a header;",
			   "sqlite");
	CHECK(clair_bytes_end_with(findings_text(rpm_sqlite_read, (ClairBytes){file.data, 2000}),
							   CLAIR_LITERAL("malformed;")),
		  "a file that is cut");
	free((char *) file.data);

	check_sqlite(RPM_TABLE, "", "an empty table");
	check_sqlite("CREATE TABLE Other (a)", "?it has no table \"Packages\";", "no table");
	check_sqlite("CREATE VIEW Packages AS SELECT 1 AS hnum, x'00' AS blob",
				 "?it has no table \"Packages\";", "a view");
	check_sqlite("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, b BLOB,"
				 " blob AS (zeroblob(1000000000)))",
				 "?its table \"Packages\" has columns that are computed;", "a computed column");
	check_sqlite("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, other)",
				 "?SQLite could not read it: no such column: blob;", "no such column");
	check_sqlite("CREATE TABLE Packages (hnum PRIMARY KEY, blob) WITHOUT ROWID",
				 "?SQLite could not read it: no such column: rowid;", "a table without numbers");
	check_sqlite(
		"CREATE TABLE Packages (hnum, rowid, blob); INSERT INTO Packages VALUES (1, 'a', x'00')",
		"?its records have more bytes than the database;", "a number that is a text");
	CHECK_FINDINGS(rpm_sqlite_read, "", "?it is not an SQLite database;", "an empty file");
	CHECK_FINDINGS(rpm_sqlite_read, "SQLite format 3", "?it is not an SQLite database;",
				   "less than a header");
}

/* Applies a log to a database, both from memory; what is found, or the problem of the log. */
static void
check_log(ClairBytes database, ClairBytes log, const char *expected, const char *what)
{
	static const ClairLimits limits = {.max_file_size = 1 << 20};
	Arena *arena = arena_create((size_t) 1 << 20);
	char *bytes = malloc(database.size);
	size_t size = database.size;
	Findings findings;
	ClairError error;

	memcpy(bytes, database.data, size);
	findings_start(&findings, arena, &limits);
	CHECK(sqlite_log_apply(log, &bytes, &size, &findings, &error) == CLAIR_OK, what);
	CHECK_TEXT(findings.problems != NULL
				   ? findings.problems->reason
				   : findings_text(rpm_sqlite_read, (ClairBytes){bytes, size}),
			   expected, what);
	free(bytes);
	arena_destroy(arena);
}

static void
test_log(void)
{
	sqlite3 *connection = create(RPM_TABLE);
	ClairBytes database;
	ClairBytes log;
	size_t one_commit;

	insert(connection, package("one", 3000));
	run(connection, "PRAGMA journal_mode = WAL");
	run(connection, "PRAGMA wal_autocheckpoint = 0");
	insert(connection, package("two", 3000));
	log = slurp(log_path);
	one_commit = log.size;
	free((char *) log.data);
	run(connection, "DELETE FROM Packages WHERE hnum = 1");
	insert(connection, package("three", 3000));
	database = slurp(database_path);
	log = slurp(log_path);
	sqlite3_close(connection);

	CHECK_TEXT(findings_text(rpm_sqlite_read, database), "one 1.0-2.el9 one 1.0-2.el9 x86_64;",
			   "a database that says that it has a log");
	CHECK(sqlite_log_has_changes(log), "a log");
	check_log(database, log, TWO THREE, "its changes");
	check_log(database, (ClairBytes){log.data, log.size - 1}, TWO, "without the last commit");
	check_log(database, (ClairBytes){log.data, one_commit + 600}, ONE TWO, "the first commit only");
	check_log(database, (ClairBytes){log.data, one_commit - 1}, ONE, "part of the first commit");
	CHECK(!sqlite_log_has_changes((ClairBytes){log.data, one_commit - 1}), "which is no change");
	CHECK(!sqlite_log_has_changes(CLAIR_NULL_BYTES), "an empty log");
	((char *) log.data)[one_commit + 40] ^= 1;
	check_log(database, log, ONE TWO, "a frame whose checksum is wrong");
	((char *) log.data)[one_commit + 40] ^= 1;
	((char *) log.data)[one_commit + 8] ^= 1;
	check_log(database, log, ONE TWO, "a frame of another round");
	((char *) log.data)[8] ^= 1;
	check_log(database, log, ONE, "a header that is damaged");
	((char *) log.data)[8] ^= 1;
	((char *) database.data)[16] = 4;
	((char *) database.data)[17] = 0;
	check_log(database, log, "its write-ahead log is not its own", "another size of pages");
	free((char *) database.data);
	free((char *) log.data);
}

int
main(void)
{
	test_bdb(false);
	test_bdb(true);
	test_ndb();
	if (!sqlite_test_start())
		return 1;
	test_sqlite();
	test_log();
	sqlite_test_end();
	return unit_result();
}
