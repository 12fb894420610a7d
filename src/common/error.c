/*
 * error.c
 *    Filling a ClairError; see error.h for the rules of the words.
 */
#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "common/text.h"

/*
 * Formats into a buffer of fixed size; what does not fit is cut off. The result
 * is printable UTF-8, whatever the arguments were.
 */
__attribute__((format(printf, 3, 0))) static void
format_text(char *buffer, size_t size, const char *format, va_list arguments)
{
	char raw[sizeof(((ClairError *) 0)->message)];

	vsnprintf(raw, sizeof(raw), format, arguments);
	text_printable(clair_bytes(raw), buffer, size);
}

ClairStatus
clair_error(ClairError *error, ClairStatus status, const char *format, ...)
{
	va_list arguments;

	memset(error, 0, sizeof(*error));
	error->status = status;
	va_start(arguments, format);
	format_text(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	return status;
}

void
clair_error_detail(ClairError *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	format_text(error->detail, sizeof(error->detail), format, arguments);
	va_end(arguments);
}

void
clair_error_hint(ClairError *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	format_text(error->hint, sizeof(error->hint), format, arguments);
	va_end(arguments);
}

ClairStatus
clair_error_in(ClairError *error, const char *format, ...)
{
	char place[512];
	char message[sizeof(error->message)];
	va_list arguments;

	va_start(arguments, format);
	format_text(place, sizeof(place), format, arguments);
	va_end(arguments);
	memcpy(message, error->message, sizeof(message));
	snprintf(error->message, sizeof(error->message), "%s: %.*s", place,
			 (int) (sizeof(error->message) - strlen(place) - 3), message);
	return error->status;
}
