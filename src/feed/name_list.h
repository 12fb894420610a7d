/*
 * name_list.h
 *    Lists of names as rows have them: in order, each once, blank-separated.
 */
#ifndef CLAIR_NAME_LIST_H
#define CLAIR_NAME_LIST_H

#include "common/arena.h"
#include "common/bytes.h"

/* Puts names in order, each once: how many are left. */
extern size_t name_list_order(ClairBytes *names, size_t count);

/* The list of names that are in order, in the arena; no value when there are none, or no memory. */
extern ClairBytes name_list_join(Arena *arena, const ClairBytes *names, size_t count);

#endif
