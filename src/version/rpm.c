/*
 * rpm.c
 *    Version keys of RPM packages: [epoch:]version[-release].
 *
 * The order is rpm's: epoch as a number, then version and release, each as a series of tokens:
 * "~", "^", runs of letters and runs of digits. All other bytes only separate runs, so that
 * their kind and count mean nothing. A missing epoch is 0; a missing release sorts below every
 * release (rpm's dependencies, for which a missing release matches every one, are no order).
 *
 * As in librpm the epoch ends at the first colon, if only digits precede it, and the release
 * begins after the last hyphen.
 */
#include "version/version_format.h"

/*
 * What the bytes of a key mean; letters stand for themselves, numbers begin with 0x80. A run of
 * letters needs an end when a run follows; in front of the other codes they end it themselves.
 */
#define NO_RELEASE	   0x00
#define TILDE		   0x01
#define END			   0x02
#define CARET		   0x03
#define END_OF_LETTERS 0x04
#define RUN_CODE	   ((NumberCode){0x80, 96})

typedef struct RpmVersion
{
	ClairBytes epoch; /* digits, or empty */
	ClairBytes version;
	ClairBytes release; /* no value when there is none */
} RpmVersion;

static bool
is_letter(char byte)
{
	return version_is_lower(byte) || version_is_upper(byte);
}

/* Writes the run of letters at the start of rest, without its end, and takes it off. */
static unsigned char *
put_letters(unsigned char *at, ClairBytes *rest)
{
	size_t size = 0;

	while (size < rest->size && is_letter(rest->data[size]))
		*at++ = (unsigned char) rest->data[size++];
	*rest = clair_bytes_skip(*rest, size);
	return at;
}

static unsigned char *
put_part(unsigned char *at, ClairBytes part)
{
	bool after_letters = false;

	while (part.size > 0)
	{
		char byte = part.data[0];

		if (byte == '~' || byte == '^')
		{
			*at++ = byte == '~' ? TILDE : CARET;
			part = clair_bytes_skip(part, 1);
			after_letters = false;
		}
		else if (version_is_digit(byte) || is_letter(byte))
		{
			if (after_letters)
				*at++ = END_OF_LETTERS;
			after_letters = is_letter(byte);
			if (after_letters)
				at = put_letters(at, &part);
			else
				at = version_put_digits(at, RUN_CODE, version_take_digits(&part));
		}
		else
			part = clair_bytes_skip(part, 1);
	}
	*at++ = END;
	return at;
}

static RpmVersion
split(ClairBytes text)
{
	RpmVersion parts = {.epoch = {text.data, 0}, .version = text, .release = CLAIR_NULL_BYTES};
	ClairBytes rest = text;
	ClairBytes digits = version_take_digits(&rest);

	if (rest.size > 0 && rest.data[0] == ':')
	{
		parts.epoch = digits;
		parts.version = clair_bytes_skip(rest, 1);
	}
	for (size_t i = parts.version.size; i > 0; i--)
		if (parts.version.data[i - 1] == '-')
		{
			parts.release = clair_bytes_skip(parts.version, i);
			parts.version.size = i - 1;
			break;
		}
	return parts;
}

bool
rpm_encode(ClairBytes text, unsigned char *key, size_t *key_size, VersionProblem *problem)
{
	unsigned char *at = key;
	RpmVersion parts;

	for (size_t i = 0; i < text.size; i++)
	{
		unsigned char byte = (unsigned char) text.data[i];

		if (byte == ' ' || byte == '\t')
			return version_refuse(problem, "blank within the version", text, text.data + i);
		if (byte < ' ' || byte == 0x7F)
			return version_refuse(problem, "control character", text, text.data + i);
	}
	parts = split(text);
	at = version_put_digits(at, NUMBER_CODE, parts.epoch);
	at = put_part(at, parts.version);
	if (parts.release.data == NULL)
		*at++ = NO_RELEASE;
	else
		at = put_part(at, parts.release);
	*key_size = (size_t) (at - key);
	return true;
}
