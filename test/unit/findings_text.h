/*
 * findings_text.h
 *    What a reader of package databases or release files finds, as one text.
 *
 * Features as "name version source source_version architecture;", with " module ", " vendor " and
 * " license " of those that have them, and "!" and the problem of a version; facts as "key=value;";
 * problems as
 * "?reason;", with two "?" when the form of the file is not supported.
 */
#ifndef CLAIR_FINDINGS_TEXT_H
#define CLAIR_FINDINGS_TEXT_H

#include "package/package.h"
#include "unit.h"

typedef struct FindingsText
{
	char text[65536];
	size_t used;
} FindingsText;

static inline void
findings_text_add(FindingsText *to, ClairBytes bytes, const char *after)
{
	size_t size = bytes.data != NULL ? bytes.size : 1;

	if (to->used + size + strlen(after) >= sizeof(to->text))
		return;
	memcpy(to->text + to->used, bytes.data != NULL ? bytes.data : "-", size);
	memcpy(to->text + to->used + size, after, strlen(after) + 1);
	to->used += size + strlen(after);
}

/* Adds all that was found. */
static inline void
findings_text_add_all(FindingsText *text, const Findings *findings)
{
	for (const Feature *feature = findings->features; feature != NULL; feature = feature->next)
	{
		const struct
		{
			const char *name;
			ClairBytes value;
		} others[] = {{" module ", feature->module},
					  {" vendor ", feature->vendor},
					  {" license ", feature->license},
					  {" !", feature->problem}};

		findings_text_add(text, feature->name, " ");
		findings_text_add(text, feature->version, " ");
		findings_text_add(text, feature->source_name, " ");
		findings_text_add(text, feature->source_version, " ");
		findings_text_add(text, feature->architecture, "");
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		{
			if (others[i].value.data == NULL)
				continue;
			findings_text_add(text, clair_bytes(others[i].name), "");
			findings_text_add(text, others[i].value, "");
		}
		findings_text_add(text, CLAIR_LITERAL(""), ";");
	}
	for (const Fact *fact = findings->facts; fact != NULL; fact = fact->next)
	{
		findings_text_add(text, fact->key, "=");
		findings_text_add(text, fact->value, ";");
	}
	for (const Problem *problem = findings->problems; problem != NULL; problem = problem->next)
	{
		findings_text_add(text, problem->unsupported ? CLAIR_LITERAL("??") : CLAIR_LITERAL("?"),
						  "");
		findings_text_add(text, problem->reason, ";");
	}
}

/* Reads the file; the text lives until the next call. */
static inline ClairBytes
findings_text(FileReader *reader, ClairBytes file)
{
	static FindingsText text;
	static const ClairLimits limits = {.max_features = 5,
									   .max_file_size = 1 << 20,
									   .max_ratio = 1000};
	Arena *arena = arena_create(SIZE_MAX);
	Findings findings;
	ClairError error = {.status = CLAIR_OK};
	ClairStatus status;

	text = (FindingsText){.used = 0};
	findings_start(&findings, arena, &limits);
	status = reader(file, &findings, &error);
	findings_text_add_all(&text, &findings);
	if (status != CLAIR_OK)
		findings_text_add(&text, clair_bytes(error.message), " (error)");
	arena_destroy(arena);
	return (ClairBytes){text.text, text.used};
}

/* Whether the reader finds this in a file, and says nothing else. */
#define CHECK_FINDINGS(reader, file, expected, what)                                               \
	CHECK_TEXT(findings_text(reader, CLAIR_LITERAL(file)), expected, what)

#endif
