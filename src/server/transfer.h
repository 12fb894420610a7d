/*
 * transfer.h
 *    Getting files from the network, by clair-fetch; and the settings of that.
 *
 * One clair-fetch makes any number of transfers, each to a file of its own. It does the retrying,
 * the redirects and the checks of addresses.
 */
#ifndef CLAIR_TRANSFER_H
#define CLAIR_TRANSFER_H

#include "postgres.h"

#include "server/descriptor.h"
#include "server/helper.h"

/* Defines the settings clair.fetch_... and clair.allow_private_networks. */
extern void DefineFetchSettings(void);

/* The values that settings have where nothing else is said. */
extern const char *FetchProxy(void);
extern const char *FetchUserAgent(void);
extern int FetchParallel(void);

/* What all transfers of one clair-fetch have in common. */
typedef struct TransferOptions
{
	const char *proxy;		/* "": none */
	const char *user_agent; /* "": none */
	const char
		*hosts;		/* to which servers may redirect besides their own, blank-separated, or "*" */
	int parallel;	/* transfers at once */
	bool as_stored; /* what a Content-Encoding has done is left as it is */
	int64 max_size; /* of each file; temp_file_limit holds as well */
} TransferOptions;

typedef struct Transfer
{
	const char *url;
	const char *etag;		   /* of what is there already, or NULL */
	const char *last_modified; /* likewise */
	const char *headers;	   /* further header lines, each with a line feed at its end; or NULL */
	Descriptor *file;
} Transfer;

/* What became of one; texts are in the context that was current, or NULL. */
typedef struct TransferAnswer
{
	int number;	  /* among the transfers, from 0; -1: no answer, but a sign of life */
	int64 status; /* of HTTP: 200, 304, ... */
	int64 bytes;
	char *etag;
	char *last_modified;
	char *url; /* after redirects */
	char *error;
	char *hint;
} TransferAnswer;

/* Starts a clair-fetch in the current memory context, and lets it begin with the transfers. */
extern Helper *StartTransfers(const TransferOptions *options, const Transfer *transfers, int count);

/*
 * Waits for what clair-fetch says next; false when it has done all and ended. The texts of an
 * answer are not to be trusted.
 */
extern bool NextAnswer(Helper *fetch, int count, TransferAnswer *answer);

/* Raises that a transfer failed. */
extern void
pg_attribute_noreturn() ReportTransfer(const char *url, const char *error, const char *hint);

#endif
