/*
 * text_map.c
 *    From texts to pointers: open addressing, never more than half full.
 *
 * The hash is seeded by the address of the arena, which nobody outside knows, so that
 * chosen keys do not all fall into one place.
 */
#include "common/text_map.h"

#define FIRST_CAPACITY 64

typedef struct TextMapSlot
{
	ClairBytes key; /* data is NULL: free */
	uint64_t hash;
	void *value;
} TextMapSlot;

/* Eight bytes a step, mixed by multiplication. */
static uint64_t
hash_text(const TextMap *map, ClairBytes key)
{
	uint64_t hash = (uint64_t) (uintptr_t) map->arena ^ key.size;

	while (key.size > 0)
	{
		uint64_t word = 0;
		size_t size = key.size < sizeof(word) ? key.size : sizeof(word);

		memcpy(&word, key.data, size);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
		key = clair_bytes_skip(key, size);
	}
	return hash;
}

/* The slot of a key, or the free one where it belongs. */
static TextMapSlot *
find_slot(TextMapSlot *slots, size_t capacity, ClairBytes key, uint64_t hash)
{
	size_t at = (size_t) hash & (capacity - 1);

	while (slots[at].key.data != NULL &&
		   (slots[at].hash != hash || !clair_bytes_equal(slots[at].key, key)))
		at = (at + 1) & (capacity - 1);
	return &slots[at];
}

static bool
grow(TextMap *map)
{
	size_t capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2;
	TextMapSlot *slots = arena_alloc_array(map->arena, capacity, sizeof(TextMapSlot));

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < map->capacity; i++)
	{
		if (map->slots[i].key.data != NULL)
			*find_slot(slots, capacity, map->slots[i].key, map->slots[i].hash) = map->slots[i];
	}
	map->slots = slots;
	map->capacity = capacity;
	return true;
}

void **
text_map_at(TextMap *map, ClairBytes key)
{
	uint64_t hash = hash_text(map, key);
	TextMapSlot *slot;

	if (map->count >= map->capacity / 2 && !grow(map))
		return NULL;
	slot = find_slot(map->slots, map->capacity, key, hash);
	if (slot->key.data == NULL)
	{
		slot->key = (ClairBytes){key.data != NULL ? key.data : "", key.size};
		slot->hash = hash;
		map->count++;
	}
	return &slot->value;
}

void *
text_map_find(const TextMap *map, ClairBytes key)
{
	if (map->capacity == 0)
		return NULL;
	return find_slot(map->slots, map->capacity, key, hash_text(map, key))->value;
}
