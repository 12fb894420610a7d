/*
 * text_map.h
 *    From texts to pointers: a hash table in an arena.
 */
#ifndef CLAIR_TEXT_MAP_H
#define CLAIR_TEXT_MAP_H

#include "common/arena.h"
#include "common/bytes.h"

typedef struct TextMap
{
	Arena *arena; /* all that a new map needs; the rest is zero */
	struct TextMapSlot *slots;
	size_t capacity;
	size_t count;
} TextMap;

/*
 * Where the value of a key is kept: NULL at first. A new key's bytes must live as long as the
 * map. The place is valid until the next call. NULL when the arena is exhausted.
 */
extern void **text_map_at(TextMap *map, ClairBytes key);

/* The value of a key; NULL when the map does not have it. */
extern void *text_map_find(const TextMap *map, ClairBytes key);

#endif
