/*
 * local.c
 *    Getting documents from files of the server: mirrors for where there is no network.
 *
 * The first document's URL, which an administrator has set, is opened with that role's
 * rights; a directory is listed, in place of the index that its server would have. What
 * further documents name is opened below that directory only, without following links out
 * of it.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/memutils.h"

#include "common/fault.h"
#include "server/helper.h"
#include "update/fetch.h"

/* What a listing begins with; its readers know it (feed/listing.c). */
#define LISTING_HEAD "clair directory listing\n"

static char *
FilePath(const Document *document)
{
	char *path = UrlFilePath(&document->url);

	if (path == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("document \"%s\" has a URL that names no file, \"%s\"",
							   document->name, FormatUrl(&document->url))));
	return path;
}

/* Appends the relative URL of a file's name: what would mean something else in it is escaped. */
static void
AppendReference(StringInfo references, const char *name)
{
	for (; *name != '\0'; name++)
		if (*name > ' ' && *name < 0x7f && strchr(":%?#\\", *name) == NULL)
			appendStringInfoChar(references, *name);
		else
			appendStringInfo(references, "%%%02X", (unsigned char) *name);
}

/* A file with the listing of an opened directory. */
static Descriptor *
ListDirectory(int directory, const char *path)
{
	Descriptor *listing = OpenSpoolFile();
	StringInfoData names;
	ListCell *cell;

	initStringInfo(&names);
	appendStringInfoString(&names, LISTING_HEAD);
	foreach (cell, DirectoryEntries(directory, path))
	{
		AppendReference(&names, lfirst(cell));
		appendStringInfoChar(&names, '\n');
	}
	WriteSpoolFile(listing, names.data, names.len);
	pfree(names.data);
	return listing;
}

/*
 * Opens the first document, with the rights of who set its URL, and remembers its directory.
 * What the directory is opened for needs no other rights than the file.
 */
static Descriptor *
OpenFirst(UpdateRun *run, const Document *document, bool *is_directory)
{
	char *path = FilePath(document);
	Oid role = get_role_oid(run->settings.set_by, true);
	MemoryContext old_context;
	Descriptor *content;
	char *folder = pstrdup(path);
	bool folder_is_directory;

	if (!OidIsValid(role))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("role \"%s\", which set the URL of updater \"%s\", does not exist",
							   run->settings.set_by, run->settings.name),
						errhint("Set the URL again, as another role.")));
	content = OpenServerFileAs(role, path, is_directory);
	if (!*is_directory)
		get_parent_directory(folder);
	old_context = MemoryContextSwitchTo(run->context);
	run->root = OpenServerFileAs(role, folder, &folder_is_directory);
	MemoryContextSwitchTo(old_context);
	return content;
}

/* The directory's path, with "/" at its end, that further documents lie below. */
static char *
RootPath(UpdateRun *run)
{
	const Document *first = linitial(run->documents.named);
	char *path = pstrdup(first->base.path);

	strrchr(path, '/')[1] = '\0';
	return path;
}

/* Opens a further document, below the directory of the first one; NULL when there is none. */
static Descriptor *
OpenFurther(UpdateRun *run, const Document *document)
{
	Url root = {.path = RootPath(run), .query = ""};
	char *root_path = UrlFilePath(&root);
	char *path = FilePath(document);
	size_t length = root_path != NULL ? strlen(root_path) : 0;
	Descriptor *content;

	if (length == 0 || strncmp(path, root_path, length) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("document \"%s\" is named to be at \"%s\", which is not allowed",
						document->name, path),
				 errdetail("Only what lies below the directory of the first document is read.")));
	content = OpenBeneath(run->root->fd, path + length);
	if (content == NULL && !(errno == ENOENT && document->optional))
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open \"%s\": %m", path)));
	return content;
}

/* Tells a version of a file from others. */
static char *
FileValidator(int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not stat a document: %m")));
	return psprintf("%lld-%lld.%09ld-%llu", (long long) status.st_size,
					(long long) status.st_mtim.tv_sec, (long) status.st_mtim.tv_nsec,
					(unsigned long long) status.st_ino);
}

static int64
SizeOfFile(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? (int64) status.st_size : 0;
}

/* Gives a directory's URL the "/" at its end that it needs for what is relative to it. */
static void
MakeDirectoryUrl(const UpdateRun *run, Url *url)
{
	size_t length = strlen(url->path);

	if (url->path[length - 1] != '/')
	{
		char *path = MemoryContextAlloc(run->context, length + 2);

		memcpy(path, url->path, length);
		strcpy(path + length, "/");
		url->path = path;
	}
}

static void
OpenLocalDocument(UpdateRun *run, Document *document, bool conditional)
{
	bool is_directory = false;
	Descriptor *file = document->named_by == NULL ? OpenFirst(run, document, &is_directory)
												  : OpenFurther(run, document);
	const char *validator;

	if (file == NULL)
	{
		document->state = DOCUMENT_ABSENT;
		return;
	}
	if (is_directory)
		MakeDirectoryUrl(run, &document->base);
	validator = FileValidator(file->fd);
	document->etag = MemoryContextStrdup(run->context, validator);
	if (conditional && document->old_etag != NULL && strcmp(document->old_etag, validator) == 0 &&
		strcmp(document->old_url, FormatUrl(&document->url)) == 0)
	{
		document->state = DOCUMENT_UNCHANGED;
		CloseDescriptor(file);
		return;
	}
	document->content = is_directory ? ListDirectory(file->fd, FilePath(document)) : file;
	document->size = SizeOfFile(document->content->fd);
	document->state = DOCUMENT_FETCHED;
	run->document_count++;
	run->bytes += document->size;
}

void
OpenLocalDocuments(UpdateRun *run, List *documents, bool conditional)
{
	MemoryContext context = CurrentMemoryContext;
	Work work;
	ListCell *cell;

	BeginWork(&work); /* rights are looked up in catalogs */
	MemoryContextSwitchTo(context);
	foreach (cell, documents)
		OpenLocalDocument(run, lfirst(cell), conditional);
	FAULT_POINT("run-files-opened");
	EndWork(&work);
	ReportProgress(run);
}
