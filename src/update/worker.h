/*
 * worker.h
 *    What clair.update() tells the background workers that it starts.
 */
#ifndef CLAIR_UPDATE_WORKER_H
#define CLAIR_UPDATE_WORKER_H

#include "postgres.h"

#include "storage/dsm.h"

#include "server/worker.h"

/*
 * First keys of the advisory locks: of an updater that runs, with the hash of its name as
 * second key (the view clair.update_status knows it); and of the places that workers take,
 * clair.max_update_workers of them, numbered from 0.
 */
#define UPDATER_LOCK 1668047221
#define PLACE_LOCK	 1668047222

#define UPDATER_NAME_SIZE 64

typedef struct UpdateRequest
{
	WorkerRequest worker;
	int64 number;					 /* of the call of clair.update() */
	char updater[UPDATER_NAME_SIZE]; /* or "": all that are enabled */
	dsm_handle segment;				 /* of an import, see import.h; else 0 */
} UpdateRequest;

/*
 * Whether a function of somebody's is being called: it could catch a cancellation, so a worker that
 * is terminated then ends at once, without recording its run's end.
 */
extern void RunsFunction(bool runs);

#endif
