/*
 * directory.c
 *    Listing an opened directory of the server.
 */
#include "postgres.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"

#include "server/descriptor.h"
#include "server/settings.h"

static List *
ReadEntries(DIR *directory, const char *path)
{
	int64 limit = CurrentLimits().max_entries;
	List *names = NIL;
	struct dirent *entry;
	struct stat status;

	while ((entry = readdir(directory)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (limit-- == 0)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("directory \"%s\" has more than " INT64_FORMAT " entries", path,
								   CurrentLimits().max_entries),
							errhint("See clair.max_entries.")));
		if (entry->d_name[0] == '.' || fstatat(dirfd(directory), entry->d_name, &status, 0) != 0)
			continue;
		names = lappend(names, psprintf("%s%s", entry->d_name, S_ISDIR(status.st_mode) ? "/" : ""));
	}
	return names;
}

List *
DirectoryEntries(int directory, const char *path)
{
	/* Opened anew: the descriptor that is given has no position of its own to move. */
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
	List *names;

	if (entries == NULL)
	{
		int saved_errno = errno;

		if (copy >= 0)
			close(copy);
		errno = saved_errno;
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("could not open directory \"%s\": %m", path)));
	}
	PG_TRY();
	{
		names = ReadEntries(entries, path);
	}
	PG_FINALLY();
	{
		closedir(entries);
	}
	PG_END_TRY();
	return names;
}
