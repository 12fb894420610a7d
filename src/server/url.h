/*
 * url.h
 *    Where documents are: taking URLs apart, and resolving relative ones.
 *
 * As RFC 3986 has it, for the schemes http, https and file. Everything is in the current
 * memory context.
 */
#ifndef CLAIR_URL_H
#define CLAIR_URL_H

#include "postgres.h"

typedef struct Url
{
	const char *scheme;	   /* "http", "https" or "file" */
	const char *authority; /* [user@]host[:port], as written; "" of a file */
	const char *host;	   /* in lower case; "" of a file */
	const char *path;	   /* from "/" on, without "." and ".." */
	const char *query;	   /* from "?" on, or "" */
} Url;

/* False when the text is no absolute URL of a known scheme. A fragment is left out. */
extern bool ParseUrl(const char *text, Url *url);

/* What a reference, absolute or relative, means in a document that came from base. */
extern bool ResolveUrl(const Url *base, const char *reference, Url *url);

/* A URL as text again, palloc'ed. */
extern char *FormatUrl(const Url *url);

/* The same for whoever reads an error: without what may be secret, user and query. */
extern char *ShowUrl(const Url *url);
extern bool UrlIsFile(const Url *url);

/* The path of a file: URL with its escapes resolved; NULL when it cannot be one. */
extern char *UrlFilePath(const Url *url);

#endif
