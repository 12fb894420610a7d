/*
 * documents.h
 *    The documents of a run: which there are, what is known of them, what became of them.
 */
#ifndef CLAIR_DOCUMENTS_H
#define CLAIR_DOCUMENTS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/hsearch.h"

#include "server/descriptor.h"
#include "server/url.h"

struct UpdateRun;

typedef enum DocumentState
{
	DOCUMENT_STORED,	/* of an earlier run; not named by this one so far */
	DOCUMENT_NAMED,		/* to be fetched */
	DOCUMENT_UNCHANGED, /* since an earlier run: it need not be read */
	DOCUMENT_FETCHED,	/* whole */
	DOCUMENT_ABSENT		/* there is none, and need not be */
} DocumentState;

/* How a document is treated, see WIRE_FURTHER. */
typedef enum DocumentMode
{
	DOCUMENT_PLAIN,
	DOCUMENT_ALWAYS,
	DOCUMENT_KEEP,
	DOCUMENT_PATCH
} DocumentMode;

typedef struct Document
{
	const char *name;
	Url url;
	Url base;			  /* where it came from in the end: what it names is relative to that */
	const char *named_by; /* NULL: it is the first one */
	bool optional;
	DocumentMode mode;
	DocumentState state;
	const char *checksum; /* what the naming document says of its bytes; NULL: nothing */
	const char *etag;
	const char *last_modified;
	int64 size;
	Descriptor *content; /* of a fetched one, while its batch is being read */

	/* of an earlier run; NULL when there was none */
	const char *old_url;
	const char *old_etag;
	const char *old_last_modified;
	const char *old_checksum;
	List *old_names; /* Documents that it named */
} Document;

typedef struct DocumentSet
{
	HTAB *by_name;
	List *named; /* in this run, in order */
} DocumentSet;

/*
 * The phases fetch and stage: round for round, gets the documents and has those read that
 * are new. Afterwards, what the run has to apply is in the staging tables.
 */
extern void ReadDocuments(struct UpdateRun *run);

/*
 * Adds a document that another one names: checked to be where documents of this updater may
 * be. NULL when it has been named before.
 */
extern Document *NameDocument(struct UpdateRun *run, const Document *by, const char *name,
							  const char *url, bool optional, DocumentMode mode);

/* The mode that a word means, and the word; false when there is none of that name. */
extern bool ParseDocumentMode(const char *word, DocumentMode *mode);
extern const char *DocumentModeWord(DocumentMode mode);

/* What an earlier run said of the documents that this one no longer names. */
extern List *ForgottenDocuments(const struct UpdateRun *run);

#endif
