/*
 * profile.c
 *    The system calls and the files of clair-fetch; see profile.h.
 *
 * libcurl, its TLS library and whatever modules the system's name service has make these calls,
 * and differ from system to system: of calls that do no harm the list has more than the tests
 * need. What matters is what it does not have: starting programs and processes, tracing and
 * signalling others, opening for writing, changing folders and files by name, listening.
 *
 * Nor is there a Unix socket that could be connected: one is the server's own, which may take
 * everybody of its user id for a superuser. Of name service, daemons that are asked by such a
 * socket (nscd, sssd) are left out, and the C library asks name servers itself.
 */
#include "fetch/profile.h"

#ifdef __linux__

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/sockios.h>
#include <seccomp.h>

#define ALLOW(name)                                                                                \
	{                                                                                              \
		.call = SCMP_SYS(name), .action = FILTER_ALLOW                                             \
	}
#define UNKNOWN(name)                                                                              \
	{                                                                                              \
		.call = SCMP_SYS(name), .action = FILTER_UNKNOWN                                           \
	}

#define ALLOW_IF(name, argument, mask, value)                                                      \
	{                                                                                              \
		SCMP_SYS(name), FILTER_ALLOW,                                                              \
		{                                                                                          \
			{                                                                                      \
				argument, mask, value                                                              \
			}                                                                                      \
		}                                                                                          \
	}

/* Of an int, the kernel takes the lower half. */
#define ALLOW_ONLY(name, argument, value) ALLOW_IF(name, argument, UINT32_MAX, value)

/* Opening, but not for writing. */
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

#define SOCKET_TYPE 0xF /* without flags */

#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

static const FilterRule rules[] = {
	/* descriptors */
	ALLOW(read),
	ALLOW(pread64),
	ALLOW(readv),
	ALLOW(write),
	ALLOW(pwrite64),
	ALLOW(writev),
	ALLOW(lseek),
	ALLOW(ftruncate),
	ALLOW(fstat),
	ALLOW(fstatfs),
	ALLOW(fadvise64),
	ALLOW(close),
	ALLOW(dup),
	ALLOW(pipe),
	ALLOW(pipe2),
	ALLOW(eventfd2),
	ALLOW_ONLY(fcntl, 1, F_GETFD),
	ALLOW_ONLY(fcntl, 1, F_SETFD),
	ALLOW_ONLY(fcntl, 1, F_GETFL),
	ALLOW_ONLY(fcntl, 1, F_SETFL),
	ALLOW_ONLY(fcntl, 1, F_DUPFD_CLOEXEC),
	ALLOW_ONLY(ioctl, 1, FIONBIO),
	ALLOW_ONLY(ioctl, 1, FIONREAD),
	ALLOW_ONLY(ioctl, 1, TCGETS),
	ALLOW_ONLY(ioctl, 1, SIOCOUTQ),
	ALLOW_ONLY(ioctl, 1, SIOCGIFINDEX),
	ALLOW_ONLY(ioctl, 1, SIOCGIFNAME),

	/* waiting */
	ALLOW(poll),
	ALLOW(ppoll),
	ALLOW(select),
	ALLOW(pselect6),
	ALLOW(epoll_create1),
	ALLOW(epoll_ctl),
	ALLOW(epoll_wait),
	ALLOW(epoll_pwait),
	ALLOW(nanosleep),
	ALLOW(clock_nanosleep),

	/* the network; NETLINK_ROUTE says which addresses are ours */
	ALLOW_ONLY(socket, 0, AF_INET),
	ALLOW_ONLY(socket, 0, AF_INET6),
	{SCMP_SYS(socket), FILTER_ALLOW, {{0, UINT32_MAX, AF_NETLINK}, {2, UINT32_MAX, NETLINK_ROUTE}}},
	{SCMP_SYS(socket), FILTER_UNSUPPORTED, {{0, UINT32_MAX, AF_UNIX}}},
	/* One of datagrams could still be connected to something else. */
	ALLOW_IF(socketpair, 1, SOCKET_TYPE, SOCK_STREAM),
	ALLOW(bind),
	ALLOW(connect),
	ALLOW(shutdown),
	ALLOW(getsockname),
	ALLOW(getpeername),
	ALLOW(getsockopt),
	ALLOW(setsockopt),
	ALLOW(sendto),
	ALLOW(sendmsg),
	ALLOW(sendmmsg),
	ALLOW(recvfrom),
	ALLOW(recvmsg),
	ALLOW(recvmmsg),

	/* reading files */
	ALLOW_IF(open, 1, WRITING, O_RDONLY),
	ALLOW_IF(openat, 2, WRITING, O_RDONLY),
	ALLOW(access),
	ALLOW(faccessat),
	ALLOW(faccessat2),
	ALLOW(stat),
	ALLOW(lstat),
	ALLOW(newfstatat),
	ALLOW(statx),
	ALLOW(statfs),
	ALLOW(readlink),
	ALLOW(readlinkat),
	ALLOW(getdents64),
	ALLOW(getcwd),

	/* memory; what can be executed comes from the files of libraries */
	ALLOW(brk),
	ALLOW_IF(mmap, 2, PROT_EXEC, 0),
	{SCMP_SYS(mmap), FILTER_ALLOW, {{2, PROT_EXEC | PROT_WRITE, PROT_EXEC}, {3, MAP_ANONYMOUS, 0}}},
	ALLOW_IF(mprotect, 2, PROT_EXEC, 0),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(madvise),

	/* threads, but no processes: of clone3() one cannot see which, so that clone() is used */
	ALLOW_IF(clone, CLONE_FLAGS, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM),
	UNKNOWN(clone3),
	ALLOW(futex),
	ALLOW(set_robust_list),
	ALLOW(rseq),
	ALLOW(sched_yield),
	ALLOW(sched_getaffinity),
	ALLOW(membarrier),
	ALLOW_ONLY(prctl, 0, PR_SET_NAME),
	ALLOW_IF(prlimit64, 2, UINT64_MAX, 0), /* reading one */
	ALLOW(getrlimit),

	/* the process itself */
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(getppid),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
	ALLOW(getcpu),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(sigaltstack),
	ALLOW(restart_syscall),
	ALLOW(exit),
	ALLOW(exit_group),

	/* the system */
	ALLOW(clock_gettime),
	ALLOW(clock_getres),
	ALLOW(gettimeofday),
	ALLOW(time),
	ALLOW(getrandom),
	ALLOW(uname),
	ALLOW(sysinfo),

	/* what libraries do without */
	UNKNOWN(openat2),
	UNKNOWN(io_uring_setup),
};

/*
 * Not all of /etc, where passwords and keys are, nor of /usr or /run, where a server's own files
 * may be. A file of this list that is replaced while we run, as resolv.conf is when the network
 * changes, is lost to us: the next clair-fetch has it. What is in folders is not.
 */
static const char *const readable[] = {
	/* name service */
	"/etc/resolv.conf",
	"/etc/hosts",
	"/etc/nsswitch.conf",
	"/etc/host.conf",
	"/etc/gai.conf",
	"/etc/services",
	"/etc/protocols",
	"/etc/networks",
	"/run/systemd/resolve",
	"/run/resolvconf",
	"/run/NetworkManager",

	/* certificates, and how to use them */
	"/etc/ssl/certs",
	"/etc/ssl/cert.pem",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/openssl.cnf",
	"/etc/ca-certificates",
	"/etc/pki/ca-trust",
	"/etc/pki/tls/certs",
	"/etc/pki/tls/cert.pem",
	"/etc/pki/tls/openssl.cnf",
	"/etc/crypto-policies",
	"/var/lib/ca-certificates",

	/* libraries, and what they have with them */
	"/etc/ld.so.cache",
	"/etc/localtime",
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/share",
	"/usr/local/lib",
	"/usr/local/share",
	"/nix/store",
	"/dev/urandom",
	NULL,
};

const SandboxProfile fetch_profile = {.program = "clair-fetch",
									  .rules = rules,
									  .rule_count = sizeof(rules) / sizeof(rules[0]),
									  .readable = readable,
									  .connects = true};

#else

const SandboxProfile fetch_profile = {.program = "clair-fetch"};

#endif
