/*
 * purl.c
 *    Parts of package URLs: clair.purl_part().
 *
 * What a package URL may not have as it is is written as bytes in hexadecimal: everything but
 * letters and digits of ASCII and ".", "_", "~", ":", "-". Called for each package of an image.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "server/compat.h"

PG_FUNCTION_INFO_V1(purl_part);

static bool
IsPlain(unsigned char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
		   (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '~' ||
		   byte == ':' || byte == '-';
}

Datum
purl_part(PG_FUNCTION_ARGS)
{
	static const char digits[] = "0123456789ABCDEF";
	text *part = PG_GETARG_TEXT_PP(0);
	const unsigned char *bytes = (const unsigned char *) VARDATA_ANY(part);
	size_t size = VARSIZE_ANY_EXHDR(part);
	size_t escaped = 0;
	text *written;
	char *end;

	for (size_t i = 0; i < size; i++)
		if (!IsPlain(bytes[i]))
			escaped++;
	if (escaped == 0)
		PG_RETURN_TEXT_P(part);
	written = palloc(VARHDRSZ + size + 2 * escaped);
	SET_VARSIZE(written, VARHDRSZ + size + 2 * escaped);
	end = VARDATA(written);
	for (size_t i = 0; i < size; i++)
	{
		if (IsPlain(bytes[i]))
			*end++ = bytes[i];
		else
		{
			*end++ = '%';
			*end++ = digits[bytes[i] >> 4];
			*end++ = digits[bytes[i] & 0x0F];
		}
	}
	PG_RETURN_TEXT_P(written);
}
