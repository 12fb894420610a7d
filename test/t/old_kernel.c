/*
 * Runs a program as if the kernel had no seccomp filters, no Landlock, or neither. Started by
 * 021_sandbox.pl, with the word (seccomp, landlock or both), the program and its arguments; or by a
 * server, in a helper's place: then the word is in the file "missing" beside it, and the program is
 * the helper's name and ".real". Without that file, the program runs as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <seccomp.h>

/* Makes the kernel answer as an older one, or one that was built without it. */
static int
hide(const char *word)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int result = filter != NULL ? seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW)
								: -ENOMEM;

	if (result == 0 && strcmp(word, "seccomp") != 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset),
								  0);
	if (result == 0 && strcmp(word, "landlock") != 0)
	{
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
								  SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, PR_SET_SECCOMP));
		if (result == 0)
			result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0);
	}
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	return result;
}

/* The word in the file beside this program; and the program that stands there for a helper. */
static void
look_beside(const char *helper, char *word, size_t word_size, char *program, size_t program_size)
{
	char folder[PATH_MAX] = "";
	char path[PATH_MAX + 16];
	ssize_t length = 0;
	int file;

	if (readlink("/proc/self/exe", folder, sizeof(folder) - 1) < 0)
		return;
	dirname(folder);
	snprintf(path, sizeof(path), "%s/missing", folder);
	snprintf(program, program_size, "%s/%s.real", folder, helper);
	file = open(path, O_RDONLY);
	if (file < 0)
		return;
	length = read(file, word, word_size - 1);
	word[length > 0 ? length : 0] = '\0';
	close(file);
}

int
main(int count, char **arguments)
{
	char word[16] = "";
	char program[PATH_MAX + 64] = "";

	if (count > 2)
	{
		snprintf(word, sizeof(word), "%s", arguments[1]);
		snprintf(program, sizeof(program), "%s", arguments[2]);
		arguments += 2;
	}
	else
		look_beside(arguments[0], word, sizeof(word), program, sizeof(program));
	if (word[0] != '\0' && hide(word) != 0)
		return 77;
	execv(program, arguments);
	return 78;
}
