/*
 * Does what a hostile image would do with a reader that it has taken over, after giving up what
 * clair-reader gives up. Started by 020_helpers.pl as a helper, with what to try as argument.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/connection.h"
#include "common/sandbox.h"
#include "reader/filter.h"

/* What clair-reader does all the time. */
static int
use_memory(void)
{
	struct stat file;
	char *piece = malloc(10 * 1024 * 1024);
	char byte;

	if (piece == NULL || fstat(WIRE_INPUT, &file) != 0 || read(WIRE_INPUT, &byte, 1) < 0)
		return 2;
	memset(piece, 1, 10 * 1024 * 1024);
	piece = realloc(piece, 20 * 1024 * 1024);
	free(piece);
	return piece != NULL ? 0 : 2;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int
overflow_stack(volatile char *above)
{
	volatile char frame[4096];

	frame[0] = above[0];
	return overflow_stack(frame) + frame[0];
}
#pragma GCC diagnostic pop

/* Returns the exit status, should it come to that. */
static int
attempt(const char *what)
{
	char start = 0;

	if (strcmp(what, "open") == 0)
		return open("/etc/passwd", O_RDONLY) < 0 && fopen("/etc/hostname", "r") == NULL ? 0 : 2;
	if (strcmp(what, "memory") == 0)
		return use_memory();
	if (strcmp(what, "socket") == 0)
		return socket(AF_INET, SOCK_STREAM, 0);
	if (strcmp(what, "fork") == 0)
		return fork();
	if (strcmp(what, "trace") == 0)
		return (int) ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
	if (strcmp(what, "kill") == 0)
		return kill(1, 0);
	if (strcmp(what, "code") == 0)
		return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != NULL;
	if (strcmp(what, "abort") == 0)
		abort();
	if (strcmp(what, "stack") == 0)
		return overflow_stack(&start);
	return 3;
}

int
main(int count, char **arguments)
{
	Connection *connection;
	ClairError error;

	if (count != 2 || sandbox_begin(WIRE_SOCKET, &error) != CLAIR_OK ||
		connection_open(WIRE_SOCKET, "filter-probe", &connection, &error) != CLAIR_OK ||
		connection_flush(connection, &error) != CLAIR_OK || filter_enter(&error) != CLAIR_OK)
		_exit(4);
	_exit(attempt(arguments[1]));
}
