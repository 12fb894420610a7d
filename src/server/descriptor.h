/*
 * descriptor.h
 *    File descriptors that are closed with their memory context.
 *
 * Everything that the server opens for a helper goes through here: it is counted against
 * the server's limit of files, and closed on success, error, cancel and abort alike.
 */
#ifndef CLAIR_DESCRIPTOR_H
#define CLAIR_DESCRIPTOR_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "common/bytes.h"

typedef struct Descriptor
{
	int fd; /* -1 once closed */
	MemoryContextCallback callback;
} Descriptor;

/* Refuses roles that are not members of pg_read_server_files. */
extern void CheckMayReadFiles(Oid role);

/*
 * Opens what a user names, on the server: an absolute path of a regular file or a
 * directory, within clair.image_directories when that is set. The caller must be a member of
 * pg_read_server_files. Errors name the path.
 */
extern Descriptor *OpenServerFile(const char *path, bool *is_directory);

/* The same for a path that an administrator has set, with that role's rights. */
extern Descriptor *OpenServerFileAs(Oid role, const char *path, bool *is_directory);

/*
 * Opens a file below an opened directory, without following links: a path of plain names.
 * NULL, with errno set, when there is none or when it is not a regular file.
 */
extern Descriptor *OpenBeneath(int directory, const char *path);

/* Whether there is such a file. */
extern bool IsFileBeneath(int directory, const char *path);

/*
 * The names of what lies in an opened directory, but for hidden ones; those of directories have
 * a "/" at their end. At most clair.max_entries. Path is its name in errors.
 */
extern List *DirectoryEntries(int directory, const char *path);

/*
 * Creates a file of the server, to be written: there must be none of that name. Without a name, it
 * goes with its last descriptor, whatever happens; that is NULL where the file system has no such
 * files.
 */
extern Descriptor *CreateServerFile(const char *path);
extern Descriptor *CreateUnnamedFile(const char *folder);

/* Gives a file that has no name a path, when all of it has reached the disk. */
extern void NameFile(const Descriptor *file, const char *path);

/* A new file without a name in the server's folder for temporary files. */
extern Descriptor *OpenSpoolFile(void);

/* Appends to a spool file, within temp_file_limit. */
extern void WriteSpoolFile(Descriptor *file, const char *data, size_t size);

/* Closes it now; doing so twice is harmless. */
extern void CloseDescriptor(Descriptor *descriptor);

#endif
