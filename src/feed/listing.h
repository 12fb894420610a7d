/*
 * listing.h
 *    The names in a listing of a directory, as web servers make them, or our server does.
 */
#ifndef CLAIR_LISTING_H
#define CLAIR_LISTING_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/limits.h"

/*
 * The names that the listing links to, in the arena, ordered by their bytes, each once. Of
 * HTML: what the a elements' href name; else the document is our server's listing of a
 * local directory: "clair directory listing", then a name on each line. Names are as URLs have
 * them: what is special there stands as %xx. Directories end in "/". Names that would lead out of
 * the listed directory are left out.
 */
extern ClairStatus listing_read(Arena *arena, ClairBytes document, ClairBytes **names,
								size_t *count, ClairError *error);

/*
 * Whether the document, which may be compressed, begins as a listing does: for updaters that take
 * a folder in place of a file.
 */
extern ClairStatus
listing_is(const ClairLimits *limits, int descriptor, bool *is_listing, ClairError *error);

#endif
