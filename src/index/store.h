/*
 * store.h
 *    From what a reader said of an archive to the rows of its images.
 */
#ifndef CLAIR_STORE_H
#define CLAIR_STORE_H

#include "postgres.h"

#include "index/detector.h"
#include "server/sql.h"

/* Everything that a reader said; an element for each relation of an index job, else NULL. */
typedef struct IndexRows
{
	StagedRows *relations[WIRE_RELATION_COUNT];
	int64 parent;	 /* id of the image upon whose layers the one image here puts one more; or 0 */
	int64 detectors; /* greatest version of those that the layers were read for */
	DetectorProblems problems;
} IndexRows;

/*
 * Answers a reader's question which stored digests are known: the diff id of each, or no value.
 * Those that are not known are claimed until the end of the transaction, so that no two
 * sessions read the same layer at the same time. SPI must be connected.
 */
extern ClairBytes *KnownLayers(const ClairBytes *digests, uint32 count);

/* Stores the layers that were read, and what they say. */
extern void StoreLayers(const IndexRows *rows);

/*
 * Stores the layers that were read, then each image: its merged package databases, its
 * namespace and status, its names. Everything in the caller's transaction. Returns the ids
 * of the images, in the reader's order. SPI must be connected. Name: the one that was given,
 * or NULL.
 */
extern int64 *StoreImages(const IndexRows *rows, const char *name);

/*
 * Called within StoreImages() for the images that are new, when all of them are stored; as the
 * extension's owner, between SPI_connect() and SPI_finish().
 */
typedef void (*ImagesStored)(const int64 *ids, int64 count);

/* Says what to call; for _PG_init(), once. */
extern void OnImagesStored(ImagesStored callback);

/*
 * Keeps garbage where it is until the end of the transaction: what is known now and what an
 * image refers to then must not go in between. Collecting it needs the lock for itself.
 */
extern void KeepGarbage(void);

/* The opposite: waits for all that index, and lets nobody begin until the end of the transaction.
 */
extern void LockOutIndexing(void);

/*
 * Puts an image together again from what is stored of its layers, as indexing it would when none
 * of them had to be read. SPI must be connected.
 */
extern void RestoreImage(int64 id);

#endif
