/*
 * rpm_manifest.c
 *    Reads container-manifest-2: what images without rpm's database say of their packages.
 *
 * A package a line, ten fields parted by tabs: name, version-release, times of installation
 * and build, vendor, epoch or "(none)", size, architecture, epoch, file of the source.
 */
#include <inttypes.h>

#include "common/text.h"
#include "package/package.h"
#include "package/rpm_package.h"

enum
{
	COLUMN_NAME,
	COLUMN_VERSION,
	COLUMN_VENDOR = 4,
	COLUMN_EPOCH,
	COLUMN_ARCHITECTURE = 7,
	COLUMN_SOURCE_RPM = 9,
	COLUMN_COUNT
};

/* Splits a line; false when it has not exactly that many columns. */
static bool
split(ClairBytes line, ClairBytes columns[COLUMN_COUNT])
{
	for (int i = 0; i < COLUMN_COUNT; i++)
	{
		const char *tab = line.size > 0 ? memchr(line.data, '\t', line.size) : NULL;
		size_t size = tab != NULL ? (size_t) (tab - line.data) : line.size;

		if ((tab != NULL) != (i < COLUMN_COUNT - 1))
			return false;
		columns[i] = (ClairBytes){line.data, size};
		if (clair_bytes_equal(columns[i], CLAIR_LITERAL("(none)")))
			columns[i] = CLAIR_NULL_BYTES;
		line = clair_bytes_skip(line, tab != NULL ? size + 1 : size);
	}
	return true;
}

static ClairStatus
read_line(ClairBytes line, int64_t number, Findings *findings, ClairError *error)
{
	ClairBytes columns[COLUMN_COUNT];
	RpmPackage package = {.epoch = 0};
	const char *dash;

	if (!split(line, columns))
		return findings_problem(findings, error, "line %" PRId64 " has not %d fields", number,
								COLUMN_COUNT);
	if (!rpm_package_read_epoch(columns[COLUMN_EPOCH], &package.epoch))
		return findings_problem(findings, error, "line %" PRId64 ": its epoch is not a number",
								number);
	package.name = columns[COLUMN_NAME];
	package.version = columns[COLUMN_VERSION];
	dash = package.version.size > 0 ? memchr(package.version.data, '-', package.version.size)
									: NULL;
	if (dash != NULL)
	{
		size_t size = (size_t) (dash - package.version.data);

		package.release = clair_bytes_skip(package.version, size + 1);
		package.version.size = size;
	}
	package.architecture = columns[COLUMN_ARCHITECTURE];
	package.source_rpm = columns[COLUMN_SOURCE_RPM];
	package.vendor = columns[COLUMN_VENDOR];
	return rpm_package_add(&package, number, findings, error);
}

ClairStatus
rpm_manifest_read(ClairBytes file, Findings *findings, ClairError *error)
{
	int64_t number = 0;
	ClairStatus status = CLAIR_OK;
	ClairBytes line;

	while (status == CLAIR_OK && text_next_line(&file, &line))
	{
		number++;
		if (line.size > 0)
			status = read_line(line, number, findings, error);
	}
	return status;
}
