/*
 * export_fuzz.c
 *    Any bytes as an export, which is looked over as a whole ("export"); and any frames as what the
 *    server has written to one ("export_write"): what comes of these is looked over without error.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "feed/export_file.h"
#include "fuzz.h"
#include "reader/export.h"

#define MAX_INPUT 65536 /* fits into a socket's buffer */

FUZZ_TARGET(export)
{
	int document = fuzz_file((ClairBytes){(const char *) data, size});
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairError error;

	if (export_inspect(&limits, document, &fuzz_feed_sink, &error) != CLAIR_OK)
		require(error.message[0] != '\0');
	close(document);
	return 0;
}

FUZZ_TARGET(export_write)
{
	int document = fuzz_file(CLAIR_LITERAL(""));
	Connection *connection;
	ClairError error;
	int sockets[2];

	if (size <= MAX_INPUT)
	{
		require(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0 &&
				write(sockets[1], data, size) == (ssize_t) size &&
				shutdown(sockets[1], SHUT_WR) == 0 &&
				connection_open(sockets[0], "fuzz", &connection, &error) == CLAIR_OK);
		if (export_write(connection, document, &error) != CLAIR_OK)
			require(error.message[0] != '\0');
		connection_close(connection);
		close(sockets[1]);
	}
	close(document);
	return 0;
}
