/*
 * sbom_package.c
 *    What software bills of materials say of packages and of the system that they are of.
 *
 * Packages are known by their package URLs (ECMA-427 and its types deb, rpm and apk): "epoch" is
 * a part of the version, "upstream" the source package ("name", "name@version", or the name of a
 * source rpm), "distro" the release. Older documents of Trivy and Syft, and SPDX, say the source
 * elsewhere. Packages of other types are counted, and left out.
 */
#include "package/sbom.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/purl.h"
#include "common/text.h"
#include "package/rpm_package.h"

#define COUNT_OF(array)	 (sizeof(array) / sizeof((array)[0]))
#define MAX_TYPES		 50 /* of packages passed over that are told apart */
#define MAX_REPOSITORIES 1000

static bool
is(ClairBytes text, const char *literal)
{
	return clair_bytes_equal(text, clair_bytes(literal));
}

/* Ends the job with what a function has returned, unless that is well. */
static bool
check(SbomReader *reader, ClairStatus status)
{
	reader->status = status;
	return status == CLAIR_OK;
}

static bool
out_of_memory(SbomReader *reader)
{
	return check(reader, clair_error(reader->error, CLAIR_MEMORY, "out of memory"));
}

/* Counts one more of what has this key; NULL when memory is short. */
static SbomCount *
count_one(SbomReader *reader, SbomTally *tally, ClairBytes key)
{
	SbomCount *count = text_map_find(&tally->map, key);
	void **place;

	if (count == NULL)
	{
		key = arena_copy(reader->arena, key);
		place = key.data != NULL ? text_map_at(&tally->map, key) : NULL;
		count = place != NULL ? arena_alloc(reader->arena, sizeof(SbomCount)) : NULL;
		if (count == NULL)
			return NULL;
		*count = (SbomCount){.next = tally->first, .name = key};
		tally->first = count;
		*place = count;
	}
	count->count++;
	return count;
}

bool
sbom_pass_over(SbomReader *reader, ClairBytes type)
{
	SbomTally *tally = &reader->passed_over;

	if (tally->map.count >= MAX_TYPES && text_map_find(&tally->map, type) == NULL)
		type = CLAIR_LITERAL("other");
	return count_one(reader, tally, type) != NULL || out_of_memory(reader);
}

bool
sbom_fact(SbomReader *reader, const char *key, ClairBytes value)
{
	Findings *findings = &reader->sbom->files[SBOM_DOCUMENT];

	if (value.size == 0 || value.size > CLAIR_MAX_NAME)
		return true;
	for (const Fact *fact = findings->facts; fact != NULL; fact = fact->next)
		if (is(fact->key, key))
			return true;
	return check(reader, findings_fact(findings, clair_bytes(key), value, reader->error));
}

bool
sbom_repository(SbomReader *reader, ClairBytes repository)
{
	Findings *findings = &reader->sbom->files[SBOM_REPOSITORIES];
	size_t number = reader->repositories.count;
	void **place;

	if (repository.size == 0 || repository.size > CLAIR_MAX_NAME || number == MAX_REPOSITORIES ||
		text_map_find(&reader->repositories, repository) != NULL)
		return true;
	repository = arena_copy(reader->arena, repository);
	place = repository.data != NULL ? text_map_at(&reader->repositories, repository) : NULL;
	if (place == NULL)
		return out_of_memory(reader);
	*place = reader;
	return check(reader, findings_fact_of_list(findings, "repository", (int) number, repository,
											   reader->error));
}

/* --- operating systems --- */

/* What os-release calls a distribution that others call otherwise. */
static ClairBytes
release_id(ClairBytes name)
{
	static const struct
	{
		const char *name;
		const char *id;
	} ids[] = {{"alma", "almalinux"},
			   {"amazon", "amzn"},
			   {"opensuse.leap", "opensuse-leap"},
			   {"opensuse.tumbleweed", "opensuse-tumbleweed"},
			   {"oraclelinux", "oracle"},
			   {"redhat", "rhel"},
			   {"rockylinux", "rocky"},
			   {"suse", "sles"}};

	for (size_t i = 0; i < COUNT_OF(ids); i++)
		if (text_equal_ignoring_case(name, clair_bytes(ids[i].name)))
			return clair_bytes(ids[i].id);
	return name;
}

static bool
begins_with_digit(ClairBytes text)
{
	return text.size > 0 && text.data[0] >= '0' && text.data[0] <= '9';
}

/* Tells of a system as its os-release would. What has a blank in it is a title, and no id. */
static bool
tell_system(SbomReader *reader, const SbomSystem *system)
{
	Findings *findings = &reader->sbom->files[SBOM_RELEASE];
	bool is_title = system->name.size > 0 && memchr(system->name.data, ' ', system->name.size);
	bool is_codename = system->version_codename.data == NULL &&
					   !begins_with_digit(system->version_id);
	const struct
	{
		ClairBytes key;
		ClairBytes value;
	} facts[] = {
		{CLAIR_LITERAL("id"), is_title ? CLAIR_NULL_BYTES : release_id(system->name)},
		{CLAIR_LITERAL("name"), system->name},
		{CLAIR_LITERAL("version_id"), system->version_id},
		{CLAIR_LITERAL("version_codename"),
		 is_codename ? system->version_id : system->version_codename},
		{CLAIR_LITERAL("pretty_name"), system->pretty_name},
		{CLAIR_LITERAL("id_like"), system->id_like},
	};

	for (size_t i = 0; i < COUNT_OF(facts); i++)
		if (facts[i].value.size > 0 &&
			!check(reader, findings_fact(findings, facts[i].key, facts[i].value, reader->error)))
			return false;
	return true;
}

bool
sbom_system(SbomReader *reader, const SbomSystem *system)
{
	ClairBytes shown = arena_printf(reader->scratch, "%.*s %.*s", (int) system->name.size,
									system->name.size > 0 ? system->name.data : "",
									(int) system->version_id.size,
									system->version_id.size > 0 ? system->version_id.data : "");

	if (shown.data == NULL)
		return out_of_memory(reader);
	if (reader->system.data != NULL && !clair_bytes_equal(shown, reader->system))
		return check(reader, findings_problem(&reader->sbom->files[SBOM_DOCUMENT], reader->error,
											  "it names the operating system \"%s\" beside \"%s\"",
											  shown.data, reader->system.data));
	if (reader->system.data != NULL)
		return true;
	reader->system = arena_copy(reader->arena, shown);
	return reader->system.data != NULL ? tell_system(reader, system) : out_of_memory(reader);
}

void
sbom_system_property(SbomReader *reader, SbomSystem *system, ClairBytes name, ClairBytes value)
{
	if (is(name, "syft:distro:id"))
		system->name = value;
	else if (is(name, "syft:distro:versionID"))
		system->version_id = value;
	else if (is(name, "syft:distro:versionCodename"))
		system->version_codename = value;
	else if (is(name, "syft:distro:prettyName"))
		system->pretty_name = value;
	else if (clair_bytes_start_with(name, CLAIR_LITERAL("syft:distro:idLike:")))
		system->id_like = arena_printf(reader->scratch, "%.*s %.*s", (int) system->id_like.size,
									   system->id_like.size > 0 ? system->id_like.data : "",
									   (int) value.size, value.data);
}

/*
 * Counts the distribution that a package URL names: "debian-12", a release alone ("3.20",
 * "bookworm"), or nothing but the namespace.
 */
static bool
count_distribution(SbomReader *reader, const Purl *purl)
{
	ClairBytes name = purl->namespace;
	ClairBytes release = purl_qualifier(purl, "distro");
	const char *dash = release.size > 0 ? memrchr(release.data, '-', release.size) : NULL;
	SbomTally *tally = release.size > 0 ? &reader->distributions : &reader->namespaces;
	SbomCount *count;
	ClairBytes key;

	if (dash != NULL)
	{
		name = (ClairBytes){release.data, (size_t) (dash - release.data)};
		release = clair_bytes_skip(release, name.size + 1);
	}
	else if (clair_bytes_equal(release, name))
		release = CLAIR_NULL_BYTES;
	if (name.size == 0 || is(name, "unknown"))
		return true;
	key = arena_printf(reader->scratch, "%.*s%s%.*s", (int) name.size, name.data,
					   release.size > 0 ? "-" : "", (int) release.size,
					   release.size > 0 ? release.data : "");
	count = key.data != NULL ? count_one(reader, tally, key) : NULL;
	if (count == NULL)
		return out_of_memory(reader);
	if (release.size > 0)
		count->release = clair_bytes_skip(count->name, name.size + 1);
	return true;
}

/* --- packages --- */

void
sbom_package_property(SbomPackage *package, ClairBytes name, ClairBytes value)
{
	static const struct
	{
		ClairBytes name;
		size_t member;
	} members[] = {
#define MEMBER(name, member) {CLAIR_LITERAL(name), offsetof(SbomPackage, member)}
		MEMBER("aquasecurity:trivy:SrcName", source_name),
		MEMBER("aquasecurity:trivy:SrcEpoch", source_epoch),
		MEMBER("aquasecurity:trivy:SrcVersion", source_version),
		MEMBER("aquasecurity:trivy:SrcRelease", source_release),
		MEMBER("aquasecurity:trivy:Modularitylabel", module),
		MEMBER("syft:metadata:source", source_name),
		MEMBER("syft:metadata:originPackage", source_name),
		MEMBER("syft:metadata:sourceVersion", source_version),
		MEMBER("syft:metadata:sourceRpm", source_rpm),
		MEMBER("syft:metadata:modularityLabel", module),
#undef MEMBER
	};

	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (clair_bytes_equal(name, members[i].name) && value.size > 0)
			*(ClairBytes *) ((char *) package + members[i].member) = value;
}

/* "[epoch:]version[-release]"; of no version, no value. */
static bool
join_version(SbomReader *reader, ClairBytes epoch, ClairBytes version, ClairBytes release,
			 ClairBytes *joined)
{
	bool has_epoch = epoch.size > 0 && !is(epoch, "0");
	bool has_release = release.size > 0;

	*joined = version.size > 0 ? version : CLAIR_NULL_BYTES;
	if (version.size == 0 || (!has_epoch && !has_release))
		return true;
	*joined = arena_printf(reader->scratch, "%.*s%s%.*s%s%.*s", has_epoch ? (int) epoch.size : 0,
						   has_epoch ? epoch.data : "", has_epoch ? ":" : "", (int) version.size,
						   version.data, has_release ? "-" : "", (int) release.size,
						   has_release ? release.data : "");
	return joined->data != NULL || out_of_memory(reader);
}

/* The version that a package URL has without its epoch, and that with it. */
static bool
whole_version(SbomReader *reader, const Purl *purl, const SbomPackage *package, ClairBytes *version)
{
	ClairBytes epoch = purl_qualifier(purl, "epoch");

	*version = purl->version.size > 0 ? purl->version : package->version;
	if (version->size > 0 && memchr(version->data, ':', version->size) != NULL)
		epoch = CLAIR_NULL_BYTES;
	return join_version(reader, epoch, *version, CLAIR_NULL_BYTES, version);
}

/*
 * The source package of a package: its name, and its version if that is told. False when the job
 * must end; of a source that is not told, no name.
 */
static bool
find_source(SbomReader *reader, const Purl *purl, const SbomPackage *package, ClairBytes *name,
			ClairBytes *version)
{
	ClairBytes upstream = purl_qualifier(purl, "upstream");
	const char *at = upstream.size > 0 ? memchr(upstream.data, '@', upstream.size) : NULL;

	*name = upstream;
	*version = CLAIR_NULL_BYTES;
	if (at != NULL)
	{
		*name = (ClairBytes){upstream.data, (size_t) (at - upstream.data)};
		*version = clair_bytes_skip(upstream, name->size + 1);
	}
	if (name->size > 0)
		return true;
	*name = package->source_name.size > 0 ? package->source_name : purl_qualifier(purl, "origin");
	return join_version(reader, package->source_epoch, package->source_version,
						package->source_release, version);
}

/* Adds a package of dpkg or apk. */
static ClairStatus
add_feature(SbomReader *reader, VersionFormat format, const Feature *feature)
{
	Sbom *sbom = reader->sbom;
	Findings *findings = &sbom->files[SBOM_DATABASE + format - VERSION_DPKG];

	if (!text_is_word(feature->name))
		return findings_problem(findings, reader->error,
								"component %" PRId64 ": \"%.*s\" is not a package's name",
								sbom->components,
								(int) (feature->name.size < 100 ? feature->name.size : 100),
								feature->name.data);
	return findings_feature(findings, format, sbom->components, feature, reader->error);
}

/* Adds a package of rpm, as rpm's own databases have it. */
static bool
add_rpm(SbomReader *reader, const Purl *purl, const SbomPackage *package, ClairBytes version,
		ClairBytes source_name, ClairBytes source_version)
{
	Findings *findings = &reader->sbom->files[SBOM_DATABASE + VERSION_RPM - VERSION_DPKG];
	const char *colon = version.size > 0 ? memchr(version.data, ':', version.size) : NULL;
	ClairBytes epoch = CLAIR_NULL_BYTES;
	ClairBytes module = purl_qualifier(purl, "rpmmod");
	RpmPackage rpm = {.name = purl->name,
					  .architecture = purl_qualifier(purl, "arch"),
					  .vendor = package->vendor,
					  .license = package->license};
	const char *dash;

	if (clair_bytes_end_with(source_name, CLAIR_LITERAL(".rpm")) && source_version.data == NULL)
		rpm.source_rpm = source_name;
	else if (source_name.size > 0)
		rpm.source_nevr = arena_printf(
			reader->scratch, "%.*s-%.*s", (int) source_name.size, source_name.data,
			(int) (source_version.size > 0 ? source_version.size : version.size),
			source_version.size > 0 ? source_version.data
			: version.size > 0		? version.data
									: "");
	else
		rpm.source_rpm = package->source_rpm;
	if (colon != NULL)
	{
		epoch = (ClairBytes){version.data, (size_t) (colon - version.data)};
		version = clair_bytes_skip(version, epoch.size + 1);
	}
	dash = version.size > 0 ? memrchr(version.data, '-', version.size) : NULL;
	rpm.version = version;
	if (dash != NULL)
	{
		rpm.version.size = (size_t) (dash - version.data);
		rpm.release = clair_bytes_skip(version, rpm.version.size + 1);
	}
	/* As a label, of which rpm's reader takes name and stream. */
	if (module.size == 0)
		module = package->module;
	if (module.size > 0)
		rpm.module = arena_printf(reader->scratch, "%.*s:", (int) module.size, module.data);
	if (module.size == 0 && rpm.release.size > 0 &&
		memmem(rpm.release.data, rpm.release.size, ".module", strlen(".module")) != NULL)
		reader->unnamed_modules++;
	if (!rpm_package_read_epoch(epoch, &rpm.epoch))
		return check(reader, findings_problem(findings, reader->error,
											  "component %" PRId64 ": its epoch is not a number",
											  reader->sbom->components));
	return check(reader, rpm_package_add(&rpm, reader->sbom->components, findings, reader->error));
}

static bool
is_source(ClairBytes architecture)
{
	return is(architecture, "source") || is(architecture, "src") || is(architecture, "nosrc");
}

/* Adds a package of a format whose versions we know. */
static bool
add_package(SbomReader *reader, VersionFormat format, const Purl *purl, const SbomPackage *package)
{
	SbomFile file = SBOM_DATABASE + format - VERSION_DPKG;
	Feature feature = {.name = purl->name, .license = package->license};

	reader->sbom->count[file]++;
	if (!count_distribution(reader, purl) ||
		!sbom_repository(reader, purl_qualifier(purl, "repository_id")) ||
		!whole_version(reader, purl, package, &feature.version) ||
		!find_source(reader, purl, package, &feature.source_name, &feature.source_version))
		return false;
	if (feature.source_name.size > 0 || package->source_rpm.size > 0)
		reader->named_sources[file]++;
	if (format == VERSION_RPM)
		return add_rpm(reader, purl, package, feature.version, feature.source_name,
					   feature.source_version);
	feature.architecture = purl_qualifier(purl, "arch");
	return check(reader, add_feature(reader, format, &feature));
}

bool
sbom_package(SbomReader *reader, const SbomPackage *package)
{
	static const struct
	{
		const char *type;
		VersionFormat format;
	} types[] = {{"deb", VERSION_DPKG}, {"rpm", VERSION_RPM}, {"apk", VERSION_APK}};
	Purl purl;
	const char *problem;

	if (package->purl.data == NULL)
		return sbom_pass_over(reader, CLAIR_LITERAL("unknown"));
	problem = purl_read(reader->scratch, package->purl, &purl);
	if (problem != NULL)
		return check(reader,
					 findings_problem(&reader->sbom->files[SBOM_DOCUMENT], reader->error,
									  "component %" PRId64 ": package URL \"%.*s\": %s",
									  reader->sbom->components,
									  (int) (package->purl.size < 100 ? package->purl.size : 100),
									  package->purl.data, problem));
	if (purl.type.data == NULL)
		return out_of_memory(reader);
	for (size_t i = 0; i < COUNT_OF(types); i++)
	{
		if (!is(purl.type, types[i].type))
			continue;
		if (is_source(purl_qualifier(&purl, "arch")))
			return sbom_pass_over(reader, CLAIR_LITERAL("source"));
		return add_package(reader, types[i].format, &purl, package);
	}
	return sbom_pass_over(reader, purl.type);
}

/* --- all of them --- */

/* The greatest count of a tally; NULL when nothing was counted. Of equal ones, the first by name.
 */
static const SbomCount *
greatest(const SbomTally *tally)
{
	const SbomCount *best = tally->first;

	for (const SbomCount *count = tally->first; count != NULL; count = count->next)
		if (count->count > best->count ||
			(count->count == best->count && clair_bytes_compare(count->name, best->name) < 0))
			best = count;
	return best;
}

/* Where the document names no operating system, that of most packages is it. */
static bool
settle_system(SbomReader *reader)
{
	const SbomTally *tally = reader->distributions.first != NULL ? &reader->distributions
																 : &reader->namespaces;
	const SbomCount *best = greatest(tally);
	SbomSystem system;

	if (reader->system.data != NULL || best == NULL)
		return true;
	if (tally->map.count > 1 &&
		!check(reader, findings_problem(&reader->sbom->files[SBOM_DOCUMENT], reader->error,
										"its packages are of %zu distributions: all are taken for "
										"those of %.*s",
										tally->map.count, (int) best->name.size, best->name.data)))
		return false;
	system = (SbomSystem){.name = best->name, .version_id = best->release};
	if (best->release.size > 0)
		system.name.size -= best->release.size + 1;
	return tell_system(reader, &system);
}

bool
sbom_finish(SbomReader *reader)
{
	Sbom *sbom = reader->sbom;

	for (SbomFile file = SBOM_DATABASE; file < SBOM_FILE_COUNT; file++)
		if (sbom->count[file] > 0 && reader->named_sources[file] == 0 &&
			!check(reader,
				   findings_problem(&sbom->files[file], reader->error,
									"it does not say which sources its packages are built from")))
			return false;
	if (reader->unnamed_modules > 0 &&
		!check(reader, findings_problem(&sbom->files[SBOM_DATABASE + VERSION_RPM - VERSION_DPKG],
										reader->error,
										"it does not say which modules %" PRId64 " packages are of",
										reader->unnamed_modules)))
		return false;
	for (const SbomCount *type = reader->passed_over.first; type != NULL; type = type->next)
	{
		ClairBytes key = arena_printf(reader->arena, "passed_over.%.*s", (int) type->name.size,
									  type->name.data);
		ClairBytes value = arena_printf(reader->arena, "%" PRId64, type->count);

		if (key.data == NULL || value.data == NULL)
			return out_of_memory(reader);
		if (!sbom_fact(reader, key.data, value))
			return false;
	}
	return settle_system(reader);
}
