/*
 * detector.h
 *    Detectors: files of layers that SQL functions of the server want to read.
 *
 * The server says which paths they want (clair.create_detector()); here the files are found. What
 * they say is found out over there, once a layer has proved to be what it claims to be.
 */
#ifndef CLAIR_DETECTOR_H
#define CLAIR_DETECTOR_H

#include "common/arena.h"
#include "common/error.h"
#include "common/glob.h"
#include "common/limits.h"

typedef struct Detector
{
	ClairBytes role; /* WIRE_LAYER_ENTRY's */
	int64_t version;
} Detector;

/* Detectors as a set: a bit for the number of each. */
typedef uint64_t DetectorSet;

typedef struct DetectorPattern
{
	DetectorSet detector; /* that has it */
	ClairBytes pattern;
} DetectorPattern;

typedef struct Detectors
{
	Detector list[CLAIR_MAX_DETECTORS];
	size_t count;
	DetectorPattern *patterns;
	size_t pattern_count;
	size_t pattern_capacity;
} Detectors;

/*
 * Reads what a job says of detectors: for each pattern a line of name, version and pattern,
 * blank-separated; the lines of one detector follow each other. The text must live as long as the
 * arena. No value: there are none.
 */
extern ClairStatus
detectors_read(Arena *arena, ClairBytes text, Detectors **detectors, ClairError *error);

/*
 * Which detectors want the file at a clean path; and the most that the path is to any pattern.
 */
extern DetectorSet detectors_match(const Detectors *detectors, ClairBytes path, GlobMatch *match);

#endif
