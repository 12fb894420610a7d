/*
 * suse_product.h
 *    Names of SUSE's products, and the namespaces of the images that their packages are in.
 *
 * Packages are built for a service pack of SUSE Linux Enterprise, whatever they are delivered in:
 * the server itself, modules of it, longer support, products on top. So all of these speak of the
 * same packages, and of the namespace of that service pack. But what is said of the server and its
 * modules comes first: other products begin with newer packages, and are said to be fixed in these.
 */
#ifndef CLAIR_SUSE_PRODUCT_H
#define CLAIR_SUSE_PRODUCT_H

#include "common/arena.h"
#include "common/bytes.h"

typedef struct SuseProduct
{
	ClairBytes namespaces; /* a list, blank-separated; no value: images are not of it */
	bool is_beside;		   /* it is not the distribution itself, nor a module of it */
} SuseProduct;

/*
 * Reads a name: "SUSE Linux Enterprise Module for Basesystem 15 SP5", "openSUSE Leap 15.6",
 * or, of old documents, "sles10-sp4". False when the arena is exhausted.
 */
extern bool suse_product(Arena *arena, ClairBytes name, SuseProduct *product);

#endif
