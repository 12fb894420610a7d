/*
 * rpm_release.h
 *    What the release of an rpm package, "27.el9_4", says of what it was built for.
 */
#ifndef CLAIR_RPM_RELEASE_H
#define CLAIR_RPM_RELEASE_H

#include "common/arena.h"
#include "common/bytes.h"

/*
 * The release of a distribution, a namespace's family, that a package was built for: "9" of
 * "27.el9_4", "2018.03" of "1.59.amzn1". No value: its release does not say it.
 */
extern ClairBytes rpm_release_built_for(ClairBytes release, ClairBytes family);

/* Whether a package is part of a module, by its release: "1.module+el8.5.0+738+032c9c02". */
extern bool rpm_release_is_modular(ClairBytes release);

/* The machine that an architecture's packages run on: x86_64 of i686. */
extern ClairBytes rpm_machine_of(ClairBytes architecture);

/* Whether a package holds what debuggers need, and nothing that runs. */
extern bool rpm_is_for_debuggers(ClairBytes name);

#endif
