/*
 * rpm_release.c
 *    What the release of an rpm package says of what it was built for; see rpm_release.h.
 */
#include "feed/rpm_release.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool
is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* The number that follows a word at the start of the text; empty when it is not there. */
static ClairBytes
number_behind(ClairBytes text, ClairBytes word)
{
	size_t digits = 0;

	if (!clair_bytes_start_with(text, word))
		return CLAIR_LITERAL("");
	text = clair_bytes_skip(text, word.size);
	while (digits < text.size && is_digit(text.data[digits]))
		digits++;
	if (digits < text.size && is_letter(text.data[digits]))
		return CLAIR_LITERAL("");
	return (ClairBytes){text.data, digits};
}

ClairBytes
rpm_release_built_for(ClairBytes release, ClairBytes family)
{
	bool is_amazon = clair_bytes_equal(family, CLAIR_LITERAL("amzn"));
	ClairBytes tag = CLAIR_LITERAL("el"); /* how the macro %dist begins */
	bool begins = true;					  /* a word begins here */

	if (is_amazon)
		tag = CLAIR_LITERAL("amzn");
	else if (clair_bytes_equal(family, CLAIR_LITERAL("fedora")))
		tag = CLAIR_LITERAL("fc");
	for (; release.size > 0; release = clair_bytes_skip(release, 1))
	{
		ClairBytes number = begins ? number_behind(release, tag) : CLAIR_LITERAL("");

		if (is_amazon && clair_bytes_equal(number, CLAIR_LITERAL("1")))
			return CLAIR_LITERAL("2018.03");
		if (number.size > 0)
			return number;
		begins = !is_digit(release.data[0]) && !is_letter(release.data[0]);
	}
	return CLAIR_NULL_BYTES;
}

static bool
has_part(ClairBytes text, ClairBytes part)
{
	return text.size > 0 && memmem(text.data, text.size, part.data, part.size) != NULL;
}

bool
rpm_release_is_modular(ClairBytes release)
{
	return has_part(release, CLAIR_LITERAL(".module"));
}

ClairBytes
rpm_machine_of(ClairBytes architecture)
{
	static const struct
	{
		ClairBytes architecture;
		ClairBytes machine;
	} machines[] = {
		{CLAIR_LITERAL("i386"), CLAIR_LITERAL("x86_64")},
		{CLAIR_LITERAL("i486"), CLAIR_LITERAL("x86_64")},
		{CLAIR_LITERAL("i586"), CLAIR_LITERAL("x86_64")},
		{CLAIR_LITERAL("i686"), CLAIR_LITERAL("x86_64")},
		{CLAIR_LITERAL("ppc"), CLAIR_LITERAL("ppc64")},
		{CLAIR_LITERAL("s390"), CLAIR_LITERAL("s390x")},
	};

	for (size_t i = 0; i < COUNT_OF(machines); i++)
		if (clair_bytes_equal(architecture, machines[i].architecture))
			return machines[i].machine;
	return architecture;
}

bool
rpm_is_for_debuggers(ClairBytes name)
{
	return has_part(name, CLAIR_LITERAL("-debuginfo")) ||
		   has_part(name, CLAIR_LITERAL("-debugsource"));
}
