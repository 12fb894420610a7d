/*
 * csv.h
 *    Cuts a document of comma-separated values into its records, and records into fields
 *    (RFC 4180).
 *
 * A line is a record, unless a quoted field in it goes on in the next one. Empty lines are
 * passed over. A line that begins with "#" is a record as it stands, whatever quotes are in it:
 * whether it is a comment, and whether the first record is a heading, is the reader's to say.
 */
#ifndef CLAIR_CSV_H
#define CLAIR_CSV_H

#include "common/arena.h"
#include "feed/record.h"

/*
 * There are no parts. Records have no names; their number is that of the line in which they
 * begin. Values are given without the line break, LF or CR LF; the document's last record need
 * not have one. Errors name the line.
 */
extern const RecordCutter csv_record_cutter;

/*
 * Takes a record's fields apart: text, without quotes. There is always one; there may be up to
 * limit. NULL when they are fine, else what is wrong with the record: a phrase. Fields are lent
 * from the record, or in the arena when quotes are doubled in them. No problem and no fields:
 * the arena is exhausted.
 */
extern const char *
csv_fields(Arena *arena, ClairBytes record, ClairBytes *fields, size_t limit, size_t *count);

#endif
