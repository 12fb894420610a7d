/*
 * folder.c
 *    clair.images_in(): what may be images in a folder of the server.
 *
 * The caller needs the same rights as for reading these. What the files are is not looked at:
 * who indexes them is told.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "server/compat.h"
#include "server/descriptor.h"

PG_FUNCTION_INFO_V1(images_in);

/* Whether a folder, opened or below an opened one, is an OCI layout. */
static bool
IsLayout(int directory, const char *below)
{
	char *path = psprintf("%soci-layout", below);
	bool is_layout = IsFileBeneath(directory, path);

	pfree(path);
	return is_layout;
}

static int
CompareNames(const ListCell *left, const ListCell *right)
{
	return strcmp(lfirst(left), lfirst(right));
}

/* Whether an entry may be an image; its name loses the "/" that tells a directory. */
static bool
IsCandidate(int directory, char *name)
{
	size_t length = strlen(name);

	if (!pg_verifymbstr(name, (int) length, true))
	{
		ereport(WARNING, (errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
						  errmsg("a file is left out whose name is not valid UTF-8")));
		return false;
	}
	if (name[length - 1] != '/')
		return true;
	if (!IsLayout(directory, name))
		return false;
	name[length - 1] = '\0';
	return true;
}

static void
ReturnPath(ReturnSetInfo *result, const char *folder, const char *name)
{
	/* The root directory is the only one whose path ends in a "/". */
	const char *separator = name[0] == '\0' || strcmp(folder, "/") == 0 ? "" : "/";
	Datum path = CStringGetTextDatum(psprintf("%s%s%s", folder, separator, name));
	bool null = false;

	tuplestore_putvalues(result->setResult, result->setDesc, &path, &null);
}

/* Returns the paths of a folder, in order. */
static void
ReturnFolder(ReturnSetInfo *result, char *folder)
{
	bool is_directory;
	Descriptor *directory = OpenServerFile(folder, &is_directory);
	List *names;
	ListCell *cell;

	if (!is_directory)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a directory", folder)));
	canonicalize_path(folder);
	if (IsLayout(directory->fd, ""))
	{
		ReturnPath(result, folder, "");
		return;
	}
	names = DirectoryEntries(directory->fd, folder);
	list_sort(names, CompareNames);
	foreach (cell, names)
		if (IsCandidate(directory->fd, lfirst(cell)))
			ReturnPath(result, folder, lfirst(cell));
}

Datum
images_in(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "clair folder",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	old_context = MemoryContextSwitchTo(context);
	ReturnFolder((ReturnSetInfo *) fcinfo->resultinfo, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context); /* closes the folder */
	return (Datum) 0;
}
