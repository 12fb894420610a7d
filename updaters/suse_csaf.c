/*
 * suse_csaf.c
 *    SUSE's CSAF VEX documents, one for each CVE:
 * https://ftp.suse.com/pub/projects/security/csaf-vex/
 *
 * First round: "changes.csv", document "changes", which says which documents have changed, and
 * when. It names the archive of all of them, which is read once, and, in later runs, the documents
 * that have changed since the last one, as patches of the archive. Nothing is said of what is gone.
 *
 * Nobody says when the archive was made. It is taken to be at most some days older than the newest
 * change when it is fetched: what has changed in these days is asked for by the next run.
 *
 * A copy of one's own may also be nothing but an archive.
 *
 * In place of SUSE's OVAL: what there are "recommended" versions of is fixed, and a status says why
 * something has no fix. Products are known by their names, as in OVAL.
 */
#include "feed/csaf_ranges.h"
#include "feed/suse_product.h"
#include "feed/timestamp.h"
#include "updaters/csaf_source.h"

#define HOST_URL	"https://ftp.suse.com/"
#define ARCHIVE_URL HOST_URL "pub/projects/security/csaf-vex.tar.bz2"
#define ARCHIVE		CLAIR_LITERAL("csaf-vex.tar.bz2")

/* How much older than the newest change an archive can be. */
#define ARCHIVE_MARGIN (3 * TIMESTAMP_DAY)

static bool
find_place(void *context, Arena *arena, const CsafProduct *platform, CsafPlace *place)
{
	SuseProduct product = {0};

	(void) context;
	if (platform != NULL && !suse_product(arena, platform->id, &product))
		return false;
	*place = (CsafPlace){product.namespaces, product.is_beside};
	return true;
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	static const CsafVendor vendor = {.link = "https://www.suse.com/security/cve/",
									  .find_place = find_place};

	return csaf_itemize(feed, &vendor, context, record, key, error);
}

/* Reads what has changed, and names the archive and the documents. */
static ClairStatus
read_changes(CsafRound *round, const UpdaterDocument *changes, ClairError *error)
{
	bool is_copy = !clair_bytes_start_with(changes->url, CLAIR_LITERAL(HOST_URL));
	bool is_first = round->old.archive.data == NULL;
	bool too_many = false;
	ClairStatus status;

	round->new.archive = ARCHIVE;
	round->changed_since = is_first ? INT64_MAX : round->old.changed;
	status = csaf_round_read_lists(round, error);
	if (status == CLAIR_OK)
		status = updater_further(round->job, changes, CSAF_ARCHIVE,
								 is_copy ? ARCHIVE : CLAIR_LITERAL(ARCHIVE_URL), false, "keep",
								 error);
	if (status == CLAIR_OK)
		status = csaf_round_write_changes(round, &too_many, error);
	if (status == CLAIR_OK && too_many)
		return updater_state(round->job, CLAIR_NULL_BYTES, error);
	if (is_first && round->new.changed != CSAF_NEVER)
		round->new.changed -= ARCHIVE_MARGIN;
	return status == CLAIR_OK ? csaf_round_write_state(round, error) : status;
}

/* Reads what has changed, or an archive in its place: which has bytes that no list has. */
static ClairStatus
read_first(CsafRound *round, const UpdaterDocument *first, ClairError *error)
{
	char begin[512];
	size_t size = sizeof(begin);
	ClairStatus status = record_feed_peek(round->job->limits, first->descriptor, begin, &size,
										  error);

	if (status != CLAIR_OK)
		return clair_error_in(error, "document \"changes\"");
	return memchr(begin, '\0', size) == NULL ? read_changes(round, first, error)
											 : csaf_round_read_archive(round, first, error);
}

static ClairStatus
suse_csaf_read(const UpdaterJob *job, ClairError *error)
{
	static const CsafSource source = {.title = "SUSE", .itemize = itemize};
	CsafRound round;
	ClairStatus status = csaf_round_open(&round, &source, job, error);

	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
	{
		const UpdaterDocument *document = &job->documents[i];

		if (clair_bytes_equal(document->name, CSAF_CHANGES))
			status = read_first(&round, document, error);
		else if (clair_bytes_equal(document->name, CSAF_ARCHIVE))
			status = csaf_round_read_archive(&round, document, error);
		else
			status = csaf_round_read_patch(&round, document, error);
	}
	csaf_round_close(&round);
	return status;
}

const Updater updater_suse_csaf = {"suse-csaf", suse_csaf_read};
