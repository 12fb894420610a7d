/*
 * Does what somebody would do with a helper that he has taken over, after giving up what that
 * helper gives up. Started by 020_helpers.pl as a helper; arguments: the helper's name, what holds
 * it (seccomp, landlock or both), and what to try. The exit status is the errno of the attempt, or
 * 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/connection.h"
#include "common/landlock.h"
#include "common/sandbox.h"
#include "fetch/profile.h"
#include "reader/profile.h"

#define BROKEN	  200 /* exit statuses that are no errno: something is wrong that should work */
#define NO_SUCH	  201 /* of this program's arguments */
#define NOT_BEGUN 202

/* What clair-reader does all the time. */
static int
use_memory(void)
{
	struct stat file;
	char *piece = malloc(10 * 1024 * 1024);
	char byte;

	if (piece == NULL || fstat(WIRE_INPUT, &file) != 0 || read(WIRE_INPUT, &byte, 1) < 0)
		return BROKEN;
	memset(piece, 1, 10 * 1024 * 1024);
	piece = realloc(piece, 20 * 1024 * 1024);
	free(piece);
	return piece != NULL ? 0 : BROKEN;
}

static void *
run_thread(void *context)
{
	return context;
}

/* What clair-fetch does for every name: a thread that asks the system for it. */
static int
use_names(void)
{
	struct addrinfo *addresses;
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_thread, NULL) != 0 || pthread_join(thread, NULL) != 0 ||
		getaddrinfo("localhost", "80", NULL, &addresses) != 0)
		return BROKEN;
	freeaddrinfo(addresses);
	return 0;
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

/* Whether a call worked: 0, or its errno. */
static int
outcome(long result)
{
	return result >= 0 ? 0 : errno;
}

static int
open_socket(int domain, bool binds)
{
	struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/nowhere"};
	int made = socket(domain, SOCK_STREAM, 0);

	if (made < 0)
		return errno;
	if (binds)
		return outcome(bind(made, (struct sockaddr *) &port, sizeof(port)));
	port.sin_port = htons(1);
	return outcome(domain == AF_UNIX ? connect(made, (struct sockaddr *) &path, sizeof(path))
									 : connect(made, (struct sockaddr *) &port, sizeof(port)));
}

static int
start_program(void)
{
	char *arguments[] = {"true", NULL};

	return outcome(execv("/bin/true", arguments));
}

/*
 * As fork() does; but that of glibc 2.43 holds all signals back meanwhile, so that the kernel ends
 * the process before its handler has said why.
 */
static int
start_process(void)
{
	return outcome((int) syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

/* A pair of sockets can be connected to something else when they are for datagrams. */
static int
make_pair(int type)
{
	int sockets[2];

	return outcome(socketpair(AF_UNIX, type, 0, sockets));
}

static int
map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
			   ? errno
			   : 0;
}

static int
attempt(const char *what)
{
	char start = 0;

#define IF(word, expression)                                                                       \
	if (strcmp(what, word) == 0)                                                                   \
	return expression
	IF("memory", use_memory());
	IF("names", use_names());
	IF("open", outcome(open("/etc/passwd", O_RDONLY)));
	IF("list", outcome(open("/", O_RDONLY | O_DIRECTORY)));
	IF("open hosts", outcome(open("/etc/hosts", O_RDONLY)));
	IF("write", outcome(open("/etc/hosts", O_WRONLY)));
	IF("create", outcome(open("/tmp/filter-probe", O_RDONLY | O_CREAT, 0600)));
	IF("unnamed", outcome(open("/tmp", O_WRONLY | O_TMPFILE, 0600)));
	IF("remove", outcome(unlink("/tmp/filter-probe")));
	IF("folder", outcome(mkdir("/tmp/filter-probe", 0700)));
	IF("rename", outcome(rename("/tmp/filter-probe", "/tmp/filter-probe-2")));
	IF("mode", outcome(chmod("/etc/hosts", 0600)));
	IF("connect", open_socket(AF_INET, false));
	IF("bind", open_socket(AF_INET, true));
	IF("unix", open_socket(AF_UNIX, false));
	IF("pair", make_pair(SOCK_STREAM));
	IF("datagrams", make_pair(SOCK_DGRAM));
	IF("listen", outcome(listen(WIRE_SOCKET, 1)));
	IF("exec", start_program());
	IF("fork", start_process());
	IF("trace", outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)));
	IF("kill", outcome(kill(getppid(), 0)));
	IF("owner", outcome(fcntl(WIRE_SOCKET, F_SETOWN, getppid())));
	IF("code", map_code());
	IF("abort", (abort(), 0));
	IF("stack", overflow_stack(&start));
#undef IF
	return NO_SUCH;
}

/* Holds us by what the argument says. */
static ClairStatus
enter(const SandboxProfile *profile, const char *by, ClairError *error)
{
	LandlockAccess access = {profile->readable, NULL, profile->connects};
	SandboxState state;
	Job job = {NULL, 0};

	if (strcmp(by, "both") == 0)
		return sandbox_enter(&job, profile, NULL, &state, error);
	if (strcmp(by, "landlock") == 0)
		return landlock_enter(landlock_version(), &access, error);
	return filter_enter(profile->program, profile->rules, profile->rule_count, error);
}

int
main(int count, char **arguments)
{
	const SandboxProfile *profile;
	Connection *connection;
	ClairError error;

	if (count == 2 && strcmp(arguments[1], "version") == 0)
		return landlock_version();
	if (count == 2 && strcmp(arguments[1], "seccomp") == 0)
		return filter_is_available();
	if (count != 4)
		return NO_SUCH;
	profile = strcmp(arguments[1], "clair-fetch") == 0 ? &fetch_profile : &reader_profile;
	if (sandbox_begin(WIRE_SOCKET, &error) != CLAIR_OK ||
		connection_open(WIRE_SOCKET, "filter-probe", &connection, &error) != CLAIR_OK ||
		connection_flush(connection, &error) != CLAIR_OK ||
		enter(profile, arguments[2], &error) != CLAIR_OK)
		_exit(NOT_BEGUN);
	_exit(attempt(arguments[3]));
}
