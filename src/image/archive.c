/*
 * archive.c
 *    The files that an image consists of, in a tar or in a directory; see archive.h.
 *
 * A bare layer is a tar too, with perhaps a million entries that are no concern of an image
 * archive's. Listing therefore stops at the first name, or after a few names, that no image
 * archive has.
 */
#include "image/archive.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/entries.h"
#include "common/path.h"
#include "common/text_map.h"
#include "image/document.h"

/* Names unknown to image archives before a tar is taken for something else. */
#define MAX_FOREIGN_NAMES 64
#define MAX_MEMBERS		  65536

/* What is kept of a compressed tar: documents up to this size, and all of them together. */
#define MAX_KEPT_DOCUMENT (1024 * 1024)
#define MAX_KEPT_TOTAL	  (8 * 1024 * 1024)

typedef struct Member
{
	EntryType type;
	ClairBytes path;
	ClairBytes target;
	int64_t number; /* of the entry */
	int64_t offset;
	int64_t size;
	bool sparse;
	bool compressed;	/* only known when the tar is compressed */
	ClairBytes content; /* of a document that was kept */
} Member;

struct Archive
{
	int descriptor; /* -1: a directory */
	const ClairLimits *limits;
	const ClairSink *sink;
	Arena *arena;
	TextMap members; /* path to Member */
	bool compressed; /* as a whole */
	bool has_manifest;
	bool has_rootfs;
	int64_t kept; /* bytes of documents */

	/* A pass over the tar; open at the entry with this number. */
	ClairStream *file;
	ClairStream *tar_bytes;
	Entries *tar;
	int64_t at;
};

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

static void
end_pass(Archive *archive)
{
	entries_close(archive->tar);
	archive->tar = NULL;
	if (archive->tar_bytes != NULL)
		archive->tar_bytes->close(archive->tar_bytes);
	else if (archive->file != NULL)
		archive->file->close(archive->file);
	archive->tar_bytes = NULL;
	archive->file = NULL;
	archive->at = 0;
}

static ClairStatus
start_pass(Archive *archive, ClairError *error)
{
	ClairStatus status;

	end_pass(archive);
	status = stream_open_file(archive->descriptor, 0, -1, &archive->file, error);
	if (status == CLAIR_OK)
		status = stream_open_decompressed(archive->file, INT64_MAX, "clair.max_layer_size",
										  archive->limits->max_ratio, &archive->tar_bytes, error);
	if (status == CLAIR_OK)
		status = entries_open(archive->tar_bytes, ENTRIES_TAR, archive->limits, &archive->tar,
							  error);
	return status;
}

/* Whether the names of image archives look like this. */
static bool
is_known_name(ClairBytes path)
{
	ClairBytes directory = path_directory(path);
	ClairBytes name = path_name(path);

	if (directory.size == 0 || clair_bytes_start_with(path, CLAIR_LITERAL("blobs/")))
		return true;
	return path_directory(directory).size == 0 &&
		   (clair_bytes_equal(name, CLAIR_LITERAL("layer.tar")) ||
			clair_bytes_equal(name, CLAIR_LITERAL("json")) ||
			clair_bytes_equal(name, CLAIR_LITERAL("VERSION")));
}

/* Whether the path lies where a root file system has its files, and no image archive has. */
static bool
is_root_file_system(ClairBytes path)
{
	static const char *const directories[] = {"bin",  "etc",  "home", "lib", "opt",
											  "root", "sbin", "usr",  "var"};

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
	{
		if (path_is_below(path, clair_bytes(directories[i])))
			return true;
	}
	return false;
}

/* Takes note of an entry that an appc image has. */
static void
recognise_appc(Archive *archive, const Entry *entry)
{
	if (entry->type == ENTRY_FILE && clair_bytes_equal(entry->path, CLAIR_LITERAL("manifest")))
		archive->has_manifest = true;
	if (clair_bytes_equal(entry->path, CLAIR_LITERAL("rootfs")) ||
		path_is_below(entry->path, CLAIR_LITERAL("rootfs")))
		archive->has_rootfs = true;
}

/*
 * Of a file in a compressed tar, which cannot be opened just so later: whether it is
 * compressed itself, and, of a small document, all of it.
 */
static ClairStatus
look_into(Archive *archive, Member *member, ClairError *error)
{
	char start[16];
	size_t held = 0;
	char *content = NULL;
	size_t kept = 0;
	ClairBytes piece;
	ClairStatus status;

	while ((status = entries_read(archive->tar, &piece, error)) == CLAIR_OK && piece.size > 0)
	{
		size_t taken = sizeof(start) - held < piece.size ? sizeof(start) - held : piece.size;

		if (held == 0 && (piece.data[0] == '{' || piece.data[0] == '[') &&
			member->size <= MAX_KEPT_DOCUMENT && archive->kept + member->size <= MAX_KEPT_TOTAL)
		{
			archive->kept += member->size;
			content = arena_alloc(archive->arena, (size_t) member->size);
			if (content == NULL)
				return out_of_memory(error);
		}
		memcpy(start + held, piece.data, taken);
		held += taken;
		if (content == NULL && held == sizeof(start))
			break;
		if (content != NULL && piece.size <= (size_t) member->size - kept)
		{
			memcpy(content + kept, piece.data, piece.size);
			kept += piece.size;
		}
	}
	member->compressed = stream_recognise((ClairBytes){start, held}) != NULL;
	if (content != NULL && kept == (size_t) member->size)
		member->content = (ClairBytes){content, kept};
	return status;
}

static ClairStatus
add_member(Archive *archive, const Entry *entry, ClairError *error)
{
	Member *member = arena_alloc(archive->arena, sizeof(Member));
	void **place;

	if (member == NULL)
		return out_of_memory(error);
	member->type = entry->type;
	member->path = arena_copy(archive->arena, entry->path);
	member->target = arena_copy(archive->arena, entry->target);
	member->number = entry->number;
	member->offset = entry->offset;
	member->size = entry->size;
	member->sparse = entry->sparse;
	if (member->path.data == NULL || (entry->target.data != NULL && member->target.data == NULL))
		return out_of_memory(error);
	place = text_map_at(&archive->members, member->path);
	if (place == NULL)
		return out_of_memory(error);
	*place = member;
	if (!archive->compressed || entry->type != ENTRY_FILE || entry->sparse)
		return CLAIR_OK;
	return look_into(archive, member, error);
}

/* Lists the tar's files; none when it is not an image archive. */
static ClairStatus
list_members(Archive *archive, ClairError *error)
{
	int foreign = 0;
	Entry entry;
	bool more;
	ClairStatus status = start_pass(archive, error);

	if (status != CLAIR_OK)
		return status;
	archive->compressed = stream_compression(archive->tar_bytes) != NULL;
	while ((status = entries_next(archive->tar, &entry, &more, error)) == CLAIR_OK && more)
	{
		recognise_appc(archive, &entry);
		if (archive_is_appc(archive) && archive_has(archive, "manifest"))
			break;
		if (entry.type == ENTRY_DIRECTORY || path_is_below(entry.path, CLAIR_LITERAL("rootfs")))
			continue;
		foreign += is_known_name(entry.path) ? 0 : 1;
		if (foreign > MAX_FOREIGN_NAMES || is_root_file_system(entry.path) ||
			archive->members.count >= MAX_MEMBERS)
		{
			archive->members = (TextMap){.arena = archive->arena};
			break;
		}
		status = add_member(archive, &entry, error);
		if (status != CLAIR_OK)
			break;
	}
	end_pass(archive);
	return status;
}

ClairStatus
archive_open(int descriptor, const ClairLimits *limits, const ClairSink *sink, Arena *arena,
			 Archive **archive, ClairError *error)
{
	Archive *opened = arena_alloc(arena, sizeof(Archive));
	ClairStatus status = CLAIR_OK;

	*archive = opened;
	if (opened == NULL)
		return out_of_memory(error);
	opened->descriptor = descriptor;
	opened->limits = limits;
	opened->sink = sink;
	opened->arena = arena;
	opened->members.arena = arena;
	if (descriptor >= 0)
		status = list_members(opened, error);
	return status;
}

void
archive_close(Archive *archive)
{
	if (archive != NULL)
		end_pass(archive);
}

bool
archive_is_directory(const Archive *archive)
{
	return archive->descriptor < 0;
}

bool
archive_is_appc(const Archive *archive)
{
	return archive->has_manifest && archive->has_rootfs;
}

bool
archive_has(const Archive *archive, const char *name)
{
	return text_map_find(&archive->members, clair_bytes(name)) != NULL;
}

/* The file of this name, links followed; NULL when there is none. */
static Member *
find_member(const Archive *archive, ClairBytes name)
{
	char buffers[2][CLAIR_MAX_PATH];
	ClairBytes path;

	if (!path_clean(name, buffers[0], &path))
		return NULL;
	for (int links = 0; links < CLAIR_MAX_LINKS; links++)
	{
		char *buffer = buffers[(links + 1) % 2];
		Member *member = text_map_find(&archive->members, path);

		if (member == NULL || member->type == ENTRY_FILE)
			return member;
		if (member->type == ENTRY_SYMLINK)
		{
			if (!path_link_target(path, member->target, buffer, &path))
				return NULL;
		}
		else if (member->type != ENTRY_HARDLINK || !path_clean(member->target, buffer, &path))
			return NULL;
	}
	return NULL;
}

/* Goes to the member's entry, from the beginning when the pass is already past it. */
static ClairStatus
open_in_pass(Archive *archive, const Member *member, ClairStream **stream, ClairError *error)
{
	Entry entry;
	bool more = true;
	ClairStatus status = CLAIR_OK;

	if (archive->tar == NULL || archive->at >= member->number)
		status = start_pass(archive, error);
	while (status == CLAIR_OK && more && archive->at < member->number)
	{
		status = entries_next(archive->tar, &entry, &more, error);
		archive->at = more ? entry.number : INT64_MAX;
	}
	if (status != CLAIR_OK)
		return status;
	if (archive->at != member->number || entry.type != ENTRY_FILE || entry.size != member->size)
		return clair_error(error, CLAIR_INVALID, "the archive has changed while it was read");
	return entries_open_stream(archive->tar, stream, error);
}

/* A file of a directory, with its own descriptor. */
typedef struct BlobStream
{
	ClairStream stream;
	ClairStream *file;
	int descriptor;
} BlobStream;

static ClairStatus
blob_read(ClairStream *stream, ClairBytes *piece, ClairError *error)
{
	BlobStream *blob = (BlobStream *) stream;

	return blob->file->read(blob->file, piece, error);
}

static void
blob_close(ClairStream *stream)
{
	BlobStream *blob = (BlobStream *) stream;

	if (blob->file != NULL)
		blob->file->close(blob->file);
	close(blob->descriptor);
	free(blob);
}

/* Asks for a file of the directory: "blobs/ALGORITHM/HEX" by the name "ALGORITHM:HEX". */
static ClairStatus
open_blob(Archive *archive, ClairBytes name, ClairStream **stream, int64_t *size, ClairError *error)
{
	static const ClairBytes blobs = CLAIR_LITERAL("blobs/");
	char asked[DIGEST_TEXT_SIZE];
	BlobStream *opened;
	ClairStatus status;

	if (clair_bytes_start_with(name, blobs))
		name = clair_bytes_skip(name, blobs.size);
	if (name.size >= sizeof(asked))
		return clair_error(error, CLAIR_MISSING, "there is no such file");
	memcpy(asked, name.data, name.size);
	for (size_t i = 0; i < name.size; i++)
	{
		if (asked[i] == '/')
			asked[i] = ':';
	}
	opened = calloc(1, sizeof(BlobStream));
	if (opened == NULL)
		return out_of_memory(error);
	opened->stream = (ClairStream){.read = blob_read, .close = blob_close};
	status = archive->sink->blob(archive->sink->context, (ClairBytes){asked, name.size},
								 &opened->descriptor, error);
	if (status != CLAIR_OK)
	{
		free(opened);
		return status;
	}
	*size = lseek(opened->descriptor, 0, SEEK_END);
	status = stream_open_file(opened->descriptor, 0, -1, &opened->file, error);
	if (status == CLAIR_OK)
		*stream = &opened->stream;
	else
		blob_close(&opened->stream);
	return status;
}

ClairStatus
archive_open_file(Archive *archive, ClairBytes name, ClairStream **stream, int64_t *size,
				  ClairError *error)
{
	const Member *member;

	if (archive_is_directory(archive))
		return open_blob(archive, name, stream, size, error);
	member = find_member(archive, name);
	if (member == NULL)
		return clair_error(error, CLAIR_MISSING, "not in the archive");
	if (member->sparse)
		return clair_error(error, CLAIR_UNSUPPORTED, "stored as a sparse file");
	*size = member->size;
	if (member->content.data != NULL)
		return stream_open_bytes(member->content, stream, error);
	if (archive->compressed)
		return open_in_pass(archive, member, stream, error);
	return stream_open_file(archive->descriptor, member->offset, member->size, stream, error);
}

ClairStatus
archive_read_file(Archive *archive, ClairBytes name, ClairBytes *content, ClairError *error)
{
	ClairStream *stream;
	int64_t size = 0;
	size_t used = 0;
	char *buffer = NULL;
	ClairBytes piece = CLAIR_NULL_BYTES;
	ClairStatus status = archive_open_file(archive, name, &stream, &size, error);

	if (status != CLAIR_OK)
		return status;
	if (size > DOCUMENT_MAX_SIZE)
		status = clair_error(error, CLAIR_LIMIT, "more than %d MB", DOCUMENT_MAX_SIZE >> 20);
	else if ((buffer = arena_alloc(archive->arena, (size_t) size + 1)) == NULL)
		status = out_of_memory(error);
	while (status == CLAIR_OK)
	{
		status = stream->read(stream, &piece, error);
		if (status != CLAIR_OK || piece.size == 0)
			break;
		if (piece.size > (size_t) size - used)
			status = clair_error(error, CLAIR_INVALID, "it has changed while it was read");
		else
		{
			memcpy(buffer + used, piece.data, piece.size);
			used += piece.size;
		}
	}
	stream->close(stream);
	*content = (ClairBytes){buffer, used};
	return status;
}

ClairStatus
archive_is_compressed(Archive *archive, ClairBytes name, bool *compressed, ClairError *error)
{
	ClairStream *stream;
	ClairBytes piece;
	int64_t size;
	ClairStatus status;
	const Member *member = find_member(archive, name);

	if (archive->compressed && member != NULL)
	{
		*compressed = member->compressed;
		return CLAIR_OK;
	}
	status = archive_open_file(archive, name, &stream, &size, error);
	if (status != CLAIR_OK)
		return status;
	status = stream->read(stream, &piece, error);
	if (status == CLAIR_OK)
		*compressed = stream_recognise(piece) != NULL;
	stream->close(stream);
	return status;
}

int64_t
archive_order(const Archive *archive, ClairBytes name)
{
	const Member *member = archive_is_directory(archive) ? NULL : find_member(archive, name);

	return member != NULL ? member->number : 0;
}
