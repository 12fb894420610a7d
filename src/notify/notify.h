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
 * The databases with findings that changed, m, and who has them, h: of outbox.c's temporary tables.
 * What is for the packages of certain repositories is so for images whose repositories have one of
 * these CPEs.
 */
#define HELD_MEMBERS                                                                               \
	"(pg_temp.announce_member AS m"                                                                \
	"     JOIN pg_temp.announce_holder AS h ON h.database_id = m.database_id"                      \
	"         AND (m.repositories IS NULL"                                                         \
	"              OR CASE WHEN h.cpes IS NULL THEN m.by_default"                                  \
	"                     ELSE m.repositories && h.cpes END))"

/* Writes the notifications of a run; how many. */
extern int64 WriteNotifications(int64 run, const char *updater);

/*
 * Whether the filter of a consumer, c, lets a finding, f, through, but for names of images: name of
 * the vulnerability, namespace, severity, fixable.
 */
#define IS_LET_THROUGH                                                                             \
	"f.severity >= c.minimum_severity"                                                             \
	"     AND (f.fixable OR NOT c.fixable_only)"                                                   \
	"     AND (c.namespaces IS NULL OR f.namespace LIKE ANY (c.namespaces))"                       \
	"     AND (NOT c.exploited_only OR f.name IN (SELECT k.cve FROM clair.kev AS k))"

/*
 * Whether a consumer, c, with the prefixes of its owner, watches all images; and whether it watches
 * those of a name, n.
 */
#define WATCHES_ALL "(c.images IS NULL AND c.prefixes IS NULL)"
#define IS_WATCHED                                                                                 \
	"COALESCE(n.name LIKE ANY (c.images), true) AND COALESCE(n.name ^@ ANY (c.prefixes), true)"

/* Gives them to the consumers whose filters let them through. */
extern void DeliverNotifications(int64 run);

/*
 * Sends NOTIFY to clair and to the consumers: a message for each notification of a run, or for each
 * image of an array given as text, if not NULL; one message for all where there are more than the
 * limit.
 */
extern void SendNotifications(int64 run, const char *images, int64 limit);

/* Announces the images, all of it. An array of their ids, as text. */
extern void AnnounceImages(const char *images, int64 limit);

#endif
