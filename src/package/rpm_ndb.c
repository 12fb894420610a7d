/*
 * rpm_ndb.c
 *    Reads Packages.db: rpm's database of SUSE, called ndb.
 *
 * Little-endian always. Pages of slots come first: each says at which block, of 16 bytes, a
 * package's record begins and how many it has. A record has a head, the header, padding, and a
 * tail with a checksum (rpm, lib/backend/ndb/rpmpkg.c). Slots are read in the order of their
 * records, so that records which overlap are seen.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <zlib.h>

#include "package/byte_order.h"
#include "package/package.h"
#include "package/rpm_header.h"

#define FILE_HEADER_SIZE 32
#define PAGE_SIZE		 4096
#define BLOCK_SIZE		 16
#define SLOT_SIZE		 16
#define HEAD_SIZE		 16
#define TAIL_SIZE		 12
#define MAX_SLOT_PAGES	 2048

typedef struct Slot
{
	uint32_t package; /* number of the record */
	uint32_t block;	  /* where it begins */
	uint32_t blocks;
} Slot;

static int
compare_slots(const void *a, const void *b)
{
	const Slot *left = a;
	const Slot *right = b;

	if (left->block != right->block)
		return left->block < right->block ? -1 : 1;
	return (left->package > right->package) - (left->package < right->package);
}

/* Reads the slots that are in use. */
static ClairStatus
read_slots(ClairBytes file, size_t slot_pages, Slot *slots, size_t *count, Findings *findings,
		   ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	*count = 0;
	for (size_t at = FILE_HEADER_SIZE; at < slot_pages * PAGE_SIZE && status == CLAIR_OK;
		 at += SLOT_SIZE)
	{
		ClairBytes bytes = {file.data + at, SLOT_SIZE};
		Slot slot = {little_u32(bytes.data + 4), little_u32(bytes.data + 8),
					 little_u32(bytes.data + 12)};

		if (!clair_bytes_start_with(bytes, CLAIR_LITERAL("Slot")))
			status = findings_problem(findings, error, "byte %zu: there is no slot", at);
		else if (slot.block == 0)
			continue;
		else if (slot.package == 0 || slot.blocks == 0 ||
				 slot.block < slot_pages * (PAGE_SIZE / BLOCK_SIZE) ||
				 (uint64_t) slot.block + slot.blocks > file.size / BLOCK_SIZE)
			status = findings_problem(findings, error,
									  "record %" PRIu32 ": it lies outside of the file",
									  slot.package);
		else
			slots[(*count)++] = slot;
	}
	return status;
}

static ClairStatus
read_record(ClairBytes file, const Slot *slot, Findings *findings, ClairError *error)
{
	ClairBytes record = {file.data + (size_t) slot->block * BLOCK_SIZE,
						 (size_t) slot->blocks * BLOCK_SIZE};
	size_t summed = record.size - TAIL_SIZE;
	const char *tail = record.data + summed;
	uint32_t size = little_u32(record.data + 12);
	ClairStatus status = CLAIR_OK;

	if (!clair_bytes_start_with(record, CLAIR_LITERAL("BlbS")) ||
		little_u32(record.data + 4) != slot->package ||
		((uint64_t) size + HEAD_SIZE + TAIL_SIZE + BLOCK_SIZE - 1) / BLOCK_SIZE != slot->blocks ||
		little_u32(tail + 4) != size || memcmp(tail + 8, "BlbE", 4) != 0)
		return findings_problem(findings, error, "record %" PRIu32 ": it is damaged",
								slot->package);
	if (adler32(1, (const Bytef *) record.data, (uInt) summed) != little_u32(tail))
		status = findings_problem(findings, error, "record %" PRIu32 ": its checksum is wrong",
								  slot->package);
	if (status != CLAIR_OK)
		return status;
	return rpm_header_read((ClairBytes){record.data + HEAD_SIZE, size}, slot->package, findings,
						   error);
}

static ClairStatus
read_records(ClairBytes file, size_t slot_pages, Findings *findings, ClairError *error)
{
	Slot *slots = arena_alloc_array(findings->arena, slot_pages * (PAGE_SIZE / SLOT_SIZE),
									sizeof(Slot));
	size_t count;
	uint64_t free_block = 0; /* behind the records read so far */
	ClairStatus status;

	if (slots == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	status = read_slots(file, slot_pages, slots, &count, findings, error);
	qsort(slots, count, sizeof(Slot), compare_slots);
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		if (slots[i].block < free_block)
		{
			status = findings_problem(findings, error,
									  "record %" PRIu32 ": it overlaps with another",
									  slots[i].package);
			continue;
		}
		free_block = (uint64_t) slots[i].block + slots[i].blocks;
		status = read_record(file, &slots[i], findings, error);
	}
	return status;
}

ClairStatus
rpm_ndb_read(ClairBytes file, Findings *findings, ClairError *error)
{
	size_t slot_pages;

	findings->unit = "record";
	if (file.size < FILE_HEADER_SIZE || !clair_bytes_start_with(file, CLAIR_LITERAL("RpmP")))
		return findings_problem(findings, error, "it is not rpm's database called ndb");
	if (little_u32(file.data + 4) != 0)
		return findings_unsupported(findings, error, "its version, %" PRIu32 ", is not supported",
									little_u32(file.data + 4));
	slot_pages = little_u32(file.data + 12);
	if (slot_pages == 0 || slot_pages > MAX_SLOT_PAGES || slot_pages * PAGE_SIZE > file.size)
		return findings_problem(findings, error, "%zu pages of slots do not fit in %zu bytes",
								slot_pages, file.size);
	return read_records(file, slot_pages, findings, error);
}
