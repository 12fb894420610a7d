/*
 * rpm_package.h
 *    A package as rpm describes it, whatever the database it was found in.
 */
#ifndef CLAIR_RPM_PACKAGE_H
#define CLAIR_RPM_PACKAGE_H

#include "package/findings.h"

typedef struct RpmPackage
{
	ClairBytes name;
	ClairBytes version;
	ClairBytes release;
	uint32_t epoch; /* 0 is the same as none */
	ClairBytes architecture;
	ClairBytes source_rpm;	/* file name of the source package */
	ClairBytes source_nevr; /* the same with its epoch; newer packages have it */
	ClairBytes module;		/* modularity label: name:stream:version:context */
	ClairBytes vendor;
	ClairBytes license;
} RpmPackage;

/* Reads an epoch that is a text of digits, or empty for none; false when it is neither. */
extern bool rpm_package_read_epoch(ClairBytes text, uint32_t *epoch);

/*
 * Adds the package to the findings, unless it is one of the keys that rpm keeps as packages.
 * What is missing or malformed becomes a problem of the record of this number.
 */
extern ClairStatus
rpm_package_add(const RpmPackage *package, int64_t record, Findings *findings, ClairError *error);

#endif
