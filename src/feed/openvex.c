/*
 * openvex.c
 *    OpenVEX documents; see openvex.h.
 *
 * In the form before version 0.2, vulnerabilities and products are just texts.
 */
#include "feed/openvex.h"

#define MEMORY_PROBLEM "there is not enough memory for the document"

static bool
is(ClairBytes name, const char *literal)
{
	return clair_bytes_equal(name, clair_bytes(literal));
}

/* Takes a version: a number, or the text of one. */
static void
take_version(JsonCursor *cursor, ClairBytes *version)
{
	if (json_type(cursor) == JSON_NUMBER)
		json_number(cursor, version);
	else
		json_text_or_null(cursor, version);
}

/* Takes a member of the document, or of what some put around those that describe it. */
static void
take_about(JsonCursor *cursor, ClairBytes name, OpenvexDocument *document)
{
	if (is(name, "@id"))
		json_text_or_null(cursor, &document->id);
	else if (is(name, "version"))
		take_version(cursor, &document->version);
	else if (is(name, "author"))
		json_text_or_null(cursor, &document->author);
	else if (is(name, "timestamp"))
		json_text_or_null(cursor, &document->timestamp);
	else if (is(name, "last_updated"))
		json_text_or_null(cursor, &document->last_updated);
	else
		json_skip(cursor);
}

static void
take_metadata(JsonCursor *cursor, OpenvexDocument *document)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
		take_about(cursor, name, document);
}

bool
openvex_open(OpenvexReader *reader, ClairBytes text, Arena *arena)
{
	JsonCursor cursor = json_cursor(text, arena);
	JsonCursor statements = {0};
	ClairBytes name;

	*reader = (OpenvexReader){0};
	json_enter(&cursor, JSON_OBJECT);
	while (json_next_member(&cursor, &name))
	{
		if (is(name, "statements"))
			statements = cursor;
		if (is(name, "metadata") && json_type(&cursor) == JSON_OBJECT)
			take_metadata(&cursor, &reader->document);
		else
			take_about(&cursor, name, &reader->document);
	}
	if (json_end(&cursor) && statements.text.data == NULL)
		json_refuse(&cursor, CLAIR_INVALID, "it has no statements");
	reader->cursor = cursor.status == CLAIR_OK ? statements : cursor;
	return cursor.status == CLAIR_OK;
}

static void
add_name(JsonCursor *cursor, OpenvexNames *names, ClairBytes name)
{
	if (name.size == 0)
		return;
	names->names = arena_grow_array(cursor->arena, names->names, names->count + 1, &names->capacity,
									sizeof(ClairBytes));
	if (names->names == NULL)
		json_refuse(cursor, CLAIR_MEMORY, MEMORY_PROBLEM);
	else
		names->names[names->count++] = name;
}

static void
take_vulnerability(JsonCursor *cursor, OpenvexStatement *statement)
{
	ClairBytes alias;
	ClairBytes name;

	if (json_type(cursor) == JSON_STRING)
	{
		json_text(cursor, &statement->vulnerability);
		return;
	}
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "name"))
			json_text_or_null(cursor, &statement->vulnerability);
		else if (is(name, "description"))
			json_text_or_null(cursor, &statement->description);
		else if (is(name, "aliases") && json_type(cursor) == JSON_ARRAY)
		{
			json_enter(cursor, JSON_ARRAY);
			while (json_next_element(cursor))
				if (json_text(cursor, &alias))
					add_name(cursor, &statement->aliases, alias);
		}
		else
			json_skip(cursor);
	}
}

/* Takes the package URL among a product's identifiers. */
static void
take_identifiers(JsonCursor *cursor, ClairBytes *purl)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "purl"))
			json_text_or_null(cursor, purl);
		else
			json_skip(cursor);
	}
}

static void take_parts(JsonCursor *cursor, OpenvexNames *parts);

/* Takes a product, or a part of one, which has no parts of its own: parts is NULL then. */
static ClairBytes
take_product(JsonCursor *cursor, OpenvexNames *parts)
{
	ClairBytes called = CLAIR_NULL_BYTES;
	ClairBytes purl = CLAIR_NULL_BYTES;
	ClairBytes name;

	if (json_type(cursor) == JSON_STRING)
	{
		json_text(cursor, &called);
		return called;
	}
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "@id"))
			json_text_or_null(cursor, &called);
		else if (is(name, "identifiers") && json_type(cursor) == JSON_OBJECT)
			take_identifiers(cursor, &purl);
		else if (is(name, "subcomponents") && json_type(cursor) == JSON_ARRAY && parts != NULL)
			take_parts(cursor, parts);
		else
			json_skip(cursor);
	}
	return purl.size > 0 ? purl : called;
}

static void
take_parts(JsonCursor *cursor, OpenvexNames *parts)
{
	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
		add_name(cursor, parts, take_product(cursor, NULL));
}

static void
take_products(JsonCursor *cursor, OpenvexStatement *statement)
{
	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		OpenvexProduct product = {0};

		product.name = take_product(cursor, &product.parts);
		statement->products = arena_grow_array(cursor->arena, statement->products,
											   statement->product_count + 1,
											   &statement->product_capacity,
											   sizeof(OpenvexProduct));
		if (statement->products == NULL)
			json_refuse(cursor, CLAIR_MEMORY, MEMORY_PROBLEM);
		else if (product.name.size > 0)
			statement->products[statement->product_count++] = product;
	}
}

static void
take_statement(JsonCursor *cursor, OpenvexStatement *statement)
{
	ClairBytes name;

	*statement = (OpenvexStatement){0};
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "vulnerability"))
			take_vulnerability(cursor, statement);
		else if (is(name, "status"))
			json_text(cursor, &statement->status);
		else if (is(name, "status_notes"))
			json_text_or_null(cursor, &statement->status_notes);
		else if (is(name, "justification"))
			json_text_or_null(cursor, &statement->justification);
		else if (is(name, "impact_statement"))
			json_text_or_null(cursor, &statement->impact_statement);
		else if (is(name, "action_statement"))
			json_text_or_null(cursor, &statement->action_statement);
		else if (is(name, "products"))
			take_products(cursor, statement);
		else
			json_skip(cursor);
	}
}

bool
openvex_next(OpenvexReader *reader, OpenvexStatement *statement, const char **problem)
{
	JsonCursor taken;

	*problem = NULL;
	if (!reader->is_entered && !json_enter(&reader->cursor, JSON_ARRAY))
		return false;
	reader->is_entered = true;
	if (!json_next_element(&reader->cursor))
		return false;
	taken = reader->cursor;
	take_statement(&taken, statement);
	json_skip(&reader->cursor);
	if (taken.status == CLAIR_INVALID)
		*problem = taken.problem;
	else if (taken.status != CLAIR_OK)
		return json_refuse(&reader->cursor, taken.status, taken.problem);
	return true;
}
