/*
 * worker.h
 *    Background workers: starting them, waiting for them, and what they do at first.
 *
 * Workers connect as the session role of who called the function that starts them. They have
 * transactions of their own: what the calling transaction has written, they do not see; and it
 * does not see, in a snapshot of before, what they do. So waiting is refused where that would
 * matter.
 */
#ifndef CLAIR_SERVER_WORKER_H
#define CLAIR_SERVER_WORKER_H

#include "postgres.h"

#include "postmaster/bgworker.h"

#include "server/owner.h"

#define MAX_WORKERS 64

/* What every worker is told; what a room's workers are told begins with it. */
typedef struct WorkerRequest
{
	Oid database;
	Oid role; /* session role of the caller */
} WorkerRequest;

/* The workers of a call. On the heap: the cleanup callback must find it whatever happens. */
typedef struct Workers
{
	int count;
	BackgroundWorkerHandle *handles[MAX_WORKERS];
} Workers;

/*
 * Refuses to start workers for a function, or to wait for them in this transaction; the hint
 * says how the function is called instead.
 */
extern void CheckMayStartWorkers(const char *function);
extern void CheckMayWaitForWorkers(const char *function, const char *hint);

/*
 * Starts a worker, which shows as type and name, in a function of this library; false when
 * there is no slot for it. The request is at most BGW_EXTRALEN bytes long; its database and role
 * are filled in.
 */
extern bool StartWorker(Workers *workers, const char *function, const char *type, const char *name,
						WorkerRequest *request, Size size);

/* For a call that needs at least one. */
extern void CheckAnyWorker(const Workers *workers);

/* For PG_ENSURE_ERROR_CLEANUP: ends the workers, given as a pointer. */
extern void TerminateWorkers(int code, Datum workers);

/* Waits until they have ended; what to do when the wait ends before that is the caller's. */
extern void WaitForWorkers(Workers *workers);

/*
 * The beginning of a worker's main function: connects, and sets what a role or a database may
 * set for its sessions and what must not bend ours. The worker's signal handlers are set before.
 */
extern void BeginWorker(const WorkerRequest *request);

/* Reads the settings again when the server's files have changed. */
extern void ReloadSettings(void);

/* A session-level advisory lock of a worker's: taken unless another process has it. */
extern bool TakeLock(uint32 class, uint32 object);
extern void ReleaseLock(uint32 class, uint32 object);

/*
 * Waits until fewer others than a setting allows work: each holds the lock of a place, numbered
 * from 0. What shows as its activity meanwhile is given. The place ends with the process.
 */
extern void TakePlace(uint32 class, const int *places, const char *activity);

/* A short transaction of a worker's: SPI is connected, as the extension's owner or as a role. */
typedef struct Work
{
	OwnerState owner;
	MemoryContext context; /* to come back to */
} Work;

/*
 * One transaction of a worker, with SPI connected and a snapshot: as the extension's owner, or as a
 * role. It is committed by EndWork().
 */
extern void BeginWork(Work *work);
extern void BeginWorkAs(Work *work, Oid role);
extern void EndWork(Work *work);

/*
 * For PG_CATCH: logs the error and ends the transaction. Returns the error, in a context, which
 * is the current one then.
 */
extern ErrorData *AbortWork(MemoryContext context);

#endif
