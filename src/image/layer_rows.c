/*
 * layer_rows.c
 *    Sends what a layer says as rows of layer_entry, layer_fact, feature and layer_problem.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/text.h"
#include "image/layer.h"

/* A decimal number as a field. */
typedef struct NumberField
{
	char text[24];
} NumberField;

static ClairBytes
number_field(NumberField *field, int64_t number)
{
	int size = snprintf(field->text, sizeof(field->text), "%" PRId64, number);

	return (ClairBytes){field->text, (size_t) size};
}

static int
compare_entries(const void *a, const void *b)
{
	const LayerEntry *left = *(LayerEntry *const *) a;
	const LayerEntry *right = *(LayerEntry *const *) b;

	return (left->number > right->number) - (left->number < right->number);
}

static ClairBytes
type_name(LayerEntryType type)
{
	static const char *const names[] = {
		[LAYER_FILE] = "file",	   [LAYER_DIRECTORY] = "directory", [LAYER_SYMLINK] = "symlink",
		[LAYER_HARDLINK] = "file", [LAYER_OTHER] = "other",			[LAYER_WHITEOUT] = "whiteout",
		[LAYER_OPAQUE] = "opaque",
	};

	return clair_bytes(names[type]);
}

static ClairStatus
send_entry(Layer *layer, ClairBytes diff_id, int64_t number, const LayerEntry *entry,
		   ClairBytes path, const ClairSink *sink, ClairError *error)
{
	NumberField number_text;
	NumberField version_text;
	ClairBytes target = entry->type == LAYER_SYMLINK ? entry->target : entry->because;
	ClairBytes shown_target = text_escape(layer->arena, target);
	ClairBytes fields[] = {
		diff_id,
		number_field(&number_text, number),
		entry->wanted != NULL ? number_field(&version_text, reader_version(entry->wanted->role))
							  : CLAIR_NULL_BYTES,
		path,
		type_name(entry->type),
		shown_target,
		entry->wanted != NULL ? clair_bytes(entry->wanted->role) : CLAIR_NULL_BYTES,
		entry->content[0] != '\0' ? clair_bytes(entry->content) : CLAIR_NULL_BYTES,
	};

	if (target.data != NULL && shown_target.data == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	return sink->row(sink->context, WIRE_LAYER_ENTRY, fields, sizeof(fields) / sizeof(fields[0]),
					 error);
}

static ClairStatus
send_features(const LayerEntry *entry, const ClairSink *sink, ClairError *error)
{
	int64_t number = 0;
	ClairStatus status = CLAIR_OK;

	for (const Feature *feature = entry->findings->features; feature != NULL && status == CLAIR_OK;
		 feature = feature->next)
	{
		NumberField number_text;
		ClairBytes fields[] = {
			clair_bytes(entry->content),
			number_field(&number_text, ++number),
			feature->name,
			feature->version,
			feature->source_name,
			feature->source_version,
			feature->architecture,
			feature->problem,
			feature->module,
			feature->vendor,
			feature->license,
		};

		status = sink->row(sink->context, WIRE_FEATURE, fields, sizeof(fields) / sizeof(fields[0]),
						   error);
	}
	return status;
}

static ClairStatus
send_findings(const LayerEntry *entry, ClairBytes diff_id, ClairBytes path, int64_t *problems,
			  const ClairSink *sink, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (const Fact *fact = entry->findings->facts; fact != NULL && status == CLAIR_OK;
		 fact = fact->next)
	{
		ClairBytes fields[] = {diff_id, path, fact->key, fact->value};

		status = sink->row(sink->context, WIRE_LAYER_FACT, fields,
						   sizeof(fields) / sizeof(fields[0]), error);
	}
	for (const Problem *problem = entry->findings->problems; problem != NULL && status == CLAIR_OK;
		 problem = problem->next)
	{
		NumberField number_text;
		ClairBytes fields[] = {diff_id, number_field(&number_text, ++*problems), path,
							   problem->reason, clair_bytes(problem->unsupported ? "1" : "0")};

		status = sink->row(sink->context, WIRE_LAYER_PROBLEM, fields,
						   sizeof(fields) / sizeof(fields[0]), error);
	}
	return status;
}

/* Adds a package database's digest to the known ones; says whether it was there. */
static ClairStatus
is_known_content(TextMap *known, const char *content, bool *is_known, ClairError *error)
{
	ClairBytes key = clair_bytes(content);
	void **place;

	*is_known = text_map_find(known, key) != NULL;
	if (*is_known)
		return CLAIR_OK;
	key = arena_copy(known->arena, key);
	place = key.data != NULL ? text_map_at(known, key) : NULL;
	if (place == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	*place = known;
	return CLAIR_OK;
}

ClairStatus
layer_send(Layer *layer, const char *diff_id, TextMap *known, const ClairSink *sink,
		   ClairError *error)
{
	int64_t problems = 0;
	ClairStatus status = CLAIR_OK;

	if (layer->entry_count > 0)
		qsort(layer->entries, layer->entry_count, sizeof(LayerEntry *), compare_entries);
	for (size_t i = 0; i < layer->entry_count && status == CLAIR_OK; i++)
	{
		const LayerEntry *entry = layer->entries[i];
		ClairBytes path = text_escape(layer->arena, entry->path);
		bool is_known = true;

		if (path.data == NULL)
			return clair_error(error, CLAIR_MEMORY, "out of memory");
		status = send_entry(layer, clair_bytes(diff_id), (int64_t) i + 1, entry, path, sink, error);
		if (status != CLAIR_OK || entry->findings == NULL)
			continue;
		status = send_findings(entry, clair_bytes(diff_id), path, &problems, sink, error);
		if (status == CLAIR_OK && entry->content[0] != '\0')
			status = is_known_content(known, entry->content, &is_known, error);
		if (status == CLAIR_OK && !is_known)
			status = send_features(entry, sink, error);
	}
	return status;
}
