/*
 * apk.c
 *    Version keys of Alpine packages: digits{.digits}[letter]{_suffix[digits]}[~hash][-rdigits].
 *
 * The order is that of apk-tools 3. Versions are compared token by token; where the kinds of
 * tokens differ, a pre-release suffix sorts below everything, then come the end, -r, ~hash, a
 * suffix' number, the other suffixes, the letter, and a further component highest. A component
 * with a leading zero, but for the first, sorts as a string below all others. Numbers wrap
 * modulo 2^64, as they do in apk.
 */
#include "version/version_format.h"

/* What the bytes of a key mean; numbers without a code of their own begin with 0x20. */
#define END				0x06
#define REVISION		0x07 /* and a number */
#define HASH			0x08 /* and the hash; all that may follow it is lower than its digits */
#define SUFFIX_NUMBER	0x09 /* and a number */
#define LETTER			0x0F /* and the letter */
#define ZERO_COMPONENT	0x10 /* the component "0" */
#define ZEROS_COMPONENT 0x11 /* and the digits after the first zero, and NUL */
#define APK_NUMBER_CODE ((NumberCode){0x20, 96})

static const struct
{
	const char *name;
	unsigned char code;
} suffixes[] = {
	{"alpha", 0x01}, {"beta", 0x02}, {"pre", 0x03}, {"rc", 0x04}, {"cvs", 0x0A},
	{"svn", 0x0B},	 {"git", 0x0C},	 {"hg", 0x0D},	{"p", 0x0E},
};

/* The kinds of tokens, in the order in which they may follow each other. */
typedef enum Token
{
	TOKEN_COMPONENT,
	TOKEN_LETTER,
	TOKEN_SUFFIX,
	TOKEN_SUFFIX_NUMBER,
	TOKEN_HASH,
	TOKEN_REVISION
} Token;

typedef struct Encoder
{
	ClairBytes text;
	ClairBytes rest;
	unsigned char *at;
	Token last; /* what has been read */
	VersionProblem *problem;
} Encoder;

static bool
refuse(const Encoder *encoder, const char *reason)
{
	return version_refuse(encoder->problem, reason, encoder->text, encoder->rest.data);
}

static unsigned char *
put_wrapping(unsigned char *at, ClairBytes digits)
{
	uint64_t value = 0;

	for (size_t i = 0; i < digits.size; i++)
		value = value * 10 + (uint64_t) (digits.data[i] - '0');
	return version_put_value(at, APK_NUMBER_CODE, value);
}

/* Digits, after a code of their own unless it is 0. */
static bool
take_number(Encoder *encoder, unsigned char code)
{
	ClairBytes digits = version_take_digits(&encoder->rest);

	if (digits.size == 0)
		return refuse(encoder, "digit expected");
	if (code != 0)
		*encoder->at++ = code;
	encoder->at = put_wrapping(encoder->at, digits);
	return true;
}

/* Notes what the next token is, and takes what shows it off the rest. */
static void
begin_token(Encoder *encoder, Token token, size_t size)
{
	encoder->last = token;
	encoder->rest = clair_bytes_skip(encoder->rest, size);
}

/* A dot and digits. */
static bool
take_component(Encoder *encoder)
{
	ClairBytes digits;

	begin_token(encoder, TOKEN_COMPONENT, 1);
	if (encoder->rest.size == 0 || encoder->rest.data[0] != '0')
		return take_number(encoder, 0);
	digits = version_take_digits(&encoder->rest);
	if (digits.size == 1)
	{
		*encoder->at++ = ZERO_COMPONENT;
		return true;
	}
	*encoder->at++ = ZEROS_COMPONENT;
	memcpy(encoder->at, digits.data + 1, digits.size - 1);
	encoder->at += digits.size - 1;
	*encoder->at++ = '\0';
	return true;
}

static bool
take_letter(Encoder *encoder)
{
	*encoder->at++ = LETTER;
	*encoder->at++ = (unsigned char) encoder->rest.data[0];
	begin_token(encoder, TOKEN_LETTER, 1);
	return true;
}

/* An underscore and one of the known names. */
static bool
take_suffix(Encoder *encoder)
{
	ClairBytes name;

	begin_token(encoder, TOKEN_SUFFIX, 1);
	name = (ClairBytes){encoder->rest.data, 0};
	while (name.size < encoder->rest.size && version_is_lower(name.data[name.size]))
		name.size++;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (clair_bytes_equal(name, clair_bytes(suffixes[i].name)))
		{
			*encoder->at++ = suffixes[i].code;
			encoder->rest = clair_bytes_skip(encoder->rest, name.size);
			return true;
		}
	return refuse(encoder, "unknown suffix");
}

static bool
take_suffix_number(Encoder *encoder)
{
	begin_token(encoder, TOKEN_SUFFIX_NUMBER, 0);
	return take_number(encoder, SUFFIX_NUMBER);
}

/* A tilde and hexadecimal digits. */
static bool
take_hash(Encoder *encoder)
{
	size_t size = 0;

	begin_token(encoder, TOKEN_HASH, 1);
	*encoder->at++ = HASH;
	while (size < encoder->rest.size &&
		   (version_is_digit(encoder->rest.data[size]) ||
			(encoder->rest.data[size] >= 'a' && encoder->rest.data[size] <= 'f')))
		*encoder->at++ = (unsigned char) encoder->rest.data[size++];
	if (size == 0)
		return refuse(encoder, "hexadecimal digit expected");
	encoder->rest = clair_bytes_skip(encoder->rest, size);
	return true;
}

/* A hyphen, an "r" and digits. */
static bool
take_revision(Encoder *encoder)
{
	begin_token(encoder, TOKEN_REVISION, 1);
	if (encoder->rest.size == 0 || encoder->rest.data[0] != 'r')
		return refuse(encoder, "\"r\" expected");
	encoder->rest = clair_bytes_skip(encoder->rest, 1);
	return take_number(encoder, REVISION);
}

/* Takes the next token off the rest, which is not empty, and writes its code. */
static bool
take_token(Encoder *encoder)
{
	char byte = encoder->rest.data[0];
	Token last = encoder->last;

	if (byte == '.' && last == TOKEN_COMPONENT)
		return take_component(encoder);
	if (version_is_lower(byte) && last == TOKEN_COMPONENT)
		return take_letter(encoder);
	if (byte == '_' && last <= TOKEN_SUFFIX_NUMBER)
		return take_suffix(encoder);
	if (version_is_digit(byte) && last == TOKEN_SUFFIX)
		return take_suffix_number(encoder);
	if (byte == '~' && last < TOKEN_HASH)
		return take_hash(encoder);
	if (byte == '-' && last < TOKEN_REVISION)
		return take_revision(encoder);
	return refuse(encoder, "unexpected character");
}

bool
apk_encode(ClairBytes text, unsigned char *key, size_t *key_size, VersionProblem *problem)
{
	Encoder encoder = {text, text, key, TOKEN_COMPONENT, problem};

	if (!take_number(&encoder, 0))
		return false;
	while (encoder.rest.size > 0)
		if (!take_token(&encoder))
			return false;
	*encoder.at++ = END;
	*key_size = (size_t) (encoder.at - key);
	return true;
}
