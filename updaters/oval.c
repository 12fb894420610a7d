/*
 * oval.c
 *    Any source whose documents are OVAL about packages: for updaters of the user's own.
 *
 * First round: such a document, or the listing of a folder, whose documents then are read. A record
 * is a definition; what its tests say of packages counts, whoever the vendor is.
 *
 * The option "namespace" says of which distribution release the packages are. Where documents are
 * about several, "releases" says which criterion asks for which: {"Acme Linux 9 is installed":
 * "rhel:9"}; other criteria that say that something is installed then never hold. "kind" says
 * whether packages are binary packages or sources.
 */
#include "common/text.h"
#include "feed/oval_rpm.h"
#include "updaters/options.h"
#include "updaters/oval_source.h"

/* What the user has set. */
typedef struct Options
{
	ClairBytes namespace;
	ClairBytes kind;
	UpdaterOptionEntry *releases;
	size_t release_count;
} Options;

/* What a definition is read with. */
typedef struct Reading
{
	const Options *options;
	const OvalFacts *facts;
	bool is_dpkg; /* its tests are of dpkg's packages */
} Reading;

static int
rank(ClairBytes name, ClairBytes *subject)
{
	*subject = oval_place(name);
	return subject->size < name.size ? oval_source_form(name) : -1;
}

/* The release that a criterion asks for, as the user has set it; NULL when it is none of these. */
static const ClairBytes *
find_release(const Options *options, ClairBytes comment)
{
	for (size_t i = 0; i < options->release_count; i++)
		if (clair_bytes_equal(comment, options->releases[i].name))
			return &options->releases[i].value;
	return NULL;
}

/* What else is said of the system: whether it is another one. */
static OvalTruth
judge_system(const Options *options, ClairBytes comment)
{
	if (options->release_count > 0 && clair_bytes_end_with(comment, CLAIR_LITERAL("is installed")))
		return OVAL_NEVER;
	if (clair_bytes_end_with(comment, CLAIR_LITERAL("must be installed")))
		return OVAL_NEVER; /* it holds where the distribution is another one */
	return OVAL_ALWAYS;
}

/* What is said of a package. */
static OvalTruth
judge_package(Reading *reading, const OvalTest *test, OvalCase *asked)
{
	if (test->existence == OVAL_ANY)
		return OVAL_ALWAYS;
	if (test->existence == OVAL_SOME && oval_rpm_is_zero(test->evr))
		return test->bound == OVAL_ABOVE ? OVAL_ALWAYS : OVAL_NEVER;
	if (test->bound == OVAL_ABOVE)
		asked->problem = "a test is of a later version";
	if (test->name_count != 1)
		asked->problem = "a test is not of one package";
	else
		asked->package = *test->names[0];
	if (test->bound == OVAL_UP_TO)
		asked->last_affected = test->evr;
	else
		asked->evr = test->evr;
	asked->absent = test->existence == OVAL_NONE;
	reading->is_dpkg |= test->is_dpkg;
	return OVAL_DEPENDS;
}

static OvalTruth
judge(void *context, const XmlElement *criterion, OvalCase *asked)
{
	Reading *reading = context;
	ClairBytes comment = text_trim(xml_attribute(criterion, "comment"));
	OvalCase words = {0};
	OvalRpmWords said = oval_rpm_words(comment, &words);
	OvalTest test;
	OvalTestKind kind = oval_facts_test(reading->facts, xml_attribute(criterion, "test_ref"),
										&test);
	const ClairBytes *release = find_release(reading->options, comment);

	if (said == OVAL_RPM_SIGNED)
		return OVAL_ALWAYS;
	asked->module = words.module;
	if (release != NULL)
		asked->namespace = *release;
	if (release != NULL || words.module.data != NULL)
		return OVAL_DEPENDS;
	if (kind == OVAL_TEST_PACKAGE || kind == OVAL_TEST_BOUND)
		return judge_package(reading, &test, asked);
	if (kind == OVAL_TEST_OTHER && said != OVAL_RPM_ASKS)
		return judge_system(reading->options, comment);
	asked->package = words.package;
	asked->problem = kind == OVAL_TEST_MISSING ? "a test is missing"
											   : "a test is of no package that is known";
	return OVAL_DEPENDS;
}

/* Fills in who says so, and what: an advisory's title, or what a CVE is. */
static void
describe(OvalRpm *rpm)
{
	XmlElement metadata = xml_child(&rpm->definition, "metadata");
	XmlElement reference = oval_rpm_reference(&rpm->definition);
	XmlElement title = xml_child(&metadata, "title");
	XmlElement description = xml_child(&metadata, "description");

	rpm->advisory = xml_attribute(&reference, "ref_id");
	rpm->link = xml_attribute(&reference, "ref_url");
	rpm->description = xml_text(rpm->advisory.size > 0 ? &title : &description);
}

/* Writes what a definition says. */
static ClairStatus
itemize(RecordFeed *feed, void *context, const OvalFacts *facts, ClairBytes key,
		const XmlElement *definition, ClairError *error)
{
	Reading reading = {.options = context, .facts = facts};
	OvalRpm rpm = {.feed = feed, .record = key, .definition = *definition};
	OvalCase *cases;
	size_t count;
	const char *problem;
	ClairStatus status = oval_cases(feed, definition, judge, &reading, &cases, &count, &problem,
									error);

	if (status == CLAIR_OK && problem != NULL)
		return advisory_broken(&feed->writer, key, error, "%s", problem);
	for (size_t i = 0; status == CLAIR_OK && i < count; i++)
		if (cases[i].namespace.data == NULL)
			cases[i].namespace = reading.options->namespace;
	rpm.kind = reading.options->kind;
	rpm.is_dpkg = reading.is_dpkg;
	describe(&rpm);
	return status == CLAIR_OK ? oval_rpm_write(&rpm, cases, count, error) : status;
}

static ClairStatus
read_options(const UpdaterJob *job, Arena *arena, Options *options, ClairError *error)
{
	ClairStatus status = updater_option(job, arena, "namespace", &options->namespace, error);

	if (status == CLAIR_OK && options->namespace.size == 0)
		status = clair_error(error, CLAIR_PROTOCOL, "malformed job: it has no namespace");
	if (status == CLAIR_OK)
		status = updater_option(job, arena, "kind", &options->kind, error);
	if (status == CLAIR_OK)
		status = updater_option_map(job, arena, "releases", &options->releases,
									&options->release_count, error);
	return status;
}

static ClairStatus
oval_format_read(const UpdaterJob *job, ClairError *error)
{
	Options options = {0};
	OvalSource source = {.title = "OVAL",
						 .format = {.tests = true, .itemize = itemize},
						 .context = &options,
						 .rank = rank};
	Arena *arena = arena_create(record_feed_memory(job->limits));
	ClairStatus status;

	if (arena == NULL)
		return clair_error(error, CLAIR_MEMORY, "out of memory");
	status = read_options(job, arena, &options, error);
	if (status == CLAIR_OK)
		status = oval_source_read(&source, job, error);
	arena_destroy(arena);
	return status;
}

const Updater updater_oval = {"oval", oval_format_read};
