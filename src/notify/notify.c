/*
 * notify.c
 *    Announcing what a run changed, and new images: rows of clair.notification and clair.delivery,
 *    and NOTIFY.
 *
 * Called by the rooms of updates and images inside the transaction of a run that changed something,
 * or of one that indexes, as the extension's owner: rows and NOTIFY reach others when, and only
 * when, it commits.
 */
#include "postgres.h"

#include <limits.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "common/fault.h"
#include "index/store.h"
#include "notify/notify.h"
#include "notify/webhook.h"
#include "server/clair.h"
#include "update/run.h"

static int clair_notify_limit;
static bool clair_notify_indexed;
int clair_webhook_retry_delay;

/*
 * A run is maintenance work: it may use the memory of that. Its statements are each run once.
 * Nobody needs to hear of the temporary tables that it works with.
 */
static void
AnnounceSettings(void)
{
	char *work_memory = psprintf("%dkB", Max(work_mem, maintenance_work_mem));

	set_config_option("work_mem", work_memory, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
					  false);
	set_config_option("client_min_messages", "warning", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
					  true, 0, false);
	set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* The first run of an updater tells nothing: everything that it brings is new. */
static void
AnnounceRun(int64 run, const char *updater, bool first)
{
	int64 count;
	int settings;

	if (first)
		return;
	settings = NewGUCNestLevel();
	AnnounceSettings();
	count = WriteNotifications(run, updater);
	FAULT_POINT("announce-written");
	if (count > 0)
	{
		DeliverNotifications(run);
		FAULT_POINT("announce-delivered");
		SendNotifications(run, NULL, clair_notify_limit);
		FAULT_POINT("announce-sent");
		DeliverAtCommit();
	}
	AtEOXact_GUC(false, settings);
}

static void
AnnounceStored(const int64 *ids, int64 count)
{
	StringInfoData images;

	if (!clair_notify_indexed)
		return;
	initStringInfo(&images);
	for (int64 i = 0; i < count; i++)
		appendStringInfo(&images, "%c" INT64_FORMAT, i == 0 ? '{' : ',', ids[i]);
	appendStringInfoChar(&images, '}');
	AnnounceImages(images.data, clair_notify_limit);
	DeliverAtCommit();
}

void
NotifyInit(void)
{
	DefineCustomIntVariable("clair.notify_limit",
							"Changed vulnerabilities from which on a run sends one summary.",
							"The summary has counts; details are in clair.notification.",
							&clair_notify_limit, 100, 0, INT_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("clair.notify_indexed",
							 "Whether images that are new and have findings are announced.", NULL,
							 &clair_notify_indexed, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("clair.webhook_retry_delay",
							"Time after the first failed attempt to deliver to a webhook.",
							"It doubles with each further one, up to an hour.",
							&clair_webhook_retry_delay, 5000, 1, 3600000, PGC_SUSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	OnRunApplied(AnnounceRun);
	OnImagesStored(AnnounceStored);
}
