/*
 * arena.h
 *    Memory of a helper: allocated piece by piece, given back all at once.
 *
 * One arena lives as long as a job, others as long as a layer, a package database
 * or a record, and are reset between them. What an arena may hold is bounded, so
 * that an allocation in the face of hostile input ends in an error, not in the
 * operating system's out-of-memory killer.
 */
#ifndef CLAIR_ARENA_H
#define CLAIR_ARENA_H

#include <stddef.h>

#include "common/bytes.h"

typedef struct Arena Arena;

/* A new arena that may hold up to limit bytes; NULL when memory is short. */
extern Arena *arena_create(size_t limit);

/* Frees the arena with all that it holds; NULL is allowed. */
extern void arena_destroy(Arena *arena);

/* Forgets everything allocated from it; keeps one block for the next round. */
extern void arena_reset(Arena *arena);

/* Zeroed memory, aligned for any type; NULL when the limit or memory is exhausted. */
extern void *arena_alloc(Arena *arena, size_t size);

/* The same for an array; the product is checked for overflow. */
extern void *arena_alloc_array(Arena *arena, size_t count, size_t size);

/*
 * A larger array with the elements of the old one, for arrays that grow: when
 * *capacity suffices for count elements the old array itself, else a copy with
 * at least twice the capacity. NULL when exhausted.
 */
extern void *
arena_grow_array(Arena *arena, void *array, size_t count, size_t *capacity, size_t size);

/* A copy, with a NUL behind it. Data is NULL when exhausted. */
extern ClairBytes arena_copy(Arena *arena, ClairBytes bytes);

/* The text of a format, NUL-terminated. Data is NULL when exhausted. */
extern ClairBytes
arena_printf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
