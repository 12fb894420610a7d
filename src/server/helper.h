/*
 * helper.h
 *    Starting clair-reader and clair-fetch, talking to them, ending them.
 *
 * A Helper belongs to the memory context in which it was started: its reset callback kills
 * and reaps the process, so an ERROR anywhere ends it. All waiting is on the latch and the
 * socket; a cancel takes effect at once.
 */
#ifndef CLAIR_HELPER_H
#define CLAIR_HELPER_H

#include "postgres.h"

#include "common/wire.h"

typedef struct Helper Helper;

/* Programs beside the library, in its own folder. */
#define HELPER_READER "clair-reader"
#define HELPER_FETCH  "clair-fetch"

typedef struct HelperFrame
{
	WireType type;
	WireRelation relation; /* of a WIRE_ROW */
	uint32 count;
	ClairBytes *fields; /* valid until the next frame is received */
} HelperFrame;

/*
 * Starts a program, with input (or -1 for none) as its standard input, and checks its first
 * frame. The descriptor stays the caller's.
 */
extern Helper *StartHelper(const char *program, int input);

/* Sends a frame, with a descriptor beside it unless that is -1. */
extern void
SendFrame(Helper *helper, WireType type, const ClairBytes *fields, uint32 count, int descriptor);

/*
 * Waits for a frame and checks it. A helper that reports an error, ends, is silent for
 * clair.helper_timeout, or sends what is no frame, is an ERROR. WIRE_DONE is the last frame:
 * with it, the process has been reaped.
 */
extern void ReceiveFrame(Helper *helper, HelperFrame *frame);

/* The name and value pairs of WIRE_JOB, with the settings' limits and sandbox among them. */
typedef struct JobFields
{
	ClairBytes *fields;
	uint32 count;
} JobFields;

/* A job, put together of names and values, and sent: the first that a helper hears. */
extern JobFields *BeginJob(void);
extern void AddToJob(JobFields *job, const char *name, const char *value);
extern void SendJob(Helper *helper, const JobFields *job);

/*
 * A field as a C string, in the current memory context; no value is NULL. Of a text that is longer
 * than any that a helper says, the beginning.
 */
extern char *TextOfField(ClairBytes field);

/* Ends the process now, whatever it does; doing so twice is harmless. */
extern void EndHelper(Helper *helper);

#endif
