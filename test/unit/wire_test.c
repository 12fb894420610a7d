/*
 * Proves that frames come out as they went in, and that nothing malformed is taken for a frame
 * or for a row of a relation.
 */
#include "unit.h"

#include "common/wire.h"

static void
test_round_trip(void)
{
	ClairBytes fields[] = {CLAIR_LITERAL("name"), CLAIR_NULL_BYTES, CLAIR_LITERAL(""),
						   CLAIR_LITERAL("a\0b")};
	ClairBytes back[4];
	char buffer[128];
	WireHeader header;
	size_t size = wire_frame_size(fields, 4);

	CHECK_INT((int64_t) size, 12 + 4 * 4 + 4 + 3, "a frame's size");
	wire_frame(buffer, WIRE_ROW, WIRE_FEATURE, fields, 4);
	memcpy(&header, buffer, sizeof(header));
	CHECK_INT(header.size, (int64_t) size - 12, "the header has the body's size");
	CHECK_INT(header.fields, 4, "and the number of fields");
	CHECK(header.type == 'R' && header.tag == WIRE_FEATURE && header.zero == 0, "type and tag");
	CHECK(wire_fields((ClairBytes){buffer + 12, header.size}, 4, back),
		  "the fields are taken back");
	CHECK_TEXT(back[0], "name", "a value");
	CHECK_TEXT(back[1], NULL, "no value");
	CHECK_TEXT(back[2], "", "an empty value");
	CHECK(clair_bytes_equal(back[3], fields[3]), "a value with NUL");
	CHECK(!wire_fields((ClairBytes){buffer + 12, header.size}, 3, back), "one field too few");
	CHECK(!wire_fields((ClairBytes){buffer + 12, header.size - 1}, 4, back), "one byte too few");
	CHECK(wire_fields((ClairBytes){buffer, 0}, 0, back), "no field at all");
}

static void
test_field_bounds(void)
{
	uint32_t sizes[] = {WIRE_MAX_FIELD, WIRE_MAX_FIELD + 1, 5, UINT32_MAX - 1};
	char *body = calloc(1, WIRE_MAX_FIELD + 8);

	for (int i = 0; i < 4; i++)
	{
		ClairBytes rest = {body, WIRE_MAX_FIELD + 8};
		ClairBytes field;

		memcpy(body, &sizes[i], sizeof(uint32_t));
		if (sizes[i] == 5)
			rest.size = sizeof(uint32_t) + 4;
		CHECK(wire_next_field(&rest, &field) == (i == 0), "only fields that are all there");
	}
	free(body);
}

static void
test_integers(void)
{
	static const struct
	{
		const char *text;
		bool valid;
		int64_t value;
	} cases[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"17", true, 17},
		{"-17", true, -17},
		{"007", true, 7},
		{"9223372036854775807", true, INT64_MAX},
		{"9223372036854775808", false, 0},
		{"-9223372036854775808", true, INT64_MIN},
		{"-9223372036854775809", false, 0},
		{"99999999999999999999999", false, 0},
		{"", false, 0},
		{"-", false, 0},
		{"+1", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"1a", false, 0},
		{"--1", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int64_t value = 0;
		bool valid = wire_integer(clair_bytes(cases[i].text), &value);

		CHECK(valid == cases[i].valid && (!valid || value == cases[i].value), cases[i].text);
	}
	CHECK(!wire_integer(CLAIR_NULL_BYTES, &(int64_t){0}), "no value is no integer");
}

static void
test_rows(void)
{
	ClairBytes row[] = {CLAIR_LITERAL("1"), CLAIR_LITERAL("web:1")};
	ClairBytes file[] = {CLAIR_LITERAL("detector:a:sha256:0"), CLAIR_LITERAL("a"),
						 CLAIR_LITERAL("3"), CLAIR_LITERAL("\xFF\0b")};

	CHECK(wire_row_problem(WIRE_IMAGE_NAME, row, 2) == NULL, "a row");
	CHECK(wire_row_problem(WIRE_IMAGE_NAME, row, 1) != NULL, "a row with a column too few");
	row[1] = CLAIR_NULL_BYTES;
	CHECK(wire_row_problem(WIRE_IMAGE_NAME, row, 2) == NULL, "a column without a value");
	row[1] = CLAIR_LITERAL("web\xFF");
	CHECK(wire_row_problem(WIRE_IMAGE_NAME, row, 2) != NULL, "a text that is not UTF-8");
	row[1] = CLAIR_LITERAL("a\0b");
	CHECK(wire_row_problem(WIRE_IMAGE_NAME, row, 2) != NULL, "a text with NUL");
	row[0] = CLAIR_LITERAL("one");
	CHECK(wire_row_problem(WIRE_IMAGE_NAME, row, 2) != NULL, "an integer that is none");
	CHECK(wire_row_problem(WIRE_DETECTOR_FILE, file, 4) == NULL, "bytes that are no text");
}

/* What the macros made of the relations. */
static void
test_relations(void)
{
	for (int i = 0; i < WIRE_RELATION_COUNT; i++)
	{
		const WireRelationInfo *info = &wire_relations[i];
		bool complete = info->column_count > 0 && info->column_count <= WIRE_MAX_COLUMNS;

		for (int column = 0; complete && column < info->column_count; column++)
			complete = info->columns[column].name != NULL &&
					   (info->columns[column].type == WIRE_TEXT ||
						info->columns[column].type == WIRE_INT ||
						info->columns[column].type == WIRE_BYTES);
		CHECK(complete, info->name);
	}
}

int
main(void)
{
	test_round_trip();
	test_field_bounds();
	test_integers();
	test_rows();
	test_relations();
	return unit_result();
}
