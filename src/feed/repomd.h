/*
 * repomd.h
 *    What leads to the documents of an rpm repository: its index, and lists of its mirrors.
 */
#ifndef CLAIR_REPOMD_H
#define CLAIR_REPOMD_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/limits.h"

/* A document that a repository's index names; all of it without a value: it names none. */
typedef struct RepomdDocument
{
	ClairBytes location; /* relative to the repository, which the index lies in "repodata/" of */
	ClairBytes checksum; /* "sha256:" and hexadecimal digits, or no value */
} RepomdDocument;

/* Looks up a document by its type, "updateinfo", in a repository's index, repomd.xml. */
extern ClairStatus repomd_find(const ClairLimits *limits, int descriptor, Arena *arena,
							   const char *type, RepomdDocument *found, ClairError *error);

/*
 * The URL of the repository, with "/" at its end, that a mirror.list names: on the list's own
 * server, which its URL says, else the first one; of a list that came by HTTPS only one by HTTPS,
 * too. No value: it names none.
 */
extern ClairStatus mirror_list_read(const ClairLimits *limits, int descriptor, Arena *arena,
									ClairBytes url, ClairBytes *mirror, ClairError *error);

#endif
