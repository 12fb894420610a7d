/*
 * memory_vfs.c
 *    A file system for SQLite that has one file, which is in memory and cannot be written.
 *
 * SQLite has a way of its own to open bytes in memory, but that refuses a database which says
 * that it has a write-ahead log; what such a log says is in our bytes already. So whatever
 * reads the file's header is told that there is none. The file system is known to SQLite only
 * while the connection is open.
 */
#include "package/memory_vfs.h"

/* Bytes of a database's header that say by which means it may be written and read. */
#define WRITE_VERSION_OFFSET 18
#define READ_VERSION_OFFSET	 19
#define VERSION_WITHOUT_LOG	 1
#define VERSION_WITH_LOG	 2

#define PATH_SIZE 16 /* of the one file's name */

typedef struct MemoryFile
{
	sqlite3_file base; /* first, for SQLite */
	ClairBytes bytes;
} MemoryFile;

static int
file_close(sqlite3_file *file)
{
	(void) file;
	return SQLITE_OK;
}

static int
file_read(sqlite3_file *file, void *buffer, int amount, sqlite3_int64 offset)
{
	ClairBytes bytes = ((MemoryFile *) file)->bytes;
	char *to = buffer;
	size_t wanted = (size_t) amount;
	size_t there = 0;

	if (offset >= 0 && (uint64_t) offset < bytes.size)
	{
		there = bytes.size - (size_t) offset;
		if (there > wanted)
			there = wanted;
		memcpy(to, bytes.data + offset, there);
	}
	memset(to + there, 0, wanted - there);
	for (sqlite3_int64 at = WRITE_VERSION_OFFSET; at <= READ_VERSION_OFFSET; at++)
	{
		if (at >= offset && at < offset + (sqlite3_int64) there &&
			to[at - offset] == VERSION_WITH_LOG)
			to[at - offset] = VERSION_WITHOUT_LOG;
	}
	return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int
file_write(sqlite3_file *file, const void *buffer, int amount, sqlite3_int64 offset)
{
	(void) file;
	(void) buffer;
	(void) amount;
	(void) offset;
	return SQLITE_READONLY;
}

static int
file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	(void) file;
	(void) size;
	return SQLITE_READONLY;
}

static int
file_sync(sqlite3_file *file, int flags)
{
	(void) file;
	(void) flags;
	return SQLITE_OK;
}

static int
file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	*size = (sqlite3_int64) ((MemoryFile *) file)->bytes.size;
	return SQLITE_OK;
}

static int
file_lock(sqlite3_file *file, int level)
{
	(void) file;
	(void) level;
	return SQLITE_OK;
}

static int
file_check_lock(sqlite3_file *file, int *is_locked)
{
	(void) file;
	*is_locked = 0;
	return SQLITE_OK;
}

static int
file_control(sqlite3_file *file, int operation, void *argument)
{
	(void) file;
	(void) operation;
	(void) argument;
	return SQLITE_NOTFOUND;
}

static int
file_sector_size(sqlite3_file *file)
{
	(void) file;
	return 0; /* whatever SQLite likes */
}

static int
file_characteristics(sqlite3_file *file)
{
	(void) file;
	return SQLITE_IOCAP_IMMUTABLE;
}

static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	static const sqlite3_io_methods methods = {
		.iVersion = 1,
		.xClose = file_close,
		.xRead = file_read,
		.xWrite = file_write,
		.xTruncate = file_truncate,
		.xSync = file_sync,
		.xFileSize = file_size,
		.xLock = file_lock,
		.xUnlock = file_lock,
		.xCheckReservedLock = file_check_lock,
		.xFileControl = file_control,
		.xSectorSize = file_sector_size,
		.xDeviceCharacteristics = file_characteristics,
	};
	MemoryFile *opened = (MemoryFile *) file;

	(void) name;
	opened->base.pMethods = NULL;
	if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
		return SQLITE_CANTOPEN;
	opened->base.pMethods = &methods;
	opened->bytes = *(const ClairBytes *) vfs->pAppData;
	if (out_flags != NULL)
		*out_flags = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READONLY;
	return SQLITE_OK;
}

static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void) vfs;
	(void) name;
	(void) sync;
	return SQLITE_READONLY;
}

/* There are no journals. */
static int
vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
	(void) vfs;
	(void) name;
	(void) flags;
	*result = 0;
	return SQLITE_OK;
}

static int
vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *path)
{
	(void) vfs;
	sqlite3_snprintf(size, path, "%s", name);
	return SQLITE_OK;
}

static int
vfs_randomness(sqlite3_vfs *vfs, int size, char *buffer)
{
	(void) vfs;
	memset(buffer, 0, (size_t) size);
	return size;
}

static int
vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void) vfs;
	return microseconds;
}

static int
vfs_current_time(sqlite3_vfs *vfs, double *days)
{
	(void) vfs;
	*days = 0;
	return SQLITE_OK;
}

int
memory_vfs_open(const ClairBytes *database, sqlite3_vfs *vfs, sqlite3 **connection)
{
	int result;

	*vfs = (sqlite3_vfs){
		.iVersion = 1,
		.szOsFile = sizeof(MemoryFile),
		.mxPathname = PATH_SIZE,
		.zName = "clair-memory",
		.pAppData = (void *) database,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xRandomness = vfs_randomness,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_current_time,
	};
	*connection = NULL;
	result = sqlite3_vfs_register(vfs, 0);
	if (result != SQLITE_OK)
		return result;
	return sqlite3_open_v2("database", connection,
						   SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
						   vfs->zName);
}

void
memory_vfs_close(sqlite3_vfs *vfs, sqlite3 *connection)
{
	sqlite3_close(connection);
	sqlite3_vfs_unregister(vfs);
}
