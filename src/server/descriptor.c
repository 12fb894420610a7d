/*
 * descriptor.c
 *    Opening files for helpers, and closing them whatever happens.
 *
 * A Descriptor lives in the memory context that was current when it was opened; the
 * context's reset callback closes it. See reference: openat2(2) for the rules by which a
 * path cannot leave its directory.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__linux__) && defined(SYS_openat2)
#include <linux/openat2.h>
#endif

#include "catalog/pg_authid.h"
#include "common/file_utils.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "common/fault.h"
#include "server/descriptor.h"
#include "server/settings.h"

#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

static void
CloseDescriptorCallback(void *argument)
{
	CloseDescriptor((Descriptor *) argument);
}

void
CloseDescriptor(Descriptor *descriptor)
{
	if (descriptor->fd < 0)
		return;
	close(descriptor->fd);
	ReleaseExternalFD();
	descriptor->fd = -1;
}

/* A Descriptor that holds nothing yet, counted: call before opening, so that nothing leaks. */
static Descriptor *
ReserveDescriptor(void)
{
	Descriptor *descriptor = palloc0(sizeof(Descriptor));

	descriptor->fd = -1;
	descriptor->callback.func = CloseDescriptorCallback;
	descriptor->callback.arg = descriptor;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &descriptor->callback);
	return descriptor;
}

static void
HoldDescriptor(Descriptor *descriptor, int fd)
{
	if (!AcquireExternalFD())
	{
		close(fd);
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
						errmsg("too many files are open in this session")));
	}
	descriptor->fd = fd;
}

/* Opens a path relative to a directory, which it cannot leave; links on the way as flagged. */
static int
OpenResolved(int directory, const char *path, bool follow_links)
{
#if defined(__linux__) && defined(SYS_openat2)
	struct open_how how = {
		.flags = OPEN_FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
				   (follow_links ? 0 : RESOLVE_NO_SYMLINKS),
	};
	int fd = (int) syscall(SYS_openat2, directory, path, &how, sizeof(how));

	if (fd >= 0 || errno != ENOSYS)
		return fd;
#endif
	/* Without openat2: component by component, and no links at all. */
	{
		int at = dup(directory);

		while (at >= 0)
		{
			char component[MAXPGPATH];
			const char *slash = strchr(path, '/');
			size_t length = slash != NULL ? (size_t) (slash - path) : strlen(path);
			int next;

			if (length == 0 || length >= sizeof(component) || strncmp(path, "..", length) == 0)
			{
				close(at);
				errno = ENOENT;
				return -1;
			}
			memcpy(component, path, length);
			component[length] = '\0';
			next = openat(at, component, OPEN_FLAGS | O_NOFOLLOW);
			close(at);
			if (next < 0 || slash == NULL)
				return next;
			at = next;
			path = slash + 1;
		}
		return -1;
	}
}

/* Opens a regular file below a directory; -1, with errno set, when there is none. */
static int
OpenFileBeneath(int directory, const char *path)
{
	struct stat status;
	int fd = OpenResolved(directory, path, false);

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
	{
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

Descriptor *
OpenBeneath(int directory, const char *path)
{
	Descriptor *descriptor = ReserveDescriptor();
	int fd = OpenFileBeneath(directory, path);

	if (fd < 0)
		return NULL;
	HoldDescriptor(descriptor, fd);
	return descriptor;
}

bool
IsFileBeneath(int directory, const char *path)
{
	int fd = OpenFileBeneath(directory, path);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Opens a path below one of the allowed directories; -1, with errno set, when it is below none. */
static int
OpenAllowed(const char *path)
{
	char *directories = pstrdup(clair_image_directories);
	List *names = NIL;
	ListCell *cell;
	int fd = -1;

	if (!SplitDirectoriesString(directories, ',', &names))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid list syntax in parameter \"%s\"", "clair.image_directories")));
	errno = EACCES;
	foreach (cell, names)
	{
		char *name = lfirst(cell);
		size_t length;
		int directory;

		canonicalize_path(name);
		length = strlen(name);
		if (strncmp(path, name, length) != 0 || (path[length] != '/' && path[length] != '\0'))
			continue;
		directory = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (directory < 0)
			return -1;
		fd = OpenResolved(directory, path[length] == '\0' ? "." : path + length + 1, true);
		close(directory);
		return fd;
	}
	return fd;
}

void
CheckMayReadFiles(Oid role)
{
	if (!has_privs_of_role(role, ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied to read files on the server"),
						errdetail("Role \"%s\" is not a member of \"pg_read_server_files\".",
								  GetUserNameFromId(role, false)),
						errhint("Grant it that membership, or pass the content as bytea.")));
}

Descriptor *
OpenServerFileAs(Oid role, const char *path, bool *is_directory)
{
	Descriptor *descriptor;
	struct stat status;
	char *canonical = pstrdup(path);
	int fd;

	CheckMayReadFiles(role);
	canonicalize_path(canonical);
	if (!is_absolute_path(canonical))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("path \"%s\" is not absolute", path),
						errhint("Name the file as the server sees it, from the root on.")));
	descriptor = ReserveDescriptor();
	fd = clair_image_directories[0] != '\0' ? OpenAllowed(canonical) : open(canonical, OPEN_FLAGS);
	if (fd < 0)
	{
		int saved_errno = errno;

		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open \"%s\": %m", path),
						clair_image_directories[0] != '\0' &&
								(saved_errno == EACCES || saved_errno == EXDEV)
							? errhint("Only what lies below clair.image_directories is read.")
							: 0));
	}
	HoldDescriptor(descriptor, fd);
	if (fstat(fd, &status) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not stat \"%s\": %m", path)));
	if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is neither a regular file nor a directory", path)));
	*is_directory = S_ISDIR(status.st_mode);
	return descriptor;
}

Descriptor *
OpenServerFile(const char *path, bool *is_directory)
{
	return OpenServerFileAs(GetUserId(), path, is_directory);
}

Descriptor *
CreateServerFile(const char *path)
{
	Descriptor *descriptor = ReserveDescriptor();
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
				  S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);

	if (fd < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not create \"%s\": %m", path)));
	HoldDescriptor(descriptor, fd);
	return descriptor;
}

Descriptor *
CreateUnnamedFile(const char *folder)
{
#ifdef O_TMPFILE
	Descriptor *descriptor = ReserveDescriptor();
	int fd = access("/proc/self/fd", X_OK) == 0 ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC,
													   S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH)
												: -1;

	if (fd < 0)
		return NULL;
	HoldDescriptor(descriptor, fd);
	return descriptor;
#else
	return NULL;
#endif
}

void
NameFile(const Descriptor *file, const char *path)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", file->fd);
	if (pg_fsync(file->fd) != 0 || linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not create \"%s\": %m", path)));
}

Descriptor *
OpenSpoolFile(void)
{
	static const char folder[] = "base/" PG_TEMP_FILES_DIR;
	Descriptor *descriptor = ReserveDescriptor();
	int fd;

	if (MakePGDirectory(folder) != 0 && errno != EEXIST)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not create directory \"%s\": %m", folder)));
#ifdef O_TMPFILE
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
#endif
	{
		char name[MAXPGPATH];

		snprintf(name, sizeof(name), "%s/%sclair.%d.XXXXXX", folder, PG_TEMP_FILE_PREFIX,
				 MyProcPid);
		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0)
			unlink(name);
	}
	if (fd < 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not create a temporary file in \"%s\": %m", folder)));
	HoldDescriptor(descriptor, fd);
	FAULT_POINT("spool-opened");
	return descriptor;
}

void
WriteSpoolFile(Descriptor *file, const char *data, size_t size)
{
	off_t length = lseek(file->fd, 0, SEEK_END);

	if (temp_file_limit >= 0 && length + (off_t) size > (off_t) temp_file_limit * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("temporary file size exceeds temp_file_limit (%dkB)", temp_file_limit)));
	while (size > 0)
	{
		ssize_t written = write(file->fd, data, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
		{
			bool is_full = written == 0 || errno == ENOSPC || errno == EDQUOT;

			if (written == 0)
				errno = ENOSPC;
			ereport(ERROR,
					(errcode_for_file_access(), errmsg("could not write to a temporary file: %m"),
					 is_full ? errhint("Make room where the server's temporary files are, in "
									   "base/pgsql_tmp of its data.")
							 : 0));
		}
		data += written;
		size -= (size_t) written;
	}
}
