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

/* Fields go into the digest behind their lengths, so that no two rows look the same. */
static void
add_fields(Digest *digest, const ClairBytes *fields, uint32_t count)
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

ClairStatus
advisory_write(const AdvisoryWriter *writer, const Advisory *advisory, ClairError *error)
{
	const ClairSink *sink = writer->sink;
	char digest[DIGEST_TEXT_SIZE];
	ClairBytes vulnerability[] = {advisory->record, advisory->name, CLAIR_NULL_BYTES,
								  advisory->description, advisory->link};
	ClairStatus status;

	add_fields(writer->digest, vulnerability, 5);
	for (uint32_t i = 0; i < advisory->range_count; i++)
	{
		const AdvisoryRange *range = &advisory->ranges[i];
		ClairBytes fields[] = {range->namespace,  range->kind,	range->package, range->format,
							   range->introduced, range->fixed, range->status,	range->severity};

		add_fields(writer->digest, fields, 8);
	}
	digest_finish(writer->digest, digest);
	vulnerability[2] = (ClairBytes){digest + PREFIX_SIZE, DIGEST_HEX};
	status = sink->row(sink->context, WIRE_VULNERABILITY, vulnerability, 5, error);

	for (uint32_t i = 0; i < advisory->range_count && status == CLAIR_OK; i++)
	{
		const AdvisoryRange *range = &advisory->ranges[i];
		char number[16];
		ClairBytes fields[] = {advisory->record,
							   advisory->name,
							   {number, (size_t) snprintf(number, sizeof(number), "%" PRIu32, i)},
							   range->namespace,
							   range->kind,
							   range->package,
							   range->format,
							   range->introduced,
							   range->fixed,
							   range->status,
							   range->severity};

		status = sink->row(sink->context, WIRE_AFFECTED, fields, 11, error);
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
