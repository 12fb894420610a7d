/*
 * dpkg.c
 *    Version keys of Debian packages: [epoch:]upstream[-revision].
 *
 * The order is dpkg's (deb-version(7)): epoch as a number, then upstream version and revision,
 * each as alternating runs of other characters and of digits. At any place "~" comes first, then
 * the end of the run, then letters, then everything else; a number that is missing is 0.
 *
 * Valid is what "dpkg --validate-version" does not call an error. That is more than the policy
 * allows: odd characters, bytes outside ASCII too, and a first character that is no digit only
 * earn a warning there. Blanks around the version are ignored, and the epoch is read as strtol()
 * does: after white space and with a sign, if any.
 */
#include "version/version_format.h"

#include <limits.h>

/*
 * What the bytes of a key mean. A part of a version is a series of pairs: the characters of a
 * run, END, the number behind it. After the last pair there is another END: from the second
 * pair on, runs are not empty, so END in place of a run's first character can only be that.
 *
 * A dot has three codes, by what follows: "~", a number (or nothing), or something else. They
 * sort as the dot followed by the next code would, and the second stands for the END behind it
 * as well, so that it saves a byte in nearly every version.
 */
#define TILDE			 0x01
#define END				 0x02
#define FIRST_UPPER		 0x03
#define FIRST_LOWER		 0x1D
#define FIRST_HIGH		 0x37 /* bytes from 0x80: libdpkg takes characters as signed */
#define FIRST_OTHER		 0xB7 /* what is left of ASCII, in its order, beginning with 0x01 */
#define DOT_BEFORE_TILDE 0xE4
#define DOT_AT_END		 0xE5
#define DOT_BEFORE_OTHER 0xE6
#define SLASH			 0xE7

typedef struct DpkgVersion
{
	uint32_t epoch;
	ClairBytes upstream;
	ClairBytes revision; /* empty when there is none, which is the same as 0 */
} DpkgVersion;

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* The code of a byte that is neither a digit nor a dot nor NUL. */
static unsigned char
character_code(unsigned char byte)
{
	if (byte >= 'a' && byte <= 'z')
		return FIRST_LOWER + (byte - 'a');
	if (byte >= 'A' && byte <= 'Z')
		return FIRST_UPPER + (byte - 'A');
	if (byte == '~')
		return TILDE;
	if (byte >= 0x80)
		return FIRST_HIGH + (byte - 0x80);
	if (byte < '.')
		return FIRST_OTHER + (byte - 0x01);
	if (byte == '/')
		return SLASH;
	if (byte < 'A')
		return SLASH + 1 + (byte - ':');
	if (byte < 'a')
		return SLASH + 1 + ('A' - ':') + (byte - '[');
	/* "{", "|", "}"; then DEL, from which the tilde is missing */
	if (byte > '~')
		byte--;
	return SLASH + 1 + ('A' - ':') + ('a' - '[') + (byte - '{');
}

/* Writes the run of characters up to the next digit, its END included, and takes it off rest. */
static unsigned char *
put_run(unsigned char *at, ClairBytes *rest)
{
	size_t i;

	for (i = 0; i < rest->size && !version_is_digit(rest->data[i]); i++)
	{
		if (rest->data[i] != '.')
			*at++ = character_code((unsigned char) rest->data[i]);
		else if (i + 1 == rest->size || version_is_digit(rest->data[i + 1]))
		{
			*at++ = DOT_AT_END;
			*rest = clair_bytes_skip(*rest, i + 1);
			return at;
		}
		else
			*at++ = rest->data[i + 1] == '~' ? DOT_BEFORE_TILDE : DOT_BEFORE_OTHER;
	}
	*at++ = END;
	*rest = clair_bytes_skip(*rest, i);
	return at;
}

static unsigned char *
put_part(unsigned char *at, ClairBytes part)
{
	do
	{
		at = put_run(at, &part);
		at = version_put_digits(at, NUMBER_CODE, version_take_digits(&part));
	} while (part.size > 0);
	*at++ = END;
	return at;
}

/* What stands before the first colon: white space, sign and digits, INT_MAX at most. */
static bool
read_epoch(ClairBytes text, ClairBytes field, uint32_t *epoch, VersionProblem *problem)
{
	ClairBytes rest = field;
	bool negative = false;
	bool too_big = false;
	const char *number;
	ClairBytes digits;
	uint64_t value = 0;

	while (rest.size > 0 && rest.data[0] >= '\t' && rest.data[0] <= '\r')
		rest = clair_bytes_skip(rest, 1);
	number = rest.data;
	if (rest.size > 0 && (rest.data[0] == '+' || rest.data[0] == '-'))
	{
		negative = rest.data[0] == '-';
		rest = clair_bytes_skip(rest, 1);
	}
	digits = version_take_digits(&rest);
	if (field.size == 0)
		return version_refuse(problem, "epoch is empty", text, field.data);
	if (digits.size == 0 || rest.size > 0)
		return version_refuse(problem, "epoch is not a number", text, rest.data);
	for (size_t i = 0; i < digits.size && !too_big; i++)
	{
		value = value * 10 + (uint64_t) (digits.data[i] - '0');
		too_big = value > INT_MAX;
	}
	if (negative && value > 0)
		return version_refuse(problem, "epoch is negative", text, number);
	if (too_big)
		return version_refuse(problem, "epoch is too big", text, number);
	*epoch = (uint32_t) value;
	return true;
}

/* Takes the blanks around the version off rest, and refuses those within and NUL. */
static bool
trim(ClairBytes text, ClairBytes *rest, VersionProblem *problem)
{
	while (rest->size > 0 && is_blank(rest->data[0]))
		*rest = clair_bytes_skip(*rest, 1);
	while (rest->size > 0 && is_blank(rest->data[rest->size - 1]))
		rest->size--;
	if (rest->size == 0)
		return version_refuse(problem, "version is empty", text, text.data);
	for (size_t i = 0; i < rest->size; i++)
	{
		if (is_blank(rest->data[i]))
			return version_refuse(problem, "blank within the version", text, rest->data + i);
		if (rest->data[i] == '\0')
			return version_refuse(problem, "NUL within the version", text, rest->data + i);
	}
	return true;
}

static bool
split(ClairBytes text, DpkgVersion *version, VersionProblem *problem)
{
	ClairBytes rest = text;
	const char *colon;

	*version = (DpkgVersion){0};
	if (!trim(text, &rest, problem))
		return false;
	colon = memchr(rest.data, ':', rest.size);
	if (colon != NULL)
	{
		size_t epoch_size = (size_t) (colon - rest.data);

		if (!read_epoch(text, (ClairBytes){rest.data, epoch_size}, &version->epoch, problem))
			return false;
		rest = clair_bytes_skip(rest, epoch_size + 1);
		if (rest.size == 0)
			return version_refuse(problem, "nothing after the epoch's colon", text, colon);
	}
	version->upstream = rest;
	for (size_t i = rest.size; i > 0; i--)
		if (rest.data[i - 1] == '-')
		{
			version->upstream.size = i - 1;
			version->revision = clair_bytes_skip(rest, i);
			if (version->revision.size == 0)
				return version_refuse(problem, "revision is empty", text, rest.data + i - 1);
			break;
		}
	if (version->upstream.size == 0)
		return version_refuse(problem, "upstream version is empty", text, rest.data);
	return true;
}

bool
dpkg_encode(ClairBytes text, unsigned char *key, size_t *key_size, VersionProblem *problem)
{
	unsigned char *at = key;
	DpkgVersion version;

	if (!split(text, &version, problem))
		return false;
	at = version_put_value(at, NUMBER_CODE, version.epoch);
	at = put_part(at, version.upstream);
	at = put_part(at, version.revision);
	*key_size = (size_t) (at - key);
	return true;
}
