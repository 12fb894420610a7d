/*
 * rpm_package.c
 *    Makes a feature of a package as rpm describes it.
 *
 * A version is shown as rpm shows it: "[epoch:]version-release", without an epoch of 0. The
 * source package is known by the name of its file, which has no epoch in it; packages built
 * since rpm 4.20 say the epoch too.
 */
#include "package/rpm_package.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/text.h"

/* The last such byte of a text; NULL when there is none. */
static const char *
find_last(ClairBytes text, char byte)
{
	return text.size > 0 ? memrchr(text.data, byte, text.size) : NULL;
}

static ClairBytes
cut_at(ClairBytes text, const char *end)
{
	return (ClairBytes){text.data, (size_t) (end - text.data)};
}

/* Splits "name-[epoch:]version-release"; false when it is no such text. */
static bool
read_source(ClairBytes source, Feature *feature)
{
	const char *release = find_last(source, '-');
	const char *version = release != NULL ? find_last(cut_at(source, release), '-') : NULL;
	ClairBytes rest;

	if (version == NULL || version == source.data)
		return false;
	rest = clair_bytes_skip(source, (size_t) (version + 1 - source.data));
	if (clair_bytes_start_with(rest, CLAIR_LITERAL("0:")))
		rest = clair_bytes_skip(rest, 2);
	feature->source_name = cut_at(source, version);
	feature->source_version = rest;
	return true;
}

/* The same of a file name, which ends in ".src.rpm" or the like. */
static void
read_source_rpm(ClairBytes file, Feature *feature)
{
	const char *dot;

	if (!clair_bytes_end_with(file, CLAIR_LITERAL(".rpm")))
		return;
	file.size -= strlen(".rpm");
	dot = find_last(file, '.');
	if (dot != NULL)
		read_source(cut_at(file, dot), feature);
}

/* Of a modularity label the module's name and stream; no value when it has not both. */
static ClairBytes
read_module(ClairBytes label)
{
	const char *first = label.size > 0 ? memchr(label.data, ':', label.size) : NULL;
	size_t after = first != NULL ? (size_t) (first + 1 - label.data) : 0;
	const char *second = first != NULL ? memchr(first + 1, ':', label.size - after) : NULL;

	return second != NULL && second <= label.data + CLAIR_MAX_NAME ? cut_at(label, second)
																   : CLAIR_NULL_BYTES;
}

bool
rpm_package_read_epoch(ClairBytes text, uint32_t *epoch)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.size; i++)
	{
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (uint64_t) (text.data[i] - '0');
		if (value > UINT32_MAX)
			return false;
	}
	*epoch = (uint32_t) value;
	return true;
}

static ClairStatus
set_version(const RpmPackage *package, Feature *feature, Findings *findings, ClairError *error)
{
	char epoch[16] = "";

	if (package->epoch != 0)
		snprintf(epoch, sizeof(epoch), "%" PRIu32 ":", package->epoch);
	feature->version = arena_printf(findings->arena, "%s%.*s-%.*s", epoch,
									(int) package->version.size, package->version.data,
									(int) package->release.size, package->release.data);
	return feature->version.data != NULL ? CLAIR_OK
										 : clair_error(error, CLAIR_MEMORY, "out of memory");
}

ClairStatus
rpm_package_add(const RpmPackage *package, int64_t record, Findings *findings, ClairError *error)
{
	Feature feature = {.name = package->name};
	ClairStatus status;

	if (clair_bytes_equal(package->name, CLAIR_LITERAL("gpg-pubkey")))
		return CLAIR_OK;
	if (!text_is_word(package->name))
		return findings_problem(findings, error, "%s %" PRId64 ": \"%.*s\" is not a package's name",
								findings->unit, record,
								(int) (package->name.size < 100 ? package->name.size : 100),
								package->name.size > 0 ? package->name.data : "");
	if (package->version.size == 0 || package->release.size == 0 ||
		package->version.size > CLAIR_MAX_VERSION || package->release.size > CLAIR_MAX_VERSION)
		return findings_problem(findings, error,
								"%s %" PRId64 ": package \"%.*s\": its version is missing or too "
								"long",
								findings->unit, record,
								(int) (package->name.size < 100 ? package->name.size : 100),
								package->name.data);
	status = set_version(package, &feature, findings, error);
	if (status != CLAIR_OK)
		return status;
	if (package->architecture.size > 0)
		feature.architecture = package->architecture;
	if (!read_source(package->source_nevr, &feature))
		read_source_rpm(package->source_rpm, &feature);
	feature.module = read_module(package->module);
	if (package->vendor.size > 0 && package->vendor.size <= CLAIR_MAX_NAME)
		feature.vendor = package->vendor;
	feature.license = package->license;
	return findings_feature(findings, VERSION_RPM, record, &feature, error);
}
