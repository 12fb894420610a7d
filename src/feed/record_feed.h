/*
 * record_feed.h
 *    Reads a feed's JSON documents in two passes: what there is, then what is new.
 *
 * The first pass goes over a document's records, states the digest of each, and asks which
 * of them are known. The second is made only when some are not, and has only those read:
 * the cost is proportional to what is new. What a record means is the updater's to say, by
 * a RecordFormat. In memory are one record, and a note about each record of the document.
 */
#ifndef CLAIR_RECORD_FEED_H
#define CLAIR_RECORD_FEED_H

#include "common/arena.h"
#include "common/digest.h"
#include "common/limits.h"
#include "common/sink.h"
#include "feed/advisory.h"
#include "feed/json_cursor.h"
#include "feed/json_records.h"

/* What an updater's functions are given. */
typedef struct RecordFeed
{
	const ClairLimits *limits;
	const ClairSink *sink;
	AdvisoryWriter writer; /* its document is the current one */
	Arena *arena;		   /* reset for every record */
	Digest *digest;		   /* of the current record */
	Arena *notes;		   /* of the current document's records */
	int64_t bytes;		   /* of the documents before this one */
	int64_t records;	   /* seen so far */
} RecordFeed;

typedef struct RecordFormat
{
	const char *array; /* as for json_records_open() */

	/*
	 * The record's key, in memory that lives as long as the record. A problem (a phrase) when
	 * the record is broken and left out; key then is what names it best. Whatever else than
	 * the record's bytes its rows depend on is added to feed->digest.
	 */
	ClairStatus (*identify)(RecordFeed *feed, void *context, const JsonRecord *record,
							ClairBytes *key, const char **problem, ClairError *error);

	/* Sees a member of the root beside the array; NULL when there is no array. */
	ClairStatus (*member)(RecordFeed *feed, void *context, const JsonRecord *member,
						  ClairError *error);

	/*
	 * Writes what the record says. Anything but CLAIR_OK ends the run: a broken item does
	 * not, a record that is not JSON does.
	 */
	ClairStatus (*itemize)(RecordFeed *feed, void *context, const JsonRecord *record,
						   ClairBytes key, ClairError *error);
} RecordFormat;

extern ClairStatus record_feed_open(RecordFeed *feed, const ClairLimits *limits,
									const ClairSink *sink, ClairError *error);

/*
 * Reads a document, which may be compressed, from a descriptor of a regular file. Two records
 * with the same key, or a document that is not JSON, are errors; they name the document.
 */
extern ClairStatus record_feed_read(RecordFeed *feed, ClairBytes document, int descriptor,
									const RecordFormat *format, void *context, ClairError *error);

/* The error of a cursor that was stopped in a record's value: a record that is not JSON. */
extern ClairStatus
record_feed_refuse(const JsonRecord *record, const JsonCursor *cursor, ClairError *error);

/* The whole of a small document, which may be compressed, in an arena. */
extern ClairStatus record_feed_load(const ClairLimits *limits, int descriptor, Arena *arena,
									ClairBytes *text, ClairError *error);

extern void record_feed_close(RecordFeed *feed);

/* The memory that a feed's reader may take for one thing: a part of the process's. */
static inline size_t
record_feed_memory(const ClairLimits *limits)
{
	return (size_t) limits->reader_memory / 4;
}

#endif
