/*
 * severity.h
 *    Words of vendors for how bad something is.
 */
#ifndef CLAIR_SEVERITY_H
#define CLAIR_SEVERITY_H

#include "common/bytes.h"

/* The severity that a vendor's word for it stands for; "Unknown" for any other word. */
extern ClairBytes severity_from_word(ClairBytes word);

#endif
