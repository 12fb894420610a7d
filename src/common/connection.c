/*
 * connection.c
 *    A helper's end of the socket to the server; see connection.h.
 *
 * Output is written at frame boundaries only: whenever other code than write_all() runs, what
 * the server has received so far ends with a whole frame. The handler of a forbidden system
 * call relies on that (reader/filter.c).
 */
#include "common/connection.h"
#include "common/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_SIZE		  ((size_t) 64 * 1024)
#define PROGRESS_INTERVAL 100 /* ms */

/* Keys of one question at most: as many digests and more are a frame's worth of answers. */
#define MAX_KEYS	 32768
#define MAX_KEY_SIZE (WIRE_MAX_FRAME / 2) /* of all keys of one question */
#define MAX_ANSWERS	 ((size_t) 256 * 1024 * 1024)

#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0 /* helpers start no programs */
#endif

struct Connection
{
	int socket;
	char *output; /* frames to be sent */
	size_t output_size;
	size_t output_used;
	char *input; /* the body of the frame received last, and its fields */
	size_t input_size;
	ClairBytes *fields;
	uint32_t field_capacity;
	int descriptor; /* that came with it, or -1 */
	Arena *answers; /* to the last question */
	int64_t next_progress;
};

static ClairStatus
stopped(ClairError *error)
{
	return clair_error(error, CLAIR_STOPPED, "the server has closed the connection");
}

static ClairStatus
out_of_memory(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "out of memory");
}

static ClairStatus
nonsense(ClairError *error, const char *what)
{
	return clair_error(error, CLAIR_PROTOCOL, "the server sent an invalid frame: %s", what);
}

ClairStatus
connection_open(int socket, const char *program, Connection **connection, ClairError *error)
{
	Connection *opened = calloc(1, sizeof(Connection));
	char version[16];
	ClairBytes hello[] = {clair_bytes(program), {version, 0}};

	if (opened == NULL)
		return out_of_memory(error);
	hello[1].size = (size_t) snprintf(version, sizeof(version), "%d", WIRE_VERSION);
	opened->socket = socket;
	opened->descriptor = -1;
	opened->output = malloc(OUTPUT_SIZE);
	opened->output_size = OUTPUT_SIZE;
	opened->answers = arena_create(MAX_ANSWERS);
	if (opened->output == NULL || opened->answers == NULL)
	{
		connection_close(opened);
		return out_of_memory(error);
	}
	*connection = opened;
	return connection_send(opened, WIRE_HELLO, hello, 2, error);
}

void
connection_close(Connection *connection)
{
	if (connection == NULL)
		return;
	if (connection->descriptor >= 0)
		close(connection->descriptor);
	close(connection->socket);
	arena_destroy(connection->answers);
	free(connection->fields);
	free(connection->input);
	free(connection->output);
	free(connection);
}

static ClairStatus
write_all(int socket, const char *data, size_t size, ClairError *error)
{
	while (size > 0)
	{
		ssize_t written = write(socket, data, size);

		if (written >= 0)
		{
			data += written;
			size -= (size_t) written;
		}
		else if (errno == EPIPE || errno == ECONNRESET)
			return stopped(error);
		else if (errno != EINTR)
			return clair_error(error, CLAIR_IO, "could not send to the server: %s",
							   strerror(errno));
	}
	return CLAIR_OK;
}

ClairStatus
connection_flush(Connection *connection, ClairError *error)
{
	size_t used = connection->output_used;

	connection->output_used = 0;
	return write_all(connection->socket, connection->output, used, error);
}

/* Makes room for size more bytes of output. */
static ClairStatus
make_room(Connection *connection, size_t size, ClairError *error)
{
	if (size <= connection->output_size - connection->output_used)
		return CLAIR_OK;
	if (connection_flush(connection, error) != CLAIR_OK)
		return error->status;
	if (size > connection->output_size)
	{
		char *larger = realloc(connection->output, size);

		if (larger == NULL)
			return out_of_memory(error);
		connection->output = larger;
		connection->output_size = size;
	}
	return CLAIR_OK;
}

/* Whether a frame of these fields is within the bounds that the server checks. */
static bool
is_within_bounds(const ClairBytes *fields, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
	{
		if (fields[i].size > WIRE_MAX_FIELD)
			return false;
	}
	return wire_frame_size(fields, count) - sizeof(WireHeader) <= WIRE_MAX_FRAME;
}

static ClairStatus
send_frame(Connection *connection, WireType type, uint8_t tag, const ClairBytes *fields,
		   uint32_t count, ClairError *error)
{
	size_t size;

	if (!is_within_bounds(fields, count))
		return clair_error(error, CLAIR_LIMIT, "%s%s is too large to be sent to the server",
						   type == WIRE_ROW ? "a row of " : "a frame",
						   type == WIRE_ROW ? wire_relations[tag].name : "");
	size = wire_frame_size(fields, count);
	if (make_room(connection, size, error) != CLAIR_OK)
		return error->status;
	wire_frame(connection->output + connection->output_used, type, tag, fields, count);
	connection->output_used += size;
	return CLAIR_OK;
}

ClairStatus
connection_send(Connection *connection, WireType type, const ClairBytes *fields, uint32_t count,
				ClairError *error)
{
	return send_frame(connection, type, 0, fields, count, error);
}

int
connection_take_descriptor(Connection *connection)
{
	int descriptor = connection->descriptor;

	connection->descriptor = -1;
	return descriptor;
}

/* Keeps the descriptor of a message, if there is one; a frame brings one at most. */
static ClairStatus
take_rights(Connection *connection, struct msghdr *message, ClairError *error)
{
	bool broken = false;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
		 part = CMSG_NXTHDR(message, part))
	{
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		/* There may be two: the buffer's padding has room for another. */
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= part->cmsg_len; at += sizeof(int))
		{
			int descriptor;

			memcpy(&descriptor, (char *) part + at, sizeof(int));
			if (connection->descriptor < 0)
				connection->descriptor = descriptor;
			else
			{
				close(descriptor);
				broken = true;
			}
		}
	}
	if (broken)
		return nonsense(error, "more than one descriptor");
	if (message->msg_flags & MSG_CTRUNC)
		return clair_error(error, CLAIR_IO, "could not receive a descriptor from the server");
	return CLAIR_OK;
}

/* Receives exactly size bytes, and a descriptor that may come with them. */
static ClairStatus
receive_all(Connection *connection, char *data, size_t size, ClairError *error)
{
	while (size > 0)
	{
		union
		{
			char buffer[CMSG_SPACE(sizeof(int))];
			struct cmsghdr alignment;
		} control;
		struct iovec part = {.iov_base = data, .iov_len = size};
		struct msghdr message = {.msg_iov = &part,
								 .msg_iovlen = 1,
								 .msg_control = control.buffer,
								 .msg_controllen = sizeof(control.buffer)};
		ssize_t received = recvmsg(connection->socket, &message, MSG_CMSG_CLOEXEC);

		if (received < 0 && errno == EINTR)
			continue;
		if (received == 0 || (received < 0 && errno == ECONNRESET))
			return stopped(error);
		if (received < 0)
			return clair_error(error, CLAIR_IO, "could not receive from the server: %s",
							   strerror(errno));
		if (take_rights(connection, &message, error) != CLAIR_OK)
			return error->status;
		data += received;
		size -= (size_t) received;
	}
	return CLAIR_OK;
}

/* What is wrong with a header; NULL when it is one of the server's. */
static const char *
header_problem(const WireHeader *header)
{
	switch (header->type)
	{
		case WIRE_JOB:
		case WIRE_DOCUMENT:
		case WIRE_TRANSFER:
		case WIRE_WRITE:
		case WIRE_START:
		case WIRE_KNOWN_ANSWER:
		case WIRE_BLOB_ANSWER:
			break;
		default:
			return "unknown type";
	}
	if (header->size > WIRE_MAX_FRAME)
		return "it is too large";
	if (header->fields > MAX_KEYS || header->fields > header->size / sizeof(uint32_t))
		return "it has too many fields";
	if (header->tag != 0 || header->zero != 0)
		return "its header is not clean";
	return NULL;
}

/* Makes room for a frame's body and its fields. */
static ClairStatus
prepare_input(Connection *connection, const WireHeader *header, ClairError *error)
{
	if (header->size > connection->input_size)
	{
		char *larger = realloc(connection->input, header->size);

		if (larger == NULL)
			return out_of_memory(error);
		connection->input = larger;
		connection->input_size = header->size;
	}
	if (header->fields > connection->field_capacity)
	{
		ClairBytes *larger = realloc(connection->fields, header->fields * sizeof(ClairBytes));

		if (larger == NULL)
			return out_of_memory(error);
		connection->fields = larger;
		connection->field_capacity = header->fields;
	}
	return CLAIR_OK;
}

ClairStatus
connection_receive(Connection *connection, ConnectionFrame *frame, ClairError *error)
{
	WireHeader header;
	const char *problem;

	if (connection->descriptor >= 0)
		close(connection_take_descriptor(connection));
	if (connection_flush(connection, error) != CLAIR_OK ||
		receive_all(connection, (char *) &header, sizeof(header), error) != CLAIR_OK)
		return error->status;
	problem = header_problem(&header);
	if (problem != NULL)
		return nonsense(error, problem);
	if (prepare_input(connection, &header, error) != CLAIR_OK ||
		receive_all(connection, connection->input, header.size, error) != CLAIR_OK)
		return error->status;
	if (!wire_fields((ClairBytes){connection->input, header.size}, header.fields,
					 connection->fields))
		return nonsense(error, "its fields do not fill it");
	*frame = (ConnectionFrame){(WireType) header.type, connection->fields, header.fields};
	return CLAIR_OK;
}

ClairStatus
connection_receive_job(Connection *connection, Arena *arena, Job *job, ClairError *error)
{
	ConnectionFrame frame;

	if (connection_receive(connection, &frame, error) != CLAIR_OK)
		return error->status;
	if (frame.type != WIRE_JOB)
		return nonsense(error, "the first one is not a job");
	return job_read(arena, frame.fields, frame.count, job, error);
}

static ClairStatus
send_row(void *context, WireRelation relation, const ClairBytes *fields, uint32_t count,
		 ClairError *error)
{
	FAULT_POINT("connection-row");
	return send_frame(context, WIRE_ROW, (uint8_t) relation, fields, count, error);
}

/* Sends a question and receives its answer. */
static ClairStatus
ask(Connection *connection, WireType question, const ClairBytes *fields, uint32_t count,
	WireType answer, ConnectionFrame *frame, ClairError *error)
{
	if (send_frame(connection, question, 0, fields, count, error) != CLAIR_OK ||
		connection_receive(connection, frame, error) != CLAIR_OK)
		return error->status;
	if (frame->type != answer)
		return nonsense(error, "it does not answer the question");
	return CLAIR_OK;
}

/* How many of the keys fit in one question; one at least. */
static uint32_t
keys_of_one_question(const ClairBytes *keys, uint32_t count)
{
	size_t size = 0;
	uint32_t fit = 0;

	while (fit < count && fit < MAX_KEYS)
	{
		size += sizeof(uint32_t) + keys[fit].size;
		if (size > MAX_KEY_SIZE && fit > 0)
			break;
		fit++;
	}
	return fit;
}

/* Copies the answers out of the frame, which the next question will overwrite. */
static ClairStatus
keep_answers(Connection *connection, const ConnectionFrame *frame, ClairBytes *answers,
			 ClairError *error)
{
	for (uint32_t i = 0; i < frame->count; i++)
	{
		answers[i] = arena_copy(connection->answers, frame->fields[i]);
		if (answers[i].data == NULL && frame->fields[i].data != NULL)
			return out_of_memory(error);
	}
	return CLAIR_OK;
}

static ClairStatus
ask_known(void *context, const ClairBytes *keys, uint32_t count, ClairBytes *answers,
		  ClairError *error)
{
	Connection *connection = context;

	FAULT_POINT("connection-asks");
	arena_reset(connection->answers);
	while (count > 0)
	{
		uint32_t part = keys_of_one_question(keys, count);
		ConnectionFrame frame;

		if (ask(connection, WIRE_KNOWN, keys, part, WIRE_KNOWN_ANSWER, &frame, error) != CLAIR_OK)
			return error->status;
		if (frame.count != part)
			return nonsense(error, "not one answer for each key");
		if (keep_answers(connection, &frame, answers, error) != CLAIR_OK)
			return error->status;
		keys += part;
		answers += part;
		count -= part;
	}
	return CLAIR_OK;
}

static ClairStatus
ask_blob(void *context, ClairBytes name, int *descriptor, ClairError *error)
{
	Connection *connection = context;
	ConnectionFrame frame;

	if (ask(connection, WIRE_BLOB, &name, 1, WIRE_BLOB_ANSWER, &frame, error) != CLAIR_OK)
		return error->status;
	if (frame.count == 1 && frame.fields[0].data != NULL && connection->descriptor < 0)
		return clair_error(error, CLAIR_MISSING, "could not open \"%.*s\": %.*s", (int) name.size,
						   name.data, (int) frame.fields[0].size, frame.fields[0].data);
	if (frame.count != 0 || connection->descriptor < 0)
		return nonsense(error, "neither a descriptor nor a reason");
	*descriptor = connection_take_descriptor(connection);
	return CLAIR_OK;
}

static int64_t
milliseconds(void)
{
	struct timespec now;

#ifdef CLOCK_MONOTONIC_COARSE
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
	clock_gettime(CLOCK_MONOTONIC, &now);
#endif
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static ClairStatus
send_progress(void *context, int64_t bytes, int64_t records, ClairError *error)
{
	Connection *connection = context;
	int64_t now = milliseconds();
	char texts[2][24];
	ClairBytes fields[2];

	if (now < connection->next_progress)
		return CLAIR_OK;
	connection->next_progress = now + PROGRESS_INTERVAL;
	fields[0].data = texts[0];
	fields[0].size = (size_t) snprintf(texts[0], sizeof(texts[0]), "%lld", (long long) bytes);
	fields[1].data = texts[1];
	fields[1].size = (size_t) snprintf(texts[1], sizeof(texts[1]), "%lld", (long long) records);
	if (send_frame(connection, WIRE_PROGRESS, 0, fields, 2, error) != CLAIR_OK)
		return error->status;
	return connection_flush(connection, error);
}

ClairSink
connection_sink(Connection *connection)
{
	return (ClairSink){connection, send_row, ask_known, ask_blob, send_progress};
}

ClairStatus
connection_done(Connection *connection, ClairError *error)
{
	FAULT_POINT("connection-done");
	if (send_frame(connection, WIRE_DONE, 0, NULL, 0, error) != CLAIR_OK)
		return error->status;
	return connection_flush(connection, error);
}

/* The bytes of a text that may be empty, which then is no value. */
static ClairBytes
optional_text(const char *text)
{
	return text[0] != '\0' ? clair_bytes(text) : CLAIR_NULL_BYTES;
}

void
connection_fail(Connection *connection, const ClairError *reason)
{
	char status[16];
	ClairBytes fields[] = {{status, 0},
						   clair_bytes(reason->message),
						   optional_text(reason->detail),
						   optional_text(reason->hint)};
	ClairError ignored; /* nobody is left to tell */

	fields[0].size = (size_t) snprintf(status, sizeof(status), "%d", (int) reason->status);
	if (send_frame(connection, WIRE_ERROR, 0, fields, 4, &ignored) == CLAIR_OK)
		(void) connection_flush(connection, &ignored);
}
