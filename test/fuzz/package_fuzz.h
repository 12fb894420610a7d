/*
 * package_fuzz.h
 *    Gives bytes to a reader of package databases or release files.
 */
#ifndef CLAIR_PACKAGE_FUZZ_H
#define CLAIR_PACKAGE_FUZZ_H

#include <stdlib.h>

#include "common/text.h"
#include "package/package.h"

/* Whatever is found must be text; and only what the limits say may be an error. */
static inline int
package_fuzz(FileReader *reader, const uint8_t *data, size_t size)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	Arena *arena = arena_create((size_t) 256 << 20);
	Findings findings;
	ClairError error;
	ClairStatus status;

	findings_start(&findings, arena, &limits);
	status = reader((ClairBytes){(const char *) data, size}, &findings, &error);
	if (status != CLAIR_OK && status != CLAIR_LIMIT)
		abort();
	for (const Feature *feature = findings.features; feature != NULL; feature = feature->next)
	{
		if (!text_is_valid(feature->name) || !text_is_valid(feature->version) ||
			!text_is_valid(feature->source_name) || !text_is_valid(feature->source_version) ||
			!text_is_valid(feature->architecture) || !text_is_valid(feature->problem))
			abort();
	}
	for (const Fact *fact = findings.facts; fact != NULL; fact = fact->next)
	{
		if (!text_is_valid(fact->key) || !text_is_valid(fact->value))
			abort();
	}
	for (const Problem *problem = findings.problems; problem != NULL; problem = problem->next)
	{
		if (!text_is_valid(problem->reason))
			abort();
	}
	arena_destroy(arena);
	return 0;
}

#endif
