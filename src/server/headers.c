/*
 * headers.c
 *    Header lines of HTTP requests, as users give them; see headers.h.
 *
 * Names and values are those of RFC 9110: without control characters, so that no value can begin
 * another line. What says where a request ends, or what the connection is for, is not the user's.
 */
#include "postgres.h"

#include "common/wire.h"
#include "lib/stringinfo.h"

#include "server/compat.h"
#include "server/headers.h"

pg_noreturn static void
ReportForm(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("headers are not an object of strings and arrays of strings")));
}

static bool
IsReserved(const char *name)
{
	static const char *const reserved[] = {"connection", "content-length", "expect",
										   "host",		 "keep-alive",	   "te",
										   "trailer",	 "upgrade",		   "transfer-encoding"};

	for (size_t i = 0; i < lengthof(reserved); i++)
	{
		if (pg_strcasecmp(name, reserved[i]) == 0)
			return true;
	}
	return pg_strncasecmp(name, "proxy-", 6) == 0;
}

static void
CheckHeaderName(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
								  "!#$%&'*+-.^_`|~";

	if (name[0] == '\0' || strspn(name, letters) != strlen(name))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid name of a header: \"%s\"", name)));
	if (IsReserved(name))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("header \"%s\" cannot be set", name)));
}

static void
AddHeader(StringInfo lines, const char *name, const JsonbValue *value)
{
	if (value->type != jbvString)
		ReportForm();
	for (int i = 0; i < value->val.string.len; i++)
	{
		unsigned char byte = (unsigned char) value->val.string.val[i];

		if (byte < ' ' || byte == 0x7F)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("invalid value of header \"%s\"", name),
							errdetail("It has a control character.")));
	}
	appendStringInfo(lines, "%s: ", name);
	appendBinaryStringInfo(lines, value->val.string.val, value->val.string.len);
	appendStringInfoChar(lines, '\n');
	if (lines->len > WIRE_MAX_HEADERS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("headers have more than %d bytes", WIRE_MAX_HEADERS)));
}

/* Adds a line for each element of an array. */
static void
AddHeaders(StringInfo lines, const char *name, const JsonbValue *value)
{
	JsonbIterator *elements;
	JsonbIteratorToken token;
	JsonbValue element;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
	{
		AddHeader(lines, name, value);
		return;
	}
	elements = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&elements, &element, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			AddHeader(lines, name, &element);
	}
}

char *
FormatHeaders(Jsonb *headers)
{
	StringInfoData lines;
	JsonbIterator *members;
	JsonbIteratorToken token;
	JsonbValue member;
	char *name = NULL;

	if (!JB_ROOT_IS_OBJECT(headers))
		ReportForm();
	initStringInfo(&lines);
	members = JsonbIteratorInit(&headers->root);
	while ((token = JsonbIteratorNext(&members, &member, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			name = pnstrdup(member.val.string.val, member.val.string.len);
			CheckHeaderName(name);
		}
		else if (token == WJB_VALUE)
			AddHeaders(&lines, name, &member);
	}
	return lines.len > 0 ? lines.data : NULL;
}
