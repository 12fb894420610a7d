/*
 * osv_ecosystem.c
 *    What the ecosystem of an OSV record's package means; see osv_ecosystem.h.
 *
 * Who names sources: the distributions of dpkg and apk, SUSE, Rocky Linux, and Azure Linux, by the
 * names of their recipes.
 */
#include "feed/osv_ecosystem.h"

#include "common/limits.h"
#include "common/text.h"
#include "feed/redhat_product.h"
#include "feed/ubuntu_releases.h"

#define SOURCE CLAIR_LITERAL("source")
#define BINARY CLAIR_LITERAL("binary")
#define DPKG   CLAIR_LITERAL("dpkg")
#define RPM	   CLAIR_LITERAL("rpm")
#define APK	   CLAIR_LITERAL("apk")

/* Where in its name a distribution says the release. */
typedef enum Release
{
	RELEASE_MAJOR, /* "12"; what follows, such as a minor number, does not matter */
	RELEASE_MINOR, /* "5.0", or "5" for it */
	RELEASE_WORD,  /* "v3.20", "edge" */
	RELEASE_NONE,  /* it is rolling */
	RELEASE_UBUNTU,
	RELEASE_REDHAT,
	RELEASE_SUSE,
	RELEASE_OPENSUSE
} Release;

typedef struct Distribution
{
	ClairBytes name; /* up to the first colon */
	ClairBytes family;
	ClairBytes kind;
	ClairBytes format;
	Release release;
} Distribution;

static const Distribution distributions[] = {
	{CLAIR_LITERAL("AlmaLinux"), CLAIR_LITERAL("almalinux"), BINARY, RPM, RELEASE_MAJOR},
	{CLAIR_LITERAL("Alpine"), CLAIR_LITERAL("alpine"), SOURCE, APK, RELEASE_WORD},
	{CLAIR_LITERAL("Azure Linux"), CLAIR_LITERAL("azurelinux"), SOURCE, RPM, RELEASE_MINOR},
	{CLAIR_LITERAL("Chainguard"), CLAIR_LITERAL("chainguard"), SOURCE, APK, RELEASE_NONE},
	{CLAIR_LITERAL("Debian"), CLAIR_LITERAL("debian"), SOURCE, DPKG, RELEASE_MAJOR},
	{CLAIR_LITERAL("Photon OS"), CLAIR_LITERAL("photon"), BINARY, RPM, RELEASE_MINOR},
	{CLAIR_LITERAL("Red Hat"), CLAIR_LITERAL("rhel"), BINARY, RPM, RELEASE_REDHAT},
	{CLAIR_LITERAL("Rocky Linux"), CLAIR_LITERAL("rocky"), SOURCE, RPM, RELEASE_MAJOR},
	{CLAIR_LITERAL("SUSE"), CLAIR_LITERAL("sles"), SOURCE, RPM, RELEASE_SUSE},
	{CLAIR_LITERAL("Ubuntu"), CLAIR_LITERAL("ubuntu"), SOURCE, DPKG, RELEASE_UBUNTU},
	{CLAIR_LITERAL("Wolfi"), CLAIR_LITERAL("wolfi"), SOURCE, APK, RELEASE_NONE},
	{CLAIR_LITERAL("openSUSE"), CLAIR_LITERAL("opensuse-leap"), SOURCE, RPM, RELEASE_OPENSUSE},
};

static const Distribution *
find_distribution(ClairBytes name)
{
	for (size_t i = 0; i < sizeof(distributions) / sizeof(distributions[0]); i++)
		if (clair_bytes_equal(distributions[i].name, name))
			return &distributions[i];
	return NULL;
}

static size_t
count_digits(ClairBytes text)
{
	size_t count = 0;

	while (count < text.size && text.data[count] >= '0' && text.data[count] <= '9')
		count++;
	return count;
}

static bool
is_number(ClairBytes text)
{
	return text.size > 0 && count_digits(text) == text.size;
}

/* Names the namespace of a release: false when the arena is exhausted. */
static bool
name_namespace(Arena *arena, ClairBytes family, ClairBytes release, const char *more,
			   OsvEcosystem *ecosystem)
{
	ecosystem->namespace = arena_printf(arena, "%.*s:%.*s%s", (int) family.size, family.data,
										(int) release.size, release.data, more);
	return ecosystem->namespace.data != NULL;
}

/* "5.0", or "5", which then is 5.0. Azure Linux was CBL-Mariner before its version 3. */
static bool
take_minor(Arena *arena, ClairBytes family, ClairBytes release, OsvEcosystem *ecosystem)
{
	ClairBytes minor = release;
	ClairBytes major = text_take_part(&minor, '.');
	bool is_whole = is_number(release);

	if (!is_whole && (!is_number(major) || !is_number(minor)))
		return true;
	if (clair_bytes_equal(family, CLAIR_LITERAL("azurelinux")) && major.size == 1 &&
		major.data[0] < '3')
		family = CLAIR_LITERAL("mariner");
	return name_namespace(arena, family, release, is_whole ? ".0" : "", ecosystem);
}

static bool
take_ubuntu(Arena *arena, ClairBytes name, OsvEcosystem *ecosystem)
{
	UbuntuChannel channel;

	if (ubuntu_ecosystem(arena, name, &channel) != UBUNTU_CHANNEL)
		return true;
	ecosystem->namespace = channel.namespace;
	ecosystem->flavour = channel.flavour;
	return channel.namespace.data != NULL;
}

/*
 * The rest of a CPE, "enterprise_linux:9::baseos", behind the vendor. Whether the product is an
 * application or an operating system is not said, so that both are meant.
 */
static bool
take_redhat(Arena *arena, ClairBytes product, OsvEcosystem *ecosystem)
{
	RedhatPlatform platforms[2];
	static const char parts[] = {'a', 'o'};

	memset(platforms, 0, sizeof(platforms));
	for (size_t i = 0; i < 2; i++)
	{
		ClairBytes cpe = arena_printf(arena, "cpe:/%c:redhat:%.*s", parts[i], (int) product.size,
									  product.data);

		if (cpe.data == NULL || !redhat_platform(arena, cpe, &platforms[i]))
			return false;
	}
	if (platforms[0].namespace.data == NULL)
		return true;
	ecosystem->namespace = platforms[0].namespace;
	ecosystem->repositories = arena_printf(
		arena, "%.*s %.*s%s%.*s", (int) platforms[0].cpe.size, platforms[0].cpe.data,
		(int) platforms[1].cpe.size, platforms[1].cpe.data, platforms[0].is_distribution ? " " : "",
		platforms[0].is_distribution ? (int) platforms[0].namespace.size : 0,
		platforms[0].namespace.data);
	return ecosystem->repositories.data != NULL;
}

/* The last word of a text, without what follows a dash in it; takes it off the text. */
static ClairBytes
take_last_word(ClairBytes *text)
{
	const char *blank = text->size > 0 ? memrchr(text->data, ' ', text->size) : NULL;
	size_t begin = blank != NULL ? (size_t) (blank - text->data) + 1 : 0;
	ClairBytes word = clair_bytes_skip(*text, begin);

	text->size = blank != NULL ? begin - 1 : 0;
	return text_take_part(&word, '-');
}

/*
 * "Linux Enterprise Server 15 SP5-LTSS", "Linux Enterprise Module for Basesystem 15 SP5": modules
 * belong to the server. Other products are not what images are of.
 */
static bool
take_suse(Arena *arena, ClairBytes product, OsvEcosystem *ecosystem)
{
	bool is_server = clair_bytes_start_with(product, CLAIR_LITERAL("Linux Enterprise Server ")) ||
					 clair_bytes_start_with(product, CLAIR_LITERAL("Linux Enterprise Module for "));
	ClairBytes pack = take_last_word(&product);
	ClairBytes major;

	if (!is_server)
		return true;
	if (is_number(pack))
		return name_namespace(arena, CLAIR_LITERAL("sles"), pack, "", ecosystem);
	major = take_last_word(&product);
	if (!clair_bytes_start_with(pack, CLAIR_LITERAL("SP")) || !is_number(major) ||
		!is_number(clair_bytes_skip(pack, 2)) || pack.size > 5)
		return true;
	ecosystem->namespace = arena_printf(arena, "sles:%.*s.%.*s", (int) major.size, major.data,
										(int) pack.size - 2, pack.data + 2);
	return ecosystem->namespace.data != NULL;
}

/* "Leap 15.6", "Tumbleweed". */
static bool
take_opensuse(Arena *arena, ClairBytes product, OsvEcosystem *ecosystem)
{
	static const ClairBytes leap = CLAIR_LITERAL("Leap ");

	if (clair_bytes_equal(product, CLAIR_LITERAL("Tumbleweed")))
		ecosystem->namespace = CLAIR_LITERAL("opensuse-tumbleweed:rolling");
	if (!clair_bytes_start_with(product, leap))
		return true;
	return take_minor(arena, CLAIR_LITERAL("opensuse-leap"), clair_bytes_skip(product, leap.size),
					  ecosystem);
}

/* Fills the namespace, if the release is known; false when the arena is exhausted. */
static bool
take_release(Arena *arena, const Distribution *distribution, ClairBytes name, ClairBytes release,
			 OsvEcosystem *ecosystem)
{
	ClairBytes major = {release.data, count_digits(release)};

	switch (distribution->release)
	{
		case RELEASE_MAJOR:
			return major.size == 0 ||
				   name_namespace(arena, distribution->family, major, "", ecosystem);
		case RELEASE_MINOR:
			return take_minor(arena, distribution->family, release, ecosystem);
		case RELEASE_WORD:
			return release.size == 0 ||
				   name_namespace(arena, distribution->family, release, "", ecosystem);
		case RELEASE_NONE:
			return name_namespace(arena, distribution->family, CLAIR_LITERAL("rolling"), "",
								  ecosystem);
		case RELEASE_UBUNTU:
			return take_ubuntu(arena, name, ecosystem);
		case RELEASE_REDHAT:
			return take_redhat(arena, release, ecosystem);
		case RELEASE_SUSE:
			return take_suse(arena, release, ecosystem);
		case RELEASE_OPENSUSE:
			return take_opensuse(arena, release, ecosystem);
	}
	return true;
}

/* The format of a namespace's versions, and what names of packages are in it. */
static void
take_namespace(ClairBytes namespace, OsvEcosystem *ecosystem)
{
	ClairBytes rest = namespace;
	ClairBytes family = text_take_part(&rest, ':');

	*ecosystem = (OsvEcosystem){.namespace = namespace, .kind = BINARY, .format = RPM};
	for (size_t i = 0; i < sizeof(distributions) / sizeof(distributions[0]); i++)
		if (clair_bytes_equal(distributions[i].family, family) &&
			!clair_bytes_equal(distributions[i].format, RPM))
		{
			ecosystem->kind = SOURCE;
			ecosystem->format = distributions[i].format;
		}
}

bool
osv_ecosystem(Arena *arena, ClairBytes name, ClairBytes namespace, OsvEcosystem *ecosystem,
			  bool *of_known)
{
	ClairBytes release = name;
	const Distribution *distribution = find_distribution(text_take_part(&release, ':'));

	*of_known = distribution != NULL || namespace.data != NULL;
	*ecosystem = (OsvEcosystem){.namespace = CLAIR_NULL_BYTES};
	if (namespace.data != NULL)
		take_namespace(namespace, ecosystem);
	if (distribution == NULL || name.size > CLAIR_MAX_NAME)
		return true;
	if (namespace.data == NULL)
	{
		ecosystem->format = distribution->format;
		if (!take_release(arena, distribution, name, release, ecosystem))
			return false;
	}
	ecosystem->kind = distribution->kind;
	ecosystem->drops_epoch = clair_bytes_equal(ecosystem->kind, SOURCE) &&
							 clair_bytes_equal(ecosystem->format, RPM);
	return true;
}
