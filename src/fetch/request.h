/*
 * request.h
 *    One HTTP request after another for a document, on one handle of libcurl; or one that posts.
 *
 * A transfer (transfer.c) makes one or more attempts, each of one request or, when it is
 * redirected, of several. What libcurl calls back while a request runs is in request.c.
 */
#ifndef CLAIR_FETCH_REQUEST_H
#define CLAIR_FETCH_REQUEST_H

#include <curl/curl.h>
#include <netinet/in.h>

#include "common/arena.h"
#include "common/wire.h"
#include "fetch/options.h"

#define REQUEST_MAX_VALIDATOR 1024 /* bytes of an ETag or Last-Modified that is kept */
#define REQUEST_MAX_ANSWER	  1024 /* bytes of the answer to what is posted that are kept */

typedef struct Request
{
	/* Given, for all requests. */
	Arena *arena;
	const FetchOptions *options;
	ClairBytes old_etag; /* of what the server has already; or no value */
	ClairBytes old_last_modified;
	const char *const *own_headers; /* lines that only the origin of the first URL gets */
	size_t own_header_count;
	int64_t max_size;
	int descriptor;			/* -1 when posting */
	ClairBytes body;		/* to post; or no value */
	int64_t timeout;		/* seconds of the whole of that */
	ClairBytes certificate; /* the client's own, PEM; or no value */
	ClairBytes key;			/* its key, PEM; or no value: it is beside the certificate */
	void *owner;			/* CURLINFO_PRIVATE */

	/* The handle of this attempt. */
	CURL *easy;
	struct curl_slist *headers;

	/* What is asked. */
	const char *url;
	const char *host;
	const char *port;
	bool secure;	  /* https */
	bool left_origin; /* a redirect has led to another origin than that of the first URL */

	/* What has come. */
	bool has_headers; /* all of them, up to the empty line */
	int64_t received; /* bytes of the body, decoded */
	int64_t written;  /* to the descriptor */
	char etag[REQUEST_MAX_VALIDATOR + 1];
	char last_modified[REQUEST_MAX_VALIDATOR + 1];
	char answer[REQUEST_MAX_ANSWER];
	size_t answer_size;

	/* What went wrong. */
	char refused_address[INET6_ADDRSTRLEN];
	const char *refused_kind; /* NULL when no address was refused */
	char words[CURL_ERROR_SIZE];
	ClairError failure; /* CLAIR_OK when it was nothing of ours */
} Request;

/* Whether a value may stand in a header line, and is short enough to be kept. */
extern bool request_is_header_value(ClairBytes value);

/*
 * Takes header lines for the origin of the first URL, each "name: value" and a line feed. Says
 * whether that is what the text has; it is secret, and no error tells of it.
 */
extern bool request_take_headers(Request *request, ClairBytes text);

/*
 * Makes text the URL to ask, when it is one and its scheme is allowed. False, with the failure
 * filled, when it is not.
 */
extern bool request_take_url(Request *request, const char *text);

/* Whether it posts. */
static inline bool
request_posts(const Request *request)
{
	return request->body.data != NULL;
}

/* Prepares a handle for an attempt: empties the file, sets everything but URL and headers. */
extern ClairStatus request_prepare(Request *request, ClairError *error);

/* Asks the URL. */
extern ClairStatus request_send(Request *request, CURLM *multi, ClairError *error);

/*
 * Whether what libcurl ended with this result has an answer to be judged: also when it was cut,
 * for of an answer to what was posted nothing but its beginning matters.
 */
extern bool request_is_answered(const Request *request, CURLcode result);

/* Frees the handle, which must not be in use any more. */
extern void request_end(Request *request);

/* Fills the failure: the host sends more than max_size bytes. */
extern void request_fail_with_size(Request *request);

#endif
