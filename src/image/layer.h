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
	bool is_appc;		 /* see aci.h */
	Arena *arena;		 /* of one pass */
	Arena *places_arena; /* of all passes */
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
} Layer;

/* is_appc: the tar is an appc image, not a layer of another one. */
extern ClairStatus
layer_create(const ClairLimits *limits, bool is_appc, Layer **layer, ClairError *error);
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

/* The place that wants the path, or NULL; and whether the path leads to a place. */
extern const Place *layer_find_place(const Layer *layer, ClairBytes path, bool *is_ancestor);

#endif
