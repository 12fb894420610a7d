/*
 * notify.c
 *    Announcing what a run changed: rows of clair.notification and clair.delivery, and NOTIFY.
 *
 * Called by the update room inside the transaction of a run that changed something, as the
 * extension's owner: rows and NOTIFY reach others when, and only when, the run commits.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "notify/notify.h"
#include "server/clair.h"
#include "update/run.h"

static int clair_notify_limit;

/* The first run of an updater tells nothing: everything that it brings is new. */
static void
AnnounceRun(int64 run, const char *updater, bool first)
{
	if (first || WriteNotifications(run, updater) == 0)
		return;
	DeliverNotifications(run);
	SendNotifications(run, clair_notify_limit);
}

void
NotifyInit(void)
{
	DefineCustomIntVariable("clair.notify_limit",
							"Changed vulnerabilities from which on a run sends one summary.",
							"The summary has counts; details are in clair.notification.",
							&clair_notify_limit, 100, 0, INT_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
	OnRunApplied(AnnounceRun);
}
