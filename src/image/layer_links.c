/*
 * layer_links.c
 *    Where a layer's links lead, and which files are wanted because of that.
 *
 * A package database may be a link, or lie below one ("var/lib/dpkg" to "../../data/dpkg").
 * The server follows symbolic links when it merges layers, but it can only find files that
 * were read. So the places that links lead to within a layer become wanted as well, and the
 * layer is walked again. A hard link is its target under another name, and becomes that.
 */
#include "image/layer.h"

#include "common/path.h"

/* Passes over a layer that links may cause, the first one not counted. */
#define MAX_EXTRA_PASSES 8

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

/* The first symbolic link on the way along path, the way's end included; or NULL. */
static const LayerEntry *
find_link(const Layer *layer, ClairBytes path)
{
	for (size_t end = 1; end <= path.size; end++)
	{
		const LayerEntry *entry;

		if (end < path.size && path.data[end] != '/')
			continue;
		entry = text_map_find(&layer->files, (ClairBytes){path.data, end});
		if (entry != NULL && entry->type == LAYER_SYMLINK)
			return entry;
	}
	return NULL;
}

/*
 * Follows the layer's symbolic links from a clean path; the result is in one of the buffers.
 * False when that leads out of the root, or in circles.
 */
static bool
resolve(const Layer *layer, ClairBytes path, char buffers[2][CLAIR_MAX_PATH], ClairBytes *resolved)
{
	char joined[2 * CLAIR_MAX_PATH];

	for (int links = 0; links <= CLAIR_MAX_LINKS; links++)
	{
		const LayerEntry *link = find_link(layer, path);
		ClairBytes rest;
		size_t size;

		*resolved = path;
		if (link == NULL)
			return true;
		rest = clair_bytes_skip(path, link->path.size);
		size = link->target.size + rest.size;
		if (size > sizeof(joined))
			return false;
		memcpy(joined, link->target.data, link->target.size);
		memcpy(joined + link->target.size, rest.data, rest.size);
		if (!path_link_target(link->path, (ClairBytes){joined, size}, buffers[links % 2], &path))
			return false;
	}
	return false;
}

/* Makes a place wanted, unless it is, or there are too many. */
static ClairStatus
add_place(Layer *layer, const Place *place, bool *added, ClairError *error)
{
	Place *places;
	Place copy = *place;

	for (size_t i = 0; i < layer->place_count; i++)
	{
		if (clair_bytes_equal(layer->places[i].path, place->path) &&
			layer->places[i].is_directory == place->is_directory &&
			layer->places[i].wanted->read == place->wanted->read)
			return CLAIR_OK;
	}
	if (place->path.size == 0 || layer->extra_places >= LAYER_MAX_EXTRA_PLACES)
		return CLAIR_OK;
	places = arena_grow_array(layer->places_arena, layer->places, layer->place_count + 1,
							  &layer->place_capacity, sizeof(Place));
	copy.path = arena_copy(layer->places_arena, place->path);
	copy.because = arena_copy(layer->places_arena, place->because);
	if (places == NULL || copy.path.data == NULL || copy.because.data == NULL)
		return out_of_memory(error);
	layer->places = places;
	places[layer->place_count++] = copy;
	layer->extra_places++;
	*added = true;
	return CLAIR_OK;
}

/* Follows the links that lie at or above the places. */
static ClairStatus
follow_from_places(Layer *layer, bool *added, ClairError *error)
{
	size_t count = layer->place_count;
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		char buffers[2][CLAIR_MAX_PATH];
		Place place = layer->places[i];
		ClairBytes resolved;

		if (!resolve(layer, place.path, buffers, &resolved) ||
			clair_bytes_equal(resolved, place.path))
			continue;
		if (place.because.data == NULL)
			place.because = place.path;
		place.path = resolved;
		status = add_place(layer, &place, added, error);
	}
	return status;
}

/* Follows hard links at wanted paths, and links that are files of wanted directories. */
static ClairStatus
follow_from_entries(Layer *layer, bool *added, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < layer->entry_count && status == CLAIR_OK; i++)
	{
		char target[CLAIR_MAX_PATH];
		char buffers[2][CLAIR_MAX_PATH];
		const LayerEntry *entry = layer->entries[i];
		ClairBytes path = entry->path;
		bool is_ancestor;
		const Place *there;
		Place place = {.wanted = entry->wanted, .because = entry->path};

		if (entry->wanted == NULL ||
			(entry->type != LAYER_HARDLINK && entry->type != LAYER_SYMLINK) ||
			(entry->type == LAYER_HARDLINK && !path_clean(entry->target, target, &path)) ||
			!resolve(layer, path, buffers, &place.path))
			continue;
		there = layer_find_place(layer, place.path, &is_ancestor);
		if (there == NULL || there->wanted->read != entry->wanted->read)
			status = add_place(layer, &place, added, error);
	}
	return status;
}

/* The file that a hard link names, or NULL. */
static const LayerEntry *
find_file(const Layer *layer, const LayerEntry *entry)
{
	for (int links = 0; links < CLAIR_MAX_LINKS; links++)
	{
		char target[CLAIR_MAX_PATH];
		char buffers[2][CLAIR_MAX_PATH];
		ClairBytes path;

		if (entry == NULL || entry->type != LAYER_HARDLINK)
			return entry;
		if (!path_clean(entry->target, target, &path) || !resolve(layer, path, buffers, &path))
			return NULL;
		entry = text_map_find(&layer->files, path);
	}
	return NULL;
}

/*
 * Makes of every hard link what it names. What is not in this layer must be in a lower one,
 * so it becomes a symbolic link there.
 */
static ClairStatus
replace_hard_links(Layer *layer, ClairError *error)
{
	for (size_t i = 0; i < layer->entry_count; i++)
	{
		LayerEntry *entry = layer->entries[i];
		const LayerEntry *file = entry->type == LAYER_HARDLINK ? find_file(layer, entry) : NULL;

		if (entry->type != LAYER_HARDLINK)
			continue;
		if (entry->detectors != 0 && layer_keep_linked(layer, entry, file, error) != CLAIR_OK)
			return error->status;
		if (entry->wanted == NULL)
			entry->type = LAYER_FILE;
		else if (file != NULL && file->findings != NULL &&
				 file->wanted->read == entry->wanted->read)
		{
			entry->type = LAYER_FILE;
			entry->findings = file->findings;
			memcpy(entry->content, file->content, sizeof(entry->content));
		}
		else
		{
			entry->type = LAYER_SYMLINK;
			entry->target = arena_printf(layer->arena, "/%.*s", (int) entry->target.size,
										 entry->target.data);
			if (entry->target.data == NULL)
				return out_of_memory(error);
		}
	}
	return CLAIR_OK;
}

ClairStatus
layer_follow_links(Layer *layer, bool *another_pass, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	*another_pass = false;
	if (layer->passes <= MAX_EXTRA_PASSES)
	{
		*another_pass = layer->has_new_log;
		status = follow_from_places(layer, another_pass, error);
		if (status == CLAIR_OK)
			status = follow_from_entries(layer, another_pass, error);
	}
	if (status == CLAIR_OK && !*another_pass)
		status = replace_hard_links(layer, error);
	return status;
}
