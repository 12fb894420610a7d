/*
 * databases.h
 *    The package databases of an image, with their features and what they say of the image.
 */
#ifndef CLAIR_DATABASES_H
#define CLAIR_DATABASES_H

#include "postgres.h"

#include "index/image_facts.h"

/* Gives package databases that a newer reader has read the features that it has found. */
extern void RefreshDatabases(const IndexRows *rows);

/*
 * Stores the package databases of the image's layers and their features, as far as they are new.
 * Those that the image does not show may be visible in another one that has the layer.
 */
extern void StoreDatabases(const IndexRows *rows, const StoredImage *image);

/* Stores which package databases the image has, and its set of repositories or NULL. */
extern void StoreImageDatabases(const StoredImage *image, const char *repository_set);

/*
 * The namespace that most of the visible rpm packages were built for, or "unknown"; they need
 * not be stored yet.
 */
extern const char *NamespaceOfVersions(const IndexRows *rows, const StoredImage *image);

/* The namespace whose advisories speak of the packages of a namespace. */
extern const char *AdvisoryNamespace(const char *namespace);

/* Works out the status of an image from what is stored of it. */
extern void StoreStatus(int64 image, const char *advisories);

#endif
