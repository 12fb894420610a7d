/*
 * redhat.c
 *    Red Hat's CSAF VEX documents, one for each CVE: https://security.access.redhat.com/data/csaf/
 *
 * First round: "archive_latest.txt", document "latest", which names the newest archive of all of
 * them. Second round: that archive, which is read once; "changes.csv" and "deletions.csv", which
 * say what has happened since, and when; and the list of the products that repositories belong to.
 * Third round: documents that have changed, each for itself, as patches of the archive.
 *
 * In the run that reads the archive these are the documents that have changed since its day, which
 * are then passed over in the archive, like those that are gone. In later runs they are those that
 * have changed since the last run. Its state is the name of the archive and the newest times of
 * both lists, in milliseconds since 1970, "-" for none. Too many changes, or an archive so new that
 * the lists cannot have been followed, make a run begin again with the archive. So does any other
 * archive, where there are no lists: in copies of one's own.
 */
#include "common/text.h"
#include "feed/redhat_repositories.h"
#include "feed/redhat_vex.h"
#include "feed/timestamp.h"
#include "updaters/csaf_source.h"

#define HOST_URL		 "https://security.access.redhat.com/"
#define REPOSITORIES_URL HOST_URL "data/metrics/repository-to-cpe.json"

#define LATEST		 CLAIR_LITERAL("latest")
#define REPOSITORIES CLAIR_LITERAL("repositories")

/* An archive may have been begun the day before its name says. */
#define ARCHIVE_MARGIN TIMESTAMP_DAY

/* How much newer an archive can be than the last change that is known of. */
#define MAX_SILENCE (7 * TIMESTAMP_DAY)

/* The day of an archive, "csaf_vex_2031-02-01.tar.zst". */
static bool
archive_day(ClairBytes name, int64_t *day)
{
	static const size_t size = sizeof("2031-02-01") - 1;

	for (size_t i = 0; i + size <= name.size; i++)
		if (timestamp_read((ClairBytes){name.data + i, size}, day))
			return true;
	return false;
}

/* Whether it is the name of an archive beside the other documents. */
static bool
is_archive_name(ClairBytes name)
{
	int64_t day;

	for (size_t i = 0; i < name.size; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
				   name.data[i]) == NULL ||
			name.data[i] == '\0')
			return false;
	return name.size > 0 && name.size <= CLAIR_MAX_NAME && archive_day(name, &day);
}

/* Whether the archive has to be read in place of the changes, as far as its name tells. */
static bool
has_lost_track(const CsafState *old, ClairBytes archive)
{
	int64_t day;

	if (old->archive.data == NULL || clair_bytes_equal(old->archive, archive))
		return false;
	return old->changed == CSAF_NEVER ||
		   (archive_day(archive, &day) && day > old->changed + MAX_SILENCE);
}

/* Names the documents of the second round. */
static ClairStatus
name_documents(const CsafRound *round, const UpdaterDocument *latest, ClairBytes archive,
			   ClairError *error)
{
	const UpdaterJob *job = round->job;
	bool is_copy = !clair_bytes_start_with(latest->url, CLAIR_LITERAL(HOST_URL));
	ClairStatus status;

	if (has_lost_track(&round->old, archive))
		return updater_state(job, CLAIR_NULL_BYTES, error);
	status = updater_further(job, latest, CSAF_ARCHIVE, archive, false, "keep", error);
	if (status == CLAIR_OK)
		status = updater_further(job, latest, CSAF_CHANGES, CLAIR_LITERAL("changes.csv"), is_copy,
								 "plain", error);
	if (status == CLAIR_OK)
		status = updater_further(job, latest, CSAF_DELETIONS, CLAIR_LITERAL("deletions.csv"),
								 is_copy, "plain", error);
	if (status == CLAIR_OK)
		status = updater_further(job, latest, REPOSITORIES,
								 is_copy ? CLAIR_LITERAL("repository-to-cpe.json")
										 : CLAIR_LITERAL(REPOSITORIES_URL),
								 is_copy, "plain", error);
	return status;
}

static ClairStatus
read_latest(const CsafRound *round, const UpdaterDocument *latest, ClairError *error)
{
	ClairBytes text;
	char shown[48];
	ClairStatus status = record_feed_load(round->job->limits, latest->descriptor, round->arena,
										  &text, error);

	if (status == CLAIR_OK)
	{
		text = text_trim(text);
		if (is_archive_name(text))
			return name_documents(round, latest, text, error);
		text_printable(text, shown, sizeof(shown));
		clair_error(error, CLAIR_INVALID, "\"%s\" is not the name of an archive", shown);
	}
	return clair_error_in(error, "document \"latest\"");
}

/* From when on the lists matter. */
static ClairStatus
set_out(CsafRound *round, const UpdaterDocument *archive, ClairError *error)
{
	int64_t day;

	round->whole = archive != NULL;
	if (round->whole)
		round->new = (CsafState){csaf_last_component(archive->url), CSAF_NEVER, CSAF_NEVER};
	if (!archive_day(round->new.archive, &day))
		return clair_error(error, CLAIR_INVALID,
						   "the archive's name does not say of which day it is");
	round->changed_since = round->new.changed != CSAF_NEVER ? round->new.changed
															: day - ARCHIVE_MARGIN;
	round->deleted_since = round->new.deleted != CSAF_NEVER ? round->new.deleted + 1
															: day - ARCHIVE_MARGIN;
	return CLAIR_OK;
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	(void) context;
	return redhat_vex_itemize(feed, record, key, error);
}

/* Reads the archive and the lists, as far as they are there. */
static ClairStatus
read_documents(CsafRound *round, ClairError *error)
{
	const UpdaterDocument *archive = csaf_round_document(round, CSAF_ARCHIVE);
	bool too_many = false;
	ClairStatus status;

	if (archive == NULL && csaf_round_document(round, CSAF_CHANGES) == NULL &&
		csaf_round_document(round, CSAF_DELETIONS) == NULL)
		return CLAIR_OK;
	status = set_out(round, archive, error);
	if (status == CLAIR_OK)
		status = csaf_round_read_lists(round, error);
	if (status == CLAIR_OK)
		status = csaf_round_write_changes(round, &too_many, error);
	if (status == CLAIR_OK && too_many)
		return updater_state(round->job, CLAIR_NULL_BYTES, error);
	if (status == CLAIR_OK && round->whole)
		status = csaf_round_read_archive(round, archive, error);
	return status == CLAIR_OK ? csaf_round_write_state(round, error) : status;
}

static ClairStatus
read_round(CsafRound *round, ClairError *error)
{
	const UpdaterJob *job = round->job;
	ClairStatus status = read_documents(round, error);

	for (size_t i = 0; i < job->count && status == CLAIR_OK; i++)
	{
		const UpdaterDocument *document = &job->documents[i];

		if (clair_bytes_equal(document->name, LATEST))
			status = read_latest(round, document, error);
		else if (clair_bytes_equal(document->name, REPOSITORIES))
			status = redhat_repositories_read(&round->feed, document->name, document->descriptor,
											  error);
		else if (!csaf_is_common(document->name))
			status = csaf_round_read_patch(round, document, error);
	}
	return status;
}

static ClairStatus
redhat_read(const UpdaterJob *job, ClairError *error)
{
	static const CsafSource source = {.title = "Red Hat", .by_year = true, .itemize = itemize};
	CsafRound round;
	ClairStatus status = csaf_round_open(&round, &source, job, error);

	if (status == CLAIR_OK)
		status = read_round(&round, error);
	csaf_round_close(&round);
	return status;
}

const Updater updater_redhat = {"redhat", redhat_read};
