/*
 * csaf.c
 *    What a vendor says of its products; see csaf.h.
 *
 * Members come in any order, and products are referred to before they are defined: a reference
 * makes the product, its definition fills it. Of an id that is defined twice the first definition
 * counts. Of an object with a list of products, the list is read once the other members are known.
 */
#include "feed/csaf.h"

#include "common/text_map.h"

#define MEMORY_PROBLEM "there is not enough memory for its products"

typedef struct Reading
{
	JsonCursor *cursor;
	CsafDocument *document;
	TextMap products;
	CsafVulnerability *vulnerability; /* that is being read */
	size_t statement_capacity;
	size_t vulnerability_capacity;
} Reading;

/* What a list of products is about. */
typedef enum Mention
{
	MENTION_STATUS, /* its list of "product_status" is given as CSAF_ bits */
	MENTION_IMPACT,
	MENTION_VENDOR_FIX,
	MENTION_NONE_AVAILABLE,
	MENTION_NO_FIX_PLANNED,
	MENTION_JUSTIFICATION,
	MENTION_OTHER
} Mention;

static bool
is(ClairBytes name, const char *literal)
{
	return clair_bytes_equal(name, clair_bytes(literal));
}

static bool
out_of_memory(Reading *reading)
{
	return json_refuse(reading->cursor, CLAIR_MEMORY, MEMORY_PROBLEM);
}

/* The product of an id; NULL when memory is short. */
static CsafProduct *
find_product(Reading *reading, ClairBytes id)
{
	void **place = text_map_at(&reading->products, id);

	if (place != NULL && *place == NULL)
	{
		CsafProduct *product = arena_alloc(reading->cursor->arena, sizeof(CsafProduct));

		if (product != NULL)
			product->id = id;
		*place = product;
	}
	if (place != NULL && *place != NULL)
		return *place;
	out_of_memory(reading);
	return NULL;
}

static bool
is_defined(const CsafProduct *product)
{
	return product->cpe.data != NULL || product->purl.data != NULL || product->platform != NULL;
}

/* A member that is a text, or null. */
typedef struct TextMember
{
	const char *name;
	ClairBytes *text;
} TextMember;

/* Takes an object of which only texts matter. */
static bool
take_texts(JsonCursor *cursor, const TextMember *members, size_t count)
{
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		size_t i = 0;

		while (i < count && !is(name, members[i].name))
			i++;
		if (i < count)
			json_text_or_null(cursor, members[i].text);
		else
			json_skip(cursor);
	}
	return cursor->status == CLAIR_OK;
}

/* Takes a product; *id is its id. */
static bool
take_product(Reading *reading, ClairBytes *id)
{
	JsonCursor *cursor = reading->cursor;
	CsafProduct described = {0};
	const TextMember helper[] = {{"cpe", &described.cpe}, {"purl", &described.purl}};
	CsafProduct *product;
	ClairBytes name;

	*id = CLAIR_NULL_BYTES;
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "product_id"))
			json_text(cursor, id);
		else if (is(name, "product_identification_helper"))
			take_texts(cursor, helper, 2);
		else
			json_skip(cursor);
	}
	if (cursor->status != CLAIR_OK)
		return false;
	if (id->data == NULL)
		return json_refuse(cursor, CLAIR_INVALID, "a product has no id");
	product = find_product(reading, *id);
	if (product != NULL && !is_defined(product))
	{
		product->cpe = described.cpe;
		product->purl = described.purl;
	}
	return product != NULL;
}

/* Takes the array of branches; they nest, as deep as JSON may. */
static bool
take_branches(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	ClairBytes name;
	ClairBytes id;

	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		json_enter(cursor, JSON_OBJECT);
		while (json_next_member(cursor, &name))
		{
			if (is(name, "branches"))
				take_branches(reading);
			else if (is(name, "product"))
				take_product(reading, &id);
			else
				json_skip(cursor);
		}
	}
	return cursor->status == CLAIR_OK;
}

/* Takes a relationship of two products, which is a third one. */
static bool
take_relationship(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	ClairBytes component = CLAIR_NULL_BYTES;
	ClairBytes platform = CLAIR_NULL_BYTES;
	ClairBytes id = CLAIR_NULL_BYTES;
	ClairBytes name;
	CsafProduct *product;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "full_product_name"))
			take_product(reading, &id);
		else if (is(name, "product_reference"))
			json_text(cursor, &component);
		else if (is(name, "relates_to_product_reference"))
			json_text(cursor, &platform);
		else
			json_skip(cursor);
	}
	if (cursor->status != CLAIR_OK)
		return false;
	if (id.data == NULL || component.data == NULL || platform.data == NULL)
		return json_refuse(cursor, CLAIR_INVALID, "a relationship does not say of which products");
	product = find_product(reading, id);
	if (product == NULL || is_defined(product))
		return product != NULL;
	product->component = find_product(reading, component);
	product->platform = find_product(reading, platform);
	return product->component != NULL && product->platform != NULL;
}

static bool
take_product_tree(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	ClairBytes name;
	ClairBytes id;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "branches"))
			take_branches(reading);
		else if (is(name, "full_product_names") && json_enter(cursor, JSON_ARRAY))
			while (json_next_element(cursor))
				take_product(reading, &id);
		else if (is(name, "relationships") && json_enter(cursor, JSON_ARRAY))
			while (json_next_element(cursor))
				take_relationship(reading);
		else
			json_skip(cursor);
	}
	return cursor->status == CLAIR_OK;
}

/* What the vulnerability that is being read says of a product; NULL when memory is short. */
static CsafStatement *
find_statement(Reading *reading, ClairBytes id)
{
	Arena *arena = reading->cursor->arena;
	CsafVulnerability *vulnerability = reading->vulnerability;
	CsafProduct *product = find_product(reading, id);

	if (product == NULL || product->statement != NULL)
		return product != NULL ? product->statement : NULL;
	vulnerability->statements = arena_grow_array(arena, vulnerability->statements,
												 vulnerability->statement_count + 1,
												 &reading->statement_capacity,
												 sizeof(CsafStatement *));
	product->statement = arena_alloc(arena, sizeof(CsafStatement));
	if (vulnerability->statements == NULL || product->statement == NULL)
	{
		out_of_memory(reading);
		return NULL;
	}
	product->statement->product = product;
	vulnerability->statements[vulnerability->statement_count++] = product->statement;
	return product->statement;
}

static void
apply_mention(CsafStatement *statement, Mention mention, unsigned int status, ClairBytes text)
{
	switch (mention)
	{
		case MENTION_STATUS:
			statement->status |= status;
			break;
		case MENTION_IMPACT:
			statement->impact = text;
			break;
		case MENTION_VENDOR_FIX:
			if (statement->vendor_fix.data == NULL ||
				clair_bytes_compare(text, statement->vendor_fix) < 0)
				statement->vendor_fix = text;
			break;
		case MENTION_NONE_AVAILABLE:
			statement->none_available = text;
			break;
		case MENTION_NO_FIX_PLANNED:
			statement->no_fix_planned = text;
			break;
		case MENTION_JUSTIFICATION:
			statement->justification = text;
			break;
		case MENTION_OTHER:
			break;
	}
}

/* Takes a list of products' ids: what is meant by it holds for each of them. */
static bool
take_products(Reading *reading, Mention mention, unsigned int status, ClairBytes text)
{
	JsonCursor *cursor = reading->cursor;
	CsafStatement *statement;
	ClairBytes id;

	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		if (!json_text(cursor, &id))
			break;
		statement = find_statement(reading, id);
		if (statement == NULL)
			break;
		apply_mention(statement, mention, status, text);
	}
	return cursor->status == CLAIR_OK;
}

static bool
take_product_status(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		unsigned int status = 0;

		if (is(name, "fixed"))
			status = CSAF_FIXED;
		else if (is(name, "known_affected"))
			status = CSAF_AFFECTED;
		else if (is(name, "known_not_affected"))
			status = CSAF_NOT_AFFECTED;
		else if (is(name, "under_investigation"))
			status = CSAF_UNDER_INVESTIGATION;
		else if (is(name, "first_fixed"))
			status = CSAF_FIRST_FIXED;
		else if (is(name, "recommended"))
			status = CSAF_RECOMMENDED;
		if (status != 0)
			take_products(reading, MENTION_STATUS, status, CLAIR_NULL_BYTES);
		else
			json_skip(cursor);
	}
	return cursor->status == CLAIR_OK;
}

static Mention
mention_of(ClairBytes category)
{
	if (is(category, "impact"))
		return MENTION_IMPACT;
	if (is(category, "vendor_fix"))
		return MENTION_VENDOR_FIX;
	if (is(category, "none_available"))
		return MENTION_NONE_AVAILABLE;
	return is(category, "no_fix_planned") ? MENTION_NO_FIX_PLANNED : MENTION_OTHER;
}

/* Takes a threat, a remediation or a flag, which is the label of a justification. */
static bool
take_measure(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	JsonCursor products = {0};
	JsonCursor after;
	ClairBytes category = CLAIR_NULL_BYTES;
	ClairBytes details = CLAIR_NULL_BYTES;
	ClairBytes url = CLAIR_NULL_BYTES;
	ClairBytes label = CLAIR_NULL_BYTES;
	ClairBytes name;
	Mention mention;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "product_ids"))
			products = *cursor;
		if (is(name, "category"))
			json_text(cursor, &category);
		else if (is(name, "details"))
			json_text_or_null(cursor, &details);
		else if (is(name, "url"))
			json_text_or_null(cursor, &url);
		else if (is(name, "label"))
			json_text_or_null(cursor, &label);
		else
			json_skip(cursor);
	}
	mention = label.data != NULL ? MENTION_JUSTIFICATION : mention_of(category);
	if (cursor->status != CLAIR_OK || products.text.data == NULL || mention == MENTION_OTHER)
		return cursor->status == CLAIR_OK;
	if (mention == MENTION_VENDOR_FIX)
		details = url;
	if (mention == MENTION_JUSTIFICATION)
		details = label;
	if (details.data == NULL)
		return true;
	after = *cursor;
	*cursor = products;
	if (take_products(reading, mention, 0, details))
		*cursor = after;
	return cursor->status == CLAIR_OK;
}

/* Takes a note; the one that describes the vulnerability counts. */
static bool
take_note(Reading *reading)
{
	CsafVulnerability *vulnerability = reading->vulnerability;
	ClairBytes category = CLAIR_NULL_BYTES;
	ClairBytes text = CLAIR_NULL_BYTES;
	const TextMember members[] = {{"category", &category}, {"text", &text}};
	bool taken = take_texts(reading->cursor, members, 2);

	if (is(category, "description") && vulnerability->description.data == NULL)
		vulnerability->description = text;
	return taken;
}

/* Takes an array, each element by a function. */
static bool
take_array(Reading *reading, bool (*take)(Reading *reading))
{
	json_enter(reading->cursor, JSON_ARRAY);
	while (json_next_element(reading->cursor))
		take(reading);
	return reading->cursor->status == CLAIR_OK;
}

/* Forgets what was said of products, before the next vulnerability. */
static void
forget_statements(const CsafVulnerability *vulnerability)
{
	for (size_t i = 0; i < vulnerability->statement_count; i++)
		vulnerability->statements[i]->product->statement = NULL;
}

static bool
take_vulnerability(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	CsafDocument *document = reading->document;
	CsafVulnerability *vulnerability;
	ClairBytes name;

	document->vulnerabilities = arena_grow_array(cursor->arena, document->vulnerabilities,
												 document->vulnerability_count + 1,
												 &reading->vulnerability_capacity,
												 sizeof(CsafVulnerability));
	if (document->vulnerabilities == NULL)
		return out_of_memory(reading);
	vulnerability = &document->vulnerabilities[document->vulnerability_count++];
	*vulnerability = (CsafVulnerability){0};
	reading->vulnerability = vulnerability;
	reading->statement_capacity = 0;
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "cve"))
			json_text_or_null(cursor, &vulnerability->cve);
		else if (is(name, "notes"))
			take_array(reading, take_note);
		else if (is(name, "product_status"))
			take_product_status(reading);
		else if (is(name, "threats") || is(name, "remediations") || is(name, "flags"))
			take_array(reading, take_measure);
		else
			json_skip(cursor);
	}
	forget_statements(vulnerability);
	return cursor->status == CLAIR_OK;
}

static bool
take_document(Reading *reading)
{
	JsonCursor *cursor = reading->cursor;
	CsafDocument *document = reading->document;
	const TextMember tracking[] = {{"id", &document->id},
								   {"status", &document->status},
								   {"version", &document->version},
								   {"current_release_date", &document->released}};
	const TextMember publisher[] = {{"name", &document->publisher},
									{"namespace", &document->publisher_namespace}};
	const TextMember severity[] = {{"text", &document->severity}};
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "tracking"))
			take_texts(cursor, tracking, 4);
		else if (is(name, "publisher"))
			take_texts(cursor, publisher, 2);
		else if (is(name, "aggregate_severity"))
			take_texts(cursor, severity, 1);
		else
			json_skip(cursor);
	}
	return cursor->status == CLAIR_OK;
}

bool
csaf_read(JsonCursor *cursor, CsafDocument *document)
{
	Reading reading = {.cursor = cursor, .document = document};
	ClairBytes name;

	*document = (CsafDocument){0};
	reading.products.arena = cursor->arena;
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "document"))
			take_document(&reading);
		else if (is(name, "product_tree"))
			take_product_tree(&reading);
		else if (is(name, "vulnerabilities"))
			take_array(&reading, take_vulnerability);
		else
			json_skip(cursor);
	}
	if (!json_end(cursor))
		return false;
	if (document->id.data == NULL)
		return json_refuse(cursor, CLAIR_INVALID, "it is not a CSAF document: it has no id");
	return true;
}
