/*
 * Proves that foreign bytes become text that PostgreSQL takes: what is UTF-8 and what is not, how
 * the rest is escaped, lines, blanks; and that errors stay printable and bounded.
 */
#include "unit.h"

#include "common/error.h"
#include "common/text.h"

static void
test_utf8(void)
{
	static const struct
	{
		const char *bytes;
		size_t length; /* of the sequence at the start; 0: none */
	} cases[] = {
		{"a", 1},
		{"\x7F", 1},
		{"\x80", 0},
		{"\xC1\x81", 0}, /* longer than needed */
		{"\xC2\x80", 2},
		{"\xC2", 0},
		{"\xC2\x41", 0},
		{"\xDF\xBF", 2},
		{"\xE0\x9F\xBF", 0}, /* longer than needed */
		{"\xE0\xA0\x80", 3},
		{"\xE2\x82", 0},
		{"\xE2\x82\xAC", 3},
		{"\xED\x9F\xBF", 3},
		{"\xED\xA0\x80", 0}, /* surrogate */
		{"\xEF\xBF\xBF", 3},
		{"\xF0\x8F\xBF\xBF", 0}, /* longer than needed */
		{"\xF0\x90\x80\x80", 4},
		{"\xF0\x90\x80", 0},
		{"\xF4\x8F\xBF\xBF", 4},
		{"\xF4\x90\x80\x80", 0}, /* above U+10FFFF */
		{"\xF5\x80\x80\x80", 0},
		{"\xFF", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char shown[64];
		ClairBytes bytes = clair_bytes(cases[i].bytes);

		text_printable(bytes, shown, sizeof(shown));
		CHECK_INT((int64_t) text_utf8_length(bytes), (int64_t) cases[i].length, shown);
		CHECK(text_is_valid(bytes) == (cases[i].length == bytes.size), shown);
	}
	CHECK_INT((int64_t) text_utf8_length((ClairBytes){"", 0}), 0, "nothing is no sequence");
}

/* The check takes eight bytes at a time: the fault at every place, in texts of every length. */
static void
test_every_place(void)
{
	bool right = true;

	for (size_t size = 0; size < 40; size++)
	{
		char text[40];

		memset(text, 'x', sizeof(text));
		right = right && text_is_valid((ClairBytes){text, size});
		for (size_t at = 0; at < size; at++)
		{
			text[at] = '\0';
			right = right && !text_is_valid((ClairBytes){text, size});
			text[at] = '\x80';
			right = right && !text_is_valid((ClairBytes){text, size});
			text[at] = '\x01';
			right = right && text_is_valid((ClairBytes){text, size});
			text[at] = 'x';
			if (at + 1 < size)
			{
				memcpy(text + at, "\xC3\xA4", 2);
				right = right && text_is_valid((ClairBytes){text, size});
				memcpy(text + at, "xx", 2);
			}
		}
	}
	CHECK(right, "text is valid or not, wherever the fault is");
}

static void
test_escapes(void)
{
	Arena *arena = arena_create(1024 * 1024);
	ClairBytes plain = CLAIR_LITERAL("h\xC3\xA4lt\n");
	char buffer[10];

	CHECK(text_escape(arena, plain).data == plain.data, "valid text is not copied");
	CHECK_TEXT(text_escape(arena, (ClairBytes){"a\0b\xFF", 4}), "a\\x00b\\xff", "the rest is");
	text_printable(CLAIR_LITERAL("a\nb\x7F"), buffer, sizeof(buffer));
	CHECK_TEXT(clair_bytes(buffer), "a\\x0ab", "printable text, cut before what does not fit");
	text_printable(CLAIR_LITERAL("12345678\xC3\xA4"), buffer, sizeof(buffer));
	CHECK_TEXT(clair_bytes(buffer), "12345678", "no character is cut in two");
	text_printable(CLAIR_LITERAL("1234567\xC3\xA4"), buffer, sizeof(buffer));
	CHECK_TEXT(clair_bytes(buffer), "1234567\xC3\xA4", "but one that fits is there");
	arena_destroy(arena);
}

static void
test_lines(void)
{
	ClairBytes rest = CLAIR_LITERAL("one\ntwo\r\n\n\r\nlast");
	static const char *const expected[] = {"one", "two", "", "", "last"};
	ClairBytes line;

	for (size_t i = 0; i < 5; i++)
	{
		CHECK(text_next_line(&rest, &line), "a line");
		CHECK_TEXT(line, expected[i], expected[i]);
	}
	CHECK(!text_next_line(&rest, &line), "no more lines");
	rest = CLAIR_LITERAL("\n");
	CHECK(text_next_line(&rest, &line) && line.size == 0, "an empty line");
	CHECK(!text_next_line(&rest, &line), "and none behind it");

	rest = CLAIR_LITERAL("a||bc");
	CHECK_TEXT(text_take_part(&rest, '|'), "a", "a part");
	CHECK_TEXT(text_take_part(&rest, '|'), "", "an empty one");
	CHECK_TEXT(text_take_part(&rest, '|'), "bc", "the last one");
	CHECK(rest.size == 0, "nothing is left");
	rest = CLAIR_NULL_BYTES;
	CHECK(text_take_part(&rest, '|').size == 0, "of nothing");

	CHECK_TEXT(text_trim(CLAIR_LITERAL(" \t a b\r\n\v\f")), "a b", "blanks at both ends");
	CHECK_TEXT(text_trim(CLAIR_LITERAL(" \n ")), "", "nothing but blanks");
	CHECK(text_equal_ignoring_case(CLAIR_LITERAL("ETag:"), CLAIR_LITERAL("etaG:")), "case");
	CHECK(!text_equal_ignoring_case(CLAIR_LITERAL("a@"), CLAIR_LITERAL("a`")), "only of letters");
	CHECK(!text_equal_ignoring_case(CLAIR_LITERAL("a"), CLAIR_LITERAL("ab")), "and of one length");
}

static void
test_digits(void)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	int sum = 0;

	for (int byte = 0; byte < 256; byte++)
		sum += text_hexadecimal((char) byte);
	for (int i = 0; i < 32; i++)
		if (text_hexadecimal(digits[i]) != i % 16)
			sum = -1;
	/* 0 to 15, 10 to 15 once more, and -1 for the other 234 bytes */
	CHECK_INT(sum, 120 + 75 - 234, "hexadecimal digits, and nothing else");

	CHECK_INT(text_count_numbers(CLAIR_LITERAL("12")), 1, "a number");
	CHECK_INT(text_count_numbers(CLAIR_LITERAL("3.0.12")), 3, "three of them");
	CHECK_INT(text_count_numbers(CLAIR_LITERAL("")), 0, "none");
	CHECK_INT(text_count_numbers(CLAIR_LITERAL("3.")), 0, "none behind a dot");
	CHECK_INT(text_count_numbers(CLAIR_LITERAL(".3")), 0, "none before it");
	CHECK_INT(text_count_numbers(CLAIR_LITERAL("3..0")), 0, "none between two");
	CHECK_INT(text_count_numbers(CLAIR_LITERAL("3.0-dev")), 0, "something else");
}

static void
test_errors(void)
{
	ClairError error;
	char longer[3000];

	CHECK_INT(clair_error(&error, CLAIR_INVALID, "line %d: \"%s\" is odd", 3, "a\x01\xFF"),
			  CLAIR_INVALID, "an error returns its status");
	CHECK_TEXT(clair_bytes(error.message), "line 3: \"a\\x01\\xff\" is odd", "and is printable");
	clair_error_hint(&error, "Raise %s.", "it");
	CHECK_INT(clair_error_in(&error, "layer %d", 2), CLAIR_INVALID, "a place is added");
	CHECK_TEXT(clair_bytes(error.message), "layer 2: line 3: \"a\\x01\\xff\" is odd", "in front");
	CHECK_TEXT(clair_bytes(error.hint), "Raise it.", "the hint is kept");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	clair_error(&error, CLAIR_LIMIT, "%s", longer);
	CHECK_INT((int64_t) strlen(error.message), sizeof(error.message) - 1, "a long one is cut");
	clair_error_in(&error, "%s", longer);
	CHECK(strlen(error.message) < sizeof(error.message), "with a long place, too");
	CHECK(error.hint[0] == '\0', "a new error has no old hint");
}

int
main(void)
{
	test_utf8();
	test_every_place();
	test_escapes();
	test_lines();
	test_digits();
	test_errors();
	return unit_result();
}
