/*
 * notify.h
 *    The steps of announcing: what changed for images, who is told of it, and the messages.
 *
 * Those of a run come in this order, inside its transaction, as the extension's owner, between
 * SPI_connect() and SPI_finish(). What one leaves for the next is in temporary tables.
 */
#ifndef CLAIR_NOTIFY_H
#define CLAIR_NOTIFY_H

#include "postgres.h"

/*
 * The findings that changed, f, and who has them, h: of outbox.c's temporary tables. A range that
 * is for the packages of certain repositories is so for images whose repositories have one of its
 * CPEs.
 */
#define HELD_FEATURES                                                                              \
	"pg_temp.announce_feature AS f"                                                                \
	"     JOIN pg_temp.announce_holder AS h ON h.database_id = f.database_id"                      \
	"         AND (f.repositories IS NULL"                                                         \
	"              OR CASE WHEN h.cpes IS NULL THEN f.by_default"                                  \
	"                     ELSE f.repositories && h.cpes END)"

/* Writes the notifications of a run; how many. */
extern int64 WriteNotifications(int64 run, const char *updater);

/* Gives them to the consumers whose filters let them through. */
extern void DeliverNotifications(int64 run);

/*
 * Sends NOTIFY to clair and to the consumers: a message for each notification, or one for all of
 * them when these are more than the limit.
 */
extern void SendNotifications(int64 run, int64 limit);

#endif
