/*
 * profile.h
 *    What clair-fetch keeps once it talks to servers.
 */
#ifndef CLAIR_FETCH_PROFILE_H
#define CLAIR_FETCH_PROFILE_H

#include "common/sandbox.h"

/*
 * The network, threads, reading what name service and TLS of the system need; writing to
 * descriptors that are open already.
 */
extern const SandboxProfile fetch_profile;

#endif
