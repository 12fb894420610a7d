/*
 * advisory.c
 *    What updaters find out, as rows; see advisory.h.
 */
#include "feed/advisory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/text.h"

#define DIGEST_HEX	32 /* digits of a vulnerability's digest: 128 bits */
#define MAX_REASON	512
#define MAX_PLACE	1024
#define PREFIX_SIZE (sizeof("sha256:") - 1)

void
advisory_add_fields(Digest *digest, const ClairBytes *fields, uint32_t count)
{
	char lengths[4 * WIRE_MAX_COLUMNS];

	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t size = fields[i].data != NULL ? (uint32_t) fields[i].size : WIRE_NULL;

		for (int byte = 0; byte < 4; byte++)
			lengths[4 * i + (uint32_t) byte] = (char) (size >> (8 * byte));
	}
	digest_update(digest, (ClairBytes){lengths, 4 * count});
	for (uint32_t i = 0; i < count; i++)
		if (fields[i].size > 0)
			digest_update(digest, fields[i]);
}

/* The columns of WIRE_AFFECTED that a range fills, from its namespace on. */
#define RANGE_COLUMNS 14

static void
range_fields(const AdvisoryRange *range, ClairBytes fields[RANGE_COLUMNS])
{
	const ClairBytes columns[RANGE_COLUMNS] = {
		range->namespace,	  range->kind,		   range->package, range->format,
		range->introduced,	  range->fixed,		   range->status,  range->severity,
		range->architectures, range->module,	   range->flavour, range->repositories,
		range->advisory,	  range->last_affected};

	memcpy(fields, columns, sizeof(columns));
}

ClairStatus
advisory_write(const AdvisoryWriter *writer, const Advisory *advisory, ClairError *error)
{
	const ClairSink *sink = writer->sink;
	char digest[DIGEST_TEXT_SIZE];
	ClairBytes vulnerability[] = {advisory->record,		 advisory->name, CLAIR_NULL_BYTES,
								  advisory->description, advisory->link, advisory->aliases};
	ClairBytes affected[3 + RANGE_COLUMNS] = {advisory->record, advisory->name};
	ClairStatus status;

	advisory_add_fields(writer->digest, vulnerability, 6);
	for (uint32_t i = 0; i < advisory->range_count; i++)
	{
		range_fields(&advisory->ranges[i], affected + 3);
		advisory_add_fields(writer->digest, affected + 3, RANGE_COLUMNS);
	}
	digest_finish(writer->digest, digest);
	vulnerability[2] = (ClairBytes){digest + PREFIX_SIZE, DIGEST_HEX};
	status = sink->row(sink->context, WIRE_VULNERABILITY, vulnerability, 6, error);

	for (uint32_t i = 0; i < advisory->range_count && status == CLAIR_OK; i++)
	{
		char number[16];
		int size = snprintf(number, sizeof(number), "%" PRIu32, i);

		affected[2] = (ClairBytes){number, (size_t) size};
		range_fields(&advisory->ranges[i], affected + 3);
		status = sink->row(sink->context, WIRE_AFFECTED, affected, 3 + RANGE_COLUMNS, error);
	}
	return status;
}

ClairStatus
advisory_broken(const AdvisoryWriter *writer, ClairBytes record, ClairError *error,
				const char *format, ...)
{
	char raw[MAX_REASON];
	char reason[MAX_REASON];
	char place[MAX_PLACE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(raw, sizeof(raw), format, arguments);
	va_end(arguments);
	text_printable(clair_bytes(raw), reason, sizeof(reason));
	text_printable(record, place, sizeof(place));

	ClairBytes fields[] = {writer->document, clair_bytes(place), clair_bytes(reason)};

	return writer->sink->row(writer->sink->context, WIRE_BROKEN, fields, 3, error);
}
