/*
 * Proves that arenas give zeroed, aligned memory up to their limit and not beyond, and that sizes
 * which overflow are refused.
 */
#include "unit.h"

#include <stdalign.h>

#include "common/arena.h"

static bool
is_zero(const char *piece, size_t size)
{
	for (size_t i = 0; i < size; i++)
	{
		if (piece[i] != 0)
			return false;
	}
	return true;
}

static void
test_pieces(void)
{
	Arena *arena = arena_create(1024 * 1024);
	bool right = true;
	char *before = NULL;

	for (int round = 0; round < 3; round++)
	{
		for (size_t size = 0; size < 500; size++)
		{
			char *piece = arena_alloc(arena, size);

			right = right && piece != NULL && (uintptr_t) piece % alignof(max_align_t) == 0 &&
					is_zero(piece, size);
			if (size > 0)
				memset(piece, 0xAA, size);
			right = right && (before == NULL || before[0] == (char) 0xAA);
			before = size > 0 ? piece : NULL;
		}
		arena_reset(arena);
		before = NULL;
	}
	CHECK(right, "pieces are aligned, zeroed and apart, after a reset as well");
	arena_destroy(arena);
	arena_destroy(NULL);
}

static void
test_limit(void)
{
	Arena *arena = arena_create(100 * 1024);

	CHECK(arena_alloc(arena, 101 * 1024) == NULL, "more than the limit at once");
	CHECK(arena_alloc(arena, 60 * 1024) != NULL, "a part of it");
	CHECK(arena_alloc(arena, 60 * 1024) == NULL, "more than what is left");
	CHECK(arena_alloc(arena, 30 * 1024) != NULL, "what is left");
	arena_reset(arena);
	arena_destroy(arena);

	arena = arena_create(100 * 1024);
	CHECK(arena_alloc(arena, 90 * 1024) != NULL, "a large piece");
	arena_reset(arena);
	CHECK(arena_alloc(arena, 90 * 1024) != NULL, "again after a reset");
	CHECK(arena_alloc(arena, SIZE_MAX) == NULL, "a size that overflows");
	CHECK(arena_alloc(arena, SIZE_MAX - 16) == NULL, "or nearly does");
	CHECK(arena_alloc_array(arena, SIZE_MAX / 2, 3) == NULL, "an array whose size overflows");
	CHECK(arena_alloc_array(arena, 0, 16) != NULL, "an empty array");
	CHECK(arena_copy(arena, (ClairBytes){"x", SIZE_MAX}).data == NULL, "a copy that overflows");
	arena_destroy(arena);
}

static void
test_arrays(void)
{
	Arena *arena = arena_create(1024 * 1024);
	size_t capacity = 0;
	int *numbers = NULL;
	bool right = true;

	for (int i = 0; i < 10000; i++)
	{
		numbers = arena_grow_array(arena, numbers, (size_t) i + 1, &capacity, sizeof(int));
		if (numbers == NULL)
			break;
		numbers[i] = i;
	}
	for (int i = 0; numbers != NULL && i < 10000; i++)
		right = right && numbers[i] == i;
	CHECK(numbers != NULL && right, "an array that grows keeps its elements");
	CHECK(arena_grow_array(arena, numbers, 1000000, &capacity, sizeof(int)) == NULL,
		  "one that outgrows the limit is none");
	arena_destroy(arena);
}

static void
test_texts(void)
{
	Arena *arena = arena_create(1024 * 1024);
	ClairBytes copy = arena_copy(arena, CLAIR_LITERAL("a\0b"));

	CHECK(copy.size == 3 && memcmp(copy.data, "a\0b", 4) == 0, "a copy has a NUL behind it");
	CHECK_TEXT(arena_copy(arena, CLAIR_NULL_BYTES), NULL, "no value stays none");
	CHECK_TEXT(arena_copy(arena, CLAIR_LITERAL("")), "", "an empty one stays empty");
	CHECK_TEXT(arena_printf(arena, "%s-%d", "x", 7), "x-7", "a formatted text");
	arena_destroy(arena);
}

int
main(void)
{
	test_pieces();
	test_limit();
	test_arrays();
	test_texts();
	return unit_result();
}
