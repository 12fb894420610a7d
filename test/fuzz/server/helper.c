/*
 * helper.c
 *    The server's helper.c with a helper that is no process: what it says is in its socket, and
 * what it is told is thrown away.
 */
#include "postgres.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/latch.h"

#include "../fuzz.h"
#include "common/bytes.h"

extern ClairBytes fuzz_helper_words;
extern int fuzz_helper_status;

static int helper_end = -1; /* of the socket */

static int
take_socket(posix_spawn_file_actions_t *actions, int from, int to)
{
	if (to == 3)
		helper_end = dup(from);
	return 0;
}

/* Everything is said at once. */
static int
start_nothing(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
			  const posix_spawnattr_t *attributes, char *const *arguments, char *const *environment)
{
	*pid = 1;
	require(helper_end >= 0);
	require(fuzz_helper_words.size == 0 ||
			write(helper_end, fuzz_helper_words.data, fuzz_helper_words.size) ==
				(ssize_t) fuzz_helper_words.size);
	shutdown(helper_end, SHUT_WR);
	return 0;
}

static pid_t
reap_nothing(pid_t pid, int *status, int options)
{
	if (helper_end >= 0)
		close(helper_end);
	helper_end = -1;
	*status = fuzz_helper_status;
	return pid;
}

static int
kill_nothing(pid_t pid, int signal_number)
{
	return 0;
}

int
WaitLatchOrSocket(Latch *latch, int events, pgsocket sock, long timeout, uint32 info)
{
	char buffer[4096];

	require((events & WL_SOCKET_WRITEABLE) != 0); /* there is always something to read */
	while (recv(helper_end, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
		;
	return WL_SOCKET_WRITEABLE;
}

#define posix_spawn_file_actions_adddup2 take_socket
#define posix_spawn						 start_nothing
#define waitpid							 reap_nothing
#define kill							 kill_nothing

#include "server/helper.c"
