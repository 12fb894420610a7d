/*
 * error.h
 *    How helpers say what went wrong: a status, and words for people.
 *
 * Functions return a ClairStatus and, when it is not CLAIR_OK, have filled the
 * ClairError that they were given. The words follow the server's rules: the
 * message is lower case, one line, without full stop, names file, entry, line
 * or record, and puts foreign text in double quotes; detail and hint are whole
 * sentences. The server turns the status into an SQLSTATE.
 */
#ifndef CLAIR_ERROR_H
#define CLAIR_ERROR_H

typedef enum ClairStatus
{
	CLAIR_OK = 0,
	CLAIR_INVALID,	   /* the input is broken or lies: 22000 data_exception */
	CLAIR_LIMIT,	   /* a configured limit was reached: 54000 */
	CLAIR_UNSUPPORTED, /* well-formed, but not something that we read: 0A000 */
	CLAIR_MISSING,	   /* something named is not there: 42704 undefined_object */
	CLAIR_AMBIGUOUS,   /* the caller must choose: 42P09 ambiguous_alias's class, 22023 */
	CLAIR_IO,		   /* the system said no: 58030 io_error */
	CLAIR_MEMORY,	   /* memory ran out: 53200 */
	CLAIR_PROTOCOL,	   /* the other side of the socket talks nonsense: 08P01 */
	CLAIR_STOPPED	   /* the other side has gone; nobody is left to tell */
} ClairStatus;

#define CLAIR_STATUS_LAST CLAIR_STOPPED

typedef struct ClairError
{
	ClairStatus status;
	char message[1024];
	char detail[512];
	char hint[512];
} ClairError;

/*
 * Fills the error and returns the status, so that one can write
 * "return clair_error(error, CLAIR_INVALID, ...)". Bytes in the text that are
 * not UTF-8, and control characters, are shown as \xNN.
 */
extern ClairStatus clair_error(ClairError *error, ClairStatus status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#ifdef __clang_analyzer__
/* It looks at one file at a time, and would not know which status comes back. */
#define clair_error(error, status, ...) (clair_error(error, status, __VA_ARGS__), (status))
#endif

/* Adds a sentence to an error that clair_error() has filled. */
extern void clair_error_detail(ClairError *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
extern void
clair_error_hint(ClairError *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Puts the place in front of the message: "layer 2: etc/os-release: line 3: ...".
 * Called by each caller on the way up that knows more of the place. Returns the
 * error's status.
 */
extern ClairStatus
clair_error_in(ClairError *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
