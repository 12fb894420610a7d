/*
 * export.h
 *    Writing an export: what clair.export_updates() has written to a file.
 */
#ifndef CLAIR_READER_EXPORT_H
#define CLAIR_READER_EXPORT_H

#include "common/connection.h"

/*
 * Writes what comes with WIRE_WRITE, up to WIRE_START, compressed to a descriptor, and behind it
 * the line that says how many lines there were, and their digest (feed/export_file.h).
 */
extern ClairStatus export_write(Connection *connection, int descriptor, ClairError *error);

#endif
