/*
 * layer.c
 *    Walks a layer's tar, and keeps of it what decides which packages an image has.
 *
 * Kept are: the wanted files of package.c, read at once; anything at their paths or at a
 * directory above them, since it can replace them in a lower layer or lead elsewhere; and
 * whiteouts of these paths (OCI image-spec, layer.md). The rest is passed over, unless it
 * matters to detectors (layer_detectors.c). When a path comes twice the last one counts.
 */
#include "image/layer.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/path.h"
#include "image/aci.h"
#include "package/sqlite_log.h"

/* What one layer may say: entries that matter, and memory for all that is found in them. */
#define MAX_LAYER_ENTRIES (65536 + WIRE_MAX_DETECTIONS)
#define MAX_LAYER_MEMORY  ((size_t) 256 << 20)

#define FIRST_BUFFER ((size_t) 64 * 1024)

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

static ClairStatus
want_file(Layer *layer, const WantedFile *wanted, ClairError *error)
{
	Place *places = arena_grow_array(layer->places_arena, layer->places, layer->place_count + 1,
									 &layer->place_capacity, sizeof(Place));

	if (places == NULL)
		return out_of_memory(error);
	layer->places = places;
	places[layer->place_count++] = (Place){.path = clair_bytes(wanted->path),
										   .is_directory = wanted->is_directory,
										   .wanted = wanted};
	return CLAIR_OK;
}

ClairStatus
layer_create(const ClairLimits *limits, const Detectors *detectors, bool is_appc, Layer **layer,
			 ClairError *error)
{
	Layer *created = calloc(1, sizeof(Layer));
	ClairStatus status = CLAIR_OK;

	*layer = created;
	if (created == NULL)
		return out_of_memory(error);
	created->limits = limits;
	created->detectors = detectors;
	created->is_appc = is_appc;
	created->arena = arena_create(MAX_LAYER_MEMORY);
	created->places_arena = arena_create(MAX_LAYER_MEMORY);
	created->files_arena = arena_create(MAX_LAYER_MEMORY);
	created->logs.arena = created->places_arena;
	if (created->arena == NULL || created->places_arena == NULL || created->files_arena == NULL)
		return out_of_memory(error);
	for (const WantedFile *wanted = wanted_files; wanted->path != NULL && status == CLAIR_OK;
		 wanted++)
		status = want_file(created, wanted, error);
	if (status == CLAIR_OK && is_appc)
		status = want_file(created, &aci_manifest, error);
	return status;
}

void
layer_destroy(Layer *layer)
{
	if (layer == NULL)
		return;
	arena_destroy(layer->arena);
	arena_destroy(layer->places_arena);
	arena_destroy(layer->files_arena);
	free(layer);
}

const Place *
layer_find_place(const Layer *layer, ClairBytes path, bool *is_ancestor)
{
	*is_ancestor = false;
	for (size_t i = 0; i < layer->place_count; i++)
	{
		const Place *place = &layer->places[i];

		/* Most paths of most layers end here. */
		if (path.size > 0 && place->path.data[0] != path.data[0])
			continue;
		if (path_is_below(place->path, path))
			*is_ancestor = true;
		else if (!clair_bytes_start_with(path, place->path))
			continue;
		else if (path.size == place->path.size)
		{
			if (!place->is_directory)
				return place;
			*is_ancestor = true;
		}
		else if (place->is_directory && path_is_below(path, place->path) &&
				 path_directory(path).size == place->path.size &&
				 wanted_in_directory(place->wanted, path_name(path)))
			return place;
	}
	return NULL;
}

/* The entry at a path, a new one when there is none; its former content is forgotten. */
static ClairStatus
put_entry(Layer *layer, ClairBytes path, LayerEntryType type, int64_t number, LayerEntry **entry,
		  ClairError *error)
{
	TextMap *map = type == LAYER_WHITEOUT || type == LAYER_OPAQUE ? &layer->whiteouts
																  : &layer->files;
	LayerEntry *found = text_map_find(map, path);

	if (found == NULL)
	{
		LayerEntry **entries = arena_grow_array(layer->arena, layer->entries,
												layer->entry_count + 1, &layer->entry_capacity,
												sizeof(LayerEntry *));
		void **place;

		if (layer->entry_count >= MAX_LAYER_ENTRIES)
			return clair_error(error, CLAIR_LIMIT, "more than %d package databases or the like",
							   MAX_LAYER_ENTRIES);
		found = arena_alloc(layer->arena, sizeof(LayerEntry));
		path = arena_copy(layer->arena, path);
		if (entries == NULL || found == NULL || path.data == NULL)
			return out_of_memory(error);
		place = text_map_at(map, path);
		if (place == NULL)
			return out_of_memory(error);
		*place = found;
		layer->entries = entries;
		layer->entries[layer->entry_count++] = found;
	}
	else
		path = found->path;
	*found = (LayerEntry){.path = path, .type = type, .number = number};
	*entry = found;
	return CLAIR_OK;
}

ClairStatus
layer_read_content(Entries *tar, const Entry *header, const ClairLimits *limits, char **content,
				   size_t *size, ClairError *error)
{
	size_t capacity = 0;
	ClairBytes piece;
	ClairStatus status;

	*content = NULL;
	*size = 0;
	if (header->sparse)
		return clair_error(error, CLAIR_UNSUPPORTED, "stored as a sparse file");
	if (header->size > limits->max_file_size)
	{
		clair_error(error, CLAIR_LIMIT, "a file of %" PRId64 " bytes", header->size);
		clair_error_hint(error, "The limit is the setting clair.max_file_size.");
		return CLAIR_LIMIT;
	}
	while ((status = entries_read(tar, &piece, error)) == CLAIR_OK && piece.size > 0)
	{
		if (piece.size > (size_t) header->size - *size)
			return clair_error(error, CLAIR_INVALID, "more bytes than its header says");
		if (piece.size > capacity - *size)
		{
			char *larger;

			/* The header's size is only a claim: memory grows with the bytes that come. */
			capacity = capacity == 0 ? FIRST_BUFFER : capacity * 2;
			if (capacity < *size + piece.size)
				capacity = *size + piece.size;
			larger = realloc(*content, capacity);
			if (larger == NULL)
				return out_of_memory(error);
			*content = larger;
		}
		memcpy(*content + *size, piece.data, piece.size);
		*size += piece.size;
	}
	return status;
}

/*
 * Keeps the log of a database, if it says anything: the database may have been read already, so
 * another pass is due.
 */
static ClairStatus
keep_log(Layer *layer, LayerEntry *entry, ClairBytes content, ClairError *error)
{
	ClairBytes *kept = text_map_find(&layer->logs, entry->path);
	void **place;
	ClairBytes path;

	if (!sqlite_log_has_changes(content))
	{
		entry->wanted = NULL;
		return CLAIR_OK;
	}
	if (kept != NULL && clair_bytes_equal(*kept, content))
		return CLAIR_OK;
	kept = arena_alloc(layer->places_arena, sizeof(ClairBytes));
	path = arena_copy(layer->places_arena, entry->path);
	if (kept == NULL || path.data == NULL)
		return out_of_memory(error);
	*kept = arena_copy(layer->places_arena, content);
	place = kept->data != NULL ? text_map_at(&layer->logs, path) : NULL;
	if (place == NULL)
		return out_of_memory(error);
	*place = kept;
	layer->has_new_log = true;
	return CLAIR_OK;
}

/* Makes the changes that the log beside a database has, if there is one. */
static ClairStatus
apply_log(Layer *layer, const LayerEntry *entry, char **content, size_t *size, ClairError *error)
{
	ClairBytes path = arena_printf(layer->arena, "%.*s" SQLITE_LOG_ENDING, (int) entry->path.size,
								   entry->path.data);
	const ClairBytes *log = path.data != NULL ? text_map_find(&layer->logs, path) : NULL;

	if (path.data == NULL)
		return out_of_memory(error);
	if (log == NULL)
		return CLAIR_OK;
	return sqlite_log_apply(*log, content, size, entry->findings, error);
}

/* Lets the reader of a wanted file read its content, which may move. */
static ClairStatus
read_findings(Layer *layer, LayerEntry *entry, char **content, size_t *size, ClairError *error)
{
	ClairBytes bytes;
	ClairStatus status;

	entry->findings = arena_alloc(layer->arena, sizeof(Findings));
	if (entry->findings == NULL)
		return out_of_memory(error);
	findings_start(entry->findings, layer->arena, layer->limits);
	status = apply_log(layer, entry, content, size, error);
	bytes = (ClairBytes){*content != NULL ? *content : "", *size};
	if (status == CLAIR_OK && entry->wanted->is_database)
		status = digest_of(DIGEST_SHA256, bytes, entry->content, error);
	if (status == CLAIR_OK)
		status = entry->wanted->read(bytes, entry->findings, error);
	return status;
}

static ClairStatus
read_wanted(Layer *layer, Entries *tar, const Entry *header, LayerEntry *entry, ClairError *error)
{
	char *content;
	size_t size;
	ClairStatus status = layer_read_content(tar, header, layer->limits, &content, &size, error);

	if (status == CLAIR_OK && entry->detectors != 0)
		status = layer_keep_file(layer, entry, (ClairBytes){content, size}, error);
	if (status == CLAIR_OK && entry->wanted->read == NULL)
		status = keep_log(layer, entry, (ClairBytes){content, size}, error);
	else if (status == CLAIR_OK)
		status = read_findings(layer, entry, &content, &size, error);
	free(content);
	if (status != CLAIR_OK)
		clair_error_in(error, "%.*s", (int) entry->path.size, entry->path.data);
	return status;
}

/*
 * Whether the path is that of a whiteout: then what it hides, and whether that is all that
 * the directory has below it. Other names that begin so are notes of aufs, and say nothing; nor
 * does what would hide a "." or "..".
 */
static bool
is_whiteout(ClairBytes path, char *buffer, ClairBytes *hidden, bool *opaque)
{
	static const ClairBytes prefix = CLAIR_LITERAL(".wh.");
	ClairBytes name = path_name(path);
	ClairBytes directory = path_directory(path);

	*hidden = CLAIR_NULL_BYTES;
	if (!clair_bytes_start_with(name, prefix))
		return false;
	*opaque = clair_bytes_equal(name, CLAIR_LITERAL(".wh..wh..opq"));
	if (*opaque)
		*hidden = directory;
	else if (!clair_bytes_start_with(name, CLAIR_LITERAL(".wh..wh.")) && name.size > prefix.size &&
			 !clair_bytes_equal(name, CLAIR_LITERAL(".wh..")) &&
			 !clair_bytes_equal(name, CLAIR_LITERAL(".wh...")))
	{
		size_t start = path.size - name.size;

		memcpy(buffer, path.data, start);
		memcpy(buffer + start, name.data + prefix.size, name.size - prefix.size);
		*hidden = (ClairBytes){buffer, path.size - prefix.size};
	}
	return true;
}

static ClairStatus
take_whiteout(Layer *layer, const Entry *header, ClairBytes hidden, bool opaque, ClairError *error)
{
	LayerEntry *entry;
	LayerEntryType type = opaque ? LAYER_OPAQUE : LAYER_WHITEOUT;
	DetectorSet wanting;
	bool is_ancestor;
	const Place *place = layer_find_place(layer, hidden, &is_ancestor);
	bool matters = is_ancestor || (place != NULL && !opaque);
	ClairStatus status = CLAIR_OK;

	if (!matters)
		status = layer_detect(layer, hidden, type, &wanting, &matters, error);
	if (status != CLAIR_OK || !matters)
		return status;
	return put_entry(layer, hidden, type, header->number, &entry, error);
}

static LayerEntryType
entry_type(const Entry *header)
{
	switch (header->type)
	{
		case ENTRY_FILE:
			return LAYER_FILE;
		case ENTRY_DIRECTORY:
			return LAYER_DIRECTORY;
		case ENTRY_SYMLINK:
			return header->target.size < CLAIR_MAX_PATH ? LAYER_SYMLINK : LAYER_OTHER;
		case ENTRY_HARDLINK:
			return header->target.size < CLAIR_MAX_PATH ? LAYER_HARDLINK : LAYER_OTHER;
		default:
			return LAYER_OTHER;
	}
}

/* The wanted path that a file at this path stands for, when a link leads to its place. */
static bool
set_because(Layer *layer, LayerEntry *entry, const Place *place)
{
	if (place->because.data == NULL || !place->is_directory)
		entry->because = place->because;
	else
	{
		ClairBytes name = path_name(entry->path);

		entry->because = arena_printf(layer->arena, "%.*s/%.*s", (int) place->because.size,
									  place->because.data, (int) name.size, name.data);
	}
	return place->because.data == NULL || entry->because.data != NULL;
}

static ClairStatus
take_entry(Layer *layer, Entries *tar, const Entry *header, ClairError *error)
{
	char buffer[CLAIR_MAX_PATH];
	ClairBytes hidden;
	bool opaque = false;
	bool is_ancestor;
	const Place *place;
	LayerEntryType type = entry_type(header);
	DetectorSet wanting;
	bool matters;
	LayerEntry *entry;
	ClairStatus status;

	if (is_whiteout(header->path, buffer, &hidden, &opaque))
		return hidden.data != NULL ? take_whiteout(layer, header, hidden, opaque, error) : CLAIR_OK;
	place = layer_find_place(layer, header->path, &is_ancestor);
	status = layer_detect(layer, header->path, type, &wanting, &matters, error);
	if (status != CLAIR_OK || (place == NULL && !is_ancestor && !matters) || header->path.size == 0)
		return status;
	status = put_entry(layer, header->path, type, header->number, &entry, error);
	if (status != CLAIR_OK)
		return status;
	entry->detectors = wanting;
	if (entry->type == LAYER_SYMLINK || entry->type == LAYER_HARDLINK)
	{
		entry->target = arena_copy(layer->arena, header->target);
		if (entry->target.data == NULL)
			return out_of_memory(error);
	}
	if (place == NULL && entry->type == LAYER_FILE && wanting != 0)
		return layer_read_file(layer, tar, header, entry, error);
	if (place == NULL || entry->type == LAYER_DIRECTORY || entry->type == LAYER_OTHER)
		return CLAIR_OK;
	entry->wanted = place->wanted;
	if (!set_because(layer, entry, place))
		return out_of_memory(error);
	return entry->type == LAYER_FILE ? read_wanted(layer, tar, header, entry, error) : CLAIR_OK;
}

ClairStatus
layer_walk(Layer *layer, ClairStream *stream, ClairError *error)
{
	char buffer[CLAIR_MAX_PATH];
	Entries *tar;
	Entry header;
	bool more;
	ClairStatus status;

	arena_reset(layer->arena);
	arena_reset(layer->files_arena);
	layer->entries = NULL;
	layer->entry_count = 0;
	layer->entry_capacity = 0;
	layer->files = (TextMap){.arena = layer->arena};
	layer->whiteouts = (TextMap){.arena = layer->arena};
	layer->has_new_log = false;
	layer->detections = 0;
	layer->files_size = 0;
	layer->left_out = CLAIR_NULL_BYTES;
	layer->passes++;
	status = entries_open(stream, ENTRIES_TAR, layer->limits, &tar, error);
	if (status != CLAIR_OK)
		return status;
	while ((status = entries_next(tar, &header, &more, error)) == CLAIR_OK && more)
	{
		if (layer->is_appc && !aci_enter_root(&header, buffer))
			continue;
		status = take_entry(layer, tar, &header, error);
		if (status != CLAIR_OK)
			break;
	}
	layer->entries_count = entries_count(tar);
	entries_close(tar);
	return status;
}
