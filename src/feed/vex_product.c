/*
 * vex_product.c
 *    What the products of VEX documents are; see vex_product.h.
 *
 * Packages and images are known by their package URLs (ECMA-427 and its types deb, rpm, apk and
 * oci), images also by their digest alone. Any other name is that of something which the user who
 * loads the document has to know.
 */
#include "feed/vex_product.h"

#include "common/limits.h"
#include "common/purl.h"
#include "common/text.h"
#include "feed/cpe.h"
#include "version/version_key.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool
is(ClairBytes text, const char *literal)
{
	return clair_bytes_equal(text, clair_bytes(literal));
}

/* The part of memory that is short is found out by this: NULL, and nothing found. */
static const char *
out_of_memory(VexProduct *found)
{
	found->is_found = false;
	return NULL;
}

static bool
is_package_url(ClairBytes name)
{
	ClairBytes scheme = CLAIR_LITERAL("pkg:");

	return name.size >= scheme.size &&
		   text_equal_ignoring_case((ClairBytes){name.data, scheme.size}, scheme);
}

/* A name as a pattern of LIKE that nothing else is like. */
static ClairBytes
quote_pattern(Arena *arena, ClairBytes name)
{
	char *quoted = arena_alloc(arena, 2 * name.size + 1);
	size_t size = 0;

	if (quoted == NULL)
		return CLAIR_NULL_BYTES;
	for (size_t i = 0; i < name.size; i++)
	{
		if (name.data[i] == '%' || name.data[i] == '_' || name.data[i] == '\\')
			quoted[size++] = '\\';
		quoted[size++] = name.data[i];
	}
	return (ClairBytes){quoted, size};
}

static bool
is_digest(ClairBytes text)
{
	size_t prefix = sizeof("sha256:") - 1;
	size_t digits = 0;

	if (clair_bytes_start_with(text, CLAIR_LITERAL("sha256:")))
		digits = 64;
	else if (clair_bytes_start_with(text, CLAIR_LITERAL("sha512:")))
		digits = 128;
	if (digits == 0 || text.size != prefix + digits)
		return false;
	for (size_t i = prefix; i < text.size; i++)
		if (text_hexadecimal(text.data[i]) < 0 || text.data[i] != text_lower(text.data[i]))
			return false;
	return true;
}

/*
 * Takes an image: by its digest or, without one, by its name, with the tag, or with any and none.
 * "pkg:oci/web@sha256:...?repository_url=registry.example.org/team/web&tag=1.4"
 */
static const char *
take_image(Arena *arena, const Purl *purl, VexProduct *found)
{
	ClairBytes repository = purl_qualifier(purl, "repository_url");
	ClairBytes tag = purl_qualifier(purl, "tag");
	ClairBytes name;

	if (is_digest(purl->version))
	{
		found->image = purl->version;
		return NULL;
	}
	if (purl->version.data != NULL)
		return "the version of an image is no digest";
	name = quote_pattern(arena, repository.data != NULL ? repository : purl->name);
	tag = quote_pattern(arena, tag);
	if (name.data == NULL || tag.data == NULL)
		return out_of_memory(found);
	if (tag.size > 0)
		found->image = arena_printf(arena, "%.*s:%.*s", (int) name.size, name.data, (int) tag.size,
									tag.data);
	else
	{
		found->image = name;
		found->other_image = arena_printf(arena, "%.*s:%%", (int) name.size, name.data);
		if (found->other_image.data == NULL)
			return out_of_memory(found);
	}
	return found->image.data != NULL ? NULL : out_of_memory(found);
}

/* Takes the package's version, with the epoch that package URLs of rpm have aside. */
static const char *
take_version(Arena *arena, const Purl *purl, VexProduct *found)
{
	ClairBytes epoch = purl_qualifier(purl, "epoch");
	unsigned char key[VERSION_KEY_SIZE(VERSION_MAX_TEXT)];
	VersionProblem problem;
	VersionFormat format;
	size_t size;

	found->version = purl->version;
	if (purl->version.data == NULL)
		return NULL;
	if (is(purl->type, "rpm") && epoch.data != NULL)
	{
		found->version = arena_printf(arena, "%.*s:%.*s", (int) epoch.size, epoch.data,
									  (int) purl->version.size, purl->version.data);
		if (found->version.data == NULL)
			return out_of_memory(found);
	}
	if (!version_format_by_name(found->format, &format) ||
		!version_encode(format, found->version, key, &size, &problem))
		return "the version is not valid";
	return NULL;
}

/* The distribution that a platform's CPE names. */
static const char *
take_platform(Arena *arena, ClairBytes platform, VexProduct *found)
{
	Cpe cpe;
	const char *problem = cpe_read(arena, platform, &cpe);
	ClairBytes vendor = cpe.components[CPE_VENDOR];
	ClairBytes product = cpe.components[CPE_PRODUCT];

	if (problem == NULL && cpe.components[CPE_PART].data == NULL)
		return out_of_memory(found);
	if (problem != NULL || vendor.data == NULL || product.data == NULL)
		return "the CPE of its platform is not valid";
	found->vendor = arena_printf(arena, "%.*s:%.*s", (int) vendor.size, vendor.data,
								 (int) product.size, product.data);
	found->distribution = cpe.components[CPE_VERSION];
	return found->vendor.data != NULL ? NULL : out_of_memory(found);
}

/* Takes a package of a distribution. */
static const char *
take_package(Arena *arena, const Purl *purl, ClairBytes platform, VexProduct *found)
{
	ClairBytes architecture = purl_qualifier(purl, "arch");

	if (purl->name.size > CLAIR_MAX_NAME)
		return "the name of the package is too long";
	if (purl_qualifier(purl, "rpmmod").data != NULL)
		return "the package is of a module";
	found->package = purl->name;
	/* Of a source, an exception is for whatever is built from it. */
	if (!is(architecture, "source") && !is(architecture, "src") && !is(architecture, "nosrc"))
		found->architecture = architecture;
	if (platform.data != NULL)
	{
		const char *problem = take_platform(arena, platform, found);

		if (problem != NULL || !found->is_found)
			return problem;
	}
	else
	{
		found->vendor = purl->namespace;
		found->distribution = purl_qualifier(purl, "distro");
	}
	if (found->vendor.data == NULL && found->distribution.data == NULL)
		return "it does not say of which distribution the package is";
	return take_version(arena, purl, found);
}

/* Takes what is called by a package URL. */
static const char *
take_package_url(Arena *arena, const Purl *purl, ClairBytes platform, VexProduct *found)
{
	static const struct
	{
		const char *type;
		const char *format;
	} formats[] = {{"deb", "dpkg"}, {"rpm", "rpm"}, {"apk", "apk"}};

	for (size_t i = 0; i < COUNT_OF(formats); i++)
	{
		if (!is(purl->type, formats[i].type))
			continue;
		found->format = clair_bytes(formats[i].format);
		return take_package(arena, purl, platform, found);
	}
	if (!is(purl->type, "oci"))
		return "packages of this type are not known";
	if (found->image.data != NULL || found->unknown.data != NULL)
		return "it is an image within something else";
	return take_image(arena, purl, found);
}

/* Takes what has some name; a package only if it may be one. */
static const char *
take_name(Arena *arena, ClairBytes name, ClairBytes platform, bool is_whole, VexProduct *found)
{
	const char *problem;
	Purl purl;

	if (is_digest(name) && found->image.data == NULL && found->unknown.data == NULL)
	{
		found->image = name;
		return NULL;
	}
	if (!is_package_url(name))
	{
		if (!is_whole && (found->image.data != NULL || found->unknown.data != NULL))
			return "it is not named by a package URL";
		found->unknown = name;
		return NULL;
	}
	problem = purl_read(arena, name, &purl);
	if (problem != NULL)
		return problem;
	if (purl.type.data == NULL)
		return out_of_memory(found);
	if (!is_whole || is(purl.type, "oci"))
		return take_package_url(arena, &purl, platform, found);
	found->unknown = name;
	return NULL;
}

const char *
vex_product(Arena *arena, ClairBytes whole, ClairBytes product, ClairBytes platform,
			VexProduct *found)
{
	const char *problem = NULL;

	*found = (VexProduct){.is_found = true};
	if (whole.data == NULL && product.data == NULL)
		return "it does not say of which product";
	if (whole.data != NULL)
		problem = take_name(arena, whole, CLAIR_NULL_BYTES, true, found);
	if (problem == NULL && found->is_found && product.data != NULL)
		problem = take_name(arena, product, platform, false, found);
	return problem;
}
