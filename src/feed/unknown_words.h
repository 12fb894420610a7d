/*
 * unknown_words.h
 *    Words of a feed that are not known, such as codenames of new releases: told once each.
 */
#ifndef CLAIR_UNKNOWN_WORDS_H
#define CLAIR_UNKNOWN_WORDS_H

#include "common/bytes.h"

#define UNKNOWN_WORDS_MAX	   32 /* that are told of */
#define UNKNOWN_WORDS_MAX_SIZE 32 /* bytes of one that are looked at */

/* Zeroed at first. */
typedef struct UnknownWords
{
	char words[UNKNOWN_WORDS_MAX][UNKNOWN_WORDS_MAX_SIZE];
	size_t count;
} UnknownWords;

/* Whether the word is to be told of: it has not been seen, and there were not too many. */
extern bool unknown_words_add(UnknownWords *unknown, ClairBytes word);

#endif
