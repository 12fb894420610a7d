/*
 * fetch.h
 *    Getting documents: from the network, by clair-fetch, or from files of the server.
 *
 * Each document becomes fetched, unchanged or absent, or the run fails. The contents of
 * fetched ones are descriptors in the current memory context.
 */
#ifndef CLAIR_FETCH_H
#define CLAIR_FETCH_H

#include "update/run.h"

/* conditional: what has not changed since an earlier run is not fetched again. */
extern void FetchDocuments(UpdateRun *run, List *documents, bool conditional);

/* The same for documents with file: URLs. */
extern void OpenLocalDocuments(UpdateRun *run, List *documents, bool conditional);

#endif
