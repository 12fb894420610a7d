/*
 * filter.c
 *    The seccomp allow-list of clair-reader; see filter.h.
 *
 * Without it, hostile bytes that take over a reader could trace the postmaster, which has the
 * same user id. The list was found by running the tests: a forbidden call is a last word that
 * names its number, so that one which a library makes on another system is seen at once.
 *
 * A violation is SCMP_ACT_TRAP: the kernel sends SIGSYS, whose handler says what happened and
 * exits. The KILL actions would be a death by signal, which a postmaster that is process 1
 * takes for a crashed backend (sandbox.c); an errno for everything would let a library go on
 * in ways that nobody has thought of. The exception are calls that look for files: libraries
 * cope with files that are not there (time zones, character sets, /proc), as in a chroot.
 */
#include "reader/filter.h"

#include "common/sandbox.h"

#if defined(__linux__) && !defined(SANDBOX_SANITIZER)

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <seccomp.h>

#include "common/wire.h"

/* The most frequent ones first. */
static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(recvmsg),
	SCMP_SYS(lseek),
	SCMP_SYS(fstat),
	SCMP_SYS(close),
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(getrandom),
	SCMP_SYS(sysinfo), /* qsort() of the C library asks how much memory there is */
	SCMP_SYS(getpid),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	/* abort(): its SIGABRT, allowed below, and words on standard error */
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(gettid),
	SCMP_SYS(writev),
};

/* Fail as if there was no such file. */
static const int absent[] = {
	SCMP_SYS(open),	  SCMP_SYS(openat),		SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(stat),	  SCMP_SYS(lstat),		SCMP_SYS(statx),  SCMP_SYS(readlink),
	SCMP_SYS(getcwd), SCMP_SYS(readlinkat),
};

/* Appends a number in decimal: the handler of a signal must not call snprintf(). */
static char *
append_number(char *to, unsigned number)
{
	char digits[12];
	size_t at = sizeof(digits);

	do
	{
		digits[--at] = (char) ('0' + number % 10);
		number /= 10;
	} while (number != 0);
	memcpy(to, digits + at, sizeof(digits) - at);
	return to + sizeof(digits) - at;
}

/*
 * Says that a system call was refused, and ends. The call was made by this one thread, so no
 * write to the socket is under way, and the server has received whole frames only
 * (connection.c); those that were still collected do not matter any more.
 */
static void
report_violation(int signal, siginfo_t *information, void *context)
{
	static const char words[] = "clair-reader was refused system call ";
	static const char hint[] = "This is a defect of clair, or the input exploits one of a library "
							   "that it uses.";
	char message[sizeof(words) + 12];
	char status[12];
	char frame[512];
	ClairBytes fields[] = {{status, 0}, {message, 0}, CLAIR_NULL_BYTES, CLAIR_LITERAL(hint)};
	size_t size;

	(void) signal;
	(void) context;
	fields[0].size = (size_t) (append_number(status, CLAIR_UNSUPPORTED) - status);
	memcpy(message, words, sizeof(words));
	fields[1].size = (size_t) (append_number(message + sizeof(words) - 1,
											 (unsigned) information->si_syscall) -
							   message);
	size = wire_frame_size(fields, 4);
	wire_frame(frame, WIRE_ERROR, 0, fields, 4);
	for (size_t sent = 0; sent < size;)
	{
		ssize_t written = write(WIRE_SOCKET, frame + sent, size - sent);

		if (written <= 0)
			break;
		sent += (size_t) written;
	}
	_exit(1);
}

static int
add_rules(scmp_filter_ctx filter)
{
	int result = 0;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && result == 0; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]) && result == 0; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOENT), absent[i], 0);
	/* Memory, but none that can be executed. */
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
								  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* What fstat() is on some systems; a path cannot be told from an empty one. */
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
								  SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOENT), SCMP_SYS(newfstatat), 1,
								  SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0));
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2,
								  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t) getpid(), 0),
								  SCMP_A2(SCMP_CMP_EQ, SIGABRT, 0));
	return result;
}

ClairStatus
filter_enter(ClairError *error)
{
	struct sigaction action = {.sa_sigaction = report_violation,
							   .sa_flags = SA_SIGINFO | SA_ONSTACK};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int result;

	if (filter == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	sigfillset(&action.sa_mask);
	sigaction(SIGSYS, &action, NULL);
	/* Calls by another architecture's numbers are trapped like others, not killed. */
	result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP);
	if (result == 0)
		result = add_rules(filter);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	if (result != 0)
	{
		clair_error(error, CLAIR_IO, "could not give up system calls: %s", strerror(-result));
		clair_error_hint(error, "clair-reader needs a Linux kernel with seccomp filters.");
		return error->status;
	}
	return CLAIR_OK;
}

#else

/* Other systems have no such filter; sanitizers make calls that it does not know. */
ClairStatus
filter_enter(ClairError *error)
{
	(void) error;
	return CLAIR_OK;
}

#endif
