/*
 * chainguard_osv.c
 *    Chainguard's archive of OSV records, of Chainguard OS and of Wolfi, in its third form:
 *    https://advisories.cgr.dev/chainguard/v3/osv/chainguard-osv.tar.gz
 *
 * A record, "CGA-xxxx-xxxx-xxxx.json", is about one vulnerable component of a package, so that
 * many may speak of the same vulnerability of a package. What is fixed "0" is none of it.
 */
#include <string.h>

#include "feed/file_records.h"
#include "feed/osv_advisory.h"
#include "updaters/updater.h"

#define EXTENSION CLAIR_LITERAL(".json")

/* A record is a file that is named after its id; what else an archive has is passed over. */
static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	const char *slash = memrchr(record->name.data, '/', record->name.size);
	ClairBytes name = clair_bytes_skip(record->name, slash != NULL
														 ? (size_t) (slash + 1 - record->name.data)
														 : 0);

	(void) feed;
	(void) context;
	(void) error;
	*key = CLAIR_NULL_BYTES;
	if (!clair_bytes_start_with(name, CLAIR_LITERAL("CGA-")))
		return CLAIR_OK;
	name.size -= EXTENSION.size;
	*key = name;
	if (name.size > CLAIR_MAX_NAME)
	{
		*key = CLAIR_LITERAL("");
		*problem = "its name is too long";
	}
	return CLAIR_OK;
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	return osv_advisory_itemize(feed, context, record, key, error);
}

static ClairStatus
chainguard_osv_read(const UpdaterJob *job, ClairError *error)
{
	static const RecordFormat format = {.cutter = &archive_record_cutter,
										.part = "*.json",
										.identify = identify,
										.itemize = itemize};
	OsvSource source = {.is_of_components = true};

	return updater_read_archives(job, &format, &source, NULL, error);
}

const Updater updater_chainguard_osv = {"chainguard-osv", chainguard_osv_read};
