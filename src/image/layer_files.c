/*
 * layer_files.c
 *    Sends the files of a layer that detectors want, as far as the server does not know them.
 *
 * The server is asked once for a layer: what a detector says of a path and its bytes is found out
 * once, whatever layers and images have them.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/text.h"
#include "image/layer.h"

/* Bytes of a piece. */
#define PIECE_SIZE ((size_t) 1 << 20)

/* Files of the layer, each for one detector. */
typedef struct Detections
{
	const LayerEntry **entries;
	ClairBytes *keys;
	ClairBytes *answers;
	uint32_t count;
} Detections;

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

ClairBytes
layer_file_key(Layer *layer, const Detector *detector, const LayerEntry *entry)
{
	return arena_printf(layer->arena, "%.*s:%s", (int) detector->role.size, detector->role.data,
						entry->file_digest);
}

/* Adds a file to the sent ones, if there is memory for it; says whether it was there. */
static bool
is_sent(TextMap *sent, ClairBytes key)
{
	void **place;

	if (text_map_find(sent, key) != NULL)
		return true;
	key = arena_copy(sent->arena, key);
	place = key.data != NULL ? text_map_at(sent, key) : NULL;
	if (place != NULL)
		*place = sent;
	return false;
}

/* Finds what has not been sent yet. */
static ClairStatus
collect(Layer *layer, TextMap *sent, Detections *detections, ClairError *error)
{
	for (size_t i = 0; i < layer->entry_count; i++)
	{
		const LayerEntry *entry = layer->entries[i];

		for (size_t j = 0; j < layer->detectors->count; j++)
		{
			ClairBytes key;

			if ((entry->detectors & (DetectorSet) 1 << j) == 0 || entry->left_out.data != NULL)
				continue;
			key = layer_file_key(layer, &layer->detectors->list[j], entry);
			if (key.data == NULL)
				return out_of_memory(error);
			if (is_sent(sent, key))
				continue;
			detections->entries[detections->count] = entry;
			detections->keys[detections->count++] = key;
		}
	}
	return CLAIR_OK;
}

static ClairStatus
send_file(Layer *layer, const LayerEntry *entry, ClairBytes key, const ClairSink *sink,
		  ClairError *error)
{
	char size[24];
	ClairBytes rest = entry->bytes;
	ClairBytes fields[4] = {key, text_escape(layer->arena, entry->path)};
	ClairStatus status;

	snprintf(size, sizeof(size), "%zu", rest.size);
	fields[2] = clair_bytes(size);
	if (fields[1].data == NULL)
		return out_of_memory(error);
	do
	{
		size_t piece = rest.size < PIECE_SIZE ? rest.size : PIECE_SIZE;

		fields[3] = (ClairBytes){rest.data, piece};
		rest = clair_bytes_skip(rest, piece);
		status = sink->row(sink->context, WIRE_DETECTOR_FILE, fields,
						   sizeof(fields) / sizeof(fields[0]), error);
	} while (status == CLAIR_OK && rest.size > 0);
	return status;
}

ClairStatus
layer_send_files(Layer *layer, TextMap *sent, const ClairSink *sink, ClairError *error)
{
	size_t most = (size_t) layer->detections;
	Detections found = {.count = 0};
	ClairStatus status;

	if (layer->detections == 0)
		return CLAIR_OK;
	found.entries = arena_alloc_array(layer->arena, most, sizeof(LayerEntry *));
	found.keys = arena_alloc_array(layer->arena, most, sizeof(ClairBytes));
	found.answers = arena_alloc_array(layer->arena, most, sizeof(ClairBytes));
	if (found.entries == NULL || found.keys == NULL || found.answers == NULL)
		return out_of_memory(error);
	status = collect(layer, sent, &found, error);
	if (status == CLAIR_OK && found.count > 0)
		status = sink->known(sink->context, found.keys, found.count, found.answers, error);
	for (uint32_t i = 0; i < found.count && status == CLAIR_OK; i++)
	{
		if (found.answers[i].data == NULL)
			status = send_file(layer, found.entries[i], found.keys[i], sink, error);
	}
	return status;
}
