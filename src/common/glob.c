/*
 * glob.c
 *    Patterns of paths within layers; see glob.h.
 *
 * Paths are hostile, so matching goes back to the last star only, which is enough: what an earlier
 * one could do, the last one can do as well. The time is at most the product of both lengths.
 */
#include "common/glob.h"

#include "common/text.h"

static bool
is_stars(ClairBytes component)
{
	return clair_bytes_equal(component, CLAIR_LITERAL("**"));
}

static const char *
component_problem(ClairBytes component)
{
	if (component.size == 0)
		return "it has an empty component";
	if (clair_bytes_equal(component, CLAIR_LITERAL(".")) ||
		clair_bytes_equal(component, CLAIR_LITERAL("..")))
		return "it has the component \".\" or \"..\"";
	for (size_t i = 0; i < component.size; i++)
	{
		if ((unsigned char) component.data[i] < ' ')
			return "it has a control character";
		if (memchr("?[]{}\\", component.data[i], 6) != NULL)
			return "of all wildcards there are only * and **";
		if (i > 0 && component.size > 2 && component.data[i - 1] == '*' && component.data[i] == '*')
			return "** is a component of its own";
	}
	return NULL;
}

const char *
glob_problem(ClairBytes pattern)
{
	const char *problem = NULL;

	if (pattern.size > GLOB_MAX)
		return "it is too long";
	if (!text_is_valid(pattern))
		return "it is not valid text";
	if (pattern.size == 0 || pattern.data[pattern.size - 1] == '/')
		return "it does not end with a name";
	while (problem == NULL && pattern.size > 0)
		problem = component_problem(text_take_part(&pattern, '/'));
	return problem;
}

/* Whether a component matches one of a pattern that is not "**". */
static bool
match_component(ClairBytes pattern, ClairBytes name)
{
	ClairBytes star = CLAIR_NULL_BYTES; /* what follows the last star */
	ClairBytes retry = CLAIR_NULL_BYTES;

	while (name.size > 0)
	{
		if (pattern.size > 0 && pattern.data[0] == '*')
		{
			star = pattern = clair_bytes_skip(pattern, 1);
			retry = name;
		}
		else if (pattern.size > 0 && pattern.data[0] == name.data[0])
		{
			pattern = clair_bytes_skip(pattern, 1);
			name = clair_bytes_skip(name, 1);
		}
		else if (star.data != NULL)
		{
			pattern = star;
			name = retry = clair_bytes_skip(retry, 1);
		}
		else
			return false;
	}
	while (pattern.size > 0 && pattern.data[0] == '*')
		pattern = clair_bytes_skip(pattern, 1);
	return pattern.size == 0;
}

/* Whether a path, not the root, matches a pattern that begins with "**". */
static bool
match_stars(ClairBytes pattern, ClairBytes path)
{
	ClairBytes stars = CLAIR_NULL_BYTES; /* what follows the last "**" */
	ClairBytes retry = CLAIR_NULL_BYTES;

	while (path.size > 0)
	{
		ClairBytes rest = pattern;
		ClairBytes component = text_take_part(&rest, '/');

		if (is_stars(component))
		{
			if (rest.size == 0)
				return true;
			stars = pattern = rest;
			retry = path;
			continue;
		}
		pattern = rest;
		if (component.size > 0 && match_component(component, text_take_part(&path, '/')))
			continue;
		(void) text_take_part(&retry, '/');
		pattern = stars;
		path = retry;
	}
	return pattern.size == 0;
}

GlobMatch
glob_match(ClairBytes pattern, ClairBytes path)
{
	while (path.size > 0)
	{
		ClairBytes rest = pattern;
		ClairBytes component = text_take_part(&rest, '/');

		if (is_stars(component))
			return match_stars(pattern, path) ? GLOB_MATCH : GLOB_BELOW_STARS;
		if (component.size == 0 || !match_component(component, text_take_part(&path, '/')))
			return GLOB_NONE;
		pattern = rest;
	}
	return pattern.size == 0 ? GLOB_MATCH : GLOB_ABOVE;
}
