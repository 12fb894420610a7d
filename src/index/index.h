/*
 * index.h
 *    Indexing an input, whichever function was called for it.
 */
#ifndef CLAIR_INDEX_H
#define CLAIR_INDEX_H

#include "postgres.h"

#include "fmgr.h"

#include "index/detector.h"
#include "index/store.h"
#include "server/descriptor.h"
#include "server/helper.h"

typedef struct IndexJob
{
	Descriptor *input;
	bool is_directory;
	const char *name;	  /* or NULL */
	const char *platform; /* or NULL */
	bool is_sbom;		  /* the input is a software bill of materials */

	/* Of an input that is one layer. */
	const char *layer_format; /* "Docker" or "ACI"; NULL: it is not known to be one */
	const char *digest;		  /* that its bytes shall have; or NULL */
	const char *parent_name;  /* the image that it lies on, as the caller named it; or NULL */
	int64 parent;			  /* its id; or 0 */

	Helper *reader;
	const Detectors *detectors;
	DetectorFile file; /* for one of them */
	IndexRows rows;
	int64 bytes;			/* of the rows so far */
	int64 asked;			/* digests of layers, in all questions so far */
	MemoryContext question; /* holds what answering one takes */
} IndexJob;

/* index_sbom.c: says which components of a bill of materials were left out. SPI is connected. */
extern void TellPassedOver(int64 image);

/* A text that the function was given, palloc'ed; NULL when it was given none. */
extern char *TextArgument(FunctionCallInfo fcinfo, int number);

/* Checks what a function that indexes can check before it does anything. */
extern void CheckIndexing(const char *function, const char *name);

/* Counts fields that are kept until the end of the job, and refuses too many. */
extern void CountBytes(IndexJob *job, const ClairBytes *fields, uint32 count);

/* A spool file with the bytes of a bytea. */
extern Descriptor *SpoolArgument(FunctionCallInfo fcinfo, int number);

/* One with the text of a jsonb. */
extern Descriptor *SpoolJsonArgument(FunctionCallInfo fcinfo, int number);

/*
 * What a function that indexes returns, unless the argument is null: lets open() make the job from
 * the arguments, in a context that lives as long as the call, and does it.
 */
extern Datum
IndexInput(FunctionCallInfo fcinfo, int argument, IndexJob *(*open)(FunctionCallInfo fcinfo));

/*
 * The bytes of the algorithm's name that a digest, "<algorithm>:<hex>", begins with; 0 when the
 * text is not one.
 */
extern size_t DigestAlgorithmSize(ClairBytes text);

#endif
