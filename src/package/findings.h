/*
 * findings.h
 *    What a file of a layer says: facts, features, and what could not be read.
 *
 * Readers of package databases and release files add to findings; nothing leaves them before
 * the whole layer has proved to be what it claims to be.
 */
#ifndef CLAIR_FINDINGS_H
#define CLAIR_FINDINGS_H

#include "common/arena.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/text_map.h"
#include "version/version_key.h"

typedef struct Fact
{
	struct Fact *next;
	ClairBytes key;
	ClairBytes value;
} Fact;

typedef struct Feature
{
	struct Feature *next;
	ClairBytes name;
	ClairBytes version;
	ClairBytes source_name;	   /* no value: the name */
	ClairBytes source_version; /* no value: the version */
	ClairBytes architecture;   /* or no value */
	ClairBytes module;		   /* rpm's, name:stream, or no value */
	ClairBytes vendor;		   /* or no value */
	ClairBytes license;		   /* in the words of the package, or no value */
	ClairBytes problem;		   /* why a version is not valid, or no value */
} Feature;

typedef struct Problem
{
	struct Problem *next;
	ClairBytes reason;
	bool unsupported; /* the whole file is of a form that we know, and do not read */
} Problem;

typedef struct Findings
{
	Arena *arena; /* these two are set by whoever makes findings; the rest is zero */
	const ClairLimits *limits;

	Fact *facts;
	Fact **next_fact;
	Feature *features;
	Feature **next_feature;
	int64_t feature_count;
	Problem *problems;
	Problem **next_problem;
	int problem_count;
	const char *unit; /* what is counted where a problem is: a reader may say other than "line" */
	TextMap seen;	  /* features: name, version and architecture */
} Findings;

/* Begins with nothing found. What is found lives in the arena; the limits bound it. */
extern void findings_start(Findings *findings, Arena *arena, const ClairLimits *limits);

/* Adds a fact, with the bytes copied; bytes that are not text are escaped. */
extern ClairStatus
findings_fact(Findings *findings, ClairBytes key, ClairBytes value, ClairError *error);

/* The same for a value of several: the keys are "name", "name.1", "name.2" and so on. */
extern ClairStatus findings_fact_of_list(Findings *findings, const char *name, int number,
										 ClairBytes value, ClairError *error);

/*
 * Adds a feature, with the bytes copied, after checking its versions; one that is there
 * already (name, version, architecture) is dropped. A feature whose name or version is
 * empty, too long or not text becomes a problem; number is that of the line (or other unit)
 * where it begins.
 */
extern ClairStatus findings_feature(Findings *findings, VersionFormat format, int64_t number,
									const Feature *feature, ClairError *error);

/* Adds a problem: a phrase that says where and what. After some tens, no more are kept. */
extern ClairStatus findings_problem(Findings *findings, ClairError *error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds the one problem of a file that is of a form which we know, and do not read. */
extern ClairStatus findings_unsupported(Findings *findings, ClairError *error, const char *format,
										...) __attribute__((format(printf, 3, 4)));

#endif
