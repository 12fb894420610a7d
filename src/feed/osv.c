/*
 * osv.c
 *    Records of the Open Source Vulnerability format; see osv.h.
 */
#include "feed/osv.h"

#define MEMORY_PROBLEM "there is not enough memory for the record"

/* The events of one range. */
typedef struct Events
{
	OsvRange open; /* what is being built */
	bool is_open;
	bool is_ended;
} Events;

/* Makes room for one more element; the cursor is stopped when there is none. */
static void *
grow(JsonCursor *cursor, void *array, size_t count, size_t *capacity, size_t size)
{
	void *grown = arena_grow_array(cursor->arena, array, count + 1, capacity, size);

	if (grown == NULL)
		json_refuse(cursor, CLAIR_MEMORY, MEMORY_PROBLEM);
	return grown;
}

/* Enters an array, for which null may stand: then false. */
static bool
enter_array(JsonCursor *cursor)
{
	if (json_type(cursor) != JSON_NULL)
		return json_enter(cursor, JSON_ARRAY);
	json_skip(cursor);
	return false;
}

/* Takes a value as it is written. */
static void
take_json(JsonCursor *cursor, ClairBytes *json)
{
	size_t start;

	(void) json_type(cursor); /* passes over what is between */
	start = cursor->position;
	if (json_skip(cursor))
		*json = (ClairBytes){cursor->text.data + start, cursor->position - start};
}

static void
take_names(JsonCursor *cursor, OsvNames *names)
{
	if (!enter_array(cursor))
		return;
	while (json_next_element(cursor))
	{
		names->names = grow(cursor, names->names, names->count, &names->capacity,
							sizeof(ClairBytes));
		if (names->names != NULL && json_text(cursor, &names->names[names->count]))
			names->count++;
	}
}

static void
take_severity(JsonCursor *cursor, OsvSeverity *severity)
{
	ClairBytes name;

	*severity = (OsvSeverity){0};
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("type")))
			json_text_or_null(cursor, &severity->type);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("score")))
			json_text_or_null(cursor, &severity->score);
		else
			json_skip(cursor);
	}
}

static void
take_severities(JsonCursor *cursor, OsvSeverities *severities)
{
	if (!enter_array(cursor))
		return;
	while (json_next_element(cursor))
	{
		severities->severities = grow(cursor, severities->severities, severities->count,
									  &severities->capacity, sizeof(OsvSeverity));
		if (severities->severities != NULL)
			take_severity(cursor, &severities->severities[severities->count++]);
	}
}

static void
take_package(JsonCursor *cursor, OsvAffected *affected)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("ecosystem")))
			json_text_or_null(cursor, &affected->ecosystem);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("name")))
			json_text_or_null(cursor, &affected->name);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("purl")))
			json_text_or_null(cursor, &affected->purl);
		else
			json_skip(cursor);
	}
}

static void
add_range(JsonCursor *cursor, OsvAffected *affected, Events *events)
{
	affected->ranges = grow(cursor, affected->ranges, affected->range_count,
							&affected->range_capacity, sizeof(OsvRange));
	if (affected->ranges != NULL)
		affected->ranges[affected->range_count++] = events->open;
	*events = (Events){0};
}

/*
 * Takes an event. They stand in the order of their versions, or are just one beginning and one
 * end; "0" is before all versions.
 */
static void
add_event(JsonCursor *cursor, OsvAffected *affected, Events *events, ClairBytes name,
		  ClairBytes version)
{
	bool is_introduced = clair_bytes_equal(name, CLAIR_LITERAL("introduced"));
	bool is_fixed = clair_bytes_equal(name, CLAIR_LITERAL("fixed"));

	if (!is_introduced && !is_fixed && !clair_bytes_equal(name, CLAIR_LITERAL("last_affected")))
		return; /* how far somebody looked: "limit" */
	if (is_introduced ? events->is_open : events->is_ended)
		json_refuse(cursor, CLAIR_INVALID, "a range of it begins or ends twice");
	if (is_introduced)
	{
		events->is_open = true;
		if (!clair_bytes_equal(version, CLAIR_LITERAL("0")))
			events->open.introduced = version;
	}
	else
	{
		events->is_ended = true;
		if (is_fixed)
			events->open.fixed = version;
		else
			events->open.last_affected = version;
	}
	if (events->is_open && events->is_ended)
		add_range(cursor, affected, events);
}

/* Takes the events of a range. */
static void
take_events(JsonCursor *cursor, OsvAffected *affected)
{
	Events events = {0};
	ClairBytes name;
	ClairBytes version;

	if (!enter_array(cursor))
		return;
	while (json_next_element(cursor))
	{
		json_enter(cursor, JSON_OBJECT);
		while (json_next_member(cursor, &name))
			if (json_text(cursor, &version))
				add_event(cursor, affected, &events, name, version);
	}
	if (events.is_open)
		add_range(cursor, affected, &events);
	else if (events.is_ended)
		json_refuse(cursor, CLAIR_INVALID, "a range of it does not begin");
}

/* Takes a range: its events, once its type is known, which may come behind them. */
static void
take_range(JsonCursor *cursor, OsvAffected *affected)
{
	JsonCursor events = {0};
	ClairBytes type = CLAIR_NULL_BYTES;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("type")))
			json_text_or_null(cursor, &type);
		else
		{
			if (clair_bytes_equal(name, CLAIR_LITERAL("events")))
				events = *cursor;
			json_skip(cursor);
		}
	}
	if (cursor->status != CLAIR_OK || events.text.data == NULL ||
		!clair_bytes_equal(type, CLAIR_LITERAL("ECOSYSTEM")))
		return;
	take_events(&events, affected);
	if (events.status != CLAIR_OK)
		json_refuse(cursor, events.status, events.problem);
}

static void
take_ranges(JsonCursor *cursor, OsvAffected *affected)
{
	if (!enter_array(cursor))
		return;
	while (json_next_element(cursor))
		take_range(cursor, affected);
}

static void
take_package_members(JsonCursor *cursor, OsvAffected *affected)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("package")))
			take_package(cursor, affected);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("ranges")))
			take_ranges(cursor, affected);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("severity")))
			take_severities(cursor, &affected->severities);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("ecosystem_specific")))
			take_json(cursor, &affected->ecosystem_specific);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("database_specific")))
			take_json(cursor, &affected->database_specific);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("versions")))
			take_names(cursor, &affected->versions);
		else
			json_skip(cursor);
	}
}

/* Takes the packages. What is wrong with one does not stop the cursor. */
static void
take_affected(JsonCursor *cursor, OsvRecord *record)
{
	if (!enter_array(cursor))
		return;
	while (json_next_element(cursor))
	{
		OsvAffected *affected;
		JsonCursor package = *cursor;

		json_skip(cursor);
		record->affected = grow(cursor, record->affected, record->affected_count,
								&record->affected_capacity, sizeof(OsvAffected));
		if (cursor->status != CLAIR_OK)
			return;
		affected = &record->affected[record->affected_count++];
		*affected = (OsvAffected){0};
		take_package_members(&package, affected);
		if (package.status == CLAIR_INVALID)
			affected->problem = package.problem;
		else if (package.status != CLAIR_OK)
			json_refuse(cursor, package.status, package.problem);
	}
}

static void
take_references(JsonCursor *cursor, OsvRecord *record)
{
	ClairBytes name;

	if (!enter_array(cursor))
		return;
	while (json_next_element(cursor))
	{
		OsvReference reference = {CLAIR_NULL_BYTES, CLAIR_NULL_BYTES};

		json_enter(cursor, JSON_OBJECT);
		while (json_next_member(cursor, &name))
		{
			if (clair_bytes_equal(name, CLAIR_LITERAL("type")))
				json_text_or_null(cursor, &reference.type);
			else if (clair_bytes_equal(name, CLAIR_LITERAL("url")))
				json_text_or_null(cursor, &reference.url);
			else
				json_skip(cursor);
		}
		record->references = grow(cursor, record->references, record->reference_count,
								  &record->reference_capacity, sizeof(OsvReference));
		if (record->references != NULL)
			record->references[record->reference_count++] = reference;
	}
}

/* Takes a member of a record. */
static void
take_member(JsonCursor *cursor, OsvRecord *record, ClairBytes name)
{
	if (clair_bytes_equal(name, CLAIR_LITERAL("id")))
		json_text(cursor, &record->id);
	else if (clair_bytes_equal(name, CLAIR_LITERAL("summary")))
		json_text_or_null(cursor, &record->summary);
	else if (clair_bytes_equal(name, CLAIR_LITERAL("details")))
		json_text_or_null(cursor, &record->details);
	else if (clair_bytes_equal(name, CLAIR_LITERAL("withdrawn")))
		json_text_or_null(cursor, &record->withdrawn);
	else if (clair_bytes_equal(name, CLAIR_LITERAL("aliases")))
		take_names(cursor, &record->aliases);
	else if (clair_bytes_equal(name, CLAIR_LITERAL("upstream")))
		take_names(cursor, &record->upstream);
	else if (clair_bytes_equal(name, CLAIR_LITERAL("related")))
		take_names(cursor, &record->related);
	else if (clair_bytes_equal(name, CLAIR_LITERAL("severity")))
		take_severities(cursor, &record->severities);
	else if (clair_bytes_equal(name, CLAIR_LITERAL("affected")))
		take_affected(cursor, record);
	else if (clair_bytes_equal(name, CLAIR_LITERAL("references")))
		take_references(cursor, record);
	else if (clair_bytes_equal(name, CLAIR_LITERAL("database_specific")))
		take_json(cursor, &record->database_specific);
	else
		json_skip(cursor);
}

bool
osv_read(JsonCursor *cursor, OsvRecord *record)
{
	ClairBytes name;

	*record = (OsvRecord){0};
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
		take_member(cursor, record, name);
	if (json_end(cursor) && (record->id.size == 0 || record->id.size > CLAIR_MAX_NAME))
		json_refuse(cursor, CLAIR_INVALID, "its id is missing or too long");
	return cursor->status == CLAIR_OK;
}

ClairBytes
osv_severity(const OsvSeverities *severities, const char *type)
{
	for (size_t i = 0; i < severities->count; i++)
		if (clair_bytes_equal(severities->severities[i].type, clair_bytes(type)))
			return severities->severities[i].score;
	return CLAIR_NULL_BYTES;
}
