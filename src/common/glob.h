/*
 * glob.h
 *    Patterns of paths within layers.
 *
 * A pattern has components, as a clean path has (path.h), and matches from the root on. Within a
 * component "*" stands for any bytes, or none; it never matches a "/", and a leading dot is
 * nothing special. The component "**" stands for any number of directories, or none; as the last
 * one, for whatever lies below. Every other character stands for itself, but for those that other
 * patterns give a meaning (? [ ] { } \), which are refused.
 */
#ifndef CLAIR_GLOB_H
#define CLAIR_GLOB_H

#include "common/bytes.h"

/* Bytes of a pattern. */
#define GLOB_MAX 512

/* From the least to the most that a path can be to a pattern. */
typedef enum GlobMatch
{
	GLOB_NONE,
	GLOB_BELOW_STARS, /* something below the path could match, because of a "**" before that */
	GLOB_ABOVE,		  /* something below the path could match */
	GLOB_MATCH
} GlobMatch;

/* Why a text is no pattern, as a phrase; NULL when it is one. */
extern const char *glob_problem(ClairBytes pattern);

/* What a clean path, which may be the root, is to a pattern. */
extern GlobMatch glob_match(ClairBytes pattern, ClairBytes path);

#endif
