/*
 * escape.c
 *    Texts as parts of reports: clair.xml_text(), clair.csv_field(), clair.markdown_text(),
 *    clair.terminal_text(), clair.display_width().
 *
 * Names and versions are what an image says, descriptions what a feed says: hostile, and any text
 * that UTF-8 has. In a report they must stay text, whatever reads it: a parser, a spreadsheet, a
 * page, a terminal. Called for each cell of a report, hence in C. The database's encoding is UTF-8.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "server/compat.h"

PG_FUNCTION_INFO_V1(xml_text);
PG_FUNCTION_INFO_V1(csv_field);
PG_FUNCTION_INFO_V1(markdown_text);
PG_FUNCTION_INFO_V1(terminal_text);
PG_FUNCTION_INFO_V1(display_width);

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define ELLIPSIS	"\xE2\x80\xA6" /* U+2026 */

/* A place in a text, with the character that begins there. */
typedef struct Place
{
	const unsigned char *next;
	const unsigned char *end;
	pg_wchar character;
	int length; /* bytes of the character */
} Place;

/* Goes to the next character, the first at first; false at the end. */
static bool
Advance(Place *place)
{
	place->next += place->length;
	if (place->next >= place->end)
		return false;
	place->character = utf8_to_unicode(place->next);
	place->length = pg_utf_mblen(place->next);
	return true;
}

static Place
BeginningOf(const text *value)
{
	const unsigned char *bytes = (const unsigned char *) VARDATA_ANY(value);

	return (Place){.next = bytes, .end = bytes + VARSIZE_ANY_EXHDR(value)};
}

static void
AppendCharacter(StringInfo written, const Place *place)
{
	appendBinaryStringInfo(written, (const char *) place->next, place->length);
}

static bool
IsControl(pg_wchar character)
{
	return character < 0x20 || (character >= 0x7F && character < 0xA0);
}

/*
 * Whether a character has no form of its own and changes what others look like or stand: it turns
 * the direction of writing, has no width, or ends a line.
 */
static bool
IsFormat(pg_wchar character)
{
	return character == 0xAD || character == 0x61C || character == 0x180E ||
		   (character >= 0x200B && character <= 0x200F) ||
		   (character >= 0x2028 && character <= 0x202E) ||
		   (character >= 0x2060 && character <= 0x206F) || character == 0xFEFF ||
		   (character >= 0xFFF9 && character <= 0xFFFB) ||
		   (character >= 0xE0000 && character <= 0xE007F);
}

/* A character that is not to be written as it is, in letters that can be seen: "\x1B". */
static void
AppendVisibly(StringInfo written, pg_wchar character)
{
	switch (character)
	{
		case '\n':
			appendStringInfoString(written, "\\n");
			break;
		case '\r':
			appendStringInfoString(written, "\\r");
			break;
		case '\t':
			appendStringInfoString(written, "\\t");
			break;
		default:
			appendStringInfo(written,
							 character < 0x80	   ? "\\x%02X"
							 : character < 0x10000 ? "\\u%04X"
												   : "\\U%08X",
							 character);
	}
}

static Datum
TextOf(const StringInfoData *written)
{
	return PointerGetDatum(cstring_to_text_with_len(written->data, written->len));
}

/*
 * As text of XML 1.0, in an element or an attribute. What XML has no way to say becomes U+FFFD;
 * white space is written as references, since parsers change it in attributes.
 */
Datum
xml_text(PG_FUNCTION_ARGS)
{
	Place place = BeginningOf(PG_GETARG_TEXT_PP(0));
	StringInfoData written;

	initStringInfo(&written);
	while (Advance(&place))
	{
		if (place.character < 0x80 && strchr("&<>\"\t\n\r", (int) place.character) != NULL)
			appendStringInfo(&written, "&#%u;", place.character);
		else if (place.character < 0x20 || place.character == 0xFFFE || place.character == 0xFFFF)
			appendStringInfoString(&written, REPLACEMENT);
		else
			AppendCharacter(&written, &place);
	}
	PG_RETURN_DATUM(TextOf(&written));
}

/* Whether a spreadsheet takes what begins with this for a formula. */
static bool
BeginsFormula(pg_wchar character)
{
	switch (character)
	{
		case '=':
		case '+':
		case '-':
		case '@':
		case '\t':
		case '\r':
		case '\n':
		case 0xFF1D: /* the same in full width */
		case 0xFF0B:
		case 0xFF0D:
		case 0xFF20:
			return true;
		default:
			return false;
	}
}

/*
 * As a field of CSV, RFC 4180: in quotes when it must be, control characters made visible, and
 * after an apostrophe when a spreadsheet would compute it.
 */
Datum
csv_field(PG_FUNCTION_ARGS)
{
	Place place = BeginningOf(PG_GETARG_TEXT_PP(0));
	StringInfoData written;
	bool quoted = false;
	bool first = true;

	initStringInfo(&written);
	appendStringInfoChar(&written, '"');
	for (; Advance(&place); first = false)
	{
		if (first && BeginsFormula(place.character))
			appendStringInfoChar(&written, '\'');
		if (place.character == '"')
			appendStringInfoChar(&written, '"');
		if (place.character == '\n' || !IsControl(place.character))
			AppendCharacter(&written, &place);
		else
			AppendVisibly(&written, place.character);
		quoted |= place.character < 0x80 && strchr("\",\n ", place.character) != NULL;
	}
	if (!quoted)
		PG_RETURN_TEXT_P(cstring_to_text_with_len(written.data + 1, written.len - 1));
	appendStringInfoChar(&written, '"');
	PG_RETURN_DATUM(TextOf(&written));
}

/*
 * As text within a line of Markdown, also in a table. All that could be markup, a link, a mention
 * or a formula to any of its dialects is written as a reference, which is never markup.
 */
Datum
markdown_text(PG_FUNCTION_ARGS)
{
	Place place = BeginningOf(PG_GETARG_TEXT_PP(0));
	StringInfoData written;
	pg_wchar before = 0;

	initStringInfo(&written);
	for (; Advance(&place); before = place.character)
	{
		if (place.character == '\n' || place.character == '\r' || place.character == '\t')
			appendStringInfoChar(&written, ' ');
		else if (IsControl(place.character) || IsFormat(place.character))
			appendStringInfoString(&written, REPLACEMENT);
		else if ((place.character < 0x80 && strchr("&<>|`*_[]\\~#@$", place.character)) ||
				 (place.character == '/' && before == '/') ||
				 (place.character == '.' && (before == 'w' || before == 'W')))
			appendStringInfo(&written, "&#%u;", place.character);
		else
			AppendCharacter(&written, &place);
	}
	PG_RETURN_DATUM(TextOf(&written));
}

/* Columns that what is written of a character takes, or -1 if it cannot be written as it is. */
static int
WidthOf(const Place *place)
{
	int width = IsFormat(place->character) ? -1 : pg_dsplen((const char *) place->next);

	return Max(width, -1);
}

/*
 * As text on a terminal, that takes at most so many columns: what moves the cursor, turns the
 * direction of writing or cannot be seen is made visible; what is longer ends with an ellipsis.
 */
Datum
terminal_text(PG_FUNCTION_ARGS)
{
	Place place = BeginningOf(PG_GETARG_TEXT_PP(0));
	int limit = Max(PG_GETARG_INT32(1), 1);
	int columns = 0;
	int marks = 0;
	int cut_at = 0; /* where an ellipsis still fits in */
	StringInfoData written;

	initStringInfo(&written);
	while (Advance(&place))
	{
		int width = WidthOf(&place);
		int before = written.len;

		if (width >= 0)
			AppendCharacter(&written, &place);
		else
		{
			AppendVisibly(&written, place.character);
			width = written.len - before;
		}
		/* marks that stand upon a character, however many, take no column */
		marks = width == 0 ? marks + 1 : 0;
		columns += width;
		if (columns > limit || marks > 8)
		{
			written.len = cut_at;
			appendStringInfoString(&written, ELLIPSIS);
			break;
		}
		if (columns < limit)
			cut_at = written.len;
	}
	PG_RETURN_DATUM(TextOf(&written));
}

/* How many columns a text takes on a terminal, if clair.terminal_text() has made it. */
Datum
display_width(PG_FUNCTION_ARGS)
{
	Place place = BeginningOf(PG_GETARG_TEXT_PP(0));
	int columns = 0;

	while (Advance(&place))
		columns += Max(WidthOf(&place), 0);
	PG_RETURN_INT32(columns);
}
