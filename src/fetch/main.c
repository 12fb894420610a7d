/*
 * main.c
 *    clair-fetch: brings documents from the network to descriptors that the server opened, and
 *    posts what the server says.
 *
 * Started by a backend or worker (server/helper.c) with the socket to it as descriptor 3. The
 * server sends WIRE_JOB, whose names fetch/options.h explains, then WIRE_TRANSFER frames with a
 * descriptor each, or a body to post, and WIRE_START when there will be no more of them. Transfers
 * begin as they come; each ends with WIRE_TRANSFERRED, whether it succeeded or not, and the job
 * with WIRE_DONE. The server may send the first transfers, and a further one for each that has
 * ended: up to MAX_TRANSFERS may be unfinished at a time. A job whose "job" is "check" has none:
 * the answer is in what sandbox they would be made.
 *
 * Nothing is parsed here but HTTP, by libcurl. The socket is polled along with the transfers:
 * when the server has gone, the process exits at once. It never returns from main() nor calls
 * exit(): those would wait for a name server that does not answer.
 */
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "common/connection.h"
#include "common/fault.h"
#include "common/sandbox.h"
#include "fetch/options.h"
#include "fetch/profile.h"
#include "fetch/transfer.h"

#define MAX_TRANSFERS 256
#define JOB_MEMORY	  ((size_t) 1 << 20)

/* Descriptors: each transfer's file, sockets, and what libraries open for a moment. */
#define MAX_DESCRIPTORS (2 * MAX_TRANSFERS + 64)

/* Address space: libraries, and a stack and a malloc arena for each thread that asks for names. */
#define MAX_MEMORY (INT64_C(4) << 30)

#define MAX_PROCESSOR_SECONDS (4 * 3600)

/* The server hears from us at least this often, in milliseconds. */
#define HEARTBEAT 1000

typedef struct Fetch
{
	Connection *connection;
	ClairSink sink;
	FetchOptions options;
	SandboxState sandbox;
	bool is_check; /* there will be no transfers */
	CURLM *multi;
	Transfer *transfers[MAX_TRANSFERS]; /* unfinished ones, in order */
	int count;
	int64_t next_number;
	bool complete;	  /* no more transfers will come */
	int64_t bytes;	  /* of finished transfers */
	int64_t finished; /* how many */
} Fetch;

static int64_t
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes a WIRE_TRANSFER from the server. */
static ClairStatus
add_transfer(Fetch *fetch, const ConnectionFrame *frame, ClairError *error)
{
	int descriptor = connection_take_descriptor(fetch->connection);
	Transfer *transfer;

	if (frame->count != WIRE_TRANSFER_FIELDS || fetch->complete)
		return clair_error(error, CLAIR_PROTOCOL, "the server sent a malformed transfer");
	if (fetch->count == MAX_TRANSFERS)
		return clair_error(error, CLAIR_PROTOCOL,
						   "the server sent more than %d transfers at a time", MAX_TRANSFERS);
	if (transfer_create(frame->fields, descriptor, &fetch->options, &transfer, error) != CLAIR_OK)
		return error->status;
	if (transfer_number(transfer) != fetch->next_number)
		return clair_error(error, CLAIR_PROTOCOL, "the server's transfers are not in order");
	FAULT_POINT("fetch-transfer");
	fetch->next_number++;
	fetch->transfers[fetch->count++] = transfer;
	return CLAIR_OK;
}

static ClairStatus
receive_frame(Fetch *fetch, ClairError *error)
{
	ConnectionFrame frame;

	if (connection_receive(fetch->connection, &frame, error) != CLAIR_OK)
		return error->status;
	if (frame.type == WIRE_TRANSFER)
		return add_transfer(fetch, &frame, error);
	if (frame.type != WIRE_START || frame.count != 0 || fetch->complete)
		return clair_error(error, CLAIR_PROTOCOL, "the server sent an unexpected frame");
	fetch->complete = true;
	return CLAIR_OK;
}

/* Starts what is due, as far as there is room for it. */
static ClairStatus
start_transfers(Fetch *fetch, int64_t now, ClairError *error)
{
	int64_t running = 0;

	for (int i = 0; i < fetch->count; i++)
		running += transfer_state(fetch->transfers[i]) == TRANSFER_RUNNING;
	for (int i = 0; i < fetch->count && running < fetch->options.parallel; i++)
	{
		Transfer *transfer = fetch->transfers[i];

		if (transfer_state(transfer) != TRANSFER_WAITING || transfer_due(transfer) > now)
			continue;
		if (transfer_start(transfer, fetch->multi, error) != CLAIR_OK)
			return error->status;
		running += transfer_state(transfer) == TRANSFER_RUNNING;
	}
	return CLAIR_OK;
}

/* Lets libcurl work, and looks at what it has ended. */
static ClairStatus
perform(Fetch *fetch, ClairError *error)
{
	CURLMcode result;
	CURLMsg *message;
	int running;
	int waiting;

	result = curl_multi_perform(fetch->multi, &running);
	if (result != CURLM_OK)
		return clair_error(error, CLAIR_IO, "could not transfer: %s", curl_multi_strerror(result));
	while ((message = curl_multi_info_read(fetch->multi, &waiting)) != NULL)
	{
		FAULT_POINT("fetch-ended");
		if (message->msg == CURLMSG_DONE &&
			transfer_ended(fetch->multi, message->easy_handle, message->data.result, milliseconds(),
						   error) != CLAIR_OK)
			return error->status;
	}
	return CLAIR_OK;
}

/* Reports finished transfers, forgets them, and tells how far the others are. */
static ClairStatus
report(Fetch *fetch, ClairError *error)
{
	int64_t bytes;
	int kept = 0;

	for (int i = 0; i < fetch->count; i++)
	{
		Transfer *transfer = fetch->transfers[i];

		if (transfer_state(transfer) != TRANSFER_FINISHED)
		{
			fetch->transfers[kept++] = transfer;
			continue;
		}
		FAULT_POINT("fetch-report");
		fetch->bytes += transfer_written(transfer);
		fetch->finished++;
		if (transfer_report(transfer, fetch->connection, error) != CLAIR_OK)
			return error->status;
		transfer_destroy(transfer);
	}
	fetch->count = kept;
	bytes = fetch->bytes;
	for (int i = 0; i < kept; i++)
		bytes += transfer_written(fetch->transfers[i]);
	if (fetch->sink.progress(fetch->sink.context, bytes, fetch->finished, error) != CLAIR_OK)
		return error->status;
	return connection_flush(fetch->connection, error);
}

/* How long there is nothing to do if nothing arrives. */
static int
idle_time(const Fetch *fetch, int64_t now)
{
	int64_t time = HEARTBEAT;

	for (int i = 0; i < fetch->count; i++)
	{
		TransferState state = transfer_state(fetch->transfers[i]);
		int64_t due = transfer_due(fetch->transfers[i]);

		if (state == TRANSFER_FINISHED)
			return 0; /* it is to be reported */
		if (state == TRANSFER_WAITING && due > now && due - now < time)
			time = due - now;
	}
	return (int) time;
}

/* Waits for the network and for the server; takes one frame from the latter. */
static ClairStatus
wait_for_events(Fetch *fetch, ClairError *error)
{
	struct curl_waitfd server = {.fd = WIRE_SOCKET, .events = CURL_WAIT_POLLIN};
	CURLMcode result = curl_multi_poll(fetch->multi, &server, 1, idle_time(fetch, milliseconds()),
									   NULL);

	if (result != CURLM_OK)
		return clair_error(error, CLAIR_IO, "could not wait for transfers: %s",
						   curl_multi_strerror(result));
	return server.revents != 0 ? receive_frame(fetch, error) : CLAIR_OK;
}

static ClairStatus
transfer_all(Fetch *fetch, ClairError *error)
{
	while (fetch->count > 0 || !fetch->complete)
	{
		if (start_transfers(fetch, milliseconds(), error) != CLAIR_OK ||
			wait_for_events(fetch, error) != CLAIR_OK || perform(fetch, error) != CLAIR_OK ||
			report(fetch, error) != CLAIR_OK)
			return error->status;
	}
	return CLAIR_OK;
}

/* Gives up what transferring does not need; the authorities to trust may be files anywhere. */
static ClairStatus
enter_sandbox(Fetch *fetch, const Job *job, ClairError *error)
{
	const char *authorities[4] = {NULL};
	size_t count = 0;

	if (fetch->options.ca_file != NULL)
		authorities[count++] = fetch->options.ca_file;
#if LIBCURL_VERSION_NUM >= 0x075400
	const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);

	if (curl->cainfo != NULL)
		authorities[count++] = curl->cainfo;
	if (curl->capath != NULL)
		authorities[count++] = curl->capath;
#endif
	return sandbox_enter(job, &fetch_profile, authorities, &fetch->sandbox, error);
}

/* Receives the job and prepares for it. */
static ClairStatus
prepare(Fetch *fetch, ClairError *error)
{
	Arena *arena = arena_create(JOB_MEMORY);
	Job job;
	SandboxLimits limits = {.memory = MAX_MEMORY,
							.descriptors = MAX_DESCRIPTORS,
							.seconds = MAX_PROCESSOR_SECONDS};

	if (arena == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	if (connection_receive_job(fetch->connection, arena, &job, error) != CLAIR_OK ||
		options_read(&job, &fetch->options, error) != CLAIR_OK)
		return error->status;
	limits.file_size = fetch->options.max_size;
	if (sandbox_limit(&limits, error) != CLAIR_OK)
		return error->status;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
		(fetch->multi = curl_multi_init()) == NULL)
		return clair_error(error, CLAIR_IO, "could not start libcurl");
	curl_multi_setopt(fetch->multi, CURLMOPT_MAXCONNECTS, (long) fetch->options.parallel);
	fetch->is_check = clair_bytes_equal(job_text(&job, "job"), CLAIR_LITERAL("check"));
	FAULT_POINT("fetch-given-job");
	return enter_sandbox(fetch, &job, error);
}

static ClairStatus
work(Fetch *fetch, ClairError *error)
{
	if (fetch->is_check ? sandbox_report(&fetch->sandbox, &fetch->sink, error) != CLAIR_OK
						: transfer_all(fetch, error) != CLAIR_OK)
		return error->status;
	return connection_done(fetch->connection, error);
}

int
main(void)
{
	static Fetch fetch;
	ClairError error;
	ClairError reason;
	ClairStatus begun;

	FAULT_POINT("fetch-started");
	begun = sandbox_begin(WIRE_SOCKET, &reason);
	if (connection_open(WIRE_SOCKET, "clair-fetch", &fetch.connection, &error) != CLAIR_OK)
		_exit(1);
	fetch.sink = connection_sink(fetch.connection);
	if (begun == CLAIR_OK && prepare(&fetch, &reason) == CLAIR_OK &&
		work(&fetch, &reason) == CLAIR_OK)
		_exit(0);
	connection_fail(fetch.connection, &reason);
	_exit(1);
}
