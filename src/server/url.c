/*
 * url.c
 *    Where documents are: taking URLs apart, and resolving relative ones; see url.h.
 */
#include "postgres.h"

#include <ctype.h>

#include "server/url.h"

#define MAX_URL 4096

/* Whether all bytes are ones that a URL may have; libcurl is stricter, and asked again later. */
static bool
HasUrlBytesOnly(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if ((unsigned char) text[i] <= ' ' || text[i] == 0x7F || text[i] == '\\')
			return false;
	return length > 0 && length <= MAX_URL;
}

/* The length of the scheme that text begins with, without the ":"; 0 when there is none. */
static size_t
SchemeLength(const char *text)
{
	size_t length = 0;

	if (!isalpha((unsigned char) text[0]))
		return 0;
	while (isalnum((unsigned char) text[length]) ||
		   (text[length] != '\0' && strchr("+-.", text[length])))
		length++;
	return text[length] == ':' ? length : 0;
}

static char *
LowerCase(const char *text, size_t length)
{
	char *lower = pnstrdup(text, length);

	for (size_t i = 0; i < length; i++)
		lower[i] = pg_ascii_tolower((unsigned char) lower[i]);
	return lower;
}

/* The host of an authority, [user@]host[:port]; NULL when there is none. */
static char *
TakeHost(const char *authority)
{
	const char *host = strrchr(authority, '@');
	const char *end;

	host = host != NULL ? host + 1 : authority;
	end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");
	if (end == NULL || end == host)
		return NULL;
	if (*end == ']')
		end++;
	return *end == '\0' || *end == ':' ? LowerCase(host, end - host) : NULL;
}

/* An absolute path without its "." and ".." segments: what would leave the root stays in it. */
static char *
RemoveDots(const char *path)
{
	char *result = palloc(strlen(path) + 2);
	size_t size = 0;

	while (*path == '/')
	{
		size_t length = strcspn(path + 1, "/");
		const char *segment = path + 1;
		bool up = length == 2 && segment[0] == '.' && segment[1] == '.';
		bool last = segment[length] == '\0';

		path = segment + length;
		if (!up && !(length == 1 && segment[0] == '.'))
		{
			result[size++] = '/';
			memcpy(result + size, segment, length);
			size += length;
			continue;
		}
		while (up && size > 0 && result[--size] != '/')
			;
		if (last)
			result[size++] = '/';
	}
	if (size == 0)
		result[size++] = '/';
	result[size] = '\0';
	return result;
}

/* Takes what follows the authority apart. */
static void
TakePath(const char *text, Url *url)
{
	size_t path = strcspn(text, "?#");
	size_t query = strcspn(text + path, "#");

	url->path = RemoveDots(path > 0 ? pnstrdup(text, path) : "/");
	url->query = pnstrdup(text + path, query);
}

bool
ParseUrl(const char *text, Url *url)
{
	size_t scheme = SchemeLength(text);
	size_t authority;
	const char *rest;

	if (scheme == 0 || !HasUrlBytesOnly(text))
		return false;
	url->scheme = LowerCase(text, scheme);
	rest = text + scheme + 1;
	if (strncmp(rest, "//", 2) == 0)
	{
		authority = strcspn(rest + 2, "/?#");
		url->authority = pnstrdup(rest + 2, authority);
		rest += 2 + authority;
	}
	else if (rest[0] == '/')
		url->authority = "";
	else
		return false;
	TakePath(rest, url);
	if (UrlIsFile(url))
	{
		url->host = "";
		if (strcmp(url->authority, "localhost") == 0)
			url->authority = "";
		return url->authority[0] == '\0' && rest[0] == '/';
	}
	if (strcmp(url->scheme, "http") != 0 && strcmp(url->scheme, "https") != 0)
		return false;
	url->host = TakeHost(url->authority);
	return url->host != NULL;
}

bool
ResolveUrl(const Url *base, const char *reference, Url *url)
{
	const char *slash = strrchr(base->path, '/');

	if (SchemeLength(reference) > 0)
		return ParseUrl(reference, url);
	if (!HasUrlBytesOnly(reference))
		return false;
	if (strncmp(reference, "//", 2) == 0)
		return ParseUrl(psprintf("%s:%s", base->scheme, reference), url);
	*url = *base;
	if (reference[0] == '/')
		TakePath(reference, url);
	else if (reference[0] == '?' || reference[0] == '#')
		TakePath(psprintf("%s%s", base->path, reference), url);
	else
		TakePath(psprintf("%.*s/%s", (int) (slash - base->path), base->path, reference), url);
	return true;
}

char *
FormatUrl(const Url *url)
{
	return psprintf("%s://%s%s%s", url->scheme, url->authority, url->path, url->query);
}

char *
ShowUrl(const Url *url)
{
	const char *user = strrchr(url->authority, '@');

	return psprintf("%s://%s%s", url->scheme, user != NULL ? user + 1 : url->authority, url->path);
}

bool
UrlIsFile(const Url *url)
{
	return strcmp(url->scheme, "file") == 0;
}

static int
HexDigit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

char *
UrlFilePath(const Url *url)
{
	size_t length = strlen(url->path);
	char *path = palloc(length + 1);
	size_t size = 0;

	if (url->query[0] != '\0')
		return NULL;
	for (size_t i = 0; i < length; i++)
	{
		int high = url->path[i] == '%' && i + 2 < length ? HexDigit(url->path[i + 1]) : -1;
		int low = high >= 0 ? HexDigit(url->path[i + 2]) : -1;

		path[size] = url->path[i];
		if (url->path[i] == '%')
		{
			if (low < 0 || (high == 0 && low == 0))
				return NULL;
			path[size] = (char) (high * 16 + low);
			i += 2;
		}
		size++;
	}
	path[size] = '\0';
	/* An escaped slash or dot must not make another path of it than the URL had. */
	return strcmp(RemoveDots(path), path) == 0 ? path : NULL;
}
