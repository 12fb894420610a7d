/*
 * filter.h
 *    The system calls that clair-reader may still make once it reads what is hostile.
 */
#ifndef CLAIR_FILTER_H
#define CLAIR_FILTER_H

#include "common/error.h"

/*
 * From here on, only what works on memory and on descriptors that are open already. Opening
 * a file fails as if there was none; anything else that is not on the list ends the process
 * after a last WIRE_ERROR on the socket that names the call.
 */
extern ClairStatus filter_enter(ClairError *error);

#endif
