/*
 * version_key.c
 *    The registry of version formats, and the code for numbers that they share.
 *
 * A number's code sorts as the number does: the first byte says how long the rest is, longer
 * numbers have higher first bytes, and the rest is big-endian. Numbers below "small" are the
 * first byte alone, the next 4096 take two bytes. Numbers of 20 digits and more, which need not
 * fit into 64 bits, are the count of their digits and the digits, two in a byte.
 */
#include "version/version_format.h"

#define PAIRED_FIRST_BYTES 16 /* of two-byte codes */
#define PAIRED_VALUES	   (PAIRED_FIRST_BYTES * 256)
#define MIN_VALUE_BYTES	   2
#define MAX_VALUE_BYTES	   8
#define MAX_VALUE_DIGITS   19 /* always fit into 64 bits; 20 digits do not */

typedef struct Format
{
	VersionFormat format;
	const char *name;
	VersionEncoder *encode;
} Format;

static const Format formats[] = {
#define X(value, name) {value, #name, name##_encode},
	VERSION_FORMATS(X)
#undef X
};

#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

static const Format *
find_format(int format)
{
	for (size_t i = 0; i < FORMAT_COUNT; i++)
		if ((int) formats[i].format == format)
			return &formats[i];
	return NULL;
}

bool
version_format_by_name(ClairBytes name, VersionFormat *format)
{
	for (size_t i = 0; i < FORMAT_COUNT; i++)
		if (clair_bytes_equal(name, clair_bytes(formats[i].name)))
		{
			*format = formats[i].format;
			return true;
		}
	return false;
}

const char *
version_format_name(int format)
{
	const Format *found = find_format(format);

	return found != NULL ? found->name : NULL;
}

bool
version_encode(VersionFormat format, ClairBytes text, unsigned char *key, size_t *key_size,
			   VersionProblem *problem)
{
	const Format *found = find_format(format);

	if (found == NULL)
		return version_refuse(problem, "version format is unknown", text, text.data);
	if (text.size == 0)
		return version_refuse(problem, "version is empty", text, text.data);
	if (text.size > VERSION_MAX_TEXT)
		return version_refuse(problem, "version is too long", text, text.data + VERSION_MAX_TEXT);
	return found->encode(text, key, key_size, problem);
}

bool
version_refuse(VersionProblem *problem, const char *reason, ClairBytes text, const char *at)
{
	problem->reason = reason;
	problem->position = text.size == 0 ? 0 : (size_t) (at - text.data);
	return false;
}

unsigned char *
version_put_value(unsigned char *at, NumberCode code, uint64_t value)
{
	unsigned int first = code.base + code.small;
	int count = MIN_VALUE_BYTES;

	if (value < code.small)
	{
		*at++ = (unsigned char) (code.base + value);
		return at;
	}
	if (value - code.small < PAIRED_VALUES)
	{
		value -= code.small;
		*at++ = (unsigned char) (first + (value >> 8));
		*at++ = (unsigned char) value;
		return at;
	}
	while (count < MAX_VALUE_BYTES && value >> (8 * count) != 0)
		count++;
	*at++ = (unsigned char) (first + PAIRED_FIRST_BYTES + count - MIN_VALUE_BYTES);
	while (count-- > 0)
		*at++ = (unsigned char) (value >> (8 * count));
	return at;
}

/* Digits without leading zeros, too many for a value. */
static unsigned char *
put_long_number(unsigned char *at, NumberCode code, ClairBytes digits)
{
	uint32_t count = (uint32_t) digits.size;

	*at++ = (unsigned char) (code.base + code.small + PAIRED_FIRST_BYTES + MAX_VALUE_BYTES -
							 MIN_VALUE_BYTES + 1);
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (unsigned char) (count >> shift);
	if (digits.size % 2 == 1)
	{
		*at++ = (unsigned char) (digits.data[0] - '0');
		digits = clair_bytes_skip(digits, 1);
	}
	for (size_t i = 0; i < digits.size; i += 2)
		*at++ = (unsigned char) ((digits.data[i] - '0') << 4 | (digits.data[i + 1] - '0'));
	return at;
}

unsigned char *
version_put_digits(unsigned char *at, NumberCode code, ClairBytes digits)
{
	uint64_t value = 0;

	while (digits.size > 0 && digits.data[0] == '0')
		digits = clair_bytes_skip(digits, 1);
	if (digits.size > MAX_VALUE_DIGITS)
		return put_long_number(at, code, digits);
	for (size_t i = 0; i < digits.size; i++)
		value = value * 10 + (uint64_t) (digits.data[i] - '0');
	return version_put_value(at, code, value);
}
