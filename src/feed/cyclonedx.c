/*
 * cyclonedx.c
 *    Components and vulnerabilities; see cyclonedx.h.
 *
 * Components may have components of their own, as deep as JSON may nest. Of a reference that is
 * given twice the first one counts.
 */
#include "feed/cyclonedx.h"

#define MEMORY_PROBLEM "there is not enough memory for its components"

typedef struct Reading
{
	JsonCursor *cursor;
	CyclonedxDocument *document;
	CyclonedxComponent **next_component; /* where the next one is hung up */
	CyclonedxVulnerability **next_vulnerability;
	CyclonedxAffected **next_affected;
} Reading;

static bool
is(ClairBytes name, const char *literal)
{
	return clair_bytes_equal(name, clair_bytes(literal));
}

/* Zeroed memory; NULL, and the cursor is stopped, when there is none. */
static void *
allocate(Reading *reading, size_t size)
{
	void *memory = arena_alloc(reading->cursor->arena, size);

	if (memory == NULL)
		json_refuse(reading->cursor, CLAIR_MEMORY, MEMORY_PROBLEM);
	return memory;
}

/* Takes an array, each element by a function. */
static void
take_array(Reading *reading, void (*take)(Reading *reading))
{
	json_enter(reading->cursor, JSON_ARRAY);
	while (json_next_element(reading->cursor))
		take(reading);
}

/* Makes a component known by its reference. */
static void
remember(Reading *reading, CyclonedxComponent *component)
{
	void **place;

	if (component->reference.data == NULL)
		return;
	place = text_map_at(&reading->document->references, component->reference);
	if (place == NULL)
		json_refuse(reading->cursor, CLAIR_MEMORY, MEMORY_PROBLEM);
	else if (*place == NULL)
		*place = component;
}

static void take_components(Reading *reading);

/* Takes a component, with those within it; NULL when the cursor is stopped. */
static CyclonedxComponent *
take_component(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	CyclonedxComponent *component = allocate(reading, sizeof(CyclonedxComponent));
	ClairBytes name;

	if (component == NULL)
		return NULL;
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "bom-ref"))
			json_text_or_null(cursor, &component->reference);
		else if (is(name, "type"))
			json_text_or_null(cursor, &component->type);
		else if (is(name, "name"))
			json_text_or_null(cursor, &component->name);
		else if (is(name, "version"))
			json_text_or_null(cursor, &component->version);
		else if (is(name, "purl"))
			json_text_or_null(cursor, &component->purl);
		else if (is(name, "components"))
			take_components(reading);
		else
			json_skip(cursor);
	}
	remember(reading, component);
	return cursor->status == CLAIR_OK ? component : NULL;
}

static void
take_listed_component(Reading *reading)
{
	CyclonedxComponent *component = take_component(reading);

	if (component == NULL)
		return;
	*reading->next_component = component;
	reading->next_component = &component->next;
}

static void
take_components(Reading *reading)
{
	take_array(reading, take_listed_component);
}

/* Takes an organization or a person: its name, unless another one is known. */
static void
take_author(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	ClairBytes author = CLAIR_NULL_BYTES;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "name"))
			json_text_or_null(cursor, &author);
		else
			json_skip(cursor);
	}
	if (reading->document->author.data == NULL)
		reading->document->author = author;
}

static void
take_metadata(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "timestamp"))
			json_text_or_null(cursor, &reading->document->timestamp);
		else if (is(name, "component"))
			reading->document->subject = take_component(reading);
		else if (is(name, "authors"))
			take_array(reading, take_author);
		else if (is(name, "supplier") || is(name, "manufacturer"))
			take_author(reading);
		else
			json_skip(cursor);
	}
}

static void
take_analysis(Reading *reading, CyclonedxVulnerability *vulnerability)
{
	JsonCursor *cursor = reading->cursor;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "state"))
			json_text_or_null(cursor, &vulnerability->state);
		else if (is(name, "justification"))
			json_text_or_null(cursor, &vulnerability->justification);
		else if (is(name, "detail"))
			json_text_or_null(cursor, &vulnerability->detail);
		else
			json_skip(cursor);
	}
}

static void
take_affected(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	CyclonedxAffected *affected = allocate(reading, sizeof(CyclonedxAffected));
	ClairBytes name;

	if (affected == NULL)
		return;
	*reading->next_affected = affected;
	reading->next_affected = &affected->next;
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "ref"))
			json_text_or_null(cursor, &affected->reference);
		else if (is(name, "versions") && json_enter(cursor, JSON_ARRAY))
			while (json_next_element(cursor))
				affected->has_versions = json_skip(cursor);
		else
			json_skip(cursor);
	}
}

static void
take_vulnerability(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	CyclonedxVulnerability *vulnerability = allocate(reading, sizeof(CyclonedxVulnerability));
	ClairBytes name;

	if (vulnerability == NULL)
		return;
	*reading->next_vulnerability = vulnerability;
	reading->next_vulnerability = &vulnerability->next;
	reading->next_affected = &vulnerability->affected;
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "id"))
			json_text_or_null(cursor, &vulnerability->id);
		else if (is(name, "analysis"))
			take_analysis(reading, vulnerability);
		else if (is(name, "affects"))
			take_array(reading, take_affected);
		else
			json_skip(cursor);
	}
}

bool
cyclonedx_read(JsonCursor *cursor, CyclonedxDocument *document)
{
	Reading reading = {.cursor = cursor,
					   .document = document,
					   .next_component = &document->components,
					   .next_vulnerability = &document->vulnerabilities};
	ClairBytes format = CLAIR_NULL_BYTES;
	ClairBytes name;

	*document = (CyclonedxDocument){0};
	document->references.arena = cursor->arena;
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "bomFormat"))
			json_text(cursor, &format);
		else if (is(name, "serialNumber"))
			json_text_or_null(cursor, &document->serial_number);
		else if (is(name, "version"))
			json_number(cursor, &document->version);
		else if (is(name, "metadata"))
			take_metadata(&reading);
		else if (is(name, "components"))
			take_components(&reading);
		else if (is(name, "vulnerabilities"))
			take_array(&reading, take_vulnerability);
		else
			json_skip(cursor);
	}
	if (json_end(cursor) && !is(format, "CycloneDX"))
		json_refuse(cursor, CLAIR_INVALID, "it is not a CycloneDX document");
	return cursor->status == CLAIR_OK;
}
