/*
 * ubuntu_releases.h
 *    Ubuntu's releases and the channels through which packages of them come.
 *
 * Ubuntu's feeds name both in one text: "jammy"; "esm-infra/xenial", "trusty/esm" or
 * "fips-updates/focal" for what Ubuntu Pro builds for a release.
 */
#ifndef CLAIR_UBUNTU_RELEASES_H
#define CLAIR_UBUNTU_RELEASES_H

#include "common/arena.h"
#include "common/bytes.h"

typedef struct UbuntuChannel
{
	ClairBytes namespace; /* "ubuntu:22.04" */
	ClairBytes flavour;	  /* of its builds: "esm", "fips"; empty: those that everybody gets */
} UbuntuChannel;

typedef enum UbuntuPlace
{
	UBUNTU_CHANNEL, /* a channel of packages, and known */
	UBUNTU_OTHER,	/* something else than packages of a release: upstream, snaps, appliances */
	UBUNTU_UNKNOWN	/* a codename that is not known */
} UbuntuPlace;

/* The namespace of a release by its codename; no value when that is not known. */
extern ClairBytes ubuntu_namespace(ClairBytes codename);

/* What a text names; *channel is filled when it is a channel. */
extern UbuntuPlace ubuntu_channel(ClairBytes name, UbuntuChannel *channel);

/*
 * What one of OSV's names of ecosystems names: "Ubuntu:22.04:LTS", "Ubuntu:Pro:18.04:LTS",
 * "Ubuntu:Pro:FIPS-updates:20.04:LTS". All releases are known; the namespace is in the arena, and
 * has no value when that is exhausted.
 */
extern UbuntuPlace ubuntu_ecosystem(Arena *arena, ClairBytes ecosystem, UbuntuChannel *channel);

#endif
