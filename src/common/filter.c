/*
 * filter.c
 *    Filtering system calls with seccomp; see filter.h.
 *
 * Without it, hostile bytes that take over a helper could trace the postmaster, which has the
 * same user id. A forbidden call is a last word that names its number, so that one which a
 * library makes on another system is seen at once.
 *
 * A violation is SCMP_ACT_TRAP: the kernel sends SIGSYS, whose handler says what happened and
 * exits. The KILL actions would be a death by signal, which a postmaster that is process 1
 * takes for a crashed backend (sandbox.c); an errno for everything would let a library go on
 * in ways that nobody has thought of. The exceptions are calls whose failure libraries know, for
 * it has an everyday cause: a file that is not there, a kernel that is older.
 */
#include "common/filter.h"

#include "common/sandbox.h"

#if defined(__linux__) && !defined(SANDBOX_SANITIZER)

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <seccomp.h>

#include "common/wire.h"

/* Of whom report_violation() speaks: a handler of a signal has no other way to know. */
static const char *violator;

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
 * Says that a system call was refused, and ends. When the one thread that writes to the socket made
 * the call, the server has received whole frames only (connection.c); those that were still
 * collected do not matter any more. When another one did, our words may come in the middle of a
 * frame: then the server reports that.
 */
static void
report_violation(int signal, siginfo_t *information, void *context)
{
	static const char words[] = " was refused system call ";
	static const char hint[] = "This is a defect of clair, or the input exploits one of a library "
							   "that it uses.";
	char message[64];
	size_t size = strlen(violator);
	char status[12];
	char frame[512];
	ClairBytes fields[] = {{status, 0}, {message, 0}, CLAIR_NULL_BYTES, CLAIR_LITERAL(hint)};

	(void) signal;
	(void) context;
	fields[0].size = (size_t) (append_number(status, CLAIR_UNSUPPORTED) - status);
	memcpy(message, violator, size);
	memcpy(message + size, words, sizeof(words));
	fields[1].size = (size_t) (append_number(message + size + sizeof(words) - 1,
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

static uint32_t
library_action(FilterAction action)
{
	switch (action)
	{
		case FILTER_ABSENT:
			return SCMP_ACT_ERRNO(ENOENT);
		case FILTER_UNKNOWN:
			return SCMP_ACT_ERRNO(ENOSYS);
		case FILTER_UNSUPPORTED:
			return SCMP_ACT_ERRNO(EAFNOSUPPORT);
		default:
			return SCMP_ACT_ALLOW;
	}
}

static int
add_rule(scmp_filter_ctx filter, const FilterRule *rule)
{
	struct scmp_arg_cmp comparisons[FILTER_MAX_CONDITIONS];
	unsigned count = 0;

	for (; count < FILTER_MAX_CONDITIONS && rule->conditions[count].mask != 0; count++)
	{
		const FilterCondition *condition = &rule->conditions[count];

		comparisons[count] = (struct scmp_arg_cmp){.arg = condition->argument,
												   .op = SCMP_CMP_MASKED_EQ,
												   .datum_a = condition->mask,
												   .datum_b = condition->value};
	}
	return seccomp_rule_add_array(filter, library_action(rule->action), rule->call, count,
								  comparisons);
}

/* abort() sends its signal to the own process; that number is known only now. */
static int
add_abort(scmp_filter_ctx filter)
{
	const FilterRule rule = {.call = SCMP_SYS(tgkill),
							 .conditions = {{0, UINT32_MAX, (uint64_t) getpid()},
											{2, UINT32_MAX, SIGABRT}}};

	return add_rule(filter, &rule);
}

bool
filter_is_available(void)
{
	/* It looks for the filter, which is nowhere, where it knows filters at all. */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) != 0 && errno == EFAULT;
}

ClairStatus
filter_enter(const char *program, const FilterRule *rules, size_t count, ClairError *error)
{
	struct sigaction action = {.sa_sigaction = report_violation,
							   .sa_flags = SA_SIGINFO | SA_ONSTACK};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int result;

	if (filter == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	violator = program;
	sigfillset(&action.sa_mask);
	sigaction(SIGSYS, &action, NULL);
	/* Calls by another architecture's numbers are trapped like others, not killed. */
	result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP);
	for (size_t i = 0; i < count && result == 0; i++)
		result = add_rule(filter, &rules[i]);
	if (result == 0)
		result = add_abort(filter);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	if (result != 0)
		return clair_error(error, CLAIR_IO, "could not give up system calls: %s",
						   strerror(-result));
	return CLAIR_OK;
}

#else

/* Other systems have no such filter; sanitizers make calls that no list knows. */
bool
filter_is_available(void)
{
	return false;
}

ClairStatus
filter_enter(const char *program, const FilterRule *rules, size_t count, ClairError *error)
{
	(void) rules;
	(void) count;
	return clair_error(error, CLAIR_UNSUPPORTED, "%s has no filter of system calls", program);
}

#endif
