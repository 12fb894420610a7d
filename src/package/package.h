/*
 * package.h
 *    Which files of a layer are wanted, and who reads them.
 *
 * To add a package database or a release file: one file with its reader, one line in
 * package.c.
 */
#ifndef CLAIR_PACKAGE_H
#define CLAIR_PACKAGE_H

#include "package/findings.h"

/*
 * Reads a whole file. What is broken becomes a problem of the findings; an error (a limit, no
 * memory) is the end of the job.
 */
typedef ClairStatus FileReader(ClairBytes file, Findings *findings, ClairError *error);

typedef struct WantedFile
{
	const char *path;	/* of the file; or of the directory whose files are wanted */
	bool is_directory;	/* the latter */
	const char *ending; /* only its files whose names end like this; NULL: all */
	const char *except; /* but not those; NULL: none */
	const char *role;	/* WIRE_LAYER_ENTRY's role */
	bool is_database;	/* of packages: identified by its bytes' digest */
	FileReader *read;	/* NULL: the log of the database beside it, see sqlite_log.h */
} WantedFile;

/* All of them; ends with one whose path is NULL. */
extern const WantedFile wanted_files[];

/*
 * The version of what reads the files of a role. It is raised, with a row of its own in
 * src/index/reader.sql, when the same file would be read as something else than before.
 */
extern int reader_version(const char *role);

/* Whether the file of this name in the wanted directory is wanted. */
extern bool wanted_in_directory(const WantedFile *wanted, ClairBytes name);

extern FileReader dpkg_status_read;
extern FileReader dpkg_status_d_read;
extern FileReader apk_installed_read;
extern FileReader rpm_bdb_read;
extern FileReader rpm_ndb_read;
extern FileReader rpm_sqlite_read;
extern FileReader rpm_manifest_read;
extern FileReader bottlerocket_read;
extern FileReader chisel_manifest_read;
extern FileReader apk_sbom_read;
extern FileReader os_release_read;
extern FileReader lsb_release_read;
extern FileReader one_line_release_read;
extern FileReader release_line_read;
extern FileReader suse_release_read;
extern FileReader release_cpe_read;
extern FileReader apk_repositories_read;
extern FileReader apt_list_read;
extern FileReader apt_sources_read;
extern FileReader content_manifest_read;
extern FileReader dnf4_history_read;
extern FileReader dnf5_history_read;

/* Prepares SQLite; called once, before anything is read. */
extern ClairStatus sqlite_database_initialize(ClairError *error);

#endif
