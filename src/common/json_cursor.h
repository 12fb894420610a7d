/*
 * json_cursor.h
 *    Reading JSON that is in memory: strictly (RFC 8259), in one pass, without a tree.
 *
 * A cursor stands before a value. The reader looks at its type, then takes it: enters an
 * object or array and asks for its members or elements one by one, reads a text, or skips
 * it. The first problem stays in the cursor and makes every later call return false, so
 * that it is enough to look at the status at the end. A cursor may be copied, to come
 * back to where it stood. No recursion: nesting is bounded by CLAIR_MAX_JSON_DEPTH.
 */
#ifndef CLAIR_JSON_CURSOR_H
#define CLAIR_JSON_CURSOR_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/error.h"

typedef enum JsonType
{
	JSON_NOTHING, /* no value begins here */
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_BOOLEAN,
	JSON_NULL
} JsonType;

typedef struct JsonCursor
{
	ClairBytes text;
	Arena *arena;		 /* for texts with escapes in them; the others are lent from text */
	size_t position;	 /* of the next byte */
	unsigned int depth;	 /* objects and arrays entered */
	bool first;			 /* just entered: no comma is due */
	ClairStatus status;	 /* CLAIR_OK, or what stopped the cursor, at position */
	const char *problem; /* a phrase: "a comma is missing" */
} JsonCursor;

/* A member of an object: its name, and the bytes of its value. */
typedef struct JsonMember
{
	ClairBytes name;
	ClairBytes value;
	const char *problem; /* why the name, which then stands as it is written, is no text */
} JsonMember;

/* A cursor before the value that text holds. */
static inline JsonCursor
json_cursor(ClairBytes text, Arena *arena)
{
	return (JsonCursor){.text = text, .arena = arena};
}

/* The type of the value that the cursor stands before. */
extern JsonType json_type(JsonCursor *cursor);

/* Steps into the object or array (type says which) that must begin here. */
extern bool json_enter(JsonCursor *cursor, JsonType type);

/*
 * Takes the next member's name, escapes resolved, and stands before its value. False at the
 * object's end, which is then left, and at a problem.
 */
extern bool json_next_member(JsonCursor *cursor, ClairBytes *name);

/* The same for the elements of an array. */
extern bool json_next_element(JsonCursor *cursor);

/* Takes a string as text: escapes resolved, valid UTF-8 without NUL. */
extern bool json_text(JsonCursor *cursor, ClairBytes *text);

/* The same, where null stands for no value. */
extern bool json_text_or_null(JsonCursor *cursor, ClairBytes *text);

/* Takes a number, as it is written. */
extern bool json_number(JsonCursor *cursor, ClairBytes *text);

/* Skips a value of any type, checking all of it. */
extern bool json_skip(JsonCursor *cursor);

/* Whether the value is taken and only white space is left. A problem when not. */
extern bool json_end(JsonCursor *cursor);

/*
 * Takes a whole object as an array in the cursor's arena, ordered by name; members with the
 * same name in the order in which they stand. All of it is checked.
 */
extern bool json_members(JsonCursor *cursor, JsonMember **members, size_t *count);

/*
 * Takes a string whatever is in it: as text, or as it is written, when *problem says why it
 * is no text.
 */
extern bool json_any_string(JsonCursor *cursor, ClairBytes *string, const char **problem);

/* Stops the cursor for a reason of the caller's: a phrase that outlives the cursor. */
extern bool json_refuse(JsonCursor *cursor, ClairStatus status, const char *problem);

/*
 * The text of a string's bytes between its quotes: the bytes themselves when there is no
 * escape in them. NULL when it is fine, else what is wrong: broken escapes, bytes that are
 * not UTF-8, a NUL. CLAIR_NULL_BYTES with no problem: the arena is exhausted.
 */
extern const char *json_unescape(Arena *arena, ClairBytes raw, ClairBytes *text);

#endif
