/*
 * profile.h
 *    What clair-reader keeps once it reads what is hostile.
 */
#ifndef CLAIR_READER_PROFILE_H
#define CLAIR_READER_PROFILE_H

#include "common/sandbox.h"

/* Memory, and the descriptors that are open already; files are not there. */
extern const SandboxProfile reader_profile;

#endif
