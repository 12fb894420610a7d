/*
 * updater.h
 *    An updater: what the documents of one upstream source mean, as rows.
 *
 * Which documents there are to begin with, and where, is data (rows that the server has);
 * what they mean is one file in this folder and one line in registry.c. See README.md.
 */
#ifndef CLAIR_UPDATER_H
#define CLAIR_UPDATER_H

#include <stddef.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/sink.h"
#include "feed/record_feed.h"

/* A document that was fetched: its name within the updater, and where it came from. */
typedef struct UpdaterDocument
{
	ClairBytes name;
	ClairBytes url;
	int descriptor; /* of a regular file; perhaps compressed */
} UpdaterDocument;

/* The documents of one round, or a part of it, to be read. */
typedef struct UpdaterJob
{
	const UpdaterDocument *documents;
	size_t count;
	ClairBytes state; /* what the last run that succeeded left as WIRE_STATE, or no value */
	const ClairLimits *limits;
	const ClairSink *sink;
	ClairBytes options; /* of an updater of the user's own, see options.h; no value: it has none */
} UpdaterJob;

typedef struct Updater
{
	const char *name; /* of the source; or of a format, for any source in it */

	/*
	 * Reads the documents and gives their rows to the sink: further documents to fetch in a
	 * next round, or records and what they say. A broken record or item is a row; a broken
	 * document is an error, and fails the run.
	 */
	ClairStatus (*read)(const UpdaterJob *job, ClairError *error);
} Updater;

/* A row of WIRE_FURTHER. */
extern ClairStatus
updater_further(const UpdaterJob *job, const UpdaterDocument *by, ClairBytes name, ClairBytes url,
				bool optional, const char *mode, ClairError *error);

/* The same for a plain document that must be there, with its checksum, or no value. */
extern ClairStatus
updater_further_checked(const UpdaterJob *job, const UpdaterDocument *by, ClairBytes name,
						ClairBytes url, ClairBytes checksum, ClairError *error);

/* The last segment of an URL's path. */
extern ClairBytes updater_last_segment(ClairBytes url);

/* The name of a document's file: its own, or, of one called "index", which its URL may end in. */
extern ClairBytes updater_file_name(const UpdaterDocument *document);

/* Names what an archive makes wanted, besides its records. */
typedef ClairStatus
UpdaterArchiveFunction(const UpdaterJob *job, const UpdaterDocument *archive, ClairError *error);

/*
 * Names the files of a listing that are wanted, by their names; "wanted" says what these are, for
 * the error that there are none.
 */
extern ClairStatus
updater_name_listed(const UpdaterJob *job, const UpdaterDocument *listing, Arena *arena,
					bool (*is_wanted)(ClairBytes name), const char *wanted, ClairError *error);

/* Whether the name of a file is that of an archive, perhaps a compressed one. */
extern bool updater_is_archive(ClairBytes name);

/*
 * Reads documents that are archives of records, or listings of folders with such archives, which
 * then are named. Context is the format's; further is called with each archive first, or NULL.
 */
extern ClairStatus
updater_read_archives(const UpdaterJob *job, const RecordFormat *format, void *context,
					  UpdaterArchiveFunction *further, ClairError *error);

/* A row of WIRE_STATE; no value: the run begins again. */
extern ClairStatus updater_state(const UpdaterJob *job, ClairBytes state, ClairError *error);

/* NULL when there is none of this name. */
extern const Updater *updater_by_name(ClairBytes name);

/* The updaters, for registry.c. */
extern const Updater updater_almalinux;
extern const Updater updater_rocky;
extern const Updater updater_wolfi;
extern const Updater updater_chainguard;
extern const Updater updater_chainguard_osv;
extern const Updater updater_debian;
extern const Updater updater_alpine;
extern const Updater updater_amazon;
extern const Updater updater_amazon_1;
extern const Updater updater_azure;
extern const Updater updater_cve_list;
extern const Updater updater_epss;
extern const Updater updater_export;
extern const Updater updater_fedora;
extern const Updater updater_kev;
extern const Updater updater_nvd;
extern const Updater updater_ubuntu;
extern const Updater updater_ubuntu_tracker;
extern const Updater updater_redhat;
extern const Updater updater_oracle;
extern const Updater updater_suse;
extern const Updater updater_suse_csaf;
extern const Updater updater_ubuntu_oval;
extern const Updater updater_redhat_oval;
extern const Updater updater_photon;
extern const Updater updater_photon_metadata;

/* The formats of updaters of the user's own. */
extern const Updater updater_osv;
extern const Updater updater_csaf;
extern const Updater updater_oval;
extern const Updater updater_secdb;
extern const Updater updater_updateinfo;

#endif
