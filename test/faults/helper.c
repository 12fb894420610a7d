/*
 * helper.c
 *    What goes wrong at a point of a helper that is built for tests.
 *
 * In its sandbox a helper can send itself no signal; to be killed from outside it waits.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/wire.h"
#include "plan.h"

/* Does nothing any more, until the server goes or a signal comes. */
static void
hang(void)
{
	char byte;

	while (read(WIRE_SOCKET, &byte, 1) > 0)
		;
	_exit(1);
}

void
fault_point(const char *name)
{
	const char *action = plan_action(name);

	if (action == NULL)
		return;
	if (strcmp(action, "crash") == 0)
		__builtin_trap();
	else if (strcmp(action, "hang") == 0)
		hang();
	else
		_exit(strcmp(action, "leave") == 0 ? 0 : 1);
}
