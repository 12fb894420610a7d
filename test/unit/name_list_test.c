/* Proves that names become lists in order, each once. */
#include "feed/name_list.h"
#include "unit.h"

int
main(void)
{
	ClairBytes names[] = {CLAIR_LITERAL("USN-2-1"), CLAIR_LITERAL("USN-10-1"),
						  CLAIR_LITERAL("USN-2-1"), CLAIR_LITERAL("USN-2"), CLAIR_LITERAL("")};
	Arena *arena = arena_create(65536);
	Arena *small = arena_create(8);

	CHECK_INT(name_list_order(names, 5), 4, "each once");
	CHECK_TEXT(name_list_join(arena, names, 4), " USN-10-1 USN-2 USN-2-1", "in order");
	CHECK_TEXT(name_list_join(arena, names + 3, 1), "USN-2-1", "one");
	CHECK_TEXT(name_list_join(arena, names, 0), NULL, "none");
	CHECK_TEXT(name_list_join(small, names, 4), NULL, "no memory");
	CHECK_INT(name_list_order(NULL, 0), 0, "none has an order, too");
	arena_destroy(arena);
	arena_destroy(small);
	return unit_result();
}
