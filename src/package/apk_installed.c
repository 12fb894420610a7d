/*
 * apk_installed.c
 *    Reads apk's database: the installed packages, and the sources that they come from.
 *
 * A sequence of entries of "X:value" lines, parted by empty lines; of the letters, P is the
 * name, V the version, A the architecture, L the license and o the origin, whose version is the
 * package's (apk-tools, apk-v2). Lines of other letters, the list of files among them, are passed
 * over.
 */
#include <inttypes.h>

#include "common/text.h"
#include "package/package.h"

typedef struct Entry
{
	int64_t line; /* of its first line; 0: none yet */
	Feature feature;
} Entry;

/* apk version 3 can keep its database in a binary form, which begins like this. */
static bool
is_binary(ClairBytes file)
{
	return clair_bytes_start_with(file, CLAIR_LITERAL("ADB.")) ||
		   clair_bytes_start_with(file, CLAIR_LITERAL("ADBd")) ||
		   clair_bytes_start_with(file, CLAIR_LITERAL("ADBc"));
}

/* Adds the entry's package, and begins the next entry. */
static ClairStatus
finish_entry(Entry *entry, Findings *findings, ClairError *error)
{
	Entry read = *entry;
	ClairBytes name = read.feature.name;

	*entry = (Entry){.line = 0};
	if (read.line == 0)
		return CLAIR_OK;

	/* A name with a dot is that of a set of packages, made by apk add --virtual. */
	if (name.size > 0 && name.data[0] == '.')
		return CLAIR_OK;
	if (name.size > 0 && !text_is_word(name))
		return findings_problem(findings, error,
								"line %" PRId64 ": \"%.*s\" is not a package's name", read.line,
								(int) (name.size < 100 ? name.size : 100), name.data);
	return findings_feature(findings, VERSION_APK, read.line, &read.feature, error);
}

static ClairStatus
take_line(Entry *entry, ClairBytes line, int64_t number, Findings *findings, ClairError *error)
{
	ClairBytes value;

	if (line.size > CLAIR_MAX_LINE)
		return findings_problem(findings, error, "line %" PRId64 " is longer than %d MB", number,
								CLAIR_MAX_LINE >> 20);
	if (line.size < 2 || line.data[1] != ':')
		return findings_problem(findings, error, "line %" PRId64 " is not a field", number);
	if (entry->line == 0)
		entry->line = number;
	value = clair_bytes_skip(line, 2);
	switch (line.data[0])
	{
		case 'P':
			entry->feature.name = value;
			break;
		case 'V':
			entry->feature.version = value;
			break;
		case 'A':
			if (value.size > 0)
				entry->feature.architecture = value;
			break;
		case 'L':
			entry->feature.license = value;
			break;
		case 'o':
			if (value.size > 0)
				entry->feature.source_name = value;
			break;
		default:
			break;
	}
	return CLAIR_OK;
}

ClairStatus
apk_installed_read(ClairBytes file, Findings *findings, ClairError *error)
{
	Entry entry = {.line = 0};
	ClairStatus status = CLAIR_OK;
	ClairBytes line;

	if (is_binary(file))
		return findings_unsupported(findings, error,
									"the database is in apk's binary form, which is not supported");
	for (int64_t number = 1; status == CLAIR_OK && text_next_line(&file, &line); number++)
	{
		if (line.size == 0)
			status = finish_entry(&entry, findings, error);
		else
			status = take_line(&entry, line, number, findings, error);
	}
	if (status == CLAIR_OK)
		status = finish_entry(&entry, findings, error);
	return status;
}
