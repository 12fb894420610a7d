/*
 * os_release.c
 *    Reads release files: os-release, lsb-release, and those of one line.
 *
 * The first two are lists of assignments as a shell would read them (os-release(5)); of each
 * key that we know, the last assignment counts. Lines that are none are passed over.
 */
#include "common/text.h"
#include "package/package.h"

/* Assignments of a file, with the name of the fact that each becomes. */
typedef struct Assignment
{
	ClairBytes key;
	ClairBytes fact;
} Assignment;

#define MAX_ASSIGNMENTS 12

/*
 * Takes the quotes off: within single quotes nothing else is special; within double quotes a
 * backslash makes the next of $, ", \ and ` ordinary. Text without value when exhausted.
 */
static ClairBytes
unquote(Arena *arena, ClairBytes value)
{
	char quote = value.size > 0 ? value.data[0] : '\0';
	char *text;
	size_t used = 0;

	if (quote != '"' && quote != '\'')
		return value;
	value = clair_bytes_skip(value, 1);
	if (value.size > 0 && value.data[value.size - 1] == quote)
		value.size--;
	if (quote == '\'' || memchr(value.data, '\\', value.size) == NULL)
		return value;
	text = arena_alloc(arena, value.size);
	if (text == NULL)
		return CLAIR_NULL_BYTES;
	for (size_t i = 0; i < value.size; i++)
	{
		if (value.data[i] == '\\' && i + 1 < value.size &&
			memchr("$\"\\`", value.data[i + 1], 4) != NULL)
			i++;
		text[used++] = value.data[i];
	}
	return (ClairBytes){text, used};
}

static ClairStatus
read_assignments(ClairBytes file, const Assignment *assignments, size_t count, Findings *findings,
				 ClairError *error)
{
	ClairBytes values[MAX_ASSIGNMENTS] = {CLAIR_NULL_BYTES};
	ClairBytes line;
	ClairStatus status = CLAIR_OK;

	while (text_next_line(&file, &line))
	{
		const char *equals;
		ClairBytes key;

		line = text_trim(line);
		equals = line.size > 0 && line.data[0] != '#' ? memchr(line.data, '=', line.size) : NULL;
		if (equals == NULL)
			continue;
		key = text_trim((ClairBytes){line.data, (size_t) (equals - line.data)});
		for (size_t i = 0; i < count; i++)
		{
			if (clair_bytes_equal(key, assignments[i].key))
				values[i] = text_trim(clair_bytes_skip(line, (size_t) (equals - line.data) + 1));
		}
	}
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		ClairBytes value = unquote(findings->arena, values[i]);

		if (values[i].data != NULL && value.data == NULL)
			return clair_error(error, CLAIR_MEMORY, "out of memory");
		if (value.size > 0)
			status = findings_fact(findings, assignments[i].fact, value, error);
	}
	return status;
}

ClairStatus
os_release_read(ClairBytes file, Findings *findings, ClairError *error)
{
	static const Assignment assignments[] = {
		{CLAIR_LITERAL("ID"), CLAIR_LITERAL("id")},
		{CLAIR_LITERAL("VERSION_ID"), CLAIR_LITERAL("version_id")},
		{CLAIR_LITERAL("VERSION_CODENAME"), CLAIR_LITERAL("version_codename")},
		{CLAIR_LITERAL("PRETTY_NAME"), CLAIR_LITERAL("pretty_name")},
		{CLAIR_LITERAL("NAME"), CLAIR_LITERAL("name")},
		{CLAIR_LITERAL("ID_LIKE"), CLAIR_LITERAL("id_like")},
		{CLAIR_LITERAL("VARIANT_ID"), CLAIR_LITERAL("variant_id")},
		{CLAIR_LITERAL("CPE_NAME"), CLAIR_LITERAL("cpe_name")},
		{CLAIR_LITERAL("VERSION"), CLAIR_LITERAL("version")},
		{CLAIR_LITERAL("UBUNTU_CODENAME"), CLAIR_LITERAL("ubuntu_codename")},
		{CLAIR_LITERAL("PLATFORM_ID"), CLAIR_LITERAL("platform_id")},
		{CLAIR_LITERAL("SUPPORT_END"), CLAIR_LITERAL("support_end")},
	};

	return read_assignments(file, assignments, sizeof(assignments) / sizeof(assignments[0]),
							findings, error);
}

ClairStatus
lsb_release_read(ClairBytes file, Findings *findings, ClairError *error)
{
	static const Assignment assignments[] = {
		{CLAIR_LITERAL("DISTRIB_ID"), CLAIR_LITERAL("distrib_id")},
		{CLAIR_LITERAL("DISTRIB_RELEASE"), CLAIR_LITERAL("distrib_release")},
		{CLAIR_LITERAL("DISTRIB_CODENAME"), CLAIR_LITERAL("distrib_codename")},
	};

	return read_assignments(file, assignments, sizeof(assignments) / sizeof(assignments[0]),
							findings, error);
}

/* The first line is the version. */
ClairStatus
one_line_release_read(ClairBytes file, Findings *findings, ClairError *error)
{
	ClairBytes line;

	if (!text_next_line(&file, &line))
		return CLAIR_OK;
	line = text_trim(line);
	if (line.size == 0)
		return CLAIR_OK;
	return findings_fact(findings, CLAIR_LITERAL("version"), line, error);
}
