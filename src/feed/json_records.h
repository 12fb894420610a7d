/*
 * json_records.h
 *    Cuts a JSON document into its records, without ever holding the document.
 *
 * A record is a member of the document's root object, or an element of an array that is one
 * of these members, or the root itself. The document comes as a stream; in memory is one record
 * and a piece of the stream. The cutting looks only at where things begin and end: strings,
 * brackets, and the grammar of the root (and of the array). What lies within a record is for
 * json_cursor.h to check, by whoever reads it; a document whose records are each valid is valid.
 *
 * Whether names are repeated is not looked at here.
 */
#ifndef CLAIR_JSON_RECORDS_H
#define CLAIR_JSON_RECORDS_H

#include "feed/record.h"

/*
 * The part is the array: NULL when the members of the root are the records, empty when the root
 * is an array whose elements are; else the name of the member whose elements are, and the other
 * members come along by name. That member must be there, once; null and an empty object are arrays
 * without elements. Values are given from the first to the last byte that is not white space.
 * Errors name the record and the byte of the document.
 */
extern const RecordCutter json_record_cutter;

/*
 * A document that is a value, or several ones behind each other, as lines of JSON are; or an array,
 * whose elements then are the records. The part is NULL.
 */
extern const RecordCutter json_value_record_cutter;

#endif
