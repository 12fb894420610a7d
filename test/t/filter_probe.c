/*
 * Does what somebody would do with a helper that he has taken over, after giving up what that
 * helper gives up. Started by 021_sandbox.pl as a helper; arguments: the helper's name, what holds
 * it (seccomp, landlock, auto or required), and what to try: a word of attempt(), or the name of a
 * system call. The exit status is the errno of the attempt, or 0.
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
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/netlink.h>

#include "common/connection.h"
#include "common/landlock.h"
#include "common/sandbox.h"
#include "fetch/profile.h"
#include "reader/profile.h"

#define BROKEN	  200 /* exit statuses that are no errno: something is wrong that should work */
#define NO_SUCH	  201 /* of this program's arguments */
#define NOT_BEGUN 202

/* The process that started us, or "the server". */
static pid_t server;

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

/* Opens a file of the process that started us. */
static int
open_of_server(const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int) server, name);
	return outcome(open(path, flags));
}

/* Writes to every descriptor but the socket: all there are have been given to be read. */
static int
write_elsewhere(void)
{
	for (int descriptor = 0; descriptor < 1024; descriptor++)
		if (descriptor != WIRE_SOCKET && descriptor != STDOUT_FILENO &&
			descriptor != STDERR_FILENO && (write(descriptor, "x", 1) >= 0 || errno != EBADF))
			return BROKEN;
	return EBADF;
}

/* Sends a datagram to a port of this machine. */
static int
send_datagram(void)
{
	struct sockaddr_in port = {.sin_family = AF_INET,
							   .sin_port = htons(9),
							   .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int made = socket(AF_INET, SOCK_DGRAM, 0);

	return made < 0 ? errno
					: outcome(sendto(made, "x", 1, 0, (struct sockaddr *) &port, sizeof(port)));
}

/* Calls that no helper makes, by their names; that they are made at all is what is refused. */
static const struct
{
	const char *name;
	long number;
} calls[] = {
#define CALL(name) {#name, SYS_##name},
	CALL(accept4) CALL(acct) CALL(add_key) CALL(adjtimex) CALL(bpf) CALL(capset) CALL(chdir) CALL(
		chroot) CALL(clock_settime) CALL(copy_file_range) CALL(delete_module) CALL(execveat)
		CALL(fallocate) CALL(fanotify_init) CALL(fchdir) CALL(fchmod) CALL(fchown) CALL(
			finit_module) CALL(flock) CALL(init_module) CALL(inotify_init1) CALL(io_setup)
			CALL(io_uring_enter) CALL(io_uring_register) CALL(ioprio_set) CALL(kcmp) CALL(
				kexec_load) CALL(keyctl) CALL(linkat) CALL(memfd_create) CALL(migrate_pages)
				CALL(mknodat) CALL(mount) CALL(move_pages) CALL(mq_open) CALL(msgget) CALL(
					name_to_handle_at) CALL(open_by_handle_at) CALL(open_tree) CALL(perf_event_open)
					CALL(personality) CALL(pidfd_getfd) CALL(pidfd_open) CALL(pidfd_send_signal)
						CALL(pivot_root) CALL(process_vm_readv) CALL(process_vm_writev) CALL(
							quotactl) CALL(reboot) CALL(request_key) CALL(rt_sigqueueinfo)
							CALL(rt_tgsigqueueinfo) CALL(sched_setaffinity) CALL(sched_setscheduler)
								CALL(seccomp) CALL(semget) CALL(semtimedop) CALL(sendfile)
									CALL(setgid) CALL(setgroups) CALL(sethostname) CALL(setns) CALL(
										setpgid) CALL(setpriority) CALL(setresuid) CALL(setrlimit)
										CALL(setsid) CALL(settimeofday) CALL(setuid) CALL(setxattr)
											CALL(shmat) CALL(shmget) CALL(signalfd4) CALL(splice)
												CALL(swapon) CALL(symlinkat) CALL(syslog) CALL(tee)
													CALL(timer_create) CALL(timerfd_create)
														CALL(tkill) CALL(truncate) CALL(umask)
															CALL(umount2) CALL(unshare)
																CALL(userfaultfd) CALL(utimensat)
																	CALL(vmsplice)
#undef CALL
};

/* Makes a call by its name, without arguments that could do anything. */
static int
make_call(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, name) == 0)
			return outcome(syscall(calls[i].number, -1L, 0L, 0L, 0L, 0L, 0L));
	return NO_SUCH;
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
	IF("trace", outcome(ptrace(PTRACE_ATTACH, server, NULL, NULL)));
	IF("kill", outcome(kill(server, 0)));
	IF("kill all", outcome(kill(-1, 0)));
	IF("thread", outcome(syscall(SYS_tgkill, server, server, 0)));
	IF("own thread", outcome(syscall(SYS_tgkill, getpid(), gettid(), SIGKILL)));
	IF("clone3", outcome(syscall(SYS_clone3, NULL, 0)));
	IF("io_uring", outcome(syscall(SYS_io_uring_setup, 1, NULL)));
	IF("openat2", outcome(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", NULL, 0)));
	IF("dumpable", outcome(prctl(PR_SET_DUMPABLE, 1)));
	IF("orphan", outcome(prctl(PR_SET_PDEATHSIG, 0)));
	IF("limit", outcome(syscall(SYS_prlimit64, 0, RLIMIT_AS, &(struct rlimit){1, 1}, NULL)));
	IF("limit of server",
	   outcome(syscall(SYS_prlimit64, server, RLIMIT_AS, &(struct rlimit){1, 1}, NULL)));
	IF("terminal", outcome(ioctl(STDOUT_FILENO, TIOCSTI, "x")));
	IF("own memory", outcome(open("/proc/self/mem", O_RDWR)));
	IF("read own memory", outcome(open("/proc/self/mem", O_RDONLY)));
	IF("server's memory", open_of_server("mem", O_RDONLY));
	IF("server's environment", open_of_server("environ", O_RDONLY));
	IF("server's file", open_of_server("fd/0", O_RDONLY));
	IF("input", outcome(open("/proc/self/fd/0", O_WRONLY)));
	IF("elsewhere", write_elsewhere());
	IF("datagram", send_datagram());
	IF("raw", outcome(socket(AF_INET, SOCK_RAW, IPPROTO_TCP)));
	IF("packet", outcome(socket(AF_PACKET, SOCK_RAW, 0)));
	IF("vsock", outcome(socket(AF_VSOCK, SOCK_STREAM, 0)));
	IF("audit", outcome(socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT)));
	IF("keys", outcome(socket(AF_ALG, SOCK_SEQPACKET, 0)));
	IF("owner", outcome(fcntl(WIRE_SOCKET, F_SETOWN, server)));
	IF("code", map_code());
	IF("abort", (abort(), 0));
	IF("stack", overflow_stack(&start));
#undef IF
	return make_call(what);
}

/* Holds us by what the argument says. */
static ClairStatus
enter(const SandboxProfile *profile, const char *by, ClairError *error)
{
	LandlockAccess access = {profile->readable, NULL, profile->connects};
	SandboxState state;
	ClairBytes fields[] = {CLAIR_LITERAL("sandbox"), clair_bytes(by)};
	Job job = {fields, 2};

	if (strcmp(by, "auto") == 0 || strcmp(by, "required") == 0)
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
	server = getppid();
	profile = strcmp(arguments[1], "clair-fetch") == 0 ? &fetch_profile : &reader_profile;
	if (sandbox_begin(WIRE_SOCKET, &error) != CLAIR_OK ||
		connection_open(WIRE_SOCKET, "filter-probe", &connection, &error) != CLAIR_OK ||
		connection_flush(connection, &error) != CLAIR_OK ||
		enter(profile, arguments[2], &error) != CLAIR_OK)
		_exit(NOT_BEGUN);
	_exit(attempt(arguments[3]));
}
