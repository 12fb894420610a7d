/*
 * glob_test.c
 *    Proves what patterns of paths match, that hostile paths cost no time, and that what looks like
 *    a pattern of another language is refused.
 */
#include <stdlib.h>
#include <time.h>

#include "common/glob.h"
#include "unit.h"

/* Checks what each of several blank-separated paths is to a pattern; "." stands for the root. */
static void
check(const char *pattern, GlobMatch expected, const char *paths)
{
	char copy[1024];

	snprintf(copy, sizeof(copy), "%s", paths);
	for (char *path = strtok(copy, " "); path != NULL; path = strtok(NULL, " "))
	{
		char what[1200];
		const char *shown = strcmp(path, ".") == 0 ? "" : path;

		snprintf(what, sizeof(what), "%s: %s", pattern, path);
		CHECK_INT(glob_match(clair_bytes(pattern), clair_bytes(shown)), expected, what);
	}
}

static void
test_components(void)
{
	check("a/b", GLOB_MATCH, "a/b");
	check("a/b", GLOB_ABOVE, ". a");
	check("a/b", GLOB_NONE, "b a/bb a/b/c ab aa/b A/b");
	check("a/*.txt", GLOB_MATCH, "a/.txt a/b.txt a/b.txt.txt a/*.txt");
	check("a/*.txt", GLOB_NONE, "a/b.txt/c a/b/c.txt a/txt b/c.txt");
	check("*/b", GLOB_MATCH, "a/b .a/b");
	check("*/b", GLOB_ABOVE, "a .x *");
	check("*/b", GLOB_NONE, "a/a/b a/c");
	check("a*b*c", GLOB_MATCH, "abc aXbXc abbcbc aabbcc ab*c");
	check("a*b*c", GLOB_NONE, "ab acb abcd a/bc abc/c");
	check("*", GLOB_MATCH, "a .a **");
	check("*", GLOB_NONE, "a/b");
}

static void
test_stars(void)
{
	check("**/x", GLOB_MATCH, "x a/x a/b/x x/x");
	check("**/x", GLOB_BELOW_STARS, "a a/b x/a ax");
	check("**/x", GLOB_ABOVE, ".");
	check("a/**/x", GLOB_MATCH, "a/x a/b/x a/b/c/x a/x/x");
	check("a/**/x", GLOB_BELOW_STARS, "a/b a/b/c a/x/b");
	check("a/**/x", GLOB_ABOVE, ". a");
	check("a/**/x", GLOB_NONE, "b b/x x aa/x");
	check("a/**", GLOB_MATCH, "a/b a/b/c");
	check("a/**", GLOB_ABOVE, "a");
	check("**", GLOB_MATCH, "a a/b");
	check("**/b/**/c*/d", GLOB_MATCH, "b/c/d a/b/x/c/d b/b/cc/c/d b/c/x/c/d b/c/d/c/d");
	check("**/b/**/c*/d", GLOB_BELOW_STARS, "b/c c/d b/d a/c/d b/c/d/e b/x/c/x/d");
	check("**/**/x", GLOB_MATCH, "x a/x a/b/x");
	check("**/a*/*", GLOB_MATCH, "a/b x/ab/c a/a/b");
	check("**/a*/*", GLOB_BELOW_STARS, "a x/a a/b/c");
}

static void
test_time(void)
{
	char pattern[GLOB_MAX + 1] = "";
	char *path = malloc(4097);
	clock_t begin = clock();

	for (int i = 0; i < 100; i++)
		strcat(pattern, "**/a/");
	strcat(pattern, "b");
	for (int i = 0; i < 2048; i++)
		memcpy(path + 2 * i, "a/", 3);
	for (int i = 0; i < 20; i++)
		CHECK_INT(glob_match(clair_bytes(pattern), clair_bytes(path)), GLOB_BELOW_STARS,
				  "many directories, many stars");
	memset(pattern, 0, sizeof(pattern));
	for (int i = 0; i < 200; i++)
		strcat(pattern, "*a");
	strcat(pattern, "*b");
	memset(path, 'a', 4096);
	for (int i = 0; i < 20; i++)
		CHECK_INT(glob_match(clair_bytes(pattern), clair_bytes(path)), GLOB_NONE,
				  "a long name, many stars");
	CHECK(clock() - begin < 2 * CLOCKS_PER_SEC, "that takes no time");
	free(path);
}

/* Checks why a text is no pattern; NULL: it is one. */
static void
check_problem(const char *pattern, const char *expected)
{
	const char *problem = glob_problem(clair_bytes(pattern));

	CHECK_TEXT(clair_bytes(problem != NULL ? problem : "-"), expected != NULL ? expected : "-",
			   pattern);
}

static void
test_problems(void)
{
	char text[GLOB_MAX + 2];

	check_problem("usr/lib/python3/**/*.dist-info/METADATA", NULL);
	check_problem("**", NULL);
	check_problem("a b/\xc3\xa4", NULL);
	check_problem("...", NULL);
	check_problem("", "it does not end with a name");
	check_problem("a/", "it does not end with a name");
	check_problem("/a", "it has an empty component");
	check_problem("a//b", "it has an empty component");
	check_problem("./a", "it has the component \".\" or \"..\"");
	check_problem("a/../b", "it has the component \".\" or \"..\"");
	check_problem("a\nb", "it has a control character");
	check_problem("a/**b", "** is a component of its own");
	check_problem("***", "** is a component of its own");
	check_problem("a?", "of all wildcards there are only * and **");
	check_problem("[a]", "of all wildcards there are only * and **");
	check_problem("{a,b}", "of all wildcards there are only * and **");
	check_problem("a\\*", "of all wildcards there are only * and **");
	check_problem("\xff", "it is not valid text");
	memset(text, 'a', sizeof(text));
	CHECK(glob_problem((ClairBytes){text, GLOB_MAX}) == NULL &&
			  glob_problem((ClairBytes){text, GLOB_MAX + 1}) != NULL,
		  "the greatest length");
}

int
main(void)
{
	test_components();
	test_stars();
	test_time();
	test_problems();
	return unit_result();
}
