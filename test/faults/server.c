/*
 * server.c
 *    What goes wrong at a point of the server, in a library that is built for tests.
 *
 * Signals are sent to ourselves and not waited for: what they lead to happens where the server's
 * code looks for it next.
 */
#include "postgres.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/wait_event.h"

#include "common/fault.h"
#include "plan.h"

/* Kills what we have started, and waits until it is dead, but not reaped: that is for others. */
static void
KillHelpers(void)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes != NULL && (entry = readdir(processes)) != NULL)
	{
		char path[64];
		char line[256] = "";
		FILE *file;
		int parent;
		pid_t pid = atoi(entry->d_name);

		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		file = fopen(path, "r");
		if (file == NULL)
			continue;
		if (fgets(line, sizeof(line), file) != NULL && strrchr(line, ')') != NULL &&
			sscanf(strrchr(line, ')'), ") %*c %d", &parent) == 1 && parent == MyProcPid)
			kill(pid, SIGKILL);
		fclose(file);
	}
	if (processes != NULL)
		closedir(processes);
	pg_usleep(2000L);
}

/* Waits until the test has another plan. */
static void
WaitForPlan(const char *name)
{
	while (plan_has(name))
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 5L,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

void
fault_point(const char *name)
{
	const char *action = plan_action(name);

	if (action == NULL)
		return;
	if (strcmp(action, "error") == 0)
		ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION), errmsg("%s", name)));
	else if (strcmp(action, "fatal") == 0)
		ereport(FATAL, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION), errmsg("%s", name)));
	else if (strcmp(action, "kill") == 0)
		kill(MyProcPid, SIGKILL);
	else if (strcmp(action, "cancel") == 0)
		kill(MyProcPid, SIGINT);
	else if (strcmp(action, "terminate") == 0)
		kill(MyProcPid, SIGTERM);
	else if (strcmp(action, "kill-helper") == 0)
		KillHelpers();
	else if (strcmp(action, "wait") == 0)
		WaitForPlan(name);
	else
		elog(ERROR, "unknown action \"%s\" for %s", action, name);
}
