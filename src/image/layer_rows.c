/*
 * layer_rows.c
 *    Sends what a layer says as rows of layer_entry, layer_fact, feature and layer_problem.
 *
 * Of files for detectors, layer_files.c sends the bytes.
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

/* What a file is, to what reads it. */
typedef struct FileRole
{
	ClairBytes role; /* or no value, and then the others do not matter */
	int64_t version;
	ClairBytes content;
} FileRole;

static ClairStatus
send_entry(Layer *layer, ClairBytes diff_id, int64_t number, const LayerEntry *entry,
		   const FileRole *role, ClairBytes path, const ClairSink *sink, ClairError *error)
{
	NumberField number_text;
	NumberField version_text;
	ClairBytes target = entry->type == LAYER_SYMLINK ? entry->target : entry->because;
	ClairBytes shown_target = text_escape(layer->arena, target);
	ClairBytes fields[] = {
		diff_id,
		number_field(&number_text, number),
		role->role.data != NULL ? number_field(&version_text, role->version) : CLAIR_NULL_BYTES,
		path,
		type_name(entry->type),
		shown_target,
		role->role,
		role->content,
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

/* Says why a detector does not get a file; the server adds what it finds out itself. */
static ClairStatus
send_left_out(Layer *layer, ClairBytes diff_id, const Detector *detector, ClairBytes path,
			  ClairBytes reason, int64_t *problems, const ClairSink *sink, ClairError *error)
{
	ClairBytes name = clair_bytes_skip(detector->role, sizeof(WIRE_DETECTOR_ROLE) - 1);
	ClairBytes said = arena_printf(layer->arena, "detector \"%.*s\": %.*s", (int) name.size,
								   name.data, (int) reason.size, reason.data);
	ClairBytes shown = text_escape(layer->arena, said);
	NumberField number;
	ClairBytes fields[] = {diff_id, number_field(&number, ++*problems), path, shown,
						   CLAIR_LITERAL("0")};

	if (said.data == NULL || shown.data == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	return sink->row(sink->context, WIRE_LAYER_PROBLEM, fields, sizeof(fields) / sizeof(fields[0]),
					 error);
}

/* The rows of a file that detectors want: one entry for each, and why it was left out, if so. */
static ClairStatus
send_detections(Layer *layer, ClairBytes diff_id, int64_t *number, const LayerEntry *entry,
				ClairBytes path, int64_t *problems, const ClairSink *sink, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < layer->detectors->count && status == CLAIR_OK; i++)
	{
		const Detector *detector = &layer->detectors->list[i];
		FileRole role = {.role = detector->role, .version = detector->version};

		if ((entry->detectors & (DetectorSet) 1 << i) == 0)
			continue;
		if (entry->left_out.data == NULL)
		{
			role.content = layer_file_key(layer, detector, entry);
			if (role.content.data == NULL)
				return clair_error(error, CLAIR_MEMORY, "out of memory");
		}
		status = send_entry(layer, diff_id, ++*number, entry, &role, path, sink, error);
		if (status == CLAIR_OK && entry->left_out.data != NULL)
			status = send_left_out(layer, diff_id, detector, path, entry->left_out, problems, sink,
								   error);
	}
	return status;
}

/* Says of all detectors that a layer has too much for them, and from where on. */
static ClairStatus
send_overflow(Layer *layer, ClairBytes diff_id, int64_t *problems, const ClairSink *sink,
			  ClairError *error)
{
	ClairBytes path = text_escape(layer->arena, layer->left_out);
	ClairBytes reason = arena_printf(
		layer->arena, "the layer has more than %d files for detectors, and it was left out",
		WIRE_MAX_DETECTIONS);
	ClairStatus status = CLAIR_OK;

	if (path.data == NULL || reason.data == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	for (size_t i = 0; i < layer->detectors->count && status == CLAIR_OK; i++)
		status = send_left_out(layer, diff_id, &layer->detectors->list[i], path, reason, problems,
							   sink, error);
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

/* The row of an entry, unless it is there for detectors alone. */
static ClairStatus
send_own_entry(Layer *layer, ClairBytes diff_id, int64_t *number, const LayerEntry *entry,
			   ClairBytes path, const ClairSink *sink, ClairError *error)
{
	FileRole role = {.role = CLAIR_NULL_BYTES};

	if (entry->wanted == NULL && entry->detectors != 0)
		return CLAIR_OK;
	if (entry->wanted != NULL)
		role = (FileRole){.role = clair_bytes(entry->wanted->role),
						  .version = reader_version(entry->wanted->role)};
	if (entry->content[0] != '\0')
		role.content = clair_bytes(entry->content);
	return send_entry(layer, diff_id, ++*number, entry, &role, path, sink, error);
}

ClairStatus
layer_send(Layer *layer, const char *diff_id, TextMap *known, const ClairSink *sink,
		   ClairError *error)
{
	int64_t number = 0;
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
		status = send_own_entry(layer, clair_bytes(diff_id), &number, entry, path, sink, error);
		if (status == CLAIR_OK && entry->detectors != 0)
			status = send_detections(layer, clair_bytes(diff_id), &number, entry, path, &problems,
									 sink, error);
		if (status != CLAIR_OK || entry->findings == NULL)
			continue;
		status = send_findings(entry, clair_bytes(diff_id), path, &problems, sink, error);
		if (status == CLAIR_OK && entry->content[0] != '\0')
			status = is_known_content(known, entry->content, &is_known, error);
		if (status == CLAIR_OK && !is_known)
			status = send_features(entry, sink, error);
	}
	if (status == CLAIR_OK && layer->left_out.data != NULL)
		status = send_overflow(layer, clair_bytes(diff_id), &problems, sink, error);
	return status;
}
