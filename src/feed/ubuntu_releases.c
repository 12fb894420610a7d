/*
 * ubuntu_releases.c
 *    Ubuntu's releases and channels; see ubuntu_releases.h.
 *
 * The extended maintenance of a release has several channels (esm-infra, esm-apps,
 * esm-infra-legacy), and so have the builds for FIPS 140 (fips, fips-updates, fips-preview);
 * a package's version tells only which of the two it comes from, so each is one flavour.
 */
#include "feed/ubuntu_releases.h"

#define ESM	 CLAIR_LITERAL("esm")
#define FIPS CLAIR_LITERAL("fips")

typedef struct Release
{
	ClairBytes codename;
	ClairBytes namespace;
} Release;

#define RELEASE(codename, version)                                                                 \
	{                                                                                              \
		CLAIR_LITERAL(codename), CLAIR_LITERAL("ubuntu:" version)                                  \
	}

/* The most frequent first. */
static const Release releases[] = {
	RELEASE("jammy", "22.04"),	  RELEASE("focal", "20.04"),	RELEASE("noble", "24.04"),
	RELEASE("bionic", "18.04"),	  RELEASE("xenial", "16.04"),	RELEASE("trusty", "14.04"),
	RELEASE("resolute", "26.04"), RELEASE("questing", "25.10"), RELEASE("plucky", "25.04"),
	RELEASE("oracular", "24.10"), RELEASE("mantic", "23.10"),	RELEASE("lunar", "23.04"),
	RELEASE("kinetic", "22.10"),  RELEASE("impish", "21.10"),	RELEASE("hirsute", "21.04"),
	RELEASE("groovy", "20.10"),	  RELEASE("eoan", "19.10"),		RELEASE("disco", "19.04"),
	RELEASE("cosmic", "18.10"),	  RELEASE("artful", "17.10"),	RELEASE("zesty", "17.04"),
	RELEASE("yakkety", "16.10"),  RELEASE("wily", "15.10"),		RELEASE("vivid", "15.04"),
	RELEASE("utopic", "14.10"),	  RELEASE("saucy", "13.10"),	RELEASE("raring", "13.04"),
	RELEASE("quantal", "12.10"),  RELEASE("precise", "12.04"),	RELEASE("oneiric", "11.10"),
	RELEASE("natty", "11.04"),	  RELEASE("maverick", "10.10"), RELEASE("lucid", "10.04"),
	RELEASE("karmic", "9.10"),	  RELEASE("jaunty", "9.04"),	RELEASE("intrepid", "8.10"),
	RELEASE("hardy", "8.04"),	  RELEASE("gutsy", "7.10"),		RELEASE("feisty", "7.04"),
	RELEASE("edgy", "6.10"),	  RELEASE("dapper", "6.06"),
};

/* What stands in place of a codename, or beside one, and is about no packages of a release. */
static const ClairBytes others[] = {
	CLAIR_LITERAL("upstream"), /* the makers' own versions */
	CLAIR_LITERAL("devel"),	   /* the release to come, which has a codename once it is there */
	CLAIR_LITERAL("product"),
	CLAIR_LITERAL("snap"),
};

ClairBytes
ubuntu_namespace(ClairBytes codename)
{
	for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++)
		if (clair_bytes_equal(codename, releases[i].codename))
			return releases[i].namespace;
	return CLAIR_NULL_BYTES;
}

static bool
is_other(ClairBytes word)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (clair_bytes_equal(word, others[i]))
			return true;
	return false;
}

/* Whether the word is the name of something, or of a part of it: "fips", "fips-updates". */
static bool
is_part_of(ClairBytes word, ClairBytes whole)
{
	return clair_bytes_start_with(word, whole) &&
		   (word.size == whole.size || word.data[whole.size] == '-');
}

UbuntuPlace
ubuntu_channel(ClairBytes name, UbuntuChannel *channel)
{
	const char *slash = name.size > 0 ? memchr(name.data, '/', name.size) : NULL;
	ClairBytes left = {name.data, slash != NULL ? (size_t) (slash - name.data) : name.size};
	ClairBytes right = clair_bytes_skip(name, slash != NULL ? left.size + 1 : name.size);
	ClairBytes namespace = ubuntu_namespace(left);
	bool is_old = namespace.data != NULL; /* form, with the release in front */

	*channel = (UbuntuChannel){namespace, CLAIR_LITERAL("")};
	if (is_other(left))
		return UBUNTU_OTHER;
	if (slash == NULL)
		return is_old ? UBUNTU_CHANNEL : UBUNTU_UNKNOWN;
	if (!is_old)
		channel->namespace = ubuntu_namespace(right);
	if (channel->namespace.data == NULL)
		return UBUNTU_UNKNOWN;
	if (is_old ? clair_bytes_equal(right, ESM) : is_part_of(left, ESM))
		channel->flavour = ESM;
	else if (!is_old && is_part_of(left, FIPS))
		channel->flavour = FIPS;
	return channel->flavour.size > 0 ? UBUNTU_CHANNEL : UBUNTU_OTHER;
}

/* Takes the part before the next ":" off *rest. */
static ClairBytes
next_part(ClairBytes *rest)
{
	const char *colon = rest->size > 0 ? memchr(rest->data, ':', rest->size) : NULL;
	ClairBytes part = {rest->data, colon != NULL ? (size_t) (colon - rest->data) : rest->size};

	*rest = clair_bytes_skip(*rest, part.size + (colon != NULL));
	return part;
}

/* Whether it is a release's number: "22.04". */
static bool
is_number(ClairBytes text)
{
	size_t points = 0;

	for (size_t i = 0; i < text.size; i++)
	{
		bool is_point = text.data[i] == '.' && i > 0 && i + 1 < text.size;

		points += is_point;
		if (!is_point && (text.data[i] < '0' || text.data[i] > '9'))
			return false;
	}
	return points == 1 && text.size <= sizeof("100.04") - 1;
}

UbuntuPlace
ubuntu_ecosystem(Arena *arena, ClairBytes ecosystem, UbuntuChannel *channel)
{
	ClairBytes rest = ecosystem;
	ClairBytes part;

	*channel = (UbuntuChannel){CLAIR_NULL_BYTES, CLAIR_LITERAL("")};
	if (!clair_bytes_equal(next_part(&rest), CLAIR_LITERAL("Ubuntu")))
		return UBUNTU_UNKNOWN;
	part = next_part(&rest);
	if (clair_bytes_equal(part, CLAIR_LITERAL("Pro")))
	{
		channel->flavour = ESM;
		part = next_part(&rest);
		if (is_part_of(part, CLAIR_LITERAL("FIPS")))
		{
			channel->flavour = FIPS;
			part = next_part(&rest);
		}
	}
	if (!is_number(part))
		return is_number(next_part(&rest)) ? UBUNTU_OTHER : UBUNTU_UNKNOWN;
	channel->namespace = arena_printf(arena, "ubuntu:%.*s", (int) part.size, part.data);
	return UBUNTU_CHANNEL;
}
