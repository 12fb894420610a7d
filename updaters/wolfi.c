/*
 * wolfi.c
 *    Wolfi's and Chainguard OS's security databases: packages.wolfi.dev and packages.cgr.dev
 *
 * One document each, a secdb: "wolfi", https://packages.wolfi.dev/os/security.json, and
 * "chainguard", https://packages.cgr.dev/chainguard/security.json. A record is a package, by its
 * name, which is that of a source. Both distributions are rolling, so that each is one namespace.
 */
#include "updaters/secdb_source.h"

/* What "urlprefix" says of where packages are, and of which distribution they then are not. */
typedef struct Distribution
{
	SecdbSource source;
	const char *not_at;
} Distribution;

/* The document must not be the other distribution's. */
static ClairStatus
check_member(RecordFeed *feed, void *context, const FeedRecord *member, ClairError *error)
{
	const Distribution *distribution = context;
	JsonCursor cursor = json_cursor(member->value, feed->arena);
	ClairBytes place = CLAIR_NULL_BYTES;

	if (clair_bytes_equal(member->name, CLAIR_LITERAL("urlprefix")))
		json_text_or_null(&cursor, &place);
	else
		json_skip(&cursor);
	if (!json_end(&cursor))
		return record_feed_refuse(member, &cursor, error);
	if (place.size > 0 &&
		memmem(place.data, place.size, distribution->not_at, strlen(distribution->not_at)) != NULL)
		return clair_error(error, CLAIR_INVALID, "it is of another distribution, at %s",
						   distribution->not_at);
	return CLAIR_OK;
}

static ClairStatus
wolfi_read(const UpdaterJob *job, ClairError *error)
{
	Distribution wolfi = {{.namespace = CLAIR_LITERAL("wolfi:rolling")}, "packages.cgr.dev"};

	return secdb_source_read(job, &wolfi.source, check_member, error);
}

static ClairStatus
chainguard_read(const UpdaterJob *job, ClairError *error)
{
	Distribution chainguard = {{.namespace = CLAIR_LITERAL("chainguard:rolling")},
							   "packages.wolfi.dev"};

	return secdb_source_read(job, &chainguard.source, check_member, error);
}

const Updater updater_wolfi = {"wolfi", wolfi_read};
const Updater updater_chainguard = {"chainguard", chainguard_read};
