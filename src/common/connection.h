/*
 * connection.h
 *    A helper's end of the socket to the server: frames out, frames in.
 *
 * Helpers only, and all of it blocks. What is sent is collected and goes out when enough has
 * come together, before anything is received, and with every progress frame. What arrives is
 * checked to be a frame of the server's. When the server has gone, every function answers
 * CLAIR_STOPPED: there is nothing left to do and nobody to tell.
 */
#ifndef CLAIR_CONNECTION_H
#define CLAIR_CONNECTION_H

#include "common/job.h"
#include "common/sink.h"
#include "common/wire.h"

typedef struct Connection Connection;

/* A frame that has arrived; the fields live until the next one is received. */
typedef struct ConnectionFrame
{
	WireType type;
	const ClairBytes *fields;
	uint32_t count;
} ConnectionFrame;

/* Takes over the socket and says hello. */
extern ClairStatus
connection_open(int socket, const char *program, Connection **connection, ClairError *error);

/* Frees it and closes the socket, without sending what is still collected. NULL is allowed. */
extern void connection_close(Connection *connection);

/* Sends a frame. One that is larger than frames may be is CLAIR_LIMIT, and nothing is sent. */
extern ClairStatus connection_send(Connection *connection, WireType type, const ClairBytes *fields,
								   uint32_t count, ClairError *error);

/* Sends what is still collected. */
extern ClairStatus connection_flush(Connection *connection, ClairError *error);

/* Waits for the next frame. */
extern ClairStatus
connection_receive(Connection *connection, ConnectionFrame *frame, ClairError *error);

/*
 * The descriptor that came with the last frame, from now on the caller's; -1 when there was
 * none. One that is not taken is closed with the next frame.
 */
extern int connection_take_descriptor(Connection *connection);

/* Receives the server's first frame, the job. */
extern ClairStatus
connection_receive_job(Connection *connection, Arena *arena, Job *job, ClairError *error);

/* A sink that sends rows, questions and progress to the server. */
extern ClairSink connection_sink(Connection *connection);

/* The last frames: the job is done; or it failed, and this is why. */
extern ClairStatus connection_done(Connection *connection, ClairError *error);
extern void connection_fail(Connection *connection, const ClairError *reason);

#endif
