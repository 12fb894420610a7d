/*
 * export_file.h
 *    Reading what clair.export_updates() writes: what updaters brought, of another database.
 *
 * Lines of JSON, compressed as a whole. The first says what it is; then come sections, each of an
 * updater; the last line has the digest of all that stands before it:
 *
 *	  {"clair":"updates","version":1,"site":..., "position":..., "updaters":[{"name":...,
 *"since":...}]}
 *	  {"updater":"debian"}
 *	  {"record":KEY,"rows":[{"vulnerability":{COLUMN:VALUE, ...}},{"affected":{...}}, ...]}
 *	  {"gone":{"record":KEY}}
 *	  {"end":LINES,"sha256":...}
 *
 * A row is one of the row stream's (common/wire.h), its columns by their names; what is left out
 * has no value, but the record's key, and, of what follows a vulnerability, that one's name.
 * Beside records there are rows of their own: gone, frozen, repository, epss_edition, epss.
 */
#ifndef CLAIR_EXPORT_FILE_H
#define CLAIR_EXPORT_FILE_H

#include "common/limits.h"
#include "common/sink.h"
#include "feed/record.h"

#define EXPORT_VERSION 1

/* What the lines that are not records begin with. */
#define EXPORT_HEAD	   "{\"clair\":\"updates\",\"version\":"
#define EXPORT_SECTION "{\"updater\":"
#define EXPORT_RECORD  "{\"record\":"
#define EXPORT_END	   "{\"end\":"

/*
 * Cuts the file into the lines of one updater, the part; those that are no records come by the
 * name "row". The whole file is read, and its last line held against it.
 */
extern const RecordCutter export_cutter;

/*
 * Reads the whole file, and writes a row of WIRE_EXPORT for each updater that it has something of.
 * A file that is not what was written, or of another version, is an error.
 */
extern ClairStatus
export_inspect(const ClairLimits *limits, int descriptor, const ClairSink *sink, ClairError *error);

#endif
