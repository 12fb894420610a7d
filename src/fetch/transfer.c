/*
 * transfer.c
 *    One document from a URL to a descriptor, or one text to a URL; see transfer.h.
 *
 * Redirects are not left to libcurl: each target's scheme and host are checked before its name
 * is even looked up. Another attempt is made where it may end better: after troubles of networks
 * and of overloaded servers. What is posted gets one attempt, and goes nowhere but to its URL: the
 * server remembers what is to be tried again, and when.
 */
#include "fetch/transfer.h"

#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/text.h"
#include "fetch/request.h"

#define TRANSFER_MEMORY ((size_t) 4 << 20) /* holds the URL of every redirect of every attempt */

#define FIRST_DELAY		500	  /* ms before the second attempt; doubled for each further one */
#define MAX_DELAY		30000 /* ms */
#define MAX_RETRY_AFTER 60	  /* seconds, whatever the server asks for */
#define MAX_TIMEOUT		86400 /* seconds */

struct Transfer
{
	Arena *arena; /* holds the transfer itself */
	const FetchOptions *options;
	int64_t number;
	const char *url;  /* that was asked for */
	const char *host; /* of that */
	const char *port; /* of that */
	bool secure;	  /* whether that is https */
	TransferState state;
	int64_t due;
	int64_t attempts;  /* that have been made */
	int64_t redirects; /* of the current attempt */
	long status;	   /* of the HTTP answer; 0 when there was none */
	curl_off_t wait;   /* seconds for which the answer asks */
	Request request;   /* its failure is the transfer's */
};

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

static void
close_descriptor(int descriptor)
{
	if (descriptor >= 0)
		close(descriptor);
}

/* Keeps a validator that came with the job, unless no header could say it. */
static ClairBytes
keep_validator(Arena *arena, ClairBytes value)
{
	return value.size > 0 && request_is_header_value(value) ? arena_copy(arena, value)
															: CLAIR_NULL_BYTES;
}

/* Copies an optional certificate or key. */
static bool
keep_pem(Arena *arena, ClairBytes pem, ClairBytes *copy)
{
	*copy = CLAIR_NULL_BYTES;
	if (pem.data == NULL)
		return true;
	if (pem.size <= WIRE_MAX_PEM)
		*copy = arena_copy(arena, pem);
	return copy->data != NULL;
}

/* Takes the fields about posting. */
static bool
take_body(Request *request, const ClairBytes *fields)
{
	ClairBytes body = fields[WIRE_TRANSFER_BODY];

	if (body.data == NULL)
		return true;
	request->body = arena_copy(request->arena, body);
	return body.size <= WIRE_MAX_BODY && text_is_valid(body) && request->body.data != NULL &&
		   wire_integer(fields[WIRE_TRANSFER_TIMEOUT], &request->timeout) && request->timeout > 0 &&
		   request->timeout <= MAX_TIMEOUT &&
		   keep_pem(request->arena, fields[WIRE_TRANSFER_CERTIFICATE], &request->certificate) &&
		   keep_pem(request->arena, fields[WIRE_TRANSFER_KEY], &request->key);
}

/* Whether the descriptor is what the transfer needs. */
static ClairStatus
check_descriptor(const Request *request, ClairError *error)
{
	struct stat file;

	if ((request->descriptor < 0) != request_posts(request))
		return clair_error(error, CLAIR_PROTOCOL, "the server sent a malformed transfer");
	if (request->descriptor >= 0 &&
		(fstat(request->descriptor, &file) != 0 || !S_ISREG(file.st_mode)))
		return clair_error(error, CLAIR_PROTOCOL, "a transfer does not go to a regular file");
	return CLAIR_OK;
}

ClairStatus
transfer_create(const ClairBytes *fields, int descriptor, const FetchOptions *options,
				Transfer **transfer, ClairError *error)
{
	Arena *arena = arena_create(TRANSFER_MEMORY);
	Transfer *created = arena != NULL ? arena_alloc(arena, sizeof(Transfer)) : NULL;

	if (created == NULL)
	{
		arena_destroy(arena);
		close_descriptor(descriptor);
		return out_of_memory(error);
	}
	*transfer = created;
	created->arena = arena;
	created->options = options;
	created->request = (Request){
		.arena = arena,
		.options = options,
		.old_etag = keep_validator(arena, fields[WIRE_TRANSFER_ETAG]),
		.old_last_modified = keep_validator(arena, fields[WIRE_TRANSFER_LAST_MODIFIED]),
		.descriptor = descriptor,
		.owner = created};
	if (!wire_integer(fields[WIRE_TRANSFER_NUMBER], &created->number) ||
		fields[WIRE_TRANSFER_URL].data == NULL || !text_is_valid(fields[WIRE_TRANSFER_URL]) ||
		!wire_integer(fields[WIRE_TRANSFER_MAX_SIZE], &created->request.max_size) ||
		created->request.max_size < 0 ||
		!request_take_headers(&created->request, fields[WIRE_TRANSFER_HEADERS]) ||
		!take_body(&created->request, fields))
		return clair_error(error, CLAIR_PROTOCOL, "the server sent a malformed transfer");
	if (created->request.max_size > options->max_size)
		created->request.max_size = options->max_size;
	if (check_descriptor(&created->request, error) != CLAIR_OK)
		return error->status;
	created->url = created->request.url = arena_copy(arena, fields[WIRE_TRANSFER_URL]).data;
	return created->url != NULL ? CLAIR_OK : out_of_memory(error);
}

void
transfer_destroy(Transfer *transfer)
{
	request_end(&transfer->request);
	close_descriptor(transfer->request.descriptor);
	arena_destroy(transfer->arena);
}

int64_t
transfer_number(const Transfer *transfer)
{
	return transfer->number;
}

TransferState
transfer_state(const Transfer *transfer)
{
	return transfer->state;
}

int64_t
transfer_due(const Transfer *transfer)
{
	return transfer->due;
}

int64_t
transfer_written(const Transfer *transfer)
{
	return transfer->request.written;
}

/* Finishes the transfer with what transfer->request.failure says. */
static void
finish(Transfer *transfer)
{
	request_end(&transfer->request);
	transfer->state = TRANSFER_FINISHED;
}

ClairStatus
transfer_start(Transfer *transfer, CURLM *multi, ClairError *error)
{
	Request *request = &transfer->request;

	memset(&request->failure, 0, sizeof(request->failure));
	transfer->redirects = 0;
	transfer->attempts++;
	if (!request_take_url(request, transfer->url))
	{
		finish(transfer);
		return CLAIR_OK;
	}
	transfer->host = request->host;
	transfer->port = request->port;
	transfer->secure = request->secure;
	request->left_origin = false;
	transfer->state = TRANSFER_RUNNING;
	if (request_prepare(request, error) != CLAIR_OK)
		return error->status;
	return request_send(request, multi, error);
}

/* Whether a server may redirect to the host: the one that was asked for, or a listed one. */
static bool
is_allowed_host(const Transfer *transfer, const char *host)
{
	ClairBytes rest = transfer->options->hosts;

	if (text_equal_ignoring_case(clair_bytes(host), clair_bytes(transfer->host)))
		return true;
	while (rest.size > 0)
	{
		const char *blank = memchr(rest.data, ' ', rest.size);
		ClairBytes listed = {rest.data, blank != NULL ? (size_t) (blank - rest.data) : rest.size};

		if (clair_bytes_equal(listed, CLAIR_LITERAL("*")) ||
			text_equal_ignoring_case(listed, clair_bytes(host)))
			return true;
		rest = clair_bytes_skip(rest, listed.size + (blank != NULL ? 1 : 0));
	}
	return false;
}

/* Whether the request is to the scheme, host and port that were asked for. */
static bool
is_at_origin(const Transfer *transfer)
{
	const Request *request = &transfer->request;

	return request->secure == transfer->secure && request->port != NULL && transfer->port != NULL &&
		   strcmp(request->port, transfer->port) == 0 &&
		   text_equal_ignoring_case(clair_bytes(request->host), clair_bytes(transfer->host));
}

/* Checks where the answer redirects to, and makes that the next URL; else false. */
static bool
take_redirect(Transfer *transfer, const char *target)
{
	Request *request = &transfer->request;
	bool was_secure = request->secure;

	if (++transfer->redirects > transfer->options->max_redirects)
	{
		clair_error(&request->failure, CLAIR_LIMIT, "more than %lld redirects",
					(long long) transfer->options->max_redirects);
		return false;
	}
	if (!request_take_url(request, target))
	{
		clair_error_in(&request->failure, "redirect");
		return false;
	}
	if (was_secure && !request->secure)
	{
		clair_error(&request->failure, CLAIR_INVALID,
					"redirect from https to http, to host \"%s\", is not allowed", request->host);
		return false;
	}
	if (!is_allowed_host(transfer, request->host))
	{
		clair_error(&request->failure, CLAIR_INVALID, "redirect to host \"%s\" is not allowed",
					request->host);
		return false;
	}
	if (!is_at_origin(transfer))
		request->left_origin = true;
	return true;
}

/*
 * Makes the transfer wait for its next attempt, longer each time and never at the same moment
 * as others; or, when it had all of them, finishes it with the failure.
 */
static void
retry(Transfer *transfer, int64_t now)
{
	int64_t delay = FIRST_DELAY;
	uint16_t jitter = 0;
	curl_off_t asked = 0;

	if (transfer->attempts > transfer->options->retries)
	{
		finish(transfer);
		return;
	}
	for (int64_t i = 1; i < transfer->attempts && delay < MAX_DELAY; i++)
		delay *= 2;
	if (getrandom(&jitter, sizeof(jitter), 0) == (ssize_t) sizeof(jitter))
		delay += delay / 2 * jitter / UINT16_MAX;
	curl_easy_getinfo(transfer->request.easy, CURLINFO_RETRY_AFTER, &asked);
	if (asked > MAX_RETRY_AFTER)
		asked = MAX_RETRY_AFTER;
	if (asked * 1000 > delay)
		delay = asked * 1000;
	request_end(&transfer->request);
	transfer->due = now + delay;
	transfer->state = TRANSFER_WAITING;
}

/* Whether another attempt may have another answer. */
static bool
is_passing_status(long status)
{
	return status == 408 || status == 425 || status == 429 || (status >= 500 && status <= 599);
}

/* What is answered to what was posted: done, or not. */
static void
judge_receipt(Transfer *transfer)
{
	ClairError *failure = &transfer->request.failure;
	CURL *easy = transfer->request.easy;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &transfer->status);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &transfer->wait);
	if (transfer->status >= 300 && transfer->status <= 399)
		clair_error(failure, CLAIR_IO, "server answered %ld: redirects are not followed",
					transfer->status);
	else if (transfer->status < 200 || transfer->status > 299)
		clair_error(failure, CLAIR_IO, "server answered %ld", transfer->status);
	finish(transfer);
}

static ClairStatus
judge_answer(Transfer *transfer, CURLM *multi, int64_t now, ClairError *error)
{
	bool conditional = transfer->request.old_etag.data != NULL ||
					   transfer->request.old_last_modified.data != NULL;
	char *target = NULL;

	curl_easy_getinfo(transfer->request.easy, CURLINFO_RESPONSE_CODE, &transfer->status);
	curl_easy_getinfo(transfer->request.easy, CURLINFO_REDIRECT_URL, &target);
	if (target != NULL && take_redirect(transfer, target))
		return request_send(&transfer->request, multi, error);
	if (target != NULL)
	{
		finish(transfer);
		return CLAIR_OK;
	}
	if (transfer->status == 200 || transfer->status == 404 || transfer->status == 410 ||
		(transfer->status == 304 && conditional))
	{
		finish(transfer);
		return CLAIR_OK;
	}
	clair_error(&transfer->request.failure, CLAIR_IO, "server answered %ld", transfer->status);
	if (is_passing_status(transfer->status))
		retry(transfer, now);
	else
		finish(transfer);
	return CLAIR_OK;
}

/* Says in words what libcurl's result means. */
static void
describe(Transfer *transfer, CURLcode result)
{
	ClairError *failure = &transfer->request.failure;
	const char *host = transfer->request.host;
	curl_off_t connected = 0;

	switch (result)
	{
		case CURLE_COULDNT_RESOLVE_HOST:
			clair_error(failure, CLAIR_IO, "could not find the address of host \"%s\"", host);
			break;
		case CURLE_COULDNT_CONNECT:
			clair_error(failure, CLAIR_IO, "could not connect to host \"%s\"", host);
			break;
		case CURLE_OPERATION_TIMEDOUT:
			curl_easy_getinfo(transfer->request.easy, CURLINFO_CONNECT_TIME_T, &connected);
			if (request_posts(&transfer->request))
				clair_error(failure, CLAIR_IO, "host \"%s\" did not answer within %lld seconds",
							host, (long long) transfer->request.timeout);
			else if (connected == 0)
				clair_error(failure, CLAIR_IO,
							"could not connect to host \"%s\" within %lld seconds", host,
							(long long) transfer->options->connect_timeout);
			else
				clair_error(failure, CLAIR_IO, "host \"%s\" sent next to nothing for %lld seconds",
							host, (long long) transfer->options->stall_timeout);
			break;
		case CURLE_PARTIAL_FILE:
			clair_error(failure, CLAIR_IO, "host \"%s\" ended the connection too early", host);
			break;
		case CURLE_FILESIZE_EXCEEDED:
			request_fail_with_size(&transfer->request);
			break;
		default:
			clair_error(failure, CLAIR_IO, "could not transfer from host \"%s\": %s", host,
						transfer->request.words[0] != '\0' ? transfer->request.words
														   : curl_easy_strerror(result));
	}
}

/* Whether another attempt may end better: troubles of networks and of overloaded servers. */
static bool
is_passing_trouble(CURLcode result)
{
	switch (result)
	{
		case CURLE_COULDNT_RESOLVE_PROXY:
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_CONNECT:
		case CURLE_OPERATION_TIMEDOUT:
		case CURLE_PARTIAL_FILE:
		case CURLE_GOT_NOTHING:
		case CURLE_SEND_ERROR:
		case CURLE_RECV_ERROR:
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_HTTP2:
		case CURLE_HTTP2_STREAM:
			return true;
		default:
			return false;
	}
}

static void
judge_failure(Transfer *transfer, CURLcode result, int64_t now)
{
	transfer->status = 0;
	if (result == CURLE_OK)
		result = CURLE_PARTIAL_FILE; /* it ended within the headers */
	if (result == CURLE_COULDNT_CONNECT && transfer->request.refused_kind != NULL)
	{
		clair_error(&transfer->request.failure, CLAIR_INVALID, "address %s of host \"%s\" is %s",
					transfer->request.refused_address, transfer->request.host,
					transfer->request.refused_kind);
		clair_error_hint(&transfer->request.failure,
						 "To fetch from the own network, set clair.allow_private_networks.");
		finish(transfer);
		return;
	}
	/* The write callback has said more than libcurl knows. */
	if (result == CURLE_WRITE_ERROR && transfer->request.failure.status != CLAIR_OK)
	{
		finish(transfer);
		return;
	}
	describe(transfer, result);
	if (is_passing_trouble(result) && !request_posts(&transfer->request))
		retry(transfer, now);
	else
		finish(transfer);
}

ClairStatus
transfer_ended(CURLM *multi, CURL *easy, CURLcode result, int64_t now, ClairError *error)
{
	Transfer *transfer = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &transfer);
	curl_multi_remove_handle(multi, easy);
	if (request_is_answered(&transfer->request, result))
	{
		if (!request_posts(&transfer->request))
			return judge_answer(transfer, multi, now, error);
		judge_receipt(transfer);
		return CLAIR_OK;
	}
	judge_failure(transfer, result, now);
	return CLAIR_OK;
}

static ClairBytes
optional_text(const char *text)
{
	return text[0] != '\0' ? clair_bytes(text) : CLAIR_NULL_BYTES;
}

static ClairBytes
decimal(const Transfer *transfer, int64_t value)
{
	return arena_printf(transfer->arena, "%lld", (long long) value);
}

ClairStatus
transfer_report(const Transfer *transfer, Connection *connection, ClairError *error)
{
	const Request *request = &transfer->request;
	bool failed = request->failure.status != CLAIR_OK;
	char answer[4 * REQUEST_MAX_ANSWER + 1]; /* all of it escaped */
	ClairBytes fields[WIRE_TRANSFERRED_FIELDS] = {
		[WIRE_TRANSFERRED_NUMBER] = decimal(transfer, transfer->number),
		[WIRE_TRANSFERRED_STATUS] = decimal(transfer, transfer->status),
		[WIRE_TRANSFERRED_BYTES] = decimal(transfer, request->written),
		[WIRE_TRANSFERRED_ETAG] = failed ? CLAIR_NULL_BYTES : optional_text(request->etag),
		[WIRE_TRANSFERRED_LAST_MODIFIED] = failed ? CLAIR_NULL_BYTES
												  : optional_text(request->last_modified),
		[WIRE_TRANSFERRED_URL] = clair_bytes(request->url),
		[WIRE_TRANSFERRED_ERROR] = optional_text(request->failure.message),
		[WIRE_TRANSFERRED_HINT] = optional_text(request->failure.hint),
		[WIRE_TRANSFERRED_RETRY_AFTER] = transfer->wait > 0 ? decimal(transfer, transfer->wait)
															: CLAIR_NULL_BYTES,
	};

	text_printable((ClairBytes){request->answer, request->answer_size}, answer, sizeof(answer));
	fields[WIRE_TRANSFERRED_ANSWER] = optional_text(answer);

	return connection_send(connection, WIRE_TRANSFERRED, fields, WIRE_TRANSFERRED_FIELDS, error);
}
