/*
 * updateinfo_ranges.c
 *    From the packages of an update to ranges; see updateinfo_ranges.h.
 *
 * Each package is a claim for its machine, whose architectures (i686, x86_64) are built from one
 * source; rpm_ranges() makes ranges of these.
 */
#include "feed/updateinfo_ranges.h"

#include "common/text.h"
#include "feed/name_list.h"
#include "feed/rpm_ranges.h"
#include "feed/rpm_release.h"

#define MAX_PACKAGES	  100000 /* of an update; texlive has some 10,000 */
#define MAX_ARCHITECTURES 64	 /* of all of them */

typedef struct Packages
{
	RecordFeed *feed;
	const UpdateinfoSource *source;
	ClairBytes key; /* of the record */
	ClairBytes id;	/* of the update */
	RpmClaim *claims;
	size_t count;
	size_t capacity;
} Packages;

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the update");
}

/*
 * The namespace of a package with this release; no value: it is for another one than is wanted, or
 * *problem says why not, or the arena is exhausted, which *exhausted then is.
 */
static ClairBytes
namespace_of(const Packages *packages, ClairBytes release, const char **problem, bool *exhausted)
{
	ClairBytes wanted = packages->source->namespace;
	ClairBytes rest = wanted;
	ClairBytes family = text_take_part(&rest, ':');
	ClairBytes built_for = rpm_release_built_for(release, family);
	ClairBytes namespace;

	if (family.size < wanted.size)
		return built_for.data == NULL || clair_bytes_equal(built_for, rest) ? wanted
																			: CLAIR_NULL_BYTES;
	if (built_for.data == NULL)
	{
		*problem = "its release does not say what it was built for";
		return CLAIR_NULL_BYTES;
	}
	namespace = arena_printf(packages->feed->arena, "%.*s:%.*s", (int) family.size, family.data,
							 (int) built_for.size, built_for.data);
	*exhausted = namespace.data == NULL;
	return namespace;
}

/* Fills in what the package is fixed in. NULL, or what is wrong with it. */
static const char *
fix(const Packages *packages, const XmlElement *package, RpmClaim *claim)
{
	Arena *arena = packages->feed->arena;
	ClairBytes epoch = xml_attribute(package, "epoch");
	ClairBytes version = xml_attribute(package, "version");
	ClairBytes release = xml_attribute(package, "release");
	ClairBytes evr;

	if (claim->range.package.size == 0 || claim->range.package.size > CLAIR_MAX_NAME)
		return "the name of a package is missing or too long";
	if (version.size == 0 || release.size == 0)
		return "it has no version";
	for (size_t i = 0; i < epoch.size; i++)
		if (epoch.data[i] < '0' || epoch.data[i] > '9')
			return "its epoch is no number";
	if (epoch.size == 0 || clair_bytes_equal(epoch, CLAIR_LITERAL("0")))
		evr = arena_printf(arena, "%.*s-%.*s", (int) version.size, version.data, (int) release.size,
						   release.data);
	else
		evr = arena_printf(arena, "%.*s:%.*s-%.*s", (int) epoch.size, epoch.data,
						   (int) version.size, version.data, (int) release.size, release.data);
	return evr.data != NULL ? rpm_claim_fix(arena, claim, evr) : NULL;
}

static ClairStatus
tell(const Packages *packages, ClairBytes name, const char *problem, ClairError *error)
{
	if (name.size == 0 || name.size > CLAIR_MAX_NAME)
		return advisory_broken(&packages->feed->writer, packages->key, error, "%s", problem);
	return advisory_broken(&packages->feed->writer, packages->key, error, "%.*s: %s",
						   (int) name.size, name.data, problem);
}

/* Adds the claim that a package of a collection is, which has the module. */
static ClairStatus
add_package(Packages *packages, const XmlElement *package, ClairBytes module, ClairError *error)
{
	ClairBytes name = xml_attribute(package, "name");
	ClairBytes release = xml_attribute(package, "release");
	ClairBytes architecture = xml_attribute(package, "arch");
	RpmClaim claim = {.range = {.kind = CLAIR_LITERAL("binary"),
								.package = name,
								.format = CLAIR_LITERAL("rpm"),
								.status = CLAIR_LITERAL("fixed"),
								.architectures = architecture,
								.module = module,
								.advisory = packages->id}};
	bool exhausted = false;
	const char *problem = NULL;

	if (clair_bytes_equal(architecture, CLAIR_LITERAL("src")) ||
		clair_bytes_equal(architecture, CLAIR_LITERAL("nosrc")) || rpm_is_for_debuggers(name))
		return CLAIR_OK;
	if (architecture.size == 0)
		claim.range.architectures = CLAIR_NULL_BYTES;
	if (module.data == NULL && packages->source->has_modules && !rpm_release_is_modular(release))
		claim.range.module = CLAIR_LITERAL("");
	problem = fix(packages, package, &claim);
	if (problem == NULL)
		claim.range.namespace = namespace_of(packages, release, &problem, &exhausted);
	if (problem != NULL)
		return tell(packages, name, problem, error);
	if (exhausted || claim.key.data == NULL)
		return memory_error(error);
	if (claim.range.namespace.data == NULL)
		return CLAIR_OK;
	packages->claims = arena_grow_array(packages->feed->arena, packages->claims,
										packages->count + 1, &packages->capacity, sizeof(RpmClaim));
	if (packages->claims == NULL)
		return memory_error(error);
	packages->claims[packages->count++] = claim;
	return CLAIR_OK;
}

/* The module of a collection: "ruby:2.6", or no value. */
static ClairStatus
module_of(const Packages *packages, const XmlElement *collection, ClairBytes *module,
		  ClairError *error)
{
	XmlElement element = xml_child(collection, "module");
	ClairBytes name = xml_attribute(&element, "name");
	ClairBytes stream = xml_attribute(&element, "stream");

	*module = CLAIR_NULL_BYTES;
	if (name.size == 0)
		return CLAIR_OK;
	*module = arena_printf(packages->feed->arena, "%.*s:%.*s", (int) name.size, name.data,
						   (int) stream.size, stream.data != NULL ? stream.data : "");
	return module->data != NULL ? CLAIR_OK : memory_error(error);
}

static ClairStatus
add_collection(Packages *packages, const XmlElement *collection, const char **problem,
			   ClairError *error)
{
	ClairBytes content = collection->content;
	XmlElement package;
	ClairBytes module;
	ClairStatus status = module_of(packages, collection, &module, error);

	while (status == CLAIR_OK && *problem == NULL && xml_next_named(&content, "package", &package))
	{
		if (packages->count == MAX_PACKAGES)
			*problem = "it has too many packages";
		else
			status = add_package(packages, &package, module, error);
	}
	return status;
}

static ClairStatus
add_collections(Packages *packages, const XmlElement *update, const char **problem,
				ClairError *error)
{
	ClairBytes content = update->content;
	XmlElement list;
	ClairStatus status = CLAIR_OK;

	while (status == CLAIR_OK && xml_next_named(&content, "pkglist", &list))
	{
		XmlElement collection;

		while (status == CLAIR_OK && xml_next_named(&list.content, "collection", &collection))
			status = add_collection(packages, &collection, problem, error);
	}
	return status;
}

/*
 * Has the packages be for machines, of which one may have several architectures: *architectures are
 * those that packages are for, in order.
 */
static bool
take_machines(Packages *packages, ClairBytes **architectures, size_t *count)
{
	*architectures = arena_alloc_array(packages->feed->arena, packages->count, sizeof(ClairBytes));
	*count = 0;
	if (*architectures == NULL)
		return false;
	for (size_t i = 0; i < packages->count; i++)
	{
		ClairBytes *architecture = &packages->claims[i].range.architectures;

		if (architecture->data == NULL || clair_bytes_equal(*architecture, CLAIR_LITERAL("noarch")))
			continue;
		(*architectures)[(*count)++] = *architecture;
		*architecture = rpm_machine_of(*architecture);
	}
	*count = name_list_order(*architectures, *count);
	return true;
}

/* Whether a list has a name. */
static bool
has_name(ClairBytes list, ClairBytes name)
{
	while (list.size > 0)
		if (clair_bytes_equal(text_take_part(&list, ' '), name))
			return true;
	return false;
}

/* Those architectures whose machines are in the list, or, without a list, their machines: a list.
 */
static bool
select_architectures(Arena *arena, const ClairBytes *architectures, size_t count,
					 const ClairBytes *machines, ClairBytes *list)
{
	ClairBytes names[MAX_ARCHITECTURES];
	size_t selected = 0;

	for (size_t i = 0; i < count; i++)
	{
		ClairBytes machine = rpm_machine_of(architectures[i]);

		if (machines == NULL || has_name(*machines, machine))
			names[selected++] = machines == NULL ? machine : architectures[i];
	}
	selected = name_list_order(names, selected);
	*list = name_list_join(arena, names, selected);
	return selected == 0 || list->data != NULL;
}

/*
 * From machines to architectures: what is so for all machines of the update, is for any; a
 * repository for one machine says of its packages what is so of the others', too.
 */
static bool
name_architectures(const Packages *packages, const ClairBytes *architectures, size_t count,
				   AdvisoryRange *ranges, size_t range_count)
{
	Arena *arena = packages->feed->arena;
	ClairBytes all;

	if (!select_architectures(arena, architectures, count, NULL, &all))
		return false;
	for (size_t i = 0; i < range_count; i++)
	{
		ClairBytes machines = ranges[i].architectures;

		if (clair_bytes_equal(machines, all))
			ranges[i].architectures = CLAIR_NULL_BYTES;
		else if (machines.data != NULL &&
				 !select_architectures(arena, architectures, count, &machines,
									   &ranges[i].architectures))
			return false;
	}
	return true;
}

/* Whether a version, without its epoch, is of a line. */
static bool
is_of_line(ClairBytes version, ClairBytes line)
{
	return line.size > 0 && clair_bytes_start_with(version, line) &&
		   (version.size == line.size || version.data[line.size] < '0' ||
			version.data[line.size] > '9');
}

/* Lets a range begin with the line that its fix is of, if there is one. */
static bool
begin_with_line(const Packages *packages, AdvisoryRange *range)
{
	const UpdateinfoSource *source = packages->source;
	const char *colon = memchr(range->fixed.data, ':', range->fixed.size);
	size_t epoch = colon != NULL ? (size_t) (colon + 1 - range->fixed.data) : 0;
	ClairBytes version = clair_bytes_skip(range->fixed, epoch);
	ClairBytes found = CLAIR_NULL_BYTES;

	for (size_t i = 0; i < source->line_count; i++)
		if (is_of_line(version, source->lines[i]) && source->lines[i].size > found.size)
			found = source->lines[i];
	if (found.data == NULL || range->introduced.data != NULL)
		return true;
	range->introduced = arena_printf(packages->feed->arena, "%.*s%.*s", (int) epoch,
									 range->fixed.data, (int) found.size, found.data);
	return range->introduced.data != NULL;
}

ClairStatus
updateinfo_ranges(RecordFeed *feed, const UpdateinfoSource *source, ClairBytes key, ClairBytes id,
				  const XmlElement *update, AdvisoryRange **ranges, uint32_t *count,
				  const char **problem, ClairError *error)
{
	Packages packages = {.feed = feed, .source = source, .key = key, .id = id};
	ClairBytes *architectures;
	size_t architecture_count;
	ClairStatus status;

	*problem = NULL;
	*count = 0;
	status = add_collections(&packages, update, problem, error);
	if (status != CLAIR_OK || *problem != NULL)
		return status;
	if (!take_machines(&packages, &architectures, &architecture_count))
		return memory_error(error);
	if (architecture_count > MAX_ARCHITECTURES)
	{
		*problem = "it has packages for too many architectures";
		return CLAIR_OK;
	}
	if (!rpm_ranges(feed->arena, packages.claims, packages.count, ranges, count) ||
		!name_architectures(&packages, architectures, architecture_count, *ranges, *count))
		return memory_error(error);
	for (uint32_t i = 0; i < *count; i++)
	{
		(*ranges)[i].repositories = source->repositories;
		if (!begin_with_line(&packages, &(*ranges)[i]))
			return memory_error(error);
	}
	return CLAIR_OK;
}
