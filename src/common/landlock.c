/*
 * landlock.c
 *    Giving up the file system with Landlock; see landlock.h.
 *
 * The constants and structs are the kernel's own interface,
 * Documentation/userspace-api/landlock.rst: the headers of many a system are older than its kernel,
 * and the C library has no functions.
 */
#include "common/landlock.h"

#include "common/sandbox.h"

#if defined(__linux__) && !defined(SANDBOX_SANITIZER)
#include <sys/syscall.h>
#endif

#ifdef SYS_landlock_create_ruleset

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREATE_VERSION	  1U /* flag of landlock_create_ruleset(): asks for the version */
#define RULE_PATH_BENEATH 1

/* Accesses to files, by the version that brought them. */
#define FILES_1	  ((UINT64_C(1) << 13) - 1) /* execute, write, read, make, remove */
#define FILES_2	  (UINT64_C(1) << 13)		/* link and rename between folders */
#define FILES_3	  (UINT64_C(1) << 14)		/* truncate */
#define FILES_5	  (UINT64_C(1) << 15)		/* ioctl() of devices */
#define READ_FILE (UINT64_C(1) << 2)
#define READ_DIR  (UINT64_C(1) << 3)

#define NETWORK_BIND	(UINT64_C(1) << 0) /* TCP; since version 4 */
#define NETWORK_CONNECT (UINT64_C(1) << 1)

#define SCOPE_ALL UINT64_C(3) /* abstract Unix sockets, signals; since version 6 */

/* What is denied unless a rule allows it; older kernels want zeros for what they do not know. */
typedef struct Ruleset
{
	uint64_t files;
	uint64_t network;
	uint64_t scope;
} Ruleset;

typedef struct __attribute__((packed)) PathRule
{
	uint64_t access;
	int32_t descriptor;
} PathRule;

int
landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

	return version > 0 ? (int) version : 0;
}

static Ruleset
denied(int version, bool connects)
{
	Ruleset denied = {.files = FILES_1};

	if (version >= 2)
		denied.files |= FILES_2;
	if (version >= 3)
		denied.files |= FILES_3;
	if (version >= 4)
		denied.network = connects ? NETWORK_BIND : NETWORK_BIND | NETWORK_CONNECT;
	if (version >= 5)
		denied.files |= FILES_5;
	if (version >= 6)
		denied.scope = SCOPE_ALL;
	return denied;
}

/* Lets a file or a folder be read; links are followed, now. */
static ClairStatus
allow_reading(int rules, const char *path, ClairError *error)
{
	PathRule rule = {READ_FILE, open(path, O_PATH | O_CLOEXEC)};
	struct stat file;
	bool added;

	if (rule.descriptor < 0)
		return CLAIR_OK;
	if (fstat(rule.descriptor, &file) == 0 && S_ISDIR(file.st_mode))
		rule.access |= READ_DIR;
	added = syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0) == 0;
	if (!added)
		clair_error(error, CLAIR_IO, "could not keep access to \"%s\": %s", path, strerror(errno));
	close(rule.descriptor);
	return added ? CLAIR_OK : error->status;
}

static ClairStatus
allow_all(int rules, const char *const *paths, ClairError *error)
{
	for (; paths != NULL && *paths != NULL; paths++)
		if (allow_reading(rules, *paths, error) != CLAIR_OK)
			return error->status;
	return CLAIR_OK;
}

ClairStatus
landlock_enter(int version, const LandlockAccess *access, ClairError *error)
{
	Ruleset ruleset = denied(version, access->connects);
	int rules = (int) syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
	ClairStatus status = CLAIR_OK;

	if (rules < 0)
		return clair_error(error, CLAIR_IO, "could not give up files: %s", strerror(errno));
	if (allow_all(rules, access->readable, error) != CLAIR_OK ||
		allow_all(rules, access->further, error) != CLAIR_OK)
		status = error->status;
	else if (syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		status = clair_error(error, CLAIR_IO, "could not give up files: %s", strerror(errno));
	close(rules);
	return status;
}

#else

/* Other systems do not have it; sanitizers read /proc when they end. */
int
landlock_version(void)
{
	return 0;
}

ClairStatus
landlock_enter(int version, const LandlockAccess *access, ClairError *error)
{
	(void) version;
	(void) access;
	return clair_error(error, CLAIR_UNSUPPORTED, "there is no Landlock here");
}

#endif
