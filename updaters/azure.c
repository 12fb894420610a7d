/*
 * azure.c
 *    Azure Linux, and CBL-Mariner before it:
 *    https://github.com/microsoft/AzureLinuxVulnerabilityData
 *
 * First round: the files of that repository as GitHub's API describes them, or the listing of a
 * folder, document "index"; or, of a local copy, one of the documents itself. There is one for each
 * release, "azurelinux-3.0-oval.xml", "cbl-mariner-2.0-oval.xml", and its name alone says which.
 * Others, of previews and of repositories beside the distribution, are passed over.
 *
 * A record is a definition: one CVE in one binary package. Its tests say which versions have it:
 * those below the fix; or, while there is none, up to the newest build; and perhaps only those
 * above another one. What is "not applicable" no longer is there, or never was, and says nothing.
 */
#include "common/text.h"
#include "feed/oval_rpm.h"
#include "feed/severity.h"
#include "updaters/oval_source.h"

#define END CLAIR_LITERAL("-oval")

/* A document's release: its namespace's parts. */
typedef struct Release
{
	ClairBytes distribution;
	ClairBytes number;
} Release;

/* What a definition is read with. */
typedef struct Reading
{
	const OvalFacts *facts;
	ClairBytes namespace;
} Reading;

/* The release that a document is of, by its file's place. False when it is of none. */
static bool
read_place(ClairBytes place, Release *release)
{
	static const struct
	{
		ClairBytes prefix;
		ClairBytes distribution;
	} families[] = {{CLAIR_LITERAL("azurelinux-"), CLAIR_LITERAL("azurelinux")},
					{CLAIR_LITERAL("cbl-mariner-"), CLAIR_LITERAL("mariner")}};

	if (!clair_bytes_end_with(place, END))
		return false;
	place.size -= END.size;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
	{
		if (!clair_bytes_start_with(place, families[i].prefix))
			continue;
		release->distribution = families[i].distribution;
		release->number = clair_bytes_skip(place, families[i].prefix.size);
		return text_count_numbers(release->number) == 2;
	}
	return false;
}

/* Every release once. */
static int
rank(ClairBytes name, ClairBytes *subject)
{
	Release release;

	*subject = oval_place(name);
	return read_place(*subject, &release) ? oval_source_form(name) : -1;
}

static OvalTruth
judge(void *context, const XmlElement *criterion, OvalCase *asked)
{
	const Reading *reading = context;
	OvalTest test = {0};
	OvalTestKind kind = oval_facts_test(reading->facts, xml_attribute(criterion, "test_ref"),
										&test);

	asked->namespace = reading->namespace;
	if (kind == OVAL_TEST_MISSING)
		asked->problem = "a test is missing";
	else if (kind == OVAL_TEST_OTHER || test.name_count != 1 || test.existence != OVAL_SOME ||
			 test.evr.data == NULL)
		asked->problem = "a test is not understood";
	if (asked->problem != NULL)
		return OVAL_DEPENDS;
	asked->package = *test.names[0];
	if (test.bound == OVAL_BELOW)
		asked->evr = test.evr;
	else if (test.bound == OVAL_UP_TO)
		asked->last_affected = test.evr;
	else if (!clair_bytes_start_with(test.evr, CLAIR_LITERAL("0:0.0.0")))
		asked->introduced = test.evr; /* no build has it, for it has no release: above or from it */
	return OVAL_DEPENDS;
}

/* Writes what a definition says. */
static ClairStatus
itemize(RecordFeed *feed, void *context, const OvalFacts *facts, ClairBytes key,
		const XmlElement *definition, ClairError *error)
{
	const char *slash = memrchr(key.data, '/', key.size); /* behind the file's place */
	XmlElement metadata = xml_child(definition, "metadata");
	XmlElement patchable = xml_child(&metadata, "patchable");
	XmlElement title = xml_child(&metadata, "title");
	XmlElement severity = xml_child(&metadata, "severity");
	XmlElement advisory = xml_child(&metadata, "advisory_id");
	Reading reading = {.facts = facts};
	Release release;
	OvalRpm rpm = {
		.feed = feed,
		.record = key,
		.definition = *definition,
		.advisory = xml_text(&advisory),
		.description = xml_text(&title),
		.severity = severity_from_word(xml_text(&severity)),
	};

	(void) context;
	if (text_equal_ignoring_case(xml_text(&patchable), CLAIR_LITERAL("Not Applicable")))
		return CLAIR_OK;
	if (!read_place((ClairBytes){key.data, (size_t) (slash - key.data)}, &release))
		return clair_error(error, CLAIR_INVALID, "its name does not say of which release it is");
	reading.namespace = arena_printf(feed->arena, "%.*s:%.*s", (int) release.distribution.size,
									 release.distribution.data, (int) release.number.size,
									 release.number.data);
	if (reading.namespace.data == NULL)
		return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the definition");
	return oval_rpm_itemize(&rpm, judge, &reading, error);
}

static ClairStatus
azure_read(const UpdaterJob *job, ClairError *error)
{
	static const OvalSource source = {.title = "Azure Linux",
									  .format = {.tests = true, .itemize = itemize},
									  .rank = rank};

	return oval_source_read(&source, job, error);
}

const Updater updater_azure = {"azure", azure_read};
