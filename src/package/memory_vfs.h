/*
 * memory_vfs.h
 *    Lets SQLite read a database that lies in memory, and nothing else.
 */
#ifndef CLAIR_MEMORY_VFS_H
#define CLAIR_MEMORY_VFS_H

#include <sqlite3.h>

#include "common/bytes.h"

/* Opens the database; SQLite's status. *connection is to be closed with memory_vfs_close(). */
extern int memory_vfs_open(const ClairBytes *database, sqlite3_vfs *vfs, sqlite3 **connection);

/* Closes it. */
extern void memory_vfs_close(sqlite3_vfs *vfs, sqlite3 *connection);

#endif
