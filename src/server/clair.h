/*
 * clair.h
 *    What the rooms of the server library tell _PG_init().
 */
#ifndef CLAIR_CLAIR_H
#define CLAIR_CLAIR_H

/* Each defines its room's settings; called once per process, also in the postmaster. */
extern void ServerInit(void);
extern void AuditInit(void);
extern void IndexInit(void);
extern void UpdateInit(void);
extern void NotifyInit(void);

#endif
