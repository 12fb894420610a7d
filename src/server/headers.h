/*
 * headers.h
 *    Header lines of HTTP requests, as users give them.
 */
#ifndef CLAIR_HEADERS_H
#define CLAIR_HEADERS_H

#include "postgres.h"

#include "utils/jsonb.h"

/*
 * The lines, each with a line feed at its end, of an object whose members are strings or arrays
 * of strings. NULL when there are none. Values may be secret: no error repeats one.
 */
extern char *FormatHeaders(Jsonb *headers);

#endif
