/*
 * unit.h
 *    The few words that unit tests need: checks that say what they saw.
 *
 * A test program is a main() that calls CHECK(), CHECK_TEXT() and CHECK_INT() and ends with
 * "return unit_result();". Each check prints a line in TAP's form.
 */
#ifndef CLAIR_UNIT_H
#define CLAIR_UNIT_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/bytes.h"

static int unit_checks;
static int unit_failures;

static inline void
unit_report(int passed, const char *file, int line, const char *what)
{
	unit_checks++;
	if (!passed)
		unit_failures++;
	printf("%s %d - ", passed ? "ok" : "not ok", unit_checks);
	/* A check may be called after its input: keep it on one line of ASCII. */
	for (const char *at = what; *at != '\0'; at++)
		putchar(*at < ' ' || *at > '~' ? ' ' : *at);
	putchar('\n');
	if (!passed)
		printf("#   at %s line %d\n", file, line);
	fflush(stdout);
}

#define CHECK(condition, what) unit_report((condition) ? 1 : 0, __FILE__, __LINE__, what)

static inline void
unit_check_text(ClairBytes is, const char *expected, const char *file, int line, const char *what)
{
	int passed = expected == NULL ? is.data == NULL
								  : is.data != NULL && clair_bytes_equal(is, clair_bytes(expected));

	unit_report(passed, file, line, what);
	if (!passed)
		printf("#   is \"%.*s\", expected \"%s\"\n", (int) is.size, is.data != NULL ? is.data : "",
			   expected != NULL ? expected : "(no value)");
}

/* Whether bytes are this text; an expected NULL means no value. */
#define CHECK_TEXT(is, expected, what) unit_check_text(is, expected, __FILE__, __LINE__, what)

static inline void
unit_check_int(int64_t is, int64_t expected, const char *file, int line, const char *what)
{
	unit_report(is == expected, file, line, what);
	if (is != expected)
		printf("#   is %" PRId64 ", expected %" PRId64 "\n", is, expected);
}

#define CHECK_INT(is, expected, what) unit_check_int(is, expected, __FILE__, __LINE__, what)

/* The path of a file of the test data; NULL, after saying so, when it is not there. */
static inline const char *
unit_data(const char *name)
{
	static char path[4096];
	const char *folder = getenv("CLAIR_TEST_DATA");

	snprintf(path, sizeof(path), "%s/%s", folder != NULL ? folder : "../shared/data", name);
	if (access(path, R_OK) == 0)
		return path;
	printf("# SKIP: there is no test data file %s\n", path);
	return NULL;
}

/* The most memory that the process has had so far, in kB; 0 under a tool that adds its own. */
static inline int64_t
unit_peak_memory(void)
{
	struct rusage usage;

	if (getenv("CLAIR_TEST_WATCHED") != NULL)
		return 0;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* Ends the plan; what main() returns. */
static inline int
unit_result(void)
{
	printf("1..%d\n", unit_checks);
	return unit_failures == 0 ? 0 : 1;
}

#endif
