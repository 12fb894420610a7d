/*
 * oval_facts.c
 *    Tests, objects, states and variables of an OVAL document; see oval_facts.h.
 *
 * Rows of plain numbers in arrays that are ordered once all is read, and then searched. A row's
 * identifier is its number and that of the name before it, of which a document has few.
 */
#include "feed/oval_facts.h"

#include <stdlib.h>

#include "common/text.h"
#include "common/text_map.h"
#include "feed/xml.h"

#define MAX_NAMES	   15 /* between "oval:" and the type, in one document */
#define NUMBER_BITS	   60
#define FIRST_ROWS	   256
#define PROGRESS_EVERY 4096 /* records */
#define BOUNDS		   3	/* of OvalBound */
#define MEMORY_PROBLEM "there is not enough memory for the document's tests"

#define DEFINITIONS "oval_definitions/definitions/definition@;"

/* What a packages' manifest has behind the name of a package: the form for containers. */
#define MANIFEST_PATTERN CLAIR_LITERAL("(?::\\w+|)\\s+(.*)$")

typedef uint64_t Id; /* 0: none */

/* Every kind of row begins with its Id. */
typedef struct Definition
{
	Id id;
	uint64_t version;
} Definition;

typedef struct Test
{
	Id id;
	Id object;
	Id state;
	uint32_t existence;
	bool of_packages;
	bool is_dpkg;
} Test;

typedef struct Object
{
	Id id;
	Id variable;			/* where the names are; 0: it is name */
	const ClairBytes *name; /* NULL and no variable: not about packages */
} Object;

typedef struct State
{
	Id id;
	const ClairBytes *evr; /* NULL: it is about something else */
	OvalBound bound;
	const ClairBytes *architectures; /* or NULL */
} State;

typedef struct Variable
{
	Id id;
	size_t first; /* of its values */
	size_t count;
} Variable;

/* An array that grows. */
typedef struct Rows
{
	void *rows;
	size_t size; /* of one */
	size_t count;
	size_t capacity;
} Rows;

struct OvalFacts
{
	size_t budget; /* bytes that rows may still take */
	Rows definitions;
	Rows tests;
	Rows objects;
	Rows states;
	Rows variables;
	Rows values;  /* const ClairBytes * */
	Arena *arena; /* of texts */
	TextMap texts;
	const ClairBytes *names[MAX_NAMES];
	size_t name_count;
};

static ClairStatus
memory_error(ClairError *error)
{
	clair_error(error, CLAIR_LIMIT, MEMORY_PROBLEM);
	clair_error_hint(error, "The limit is a part of the setting clair.reader_memory.");
	return CLAIR_LIMIT;
}

/* A new row, zeroed; NULL when there is no memory for it. */
static void *
add_row(OvalFacts *facts, Rows *rows)
{
	if (rows->count == rows->capacity)
	{
		size_t larger = rows->capacity > 0 ? rows->capacity + rows->capacity / 2 : FIRST_ROWS;
		size_t size = (larger - rows->capacity) * rows->size;
		void *grown = size <= facts->budget ? realloc(rows->rows, larger * rows->size) : NULL;

		if (grown == NULL)
			return NULL;
		facts->budget -= size;
		rows->rows = grown;
		rows->capacity = larger;
	}
	return memset((char *) rows->rows + rows->count++ * rows->size, 0, rows->size);
}

/* The one copy of a text; NULL when there is no memory for it. */
static const ClairBytes *
intern(OvalFacts *facts, ClairBytes text)
{
	ClairBytes *kept = text_map_find(&facts->texts, text);
	void **place;

	if (kept != NULL)
		return kept;
	kept = arena_alloc(facts->arena, sizeof(ClairBytes));
	if (kept == NULL)
		return NULL;
	*kept = arena_copy(facts->arena, text);
	if (kept->data == NULL)
		return NULL;
	place = text_map_at(&facts->texts, *kept);
	if (place == NULL)
		return NULL;
	*place = kept;
	return kept;
}

static bool
read_number(ClairBytes text, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < text.size; i++)
	{
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t) (text.data[i] - '0');
		if (*number >> NUMBER_BITS != 0)
			return false;
	}
	return text.size > 0;
}

/* Takes an identifier's name and number apart. */
static bool
split_id(ClairBytes text, ClairBytes *name, uint64_t *number)
{
	if (text.size == 0 || !clair_bytes_equal(text_take_part(&text, ':'), CLAIR_LITERAL("oval")))
		return false;
	*name = text_take_part(&text, ':');
	text_take_part(&text, ':');
	return name->size > 0 && read_number(text, number);
}

/* The place of the name among those of the document; their count when it is none of them. */
static size_t
find_name(const OvalFacts *facts, ClairBytes name)
{
	size_t i = 0;

	while (i < facts->name_count && !clair_bytes_equal(*facts->names[i], name))
		i++;
	return i;
}

/* The Id of an identifier; 0 for what is none, or refers to what the document does not have. */
static Id
find_id(const OvalFacts *facts, ClairBytes text)
{
	ClairBytes name;
	uint64_t number;
	size_t place;

	if (!split_id(text, &name, &number))
		return 0;
	place = find_name(facts, name);
	return place < facts->name_count ? (Id) (place + 1) << NUMBER_BITS | number : 0;
}

/* The same for a document that is being read: its name becomes one of the document's. */
static Id
add_id(OvalFacts *facts, ClairBytes text)
{
	ClairBytes name;
	uint64_t number;

	if (split_id(text, &name, &number) && find_name(facts, name) == facts->name_count &&
		facts->name_count < MAX_NAMES)
	{
		const ClairBytes *kept = intern(facts, name);

		if (kept != NULL)
			facts->names[facts->name_count++] = kept;
	}
	return find_id(facts, text);
}

static Id
id_of(OvalFacts *facts, const XmlElement *element)
{
	return add_id(facts, xml_attribute(element, "id"));
}

static bool
take_definition(OvalFacts *facts, const XmlElement *element)
{
	Definition *definition = add_row(facts, &facts->definitions);

	if (definition == NULL)
		return false;
	definition->id = id_of(facts, element);
	read_number(xml_attribute(element, "version"), &definition->version);
	return true;
}

static OvalExistence
existence_of(const XmlElement *element)
{
	ClairBytes word = xml_attribute(element, "check_existence");

	if (clair_bytes_equal(word, CLAIR_LITERAL("none_exist")))
		return OVAL_NONE;
	return clair_bytes_equal(word, CLAIR_LITERAL("any_exist")) ? OVAL_ANY : OVAL_SOME;
}

/* Takes a test. One of several states is about more than a version, and so of another kind. */
static bool
take_test(OvalFacts *facts, const XmlElement *element)
{
	Test *test = add_row(facts, &facts->tests);
	ClairBytes content = element->content;
	size_t states = 0;
	XmlElement child;

	if (test == NULL)
		return false;
	test->id = id_of(facts, element);
	test->existence = existence_of(element);
	while (xml_next_child(&content, &child))
	{
		if (xml_is(&child, "object"))
			test->object = add_id(facts, xml_attribute(&child, "object_ref"));
		else if (xml_is(&child, "state") && ++states == 1)
			test->state = add_id(facts, xml_attribute(&child, "state_ref"));
	}
	test->is_dpkg = xml_is(element, "dpkginfo_test");
	test->of_packages = (test->is_dpkg || xml_is(element, "rpminfo_test") ||
						 xml_is(element, "textfilecontent54_test")) &&
						states <= 1;
	if (states > 0 && test->state == 0)
		test->object = 0; /* something is missing */
	return true;
}

/* Takes an object: a package's name, or where names or patterns of a manifest's lines are. */
static bool
take_object(OvalFacts *facts, const XmlElement *element)
{
	bool is_manifest = xml_is(element, "textfilecontent54_object");
	XmlElement name = xml_child(element, is_manifest ? "pattern" : "name");
	ClairBytes variable = xml_attribute(&name, "var_ref");
	ClairBytes operation = xml_attribute(&name, "operation");
	bool is_name = operation.data == NULL || clair_bytes_equal(operation, CLAIR_LITERAL("equals"));
	Object *object = add_row(facts, &facts->objects);

	if (object == NULL)
		return false;
	object->id = id_of(facts, element);
	if (variable.data != NULL)
		object->variable = add_id(facts, variable);
	else if (!is_manifest && is_name && xml_text(&name).size > 0)
	{
		object->name = intern(facts, xml_text(&name));
		return object->name != NULL;
	}
	return true;
}

/* Which bound of a version an operation means; how many there are for any other one. */
static size_t
find_bound(ClairBytes operation)
{
	static const char *const operations[] = {"less than", "less than or equal", "greater than"};
	size_t i = 0;

	while (i < BOUNDS && !clair_bytes_equal(operation, clair_bytes(operations[i])))
		i++;
	return i;
}

/* Takes a state: the bound of a version, and perhaps architectures. */
static bool
take_state(OvalFacts *facts, const XmlElement *element)
{
	bool is_manifest = xml_is(element, "textfilecontent54_state");
	XmlElement evr = xml_child(element, is_manifest ? "subexpression" : "evr");
	XmlElement architectures = xml_child(element, "arch");
	size_t bound = find_bound(xml_attribute(&evr, "operation"));
	State *state = add_row(facts, &facts->states);

	if (state == NULL)
		return false;
	state->id = id_of(facts, element);
	if (bound < BOUNDS)
	{
		state->bound = (OvalBound) bound;
		state->evr = intern(facts, xml_text(&evr));
		if (state->evr == NULL)
			return false;
	}
	if (xml_text(&architectures).size == 0)
		return true;
	state->architectures = intern(facts, xml_text(&architectures));
	return state->architectures != NULL;
}

/*
 * The name of a package that a variable's value is, or finds in a manifest; nothing when the
 * pattern is of several names, which only those of kernels' are.
 */
static ClairBytes
name_of(ClairBytes value)
{
	if (!clair_bytes_start_with(value, CLAIR_LITERAL("^")))
		return value;
	if (!clair_bytes_end_with(value, MANIFEST_PATTERN))
		return CLAIR_NULL_BYTES;
	value = clair_bytes_skip(value, 1);
	value.size -= MANIFEST_PATTERN.size;
	for (size_t i = 0; i < value.size; i++)
		if (strchr("^$()[]{}|*?\\", value.data[i]) != NULL)
			return CLAIR_NULL_BYTES;
	return value;
}

static bool
take_variable(OvalFacts *facts, const XmlElement *element)
{
	Variable *variable = add_row(facts, &facts->variables);
	ClairBytes content = element->content;
	XmlElement value;

	if (variable == NULL)
		return false;
	variable->id = id_of(facts, element);
	variable->first = facts->values.count;
	while (xml_next_named(&content, "value", &value))
	{
		ClairBytes name = name_of(xml_text(&value));
		const ClairBytes **place;

		if (name.size == 0)
			continue;
		place = add_row(facts, &facts->values);
		if (place == NULL || (*place = intern(facts, name)) == NULL)
			return false;
		variable->count++;
	}
	return true;
}

/* Takes what a record is, by the end of its name: "..._test", "constant_variable". */
static bool
take_record(OvalFacts *facts, const XmlElement *element)
{
	if (xml_is(element, "definition"))
		return take_definition(facts, element);
	if (clair_bytes_end_with(element->name, CLAIR_LITERAL("_test")))
		return take_test(facts, element);
	if (clair_bytes_end_with(element->name, CLAIR_LITERAL("_object")))
		return take_object(facts, element);
	if (clair_bytes_end_with(element->name, CLAIR_LITERAL("_state")))
		return take_state(facts, element);
	return !xml_is(element, "constant_variable") || take_variable(facts, element);
}

static ClairStatus
take_records(RecordFeed *feed, OvalFacts *facts, void *records, bool tests, ClairError *error)
{
	FeedRecord record;
	bool found;

	for (int64_t count = 1;; count++)
	{
		ClairStatus status = xml_record_cutter.next(records, &record, &found, error);
		XmlElement element;

		if (status == CLAIR_OK && count % PROGRESS_EVERY == 0)
			status = feed->sink->progress(feed->sink->context, feed->bytes, feed->records, error);
		if (status != CLAIR_OK || !found)
			return status;
		element = xml_record(record.value);
		if (!tests && !xml_is(&element, "definition"))
			return CLAIR_OK;
		if (!take_record(facts, &element))
			return memory_error(error);
	}
}

static int
compare_ids(const void *left, const void *right)
{
	Id a = *(const Id *) left;
	Id b = *(const Id *) right;

	return (a > b) - (a < b);
}

static int
compare_definitions(const void *left, const void *right)
{
	const Definition *a = left;
	const Definition *b = right;
	int order = compare_ids(left, right);

	return order != 0 ? order : (a->version > b->version) - (a->version < b->version);
}

static void
order_rows(Rows *rows, int (*compare)(const void *, const void *))
{
	if (rows->count > 0)
		qsort(rows->rows, rows->count, rows->size, compare);
}

/* The first row that an Id has, or NULL. */
static const void *
find_row(const Rows *rows, Id id)
{
	size_t low = 0;
	size_t high = rows->count;
	const char *row;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (*(const Id *) (const void *) ((const char *) rows->rows + middle * rows->size) < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (id == 0 || low == rows->count)
		return NULL;
	row = (const char *) rows->rows + low * rows->size;
	return *(const Id *) (const void *) row == id ? row : NULL;
}

static OvalFacts *
create_facts(RecordFeed *feed)
{
	OvalFacts *facts = calloc(1, sizeof(OvalFacts));

	if (facts == NULL)
		return NULL;
	facts->budget = record_feed_memory(feed->limits);
	facts->arena = arena_create(record_feed_memory(feed->limits));
	facts->texts.arena = facts->arena;
	facts->definitions.size = sizeof(Definition);
	facts->tests.size = sizeof(Test);
	facts->objects.size = sizeof(Object);
	facts->states.size = sizeof(State);
	facts->variables.size = sizeof(Variable);
	facts->values.size = sizeof(ClairBytes *);
	if (facts->arena != NULL)
		return facts;
	free(facts);
	return NULL;
}

void
oval_facts_free(OvalFacts *facts)
{
	if (facts == NULL)
		return;
	free(facts->definitions.rows);
	free(facts->tests.rows);
	free(facts->objects.rows);
	free(facts->states.rows);
	free(facts->variables.rows);
	free(facts->values.rows);
	arena_destroy(facts->arena);
	free(facts);
}

ClairStatus
oval_facts_read(RecordFeed *feed, int descriptor, bool tests, OvalFacts **facts, ClairError *error)
{
	static const char *const parts[] = {
		DEFINITIONS "oval_definitions/tests/*@",
		DEFINITIONS "oval_definitions/tests|objects|states|variables/*",
	};
	ClairStream *stream;
	void *records;
	ClairStatus status;

	*facts = create_facts(feed);
	if (*facts == NULL)
		return memory_error(error);
	status = record_feed_stream(feed->limits, descriptor, &stream, error);
	if (status == CLAIR_OK)
	{
		status = xml_record_cutter.open(stream, parts[tests], feed->limits, &records, error);
		if (status == CLAIR_OK)
		{
			status = take_records(feed, *facts, records, tests, error);
			xml_record_cutter.close(records);
		}
		stream->close(stream);
	}
	order_rows(&(*facts)->definitions, compare_definitions);
	order_rows(&(*facts)->tests, compare_ids);
	order_rows(&(*facts)->objects, compare_ids);
	order_rows(&(*facts)->states, compare_ids);
	order_rows(&(*facts)->variables, compare_ids);
	if (status == CLAIR_OK)
		return CLAIR_OK;
	oval_facts_free(*facts);
	*facts = NULL;
	return status;
}

bool
oval_facts_is_current(const OvalFacts *facts, ClairBytes id, ClairBytes version)
{
	const Rows *rows = &facts->definitions;
	const Definition *row = find_row(rows, find_id(facts, id));
	uint64_t number;

	if (row == NULL)
		return true;
	while ((size_t) (row + 1 - (const Definition *) rows->rows) < rows->count &&
		   row[1].id == row->id)
		row++;
	read_number(version, &number);
	return number == row->version;
}

/* Fills in what the state of a test says. False when it says nothing of versions. */
static bool
find_state(const OvalFacts *facts, const Test *found, OvalTest *test, OvalTestKind *kind)
{
	const State *state = find_row(&facts->states, found->state);

	if (found->state == 0)
		return true;
	if (state == NULL || state->evr == NULL)
	{
		*kind = state == NULL ? OVAL_TEST_MISSING : OVAL_TEST_OTHER;
		return false;
	}
	test->evr = *state->evr;
	test->bound = state->bound;
	if (state->architectures != NULL)
		test->architectures = *state->architectures;
	return true;
}

OvalTestKind
oval_facts_test(const OvalFacts *facts, ClairBytes id, OvalTest *test)
{
	const Test *found = find_row(&facts->tests, find_id(facts, id));
	const Object *object;
	const Variable *variable;
	OvalTestKind kind = OVAL_TEST_PACKAGE;

	if (found == NULL)
		return OVAL_TEST_MISSING;
	if (!found->of_packages)
		return OVAL_TEST_OTHER;
	*test = (OvalTest){.existence = (OvalExistence) found->existence, .is_dpkg = found->is_dpkg};
	if (!find_state(facts, found, test, &kind))
		return kind;
	if (test->bound != OVAL_BELOW)
		kind = OVAL_TEST_BOUND;
	object = find_row(&facts->objects, found->object);
	if (object == NULL)
		return OVAL_TEST_MISSING;
	if (object->variable == 0)
	{
		test->names = &object->name;
		test->name_count = 1;
		return object->name != NULL ? kind : OVAL_TEST_OTHER;
	}
	variable = find_row(&facts->variables, object->variable);
	if (variable == NULL)
		return OVAL_TEST_MISSING;
	test->by_variable = true;
	test->name_count = variable->count;
	if (variable->count > 0)
		test->names = (const ClairBytes *const *) facts->values.rows + variable->first;
	return kind;
}
