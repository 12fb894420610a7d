/*
 * suse.c
 *    SUSE's OVAL: https://ftp.suse.com/pub/projects/security/oval/
 *
 * First round: the listing of that folder, document "index", or, of a local copy, an OVAL document
 * itself. It names, of each product, a document of its CVEs with what is not fixed ("-affected"),
 * one of its CVEs without, and one of its patches ("-patch"): of these the first that is there.
 * One of a whole version ("suse.linux.enterprise.15") has in it all that those of its service packs
 * have. Documents of products beside the distribution (storage, cloud, manager) are not read.
 *
 * A record is a definition: of a CVE, or of a patch. Its criteria say in words which products they
 * are about, what is not fixed and what is not affected, which OVAL cannot say; the tests' states
 * have the versions, with their epochs. The products, of which there are dozens, come to the
 * namespaces that their packages are in: see suse_product.h. Architectures are those that a product
 * is sold for, and say nothing of a package, whose builds are all of one source.
 */
#include "common/text.h"
#include "feed/oval_rpm.h"
#include "feed/severity.h"
#include "feed/suse_product.h"
#include "updaters/oval_source.h"

#define INSTALLED CLAIR_LITERAL(" is installed")

/* What a definition is read with. */
typedef struct Reading
{
	RecordFeed *feed;
	const OvalFacts *facts;
} Reading;

/* The subject is the version, of SUSE Linux Enterprise or its micro, or the release of openSUSE. */
static int
rank(ClairBytes name, ClairBytes *subject)
{
	static const char *const ends[] = {"-affected", "-patch", ""};
	static const int end_ranks[] = {0, 2, 1};
	static const char *const begins[] = {"suse.linux.enterprise.server.", "suse.linux.enterprise.",
										 "suse.linux.", ""};
	ClairBytes rest = oval_place(name);
	int end = 0;
	int begin = 0;

	if (rest.size == name.size || oval_source_form(name) < 0)
		return -1;
	while (!clair_bytes_end_with(rest, clair_bytes(ends[end])))
		end++;
	rest.size -= strlen(ends[end]);
	while (!clair_bytes_start_with(rest, clair_bytes(begins[begin])))
		begin++;
	rest = *subject = clair_bytes_skip(rest, strlen(begins[begin]));
	if (begin > 0 && clair_bytes_start_with(rest, CLAIR_LITERAL("micro.")))
		rest = clair_bytes_skip(rest, strlen("micro."));
	if (begin < 3 ? rest.size == 0 || rest.data[0] < '0' || rest.data[0] > '9'
				  : !clair_bytes_start_with(rest, CLAIR_LITERAL("opensuse.")))
		return -1;
	return (begin == 0) * 15 + end_ranks[end] * 5 + oval_source_form(name);
}

/* What is said of a package by a test. False when it is not about a package's version. */
static bool
judge_test(const Reading *reading, const XmlElement *criterion, OvalCase *asked)
{
	OvalTest test;
	OvalTestKind kind = oval_facts_test(reading->facts, xml_attribute(criterion, "test_ref"),
										&test);

	if (kind == OVAL_TEST_MISSING)
		asked->problem = "a test is missing";
	if (kind != OVAL_TEST_PACKAGE || test.evr.data == NULL || test.name_count != 1)
		return false;
	asked->package = *test.names[0];
	asked->evr = test.evr;
	return true;
}

/* What is said of the system: which product it is. */
static OvalTruth
judge_product(const Reading *reading, ClairBytes name, OvalCase *asked)
{
	SuseProduct product;

	if (!suse_product(reading->feed->arena, name, &product))
		asked->problem = "there is not enough memory for a product";
	else if (product.namespaces.data == NULL)
		return OVAL_NEVER;
	else
		asked->problem = NULL;
	asked->namespace = product.namespaces;
	asked->is_beside = product.is_beside;
	return OVAL_DEPENDS;
}

static OvalTruth
judge(void *context, const XmlElement *criterion, OvalCase *asked)
{
	const Reading *reading = context;
	ClairBytes comment = text_trim(xml_attribute(criterion, "comment"));
	bool is_product = clair_bytes_end_with(comment, INSTALLED);

	if (oval_says(comment, 1, "is not affected"))
		return OVAL_NEVER;
	if (oval_says(comment, 1, "is signed with"))
		return OVAL_ALWAYS;
	if (oval_says(comment, 1, "is affected") && oval_word(comment, 3).data == NULL)
	{
		asked->package = oval_word(comment, 0);
		return OVAL_DEPENDS;
	}
	if (is_product)
		comment.size -= INSTALLED.size;
	if (is_product && oval_word(comment, 1).data != NULL)
		return judge_product(reading, comment, asked);
	if ((is_product || oval_says(comment, 1, "less than")) && judge_test(reading, criterion, asked))
		return oval_rpm_is_zero(asked->evr) ? OVAL_NEVER : OVAL_DEPENDS;
	if (is_product && judge_product(reading, comment, asked) != OVAL_NEVER)
		return OVAL_DEPENDS;
	if (asked->problem == NULL)
		asked->problem = "a criterion is not understood";
	return OVAL_DEPENDS;
}

/* The namespaces of the platforms that a definition names, when these are the same for all. */
static ClairBytes
find_platform(const Reading *reading, const XmlElement *metadata)
{
	XmlElement affected = xml_child(metadata, "affected");
	ClairBytes found = CLAIR_NULL_BYTES;
	XmlElement platform;
	SuseProduct product;

	while (xml_next_named(&affected.content, "platform", &platform))
	{
		if (!suse_product(reading->feed->arena, xml_text(&platform), &product) ||
			product.namespaces.data == NULL)
			continue;
		if (found.data != NULL && !clair_bytes_equal(found, product.namespaces))
			return CLAIR_NULL_BYTES;
		found = product.namespaces;
	}
	return found;
}

/*
 * Makes each case one of a single namespace. Those that have none, in old documents of a single
 * release, have the platform's.
 */
static ClairStatus
split_cases(RecordFeed *feed, ClairBytes platform, OvalCase **cases, size_t *count,
			ClairError *error)
{
	OvalCase *split = NULL;
	size_t split_count = 0;
	size_t capacity = 0;

	for (size_t i = 0; i < *count; i++)
	{
		OvalCase each = (*cases)[i];
		ClairBytes list = each.namespace.data != NULL ? each.namespace : platform;

		do
		{
			each.namespace = list.size > 0 ? text_take_part(&list, ' ') : CLAIR_NULL_BYTES;
			split = arena_grow_array(feed->arena, split, split_count + 1, &capacity,
									 sizeof(OvalCase));
			if (split == NULL)
				return clair_error(error, CLAIR_MEMORY,
								   "there is not enough memory for the definition");
			split[split_count++] = each;
		} while (list.size > 0);
	}
	*cases = split;
	*count = split_count;
	return CLAIR_OK;
}

/* Fills in what depends on the class of the definition. */
static void
describe(OvalRpm *rpm, const XmlElement *metadata)
{
	XmlElement reference = oval_rpm_reference(&rpm->definition);
	XmlElement description = xml_child(metadata, "description");
	XmlElement advisory = xml_child(metadata, "advisory");
	XmlElement severity = xml_child(&advisory, "severity");

	rpm->description = xml_text(&description);
	rpm->link = xml_attribute(&reference, "ref_url");
	if (!clair_bytes_equal(xml_attribute(&rpm->definition, "class"),
						   CLAIR_LITERAL("vulnerability")))
		rpm->advisory = xml_attribute(&reference, "ref_id");
	else if (clair_bytes_equal(xml_text(&severity), CLAIR_LITERAL("None")))
		rpm->severity = CLAIR_LITERAL("Unknown"); /* SUSE has not rated it */
	else if (xml_text(&severity).size > 0)
		rpm->severity = severity_from_word(
			xml_text(&severity)); /* SUSE's own, before that of a score */
}

/* Writes what a definition says. */
static ClairStatus
itemize(RecordFeed *feed, void *context, const OvalFacts *facts, ClairBytes key,
		const XmlElement *definition, ClairError *error)
{
	XmlElement metadata = xml_child(definition, "metadata");
	Reading reading = {feed, facts};
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
		status = split_cases(feed, find_platform(&reading, &metadata), &cases, &count, error);
	describe(&rpm, &metadata);
	return status == CLAIR_OK ? oval_rpm_write(&rpm, cases, count, error) : status;
}

static ClairStatus
suse_read(const UpdaterJob *job, ClairError *error)
{
	static const OvalSource source = {.title = "SUSE",
									  .format = {.tests = true, .itemize = itemize},
									  .covers = true,
									  .rank = rank};

	return oval_source_read(&source, job, error);
}

const Updater updater_suse = {"suse", suse_read};
