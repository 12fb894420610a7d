/*
 * profile.c
 *    The system calls of clair-reader; see profile.h.
 *
 * The list was found by running the tests. Calls that look for files are answered as if there
 * were none: libraries cope with files that are not there (time zones, character sets, /proc), as
 * in a chroot.
 */
#include "reader/profile.h"

#ifdef __linux__

#include <fcntl.h>
#include <sys/mman.h>

#include <seccomp.h>

#define ALLOW(name)                                                                                \
	{                                                                                              \
		.call = SCMP_SYS(name), .action = FILTER_ALLOW                                             \
	}
#define ABSENT(name)                                                                               \
	{                                                                                              \
		.call = SCMP_SYS(name), .action = FILTER_ABSENT                                            \
	}

/* The most frequent ones first. */
static const FilterRule rules[] = {
	ALLOW(read),
	ALLOW(pread64),
	ALLOW(write),
	ALLOW(recvmsg),
	ALLOW(lseek),
	ALLOW(fstat),
	ALLOW(close),
	ALLOW(brk),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(madvise),
	ALLOW(futex),
	ALLOW(clock_gettime),
	ALLOW(getrandom),
	ALLOW(sysinfo), /* qsort() of the C library asks how much memory there is */
	ALLOW(getpid),
	ALLOW(restart_syscall),
	ALLOW(rt_sigreturn),
	ALLOW(exit),
	ALLOW(exit_group),

	/* abort(): its SIGABRT, which filter.c allows, and words on standard error */
	ALLOW(rt_sigprocmask),
	ALLOW(gettid),
	ALLOW(writev),

	/* Memory, but none that can be executed. */
	{SCMP_SYS(mmap), FILTER_ALLOW, {{2, PROT_EXEC, 0}}},

	/* What fstat() is on some systems; a path cannot be told from an empty one. */
	{SCMP_SYS(newfstatat), FILTER_ALLOW, {{3, AT_EMPTY_PATH, AT_EMPTY_PATH}}},
	{SCMP_SYS(newfstatat), FILTER_ABSENT, {{3, AT_EMPTY_PATH, 0}}},

	ABSENT(open),
	ABSENT(openat),
	ABSENT(access),
	ABSENT(faccessat),
	ABSENT(stat),
	ABSENT(lstat),
	ABSENT(statx),
	ABSENT(readlink),
	ABSENT(getcwd),
	ABSENT(readlinkat),
};

const SandboxProfile reader_profile = {.program = "clair-reader",
									   .rules = rules,
									   .rule_count = sizeof(rules) / sizeof(rules[0])};

#else

const SandboxProfile reader_profile = {.program = "clair-reader"};

#endif
