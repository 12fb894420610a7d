/*
 * apk_repositories.c
 *    Reads where apk takes packages from (apk-repositories(5)), for the releases named there.
 *
 * Lines are URLs or paths, ".../alpine/v3.20/main" or ".../alpine/edge/community"; those that begin
 * with "@" serve single packages only. Facts: "release", "release.1", ...: "v3.20", "edge".
 */
#include "common/text.h"
#include "package/package.h"

#define MAX_RELEASES 32

/* The component before the last one, when it is a release of Alpine. False when it is none. */
static bool
find_release(ClairBytes line, ClairBytes *release)
{
	static const ClairBytes folder = CLAIR_LITERAL("/alpine/");
	const char *start = line.size > 0 ? memmem(line.data, line.size, folder.data, folder.size)
									  : NULL;
	const char *end;

	if (start == NULL || line.data[0] == '#' || line.data[0] == '@')
		return false;
	line = clair_bytes_skip(line, (size_t) (start - line.data) + folder.size);
	end = line.size > 0 ? memchr(line.data, '/', line.size) : NULL;
	if (end == NULL)
		return false;
	*release = (ClairBytes){line.data, (size_t) (end - line.data)};
	return clair_bytes_equal(*release, CLAIR_LITERAL("edge")) ||
		   (release->size > 1 && release->data[0] == 'v');
}

ClairStatus
apk_repositories_read(ClairBytes file, Findings *findings, ClairError *error)
{
	ClairBytes line;
	int count = 0;
	ClairStatus status = CLAIR_OK;

	while (status == CLAIR_OK && count < MAX_RELEASES && text_next_line(&file, &line))
	{
		ClairBytes release;

		if (find_release(text_trim(line), &release))
			status = findings_fact_of_list(findings, "release", count++, release, error);
	}
	return status;
}
