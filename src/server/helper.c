/*
 * helper.c
 *    Starting clair-reader and clair-fetch, talking to them, ending them.
 *
 * The backend is the helper's parent and reaps it by pid. A helper is started in a process
 * group of its own: the server's signals to a backend's group (a cancel's SIGINT, a crash's
 * SIGQUIT) must not reach it, for in a container the postmaster is often process 1, inherits
 * a dead backend's helper, and would take one that died by a signal for a crashed backend.
 * The helper itself asks for SIGTERM when its parent dies, and exits on it.
 */
#include "postgres.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "common/fault.h"
#include "server/compat.h"
#include "server/helper.h"
#include "server/settings.h"

#define FIRST_BUFFER_SIZE (256 * 1024)
#define MAX_FIELDS		  (1024 * 1024)
#define MAX_JOB_FIELDS	  64
#define MAX_TEXT		  (16 * 1024)

/* Exit statuses above it are signals: SANDBOX_CRASH_STATUS of common/sandbox.h, the helpers' own.
 */
#define CRASH_STATUS 128

struct Helper
{
	const char *program;
	pid_t pid;	/* 0 once reaped */
	int socket; /* -1 once closed */
	char *buffer;
	size_t buffer_size;
	size_t start; /* of what has not been taken yet */
	size_t end;	  /* of what has been received */
	ClairBytes *fields;
	uint32 field_capacity;
	TimestampTz since; /* when waiting for a frame, or to send one, began; 0: it has not */
	MemoryContext context;
	MemoryContextCallback callback;
};

static void
EndHelperCallback(void *argument)
{
	EndHelper((Helper *) argument);
}

/* Reaps the process; its wait status. */
static int
ReapHelper(Helper *helper)
{
	int status = 0;

	while (waitpid(helper->pid, &status, 0) < 0 && errno == EINTR)
		;
	helper->pid = 0;
	return status;
}

void
EndHelper(Helper *helper)
{
	if (helper->socket >= 0)
	{
		close(helper->socket);
		ReleaseExternalFD();
		helper->socket = -1;
	}
	if (helper->pid > 0)
	{
		/* We are its parent and reap it here: nobody else sees this signal's mark. */
		kill(helper->pid, SIGKILL);
		ReapHelper(helper);
	}
}

/*
 * Reaps a process that has closed its socket, and so should be on its way out. One that stays is
 * waited for as long as for any sign of life, and can be cancelled meanwhile; then it is killed.
 */
static int
AwaitExit(Helper *helper)
{
	TimestampTz since = GetCurrentTimestamp();

	for (;;)
	{
		int status = 0;

		if (waitpid(helper->pid, &status, WNOHANG) == helper->pid)
		{
			helper->pid = 0;
			return status;
		}
		if (TimestampDifferenceExceeds(since, GetCurrentTimestamp(), clair_helper_timeout * 1000))
		{
			kill(helper->pid, SIGKILL);
			return ReapHelper(helper);
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 1L,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* The path of a program in the folder of this library. */
static char *
ProgramPath(const char *program)
{
	Dl_info library;
	char folder[MAXPGPATH];

	if (dladdr((void *) StartHelper, &library) == 0 || library.dli_fname == NULL)
		elog(ERROR, "could not find the path of the clair library");
	strlcpy(folder, library.dli_fname, sizeof(folder));
	get_parent_directory(folder);
	return psprintf("%s/%s", folder, program);
}

/* Starts the process with exactly the descriptors that it may have. */
static void
SpawnHelper(Helper *helper, int input, int child_socket)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;
	char *path = ProgramPath(helper->program);
	char *arguments[] = {(char *) helper->program, NULL};
	char *environment[] = {NULL};
	int result;

	posix_spawn_file_actions_init(&actions);
	if (input >= 0)
		posix_spawn_file_actions_adddup2(&actions, input, WIRE_INPUT);
	else
		posix_spawn_file_actions_addopen(&actions, WIRE_INPUT, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, child_socket, WIRE_SOCKET);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
	posix_spawn_file_actions_addclosefrom_np(&actions, WIRE_SOCKET + 1);
#endif
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
											  POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&attributes, 0);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attributes, &signals);
	sigfillset(&signals);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	result = posix_spawn(&helper->pid, path, &actions, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (result != 0)
	{
		helper->pid = 0;
		errno = result;
		ereport(ERROR, (errcode(ERRCODE_SYSTEM_ERROR), errmsg("could not start \"%s\": %m", path),
						errhint("The program is installed beside the clair library; reinstall "
								"the extension.")));
	}
}

/* The signal that a process died of, or made an exit status of (common/sandbox.c); 0: none. */
static int
SignalOf(int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	return WEXITSTATUS(status) > CRASH_STATUS ? WEXITSTATUS(status) - CRASH_STATUS : 0;
}

/* Raises what is known of a helper that ended without a last word. */
pg_noreturn static void
ReportEnd(Helper *helper)
{
	int status;

	/* Its socket is at its end, but the process may linger. */
	kill(helper->pid, SIGTERM);
	status = AwaitExit(helper);
	if (SignalOf(status) != 0)
		ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
						errmsg("%s was terminated by signal %d: %s", helper->program,
							   SignalOf(status), pg_strsignal(SignalOf(status))),
						SignalOf(status) == SIGKILL
							? errhint("The statement had no effect. When memory runs out, the "
									  "system ends such a process first: its log may say so.")
							: errhint("The statement had no effect. If this happens again with "
									  "the same input, please report it with that input.")));
	ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
					errmsg("%s ended unexpectedly with exit status %d", helper->program,
						   WEXITSTATUS(status)),
					errhint("The statement had no effect. If clair.reader_memory is small, raise "
							"it.")));
}

pg_noreturn static void
ReportNonsense(Helper *helper, const char *what)
{
	EndHelper(helper);
	ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
					errmsg("%s sent an invalid frame: %s", helper->program, what),
					errhint("If the extension was updated just now, reconnect: library and helper "
							"must be of one version.")));
}

/* Ends a helper that has been waited for too long. */
static void
CheckPatience(Helper *helper)
{
	if (!TimestampDifferenceExceeds(helper->since, GetCurrentTimestamp(),
									clair_helper_timeout * 1000))
		return;
	EndHelper(helper);
	ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
					errmsg("%s said nothing for %d seconds and was ended", helper->program,
						   clair_helper_timeout),
					errhint("See clair.helper_timeout.")));
}

/*
 * Waits until the socket is ready; ERROR when the frame has been waited for longer than
 * clair.helper_timeout, whether some bytes of it have come or not.
 */
static void
WaitForHelper(Helper *helper, int event)
{
	int ready = 0;

	if (helper->since == 0)
		helper->since = GetCurrentTimestamp();
	while ((ready & event) == 0)
	{
		CheckPatience(helper);
		ready = WaitLatchOrSocket(MyLatch, WL_LATCH_SET | event | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
								  helper->socket, 1000L, PG_WAIT_EXTENSION);
		if (ready & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			CHECK_FOR_INTERRUPTS();
		}
	}
}

/* Receives some more bytes; false at the end of the socket. */
static bool
ReceiveSome(Helper *helper)
{
	for (;;)
	{
		ssize_t received = recv(helper->socket, helper->buffer + helper->end,
								helper->buffer_size - helper->end, MSG_DONTWAIT);

		if (received > 0)
		{
			helper->end += (size_t) received;
			return true;
		}
		if (received == 0 || (errno != EAGAIN && errno != EINTR))
			return false;
		if (errno != EINTR)
			WaitForHelper(helper, WL_SOCKET_READABLE);
	}
}

/* Makes sure that size bytes are there, one after the other. */
static void
ReceiveBytes(Helper *helper, size_t size)
{
	if (helper->start == helper->end)
		helper->start = helper->end = 0;
	if (helper->start + size > helper->buffer_size)
	{
		memmove(helper->buffer, helper->buffer + helper->start, helper->end - helper->start);
		helper->end -= helper->start;
		helper->start = 0;
	}
	if (size > helper->buffer_size)
	{
		helper->buffer = repalloc(helper->buffer, size);
		helper->buffer_size = size;
	}
	while (helper->end - helper->start < size)
	{
		if (!ReceiveSome(helper))
			ReportEnd(helper);
	}
}

char *
TextOfField(ClairBytes field)
{
	if (field.data == NULL)
		return NULL;
	return pnstrdup(field.data, pg_mbcliplen(field.data, (int) field.size, MAX_TEXT));
}

static int
ErrorCodeOf(int64 status)
{
	switch (status)
	{
		case CLAIR_INVALID:
			return ERRCODE_DATA_EXCEPTION;
		case CLAIR_LIMIT:
			return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		case CLAIR_UNSUPPORTED:
			return ERRCODE_FEATURE_NOT_SUPPORTED;
		case CLAIR_MISSING:
			return ERRCODE_UNDEFINED_OBJECT;
		case CLAIR_AMBIGUOUS:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case CLAIR_MEMORY:
			return ERRCODE_OUT_OF_MEMORY;
		case CLAIR_PROTOCOL:
			return ERRCODE_PROTOCOL_VIOLATION;
		default:
			return ERRCODE_IO_ERROR;
	}
}

/* Turns a helper's last words into an ERROR. */
pg_noreturn static void
ReportLastWords(Helper *helper, const HelperFrame *frame)
{
	int64 status;

	if (frame->count != 4 || !wire_integer(frame->fields[0], &status) ||
		!wire_fields_are_text(frame->fields, frame->count) || frame->fields[1].data == NULL)
		ReportNonsense(helper, "malformed error");
	EndHelper(helper);
	ereport(ERROR, (errcode(ErrorCodeOf(status)), errmsg("%s", TextOfField(frame->fields[1])),
					frame->fields[2].size > 0 ? errdetail("%s", TextOfField(frame->fields[2])) : 0,
					frame->fields[3].size > 0 ? errhint("%s", TextOfField(frame->fields[3])) : 0));
}

/* Checks what all frames of a type have in common. */
static void
CheckFrame(Helper *helper, const HelperFrame *frame, uint8 tag)
{
	const char *problem = NULL;

	switch (frame->type)
	{
		case WIRE_ROW:
			if (tag >= WIRE_RELATION_COUNT)
				problem = "row of an unknown relation";
			else
				problem = wire_row_problem(frame->relation, frame->fields, frame->count);
			break;
		case WIRE_HELLO:
			if (frame->count != 2)
				problem = "malformed greeting";
			break;
		case WIRE_BLOB:
			if (frame->count != 1 || frame->fields[0].data == NULL)
				problem = "malformed question";
			break;
		case WIRE_PROGRESS:
		case WIRE_KNOWN:
		case WIRE_TRANSFERRED:
			if (!wire_fields_are_text(frame->fields, frame->count))
				problem = "not valid text";
			break;
		case WIRE_DONE:
		case WIRE_ERROR:
			break;
		default:
			problem = "unknown type";
	}
	if (problem != NULL)
		ReportNonsense(helper, problem);
}

/* Takes the next frame off the socket, as it is. */
static void
ReceiveRawFrame(Helper *helper, HelperFrame *frame)
{
	WireHeader header;

	helper->since = 0;
	ReceiveBytes(helper, sizeof(header));
	memcpy(&header, helper->buffer + helper->start, sizeof(header));
	if (header.size > WIRE_MAX_FRAME)
		ReportNonsense(helper, "it is too large");
	if (header.fields > MAX_FIELDS || header.fields * sizeof(uint32) > header.size)
		ReportNonsense(helper, "it has too many fields");
	ReceiveBytes(helper, sizeof(header) + header.size);
	if (header.fields > helper->field_capacity)
	{
		helper->field_capacity = header.fields;
		helper->fields = repalloc(helper->fields, sizeof(ClairBytes) * header.fields);
	}
	frame->type = header.type;
	frame->relation = header.tag;
	frame->count = header.fields;
	frame->fields = helper->fields;
	if (!wire_fields((ClairBytes){helper->buffer + helper->start + sizeof(header), header.size},
					 header.fields, helper->fields))
		ReportNonsense(helper, "its fields do not fill it");
	helper->start += sizeof(header) + header.size;
	CheckFrame(helper, frame, header.tag);
}

/* After WIRE_DONE the process has nothing left to do but to exit with success. */
static void
ExpectExit(Helper *helper)
{
	bool is_silent = helper->start == helper->end;
	int status;

	helper->start = helper->end = 0;
	helper->since = 0;
	if (!is_silent || ReceiveSome(helper))
		ReportNonsense(helper, "it comes after the last one");
	status = AwaitExit(helper);
	EndHelper(helper);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
						errmsg("%s reported success but did not end well", helper->program)));
}

void
ReceiveFrame(Helper *helper, HelperFrame *frame)
{
	CHECK_FOR_INTERRUPTS();
	ReceiveRawFrame(helper, frame);
	if (frame->type == WIRE_ERROR)
		ReportLastWords(helper, frame);
	if (frame->type == WIRE_DONE)
		ExpectExit(helper);
}

/* A helper of another version speaks another language: say so at once. */
static void
ExpectGreeting(Helper *helper)
{
	HelperFrame frame;
	int64 version;

	ReceiveFrame(helper, &frame);
	if (frame.type != WIRE_HELLO || !wire_integer(frame.fields[1], &version))
		ReportNonsense(helper, "no greeting");
	if (version != WIRE_VERSION)
	{
		EndHelper(helper);
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("%s speaks version " INT64_FORMAT " of the protocol, the library "
							   "version %d",
							   helper->program, version, WIRE_VERSION),
						errhint("Reconnect: this session still has the library of before the "
								"update.")));
	}
}

Helper *
StartHelper(const char *program, int input)
{
	Helper *helper = palloc0(sizeof(Helper));
	int sockets[2];

	helper->program = program;
	helper->socket = -1;
	helper->context = CurrentMemoryContext;
	helper->buffer_size = FIRST_BUFFER_SIZE;
	helper->buffer = palloc(helper->buffer_size);
	helper->field_capacity = WIRE_MAX_COLUMNS;
	helper->fields = palloc(sizeof(ClairBytes) * helper->field_capacity);
	helper->callback.func = EndHelperCallback;
	helper->callback.arg = helper;
	MemoryContextRegisterResetCallback(helper->context, &helper->callback);

	if (!AcquireExternalFD())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
						errmsg("too many files are open in this session")));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
	{
		ReleaseExternalFD();
		ereport(ERROR, (errcode(ERRCODE_SYSTEM_ERROR), errmsg("could not create a socket: %m")));
	}
	helper->socket = sockets[0];
	PG_TRY();
	{
		SpawnHelper(helper, input, sockets[1]);
	}
	PG_FINALLY();
	{
		close(sockets[1]);
	}
	PG_END_TRY();
	FAULT_POINT("helper-started");
	ExpectGreeting(helper);
	FAULT_POINT("helper-greeted");
	return helper;
}

/* Sends bytes, the descriptor beside the first of them; returns how many were taken. */
static ssize_t
SendSome(Helper *helper, const char *data, size_t size, int descriptor)
{
	struct iovec part = {.iov_base = (char *) data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union
	{
		char buffer[CMSG_SPACE(sizeof(int))];
		struct cmsghdr alignment;
	} control;

	if (descriptor >= 0)
	{
		struct cmsghdr *rights;

		memset(&control, 0, sizeof(control));
		message.msg_control = control.buffer;
		message.msg_controllen = sizeof(control.buffer);
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &descriptor, sizeof(int));
	}
	return sendmsg(helper->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
SendFrame(Helper *helper, WireType type, const ClairBytes *fields, uint32 count, int descriptor)
{
	size_t size = wire_frame_size(fields, count);
	char *buffer = MemoryContextAlloc(helper->context, size);
	size_t sent = 0;

	helper->since = 0;
	wire_frame(buffer, type, 0, fields, count);
	while (sent < size)
	{
		ssize_t result = SendSome(helper, buffer + sent, size - sent, sent == 0 ? descriptor : -1);

		if (result > 0)
			sent += (size_t) result;
		else if (errno == EAGAIN)
			WaitForHelper(helper, WL_SOCKET_WRITEABLE);
		else if (errno == EPIPE || errno == ECONNRESET)
			break; /* what it said last explains why: the next ReceiveFrame() reads that */
		else if (errno != EINTR)
			ereport(ERROR, (errcode(ERRCODE_SYSTEM_ERROR),
							errmsg("could not send to %s: %m", helper->program)));
	}
	pfree(buffer);
}

JobFields *
BeginJob(void)
{
	JobFields *job = palloc(sizeof(JobFields));
	ClairLimits limits = CurrentLimits();

	job->count = 0;
	job->fields = palloc(sizeof(ClairBytes) * MAX_JOB_FIELDS);
#define ADD_LIMIT(name, value) AddToJob(job, #name, psprintf(INT64_FORMAT, limits.name));
	CLAIR_LIMITS(ADD_LIMIT)
#undef ADD_LIMIT
	AddToJob(job, "sandbox", SandboxMode());
	return job;
}

void
AddToJob(JobFields *job, const char *name, const char *value)
{
	Assert(job->count + 2 <= MAX_JOB_FIELDS);
	job->fields[job->count++] = clair_bytes(name);
	job->fields[job->count++] = clair_bytes(value);
}

void
SendJob(Helper *helper, const JobFields *job)
{
	SendFrame(helper, WIRE_JOB, job->fields, job->count, -1);
	FAULT_POINT("helper-given-job");
}
