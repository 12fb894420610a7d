/*
 * vex_product.h
 *    What the products of VEX documents are: packages of distributions, images.
 */
#ifndef CLAIR_VEX_PRODUCT_H
#define CLAIR_VEX_PRODUCT_H

#include "common/arena.h"
#include "common/bytes.h"

/* See WIRE_VEX for what the parts mean. */
typedef struct VexProduct
{
	bool is_found; /* false: the arena is exhausted */
	ClairBytes image;
	ClairBytes other_image; /* a second pattern; no value: there is none */
	ClairBytes package;
	ClairBytes format;
	ClairBytes version;
	ClairBytes architecture;
	ClairBytes vendor;
	ClairBytes distribution;
	ClairBytes unknown;
} VexProduct;

/*
 * Finds out what a product is, by the name of what it is a part of, its own name, and the CPE of
 * its platform, each or no value. NULL when it can be stored as it is meant, else why not: a
 * phrase.
 */
extern const char *vex_product(Arena *arena, ClairBytes whole, ClairBytes product,
							   ClairBytes platform, VexProduct *found);

#endif
