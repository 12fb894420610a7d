/*
 * limits.h
 *    What a job may use: every bound that input from outside could push.
 *
 * The server fills these from the settings named beside them and sends them with
 * the job; unit tests and fuzzers use the defaults. Reaching a limit is an error
 * (CLAIR_LIMIT) that names the limit's setting in its hint.
 */
#ifndef CLAIR_LIMITS_H
#define CLAIR_LIMITS_H

#include <stdint.h>

/*
 * X(name, default): bounds with a setting of the same name, "clair.<name>".
 * Sizes are in bytes here.
 */
#define CLAIR_LIMITS(X)                                                                            \
	/* inflated bytes of one layer */                                                              \
	X(max_layer_size, INT64_C(16) << 30)                                                           \
	/* bytes of one wanted file: a package database, a release file, a manifest */                 \
	X(max_file_size, INT64_C(256) << 20)                                                           \
	/* entries of one layer, or of one archive */                                                  \
	X(max_entries, INT64_C(5000000))                                                               \
	/* inflated bytes per stored byte, once more than 100 MB have been inflated */                 \
	X(max_ratio, INT64_C(1000))                                                                    \
	/* features of one package database */                                                         \
	X(max_features, INT64_C(500000))                                                               \
	/* layers of one image */                                                                      \
	X(max_layers, INT64_C(1000))                                                                   \
	/* inflated bytes of one feed document */                                                      \
	X(max_document_size, INT64_C(4) << 30)                                                         \
	/* bytes of one record or item of a feed */                                                    \
	X(max_record_size, INT64_C(64) << 20)                                                          \
	/* documents of one update run */                                                              \
	X(max_documents, INT64_C(100000))                                                              \
	/* memory of one reader, RLIMIT_AS */                                                          \
	X(reader_memory, INT64_C(512) << 20)

typedef struct ClairLimits
{
#define X(name, value) int64_t name;
	CLAIR_LIMITS(X)
#undef X
} ClairLimits;

#define CLAIR_LIMIT_INITIALIZER(name, value) .name = (value),
#define CLAIR_DEFAULT_LIMITS				 ((ClairLimits){CLAIR_LIMITS(CLAIR_LIMIT_INITIALIZER)})

/* Bounds of formats that no honest input comes near; not worth a setting. */
#define CLAIR_MAX_PATH			 4096			   /* bytes of a path within a layer */
#define CLAIR_MAX_LINE			 (8 * 1024 * 1024) /* bytes of a line of a package database */
#define CLAIR_MAX_LINKS			 40				   /* symbolic links followed on one path */
#define CLAIR_MAX_DETECTORS		 64				   /* all that there are */
#define CLAIR_MAX_PATTERNS		 32				   /* of paths, of one detector */
#define CLAIR_MAX_NESTING		 8 /* OCI indexes within indexes; rounds of documents */
#define CLAIR_MAX_JSON_DEPTH	 64
#define CLAIR_MAX_XML_DEPTH		 64
#define CLAIR_MAX_XML_TAG		 (256 * 1024)  /* bytes of a tag with its attributes */
#define CLAIR_MAX_NAME			 512		   /* bytes of a package's or vulnerability's name */
#define CLAIR_MAX_VERSION		 512		   /* bytes of a version */
#define CLAIR_MAX_TEXT			 (1024 * 1024) /* bytes of a description */
#define CLAIR_MAX_DECODER_MEMORY (128 * 1024 * 1024) /* of xz and zstd */

#endif
