/*
 * detector.h
 *    Detectors of users: what they are, and what they say of the files that an image's layers have.
 */
#ifndef CLAIR_INDEX_DETECTOR_H
#define CLAIR_INDEX_DETECTOR_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "common/limits.h"
#include "server/helper.h"
#include "version/version_key.h"

typedef struct Detector
{
	const char *role;
	int64 version;
	const char *function; /* quoted, with its schema */
	const char *refusal;  /* why it is not called, or NULL */
	Oid role_id;		  /* as whom it is called */
	VersionFormat format;
} Detector;

typedef struct Detectors
{
	int count;
	Detector list[CLAIR_MAX_DETECTORS];
	int64 version; /* the greatest one; 0: there are none */
	char *job;	   /* what clair-reader is told of them; NULL: nothing */
} Detectors;

/* What kept detectors from finding all features, by the content of the package database. */
typedef struct DetectorProblems
{
	ClairBytes *contents;
	ClairBytes *reasons;
	int64 count;
	int64 capacity;
} DetectorProblems;

/* A file that is being received. */
typedef struct DetectorFile
{
	const Detector *detector; /* NULL: none is */
	char *content;			  /* WIRE_DETECTOR_FILE's */
	char *path;
	int64 size;
	StringInfoData bytes;
} DetectorFile;

struct IndexJob;

/*
 * detector.c: the detectors that there are now, which cannot be dropped until the transaction ends.
 * SPI is connected, and garbage is kept.
 */
extern Detectors *LoadDetectors(void);

/* Whether keys, of a question of clair-reader, are contents of files for detectors. */
extern bool AreDetections(const ClairBytes *keys, uint32 count);

/*
 * Answers a question for them: an empty value for each of which it is known what this version of
 * the detector says. SPI is connected.
 */
extern ClairBytes *
KnownDetections(const Detectors *detectors, const ClairBytes *keys, uint32 count);

/*
 * Takes a piece of a file. With the last one, the detector's function is called, and what it finds
 * is staged as features of the content.
 */
extern void TakeDetectorFile(struct IndexJob *job, const HelperFrame *row);

/* detect.c: the setting of all this. */
extern void DetectorInit(void);

#endif
