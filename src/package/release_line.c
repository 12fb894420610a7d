/*
 * release_line.c
 *    Reads release files that say it in words: a product's name, and its version behind it.
 *
 * "CentOS Linux release 7.6.1810 (Core)" in etc/centos-release and its like; the greeting in
 * etc/issue; and, as a CPE, etc/system-release-cpe. Fact: "release", the name, a blank and the
 * version. Which names are known, and what of the version matters, is the server's business.
 */
#include "common/text.h"
#include "package/control.h"
#include "package/package.h"

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static ClairStatus
report(ClairBytes name, ClairBytes version, ClairBytes patch, Findings *findings, ClairError *error)
{
	ClairBytes release = arena_printf(findings->arena, "%.*s %.*s%s%.*s", (int) name.size,
									  name.data, (int) version.size, version.data,
									  patch.size > 0 ? "." : "", (int) patch.size,
									  patch.size > 0 ? patch.data : "");

	if (release.data == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	return findings_fact(findings, CLAIR_LITERAL("release"), release, error);
}

/*
 * Splits "[Welcome to] NAME [release] VERSION [SPn] ..."; the version is the first word that
 * begins with a digit. False when there is none, or no name.
 */
static bool
split_line(ClairBytes line, ClairBytes *name, ClairBytes *version, ClairBytes *patch)
{
	static const ClairBytes greeting = CLAIR_LITERAL("Welcome to ");
	static const ClairBytes ending = CLAIR_LITERAL(" release");
	const char *start;

	line = text_trim(line);
	if (clair_bytes_start_with(line, greeting))
		line = text_trim(clair_bytes_skip(line, greeting.size));
	start = line.data;
	do
	{
		if (!control_next_word(&line, version))
			return false;
	} while (!is_digit(version->data[0]));
	*name = text_trim((ClairBytes){start, (size_t) (version->data - start)});
	if (clair_bytes_end_with(*name, ending))
		name->size -= ending.size;
	if (!control_next_word(&line, patch) || patch->size < 3 || memcmp(patch->data, "SP", 2) != 0 ||
		!is_digit(patch->data[2]))
		*patch = CLAIR_NULL_BYTES;
	else
		*patch = clair_bytes_skip(*patch, 2);
	return name->size > 0 && name->size <= CLAIR_MAX_NAME && version->size <= CLAIR_MAX_VERSION;
}

/* The first line that names a version. */
ClairStatus
release_line_read(ClairBytes file, Findings *findings, ClairError *error)
{
	ClairBytes line;
	ClairBytes name;
	ClairBytes version;
	ClairBytes patch;

	while (text_next_line(&file, &line))
	{
		if (split_line(line, &name, &version, &patch))
			return report(name, version, patch, findings, error);
	}
	return CLAIR_OK;
}

/* etc/SuSE-release: such a line, and perhaps another "PATCHLEVEL = 3". */
ClairStatus
suse_release_read(ClairBytes file, Findings *findings, ClairError *error)
{
	static const ClairBytes level = CLAIR_LITERAL("PATCHLEVEL = ");
	ClairBytes line;
	ClairBytes name;
	ClairBytes version;
	ClairBytes patch;

	if (!text_next_line(&file, &line) || !split_line(line, &name, &version, &patch))
		return CLAIR_OK;
	while (text_next_line(&file, &line))
	{
		if (clair_bytes_start_with(line, level) && line.size > level.size &&
			line.data[level.size] != '0')
			patch = text_trim(clair_bytes_skip(line, level.size));
	}
	return report(name, version, patch, findings, error);
}

/* "cpe:/o:vendor:product:version:...": the name is "vendor:product". */
ClairStatus
release_cpe_read(ClairBytes file, Findings *findings, ClairError *error)
{
	ClairBytes line;
	ClairBytes parts[5]; /* "cpe", "/o", vendor, product, version */

	if (!text_next_line(&file, &line))
		return CLAIR_OK;
	line = text_trim(line);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
	{
		const char *colon = line.size > 0 ? memchr(line.data, ':', line.size) : NULL;

		parts[i] = (ClairBytes){line.data,
								colon != NULL ? (size_t) (colon - line.data) : line.size};
		if (parts[i].size == 0)
			return CLAIR_OK;
		line = clair_bytes_skip(line, parts[i].size + (colon != NULL ? 1 : 0));
	}
	if (!clair_bytes_equal(parts[1], CLAIR_LITERAL("/o")) || !is_digit(parts[4].data[0]))
		return CLAIR_OK;
	return report((ClairBytes){parts[2].data, parts[2].size + 1 + parts[3].size}, parts[4],
				  CLAIR_NULL_BYTES, findings, error);
}
