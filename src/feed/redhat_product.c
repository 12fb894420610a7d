/*
 * redhat_product.c
 *    What Red Hat's names of products say; see redhat_product.h.
 *
 * A product is a relationship of a component, which has a package URL, and a platform, which has a
 * CPE. Between them there may be modules, as relationships of relationships in older documents;
 * newer ones name the module in the package URL ("rpmmod").
 */
#include "feed/redhat_product.h"

#include "common/limits.h"
#include "common/purl.h"
#include "feed/cpe.h"
#include "feed/rpm_release.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_NESTING		5 /* relationships within relationships */

/* Products whose version is that of the release, or begins with it; with "*", and what begins so.
 */
static const char *const releases[] = {"enterprise_linux", "rhel",		   "rhel_aus",
									   "rhel_e4s",		   "rhel_els",	   "rhel_eus",
									   "rhel_tus",		   "rhel_extras*", "rhel_mission_critical"};

/* Of the packages that are built from a kernel, those that are kept. */
static const char *const kernel_packages[] = {"kernel",		"kernel-core", "kernel-modules*",
											  "kernel-rt*", "kernel-64k*", "kernel-uki-virt*"};

/* What the name of a product is about. */
typedef struct Facts
{
	RedhatComponent component;
	RedhatPlatform platform;
} Facts;

static bool
is(ClairBytes text, const char *literal)
{
	return clair_bytes_equal(text, clair_bytes(literal));
}

/* Whether a name is in a list. */
static bool
is_listed(ClairBytes name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		ClairBytes listed = clair_bytes(list[i]);

		if (clair_bytes_equal(name, listed))
			return true;
		if (listed.data[listed.size - 1] == '*' &&
			clair_bytes_start_with(name, (ClairBytes){listed.data, listed.size - 1}))
			return true;
	}
	return false;
}

/* The digits at the beginning. */
static ClairBytes
leading_digits(ClairBytes text)
{
	ClairBytes digits = {text.data, 0};

	while (digits.size < text.size && digits.data[digits.size] >= '0' &&
		   digits.data[digits.size] <= '9')
		digits.size++;
	return digits;
}

/* The number behind "el" at the beginning; empty when there is none. */
static ClairBytes
release_number(ClairBytes text)
{
	if (!clair_bytes_start_with(text, CLAIR_LITERAL("el")))
		return CLAIR_LITERAL("");
	return leading_digits(clair_bytes_skip(text, 2));
}

/* The release that a package is built for, by its release's tag: "9" of "3.0.7-27.el9_4". */
static ClairBytes
release_of_build(ClairBytes version)
{
	while (version.size > 0)
	{
		char byte = version.data[0];
		ClairBytes number;

		version = clair_bytes_skip(version, 1);
		if (byte != '.' && byte != '+')
			continue;
		number = release_number(version);
		if (number.size > 0)
			return number;
	}
	return CLAIR_LITERAL("");
}

static bool
name_namespace(Arena *arena, ClairBytes release, ClairBytes *namespace)
{
	if (release.size == 0 || release.size > 3)
		return true;
	*namespace = arena_printf(arena, "rhel:%.*s", (int) release.size, release.data);
	return namespace->data != NULL;
}

bool
redhat_platform(Arena *arena, ClairBytes text, RedhatPlatform *platform)
{
	Cpe cpe;
	const char *problem = cpe_read(arena, text, &cpe);
	ClairBytes release;

	if (problem == NULL && cpe.components[CPE_PART].data == NULL)
		return false;
	if (problem != NULL || !is(cpe.components[CPE_VENDOR], "redhat") ||
		cpe.components[CPE_PRODUCT].data == NULL)
		return true;
	platform->product = cpe.components[CPE_PRODUCT];
	platform->version = cpe.components[CPE_VERSION];
	platform->is_distribution = is(platform->product, "enterprise_linux");
	platform->cpe = cpe_uri(arena, &cpe);
	release = release_number(cpe.components[CPE_EDITION]);
	if (release.size == 0 && is_listed(platform->product, releases, COUNT_OF(releases)))
		release = leading_digits(platform->version);
	return platform->cpe.data != NULL && name_namespace(arena, release, &platform->namespace);
}

/* The first two parts, name:stream, of a module's name; no value when it has not so many. */
static ClairBytes
module_stream(ClairBytes module)
{
	const char *colon = memchr(module.data, ':', module.size);
	ClairBytes stream;

	if (colon == NULL || colon == module.data)
		return CLAIR_NULL_BYTES;
	stream = clair_bytes_skip(module, (size_t) (colon + 1 - module.data));
	colon = memchr(stream.data, ':', stream.size);
	if (colon != NULL)
		stream.size = (size_t) (colon - stream.data);
	if (stream.size == 0)
		return CLAIR_NULL_BYTES;
	return (ClairBytes){module.data, (size_t) (stream.data + stream.size - module.data)};
}

/* Fills a component from the parts of an rpm's package URL. */
static bool
take_package(Arena *arena, const Purl *purl, RedhatComponent *component)
{
	ClairBytes epoch = purl_qualifier(purl, "epoch");
	ClairBytes module = purl_qualifier(purl, "rpmmod");

	component->name = purl->name;
	component->architecture = purl_qualifier(purl, "arch");
	if (module.data != NULL)
	{
		component->module = module_stream(module);
		if (component->module.data == NULL)
			component->problem = "its module has no stream";
	}
	if (purl->name.size > CLAIR_MAX_NAME)
		component->problem = "its name is too long";
	if (purl->version.data == NULL)
		return true;
	if (epoch.data == NULL)
		epoch = CLAIR_LITERAL("0");
	if (leading_digits(epoch).size != epoch.size)
		component->problem = "its epoch is not a number";
	component->fixed = arena_printf(arena, "%.*s:%.*s", (int) epoch.size, epoch.data,
									(int) purl->version.size, purl->version.data);
	return component->fixed.data != NULL;
}

/* Reads a component's package URL. Only Red Hat's rpms, and modules of them, are meant. */
static bool
read_component(Arena *arena, ClairBytes text, RedhatComponent *component)
{
	Purl purl;
	ClairBytes module;

	component->problem = purl_read(arena, text, &purl);
	if (component->problem != NULL)
	{
		if (!clair_bytes_start_with(text, CLAIR_LITERAL("pkg:rpm")))
			component->problem = NULL;
		return true;
	}
	if (purl.type.data == NULL)
		return false;
	if (!is(purl.namespace, "redhat"))
		return true;
	if (is(purl.type, "rpm"))
		return take_package(arena, &purl, component);
	if (!is(purl.type, "rpmmod"))
		return true;
	/* "pkg:rpmmod/redhat/ruby@2.5:8090020230627084142:b46abd14" */
	module = arena_printf(arena, "%.*s:%.*s", (int) purl.name.size, purl.name.data,
						  (int) purl.version.size, purl.version.data);
	if (module.data == NULL)
		return false;
	component->module = module_stream(module);
	return true;
}

/* The facts of a product that is no relationship. */
static Facts *
facts_of(Arena *arena, CsafProduct *product)
{
	Facts *facts = product->facts;

	if (facts != NULL)
		return facts;
	facts = arena_alloc(arena, sizeof(Facts));
	if (facts == NULL ||
		(product->cpe.data != NULL && !redhat_platform(arena, product->cpe, &facts->platform)) ||
		(product->purl.data != NULL && !read_component(arena, product->purl, &facts->component)))
		return NULL;
	product->facts = facts;
	return facts;
}

/* Adds what a product, and those that it consists of, say. */
static bool
collect(Arena *arena, CsafProduct *product, int depth, RedhatProduct *found)
{
	const Facts *facts;

	if (product->platform != NULL)
		return depth == MAX_NESTING || (collect(arena, product->component, depth + 1, found) &&
										collect(arena, product->platform, depth + 1, found));
	facts = facts_of(arena, product);
	if (facts == NULL)
		return false;
	if (facts->platform.cpe.data != NULL && found->platform == NULL)
		found->platform = &facts->platform;
	if (facts->component.name.data != NULL || facts->component.problem != NULL)
		found->component = &facts->component;
	if (facts->component.module.data != NULL)
		found->module = facts->component.module;
	return true;
}

bool
redhat_product(Arena *arena, CsafProduct *product, RedhatProduct *found)
{
	*found = (RedhatProduct){.module = CLAIR_LITERAL("")};
	if (!collect(arena, product, 0, found))
		return false;
	if (found->platform == NULL || found->component == NULL)
		return true;
	found->namespace = found->platform->namespace;
	if (found->namespace.data == NULL && found->component->fixed.data != NULL)
		return name_namespace(arena, release_of_build(found->component->fixed), &found->namespace);
	return true;
}

bool
redhat_is_kernel(ClairBytes source)
{
	return is(source, "kernel") || clair_bytes_start_with(source, CLAIR_LITERAL("kernel-"));
}

static bool
has_part(ClairBytes name, ClairBytes part)
{
	return memmem(name.data, name.size, part.data, part.size) != NULL;
}

bool
redhat_package_runs(ClairBytes name)
{
	if (rpm_is_for_debuggers(name))
		return false;
	return !redhat_is_kernel(name) ||
		   (is_listed(name, kernel_packages, COUNT_OF(kernel_packages)) &&
			!has_part(name, CLAIR_LITERAL("-devel")));
}
