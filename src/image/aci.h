/*
 * aci.h
 *    appc images: what the walk over their tar needs to know of them.
 */
#ifndef CLAIR_ACI_H
#define CLAIR_ACI_H

#include "common/entries.h"
#include "package/package.h"

/* The image's manifest, beside the root file system. */
extern const WantedFile aci_manifest;

/*
 * Makes an entry of the tar one of the root file system, which lies below "rootfs", or leaves
 * it as it is when it is the manifest; the names point into it, or into the buffer of
 * CLAIR_MAX_PATH bytes. False for entries that are neither.
 */
extern bool aci_enter_root(Entry *entry, char *buffer);

#endif
