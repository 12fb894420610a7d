/*
 * wire_fuzz.c
 *    Frames: whatever arrives on a helper's socket is a frame within its bounds or an error; what
 * is taken apart can be put together again, and is a row, a job or neither.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/connection.h"
#include "fetch/options.h"
#include "fuzz.h"
#include "package/detector.h"

#define MAX_INPUT 65536 /* fits into a socket's buffer */

/* Builds a frame of the fields, and compares what comes of it. */
static void
check_round_trip(const ConnectionFrame *frame)
{
	size_t size = wire_frame_size(frame->fields, frame->count);
	char *buffer = malloc(size);
	ClairBytes *back = calloc(frame->count + 1, sizeof(ClairBytes));

	wire_frame(buffer, frame->type, 0, frame->fields, frame->count);
	if (!wire_fields((ClairBytes){buffer + sizeof(WireHeader), size - sizeof(WireHeader)},
					 frame->count, back))
		abort();
	for (uint32_t i = 0; i < frame->count; i++)
	{
		if (!clair_bytes_equal(back[i], frame->fields[i]) ||
			(back[i].data == NULL) != (frame->fields[i].data == NULL))
			abort();
	}
	free(back);
	free(buffer);
}

static void
check_row(const ConnectionFrame *frame)
{
	for (int relation = 0; relation < WIRE_RELATION_COUNT; relation++)
		(void) wire_row_problem((WireRelation) relation, frame->fields, frame->count);
}

static void
check_job(const ConnectionFrame *frame)
{
	Arena *arena = arena_create(1 << 20);
	Detectors *detectors;
	FetchOptions options;
	ClairLimits limits;
	ClairError error;
	Job job;

	if (job_read(arena, frame->fields, frame->count, &job, &error) == CLAIR_OK)
	{
		(void) job_limits(&job, &limits, &error);
		(void) options_read(&job, &options, &error);
		(void) detectors_read(arena, job_text(&job, "detectors"), &detectors, &error);
	}
	arena_destroy(arena);
}

FUZZ_TARGET(wire)
{
	Connection *connection;
	ConnectionFrame frame;
	ClairError error;
	int sockets[2];

	if (size > MAX_INPUT || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
		return 0;
	require(write(sockets[1], data, size) == (ssize_t) size);
	shutdown(sockets[1], SHUT_WR);
	require(connection_open(sockets[0], "fuzz", &connection, &error) == CLAIR_OK);
	while (connection_receive(connection, &frame, &error) == CLAIR_OK)
	{
		check_round_trip(&frame);
		check_row(&frame);
		check_job(&frame);
	}
	require(error.status == CLAIR_PROTOCOL || error.status == CLAIR_STOPPED);
	connection_close(connection);
	close(sockets[1]);
	return 0;
}
