/*
 * text.h
 *    Foreign bytes as text: UTF-8 checks and escapes.
 */
#ifndef CLAIR_TEXT_H
#define CLAIR_TEXT_H

#include "common/arena.h"
#include "common/bytes.h"

/* Length of the valid UTF-8 sequence at the start of bytes; 0 when there is none. */
extern size_t text_utf8_length(ClairBytes bytes);

/* Whether all of it is valid UTF-8 without NUL: what PostgreSQL takes as text. */
extern bool text_is_valid(ClairBytes bytes);

/*
 * Copies into a buffer, NUL-terminated, cut to what fits; bytes that are not
 * valid UTF-8 and control characters become \xNN.
 */
extern void text_printable(ClairBytes bytes, char *buffer, size_t size);

/*
 * The bytes themselves when they are valid text, else a copy in the arena with
 * \xNN for NUL and every byte that is not UTF-8. Data is NULL when the arena is
 * exhausted.
 */
extern ClairBytes text_escape(Arena *arena, ClairBytes bytes);

/* Whether it is something without blanks and control characters, as names of packages are. */
extern bool text_is_word(ClairBytes text);

/* Without white space (blank, tab, CR, LF, FF, VT) at both ends. */
extern ClairBytes text_trim(ClairBytes bytes);

/*
 * Takes the next line off *rest: without its LF and without a CR before it.
 * False when nothing is left. A last line need not end in LF.
 */
extern bool text_next_line(ClairBytes *rest, ClairBytes *line);

/* An ASCII capital's small letter; any other byte itself. */
static inline char
text_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char) (byte + 'a' - 'A') : byte;
}

/* What a hexadecimal digit stands for; -1 when it is none. */
static inline int
text_hexadecimal(char byte)
{
	byte = text_lower(byte);
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Takes the part up to the next separator, or to the end, off *rest, and the separator. */
extern ClairBytes text_take_part(ClairBytes *rest, char separator);

/* How many numbers with dots between them the text is: "3.0" is 2. 0 when it is anything else. */
extern size_t text_count_numbers(ClairBytes text);

/* ASCII comparison without regard to case. */
extern bool text_equal_ignoring_case(ClairBytes a, ClairBytes b);

#endif
