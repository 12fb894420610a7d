/*
 * apt_sources.c
 *    Reads apt's lists of sources, in both their forms (sources.list(5)), for their suites.
 *
 * Where a release file says only "sid or testing", the suites that packages come from tell
 * which. What counts is binary packages of the component "main", which the distribution's
 * own archives have and most others have not. Facts: "suite", "suite.1", "suite.2", ...
 */
#include "common/text.h"
#include "package/control.h"
#include "package/package.h"

#define MAX_SUITES 32

typedef struct Suites
{
	ClairBytes names[MAX_SUITES];
	int count;
} Suites;

static void
add_suite(Suites *suites, ClairBytes name)
{
	for (int i = 0; i < suites->count; i++)
	{
		if (clair_bytes_equal(suites->names[i], name))
			return;
	}
	if (suites->count < MAX_SUITES)
		suites->names[suites->count++] = name;
}

static ClairStatus
report_suites(const Suites *suites, Findings *findings, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (int i = 0; i < suites->count && status == CLAIR_OK; i++)
		status = findings_fact_of_list(findings, "suite", i, suites->names[i], error);
	return status;
}

static bool
has_word(ClairBytes words, const char *wanted)
{
	ClairBytes word;

	while (control_next_word(&words, &word))
	{
		if (clair_bytes_equal(word, clair_bytes(wanted)))
			return true;
	}
	return false;
}

/* Takes "[option=value ...]" off the front. False when the bracket is not closed. */
static bool
skip_options(ClairBytes *rest)
{
	const char *end;

	*rest = text_trim(*rest);
	if (rest->size == 0 || rest->data[0] != '[')
		return true;
	end = memchr(rest->data, ']', rest->size);
	if (end == NULL)
		return false;
	*rest = clair_bytes_skip(*rest, (size_t) (end - rest->data) + 1);
	return true;
}

/* Lines of "deb [options] URI suite component ...". */
ClairStatus
apt_list_read(ClairBytes file, Findings *findings, ClairError *error)
{
	Suites suites = {.count = 0};
	ClairBytes line;

	while (text_next_line(&file, &line))
	{
		const char *comment = line.size > 0 ? memchr(line.data, '#', line.size) : NULL;
		ClairBytes word;
		ClairBytes suite;

		if (comment != NULL)
			line.size = (size_t) (comment - line.data);
		if (control_next_word(&line, &word) && clair_bytes_equal(word, CLAIR_LITERAL("deb")) &&
			skip_options(&line) && control_next_word(&line, &word) &&
			control_next_word(&line, &suite) && has_word(line, "main"))
			add_suite(&suites, suite);
	}
	return report_suites(&suites, findings, error);
}

typedef struct SourcesStanza
{
	bool has_deb;
	bool has_main;
	bool disabled;
	Suites suites;
} SourcesStanza;

static void
finish_stanza(SourcesStanza *stanza, Suites *suites)
{
	for (int i = 0; i < stanza->suites.count; i++)
	{
		if (stanza->has_deb && stanza->has_main && !stanza->disabled)
			add_suite(suites, stanza->suites.names[i]);
	}
	*stanza = (SourcesStanza){.has_deb = false};
}

/* Takes a field's value, or a line that continues it. */
static void
take_value(SourcesStanza *stanza, ClairBytes field, ClairBytes value)
{
	ClairBytes word;

	if (text_equal_ignoring_case(field, CLAIR_LITERAL("Types")))
		stanza->has_deb |= has_word(value, "deb");
	else if (text_equal_ignoring_case(field, CLAIR_LITERAL("Components")))
		stanza->has_main |= has_word(value, "main");
	else if (text_equal_ignoring_case(field, CLAIR_LITERAL("Enabled")))
		stanza->disabled = text_equal_ignoring_case(value, CLAIR_LITERAL("no"));
	else if (text_equal_ignoring_case(field, CLAIR_LITERAL("Suites")))
	{
		while (control_next_word(&value, &word))
			add_suite(&stanza->suites, word);
	}
}

/* Stanzas with the fields Types, URIs, Suites and Components. */
ClairStatus
apt_sources_read(ClairBytes file, Findings *findings, ClairError *error)
{
	Suites suites = {.count = 0};
	SourcesStanza stanza = {.has_deb = false};
	ControlReader reader;
	ControlLine line;
	ClairBytes field = CLAIR_NULL_BYTES;
	ClairBytes name;
	ClairBytes value;

	control_start(&reader, file);
	while ((line = control_next(&reader, &name, &value)) != CONTROL_END)
	{
		if (line == CONTROL_STANZA_END)
			finish_stanza(&stanza, &suites);
		else if (line == CONTROL_FIELD)
			field = name;
		if ((line == CONTROL_FIELD && name.data[0] != '#') ||
			(line == CONTROL_CONTINUATION && value.data[0] != '#'))
			take_value(&stanza, field, value);
	}
	finish_stanza(&stanza, &suites);
	return report_suites(&suites, findings, error);
}
