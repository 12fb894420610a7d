/*
 * record.h
 *    Cutting a document into its records: what all kinds of documents have in common.
 *
 * A record is what is compared between two runs, by the digest of its bytes. A document
 * comes as a stream and is never held; in memory is one record.
 */
#ifndef CLAIR_RECORD_H
#define CLAIR_RECORD_H

#include "common/bytes.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/stream.h"

typedef struct FeedRecord
{
	ClairBytes name;	 /* a member's, a file's; no value: an element's, or the document itself */
	const char *problem; /* why the name, which then stands as it is written, is no text */
	ClairBytes value;	 /* its bytes */
	int64_t position;	 /* in the document: of the value's first byte; of XML, the line */
	int64_t number;		 /* of an element within the array, from 1; 0: it is none */
} FeedRecord;

/* A kind of documents. */
typedef struct RecordCutter
{
	/*
	 * Begins a document. Part says which records there are, in the words of the cutter, or is
	 * NULL. The stream stays the caller's, and is closed after the records.
	 */
	ClairStatus (*open)(ClairStream *stream, const char *part, const ClairLimits *limits,
						void **records, ClairError *error);

	/*
	 * The next record or, when *found is false, there is none: then the document has been read
	 * to its end. What the record points to lives until the next call.
	 */
	ClairStatus (*next)(void *records, FeedRecord *record, bool *found, ClairError *error);

	/* Bytes of the document that came from the stream so far. */
	int64_t (*size)(const void *records);

	void (*close)(void *records); /* NULL is allowed */
} RecordCutter;

#endif
