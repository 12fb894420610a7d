/*
 * frames.h
 *    Speaking frames as a helper does, for programs that take a helper's place and misbehave.
 *
 * Included by bad_helper.c and wild_helper.c, once each. The server has gone when something cannot
 * be sent or received: then the process exits, as a helper does.
 */
#ifndef CLAIR_TEST_FRAMES_H
#define CLAIR_TEST_FRAMES_H

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/wire.h"

#define VALUE(literal) CLAIR_LITERAL(literal)
#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define SEND(type, tag, ...)                                                                       \
	do                                                                                             \
	{                                                                                              \
		const ClairBytes fields[] = {__VA_ARGS__};                                                 \
		send_frame(type, tag, fields, COUNT(fields));                                              \
	} while (0)

static inline void
send_bytes(const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0)
	{
		ssize_t sent = send(WIRE_SOCKET, at, size, MSG_NOSIGNAL);

		if (sent <= 0)
			_exit(1);
		at += sent;
		size -= (size_t) sent;
	}
}

static inline void
send_frame(int type, int tag, const ClairBytes *fields, uint32_t count)
{
	size_t size = wire_frame_size(fields, count);
	char *frame = malloc(size);

	if (frame == NULL)
		_exit(1);
	wire_frame(frame, (WireType) type, (uint8_t) tag, fields, count);
	send_bytes(frame, size);
	free(frame);
}

static inline void
send_header(uint32_t size, uint32_t fields, int type, int tag)
{
	WireHeader header = {
		.size = size, .fields = fields, .type = (uint8_t) type, .tag = (uint8_t) tag};

	send_bytes(&header, sizeof(header));
}

/*
 * Receives a frame; the beginning of its body goes to the buffer, as a text, and the rest away. Its
 * type.
 */
static inline int
receive_frame_text(char *text, size_t capacity)
{
	WireHeader header;
	size_t used = 0;

	if (recv(WIRE_SOCKET, &header, sizeof(header), MSG_WAITALL) != sizeof(header))
		_exit(1);
	while (header.size > 0)
	{
		char piece[4096];
		size_t size = header.size < sizeof(piece) ? header.size : sizeof(piece);
		ssize_t received = recv(WIRE_SOCKET, piece, size, 0);
		size_t kept;

		if (received <= 0)
			_exit(1);
		kept = (size_t) received < capacity - used ? (size_t) received : capacity - used;
		if (kept > 0)
			memcpy(text + used, piece, kept);
		used += kept;
		header.size -= (uint32_t) received;
	}
	if (capacity > 0)
		text[used < capacity ? used : capacity - 1] = '\0';
	return header.type;
}

static inline void
receive_frame(void)
{
	receive_frame_text(NULL, 0);
}

static inline void
hang(void)
{
	for (;;)
		pause();
}

/* Hangs, and not even SIGTERM ends it. */
static inline void
hang_on(void)
{
	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, 0);
	hang();
}

#endif
