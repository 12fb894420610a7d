/*
 * yaml_lists_test.c
 *    Proves that lists by name are read as YAML 1.2 says, and that anything else is refused,
 *    with its line.
 */
#include "common/arena.h"
#include "feed/yaml_lists.h"
#include "unit.h"

/* The items as "name=item;", or the error. */
static void
check_lists(const char *document, const char *expected)
{
	Arena *arena = arena_create(1 << 20);
	YamlItem *items;
	ClairError error;
	size_t count;
	char result[1024] = "";
	size_t size = 0;

	if (yaml_lists_read(arena, clair_bytes(document), &items, &count, &error) != CLAIR_OK)
		snprintf(result, sizeof(result), "%s", error.message);
	else
		for (size_t i = 0; i < count; i++)
			size += (size_t) snprintf(result + size, sizeof(result) - size, "%.*s=%.*s;",
									  (int) items[i].name.size, items[i].name.data,
									  (int) items[i].item.size, items[i].item.data);
	CHECK_TEXT(clair_bytes(result), expected, document);
	arena_destroy(arena);
}

int
main(void)
{
	check_lists("", "");
	check_lists("# only a comment\n\n   # another\n---\n", "");
	check_lists("a:\n  - CVE-1\n  - CVE-2\nb:\n- x\n", "a=CVE-1;a=CVE-2;b=x;");
	check_lists("a: [x, y ,z]\nb: []\nc: [ 'q', \"r\", ] # why\n", "a=x;a=y;a=z;c=q;c=r;");
	check_lists("a:\r\n  - x # why\r\n  # why not\r\n\r\n  - y\r\n", "a=x;a=y;");
	check_lists("\"a b\": # why\n  - 'c: d'\n  - e#f\n  - g:h\n  - i j\n",
				"a b=c: d;a b=e#f;a b=g:h;a b=i j;");
	check_lists("a:\nb:\n  - x\na:\n  - y", "b=x;a=y;");
	check_lists("gtk+2.0: [x]\nlua5.1 : [y]\n", "gtk+2.0=x;lua5.1=y;");

	check_lists("<!DOCTYPE html>\n", "line 1: a colon is missing");
	check_lists("- x\n", "line 1: the item belongs to no list");
	check_lists("a: [x]\n- y\n", "line 2: the item belongs to no list");
	check_lists("a: x\n", "line 1: this is not a list");
	check_lists("a:\n  b: x\n", "line 2: the line is indented, and not an item");
	check_lists("a:\n\t- x\n", "line 2: the line is indented with tabs");
	check_lists("\n\na: [x\n", "line 3: the closing bracket is not on the same line");
	check_lists("a: [x] y\n", "line 1: there is something behind the list");
	check_lists("a: [x]#y\n", "line 1: there is something behind the list");
	check_lists("a: [x y, {z}]\n", "line 1: this is neither a name nor an item");
	check_lists("a: ['x' 'y']\n", "line 1: a comma is missing");
	check_lists("a:\n  - x: y\n", "line 2: there is something behind the item");
	check_lists("a:\n  - 'x' y\n", "line 2: there is something behind the item");
	check_lists("a:\n  - \"x\\n\"\n", "line 2: escapes in quotes are not understood");
	check_lists("a:\n  - 'x''y'\n", "line 2: escapes in quotes are not understood");
	check_lists("a:\n  - 'x\n", "line 2: a closing quote is missing");
	check_lists("a:\n  - &x y\n", "line 2: this is neither a name nor an item");
	check_lists("a:\n  - \n", "line 2: this is neither a name nor an item");
	check_lists("a:\n  -x\n", "line 2: the line is indented, and not an item");
	check_lists("a\n", "line 1: a colon is missing");
	check_lists("\xff: [x]\n", "the document is not UTF-8, or has a NUL in it");
	return unit_result();
}
