/*
 * advisory.h
 *    What updaters find out, as rows: vulnerabilities with their ranges, and what is broken.
 */
#ifndef CLAIR_ADVISORY_H
#define CLAIR_ADVISORY_H

#include "common/arena.h"
#include "common/digest.h"
#include "common/sink.h"

/* A range of the versions of one package that a vulnerability is in: see WIRE_AFFECTED. */
typedef struct AdvisoryRange
{
	ClairBytes namespace;
	ClairBytes kind;
	ClairBytes package;
	ClairBytes format;
	ClairBytes introduced;
	ClairBytes fixed;
	ClairBytes status;
	ClairBytes severity;
	ClairBytes architectures;
	ClairBytes module;
	ClairBytes flavour;
	ClairBytes repositories;
	ClairBytes advisory;
	ClairBytes last_affected;
} AdvisoryRange;

/* A vulnerability as one record states it: see WIRE_VULNERABILITY. */
typedef struct Advisory
{
	ClairBytes record;
	ClairBytes name;
	ClairBytes description;
	ClairBytes link;
	ClairBytes aliases;
	const AdvisoryRange *ranges;
	uint32_t range_count;
} Advisory;

/* Writes rows to a sink. */
typedef struct AdvisoryWriter
{
	const ClairSink *sink;
	Digest *digest;		 /* SHA-256, fresh */
	ClairBytes document; /* that the rows come from */
} AdvisoryWriter;

/*
 * A row of the vulnerability, and one for each of its ranges, numbered from 0. Their digest
 * changes exactly when what they say does.
 */
extern ClairStatus
advisory_write(const AdvisoryWriter *writer, const Advisory *advisory, ClairError *error);

/* Adds a row's fields to its digest, behind their lengths, so that no two rows look the same. */
extern void advisory_add_fields(Digest *digest, const ClairBytes *fields, uint32_t count);

/*
 * A row that says that a record, or an item of it, is broken and was left out. The format
 * gives the reason: a phrase. What of record and reason is no text is shown as \xNN.
 */
extern ClairStatus
advisory_broken(const AdvisoryWriter *writer, ClairBytes record, ClairError *error,
				const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
