/*
 * file_records.h
 *    Records that are files: those of an archive, or the document itself.
 */
#ifndef CLAIR_FILE_RECORDS_H
#define CLAIR_FILE_RECORDS_H

#include "feed/record.h"

/*
 * The files of a tar or zip; a zip that lies in the zip is read in its place. The part is a
 * pattern of fnmatch(), in which "*" stands for "/" too: a file whose clean path it matches is a
 * record of that name, whatever else is in the archive is passed over. A record's position is 0.
 */
extern const RecordCutter archive_record_cutter;

/* A document that is one record, without a name; the part is NULL. */
extern const RecordCutter file_record_cutter;

#endif
