/*
 * options.h
 *    What the job says about all of its transfers.
 */
#ifndef CLAIR_FETCH_OPTIONS_H
#define CLAIR_FETCH_OPTIONS_H

#include "common/job.h"

typedef struct FetchOptions
{
	const char *user_agent; /* "user_agent": NULL for none */
	const char *proxy;		/* "proxy": its URL; "" for none */
	const char *ca_file;	/* "ca_file": certificates of authorities; NULL: the system's */
	ClairBytes hosts;		/* "hosts": to which servers may redirect, blank-separated, or "*" */
	bool decode;			/* "decode": what a Content-Encoding has done is undone */
	bool allow_private_networks; /* "allow_private_networks" */
	int64_t max_redirects;		 /* "max_redirects" of one transfer */
	int64_t parallel;			 /* "parallel": transfers at once */
	int64_t retries;			 /* "retries" of one transfer, after the first attempt */
	int64_t connect_timeout;	 /* "connect_timeout" in seconds, of name and connection */
	int64_t stall_timeout;		 /* "stall_timeout": seconds of (nearly) no bytes */
	int64_t max_size;			 /* "max_size": bytes of any file that is written */
} FetchOptions;

/* Looks them up; the texts are the job's. */
extern ClairStatus options_read(const Job *job, FetchOptions *options, ClairError *error);

#endif
