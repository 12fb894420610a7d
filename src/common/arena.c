/*
 * arena.c
 *    Memory of a helper: blocks from malloc, pieces from blocks.
 */
#include "common/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE	   ((size_t) 32 * 1024)
#define FIRST_CAPACITY 16

typedef struct Block
{
	struct Block *next;
	size_t size; /* of data */
	size_t used;
	alignas(max_align_t) char data[];
} Block;

struct Arena
{
	Block *blocks; /* the newest first; pieces come from it */
	size_t limit;
	size_t held; /* sum of the blocks' sizes */
};

Arena *
arena_create(size_t limit)
{
	Arena *arena = calloc(1, sizeof(Arena));

	if (arena != NULL)
		arena->limit = limit;
	return arena;
}

static void
free_blocks(Block *block)
{
	while (block != NULL)
	{
		Block *next = block->next;

		free(block);
		block = next;
	}
}

void
arena_destroy(Arena *arena)
{
	if (arena == NULL)
		return;
	free_blocks(arena->blocks);
	free(arena);
}

void
arena_reset(Arena *arena)
{
	Block *kept = arena->blocks;

	if (kept == NULL)
		return;
	free_blocks(kept->next);
	kept->next = NULL;
	kept->used = 0;
	if (kept->size > BLOCK_SIZE)
	{
		free(kept);
		kept = NULL;
	}
	arena->blocks = kept;
	arena->held = kept != NULL ? kept->size : 0;
}

static Block *
add_block(Arena *arena, size_t size)
{
	Block *block;

	if (size > arena->limit || arena->held > arena->limit - size)
		return NULL;
	block = malloc(sizeof(Block) + size);
	if (block == NULL)
		return NULL;
	block->next = arena->blocks;
	block->size = size;
	block->used = 0;
	arena->blocks = block;
	arena->held += size;
	return block;
}

void *
arena_alloc(Arena *arena, size_t size)
{
	Block *block = arena->blocks;
	size_t rounded;
	void *piece;

	if (size > SIZE_MAX - alignof(max_align_t) - sizeof(Block))
		return NULL;
	rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (block == NULL || block->size - block->used < rounded)
	{
		block = add_block(arena, rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE);
		if (block == NULL)
			return NULL;
	}
	piece = block->data + block->used;
	block->used += rounded;
	memset(piece, 0, rounded);
	return piece;
}

void *
arena_alloc_array(Arena *arena, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return arena_alloc(arena, count * size);
}

void *
arena_grow_array(Arena *arena, void *array, size_t count, size_t *capacity, size_t size)
{
	size_t larger = *capacity < FIRST_CAPACITY ? FIRST_CAPACITY : *capacity;
	void *copy;

	if (count <= *capacity)
		return array;
	while (larger < count)
	{
		if (larger > SIZE_MAX / 2)
			return NULL;
		larger *= 2;
	}
	copy = arena_alloc_array(arena, larger, size);
	if (copy == NULL)
		return NULL;
	if (*capacity > 0)
		memcpy(copy, array, *capacity * size);
	*capacity = larger;
	return copy;
}

ClairBytes
arena_copy(Arena *arena, ClairBytes bytes)
{
	char *copy;

	if (bytes.data == NULL || bytes.size == SIZE_MAX)
		return CLAIR_NULL_BYTES;
	copy = arena_alloc(arena, bytes.size + 1);
	if (copy == NULL)
		return CLAIR_NULL_BYTES;
	memcpy(copy, bytes.data, bytes.size);
	return (ClairBytes){copy, bytes.size};
}

ClairBytes
arena_printf(Arena *arena, const char *format, ...)
{
	va_list arguments;
	int size;
	char *text;

	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (size < 0)
		return CLAIR_NULL_BYTES;
	text = arena_alloc(arena, (size_t) size + 1);
	if (text == NULL)
		return CLAIR_NULL_BYTES;
	va_start(arguments, format);
	vsnprintf(text, (size_t) size + 1, format, arguments);
	va_end(arguments);
	return (ClairBytes){text, (size_t) size};
}
