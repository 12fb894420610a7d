/*
 * yaml_lists.c
 *    Lists by name, in a little of YAML; see yaml_lists.h (YAML 1.2, chapters 6 to 8).
 *
 * Line by line: a line is empty, a comment, a list's name with or without its items in
 * brackets, or an item. Quoted scalars are taken when nothing in them is escaped.
 */
#include "feed/yaml_lists.h"

#include <inttypes.h>

#include "common/text.h"

typedef struct Lists
{
	Arena *arena;
	YamlItem *items;
	size_t count;
	size_t capacity;
	ClairBytes name;	/* of the list that items on lines of their own belong to, or none */
	ClairStatus status; /* CLAIR_OK, or what stopped the reading */
	const char *problem;
} Lists;

static bool
refuse(Lists *lists, const char *problem)
{
	lists->status = CLAIR_INVALID;
	lists->problem = problem;
	return false;
}

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static void
skip_blanks(ClairBytes *rest)
{
	while (rest->size > 0 && is_blank(rest->data[0]))
		*rest = clair_bytes_skip(*rest, 1);
}

/* Whether nothing but a comment is left of the line; before says what stands before it. */
static bool
is_line_end(ClairBytes rest, bool blank_before)
{
	if (rest.size > 0 && is_blank(rest.data[0]))
		blank_before = true;
	skip_blanks(&rest);
	return rest.size == 0 || (rest.data[0] == '#' && blank_before);
}

/* Takes a scalar in quotes off *rest. */
static bool
take_quoted(Lists *lists, ClairBytes *rest, ClairBytes *scalar)
{
	char quote = rest->data[0];
	const char *end = memchr(rest->data + 1, quote, rest->size - 1);

	if (end == NULL)
		return refuse(lists, "a closing quote is missing");
	*scalar = (ClairBytes){rest->data + 1, (size_t) (end - rest->data - 1)};
	*rest = clair_bytes_skip(*rest, scalar->size + 2);
	if ((quote == '\'' && rest->size > 0 && rest->data[0] == quote) ||
		memchr(scalar->data, '\\', scalar->size) != NULL)
		return refuse(lists, "escapes in quotes are not understood");
	return true;
}

/*
 * Takes a scalar off *rest: in quotes, or plain. A plain one ends before ": ", before a
 * comment and, in brackets, before "," and "]".
 */
static bool
take_scalar(Lists *lists, ClairBytes *rest, bool in_brackets, ClairBytes *scalar)
{
	size_t size = 0;

	skip_blanks(rest);
	if (rest->size > 0 && (rest->data[0] == '"' || rest->data[0] == '\''))
		return take_quoted(lists, rest, scalar);
	if (rest->size > 0 && strchr("[]{},&*!|>%@`#?:", rest->data[0]) != NULL)
		return refuse(lists, "this is neither a name nor an item");
	for (; size < rest->size; size++)
	{
		char byte = rest->data[size];

		if ((byte == ':' && (size + 1 == rest->size || is_blank(rest->data[size + 1]))) ||
			(byte == '#' && size > 0 && is_blank(rest->data[size - 1])) ||
			(in_brackets && strchr(",[]{}", byte) != NULL))
			break;
	}
	*scalar = text_trim((ClairBytes){rest->data, size});
	*rest = clair_bytes_skip(*rest, size);
	if (scalar->size == 0)
		return refuse(lists, "this is neither a name nor an item");
	return true;
}

static bool
add_item(Lists *lists, ClairBytes item)
{
	lists->items = arena_grow_array(lists->arena, lists->items, lists->count + 1, &lists->capacity,
									sizeof(YamlItem));
	if (lists->items == NULL)
	{
		refuse(lists, "there is not enough memory for the lists");
		lists->status = CLAIR_LIMIT;
		return false;
	}
	lists->items[lists->count++] = (YamlItem){lists->name, item};
	return true;
}

/* Reads "[item, item]", from behind the opening bracket, to the end of the line. */
static bool
read_brackets(Lists *lists, ClairBytes rest)
{
	ClairBytes item;

	skip_blanks(&rest);
	while (rest.size > 0 && rest.data[0] != ']')
	{
		if (!take_scalar(lists, &rest, true, &item) || !add_item(lists, item))
			return false;
		skip_blanks(&rest);
		if (rest.size > 0 && rest.data[0] == ',')
		{
			rest = clair_bytes_skip(rest, 1);
			skip_blanks(&rest);
		}
		else if (rest.size > 0 && rest.data[0] != ']')
			return refuse(lists, "a comma is missing");
	}
	if (rest.size == 0)
		return refuse(lists, "the closing bracket is not on the same line");
	if (!is_line_end(clair_bytes_skip(rest, 1), false))
		return refuse(lists, "there is something behind the list");
	return true;
}

/* Reads "name:" or "name: [...]". */
static bool
read_name(Lists *lists, ClairBytes rest)
{
	lists->name = CLAIR_NULL_BYTES;
	if (!take_scalar(lists, &rest, false, &lists->name))
		return false;
	skip_blanks(&rest);
	if (rest.size == 0 || rest.data[0] != ':')
		return refuse(lists, "a colon is missing");
	rest = clair_bytes_skip(rest, 1);
	if (is_line_end(rest, false))
		return true;
	skip_blanks(&rest);
	if (rest.data[0] != '[')
		return refuse(lists, "this is not a list");
	if (!read_brackets(lists, clair_bytes_skip(rest, 1)))
		return false;
	lists->name = CLAIR_NULL_BYTES; /* the list is complete */
	return true;
}

/* Reads "- item", from behind the dash. */
static bool
read_item(Lists *lists, ClairBytes rest)
{
	ClairBytes item;

	if (lists->name.data == NULL)
		return refuse(lists, "the item belongs to no list");
	if (!take_scalar(lists, &rest, false, &item))
		return false;
	if (!is_line_end(rest, rest.size > 0 && rest.data[0] == '#'))
		return refuse(lists, "there is something behind the item");
	return add_item(lists, item);
}

static bool
read_line(Lists *lists, ClairBytes line)
{
	ClairBytes rest = line;
	bool started = lists->count > 0 || lists->name.data != NULL;

	if (is_line_end(line, true) || (!started && clair_bytes_equal(line, CLAIR_LITERAL("---"))))
		return true;
	skip_blanks(&rest);
	if (memchr(line.data, '\t', line.size - rest.size) != NULL)
		return refuse(lists, "the line is indented with tabs");
	if (rest.size >= 2 && rest.data[0] == '-' && is_blank(rest.data[1]))
		return read_item(lists, clair_bytes_skip(rest, 2));
	if (rest.size < line.size)
		return refuse(lists, "the line is indented, and not an item");
	return read_name(lists, rest);
}

ClairStatus
yaml_lists_read(Arena *arena, ClairBytes document, YamlItem **items, size_t *count,
				ClairError *error)
{
	Lists lists = {.arena = arena};
	ClairBytes line;
	int64_t number = 0;

	if (!text_is_valid(document))
		return clair_error(error, CLAIR_INVALID, "the document is not UTF-8, or has a NUL in it");
	while (text_next_line(&document, &line))
	{
		number++;
		if (!read_line(&lists, line))
			return clair_error(error, lists.status, "line %" PRId64 ": %s", number, lists.problem);
	}
	*items = lists.items;
	*count = lists.count;
	return CLAIR_OK;
}
