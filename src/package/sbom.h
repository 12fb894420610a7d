/*
 * sbom.h
 *    Reads a software bill of materials: the packages that a document says something has.
 *
 * CycloneDX 1.2 to 1.7 and SPDX 2.2 and 2.3, as JSON, told apart by their members; also within an
 * in-toto statement. What a document says becomes findings, as if it were the files of a layer: a
 * package database for each format of versions, a release file, a list of repositories, and facts
 * about the document. Each kind of document has a file, sbom_KIND.c, that goes over its members
 * and hands what matters to the functions below; what tools have agreed on about package URLs and
 * properties is known to sbom_package.c alone. In memory are the document, the component at hand,
 * and what is found.
 */
#ifndef CLAIR_SBOM_H
#define CLAIR_SBOM_H

#include "common/json_cursor.h"
#include "package/findings.h"

/* What a document stands in for, in the order of sbom_roles. */
typedef enum SbomFile
{
	SBOM_DOCUMENT,	   /* facts: format, tool, subject, created, passed_over.TYPE */
	SBOM_RELEASE,	   /* facts, as os_release.c would find them */
	SBOM_REPOSITORIES, /* facts, as content_manifest.c would find them */
	SBOM_DATABASE,	   /* of dpkg; those of the other formats follow, as in VersionFormat */
	SBOM_FILE_COUNT = SBOM_DATABASE + VERSION_APK
} SbomFile;

/* The roles of these, see WIRE_LAYER_ENTRY. */
extern const char *const sbom_roles[SBOM_FILE_COUNT];

typedef struct Sbom
{
	Findings files[SBOM_FILE_COUNT];
	int64_t count[SBOM_FILE_COUNT]; /* components, sound or not, that are of each */
	int64_t components;				/* of all kinds, so far: the one at hand is this one */
} Sbom;

/*
 * Reads a document, which must outlive what is found in the arena. A document that is not what it
 * should be is an error; a single package that is not becomes a problem of its database.
 */
extern ClairStatus
sbom_read(ClairBytes text, const ClairLimits *limits, Arena *arena, Sbom *sbom, ClairError *error);

/* --- what the files of the kinds work with --- */

/* Something that is counted: a distribution of packages, or a type of those passed over. */
typedef struct SbomCount
{
	struct SbomCount *next;
	ClairBytes name;
	ClairBytes release; /* of a distribution: what stands behind the dash in name; or no value */
	int64_t count;
} SbomCount;

typedef struct SbomTally
{
	TextMap map;
	SbomCount *first;
} SbomTally;

typedef struct SbomReader
{
	Sbom *sbom;
	Arena *arena;	/* lives as long as what is found */
	Arena *scratch; /* of the component at hand, and of cursors */
	ClairError *error;
	ClairStatus status;		 /* of what stopped the reading, in error */
	ClairBytes system;		 /* the operating system that is named first, or no value */
	SbomTally namespaces;	 /* of package URLs that do not name their distribution */
	SbomTally distributions; /* that packages are of, by name and release */
	SbomTally passed_over;	 /* types of packages that are not looked at */
	int64_t named_sources[SBOM_FILE_COUNT]; /* packages that tell their source package */
	int64_t unnamed_modules;				/* packages of a module that do not tell it */
	TextMap repositories;
} SbomReader;

/* What is said of a package; no value where nothing is. */
typedef struct SbomPackage
{
	ClairBytes purl;
	ClairBytes version; /* for a package URL without one */
	ClairBytes source_name;
	ClairBytes source_epoch;
	ClairBytes source_version;
	ClairBytes source_release;
	ClairBytes source_rpm; /* file name of the source package */
	ClairBytes module;	   /* name:stream, perhaps with more behind it */
	ClairBytes vendor;
	ClairBytes license;
} SbomPackage;

/* What is said of an operating system, in the words of os-release; no value where nothing is. */
typedef struct SbomSystem
{
	ClairBytes name;
	ClairBytes version_id;
	ClairBytes version_codename;
	ClairBytes pretty_name;
	ClairBytes id_like;
} SbomSystem;

/*
 * Each of these keeps what it is given, by copying it. False, with the reader's status set, when
 * the job must end.
 */
extern bool sbom_package(SbomReader *reader, const SbomPackage *package);
extern bool sbom_system(SbomReader *reader, const SbomSystem *system);
extern bool sbom_repository(SbomReader *reader, ClairBytes repository);
extern bool sbom_fact(SbomReader *reader, const char *key, ClairBytes value); /* the first counts */
extern bool sbom_pass_over(SbomReader *reader, ClairBytes type);

/* The same for what only all packages together tell, when they have been read. */
extern bool sbom_finish(SbomReader *reader);

/* Takes a property of a package or an operating system, by the name that a tool gives it. */
extern void sbom_package_property(SbomPackage *package, ClairBytes name, ClairBytes value);
extern void
sbom_system_property(SbomReader *reader, SbomSystem *system, ClairBytes name, ClairBytes value);

/* Stops the cursor when the reader was. */
extern void sbom_stop(const SbomReader *reader, JsonCursor *cursor);

/* Keeps what the document is; no value: a version that is not read. */
extern void
sbom_format(SbomReader *reader, JsonCursor *cursor, const char *format, ClairBytes version);

/* The kinds. The cursor stands before an object; the first problem stays in it. */
extern void sbom_cyclonedx_read(SbomReader *reader, JsonCursor *cursor);
extern void sbom_spdx_read(SbomReader *reader, JsonCursor *cursor);

#endif
