/*
 * openvex.c
 *    OpenVEX documents; see openvex.h.
 *
 * In the form before version 0.2, vulnerabilities and products are just texts.
 */
#include "feed/openvex.h"

#define MEMORY_PROBLEM "there is not enough memory for the document"

bool
openvex_open(OpenvexReader *reader, ClairBytes text, Arena *arena)
{
	JsonCursor cursor = json_cursor(text, arena);
	JsonCursor statements = {0};
	ClairBytes name;

	json_enter(&cursor, JSON_OBJECT);
	while (json_next_member(&cursor, &name))
	{
		if (clair_bytes_equal(name, CLAIR_LITERAL("statements")))
			statements = cursor;
		json_skip(&cursor);
	}
	if (json_end(&cursor) && statements.text.data == NULL)
		json_refuse(&cursor, CLAIR_INVALID, "it has no statements");
	*reader = (OpenvexReader){cursor.status == CLAIR_OK ? statements : cursor, false};
	return cursor.status == CLAIR_OK;
}

/*
 * Takes what something is called by: a text, or a member of an object. The object may describe it,
 * too; the description is left alone when there is none.
 */
static void
take_name(JsonCursor *cursor, ClairBytes member, ClairBytes *text, ClairBytes *description)
{
	ClairBytes name;

	*text = CLAIR_NULL_BYTES;
	if (json_type(cursor) == JSON_STRING)
	{
		json_text(cursor, text);
		return;
	}
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (clair_bytes_equal(name, member))
			json_text_or_null(cursor, text);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("description")))
			json_text_or_null(cursor, description);
		else
			json_skip(cursor);
	}
}

static void
take_products(JsonCursor *cursor, OpenvexStatement *statement)
{
	ClairBytes description;
	ClairBytes product;

	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		take_name(cursor, CLAIR_LITERAL("@id"), &product, &description);
		statement->products = arena_grow_array(cursor->arena, statement->products,
											   statement->product_count + 1,
											   &statement->product_capacity, sizeof(ClairBytes));
		if (statement->products == NULL)
			json_refuse(cursor, CLAIR_MEMORY, MEMORY_PROBLEM);
		else if (product.size > 0)
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
		if (clair_bytes_equal(name, CLAIR_LITERAL("vulnerability")))
			take_name(cursor, CLAIR_LITERAL("name"), &statement->vulnerability,
					  &statement->description);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("status")))
			json_text(cursor, &statement->status);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("justification")))
			json_text_or_null(cursor, &statement->justification);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("impact_statement")))
			json_text_or_null(cursor, &statement->impact_statement);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("action_statement")))
			json_text_or_null(cursor, &statement->action_statement);
		else if (clair_bytes_equal(name, CLAIR_LITERAL("products")))
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
