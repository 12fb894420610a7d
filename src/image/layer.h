/*
 * layer.h
 *    What a layer says: its wanted files, and the entries that decide whether they are seen.
 *
 * A layer is walked once, or a few times when links lead to files that only the links make
 * wanted. What it says is kept until the whole of it has proved to be what it claims to be,
 * and is then sent as rows.
 */
#ifndef CLAIR_LAYER_H
#define CLAIR_LAYER_H

#include "common/sink.h"
#include "common/stream.h"
#include "common/text_map.h"
#include "common/entries.h"
#include "package/detector.h"
#include "package/package.h"

/* A path whose file is wanted, or a directory whose files are. */
typedef struct Place
{
	ClairBytes path;
	bool is_directory;
	const WantedFile *wanted;
	ClairBytes because; /* the wanted path that leads here by a link; no value: wanted itself */
} Place;

typedef enum LayerEntryType
{
	LAYER_FILE,
	LAYER_DIRECTORY,
	LAYER_SYMLINK,
	LAYER_HARDLINK, /* never sent: resolved before */
	LAYER_OTHER,
	LAYER_WHITEOUT,
	LAYER_OPAQUE
} LayerEntryType;

typedef struct LayerEntry
{
	ClairBytes path;
	LayerEntryType type;
	int64_t number;			  /* in the tar */
	ClairBytes target;		  /* of links, as written */
	const WantedFile *wanted; /* or NULL */
	ClairBytes because;		  /* see Place */
	Findings *findings;		  /* of a wanted file */
	char content[DIGEST_TEXT_SIZE];

	/* Of a file that detectors want. */
	DetectorSet detectors;
	ClairBytes bytes;
	ClairBytes left_out;				/* why they do not get it; no value: they do */
	char file_digest[DIGEST_TEXT_SIZE]; /* of path and bytes */
} LayerEntry;

/*
 * Version of the walk: which files are wanted, and what is told of the others. It is raised, with
 * a row of its own in src/index/reader.sql, when a layer would tell of other entries than before.
 */
#define LAYER_WALK_VERSION 1

/* The greatest number of places that links add. */
#define LAYER_MAX_EXTRA_PLACES 16

typedef struct Layer
{
	const ClairLimits *limits;
	const Detectors *detectors;
	bool is_appc;		 /* see aci.h */
	Arena *arena;		 /* of one pass */
	Arena *places_arena; /* of all passes */
	Arena *files_arena;	 /* of one pass: what detectors want */
	Place *places;
	size_t place_count;
	size_t place_capacity;
	int extra_places;
	int passes;
	LayerEntry **entries;
	size_t entry_count;
	size_t entry_capacity;
	TextMap files;	   /* path to entry: files, directories, links */
	TextMap whiteouts; /* the same of whiteouts and opaque directories */
	TextMap logs;	  /* of all passes: path to ClairBytes, the changes that a database's log has */
	bool has_new_log; /* one that databases read so far in this pass may not have seen */
	int64_t entries_count;
	int64_t detections;	 /* entries that are there for detectors, each time for each of them */
	int64_t files_size;	 /* bytes for detectors */
	ClairBytes left_out; /* the first path that was one detection too many; or no value */
} Layer;

/* is_appc: the tar is an appc image, not a layer of another one. */
extern ClairStatus layer_create(const ClairLimits *limits, const Detectors *detectors, bool is_appc,
								Layer **layer, ClairError *error);
extern void layer_destroy(Layer *layer); /* NULL is allowed */

/* Walks the tar, forgetting what an earlier pass has found. */
extern ClairStatus layer_walk(Layer *layer, ClairStream *tar, ClairError *error);

/* layer_links.c: whether links make further places wanted, so that another pass is due. */
extern ClairStatus layer_follow_links(Layer *layer, bool *another_pass, ClairError *error);

/*
 * layer_rows.c: sends the entries, facts, features and problems of the layer of this diff id.
 * Features of package databases in known (their digests) are left out; others are added.
 */
extern ClairStatus layer_send(Layer *layer, const char *diff_id, TextMap *known,
							  const ClairSink *sink, ClairError *error);

/*
 * layer_files.c: sends the files for detectors, but for those in sent or that the server knows;
 * adds them to sent, as far as its memory goes.
 */
extern ClairStatus
layer_send_files(Layer *layer, TextMap *sent, const ClairSink *sink, ClairError *error);

/* The content of WIRE_LAYER_ENTRY of a file for a detector; no value when memory is short. */
extern ClairBytes layer_file_key(Layer *layer, const Detector *detector, const LayerEntry *entry);

/* Reads the bytes of a wanted file into memory that the caller frees, on failure too. */
extern ClairStatus layer_read_content(Entries *tar, const Entry *header, const ClairLimits *limits,
									  char **content, size_t *size, ClairError *error);

/*
 * layer_detectors.c: whether an entry at this path matters to detectors, and which of them want the
 * file. Those that are one detection too many do not, which is noted.
 */
extern ClairStatus layer_detect(Layer *layer, ClairBytes path, LayerEntryType type,
								DetectorSet *wanting, bool *matters, ClairError *error);

/* Keeps the bytes of a file for the detectors that want it, or why they do not get it. */
extern ClairStatus
layer_keep_file(Layer *layer, LayerEntry *entry, ClairBytes bytes, ClairError *error);

/* Reads a file that only detectors want. */
extern ClairStatus layer_read_file(Layer *layer, Entries *tar, const Entry *header,
								   LayerEntry *entry, ClairError *error);

/* Gives a hard link that detectors want what it names: a file, or NULL. */
extern ClairStatus
layer_keep_linked(Layer *layer, LayerEntry *entry, const LayerEntry *file, ClairError *error);

/* The place that wants the path, or NULL; and whether the path leads to a place. */
extern const Place *layer_find_place(const Layer *layer, ClairBytes path, bool *is_ancestor);

#endif
