/*
 * redhat_product.h
 *    What Red Hat's names of products say: which rpm package, of which repository.
 */
#ifndef CLAIR_REDHAT_PRODUCT_H
#define CLAIR_REDHAT_PRODUCT_H

#include "common/arena.h"
#include "feed/csaf.h"

/* A component: an rpm package, or a module of them. */
typedef struct RedhatComponent
{
	ClairBytes name;		 /* no value: a module, or nothing that concerns us */
	ClairBytes fixed;		 /* its version, with the epoch; no value when it has none */
	ClairBytes architecture; /* "src" too; no value when it has none */
	ClairBytes module;		 /* name:stream; no value when it is of none */
	const char *problem;	 /* why it is left out, though it is of Red Hat's rpms */
} RedhatComponent;

/* A platform: a product, with the CPE of its repositories. */
typedef struct RedhatPlatform
{
	ClairBytes cpe;		  /* canonical; no value: none of Red Hat's */
	ClairBytes product;	  /* "enterprise_linux", "rhel_eus", "openshift" */
	ClairBytes version;	  /* of the product: "9", "10.0", "9.4"; empty when it has none */
	ClairBytes namespace; /* "rhel:9"; no value when the CPE does not say for which release it is */
	bool is_distribution; /* Enterprise Linux itself */
} RedhatPlatform;

/* What a product is that a statement is about. */
typedef struct RedhatProduct
{
	const RedhatComponent *component; /* NULL: none of an rpm package */
	const RedhatPlatform *platform;	  /* NULL: none with a CPE */
	ClairBytes module;				  /* empty: of none */
	ClairBytes namespace; /* of the platform, else of the package's release; or no value */
} RedhatProduct;

/*
 * Reads the CPE of a platform. One that is none, or of another vendor, leaves it without values.
 * False when the arena is exhausted.
 */
extern bool redhat_platform(Arena *arena, ClairBytes cpe, RedhatPlatform *platform);

/*
 * Finds out what a product is. Its facts belong to this file. False when the arena is exhausted.
 */
extern bool redhat_product(Arena *arena, CsafProduct *product, RedhatProduct *found);

/*
 * Whether a package has code that can run in a container, which brings no kernel: of the kernel,
 * only its images and modules are kept, and of any package not what is for debuggers.
 */
extern bool redhat_package_runs(ClairBytes name);

/* Whether this is a source package of the kernel. */
extern bool redhat_is_kernel(ClairBytes source);

#endif
