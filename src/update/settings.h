/*
 * settings.h
 *    Settings of the whole room; those of fetching: server/transfer.c.
 *
 * Workers go by what the server's files, the database and the role set, not by what the
 * session that calls clair.update() has set for itself.
 */
#ifndef CLAIR_UPDATE_SETTINGS_H
#define CLAIR_UPDATE_SETTINGS_H

extern int clair_max_update_workers; /* that run at once, over all calls */
extern int clair_max_shrinkage;		 /* percent of a document's records that may go at once */
extern int clair_max_advisories;	 /* rows that a function may return */

#endif
