/*
 * json_records_test.c
 *    Proves that a document is cut into the records that RFC 8259 says are there, however it
 *    comes in pieces, and that what is not JSON is refused, with the place.
 */
#include "common/arena.h"
#include "common/json_cursor.h"
#include "common/limits.h"
#include "common/stream.h"
#include "dripping.h"
#include "feed/json_records.h"
#include "unit.h"

/* The records as "name=value@position;", elements as "number=...", or the error. */
static const char *
split(ClairBytes document, const char *array, size_t piece_size, int64_t max_record_size)
{
	static char result[4096];
	Dripping dripping = {.stream = {.read = drip}, .rest = document, .size = piece_size};
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairError error;
	void *records;
	FeedRecord record;
	ClairStatus status;
	bool found;
	size_t size = 0;

	limits.max_record_size = max_record_size;
	result[0] = '\0';
	if (json_record_cutter.open(&dripping.stream, array, &limits, &records, &error) != CLAIR_OK)
		return "not opened";
	while ((status = json_record_cutter.next(records, &record, &found, &error)) == CLAIR_OK &&
		   found)
	{
		char name[64];

		if (record.name.data != NULL)
			snprintf(name, sizeof(name), "%.*s", (int) record.name.size, record.name.data);
		else
			snprintf(name, sizeof(name), "%" PRId64, record.number);
		size += (size_t) snprintf(result + size, sizeof(result) - size, "%s=%.*s@%" PRId64 ";",
								  name, (int) record.value.size, record.value.data,
								  record.position);
	}
	if (status == CLAIR_OK && json_record_cutter.size(records) != (int64_t) document.size)
		snprintf(result, sizeof(result), "size is wrong");
	if (status != CLAIR_OK)
		snprintf(result, sizeof(result), "%d %s", (int) status, error.message);
	json_record_cutter.close(records);
	return result;
}

/* The same result for every size of the pieces. */
static void
check_split(const char *document, const char *array, const char *expected)
{
	for (size_t size = 1; size <= 33; size++)
	{
		const char *result = split(clair_bytes(document), array, size, 1 << 20);

		if (strcmp(result, expected) != 0 || size == 33)
		{
			CHECK_TEXT(clair_bytes(result), expected, document);
			return;
		}
	}
}

static void
check_members(void)
{
	check_split("{}", NULL, "");
	check_split(" \t\r\n{ } \n", NULL, "");
	check_split("{\"a\":1}", NULL, "a=1@5;");
	check_split("{\"a\":{\"b\":[{}]},\"c\":[]}", NULL, "a={\"b\":[{}]}@5;c=[]@20;");
	check_split(" { \"a\" : \"}{\" , \"b\" : null }", NULL, "a=\"}{\"@9;b=null@22;");
	check_split("{\"a\":{\"b\":\"]}\\\"}\"},\"c\":2}", NULL, "a={\"b\":\"]}\\\"}\"}@5;c=2@23;");
	check_split("{\"a\":\"x\\\\\",\"b\":\"\\\\\\\"\"}", NULL, "a=\"x\\\\\"@5;b=\"\\\\\\\"\"@15;");
	check_split("{\"\\u0061\\\"\":true,\"\":false}", NULL, "a\"=true@12;=false@20;");
	check_split("{\"a\":1,\"a\":2}", NULL, "a=1@5;a=2@11;");
}

static void
check_array(void)
{
	check_split("{\"p\":[]}", "p", "");
	check_split("{\"p\":null}", "p", "");
	check_split("{\"p\":[1,{\"x\":[]} , \"s\"]}", "p", "1=1@6;2={\"x\":[]}@8;3=\"s\"@19;");
	check_split("{\"d\":\"v1\",\"p\":[1],\"r\":2}", "p", "d=\"v1\"@5;1=1@15;r=2@22;");
	check_split("{\"p\":[],\"d\":\"v1\"}", "p", "d=\"v1\"@12;");
	check_split("{\"d\":{\"p\":[1]}}", "p", "1 the document has no \"p\"");
	check_split("{\"p\":[],\"p\":[]}", "p", "1 member \"p\": byte 12: it is there twice");
	check_split("{\"p\":{},\"d\":1}", "p", "d=1@12;");
	check_split("{\"p\":{ \n}}", "p", "");
	check_split("{\"p\":{\"a\":1}}", "p", "1 member \"p\": byte 12: it is not an array");
	check_split("{\"p\":\"\"}", "p", "1 member \"p\": byte 7: it is not an array");
	check_split("{\"p\":[1 2]}", "p", "1 byte 8: a comma is missing");
	check_split("{\"p\":[1,]}", "p", "1 element 2: byte 8: a value is missing");
	check_split("{\"p\":[1,{\"x\":", "p", "1 element 2: byte 13: the document ends too early");
}

static void
check_root_array(void)
{
	check_split("[]", "", "");
	check_split(" [ ]\n", "", "");
	check_split("[1,{\"x\":[]} , \"s\"]", "", "1=1@1;2={\"x\":[]}@3;3=\"s\"@14;");
	check_split("{", "", "1 the document is not a JSON array: it begins with \"{\"");
	check_split("[1", "", "1 element 1: byte 2: the document ends too early");
	check_split("[1,]", "", "1 element 2: byte 3: a value is missing");
	check_split("[1]]", "", "1 byte 3: there is more after the document's end");
	check_split("[1}", "", "1 byte 2: a comma is missing");
	check_split("", "", "1 the document is empty");
}

static void
check_broken(void)
{
	char deep[300] = "{\"a\":";

	check_split("", NULL, "1 the document is empty");
	check_split(" \n ", NULL, "1 the document is empty");
	check_split("[", NULL, "1 the document is not a JSON object: it begins with \"[\"");
	check_split("{", NULL, "1 byte 1: the document ends too early");
	check_split("{\"a", NULL, "1 byte 3: the document ends too early");
	check_split("{\"a\"", NULL, "1 record \"a\": byte 4: the document ends too early");
	check_split("{\"a\":", NULL, "1 record \"a\": byte 5: the document ends too early");
	check_split("{\"a\":{\"b\":\"", NULL, "1 record \"a\": byte 11: the document ends too early");
	check_split("{\"a\":12", NULL, "1 record \"a\": byte 7: the document ends too early");
	check_split("{\"a\":1", NULL, "1 record \"a\": byte 6: the document ends too early");
	check_split("{\"a\":1,}", NULL, "1 byte 7: the name of a member is missing");
	check_split("{,}", NULL, "1 byte 1: the name of a member is missing");
	check_split("{\"a\":}", NULL, "1 record \"a\": byte 5: a value is missing");
	check_split("{\"a\" 1}", NULL, "1 record \"a\": byte 5: a colon is missing");
	check_split("{\"a\":1 \"b\":2}", NULL, "1 byte 7: a comma is missing");
	check_split("{\"a\":1}}", NULL, "1 byte 7: there is more after the document's end");
	check_split("{\"a\":1} {\"b\":2}", NULL, "1 byte 8: there is more after the document's end");
	check_split("{\"\\x\":1}", NULL, "1 byte 5: the name of a member is not valid");

	memset(deep + 5, '[', CLAIR_MAX_JSON_DEPTH + 1);
	check_split(deep, NULL, "2 record \"a\": byte 70: the record is nested too deep");

	CHECK_TEXT(clair_bytes(split(clair_bytes("<!DOCTYPE html><html>"), NULL, 40, 100)),
			   "1 the document is not a JSON object: it begins with \"<!DOCTYPE html><html>\"",
			   "a page instead of a document is shown");
	CHECK_TEXT(clair_bytes(split(clair_bytes("{\"a\":\"0123456789\"}"), NULL, 4, 16)),
			   "a=\"0123456789\"@5;", "a record of the greatest size is taken");
	CHECK_TEXT(clair_bytes(split(clair_bytes("{\"a\":\"0123456789\"}"), NULL, 4, 15)),
			   "2 record \"a\": byte 17: the record is too large", "a larger one is not");
	CHECK_TEXT(clair_bytes(split(clair_bytes("{\"a\":\"012345678901234567890"), NULL, 4, 8)),
			   "2 record \"a\": byte 12: the record is too large", "nor is all of it read first");
}

/* Whether the cursor takes the text as one value. */
static bool
is_json(ClairBytes text)
{
	JsonCursor cursor = json_cursor(text, NULL);

	return json_skip(&cursor) && json_end(&cursor);
}

static void
check_grammar(void)
{
	static const char *const valid[] = {
		"0",
		"-0",
		"12",
		"-1.5",
		"1e9",
		"1E+9",
		"0.0e-0",
		"true",
		"false",
		"null",
		"\"\"",
		"[]",
		"{}",
		" [ 1 , [ ] , { } ] ",
		"{\"a\":{\"b\":[null]},\"c\":\"d\"}",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00aF\"",
		"\"a long text with a \\\" in the middle of it\"",
		"\"\\ud800\"", /* the grammar allows it; as text it is refused */
	};
	static const char *const invalid[] = {
		"",
		" ",
		"01",
		"+1",
		"-",
		"1.",
		".5",
		"1e",
		"1e+",
		"tru",
		"True",
		"nulls",
		"NaN",
		"'a'",
		"\"",
		"\"a",
		"\"\\",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\\x\"",
		"\"tab\there\"",
		"\"\n\"",
		"[",
		"[1",
		"[1,",
		"[1,]",
		"[,1]",
		"[1 2]",
		"{",
		"{1:2}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{\"a\" 1}",
		"[1}",
		"{]",
		"1 2",
		"[] []",
		"/**/1",
		"\"0123456\x01\"",
	};
	char deep[2 * CLAIR_MAX_JSON_DEPTH + 3] = "";

	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		CHECK(is_json(clair_bytes(valid[i])), valid[i]);
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		CHECK(!is_json(clair_bytes(invalid[i])), invalid[i]);
	CHECK(!is_json(CLAIR_LITERAL("\"a\0b\"")), "a NUL in a string");

	memset(deep, '[', CLAIR_MAX_JSON_DEPTH);
	memset(deep + CLAIR_MAX_JSON_DEPTH, ']', CLAIR_MAX_JSON_DEPTH);
	CHECK(is_json(clair_bytes(deep)), "nesting as deep as it may be");
	memset(deep, '[', CLAIR_MAX_JSON_DEPTH + 1);
	memset(deep + CLAIR_MAX_JSON_DEPTH + 1, ']', CLAIR_MAX_JSON_DEPTH + 1);
	CHECK(!is_json(clair_bytes(deep)), "nesting one deeper");
}

static void
check_text(Arena *arena, ClairBytes json, const char *expected)
{
	JsonCursor cursor = json_cursor(json, arena);
	ClairBytes text = CLAIR_NULL_BYTES;

	if (!json_text(&cursor, &text))
		text = CLAIR_NULL_BYTES;
	CHECK_TEXT(text, expected, json.data);
}

static void
check_texts(Arena *arena)
{
	check_text(arena, CLAIR_LITERAL("\"\""), "");
	check_text(arena, CLAIR_LITERAL("\"plain\""), "plain");
	check_text(arena, CLAIR_LITERAL("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\/\b\f\n\r\t");
	check_text(arena, CLAIR_LITERAL("\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00!\""),
			   "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!");
	check_text(arena, CLAIR_LITERAL("\"\\uD83D\\uDE00\""), "\xf0\x9f\x98\x80");
	check_text(arena, CLAIR_LITERAL("\"\xc3\xa9\""), "\xc3\xa9");
	check_text(arena, CLAIR_LITERAL("\"\\u0000\""), NULL);
	check_text(arena, CLAIR_LITERAL("\"\\ud800\""), NULL);
	check_text(arena, CLAIR_LITERAL("\"\\udc00\\ud800\""), NULL);
	check_text(arena, CLAIR_LITERAL("\"\\ud800\\u0041\""), NULL);
	check_text(arena, CLAIR_LITERAL("\"\\ud800x\""), NULL);
	check_text(arena, CLAIR_LITERAL("\"\xff\""), NULL);
	check_text(arena, CLAIR_LITERAL("12"), NULL);
}

static void
check_cursor(Arena *arena)
{
	JsonCursor cursor = json_cursor(CLAIR_LITERAL("{\"b\":1,\"a\":[2],\"b\":\"3\"}"), arena);
	JsonMember *members;
	size_t count;
	ClairBytes name;

	CHECK(json_members(&cursor, &members, &count) && json_end(&cursor), "an object's members");
	CHECK_INT(count, 3, "all of them");
	CHECK_TEXT(members[0].name, "a", "ordered by name");
	CHECK_TEXT(members[1].value, "1", "those of one name in their order");
	CHECK_TEXT(members[2].value, "\"3\"", "the last one last");

	cursor = json_cursor(CLAIR_LITERAL("{\"a\":1,\"b\":}"), arena);
	CHECK(json_enter(&cursor, JSON_OBJECT) && json_next_member(&cursor, &name) &&
			  json_skip(&cursor) && json_next_member(&cursor, &name),
		  "members one by one");
	CHECK(!json_skip(&cursor) && !json_next_member(&cursor, &name) && !json_end(&cursor),
		  "after a problem nothing is read");
	CHECK_INT(cursor.position, 11, "the problem's place");
	CHECK_TEXT(clair_bytes(cursor.problem), "a value is missing", "what it is");
}

int
main(void)
{
	Arena *arena = arena_create(1 << 20);

	check_members();
	check_array();
	check_root_array();
	check_broken();
	check_grammar();
	check_texts(arena);
	check_cursor(arena);
	arena_destroy(arena);
	return unit_result();
}
