/*
 * record_feed.h
 *    Reads a feed's documents: cuts them into records, and has those read that are new.
 *
 * Of each record the digest is stated, and the server is asked which are known: what is known
 * is not read, so that the cost is proportional to what is new. Records are asked about many
 * at a time, and kept until the answer is there; a document is gone over once. How a document
 * is cut, and what a record means, is the updater's to say, by a RecordFormat. In memory are
 * some MB of records, and the key of each record of the document.
 */
#ifndef CLAIR_RECORD_FEED_H
#define CLAIR_RECORD_FEED_H

#include "common/arena.h"
#include "common/digest.h"
#include "common/json_cursor.h"
#include "common/limits.h"
#include "common/sink.h"
#include "feed/advisory.h"
#include "feed/record.h"

/* What an updater's functions are given. */
typedef struct RecordFeed
{
	const ClairLimits *limits;
	const ClairSink *sink;
	AdvisoryWriter writer; /* its document is the one that the current records belong to */
	Arena *arena;		   /* reset for every record */
	Digest *digest;		   /* of the current record */
	Arena *keys;		   /* of the current document's records */
	Arena *batch;		   /* records that are asked about */
	int64_t bytes;		   /* of the documents before this one */
	int64_t records;	   /* seen so far */
} RecordFeed;

typedef struct RecordFormat
{
	const RecordCutter *cutter;
	const char *part;	 /* as the cutter takes it */
	bool passes_members; /* records with a name are given to member(): JSON beside an array */

	/*
	 * The record's key, in memory that lives as long as the record. A problem (a phrase) when
	 * the record is broken and left out; key then is what names it best. No key and no problem:
	 * it is none of the feed's records, and is passed over. Whatever else than the record's
	 * bytes its rows depend on is added to feed->digest.
	 */
	ClairStatus (*identify)(RecordFeed *feed, void *context, const FeedRecord *record,
							ClairBytes *key, const char **problem, ClairError *error);

	/* Sees a member of the root beside the array. */
	ClairStatus (*member)(RecordFeed *feed, void *context, const FeedRecord *member,
						  ClairError *error);

	/*
	 * Writes what the record says. Anything but CLAIR_OK ends the run: a broken item does
	 * not, a record that is not JSON does.
	 */
	ClairStatus (*itemize)(RecordFeed *feed, void *context, const FeedRecord *record,
						   ClairBytes key, ClairError *error);
} RecordFormat;

/* Makes what reading documents takes; record_feed_close() frees it. After an error there is nothing
 * to free. */
extern ClairStatus record_feed_open(RecordFeed *feed, const ClairLimits *limits,
									const ClairSink *sink, ClairError *error);

/*
 * Reads a document, which may be compressed, from a descriptor of a regular file. Two records
 * with the same key, or a document that is not what it should be, are errors; they name the
 * document. Its records are stated as belonging to it.
 */
extern ClairStatus record_feed_read(RecordFeed *feed, ClairBytes document, int descriptor,
									const RecordFormat *format, void *context, ClairError *error);

/* The same for a document that changes single records of another one, its owner. */
extern ClairStatus
record_feed_patch(RecordFeed *feed, ClairBytes document, ClairBytes owner, int descriptor,
				  const RecordFormat *format, void *context, ClairError *error);

/* A member() for members that say nothing: they must be JSON all the same. */
extern ClairStatus
record_feed_pass(RecordFeed *feed, void *context, const FeedRecord *member, ClairError *error);

/* The error of a cursor that was stopped in a record's value: a record that is not JSON. */
extern ClairStatus
record_feed_refuse(const FeedRecord *record, const JsonCursor *cursor, ClairError *error);

/*
 * Of a cursor that was stopped in a record's value: CLAIR_OK when the record is JSON all the same,
 * and broken; else the error.
 */
extern ClairStatus record_feed_check(RecordFeed *feed, const FeedRecord *record,
									 const JsonCursor *cursor, ClairError *error);

/* Opens a document, which may be compressed, within the limits; the caller closes the stream. */
extern ClairStatus record_feed_stream(const ClairLimits *limits, int descriptor,
									  ClairStream **stream, ClairError *error);

/* The first bytes of a document, which may be compressed, in a buffer: *size of them, at most. */
extern ClairStatus record_feed_peek(const ClairLimits *limits, int descriptor, char *buffer,
									size_t *size, ClairError *error);

/* The whole of a small document, which may be compressed, in an arena. */
extern ClairStatus record_feed_load(const ClairLimits *limits, int descriptor, Arena *arena,
									ClairBytes *text, ClairError *error);

/* Frees what record_feed_open() made. */
extern void record_feed_close(RecordFeed *feed);

/* The memory that a feed's reader may take for one thing: a part of the process's. */
static inline size_t
record_feed_memory(const ClairLimits *limits)
{
	return (size_t) limits->reader_memory / 4;
}

#endif
