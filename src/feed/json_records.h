/*
 * json_records.h
 *    Cuts a JSON document into its records, without ever holding the document.
 *
 * A record is a member of the document's root object, or an element of an array that is one
 * of these members. The document comes as a stream; in memory is one record and a piece of
 * the stream. The cutting looks only at where things begin and end: strings, brackets, and
 * the grammar of the root (and of the array). What lies within a record is for json_cursor.h
 * to check, by whoever reads it; a document whose records are each valid is valid.
 *
 * Whether names are repeated is not looked at here.
 */
#ifndef CLAIR_JSON_RECORDS_H
#define CLAIR_JSON_RECORDS_H

#include "common/bytes.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/stream.h"

typedef struct JsonRecords JsonRecords;

typedef struct JsonRecord
{
	ClairBytes name;	 /* the member's, escapes resolved; no value: an element of the array */
	const char *problem; /* why the name, which then stands as it is written, is no text */
	ClairBytes value;	 /* its bytes, from the first to the last one that is not white space */
	int64_t position;	 /* of the value's first byte in the document */
	int64_t number;		 /* of an element within the array, from 1 */
} JsonRecord;

/*
 * Array: NULL when the members of the root are the records; else the name of the member
 * whose elements are, and the other members come along by name. That member must be there,
 * once; null and an empty object are arrays without elements. The stream stays the caller's.
 */
extern ClairStatus
json_records_open(ClairStream *stream, const char *array, const ClairLimits *limits,
				  JsonRecords **records, ClairError *error);

/*
 * The next record or, when *found is false, there is none: then the document has been read
 * to its end. What the record points to lives until the next call. Errors name the record
 * and the byte of the document.
 */
extern ClairStatus
json_records_next(JsonRecords *records, JsonRecord *record, bool *found, ClairError *error);

/* Bytes of the document that came from the stream so far. */
extern int64_t json_records_size(const JsonRecords *records);

extern void json_records_close(JsonRecords *records); /* NULL is allowed */

#endif
