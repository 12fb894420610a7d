/*
 * findings.c
 *    What a file of a layer says, collected; see findings.h.
 */
#include "package/findings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/text.h"

/* A file that is garbage from end to end need not be described line by line. */
#define MAX_PROBLEMS 50

#define MAX_FACT	4096
#define MAX_REASON	512
#define MAX_LICENSE 4096

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

void
findings_start(Findings *findings, Arena *arena, const ClairLimits *limits)
{
	*findings = (Findings){.arena = arena, .limits = limits, .seen.arena = arena, .unit = "line"};
	findings->next_fact = &findings->facts;
	findings->next_feature = &findings->features;
	findings->next_problem = &findings->problems;
}

/* A copy in the arena, escaped when need be; of no value, no value. False when exhausted. */
static bool
keep(Findings *findings, ClairBytes bytes, ClairBytes *kept)
{
	ClairBytes escaped;

	*kept = CLAIR_NULL_BYTES;
	if (bytes.data == NULL)
		return true;
	escaped = text_escape(findings->arena, bytes);
	*kept = escaped.data == bytes.data ? arena_copy(findings->arena, bytes) : escaped;
	return kept->data != NULL;
}

ClairStatus
findings_fact(Findings *findings, ClairBytes key, ClairBytes value, ClairError *error)
{
	Fact *fact;

	if (value.size > MAX_FACT)
		return findings_problem(findings, error, "the value of %.*s is longer than %d bytes",
								(int) key.size, key.data, MAX_FACT);
	fact = arena_alloc(findings->arena, sizeof(Fact));
	if (fact == NULL || !keep(findings, key, &fact->key) || !keep(findings, value, &fact->value))
		return out_of_memory(error);
	*findings->next_fact = fact;
	findings->next_fact = &fact->next;
	return CLAIR_OK;
}

ClairStatus
findings_fact_of_list(Findings *findings, const char *name, int number, ClairBytes value,
					  ClairError *error)
{
	ClairBytes key = number == 0 ? clair_bytes(name)
								 : arena_printf(findings->arena, "%s.%d", name, number);

	if (key.data == NULL)
		return out_of_memory(error);
	return findings_fact(findings, key, value, error);
}

/* Adds a problem with this text, made printable. */
static ClairStatus
add_problem(Findings *findings, const char *text, bool unsupported, ClairError *error)
{
	char reason[MAX_REASON];
	Problem *problem = arena_alloc(findings->arena, sizeof(Problem));

	text_printable(clair_bytes(text), reason, sizeof(reason));
	if (problem == NULL || !keep(findings, clair_bytes(reason), &problem->reason))
		return out_of_memory(error);
	problem->unsupported = unsupported;
	*findings->next_problem = problem;
	findings->next_problem = &problem->next;
	return CLAIR_OK;
}

ClairStatus
findings_problem(Findings *findings, ClairError *error, const char *format, ...)
{
	char text[MAX_REASON];
	va_list arguments;

	if (++findings->problem_count > MAX_PROBLEMS + 1)
		return CLAIR_OK;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return add_problem(findings,
					   findings->problem_count <= MAX_PROBLEMS
						   ? text
						   : "further problems of this file are not listed",
					   false, error);
}

ClairStatus
findings_unsupported(Findings *findings, ClairError *error, const char *format, ...)
{
	char text[MAX_REASON];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return add_problem(findings, text, true, error);
}

/* Whether a feature like this is there already; notes it when not. */
static ClairStatus
is_duplicate(Findings *findings, const Feature *feature, bool *duplicate, ClairError *error)
{
	/* Names and versions that are taken have no NUL. */
	ClairBytes key = arena_printf(findings->arena, "%.*s%c%.*s%c%.*s", (int) feature->name.size,
								  feature->name.data, 0, (int) feature->version.size,
								  feature->version.data, 0, (int) feature->architecture.size,
								  feature->architecture.data != NULL ? feature->architecture.data
																	 : "");
	void **place = key.data != NULL ? text_map_at(&findings->seen, key) : NULL;

	if (place == NULL)
		return out_of_memory(error);
	*duplicate = *place != NULL;
	*place = findings;
	return CLAIR_OK;
}

/* Checks a version; when it is not valid, says why in *problem. False when exhausted. */
static bool
check_version(Findings *findings, VersionFormat format, const char *what, ClairBytes version,
			  ClairBytes *problem)
{
	unsigned char key[VERSION_KEY_SIZE(CLAIR_MAX_VERSION)];
	size_t size;
	VersionProblem reason;

	if (problem->data != NULL || version_encode(format, version, key, &size, &reason))
		return true;
	*problem = arena_printf(findings->arena, "%s: %s, at byte %zu", what, reason.reason,
							reason.position + 1);
	return problem->data != NULL;
}

/* What is wrong with a text that must be there; NULL when nothing is. */
static const char *
text_fault(ClairBytes text, size_t greatest)
{
	if (text.size == 0)
		return "missing";
	if (text.size > greatest)
		return "too long";
	return text_is_valid(text) ? NULL : "not valid text";
}

/* The license, unless it is more than anybody would call one. */
static ClairBytes
license_of(const Feature *feature)
{
	return feature->license.size > 0 && feature->license.size <= MAX_LICENSE ? feature->license
																			 : CLAIR_NULL_BYTES;
}

ClairStatus
findings_feature(Findings *findings, VersionFormat format, int64_t number, const Feature *feature,
				 ClairError *error)
{
	Feature *kept;
	bool duplicate = false;
	ClairBytes source_version = feature->source_version.data != NULL ? feature->source_version
																	 : feature->version;
	ClairBytes source_name = feature->source_name.data != NULL ? feature->source_name
															   : feature->name;
	const char *fault;
	ClairStatus status;

	if ((fault = text_fault(feature->name, CLAIR_MAX_NAME)) != NULL)
		return findings_problem(findings, error, "%s %" PRId64 ": the package's name is %s",
								findings->unit, number, fault);
	if ((fault = text_fault(feature->version, CLAIR_MAX_VERSION)) != NULL)
		return findings_problem(findings, error,
								"%s %" PRId64 ": package \"%.*s\": its version is %s",
								findings->unit, number, (int) feature->name.size,
								feature->name.data, fault);
	if ((fault = text_fault(source_name, CLAIR_MAX_NAME)) != NULL ||
		(fault = text_fault(source_version, CLAIR_MAX_VERSION)) != NULL)
		return findings_problem(findings, error,
								"%s %" PRId64 ": package \"%.*s\": its source is %s",
								findings->unit, number, (int) feature->name.size,
								feature->name.data, fault);
	if (feature->architecture.data != NULL &&
		(fault = text_fault(feature->architecture, CLAIR_MAX_NAME)) != NULL)
		return findings_problem(findings, error,
								"%s %" PRId64 ": package \"%.*s\": its architecture is %s",
								findings->unit, number, (int) feature->name.size,
								feature->name.data, fault);
	status = is_duplicate(findings, feature, &duplicate, error);
	if (status != CLAIR_OK || duplicate)
		return status;
	if (++findings->feature_count > findings->limits->max_features)
	{
		clair_error(error, CLAIR_LIMIT, "more than %" PRId64 " packages",
					findings->limits->max_features);
		clair_error_hint(error, "The limit is the setting clair.max_features.");
		return CLAIR_LIMIT;
	}
	kept = arena_alloc(findings->arena, sizeof(Feature));
	if (kept == NULL || !keep(findings, feature->name, &kept->name) ||
		!keep(findings, feature->version, &kept->version) ||
		!keep(findings, source_name, &kept->source_name) ||
		!keep(findings, source_version, &kept->source_version) ||
		!keep(findings, feature->architecture, &kept->architecture) ||
		!keep(findings, feature->module, &kept->module) ||
		!keep(findings, feature->vendor, &kept->vendor) ||
		!keep(findings, license_of(feature), &kept->license) ||
		!check_version(findings, format, "version", feature->version, &kept->problem) ||
		!check_version(findings, format, "source version", source_version, &kept->problem))
		return out_of_memory(error);
	*findings->next_feature = kept;
	findings->next_feature = &kept->next;
	return CLAIR_OK;
}
