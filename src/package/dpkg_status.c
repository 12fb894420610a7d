/*
 * dpkg_status.c
 *    Reads dpkg's database: the packages whose files are on the disk, and their sources.
 *
 * "status" has all packages that dpkg knows of, with their states (dpkg(1)); a file of
 * "status.d", as images without dpkg have them, has one installed package and usually no
 * state. opkg's "status" is like dpkg's. What dpkg itself could not read is a problem of its
 * stanza; the others are read.
 */
#include <inttypes.h>

#include "common/text.h"
#include "package/control.h"
#include "package/package.h"

typedef struct Stanza
{
	int64_t line; /* of its first field; 0: none yet */
	Feature feature;
	ClairBytes status;
	ClairBytes source;
} Stanza;

/* dpkg's rule: letters, digits, "-+._", a letter or digit first. */
static bool
is_package_name(ClairBytes name)
{
	for (size_t i = 0; i < name.size; i++)
	{
		char byte = name.data[i];
		bool alphanumeric = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
							(byte >= '0' && byte <= '9');

		if (!alphanumeric && (i == 0 || memchr("-+._", byte, 4) == NULL))
			return false;
	}
	return name.size > 0;
}

/*
 * What the third word of a status says: whether the package's files are on the disk, if
 * perhaps not all of them. False when the status is none.
 */
static bool
read_status(ClairBytes status, bool *present)
{
	static const struct
	{
		const char *word;
		bool present;
	} states[] = {
		{"installed", true},	 {"half-configured", true},	 {"half-installed", true},
		{"unpacked", true},		 {"triggers-awaited", true}, {"triggers-pending", true},
		{"config-files", false}, {"not-installed", false},
	};
	ClairBytes word;
	int words = 0;

	while (control_next_word(&status, &word))
	{
		if (++words < 3)
			continue;
		for (size_t i = 0; i < sizeof(states) / sizeof(states[0]) && words == 3; i++)
		{
			if (!clair_bytes_equal(word, clair_bytes(states[i].word)))
				continue;
			*present = states[i].present;
			return text_trim(status).size == 0;
		}
		return false;
	}
	return false;
}

/* "name" or "name (version)". */
static void
read_source(ClairBytes source, Feature *feature)
{
	const char *parenthesis = source.size > 0 ? memchr(source.data, '(', source.size) : NULL;
	size_t before = parenthesis != NULL ? (size_t) (parenthesis - source.data) : source.size;
	ClairBytes version;

	if (source.size == 0)
		return;
	feature->source_name = text_trim((ClairBytes){source.data, before});
	if (parenthesis == NULL)
		return;
	version = clair_bytes_skip(source, before + 1);
	if (version.size > 0 && version.data[version.size - 1] == ')')
		version.size--;
	feature->source_version = text_trim(version);
}

/* Adds the stanza's package, and begins the next stanza. */
static ClairStatus
finish_stanza(Stanza *stanza, bool needs_status, Findings *findings, ClairError *error)
{
	Stanza read = *stanza;
	Feature *feature = &read.feature;
	bool present = true;

	*stanza = (Stanza){.line = 0};
	if (read.line == 0)
		return CLAIR_OK;
	if (!is_package_name(feature->name))
		return findings_problem(findings, error,
								"line %" PRId64 ": \"%.*s\" is not a package's name", read.line,
								(int) (feature->name.size < 100 ? feature->name.size : 100),
								feature->name.size > 0 ? feature->name.data : "");
	if (read.status.data == NULL ? needs_status : !read_status(read.status, &present))
		return findings_problem(findings, error,
								"line %" PRId64 ": package \"%.*s\" has no valid status", read.line,
								(int) (feature->name.size < 100 ? feature->name.size : 100),
								feature->name.data);
	if (!present)
		return CLAIR_OK;
	if (feature->architecture.size == 0)
		feature->architecture = CLAIR_NULL_BYTES;
	read_source(read.source, feature);
	return findings_feature(findings, VERSION_DPKG, read.line, feature, error);
}

static void
take_field(Stanza *stanza, ClairBytes name, ClairBytes value, int64_t line)
{
	const struct
	{
		ClairBytes name;
		ClairBytes *value;
	} fields[] = {
		{CLAIR_LITERAL("Package"), &stanza->feature.name},
		{CLAIR_LITERAL("Version"), &stanza->feature.version},
		{CLAIR_LITERAL("Architecture"), &stanza->feature.architecture},
		{CLAIR_LITERAL("Status"), &stanza->status},
		{CLAIR_LITERAL("Source"), &stanza->source},
	};

	if (stanza->line == 0)
		stanza->line = line;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
	{
		if (text_equal_ignoring_case(name, fields[i].name))
			*fields[i].value = value;
	}
}

static ClairStatus
read_stanzas(ClairBytes file, bool needs_status, Findings *findings, ClairError *error)
{
	Stanza stanza = {.line = 0};
	ControlReader reader;
	ClairStatus status = CLAIR_OK;
	ClairBytes name;
	ClairBytes value;

	control_start(&reader, file);
	while (status == CLAIR_OK)
	{
		switch (control_next(&reader, &name, &value))
		{
			case CONTROL_END:
				return finish_stanza(&stanza, needs_status, findings, error);
			case CONTROL_STANZA_END:
				status = finish_stanza(&stanza, needs_status, findings, error);
				break;
			case CONTROL_FIELD:
				take_field(&stanza, name, value, reader.line);
				break;
			case CONTROL_CONTINUATION:
				break;
			case CONTROL_TOO_LONG:
				status = findings_problem(findings, error, "line %" PRId64 " is longer than %d MB",
										  reader.line, CLAIR_MAX_LINE >> 20);
				break;
			case CONTROL_MALFORMED:
				status = findings_problem(findings, error, "line %" PRId64 " is not a field",
										  reader.line);
				break;
		}
	}
	return status;
}

ClairStatus
dpkg_status_read(ClairBytes file, Findings *findings, ClairError *error)
{
	return read_stanzas(file, true, findings, error);
}

ClairStatus
dpkg_status_d_read(ClairBytes file, Findings *findings, ClairError *error)
{
	return read_stanzas(file, false, findings, error);
}
