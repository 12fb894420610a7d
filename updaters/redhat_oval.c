/*
 * redhat_oval.c
 *    Red Hat's OVAL, of which there are copies: https://www.redhat.com/security/data/oval/
 *
 * Superseded by its VEX documents, and for those who have kept dumps. The first form had a document
 * for each release ("com.redhat.rhsa-RHEL7.xml"), the second one for each stream of products, with
 * what is not fixed or without ("RHEL9/rhel-9-including-unpatched.oval.xml.bz2"), and a manifest.
 *
 * A record is a definition: of an advisory (RHSA), of what a CVE leaves unfixed, or of what it does
 * not affect. Its criteria's comments say what is needed, but for architectures, which only the
 * tests' states know. What is not fixed has a resolution: why. The products are those of its CPEs;
 * what is Red Hat Enterprise Linux itself also counts for images whose repositories are unknown.
 */
#include "common/text.h"
#include "feed/name_list.h"
#include "feed/oval_rpm.h"
#include "updaters/oval_source.h"

#define UNPATCHED CLAIR_LITERAL("-including-unpatched")
#define MAX_CPES  1000

#define MAX_ARCHITECTURES 16 /* of one state */

/* What a definition is read with. */
typedef struct Reading
{
	RecordFeed *feed;
	const OvalFacts *facts;
	XmlElement affected; /* resolutions of what is not fixed */
} Reading;

/* Every stream once: with what is not fixed, when there is such a document. */
static int
rank(ClairBytes name, ClairBytes *subject)
{
	*subject = oval_place(name);
	if (subject->size == name.size)
		return -1;
	if (!clair_bytes_end_with(*subject, UNPATCHED))
		return 1;
	subject->size -= UNPATCHED.size;
	return 0;
}

/* "rhel:N" for a release's number; no value when it is none, or the arena is exhausted. */
static ClairBytes
namespace_of(const Reading *reading, ClairBytes release)
{
	size_t digits = 0;

	while (digits < release.size && release.data[digits] >= '0' && release.data[digits] <= '9')
		digits++;
	if (digits == 0 || (digits < release.size && release.data[digits] != '.'))
		return CLAIR_NULL_BYTES;
	return arena_printf(reading->feed->arena, "rhel:%.*s", (int) digits, release.data);
}

/* The architectures that a test's state has, when it is a list of them: "aarch64|x86_64". */
static ClairBytes
architectures_of(const Reading *reading, const XmlElement *criterion)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	ClairBytes names[MAX_ARCHITECTURES];
	size_t count = 0;
	OvalTest test;

	if (oval_facts_test(reading->facts, xml_attribute(criterion, "test_ref"), &test) !=
		OVAL_TEST_PACKAGE)
		return CLAIR_NULL_BYTES;
	while (test.architectures.size > 0)
	{
		ClairBytes name = text_take_part(&test.architectures, '|');

		if (name.size == 0 || count == MAX_ARCHITECTURES)
			return CLAIR_NULL_BYTES;
		for (size_t i = 0; i < name.size; i++)
			if (memchr(letters, name.data[i], sizeof(letters) - 1) == NULL)
				return CLAIR_NULL_BYTES;
		names[count++] = name;
	}
	return name_list_join(reading->feed->arena, names, name_list_order(names, count));
}

/* The status that a resolution's state stands for. */
static ClairBytes
status_of(ClairBytes state)
{
	static const struct
	{
		ClairBytes state;
		ClairBytes status;
	} states[] = {
		{CLAIR_LITERAL("Affected"), CLAIR_LITERAL("affected")},
		{CLAIR_LITERAL("Will not fix"), CLAIR_LITERAL("will_not_fix")},
		{CLAIR_LITERAL("Fix deferred"), CLAIR_LITERAL("deferred")},
		{CLAIR_LITERAL("Out of support scope"), CLAIR_LITERAL("end_of_life")},
		{CLAIR_LITERAL("Under investigation"), CLAIR_LITERAL("under_investigation")},
		{CLAIR_LITERAL("New"), CLAIR_LITERAL("under_investigation")},
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (clair_bytes_equal(state, states[i].state))
			return states[i].status;
	return CLAIR_LITERAL("affected");
}

/*
 * The status of a package that is not fixed: its resolution's. A component is a package, perhaps
 * behind its module ("python38:3.8/numpy"). A definition of one resolution means it for all.
 */
static ClairBytes
unfixed_status(const Reading *reading, ClairBytes package)
{
	ClairBytes resolutions = reading->affected.content;
	ClairBytes only = CLAIR_LITERAL("affected");
	size_t count = 0;
	XmlElement resolution;
	XmlElement component;

	while (xml_next_named(&resolutions, "resolution", &resolution))
	{
		only = status_of(xml_attribute(&resolution, "state"));
		count++;
		while (xml_next_named(&resolution.content, "component", &component))
		{
			ClairBytes name = xml_text(&component);
			const char *slash = memrchr(name.data, '/', name.size);

			if (slash != NULL)
				name = clair_bytes_skip(name, (size_t) (slash + 1 - name.data));
			if (clair_bytes_equal(name, package))
				return only;
		}
	}
	return count == 1 ? only : CLAIR_LITERAL("affected");
}

/* What is said of the system: its release, its kernel, other products than Enterprise Linux. */
static OvalTruth
judge_system(const Reading *reading, ClairBytes comment, OvalCase *asked)
{
	if (oval_says(comment, 0, "Red Hat Enterprise Linux must be installed") ||
		oval_says(comment, 0, "Red Hat CoreOS"))
		return OVAL_NEVER;
	if (oval_says(comment, 1, "earlier than") ||
		oval_says(comment, 0, "kpatch-patch not installed"))
		return OVAL_ALWAYS; /* which kernel runs, and how it was patched: images have none */
	asked->namespace = namespace_of(reading, oval_word(comment, 4));
	if (!oval_says(comment, 0, "Red Hat Enterprise Linux") || asked->namespace.data == NULL)
		asked->problem = "a criterion is not understood";
	return OVAL_DEPENDS;
}

static OvalTruth
judge(void *context, const XmlElement *criterion, OvalCase *asked)
{
	const Reading *reading = context;
	ClairBytes comment = xml_attribute(criterion, "comment");
	OvalRpmWords words = oval_rpm_words(comment, asked);

	if (words == OVAL_RPM_SIGNED)
		return OVAL_ALWAYS;
	if (words == OVAL_RPM_ASKS)
	{
		if (asked->package.data != NULL)
			asked->architectures = architectures_of(reading, criterion);
		return OVAL_DEPENDS;
	}
	asked->absent = oval_says(comment, 1, "is not installed");
	if (!asked->absent &&
		(!oval_says(comment, 1, "is installed") || oval_word(comment, 3).data != NULL))
		return judge_system(reading, comment, asked);
	asked->package = oval_word(comment, 0);
	asked->status = unfixed_status(reading, asked->package);
	return OVAL_DEPENDS;
}

/*
 * The products that the definition is about, as CPEs; and the namespace, when it is about the
 * distribution itself: "cpe:/o:redhat:enterprise_linux:9", with whatever follows. No value: it
 * names none.
 */
static ClairStatus
find_repositories(const Reading *reading, const XmlElement *advisory, const OvalCase *cases,
				  size_t count, ClairBytes *repositories, ClairError *error)
{
	static const ClairBytes bases[] = {CLAIR_LITERAL("cpe:/o:redhat:enterprise_linux:"),
									   CLAIR_LITERAL("cpe:/a:redhat:enterprise_linux:")};
	XmlElement list = xml_child(advisory, "affected_cpe_list");
	ClairBytes *texts = arena_alloc_array(reading->feed->arena, MAX_CPES + 1, sizeof(ClairBytes));
	ClairBytes namespace = CLAIR_NULL_BYTES;
	bool base = false;
	size_t found = 0;
	XmlElement cpe;

	for (size_t i = 0; i < count && namespace.data == NULL; i++)
	namespace = cases[i].namespace;
	while (texts != NULL && found < MAX_CPES && xml_next_named(&list.content, "cpe", &cpe))
	{
		ClairBytes text = xml_text(&cpe);

		if (!clair_bytes_start_with(text, CLAIR_LITERAL("cpe:/")) ||
			oval_word(text, 1).data != NULL)
			continue;
		texts[found++] = text;
		base |= clair_bytes_start_with(text, bases[0]) || clair_bytes_start_with(text, bases[1]);
	}
	*repositories = CLAIR_NULL_BYTES;
	if (texts != NULL && found == 0)
		return CLAIR_OK;
	if (texts != NULL && base && namespace.data != NULL)
		texts[found++] = namespace;
	if (texts != NULL)
		*repositories = name_list_join(reading->feed->arena, texts, name_list_order(texts, found));
	return repositories->data != NULL
			   ? CLAIR_OK
			   : clair_error(error, CLAIR_MEMORY, "there is not enough memory for the definition");
}

/* Fills in what depends on the kind of the definition. */
static void
describe(OvalRpm *rpm, const XmlElement *metadata)
{
	XmlElement reference = oval_rpm_reference(&rpm->definition);
	ClairBytes id = xml_attribute(&reference, "ref_id");
	XmlElement title = xml_child(metadata, "title");
	XmlElement description = xml_child(metadata, "description");

	rpm->description = xml_text(id.size > 0 ? &title : &description);
	if (id.size == 0)
		return;
	rpm->link = xml_attribute(&reference, "ref_url");
	rpm->advisory = id;
	if (id.size > 3 && id.data[id.size - 3] == '-' && memchr(id.data, ':', id.size) != NULL)
		rpm->advisory.size -= 3; /* the first form had the number of the advisory's version */
}

/* Writes what a definition says. */
static ClairStatus
itemize(RecordFeed *feed, void *context, const OvalFacts *facts, ClairBytes key,
		const XmlElement *definition, ClairError *error)
{
	XmlElement metadata = xml_child(definition, "metadata");
	XmlElement advisory = xml_child(&metadata, "advisory");
	Reading reading = {feed, facts, xml_child(&advisory, "affected")};
	OvalRpm rpm = {.feed = feed, .record = key, .definition = *definition};
	OvalCase *cases;
	size_t count;
	const char *problem;
	ClairStatus status = oval_cases(feed, definition, judge, &reading, &cases, &count, &problem,
									error);

	(void) context;
	if (status == CLAIR_OK && problem != NULL)
		return advisory_broken(&feed->writer, key, error, "%s", problem);
	if (status == CLAIR_OK)
		status = find_repositories(&reading, &advisory, cases, count, &rpm.repositories, error);
	describe(&rpm, &metadata);
	return status == CLAIR_OK ? oval_rpm_write(&rpm, cases, count, error) : status;
}

static ClairStatus
redhat_oval_read(const UpdaterJob *job, ClairError *error)
{
	static const OvalSource source = {.title = "Red Hat",
									  .format = {.tests = true, .itemize = itemize},
									  .manifest = "PULP_MANIFEST",
									  .rank = rank};

	return oval_source_read(&source, job, error);
}

const Updater updater_redhat_oval = {"redhat-oval", redhat_oval_read};
