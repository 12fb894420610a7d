/*
 * sandbox.c
 *    What a helper gives up, before a byte from outside is read; see sandbox.h.
 *
 * No helper may die by a signal where it can help it. In a container the postmaster is often
 * process 1: it inherits a killed backend's helper, and takes an unknown child that a signal
 * ended for a crashed backend, for which it restarts all sessions. So every signal that has a
 * handler ends in _exit(), the parent's death and our own crashes among them.
 */
#include "common/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "common/landlock.h"

#define CRASH_STACK_SIZE 65536 /* the handler runs even when the stack has overflowed */

static void
end(int signal)
{
	(void) signal;
	_exit(1);
}

#ifndef SANDBOX_SANITIZER
static void
crash(int signal)
{
	_exit(SANDBOX_CRASH_STATUS + signal);
}
#endif

static void
handle(int signal, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

	sigfillset(&action.sa_mask);
	sigaction(signal, &action, NULL);
}

static void
handle_signals(void)
{
	static const int ends[] = {SIGHUP,	SIGINT,	 SIGQUIT, SIGTERM, SIGALRM,
							   SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ, SIGVTALRM};
	sigset_t none;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		handle(ends[i], end);
	/*
	 * A write to a socket whose other end has gone is an error of that write. When it is the
	 * server's, the helper exits; a web server's concerns one transfer only.
	 */
	handle(SIGPIPE, SIG_IGN);
#ifndef SANDBOX_SANITIZER
	static const int crashes[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
	static char stack[CRASH_STACK_SIZE];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};

	sigaltstack(&alternate, NULL);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		handle(crashes[i], crash);
#endif
	/* A backend may start us while it holds some signals off. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* For systems without close_range(): closes what the list of open descriptors names. */
static ClairStatus
close_listed(int first, ClairError *error)
{
	DIR *list = opendir("/proc/self/fd");
	struct dirent *entry;

	if (list == NULL)
		list = opendir("/dev/fd");
	if (list == NULL)
		return clair_error(error, CLAIR_IO, "could not list open descriptors: %s", strerror(errno));
	while ((entry = readdir(list)) != NULL)
	{
		int descriptor = atoi(entry->d_name);

		if (descriptor >= first && descriptor != dirfd(list))
			close(descriptor);
	}
	closedir(list);
	return CLAIR_OK;
}

static ClairStatus
close_descriptors(int first, ClairError *error)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned) first, ~0U, 0) == 0)
		return CLAIR_OK;
#endif
	return close_listed(first, error);
}

#ifdef __linux__

/* When memory runs out, we go first; as good as can be, since there may be no /proc. */
static void
volunteer_for_oom(void)
{
	int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (file < 0)
		return;
	if (write(file, "1000", 4) != 4)
	{
		/* A container may forbid it; nothing depends on it. */
	}
	close(file);
}

/*
 * The socket pair was made by the process that started us. Should it have died before we asked
 * for the signal of its death, then somebody else is our parent now.
 */
static ClairStatus
follow_parent(int socket, ClairError *error)
{
	struct ucred creator;
	socklen_t size = sizeof(creator);

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		return clair_error(error, CLAIR_IO, "could not ask for the parent's death signal: %s",
						   strerror(errno));
	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &creator, &size) != 0)
		return clair_error(error, CLAIR_IO, "descriptor %d is not the server's socket: %s", socket,
						   strerror(errno));
	if (creator.pid != getppid())
		_exit(1);
	return CLAIR_OK;
}

static ClairStatus
give_up_privileges(ClairError *error)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
		return clair_error(error, CLAIR_IO, "could not give up privileges: %s", strerror(errno));
	return CLAIR_OK;
}

#endif

/* Lowers a limit, the hard one too: what we become cannot raise it again. */
static ClairStatus
lower(int resource, const char *name, int64_t value, ClairError *error)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		return clair_error(error, CLAIR_IO, "could not read the limit of %s: %s", name,
						   strerror(errno));
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > (rlim_t) value)
		limit.rlim_max = (rlim_t) value;
	limit.rlim_cur = limit.rlim_max;
	/* The soft limit's signal comes first; the hard limit's would be SIGKILL. */
	if (resource == RLIMIT_CPU && limit.rlim_cur > 1)
		limit.rlim_cur--;
	if (setrlimit(resource, &limit) != 0)
		return clair_error(error, CLAIR_IO, "could not limit %s: %s", name, strerror(errno));
	return CLAIR_OK;
}

ClairStatus
sandbox_begin(int socket, ClairError *error)
{
	handle_signals();
	if (close_descriptors(socket + 1, error) != CLAIR_OK)
		return error->status;
#ifdef __linux__
	volunteer_for_oom();
	if (follow_parent(socket, error) != CLAIR_OK || give_up_privileges(error) != CLAIR_OK)
		return error->status;
#endif
	return lower(RLIMIT_CORE, "core dumps", 0, error);
}

ClairStatus
sandbox_limit(const SandboxLimits *limits, ClairError *error)
{
#ifndef SANDBOX_SANITIZER
	if (lower(RLIMIT_AS, "memory", limits->memory, error) != CLAIR_OK)
		return error->status;
#endif
	if (lower(RLIMIT_FSIZE, "file size", limits->file_size, error) != CLAIR_OK ||
		lower(RLIMIT_NOFILE, "open files", limits->descriptors, error) != CLAIR_OK)
		return error->status;
	return lower(RLIMIT_CPU, "processor time", limits->seconds, error);
}

/* What this kernel can do for us. */
static SandboxState
available(void)
{
	return (SandboxState){.seccomp = filter_is_available(), .landlock = landlock_version()};
}

static ClairStatus
report_missing(const char *program, const char *what, ClairError *error)
{
	clair_error(error, CLAIR_UNSUPPORTED, "%s is required to run in a sandbox, but there is no %s",
				program, what);
	clair_error_hint(error, "Linux has seccomp filters and, since 5.13, Landlock, unless they are "
							"switched off. With clair.sandbox = auto, what there is suffices.");
	return error->status;
}

ClairStatus
sandbox_enter(const Job *job, const SandboxProfile *profile, const char *const *further,
			  SandboxState *state, ClairError *error)
{
	ClairBytes mode = job_text(job, "sandbox");
	bool is_required = clair_bytes_equal(mode, CLAIR_LITERAL("required"));
	LandlockAccess access = {profile->readable, further, profile->connects};

	*state = (SandboxState){0};
	if (clair_bytes_equal(mode, CLAIR_LITERAL("off")))
		return CLAIR_OK;
	if (mode.data != NULL && !is_required && !clair_bytes_equal(mode, CLAIR_LITERAL("auto")))
		return clair_error(error, CLAIR_PROTOCOL,
						   "malformed job: \"sandbox\" is neither auto, required nor off");
	*state = available();
	if (is_required && !state->seccomp)
		return report_missing(profile->program, "seccomp", error);
	if (is_required && state->landlock == 0)
		return report_missing(profile->program, "Landlock", error);
	/* Of system calls last: those of Landlock are given up, too. */
	if (state->landlock > 0 && landlock_enter(state->landlock, &access, error) != CLAIR_OK)
		return error->status;
	if (state->seccomp)
		return filter_enter(profile->program, profile->rules, profile->rule_count, error);
	return CLAIR_OK;
}

ClairStatus
sandbox_report(const SandboxState *state, const ClairSink *sink, ClairError *error)
{
	char landlock[12];
	ClairBytes fields[] = {state->seccomp ? CLAIR_LITERAL("1") : CLAIR_LITERAL("0"),
						   CLAIR_NULL_BYTES};

	snprintf(landlock, sizeof(landlock), "%d", state->landlock);
	fields[1] = clair_bytes(landlock);
	return sink->row(sink->context, WIRE_SANDBOX, fields, 2, error);
}
