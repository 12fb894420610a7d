/*
 * oracle.c
 *    Oracle Linux Security Data: https://linux.oracle.com/security/oval/
 *
 * First round: the listing of that folder, document "index", or, of a local copy, an OVAL
 * document itself. Of the documents that a listing names those of single years are read; where
 * there are none, the one of all; else those of single advisories.
 *
 * A record is a definition, of one advisory (ELSA); its criteria's comments say all that is
 * needed: release, architecture, module, package and version. Oracle publishes nothing but fixes.
 * Each architecture has ranges of its own, because advisories may differ in these.
 * Builds validated for FIPS 140, and those that Ksplice can patch, have advisories, and versions,
 * of their own: flavours, which the version's release tells.
 */
#include "common/text.h"
#include "feed/oval_rpm.h"
#include "updaters/oval_source.h"

#define PREFIX CLAIR_LITERAL("com.oracle.elsa-")

#define FIPS	CLAIR_LITERAL("fips")
#define KSPLICE CLAIR_LITERAL("ksplice")

/* Documents of single years, subjects of their own, come before that of all, and single ones. */
static int
rank(ClairBytes name, ClairBytes *subject)
{
	ClairBytes place = oval_place(name);
	size_t digits = 0;

	if (!clair_bytes_start_with(place, PREFIX) || place.size == name.size)
		return -1;
	*subject = place;
	place = clair_bytes_skip(place, PREFIX.size);
	if (clair_bytes_equal(place, CLAIR_LITERAL("all")))
		return 1;
	while (digits < place.size && place.data[digits] >= '0' && place.data[digits] <= '9')
		digits++;
	if (digits < 4 || digits != place.size)
		return -1;
	return digits == 4 ? 0 : 2;
}

/* The flavour that a version's release shows. */
static ClairBytes
flavour_of(ClairBytes evr)
{
	static const ClairBytes ksplice = CLAIR_LITERAL(".ksplice");

	if (clair_bytes_end_with(evr, CLAIR_LITERAL("_fips")))
		return FIPS;
	if (evr.size > 0 && memmem(evr.data, evr.size, ksplice.data, ksplice.size) != NULL)
		return KSPLICE;
	return CLAIR_NULL_BYTES;
}

/* "oracle:N"; no value when that is no number, or the arena is exhausted. */
static ClairBytes
namespace_of(RecordFeed *feed, ClairBytes release)
{
	if (text_count_numbers(release) != 1)
		return CLAIR_NULL_BYTES;
	return arena_printf(feed->arena, "oracle:%.*s", (int) release.size, release.data);
}

static OvalTruth
judge(void *context, const XmlElement *criterion, OvalCase *asked)
{
	ClairBytes comment = xml_attribute(criterion, "comment");

	if (oval_says(comment, 0, "Oracle Linux arch is"))
		asked->architectures = oval_word(comment, 4);
	else if (oval_says(comment, 0, "Oracle Linux") && oval_says(comment, 3, "is installed"))
		asked->namespace = namespace_of(context, oval_word(comment, 2));
	else if (oval_says(comment, 1, "is fips"))
		asked->flavour = FIPS;
	else if (oval_says(comment, 1, "is ksplice-based"))
		asked->flavour = KSPLICE;
	else if (oval_rpm_words(comment, asked) == OVAL_RPM_SIGNED)
		return OVAL_ALWAYS;
	else if (asked->evr.data != NULL)
		asked->flavour = flavour_of(asked->evr);
	else if (asked->module.data == NULL)
		asked->problem = "a criterion is not understood";
	return OVAL_DEPENDS;
}

/* Writes what a definition says. */
static ClairStatus
itemize(RecordFeed *feed, void *context, const OvalFacts *facts, ClairBytes key,
		const XmlElement *definition, ClairError *error)
{
	XmlElement metadata = xml_child(definition, "metadata");
	XmlElement title = xml_child(&metadata, "title");
	XmlElement reference = oval_rpm_reference(definition);
	OvalRpm rpm = {
		.feed = feed,
		.record = key,
		.definition = *definition,
		.advisory = xml_attribute(&reference, "ref_id"),
		.description = xml_text(&title),
		.link = xml_attribute(&reference, "ref_url"),
	};

	(void) context;
	(void) facts;
	return oval_rpm_itemize(&rpm, judge, feed, error);
}

static ClairStatus
oracle_read(const UpdaterJob *job, ClairError *error)
{
	static const OvalSource source = {
		.title = "Oracle Linux", .format = {.itemize = itemize}, .one_rank = true, .rank = rank};

	return oval_source_read(&source, job, error);
}

const Updater updater_oracle = {"oracle", oracle_read};
