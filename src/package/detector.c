/*
 * detector.c
 *    Detectors: which files their patterns want; see detector.h.
 *
 * The job comes from the server, which has checked all of this when the detector was made; that
 * it is well-formed is checked all the same, so that a mistake there is seen as one.
 */
#include "package/detector.h"

#include "common/text.h"
#include "common/wire.h"

static ClairStatus
malformed(ClairError *error)
{
	return clair_error(error, CLAIR_PROTOCOL, "malformed job: not a list of detectors");
}

/* Adds the pattern of a line to the last detector, or to a new one when it has another name. */
static ClairStatus
read_line(Arena *arena, ClairBytes line, Detectors *detectors, ClairError *error)
{
	ClairBytes name = text_take_part(&line, ' ');
	ClairBytes version = text_take_part(&line, ' ');
	ClairBytes role = arena_printf(arena, WIRE_DETECTOR_ROLE "%.*s", (int) name.size, name.data);
	const Detector *last = detectors->count > 0 ? &detectors->list[detectors->count - 1] : NULL;
	DetectorPattern *patterns = arena_grow_array(arena, detectors->patterns,
												 detectors->pattern_count + 1,
												 &detectors->pattern_capacity,
												 sizeof(DetectorPattern));
	int64_t number;

	if (role.data == NULL || patterns == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	if (name.size == 0 || !wire_integer(version, &number) || glob_problem(line) != NULL)
		return malformed(error);
	if (last == NULL || !clair_bytes_equal(last->role, role))
	{
		if (detectors->count == CLAIR_MAX_DETECTORS)
			return malformed(error);
		detectors->list[detectors->count++] = (Detector){role, number};
	}
	detectors->patterns = patterns;
	patterns[detectors->pattern_count++] = (DetectorPattern){
		(DetectorSet) 1 << (detectors->count - 1), line};
	return CLAIR_OK;
}

ClairStatus
detectors_read(Arena *arena, ClairBytes text, Detectors **detectors, ClairError *error)
{
	ClairBytes line;
	ClairStatus status = CLAIR_OK;

	*detectors = arena_alloc(arena, sizeof(Detectors));
	if (*detectors == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	while (status == CLAIR_OK && text_next_line(&text, &line))
		status = read_line(arena, line, *detectors, error);
	return status;
}

DetectorSet
detectors_match(const Detectors *detectors, ClairBytes path, GlobMatch *match)
{
	DetectorSet wanting = 0;

	*match = GLOB_NONE;
	for (size_t i = 0; i < detectors->pattern_count; i++)
	{
		const DetectorPattern *pattern = &detectors->patterns[i];
		GlobMatch found = glob_match(pattern->pattern, path);

		if (found > *match)
			*match = found;
		if (found == GLOB_MATCH)
			wanting |= pattern->detector;
	}
	return wanting;
}
