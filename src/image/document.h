/*
 * document.h
 *    The JSON documents of images: manifests, indexes, configs.
 *
 * A thin layer on json-c: strict, bounded in size and depth, and getters that tell "absent"
 * from "of the wrong type" only where that matters. Objects belong to their document.
 */
#ifndef CLAIR_DOCUMENT_H
#define CLAIR_DOCUMENT_H

#include <json-c/json.h>

#include "common/bytes.h"
#include "common/error.h"

/* The greatest document, in bytes. */
#define DOCUMENT_MAX_SIZE (16 * 1024 * 1024)

/* json-c seeds its hash tables on first use, from a file if need be: before the filter. */
extern ClairStatus document_initialize(ClairError *error);

/* The caller gives *document back with json_object_put(). */
extern ClairStatus
document_parse(ClairBytes text, struct json_object **document, ClairError *error);

/* A member of an object; NULL when absent, null, of another type, or object is none. */
extern struct json_object *
document_member(struct json_object *object, const char *key, enum json_type type);

/* A member that is a string of valid text; else no value. Lives as long as the document. */
extern ClairBytes document_text(struct json_object *object, const char *key);

/* The text of a value, under the same conditions. */
extern ClairBytes document_string(struct json_object *value);

/* A member that is an integer of 0 or more; else missing. */
extern int64_t document_integer(struct json_object *object, const char *key, int64_t missing);

/* Elements of an array; 0 when array is NULL. */
extern size_t document_length(struct json_object *array);

#endif
