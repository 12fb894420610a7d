/*
 * rpm_bdb.c
 *    Reads Packages: rpm's database until 2020, a hash table of Berkeley DB.
 *
 * The byte order is the writer's. Pages have a header, offsets of items, and the items, packed
 * from the page's end; items come in pairs, a key (the record's number) and a value (an rpm
 * header), which is in the item itself or in a chain of overflow pages (Berkeley DB,
 * dbinc/db_page.h). All pages of the table are taken as they come, without following its
 * chains, so that no damage to them costs more than a page; that they are whole is checked all
 * the same. Every overflow page is read once at most.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "package/byte_order.h"
#include "package/package.h"
#include "package/rpm_header.h"

#define META_SIZE		 512
#define PAGE_HEADER_SIZE 26
#define MIN_PAGE_SIZE	 512
#define MAX_PAGE_SIZE	 65536
#define SPARES			 32 /* of the array of that name */

#define HASH_MAGIC 0x00061561
#define TREE_MAGIC 0x00053162

typedef enum PageType
{
	PAGE_FREE = 0,
	PAGE_HASH_UNSORTED = 2,
	PAGE_OVERFLOW = 7,
	PAGE_HASH_META = 8,
	PAGE_HASH = 13
} PageType;

typedef enum ItemType
{
	ITEM_DATA = 1,
	ITEM_OFF_PAGE = 3
} ItemType;

#define KEY_ITEM_SIZE	   5  /* type, number of the record */
#define OFF_PAGE_ITEM_SIZE 12 /* type, 3 bytes of nothing, page, size */

typedef struct Database
{
	ClairBytes file;
	bool big_endian;
	size_t page_size;
	uint32_t page_count; /* that are there */
	unsigned char *read; /* a bit for each page: whether it was read as an overflow page */
	Arena *scratch;		 /* holds the value */
	char *value;		 /* that was put together last */
	size_t value_capacity;
	Findings *findings;
} Database;

/* Where a record is. */
typedef struct Record
{
	uint32_t number;
	uint32_t size;
	uint32_t page;	 /* the first overflow page, or 0 */
	uint32_t offset; /* in the file, when there is no such page: files are smaller than 4 GB */
	size_t order;	 /* in which it was found */
} Record;

typedef struct Records
{
	Record *records;
	size_t count;
	size_t capacity;
} Records;

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

static uint32_t
read_u32(const Database *database, const char *at)
{
	return database->big_endian ? big_u32(at) : little_u32(at);
}

static uint16_t
read_u16(const Database *database, const char *at)
{
	return database->big_endian ? big_u16(at) : little_u16(at);
}

static const char *
page_at(const Database *database, uint32_t number)
{
	return database->file.data + (size_t) number * database->page_size;
}

static uint32_t
page_next(const Database *database, const char *page)
{
	return read_u32(database, page + 16);
}

static int
page_type(const char *page)
{
	return (unsigned char) page[25];
}

/* Whether there is such a page, of the hash table. */
static bool
is_table_page(const Database *database, uint32_t number)
{
	const char *page;

	if (number == 0 || number >= database->page_count)
		return false;
	page = page_at(database, number);
	return read_u32(database, page + 8) == number &&
		   (page_type(page) == PAGE_HASH || page_type(page) == PAGE_HASH_UNSORTED);
}

/*
 * Reads the first page; *fault is why it is not that of a database, or NULL; *unsupported: it is
 * one of Berkeley DB, but not of the kind that rpm has.
 */
static void
read_meta(Database *database, const char **fault, bool *unsupported)
{
	const char *meta = database->file.data;
	uint32_t version;

	*unsupported = false;
	*fault = "it is not a hash table of Berkeley DB";
	if (database->file.size < META_SIZE)
		return;
	*unsupported = big_u32(meta + 12) == TREE_MAGIC || little_u32(meta + 12) == TREE_MAGIC;
	database->big_endian = big_u32(meta + 12) == HASH_MAGIC;
	if (read_u32(database, meta + 12) != HASH_MAGIC || page_type(meta) != PAGE_HASH_META)
		return;
	*unsupported = true;
	*fault = "its version of Berkeley DB is not supported";
	version = read_u32(database, meta + 16);
	if (version < 8 || version > 10)
		return;
	*fault = "it is encrypted, partitioned, or has checksums";
	if (meta[24] != 0 || meta[26] != 0)
		return;
	*unsupported = false;
	*fault = "the size of its pages is invalid";
	database->page_size = read_u32(database, meta + 20);
	if (database->page_size < MIN_PAGE_SIZE || database->page_size > MAX_PAGE_SIZE ||
		(database->page_size & (database->page_size - 1)) != 0)
		return;
	*fault = NULL;
}

/* Counts the pages; some may be missing at the end. */
static ClairStatus
count_pages(Database *database, ClairError *error)
{
	uint64_t there = database->file.size / database->page_size;
	uint64_t expected = (uint64_t) read_u32(database, database->file.data + 32) + 1;

	database->page_count = (uint32_t) (there < expected ? there : expected);
	if (there >= expected)
		return CLAIR_OK;
	return findings_problem(database->findings, error,
							"it should have %" PRIu64 " pages, but has %" PRIu64, expected, there);
}

/* Every bucket must have its page: records on a page that is lost would go unnoticed. */
static ClairStatus
check_buckets(const Database *database, ClairError *error)
{
	const char *meta = database->file.data;
	uint32_t max_bucket = read_u32(database, meta + 72);
	ClairStatus status = CLAIR_OK;

	if (max_bucket > read_u32(database, meta + 32))
		return findings_problem(database->findings, error, "its number of buckets is invalid");
	for (uint64_t bucket = 0; bucket <= max_bucket && status == CLAIR_OK; bucket++)
	{
		int doublings = bucket == 0 ? 0 : 32 - __builtin_clz((unsigned) bucket);
		uint64_t page = doublings < SPARES
							? bucket + read_u32(database, meta + 96 + 4 * (size_t) doublings)
							: UINT32_MAX;

		if (page <= UINT32_MAX && is_table_page(database, (uint32_t) page))
			continue;
		status = findings_problem(database->findings, error,
								  "bucket %" PRIu64 ": its page, %" PRIu64 ", is damaged", bucket,
								  page);
		/* Beyond the end of the file, all others are missing, too. */
		if (page >= database->page_count)
			break;
	}
	return status;
}

/* Adds a pair of items to the records. */
static ClairStatus
add_record(const Database *database, ClairBytes key, ClairBytes value, Records *records,
		   bool *damaged, ClairError *error)
{
	Record record = {.order = records->count};
	Record *grown;

	*damaged = key.size != KEY_ITEM_SIZE || key.data[0] != ITEM_DATA ||
			   (value.data[0] != ITEM_DATA &&
				(value.data[0] != ITEM_OFF_PAGE || value.size != OFF_PAGE_ITEM_SIZE));
	if (*damaged)
		return CLAIR_OK;
	record.number = read_u32(database, key.data + 1);
	/* Number 0 counts the others. */
	if (record.number == 0)
		return CLAIR_OK;
	if (value.data[0] == ITEM_DATA)
	{
		record.offset = (uint32_t) (value.data + 1 - database->file.data);
		record.size = (uint32_t) value.size - 1;
	}
	else
	{
		record.page = read_u32(database, value.data + 4);
		record.size = read_u32(database, value.data + 8);
		*damaged = record.page == 0;
		if (*damaged)
			return CLAIR_OK;
	}
	if (records->count >= (size_t) database->findings->limits->max_features)
	{
		clair_error(error, CLAIR_LIMIT, "more than %" PRId64 " packages",
					database->findings->limits->max_features);
		clair_error_hint(error, "The limit is the setting clair.max_features.");
		return CLAIR_LIMIT;
	}
	grown = arena_grow_array(database->findings->arena, records->records, records->count + 1,
							 &records->capacity, sizeof(Record));
	if (grown == NULL)
		return out_of_memory(error);
	records->records = grown;
	records->records[records->count++] = record;
	return CLAIR_OK;
}

/* Takes the pairs of a page of the table. */
static ClairStatus
read_table_page(const Database *database, uint32_t number, Records *records, ClairError *error)
{
	const char *page = page_at(database, number);
	size_t entries = read_u16(database, page + 20);
	size_t end = database->page_size;
	size_t items = PAGE_HEADER_SIZE + 2 * entries;
	ClairBytes key = CLAIR_NULL_BYTES;
	bool damaged = entries % 2 != 0;
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < entries && !damaged && status == CLAIR_OK; i++)
	{
		size_t start = items <= database->page_size
						   ? read_u16(database, page + PAGE_HEADER_SIZE + 2 * i)
						   : 0;
		ClairBytes item = {page + start, end - start};

		damaged = start < items || start >= end;
		if (damaged)
			break;
		end = start;
		if (i % 2 == 0)
			key = item;
		else
			status = add_record(database, key, item, records, &damaged, error);
	}
	if (status == CLAIR_OK && damaged)
		status = findings_problem(database->findings, error, "page %" PRIu32 " is damaged", number);
	return status;
}

/* Takes the records of all pages of the table, and checks that these are all there. */
static ClairStatus
find_records(const Database *database, Records *records, ClairError *error)
{
	ClairStatus status = check_buckets(database, error);

	for (uint32_t number = 1; number < database->page_count && status == CLAIR_OK; number++)
	{
		const char *page = page_at(database, number);
		uint32_t next = page_next(database, page);

		if (page_type(page) != PAGE_HASH && page_type(page) != PAGE_HASH_UNSORTED)
			continue;
		if (!is_table_page(database, number))
		{
			status = findings_problem(database->findings, error, "page %" PRIu32 " is damaged",
									  number);
			continue;
		}
		if (next != 0 && (!is_table_page(database, next) ||
						  read_u32(database, page_at(database, next) + 12) != number))
			status = findings_problem(database->findings, error,
									  "page %" PRIu32 ": what follows it is damaged", number);
		if (status == CLAIR_OK)
			status = read_table_page(database, number, records, error);
	}
	return status;
}

/* Puts a value together that is on overflow pages; false when it is not all there. */
static bool
read_overflow(const Database *database, const Record *record, char *value)
{
	size_t done = 0;

	for (uint32_t number = record->page; done < record->size;)
	{
		const char *page = page_at(database, number);
		unsigned char bit = (unsigned char) (1 << number % 8);
		size_t size;

		if (number == 0 || number >= database->page_count ||
			read_u32(database, page + 8) != number || page_type(page) != PAGE_OVERFLOW ||
			(database->read[number / 8] & bit) != 0)
			return false;
		database->read[number / 8] |= bit;
		size = read_u16(database, page + 22);
		if (size == 0 || size > database->page_size - PAGE_HEADER_SIZE ||
			size > record->size - done)
			return false;
		memcpy(value + done, page + PAGE_HEADER_SIZE, size);
		done += size;
		number = page_next(database, page);
	}
	return true;
}

/* Makes room for a value; that is done seldom enough to be cheap whatever the sizes are. */
static ClairStatus
reserve_value(Database *database, size_t size, ClairError *error)
{
	if (size <= database->value_capacity)
		return CLAIR_OK;
	arena_reset(database->scratch);
	database->value_capacity = size > 2 * database->value_capacity ? size
																   : 2 * database->value_capacity;
	database->value = arena_alloc(database->scratch, database->value_capacity);
	return database->value != NULL ? CLAIR_OK : out_of_memory(error);
}

static ClairStatus
read_record(Database *database, const Record *record, ClairError *error)
{
	ClairBytes value = {database->file.data + record->offset, record->size};

	if (record->page != 0)
	{
		ClairStatus status = CLAIR_OK;
		bool whole = record->size <= database->file.size;

		if (whole)
			status = reserve_value(database, record->size, error);
		if (status != CLAIR_OK)
			return status;
		if (!whole || !read_overflow(database, record, database->value))
			return findings_problem(database->findings, error,
									"record %" PRIu32 ": its pages are damaged", record->number);
		value.data = database->value;
	}
	return rpm_header_read(value, record->number, database->findings, error);
}

static int
compare_records(const void *a, const void *b)
{
	const Record *left = a;
	const Record *right = b;

	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return (left->order > right->order) - (left->order < right->order);
}

static ClairStatus
read_records(Database *database, ClairError *error)
{
	Records records = {.count = 0};
	ClairStatus status = count_pages(database, error);

	database->read = arena_alloc(database->findings->arena, database->page_count / 8 + 1);
	if (database->read == NULL)
		return out_of_memory(error);
	if (status == CLAIR_OK)
		status = find_records(database, &records, error);
	if (status != CLAIR_OK)
		return status;
	if (records.count > 0)
		qsort(records.records, records.count, sizeof(Record), compare_records);
	for (size_t i = 0; i < records.count && status == CLAIR_OK; i++)
	{
		/* A table that was not closed well may have a record twice: the later one counts. */
		if (i + 1 < records.count && records.records[i].number == records.records[i + 1].number)
			continue;
		status = read_record(database, &records.records[i], error);
	}
	return status;
}

ClairStatus
rpm_bdb_read(ClairBytes file, Findings *findings, ClairError *error)
{
	Database database = {.file = file, .findings = findings};
	const char *fault;
	bool unsupported;
	ClairStatus status;

	findings->unit = "record";
	read_meta(&database, &fault, &unsupported);
	if (fault != NULL)
		return unsupported ? findings_unsupported(findings, error, "%s", fault)
						   : findings_problem(findings, error, "%s", fault);
	if (file.size > UINT32_MAX)
		return findings_problem(findings, error, "it has more than 4 GB");
	database.scratch = arena_create(SIZE_MAX);
	if (database.scratch == NULL)
		return out_of_memory(error);
	status = read_records(&database, error);
	arena_destroy(database.scratch);
	return status;
}
