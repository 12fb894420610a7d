/*
 * transfer.h
 *    Getting files from the network and posting texts, by clair-fetch; and the settings of that.
 *
 * One clair-fetch makes any number of transfers, each to a file of its own or, when it posts, to
 * none. It does the checks of addresses and, of files, the retrying and the redirects.
 */
#ifndef CLAIR_TRANSFER_H
#define CLAIR_TRANSFER_H

#include "postgres.h"

#include "server/compat.h"
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
	Descriptor *file;		   /* NULL when posting */
	const char *body;		   /* to post, at most WIRE_MAX_BODY bytes; or NULL */
	int timeout;			   /* seconds, all in all, of what is posted */
	const char *certificate;   /* of who posts: PEM, at most WIRE_MAX_PEM bytes; or NULL */
	const char *key;		   /* of the certificate, likewise; NULL: it is beside that */
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
	char *answer;	   /* to what was posted, its beginning */
	int64 retry_after; /* seconds for which the server asks; 0: it does not */
} TransferAnswer;

/* Starts a clair-fetch in the current memory context. */
extern Helper *StartFetch(const TransferOptions *options);

/*
 * Gives it a transfer; they are numbered from 0. No answer is waited for, so unfinished are to be
 * few: at most the 256 that clair-fetch takes. EndTransfers() says that no more will come.
 */
extern void
SendTransfer(Helper *fetch, const TransferOptions *options, int number, const Transfer *transfer);
extern void EndTransfers(Helper *fetch);

/* All of that for transfers that are known at once. */
extern Helper *StartTransfers(const TransferOptions *options, const Transfer *transfers, int count);

/*
 * Waits for what clair-fetch says next; false when it has done all and ended. The texts of an
 * answer are not to be trusted.
 */
extern bool NextAnswer(Helper *fetch, int count, TransferAnswer *answer);

/* Raises that an answer is not what clair-fetch says: of no transfer, or a second one of it. */
pg_noreturn extern void ReportMalformedAnswer(void);

/* Raises that a transfer failed. */
pg_noreturn extern void ReportTransfer(const char *url, const char *error, const char *hint);

#endif
