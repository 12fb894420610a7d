/*
 * rpm_header.c
 *    Reads rpm's headers: the records of all its databases.
 *
 * A header is two counts, that many entries (tag, type, offset, count) and the data that the
 * offsets point into; everything is big-endian (rpm, docs/manual/format_header.md). Entries
 * that rpm adds when it installs the package come last and override earlier ones. A header
 * with one entry that cannot be is not believed at all, as rpm itself does.
 */
#include "package/rpm_header.h"

#include <inttypes.h>

#include "package/byte_order.h"
#include "package/rpm_package.h"

#define MAX_ENTRIES	  65535
#define MAX_DATA	  0x0fffffff
#define ENTRY_SIZE	  16
#define PREAMBLE_SIZE 8

/* Tags of regions stand at the beginning only; the ones of data are greater. */
#define FIRST_REGION_TAG 61
#define LAST_REGION_TAG	 63
#define FIRST_DATA_TAG	 100

typedef enum ValueType
{
	TYPE_INT32 = 4,
	TYPE_STRING = 6,
	TYPE_I18NSTRING = 9, /* in several languages: the first counts */
	LAST_TYPE = TYPE_I18NSTRING
} ValueType;

typedef enum Field
{
	FIELD_NAME,
	FIELD_VERSION,
	FIELD_RELEASE,
	FIELD_EPOCH,
	FIELD_VENDOR,
	FIELD_LICENSE,
	FIELD_ARCHITECTURE,
	FIELD_SOURCE_RPM,
	FIELD_MODULE,
	FIELD_SOURCE_NEVR,
	FIELD_COUNT
} Field;

static const uint32_t field_tags[FIELD_COUNT] = {
	[FIELD_NAME] = 1000,		 [FIELD_VERSION] = 1001,	[FIELD_RELEASE] = 1002,
	[FIELD_EPOCH] = 1003,		 [FIELD_VENDOR] = 1011,		[FIELD_LICENSE] = 1014,
	[FIELD_ARCHITECTURE] = 1022, [FIELD_SOURCE_RPM] = 1044, [FIELD_MODULE] = 5096,
	[FIELD_SOURCE_NEVR] = 5120,
};

typedef struct Entry
{
	uint32_t tag;
	uint32_t type;
	uint32_t offset;
	uint32_t count;
} Entry;

typedef struct Header
{
	ClairBytes data;
	Entry fields[FIELD_COUNT]; /* tag 0: not there */
} Header;

/* What cannot be of an entry; NULL when nothing is wrong. */
static const char *
entry_fault(const Entry *entry, bool is_first, size_t data_size)
{
	static const unsigned alignments[LAST_TYPE + 1] = {
		[0] = 1, [1] = 1, [2] = 1, [3] = 2, [TYPE_INT32] = 4,
		[5] = 8, [6] = 1, [7] = 1, [8] = 1, [TYPE_I18NSTRING] = 1,
	};
	bool is_region = entry->tag >= FIRST_REGION_TAG && entry->tag <= LAST_REGION_TAG;

	/* Tags and offsets are signed to rpm: those that are negative there are too great here. */
	if (entry->tag > INT32_MAX || (entry->tag < FIRST_DATA_TAG && !(is_region && is_first)))
		return "its tag is invalid";
	if (entry->type > LAST_TYPE)
		return "its type is invalid";
	if (entry->count == 0 || entry->count > data_size)
		return "its count is invalid";
	if (entry->offset >= data_size || entry->offset % alignments[entry->type] != 0)
		return "its offset is invalid";
	return NULL;
}

/* Finds the entries that matter; false, and what is wrong, when the header is broken. */
static ClairStatus
read_entries(ClairBytes bytes, int64_t record, Header *header, bool *sound, Findings *findings,
			 ClairError *error)
{
	uint32_t count = bytes.size >= PREAMBLE_SIZE ? big_u32(bytes.data) : 0;
	uint32_t data_size = bytes.size >= PREAMBLE_SIZE ? big_u32(bytes.data + 4) : 0;

	*sound = false;
	*header = (Header){.data = CLAIR_NULL_BYTES};
	if (count == 0 || count > MAX_ENTRIES || data_size > MAX_DATA ||
		bytes.size != PREAMBLE_SIZE + (size_t) count * ENTRY_SIZE + data_size)
		return findings_problem(findings, error,
								"%s %" PRId64 ": %zu bytes are not a header of %" PRIu32
								" entries and %" PRIu32 " bytes",
								findings->unit, record, bytes.size, count, data_size);
	header->data = clair_bytes_skip(bytes, PREAMBLE_SIZE + (size_t) count * ENTRY_SIZE);
	for (uint32_t i = 0; i < count; i++)
	{
		const char *at = bytes.data + PREAMBLE_SIZE + (size_t) i * ENTRY_SIZE;
		Entry entry = {big_u32(at), big_u32(at + 4), big_u32(at + 8), big_u32(at + 12)};
		const char *fault = entry_fault(&entry, i == 0, data_size);

		if (fault != NULL)
			return findings_problem(findings, error,
									"%s %" PRId64 ": entry %" PRIu32 " of the header: %s",
									findings->unit, record, i + 1, fault);
		for (int field = 0; field < FIELD_COUNT; field++)
		{
			if (entry.tag == field_tags[field])
				header->fields[field] = entry;
		}
	}
	*sound = true;
	return CLAIR_OK;
}

/* The text of a field; no value when it is not there, or something else. */
static ClairBytes
text_of(const Header *header, Field field)
{
	const Entry *entry = &header->fields[field];
	ClairBytes rest;
	const char *end;

	if (entry->tag == 0 ||
		(entry->type != TYPE_I18NSTRING && (entry->type != TYPE_STRING || entry->count != 1)))
		return CLAIR_NULL_BYTES;
	rest = clair_bytes_skip(header->data, entry->offset);
	end = memchr(rest.data, '\0', rest.size);
	return end != NULL ? (ClairBytes){rest.data, (size_t) (end - rest.data)} : CLAIR_NULL_BYTES;
}

/* The number of a field; false when the field is there, but is none. */
static bool
number_of(const Header *header, Field field, uint32_t *number)
{
	const Entry *entry = &header->fields[field];

	*number = 0;
	if (entry->tag == 0)
		return true;
	if (entry->type != TYPE_INT32 || entry->count != 1 ||
		header->data.size - entry->offset < sizeof(uint32_t))
		return false;
	*number = big_u32(header->data.data + entry->offset);
	return true;
}

ClairStatus
rpm_header_read(ClairBytes bytes, int64_t record, Findings *findings, ClairError *error)
{
	Header header;
	RpmPackage package;
	bool sound;
	ClairStatus status = read_entries(bytes, record, &header, &sound, findings, error);

	if (status != CLAIR_OK || !sound)
		return status;
	package = (RpmPackage){
		.name = text_of(&header, FIELD_NAME),
		.version = text_of(&header, FIELD_VERSION),
		.release = text_of(&header, FIELD_RELEASE),
		.architecture = text_of(&header, FIELD_ARCHITECTURE),
		.source_rpm = text_of(&header, FIELD_SOURCE_RPM),
		.source_nevr = text_of(&header, FIELD_SOURCE_NEVR),
		.module = text_of(&header, FIELD_MODULE),
		.vendor = text_of(&header, FIELD_VENDOR),
		.license = text_of(&header, FIELD_LICENSE),
	};
	if (!number_of(&header, FIELD_EPOCH, &package.epoch))
		return findings_problem(findings, error, "%s %" PRId64 ": its epoch is not a number",
								findings->unit, record);
	return rpm_package_add(&package, record, findings, error);
}
