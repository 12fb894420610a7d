/*
 * request.c
 *    One HTTP request after another, on one handle of libcurl; see request.h.
 *
 * The addresses that a name has are checked when the socket is opened, so that a name server
 * which changes its mind gains nothing. A proxy's address is the administrator's choice; through
 * a proxy, addresses are the proxy's business.
 *
 * Header lines that come with the job may hold what only the asked server may know. Another
 * origin (scheme, host and port) does not get them, nor the first one again once another has
 * said which of its URLs to ask. What is posted goes to one URL only.
 */
#include "fetch/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/text.h"
#include "fetch/address.h"

#define MAX_URL		   8192
#define RECEIVE_BUFFER (256L * 1024)

/* Fewer bytes per second than this, for stall_timeout seconds, are a stalled transfer. */
#define STALLED_SPEED 512L

/* Whether the bytes may stand in a header line. */
static bool
has_no_control(ClairBytes text)
{
	for (size_t i = 0; i < text.size; i++)
	{
		if ((unsigned char) text.data[i] < ' ' || text.data[i] == 0x7F)
			return false;
	}
	return true;
}

bool
request_is_header_value(ClairBytes value)
{
	return text_is_valid(value) && value.size <= REQUEST_MAX_VALIDATOR && has_no_control(value);
}

/* A line as libcurl wants it: a header without a value ends with a semicolon. */
static const char *
own_header(Request *request, ClairBytes line)
{
	const char *colon = memchr(line.data, ':', line.size);
	ClairBytes name = {line.data, colon != NULL ? (size_t) (colon - line.data) : 0};
	ClairBytes value = text_trim(clair_bytes_skip(line, name.size + (colon != NULL ? 1 : 0)));

	if (name.size == 0 || !has_no_control(line) || memchr(name.data, ' ', name.size) != NULL ||
		memchr(name.data, ';', name.size) != NULL)
		return NULL;
	return arena_printf(request->arena, "%.*s%s%.*s", (int) name.size, name.data,
						value.size > 0 ? ": " : ";", (int) value.size,
						value.size > 0 ? value.data : "")
		.data;
}

bool
request_take_headers(Request *request, ClairBytes text)
{
	const char **lines = NULL;
	size_t capacity = 0;

	if (text.size > WIRE_MAX_HEADERS || (text.data != NULL && !text_is_valid(text)))
		return false;
	while (text.size > 0)
	{
		const char *end = memchr(text.data, '\n', text.size);
		ClairBytes line = {text.data, end != NULL ? (size_t) (end - text.data) : 0};

		lines = arena_grow_array(request->arena, lines, request->own_header_count + 1, &capacity,
								 sizeof(const char *));
		if (lines == NULL || (lines[request->own_header_count] = own_header(request, line)) == NULL)
			return false;
		request->own_header_count++;
		text = clair_bytes_skip(text, line.size + 1);
	}
	request->own_headers = lines;
	return true;
}

/*
 * Notes whether the headers are complete: those of an interim answer, or of a proxy's, are followed
 * by others. For libcurl, an answer that ends within them is whole, and its body empty.
 */
static void
note_header(Request *request, ClairBytes line)
{
	if (line.size > 5 && memcmp(line.data, "HTTP/", 5) == 0)
		request->has_headers = false;
	else if (text_trim(line).size == 0)
		request->has_headers = true;
}

/* libcurl's callback: one line of the answer's header. */
static size_t
receive_header(char *data, size_t size, size_t count, void *context)
{
	static const ClairBytes etag = CLAIR_LITERAL("etag:");
	static const ClairBytes last_modified = CLAIR_LITERAL("last-modified:");
	Request *request = context;
	ClairBytes line = {data, size * count};
	char *target = NULL;
	size_t skipped = 0;

	note_header(request, line);
	if (line.size >= etag.size && text_equal_ignoring_case((ClairBytes){data, etag.size}, etag))
	{
		target = request->etag;
		skipped = etag.size;
	}
	else if (line.size >= last_modified.size &&
			 text_equal_ignoring_case((ClairBytes){data, last_modified.size}, last_modified))
	{
		target = request->last_modified;
		skipped = last_modified.size;
	}
	if (target != NULL)
	{
		ClairBytes value = text_trim(clair_bytes_skip(line, skipped));

		if (request_is_header_value(value))
			snprintf(target, REQUEST_MAX_VALIDATOR + 1, "%.*s", (int) value.size, value.data);
	}
	return line.size;
}

/* Writes to the file, behind what is there. */
static bool
write_body(Request *request, const char *data, size_t size)
{
	while (size > 0)
	{
		ssize_t done = pwrite(request->descriptor, data, size, request->written);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
		{
			int reason = done < 0 ? errno : ENOSPC;

			clair_error(&request->failure, CLAIR_IO, "could not write what was received: %s",
						strerror(reason));
			if (reason == ENOSPC || reason == EDQUOT)
				clair_error_hint(&request->failure, "Make room where the server's temporary files "
													"are, in base/pgsql_tmp of its data.");
			return false;
		}
		request->written += done;
		data += done;
		size -= (size_t) done;
	}
	return true;
}

void
request_fail_with_size(Request *request)
{
	clair_error(&request->failure, CLAIR_LIMIT,
				"host \"%s\" sends more than the limit of %lld bytes", request->host,
				(long long) request->max_size);
}

/* Keeps the beginning of the answer to what was posted; ends one that goes on too long. */
static size_t
keep_answer(Request *request, const char *data, size_t size)
{
	size_t room = sizeof(request->answer) - request->answer_size;
	size_t kept = size < room ? size : room;

	memcpy(request->answer + request->answer_size, data, kept);
	request->answer_size += kept;
	request->received += (int64_t) size;
	return request->received <= request->max_size ? size : 0;
}

bool
request_is_answered(const Request *request, CURLcode result)
{
	return (result == CURLE_OK && request->has_headers) ||
		   (result == CURLE_WRITE_ERROR && request_posts(request) &&
			request->received > request->max_size);
}

/* libcurl's callback: a piece of the body, decoded. Anything but its size ends the attempt. */
static size_t
receive_body(char *data, size_t size, size_t count, void *context)
{
	Request *request = context;
	long status = 0;

	size *= count;
	if (request_posts(request))
		return keep_answer(request, data, size);
	if ((int64_t) size > request->max_size - request->received)
	{
		request_fail_with_size(request);
		return 0;
	}
	request->received += (int64_t) size;
	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	FAULT_POINT("fetch-receives");
	/* The words of errors and redirects are nobody's document. */
	if (status == 200 && !write_body(request, data, size))
		return 0;
	return size;
}

/* libcurl's callback: the socket to an address, unless that lies within the own network. */
static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	Request *request = context;
	const char *kind = address_problem(&address->addr);
	const void *bytes = address->family == AF_INET6
							? (const void *) &((struct sockaddr_in6 *) &address->addr)->sin6_addr
							: (const void *) &((struct sockaddr_in *) &address->addr)->sin_addr;

	FAULT_POINT("fetch-connects");
	(void) purpose;
	if (kind != NULL && !request->options->allow_private_networks &&
		request->options->proxy[0] == '\0')
	{
		request->refused_kind = kind;
		if (inet_ntop(address->family, bytes, request->refused_address,
					  sizeof(request->refused_address)) == NULL)
			request->refused_address[0] = '\0';
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Adds a line to the request's header. */
static bool
add_header(Request *request, const char *line)
{
	struct curl_slist *longer = curl_slist_append(request->headers, line);

	if (longer == NULL)
		return false;
	request->headers = longer;
	return true;
}

/* The same of "name: value"; true also when there is no value to add. */
static bool
add_validator(Request *request, const char *name, ClairBytes value)
{
	char line[REQUEST_MAX_VALIDATOR + 64];

	if (value.data == NULL)
		return true;
	snprintf(line, sizeof(line), "%s: %s", name, value.data);
	return add_header(request, line);
}

/* Makes the header lines of the next request. */
static bool
set_headers(Request *request)
{
	bool done;

	curl_slist_free_all(request->headers);
	request->headers = NULL;
	done = add_validator(request, "If-None-Match", request->old_etag) &&
		   add_validator(request, "If-Modified-Since", request->old_last_modified);
	/* A server that is asked whether it wants the body may be a second late to say so. */
	if (request_posts(request))
		done = done && add_header(request, "Expect:");
	for (size_t i = 0; i < request->own_header_count && !request->left_origin && done; i++)
		done = add_header(request, request->own_headers[i]);
	return done &&
		   curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers) == CURLE_OK;
}

#define SET(option, value) (done = curl_easy_setopt(easy, option, value) == CURLE_OK && done)

/*
 * Shows a certificate to servers that ask for one. It comes as bytes, for files cannot be opened
 * any more. A libcurl before 7.71 has only names of files, and shows none: the server says what it
 * wants.
 */
static bool
set_certificate(const Request *request)
{
	bool done = true;
#if LIBCURL_VERSION_NUM >= 0x074700
	CURL *easy = request->easy;
	ClairBytes key = request->key.data != NULL ? request->key : request->certificate;
	struct curl_blob pem = {.data = (void *) request->certificate.data,
							.len = request->certificate.size,
							.flags = CURL_BLOB_NOCOPY};

	SET(CURLOPT_SSLCERT_BLOB, &pem);
	pem.data = (void *) key.data;
	pem.len = key.size;
	SET(CURLOPT_SSLKEY_BLOB, &pem);
	SET(CURLOPT_KEYPASSWD, ""); /* nobody is to be asked for one */
#else
	(void) request;
#endif
	return done;
}

/* What is posted, and who posts it. */
static bool
set_post_options(Request *request)
{
	CURL *easy = request->easy;
	bool done = true;

	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body.size);
	SET(CURLOPT_POSTFIELDS, request->body.data);
	SET(CURLOPT_TIMEOUT_MS, (long) request->timeout * 1000);
	return done && (request->certificate.data == NULL || set_certificate(request));
}

/* How long a document may take, and how large it may be. */
static bool
set_document_options(Request *request)
{
	CURL *easy = request->easy;
	bool done = true;

	SET(CURLOPT_LOW_SPEED_LIMIT, STALLED_SPEED);
	SET(CURLOPT_LOW_SPEED_TIME, (long) request->options->stall_timeout);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) request->max_size);
	return done;
}

/* Prepares the handle: what is the same for every URL. */
static bool
set_options(Request *request)
{
	const FetchOptions *options = request->options;
	CURL *easy = request->easy;
	bool done = true;

	SET(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET(CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_PROXY, options->proxy);
	SET(CURLOPT_NOPROXY, "");
	if (options->ca_file != NULL)
		SET(CURLOPT_CAINFO, options->ca_file);
	if (options->user_agent != NULL)
		SET(CURLOPT_USERAGENT, options->user_agent);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long) options->connect_timeout * 1000);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
	if (options->decode)
		SET(CURLOPT_ACCEPT_ENCODING, "");				/* all that libcurl can decode */
	SET(CURLOPT_HEADEROPT, (long) CURLHEADER_SEPARATE); /* none for a proxy */
	SET(CURLOPT_HEADERFUNCTION, receive_header);
	SET(CURLOPT_HEADERDATA, request);
	SET(CURLOPT_WRITEFUNCTION, receive_body);
	SET(CURLOPT_WRITEDATA, request);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, request);
	SET(CURLOPT_ERRORBUFFER, request->words);
	SET(CURLOPT_PRIVATE, request->owner);
	return done &&
		   (request_posts(request) ? set_post_options(request) : set_document_options(request));
}

/* Copies a part of a parsed URL into the arena; NULL when it has none. */
static const char *
url_part(Request *request, CURLU *url, CURLUPart part)
{
	char *text = NULL;
	const char *copy = NULL;

	if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK)
		copy = arena_copy(request->arena, clair_bytes(text)).data;
	curl_free(text);
	return copy;
}

bool
request_take_url(Request *request, const char *text)
{
	CURLU *url = curl_url();
	ClairBytes copy = CLAIR_NULL_BYTES;
	const char *scheme = NULL;
	const char *host = NULL;
	const char *port = NULL;

	if (url != NULL && strlen(text) <= MAX_URL && text_is_valid(clair_bytes(text)) &&
		curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
	{
		copy = arena_copy(request->arena, clair_bytes(text));
		scheme = url_part(request, url, CURLUPART_SCHEME);
		host = url_part(request, url, CURLUPART_HOST);
		port = url_part(request, url, CURLUPART_PORT);
	}
	curl_url_cleanup(url);
	if (scheme == NULL || copy.data == NULL)
	{
		clair_error(&request->failure, CLAIR_INVALID, "invalid URL \"%.256s\"", text);
		return false;
	}
	if (host == NULL || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
	{
		clair_error(&request->failure, CLAIR_INVALID, "URL \"%.256s\" is neither http nor https",
					text);
		return false;
	}
	request->url = copy.data;
	request->host = host;
	request->port = port;
	request->secure = strcmp(scheme, "https") == 0;
	return true;
}

ClairStatus
request_prepare(Request *request, ClairError *error)
{
	request->written = 0;
	if (!request_posts(request) && ftruncate(request->descriptor, 0) != 0)
		return clair_error(error, CLAIR_IO, "could not empty the file of a transfer: %s",
						   strerror(errno));
	request->easy = curl_easy_init();
	if (request->easy == NULL || !set_options(request))
		return clair_error(error, CLAIR_IO, "could not prepare a transfer with libcurl %s",
						   curl_version_info(CURLVERSION_NOW)->version);
	return CLAIR_OK;
}

ClairStatus
request_send(Request *request, CURLM *multi, ClairError *error)
{
	request->received = 0;
	request->has_headers = false;
	request->answer_size = 0;
	request->etag[0] = '\0';
	request->last_modified[0] = '\0';
	request->refused_kind = NULL;
	request->words[0] = '\0';
	if (!set_headers(request) ||
		curl_easy_setopt(request->easy, CURLOPT_URL, request->url) != CURLE_OK ||
		curl_multi_add_handle(multi, request->easy) != CURLM_OK)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	return CLAIR_OK;
}

void
request_end(Request *request)
{
	if (request->easy != NULL)
		curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->headers);
	request->easy = NULL;
	request->headers = NULL;
}
