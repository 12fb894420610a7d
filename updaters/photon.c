/*
 * photon.c
 *    Photon OS's OVAL: https://packages.broadcom.com/photon/photon_oval_definitions/
 *
 * First round: the listing of that folder, document "index", or, of a local copy, an OVAL document
 * itself. It has a document for each release, "com.vmware.phsa-photon5.xml.gz", and the same
 * without compression.
 *
 * A record is a definition: what one advisory fixes in one source package, for its binary packages.
 * Nothing but fixes is published. The documents are made anew each time, and definitions numbered
 * by their places in them: ids, titles and references begin with such a number, which is left out
 * of all that is stored. What stays is the advisory, if one is named, and the build that fixes:
 * records are called by these.
 */
#include "common/text.h"
#include "feed/oval_rpm.h"
#include "updaters/oval_source.h"

#define PREFIX CLAIR_LITERAL("com.vmware.phsa-photon")

/* Every release once. */
static int
rank(ClairBytes name, ClairBytes *subject)
{
	*subject = oval_place(name);
	return clair_bytes_start_with(name, PREFIX) ? oval_source_form(name) : -1;
}

/* "photon:N.0"; no value when the release is no number, or the arena is exhausted. */
static ClairBytes
namespace_of(RecordFeed *feed, ClairBytes release)
{
	size_t numbers = text_count_numbers(release);

	if (numbers == 0)
		return CLAIR_NULL_BYTES;
	return arena_printf(feed->arena, "photon:%.*s%s", (int) release.size, release.data,
						numbers == 1 ? ".0" : "");
}

static OvalTruth
judge(void *context, const XmlElement *criterion, OvalCase *asked)
{
	ClairBytes comment = xml_attribute(criterion, "comment");
	OvalRpmWords words = oval_rpm_words(comment, asked);

	if (words == OVAL_RPM_SIGNED)
		return OVAL_ALWAYS;
	if (words == OVAL_RPM_ASKS)
		return OVAL_DEPENDS;
	asked->namespace = namespace_of(context, oval_word(comment, 2));
	if (!oval_says(comment, 0, "Photon OS") || !oval_says(comment, 3, "is installed") ||
		asked->namespace.data == NULL)
		asked->problem = "a criterion is not understood";
	return OVAL_DEPENDS;
}

/* The text behind its first word, which has a number; all of it when it begins otherwise. */
static ClairBytes
without_number(ClairBytes title)
{
	ClairBytes first = oval_word(title, 0);

	if (!clair_bytes_start_with(first, CLAIR_LITERAL("PHSA-")))
		return title;
	return text_trim(clair_bytes_skip(title, (size_t) (first.data + first.size - title.data)));
}

/* "PHSA-3.0-0036" of a reference to "PHSA:00001:3.0:0036"; no value for any other one. */
static ClairBytes
advisory_of(RecordFeed *feed, const XmlElement *reference)
{
	ClairBytes id = xml_attribute(reference, "ref_id");
	ClairBytes release;

	if (id.size == 0 || !clair_bytes_equal(text_take_part(&id, ':'), CLAIR_LITERAL("PHSA")))
		return CLAIR_NULL_BYTES;
	text_take_part(&id, ':');
	release = text_take_part(&id, ':');
	if (release.size == 0 || id.size == 0)
		return CLAIR_NULL_BYTES;
	return arena_printf(feed->arena, "PHSA-%.*s-%.*s", (int) release.size, release.data,
						(int) id.size, id.data);
}

/*
 * "PHSA-3.0-0036/sqlite-3.27.2-5.ph3", the second part by the description, "This update upgrade
 * sqlite to 3.27.2-5.ph3 ..."; without the first part when there is no advisory. No value when the
 * description says something else.
 */
static ClairBytes
name_of(RecordFeed *feed, const XmlElement *definition)
{
	XmlElement metadata = xml_child(definition, "metadata");
	XmlElement description = xml_child(&metadata, "description");
	XmlElement reference = oval_rpm_reference(definition);
	ClairBytes text = xml_text(&description);
	ClairBytes advisory = advisory_of(feed, &reference);
	ClairBytes package = oval_word(text, 3);
	ClairBytes version = oval_word(text, 5);

	if (!oval_says(text, 0, "This update upgrade") || !oval_says(text, 4, "to") ||
		version.data == NULL)
		return CLAIR_NULL_BYTES;
	return arena_printf(feed->arena, "%.*s%s%.*s-%.*s", (int) advisory.size,
						advisory.data != NULL ? advisory.data : "",
						advisory.data != NULL ? "/" : "", (int) package.size, package.data,
						(int) version.size, version.data);
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
		.advisory = advisory_of(feed, &reference),
		.description = without_number(xml_text(&title)),
		.link = xml_attribute(&reference, "ref_url"),
	};

	(void) context;
	(void) facts;
	return oval_rpm_itemize(&rpm, judge, feed, error);
}

static ClairStatus
photon_read(const UpdaterJob *job, ClairError *error)
{
	static const OvalSource source = {.title = "Photon OS",
									  .format = {.name = name_of, .itemize = itemize},
									  .rank = rank};

	return oval_source_read(&source, job, error);
}

const Updater updater_photon = {"photon", photon_read};
