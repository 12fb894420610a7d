/*
 * glob_fuzz.c
 *    Patterns and paths: a match must be what the plainest matcher says, which tries everything.
 */
#include "common/glob.h"
#include "fuzz.h"

/* Small enough for a matcher that tries everything. */
#define MAX_PATTERN 24
#define MAX_PATH	24

/* Whether a pattern, from a component's beginning on if at_start, matches all of a path. */
static bool
matches(const char *pattern, const char *path, bool at_start)
{
	if (at_start && pattern[0] == '*' && pattern[1] == '*' &&
		(pattern[2] == '\0' || pattern[2] == '/'))
	{
		if (pattern[2] == '\0')
			return path[0] != '\0';
		for (const char *rest = path; rest != NULL; rest = strchr(rest, '/'))
		{
			rest += rest[0] == '/' ? 1 : 0;
			if (matches(pattern + 3, rest, true))
				return true;
		}
		return false;
	}
	if (pattern[0] == '\0')
		return path[0] == '\0';
	if (pattern[0] == '*')
		return matches(pattern + 1, path, false) ||
			   (path[0] != '\0' && path[0] != '/' && matches(pattern, path + 1, false));
	return pattern[0] == path[0] && matches(pattern + 1, path + 1, pattern[0] == '/');
}

/* Whether it is the clean form of a path, and not the root. */
static bool
is_clean(const char *path)
{
	return path[0] != '\0' && path[0] != '/' && path[strlen(path) - 1] != '/' &&
		   strstr(path, "//") == NULL;
}

FUZZ_TARGET(glob)
{
	/* Few letters, so that things match. */
	static const char letters[] = "ab/*/a*b";
	char text[MAX_PATTERN + MAX_PATH + 1] = "";
	char *pattern = text;
	char *path;
	GlobMatch match;

	if (size < 2 || size > MAX_PATTERN + MAX_PATH)
		return 0;
	for (size_t i = 1; i < size; i++)
		text[i - 1] = letters[data[i] % 8];
	path = text + data[0] % size;
	if (path > text)
		path[-1] = '\0';
	if (path == text || !is_clean(path) || glob_problem(clair_bytes(pattern)) != NULL)
		return 0;
	match = glob_match(clair_bytes(pattern), clair_bytes(path));
	if ((match == GLOB_MATCH) != matches(pattern, path, true))
		abort();
	/* What is above a match is known to be. */
	if (match == GLOB_MATCH && strrchr(path, '/') != NULL)
	{
		*strrchr(path, '/') = '\0';
		if (glob_match(clair_bytes(pattern), clair_bytes(path)) == GLOB_NONE)
			abort();
	}
	return 0;
}
