/*
 * suse_product.c
 *    Names of SUSE's products; see suse_product.h.
 */
#include "feed/suse_product.h"

#include <string.h>

#include "common/text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define ENTERPRISE "SUSE Linux Enterprise "

#define FIRST_ENTERPRISE 9	/* the first version of SUSE Linux Enterprise Server */
#define SHARED_MODULES	 12 /* whose modules are for all of its service packs ... */
#define LAST_SHARED		 5	/* ... of which this is the last one */

/* A product's version: "15 SP5", "15.6", "12 SP3-LTSS"; -1 for a number that is not there. */
typedef struct Version
{
	int major;
	int minor;
	int service_pack;
	bool is_last; /* nothing follows it in the name */
} Version;

/* A release of which images are. */
typedef struct Release
{
	const char *family; /* NULL: there is none */
	int major;
	int minor; /* -1: it has none */
	bool all;  /* service packs of it, too */
	bool is_beside;
} Release;

/* What names of products of which images are begin with, and the family; the longest ones first. */
static const struct
{
	ClairBytes begin;
	const char *family;
} families[] = {
	{CLAIR_LITERAL("openSUSE Leap Micro "), "leap-micro"},
	{CLAIR_LITERAL("openSUSE "), "opensuse-leap"},
	{CLAIR_LITERAL(ENTERPRISE "Micro "), "sle-micro"},
	{CLAIR_LITERAL("SUSE Linux Micro "), "sl-micro"},
	{CLAIR_LITERAL(ENTERPRISE), "sles"},
	{CLAIR_LITERAL("SUSE Package Hub "), "sles"},
};

static bool
contains(ClairBytes text, const char *words)
{
	return text.size > 0 && memmem(text.data, text.size, words, strlen(words)) != NULL;
}

/* Takes a number of up to three digits off the text; -1 when there is none. */
static int
take_number(ClairBytes *text)
{
	int number = 0;
	size_t digits = 0;

	while (digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9')
	{
		if (digits == 3)
			return -1;
		number = number * 10 + (text->data[digits++] - '0');
	}
	*text = clair_bytes_skip(*text, digits);
	return digits > 0 ? number : -1;
}

/* Takes a word as a version's number: "15", "15.6", "15-LTSS". False when it is none. */
static bool
read_number(ClairBytes word, Version *version)
{
	Version found = {.major = take_number(&word), .minor = -1, .service_pack = -1};

	if (found.major < 0)
		return false;
	if (word.size > 1 && word.data[0] == '.')
	{
		word = clair_bytes_skip(word, 1);
		found.minor = take_number(&word);
		if (found.minor < 0)
			return false;
	}
	if (word.size > 0 && word.data[0] != '-')
		return false;
	found.is_last = word.size == 0;
	*version = found;
	return true;
}

/* The version in a name: the last number in it, and the service pack behind that. */
static Version
read_version(ClairBytes name)
{
	Version version = {-1, -1, -1, false};
	bool after_number = false;

	while (name.size > 0)
	{
		ClairBytes word = text_take_part(&name, ' ');

		if (after_number && clair_bytes_start_with(word, CLAIR_LITERAL("SP")))
		{
			word = clair_bytes_skip(word, 2);
			version.service_pack = take_number(&word);
			version.is_last = word.size == 0;
			after_number = false;
			continue;
		}
		after_number = read_number(word, &version);
		version.is_last &= after_number;
	}
	return version;
}

/* Whether it is the server, or a module of it, without longer support. */
static bool
is_distribution(ClairBytes name, const Version *version)
{
	return version->is_last &&
		   (clair_bytes_start_with(name, CLAIR_LITERAL(ENTERPRISE "Module for ")) ||
			(clair_bytes_start_with(name, CLAIR_LITERAL(ENTERPRISE "Server ")) &&
			 !contains(name, " for ")));
}

/* What is of SUSE Linux Enterprise Server, or for it: but for what is built for one customer. */
static Release
enterprise_release(ClairBytes name, const Version *version)
{
	Release release = {"sles", version->major,
					   version->minor >= 0 ? version->minor : version->service_pack, false,
					   !is_distribution(name, version)};

	if (version->major < FIRST_ENTERPRISE || contains(name, "eradata") ||
		contains(name, "TERADATA"))
		return (Release){0};
	release.all = version->major == SHARED_MODULES && release.minor < 0 &&
				  (contains(name, " Module for ") || contains(name, " Package Hub "));
	return release;
}

/* The names of products that have several words. */
static Release
release_of(ClairBytes name)
{
	Version version = read_version(name);
	size_t i = 0;

	if (clair_bytes_start_with(name, CLAIR_LITERAL("openSUSE Tumbleweed")))
		return (Release){.family = "opensuse-tumbleweed"};
	while (i < COUNT_OF(families) && !clair_bytes_start_with(name, families[i].begin))
		i++;
	if (i == COUNT_OF(families) || version.major < 0)
		return (Release){0};
	if (strcmp(families[i].family, "sles") == 0)
		return enterprise_release(name, &version);
	if (version.minor < 0)
		return (Release){0};
	return (Release){families[i].family, version.major, version.minor, false, !version.is_last};
}

/* The names of old documents, of one word: "suse102", "core9", "sles10-sp4-sdk", "sled10". */
static Release
release_of_word(ClairBytes name)
{
	static const ClairBytes begins[] = {CLAIR_LITERAL("core"), CLAIR_LITERAL("sles"),
										CLAIR_LITERAL("sled"), CLAIR_LITERAL("suse")};
	Release release = {"sles", -1, -1, false, false};
	size_t i = 0;

	while (i < COUNT_OF(begins) && !clair_bytes_start_with(name, begins[i]))
		i++;
	if (i == COUNT_OF(begins))
		return (Release){0};
	name = clair_bytes_skip(name, begins[i].size);
	release.major = take_number(&name);
	release.is_beside = i == 2;
	if (i == 3) /* two digits of the version, and one more */
	{
		release.family = "opensuse-leap";
		release.minor = release.major % 10;
		release.major /= 10;
	}
	else if (clair_bytes_start_with(name, CLAIR_LITERAL("-sp")))
	{
		name = clair_bytes_skip(name, 3);
		release.minor = take_number(&name);
	}
	release.is_beside |= name.size > 0;
	if (release.major < FIRST_ENTERPRISE || (name.size > 0 && name.data[0] != '-'))
		return (Release){0};
	return release;
}

/* The namespaces of a release; no value when the arena is exhausted. */
static ClairBytes
namespaces_of(Arena *arena, const Release *release)
{
	ClairBytes list;

	if (strcmp(release->family, "opensuse-tumbleweed") == 0)
		return CLAIR_LITERAL("opensuse-tumbleweed:rolling");
	if (release->minor >= 0)
		return arena_printf(arena, "%s:%d.%d", release->family, release->major, release->minor);
	list = arena_printf(arena, "%s:%d", release->family, release->major);
	for (int minor = 1; release->all && minor <= LAST_SHARED && list.data != NULL; minor++)
		list = arena_printf(arena, "%.*s %s:%d.%d", (int) list.size, list.data, release->family,
							release->major, minor);
	return list;
}

bool
suse_product(Arena *arena, ClairBytes name, SuseProduct *product)
{
	bool is_word = name.size == 0 || memchr(name.data, ' ', name.size) == NULL;
	Release release = is_word ? release_of_word(name) : release_of(name);

	*product = (SuseProduct){.is_beside = release.is_beside};
	if (release.family == NULL)
		return true;
	product->namespaces = namespaces_of(arena, &release);
	return product->namespaces.data != NULL;
}
