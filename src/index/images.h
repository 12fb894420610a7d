/*
 * images.h
 *    What clair.index_images() and its workers share: a segment of memory for each call.
 *
 * The segment has a table of contents: the call, what it was given, and a queue for each worker's
 * answers. It goes with the call and its workers, whatever happens to them.
 */
#ifndef CLAIR_IMAGES_H
#define CLAIR_IMAGES_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "port/atomics.h"
#include "storage/dsm.h"

#include "server/worker.h"

#define IMAGES_MAGIC 0x636c6169

/* First key of the advisory locks of places, clair.max_index_workers of them, from 0 on. */
#define INDEX_PLACE_LOCK 1668047223

/* What is in the segment, by its keys; arrays and texts are as the server has them. */
enum
{
	IMAGES_CALL,	 /* an ImagesCall */
	IMAGES_PATHS,	 /* array of texts */
	IMAGES_NAMES,	 /* array of as many texts and nulls; not there when none was given */
	IMAGES_PLATFORM, /* text; not there when none was given */
	IMAGES_SETTINGS, /* array: name and value of each setting of clair that the session has set */
	IMAGES_QUEUES	 /* shm_mqs, IMAGES_QUEUE_SIZE bytes each */
};

#define IMAGES_QUEUE_SIZE ((Size) 65536)

typedef struct ImagesCall
{
	Oid role;			   /* whose rights count */
	uint32 count;		   /* paths */
	pg_atomic_uint32 next; /* path that no worker has taken */
} ImagesCall;

typedef struct ImagesRequest
{
	WorkerRequest worker;
	dsm_handle segment;
	int queue; /* number of the worker's */
} ImagesRequest;

/* Columns of clair.index_result. */
#define RESULT_PATH		0
#define RESULT_IMAGE	1
#define RESULT_SQLSTATE 11
#define RESULT_ERROR	12
#define RESULT_DETAIL	13
#define RESULT_HINT		14
#define RESULT_COLUMNS	15

/*
 * An answer is a message: the path's number, and one or more rows. Texts that are read lie in the
 * message. False: there is no further row.
 */
extern void BeginAnswer(StringInfo answer, uint32 number);
extern void AddAnswerRow(StringInfo answer, char **texts);
extern uint32 ReadAnswer(StringInfo answer);
extern bool ReadAnswerRow(StringInfo answer, char **texts);

extern int clair_max_index_workers;

#endif
