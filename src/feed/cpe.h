/*
 * cpe.h
 *    Names of platforms: "cpe:/a:redhat:enterprise_linux:9::appstream", "cpe:2.3:o:...".
 *
 * Both bindings of CPE 2.3 are read, the URI (which is CPE 2.2's) and the formatted string
 * (NIST IR 7695), and become the same components. What covers what is Red Hat's use: see
 * cpe_covers().
 */
#ifndef CLAIR_CPE_H
#define CLAIR_CPE_H

#include "common/arena.h"
#include "common/bytes.h"

#define CPE_MAX_SIZE 512 /* bytes of a name */

typedef enum CpeComponent
{
	CPE_PART, /* "a", "o" or "h" */
	CPE_VENDOR,
	CPE_PRODUCT,
	CPE_VERSION,
	CPE_UPDATE,
	CPE_EDITION,
	CPE_LANGUAGE,
	CPE_SW_EDITION,
	CPE_TARGET_SW,
	CPE_TARGET_HW,
	CPE_OTHER
} CpeComponent;

#define CPE_COMPONENTS ((size_t) CPE_OTHER + 1)

/*
 * The components as the canonical URI has them: in lower case, other characters than letters,
 * digits, "_", "." and "-" as %xx, wildcards as %01 ("?") and %02 ("*"). ANY is no value, NA is
 * "-".
 */
typedef struct Cpe
{
	ClairBytes components[CPE_COMPONENTS];
} Cpe;

/*
 * Reads a name, its components being copies in the arena. NULL when it is fine, else what is
 * wrong with it: a phrase. No problem and a part without a value: the arena is exhausted.
 */
extern const char *cpe_read(Arena *arena, ClairBytes text, Cpe *cpe);

/*
 * The canonical URI, without empty components at its end; the components that CPE 2.2 does not
 * have are packed into the edition. No value when the arena is exhausted.
 */
extern ClairBytes cpe_uri(Arena *arena, const Cpe *cpe);

/*
 * Whether what is said of the first is said of the second, too: each component that it gives is
 * the same in both, or it ends with a version that the other's begins with, up to a dot
 * ("redhat:openshift:4" covers "redhat:openshift:4.16::el9"). Part, vendor and product must be
 * given. Wildcards stand for nothing but themselves.
 */
extern bool cpe_covers(const Cpe *pattern, const Cpe *cpe);

/*
 * The canonical URIs of all names that cover this one, each once, in the arena; first the one
 * that gives part, vendor and product only. None when it does not give these. There is one for
 * each selection of the further components (at most 256), and one for each dot of the version.
 * False when the arena is exhausted.
 */
extern bool cpe_covering(Arena *arena, const Cpe *cpe, ClairBytes **uris, size_t *count);

#endif
