/*
 * platform.c
 *    Which of an archive's images is meant; see platform.h.
 *
 * Words are Go's (GOOS, GOARCH), as in OCI's image-spec. An architecture without variant is
 * the variant that containerd takes it for.
 */
#include "image/platform.h"

#include <stdio.h>

#define NO_MATCH 100

/* The other names that architectures go by. */
static ClairBytes
usual_architecture(ClairBytes architecture)
{
	if (clair_bytes_equal(architecture, CLAIR_LITERAL("x86_64")))
		return CLAIR_LITERAL("amd64");
	if (clair_bytes_equal(architecture, CLAIR_LITERAL("aarch64")))
		return CLAIR_LITERAL("arm64");
	return architecture;
}

static ClairBytes
usual_variant(const Platform *platform)
{
	if (platform->variant.size > 0)
		return platform->variant;
	if (clair_bytes_equal(platform->architecture, CLAIR_LITERAL("arm64")))
		return CLAIR_LITERAL("v8");
	if (clair_bytes_equal(platform->architecture, CLAIR_LITERAL("arm")))
		return CLAIR_LITERAL("v7");
	if (clair_bytes_equal(platform->architecture, CLAIR_LITERAL("amd64")))
		return CLAIR_LITERAL("v1");
	return platform->variant;
}

/* Takes the next component of "a/b/c". */
static ClairBytes
next_component(ClairBytes *rest)
{
	const char *slash = rest->size > 0 ? memchr(rest->data, '/', rest->size) : NULL;
	ClairBytes component = {rest->data, slash != NULL ? (size_t) (slash - rest->data) : rest->size};

	*rest = clair_bytes_skip(*rest, component.size + (slash != NULL ? 1 : 0));
	return component;
}

ClairStatus
platform_read_choice(const char *platform, const char *architecture, PlatformChoice *choice,
					 ClairError *error)
{
	ClairBytes rest = clair_bytes(platform);

	*choice = (PlatformChoice){.all = false};
	if (platform == NULL)
	{
		choice->is_default = true;
		choice->platform.os = CLAIR_LITERAL("linux");
		choice->platform.architecture = usual_architecture(clair_bytes(architecture));
		return CLAIR_OK;
	}
	choice->all = strcmp(platform, "all") == 0;
	if (choice->all)
		return CLAIR_OK;
	choice->platform.os = next_component(&rest);
	choice->platform.architecture = usual_architecture(next_component(&rest));
	choice->platform.variant = next_component(&rest);
	if (choice->platform.os.size > 0 && choice->platform.architecture.size > 0 && rest.size == 0)
		return CLAIR_OK;
	clair_error(error, CLAIR_AMBIGUOUS, "invalid platform \"%s\"", platform);
	clair_error_hint(error, "A platform is \"os/architecture\", \"os/architecture/variant\" "
							"or \"all\".");
	return error->status;
}

/* How well a candidate fits: 0 best, NO_MATCH not at all. */
static int
rank(const PlatformChoice *choice, const Platform *candidate)
{
	ClairBytes variant = usual_variant(candidate);

	if (choice->all)
		return 0;
	if (!clair_bytes_equal(choice->platform.os, candidate->os) ||
		!clair_bytes_equal(choice->platform.architecture, candidate->architecture))
		return NO_MATCH;
	if (clair_bytes_equal(usual_variant(&choice->platform), variant))
		return 0;
	if (choice->platform.variant.size > 0)
		return NO_MATCH;

	/* The greater of the lesser ones first: v6 before v5, for arm. */
	if (variant.size == 2 && variant.data[1] >= '0' && variant.data[1] <= '9')
		return 1 + ('9' - variant.data[1]);
	return NO_MATCH - 1;
}

static bool
same_platform(const Platform *a, const Platform *b)
{
	return clair_bytes_equal(a->os, b->os) && clair_bytes_equal(a->architecture, b->architecture) &&
		   clair_bytes_equal(usual_variant(a), usual_variant(b));
}

/* "linux/amd64, linux/arm/v7", each once, as many as fit. */
static void
list_platforms(const Platform *candidates, size_t count, char *list, size_t size)
{
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; i < count; i++)
	{
		const Platform *platform = &candidates[i];
		size_t before = 0;
		int written;

		while (before < i && !same_platform(&candidates[before], platform))
			before++;
		if (before < i)
			continue;
		written = snprintf(list + used, size - used, "%s%.*s/%.*s%s%.*s", used > 0 ? ", " : "",
						   (int) platform->os.size, platform->os.size > 0 ? platform->os.data : "",
						   (int) platform->architecture.size,
						   platform->architecture.size > 0 ? platform->architecture.data : "",
						   platform->variant.size > 0 ? "/" : "", (int) platform->variant.size,
						   platform->variant.size > 0 ? platform->variant.data : "");
		if (written < 0 || (size_t) written >= size - used)
			break;
		used += (size_t) written;
	}
	list[used] = '\0';
}

ClairStatus
platform_choose(const PlatformChoice *choice, const Platform *candidates, size_t count,
				bool *chosen, ClairError *error)
{
	int best = NO_MATCH;
	bool one_platform = true;
	char list[400];

	for (size_t i = 0; i < count; i++)
	{
		int fit = rank(choice, &candidates[i]);

		if (fit < best)
			best = fit;
		one_platform &= same_platform(&candidates[0], &candidates[i]);
	}
	if (best < NO_MATCH || (choice->is_default && one_platform))
	{
		for (size_t i = 0; i < count; i++)
			chosen[i] = best == NO_MATCH || rank(choice, &candidates[i]) == best;
		return CLAIR_OK;
	}
	list_platforms(candidates, count, list, sizeof(list));
	clair_error(error, choice->is_default ? CLAIR_AMBIGUOUS : CLAIR_MISSING,
				"no image for platform \"%.*s/%.*s%s%.*s\"", (int) choice->platform.os.size,
				choice->platform.os.data, (int) choice->platform.architecture.size,
				choice->platform.architecture.data, choice->platform.variant.size > 0 ? "/" : "",
				(int) choice->platform.variant.size,
				choice->platform.variant.size > 0 ? choice->platform.variant.data : "");
	clair_error_detail(error, "There are images for %s.", list);
	clair_error_hint(error, "Name a platform, or \"all\".");
	return error->status;
}

ClairBytes
platform_text(Arena *arena, const Platform *platform)
{
	if (platform->os.size == 0 || platform->architecture.size == 0)
		return CLAIR_LITERAL("unknown");
	return arena_printf(arena, "%.*s/%.*s%s%.*s", (int) platform->os.size, platform->os.data,
						(int) platform->architecture.size, platform->architecture.data,
						platform->variant.size > 0 ? "/" : "", (int) platform->variant.size,
						platform->variant.size > 0 ? platform->variant.data : "");
}
