/*
 * yaml_lists.h
 *    Lists by name, in the little of YAML that such files use.
 *
 *        # why
 *        name:
 *          - item
 *          - "item"   # a comment
 *        other: [item, 'item']
 *
 * Nothing else of YAML is understood: anything else is an error that names the line.
 */
#ifndef CLAIR_YAML_LISTS_H
#define CLAIR_YAML_LISTS_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/error.h"

typedef struct YamlItem
{
	ClairBytes name; /* of the list */
	ClairBytes item;
} YamlItem;

/*
 * The items of all lists, in the order of the document. They point into the document, which
 * must be UTF-8 without NUL; the array is in the arena.
 */
extern ClairStatus yaml_lists_read(Arena *arena, ClairBytes document, YamlItem **items,
								   size_t *count, ClairError *error);

#endif
