/*
 * transfer.h
 *    One document from a URL to a descriptor: attempts, redirects, and what became of it. Or one
 *    text that is posted, and what is answered.
 *
 * main.c decides when an attempt starts and tells when libcurl has ended it; everything about
 * HTTP is here.
 */
#ifndef CLAIR_FETCH_TRANSFER_H
#define CLAIR_FETCH_TRANSFER_H

#include <curl/curl.h>

#include "common/connection.h"
#include "fetch/options.h"

typedef enum TransferState
{
	TRANSFER_WAITING, /* for its first attempt, or until due for the next one */
	TRANSFER_RUNNING,
	TRANSFER_FINISHED
} TransferState;

typedef struct Transfer Transfer;

/*
 * A transfer of these fields (WIRE_TRANSFER_FIELDS) to a regular file, whose descriptor becomes
 * the transfer's; or, with a body, without one (-1). The options must outlive it.
 */
extern ClairStatus
transfer_create(const ClairBytes *fields, int descriptor, const FetchOptions *options,
				Transfer **transfer, ClairError *error);

/* Frees it; it must not be running. */
extern void transfer_destroy(Transfer *transfer);

/* The number that the request gave it, and how far it is. */
extern int64_t transfer_number(const Transfer *transfer);
extern TransferState transfer_state(const Transfer *transfer);

/* When a waiting transfer may start, in milliseconds of the monotonic clock. */
extern int64_t transfer_due(const Transfer *transfer);

/* Bytes written by the current attempt. */
extern int64_t transfer_written(const Transfer *transfer);

/* Starts an attempt. A URL that must not be asked finishes the transfer. */
extern ClairStatus transfer_start(Transfer *transfer, CURLM *multi, ClairError *error);

/*
 * Called when libcurl has ended what is under way for an easy handle: finishes its transfer,
 * follows a redirect, or makes it wait for the next attempt.
 */
extern ClairStatus
transfer_ended(CURLM *multi, CURL *easy, CURLcode result, int64_t now, ClairError *error);

/* Tells the server what became of a finished transfer. */
extern ClairStatus
transfer_report(const Transfer *transfer, Connection *connection, ClairError *error);

#endif
