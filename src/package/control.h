/*
 * control.h
 *    Files in Debian's control format: stanzas of fields, read line by line.
 *
 * Of the format (deb-control(5)): stanzas are separated by blank lines; a field is "Name:
 * value", names without regard to case; lines that begin with blank or tab continue the
 * field before.
 */
#ifndef CLAIR_CONTROL_H
#define CLAIR_CONTROL_H

#include "common/bytes.h"

typedef struct ControlReader
{
	ClairBytes rest;
	int64_t line; /* of the last line read, from 1 */
} ControlReader;

typedef enum ControlLine
{
	CONTROL_END,
	CONTROL_FIELD,
	CONTROL_CONTINUATION, /* its text in value */
	CONTROL_STANZA_END,	  /* a blank line */
	CONTROL_TOO_LONG,	  /* more than CLAIR_MAX_LINE bytes */
	CONTROL_MALFORMED
} ControlLine;

/* Begins to read a file that lies in memory. */
extern void control_start(ControlReader *reader, ClairBytes file);

/* Reads the next line. Name and value point into the file, without white space around. */
extern ControlLine control_next(ControlReader *reader, ClairBytes *name, ClairBytes *value);

/* Takes the next word, parted by blanks and tabs, off *rest. False when there is none. */
extern bool control_next_word(ClairBytes *rest, ClairBytes *word);

#endif
