/*
 * sqlite_log.c
 *    Reads the write-ahead log of an SQLite database; see sqlite_log.h.
 *
 * The log is a header and frames, each a new version of a page. A frame counts when its salts
 * are the header's and its checksum, over all that came before it, is right, and when a commit
 * follows: a frame that says how large the database is then (SQLite, "WAL-mode File Format").
 * Numbers are big-endian; the header's magic says in which order the checksum takes words.
 */
#include "package/sqlite_log.h"

#include <inttypes.h>
#include <stdlib.h>

#include "package/byte_order.h"

#define LOG_HEADER_SIZE		 32
#define FRAME_HEADER_SIZE	 24
#define DATABASE_HEADER_SIZE 100
#define MIN_PAGE_SIZE		 512
#define MAX_PAGE_SIZE		 65536
#define LOG_MAGIC			 0x377f0682 /* the last bit: whether checksums are big-endian */
#define LOG_VERSION			 3007000

typedef struct Log
{
	ClairBytes bytes;
	size_t page_size;
	size_t frame_count;	 /* up to the last commit */
	uint32_t page_count; /* of the database after it */
} Log;

/* Continues a checksum over bytes, a multiple of 8 of them. */
static void
add_to_checksum(const char *bytes, size_t size, bool big_endian, uint32_t sum[2])
{
	for (size_t i = 0; i < size; i += 8)
	{
		sum[0] += (big_endian ? big_u32(bytes + i) : little_u32(bytes + i)) + sum[1];
		sum[1] += (big_endian ? big_u32(bytes + i + 4) : little_u32(bytes + i + 4)) + sum[0];
	}
}

static const char *
frame_at(const Log *log, size_t number)
{
	return log->bytes.data + LOG_HEADER_SIZE + number * (FRAME_HEADER_SIZE + log->page_size);
}

/* Reads the header; false when it is not that of a log. */
static bool
read_header(Log *log, bool *big_endian, uint32_t sum[2])
{
	const char *header = log->bytes.data;

	if (log->bytes.size < LOG_HEADER_SIZE || (big_u32(header) & ~UINT32_C(1)) != LOG_MAGIC ||
		big_u32(header + 4) != LOG_VERSION)
		return false;
	*big_endian = (big_u32(header) & 1) != 0;
	log->page_size = big_u32(header + 8);
	if (log->page_size < MIN_PAGE_SIZE || log->page_size > MAX_PAGE_SIZE ||
		(log->page_size & (log->page_size - 1)) != 0)
		return false;
	sum[0] = sum[1] = 0;
	add_to_checksum(header, 24, *big_endian, sum);
	return sum[0] == big_u32(header + 24) && sum[1] == big_u32(header + 28);
}

/* Reads a log; one that is none, or whose first frame is broken, has no frames. */
static Log
read_log(ClairBytes bytes)
{
	Log log = {.bytes = bytes};
	bool big_endian;
	uint32_t sum[2];
	size_t there;

	if (!read_header(&log, &big_endian, sum))
		return log;
	there = (bytes.size - LOG_HEADER_SIZE) / (FRAME_HEADER_SIZE + log.page_size);
	for (size_t i = 0; i < there; i++)
	{
		const char *frame = frame_at(&log, i);

		add_to_checksum(frame, 8, big_endian, sum);
		add_to_checksum(frame + FRAME_HEADER_SIZE, log.page_size, big_endian, sum);
		if (big_u32(frame) == 0 || memcmp(frame + 8, bytes.data + 16, 8) != 0 ||
			sum[0] != big_u32(frame + 16) || sum[1] != big_u32(frame + 20))
			break;
		if (big_u32(frame + 4) != 0)
		{
			log.frame_count = i + 1;
			log.page_count = big_u32(frame + 4);
		}
	}
	return log;
}

bool
sqlite_log_has_changes(ClairBytes bytes)
{
	return read_log(bytes).frame_count > 0;
}

/* Whether the log can be that of a database. */
static bool
belongs_to(const Log *log, ClairBytes database)
{
	size_t page_size;

	/* A page can be new to the database only when the log has it. */
	if (log->page_count > database.size / log->page_size + log->frame_count)
		return false;
	if (database.size < DATABASE_HEADER_SIZE)
		return database.size == 0;
	page_size = big_u16(database.data + 16);
	return log->page_size == (page_size == 1 ? MAX_PAGE_SIZE : page_size);
}

ClairStatus
sqlite_log_apply(ClairBytes bytes, char **database, size_t *size, Findings *findings,
				 ClairError *error)
{
	Log log = read_log(bytes);
	size_t new_size = log.page_count * log.page_size;
	char *moved;

	if (log.frame_count == 0)
		return CLAIR_OK;
	if (!belongs_to(&log, (ClairBytes){*database, *size}))
		return findings_problem(findings, error, "its write-ahead log is not its own");
	if (new_size > (uint64_t) findings->limits->max_file_size)
	{
		clair_error(error, CLAIR_LIMIT, "a file of %zu bytes, with its write-ahead log", new_size);
		clair_error_hint(error, "The limit is the setting clair.max_file_size.");
		return CLAIR_LIMIT;
	}
	moved = realloc(*database, new_size);
	if (moved == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	*database = moved;
	if (new_size > *size)
		memset(moved + *size, 0, new_size - *size);
	*size = new_size;
	for (size_t i = 0; i < log.frame_count; i++)
	{
		const char *frame = frame_at(&log, i);
		size_t page = big_u32(frame) - 1;

		if (page < log.page_count)
			memcpy(moved + page * log.page_size, frame + FRAME_HEADER_SIZE, log.page_size);
	}
	return CLAIR_OK;
}
