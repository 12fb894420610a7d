/*
 * ubuntu_oval.c
 *    Ubuntu's OVAL: https://security-metadata.canonical.com/oval/
 *
 * First round: the listing of that folder, document "index", or, of a local copy, an OVAL document
 * itself. Of each release one document is read: by CVE (com.ubuntu.jammy.cve.oval.xml.bz2), else
 * by package (...pkg...), for machines or, named oci.com.ubuntu..., for containers' manifests.
 * Those of Ubuntu Pro's channels are not read.
 *
 * A record is a definition: of a CVE, or of a source package with its CVEs, which the comments of
 * its criteria then name. Criteria refer to tests of packages: names, by way of a variable, and
 * perhaps the version that they must not have reached. Of what is not fixed, or fixed in version 0,
 * the comment says why. The form of 2018 has no variables, and its names are of source packages.
 * Criteria about the kernel that is running mean nothing in an image.
 */
#include <stdlib.h>

#include "common/text.h"
#include "common/text_map.h"
#include "feed/oval_ranges.h"
#include "feed/severity.h"
#include "feed/ubuntu_releases.h"
#include "updaters/oval_source.h"

#define LINK "https://ubuntu.com/security/"

#define FIXED		 CLAIR_LITERAL("fixed")
#define WILL_NOT_FIX CLAIR_LITERAL("will_not_fix")
#define NOT_AFFECTED CLAIR_LITERAL("not_affected")

#define MEMORY_PROBLEM "there is not enough memory for the definition"

/* Which of several criteria on one package counts: the widest, since one suffices to hold. */
typedef enum Rank
{
	RANK_NOT_AFFECTED,
	RANK_FIXED,
	RANK_UNFIXED
} Rank;

/* A definition being read. */
typedef struct Reading
{
	RecordFeed *feed;
	const OvalFacts *facts;
	ClairBytes record; /* its key */
	ClairBytes namespace;
	ClairBytes vulnerability; /* no value: it is of a package, and has several */
	ClairBytes description;
	ClairBytes severity; /* of the definition; no value when it has none */
	TextMap cves;		 /* XmlElement: what the advisory says of a vulnerability */
} Reading;

/* One document of each release: of CVEs before packages, of machines before containers. */
static int
rank(ClairBytes name, ClairBytes *subject)
{
	static const ClairBytes prefix = CLAIR_LITERAL("com.ubuntu.");
	static const ClairBytes container = CLAIR_LITERAL("oci.");
	ClairBytes place = oval_place(name);
	int chosen = 0;

	if (place.size == name.size)
		return -1;
	if (clair_bytes_start_with(place, container))
	{
		place = clair_bytes_skip(place, container.size);
		chosen++;
	}
	if (!clair_bytes_start_with(place, prefix))
		return -1;
	place = clair_bytes_skip(place, prefix.size);
	if (clair_bytes_end_with(place, CLAIR_LITERAL(".pkg")))
		chosen += 2;
	else if (!clair_bytes_end_with(place, CLAIR_LITERAL(".cve")))
		return -1;
	place.size -= sizeof(".cve") - 1;
	*subject = place;
	return ubuntu_namespace(place).data != NULL ? chosen : -1;
}

/* The namespace that a definition's id names: "oval:com.ubuntu.jammy:def:2031100010000000". */
static ClairBytes
namespace_of(ClairBytes id)
{
	static const ClairBytes prefix = CLAIR_LITERAL("oval:com.ubuntu.");
	const char *colon;

	if (!clair_bytes_start_with(id, prefix))
		return CLAIR_NULL_BYTES;
	id = clair_bytes_skip(id, prefix.size);
	colon = memchr(id.data, ':', id.size);
	if (colon != NULL)
		id.size = (size_t) (colon - id.data);
	return ubuntu_namespace(id);
}

static bool
mentions(ClairBytes text, const char *phrase)
{
	return text.size > 0 && memmem(text.data, text.size, phrase, strlen(phrase)) != NULL;
}

/* What the comment of a criterion says of a package that is not fixed. */
static ClairBytes
unfixed_status(ClairBytes comment)
{
	if (mentions(comment, "decision has been made to ignore"))
		return mentions(comment, "end of life") || mentions(comment, "end-of-life") ||
					   mentions(comment, "end of standard support")
				   ? CLAIR_LITERAL("end_of_life")
				   : WILL_NOT_FIX;
	return mentions(comment, "decision has been made to defer") ? CLAIR_LITERAL("deferred")
																: CLAIR_LITERAL("affected");
}

/* The vulnerability that a comment begins with, in parentheses. */
static ClairBytes
vulnerability_of(ClairBytes comment)
{
	const char *end = memchr(comment.data, ')', comment.size);

	if (end == NULL || comment.data[0] != '(')
		return CLAIR_NULL_BYTES;
	return (ClairBytes){comment.data + 1, (size_t) (end - comment.data) - 1};
}

static OvalTruth
judge(void *context, const XmlElement *criterion, OvalCase *asked)
{
	const Reading *reading = context;
	ClairBytes comment = xml_attribute(criterion, "comment");
	bool negated = clair_bytes_equal(xml_attribute(criterion, "negate"), CLAIR_LITERAL("true"));

	if (xml_is(criterion, "extend_definition"))
		return OVAL_ALWAYS; /* which release it is: the whole document is of one */
	asked->vulnerability = reading->vulnerability;
	if (asked->vulnerability.data == NULL && comment.size > 0)
		asked->vulnerability = vulnerability_of(comment);
	switch (oval_facts_test(reading->facts, xml_attribute(criterion, "test_ref"), &asked->test))
	{
		case OVAL_TEST_MISSING:
			asked->problem = "a test is missing";
			return OVAL_DEPENDS;
		case OVAL_TEST_OTHER:
		case OVAL_TEST_BOUND:
			return OVAL_NEVER; /* the kernel that is running, or a result that nobody knows */
		case OVAL_TEST_PACKAGE:
			break;
	}
	if (asked->test.name_count == 0)
		return OVAL_NEVER; /* all its names are patterns: it is about kernels */
	if (asked->vulnerability.data == NULL)
		asked->problem = "a criterion names no vulnerability";
	asked->absent = negated && asked->test.existence == OVAL_ANY;
	if (asked->absent)
		asked->status = NOT_AFFECTED;
	else if (negated || asked->test.existence != OVAL_SOME)
		asked->problem = "a criterion is not understood";
	else
		asked->status = unfixed_status(comment);
	return OVAL_DEPENDS;
}

/* Adds what is said of a package. What Ubuntu Pro alone fixes stays as it is for all others. */
static ClairStatus
add_statement(const Reading *reading, OvalStatements *statements, OvalStatement statement,
			  ClairError *error)
{
	const char *problem = NULL;
	ClairStatus status = CLAIR_OK;

	if (mentions(statement.evr, "+esm") || mentions(statement.evr, "~esm"))
	{
		OvalStatement other = statement;

		other.evr = CLAIR_NULL_BYTES;
		other.status = WILL_NOT_FIX;
		other.rank = RANK_UNFIXED;
		other.flavour = CLAIR_LITERAL("");
		status = oval_statements_add(statements, other, &problem, error);
		statement.flavour = CLAIR_LITERAL("esm");
	}
	if (status == CLAIR_OK && problem == NULL)
		status = oval_statements_add(statements, statement, &problem, error);
	if (status != CLAIR_OK || problem == NULL)
		return status;
	return oval_broken(reading->feed, reading->record, statement.package, problem, error);
}

/* Adds what a case says: of every package that its test names. */
static ClairStatus
add_case(const Reading *reading, OvalStatements *statements, const OvalCase *asked,
		 ClairError *error)
{
	ClairBytes evr = asked->test.evr;
	OvalStatement statement = {
		.namespace = reading->namespace,
		.kind = asked->test.by_variable ? CLAIR_LITERAL("binary") : CLAIR_LITERAL("source"),
		.rank = RANK_UNFIXED,
		.status = asked->status,
	};
	ClairStatus status = CLAIR_OK;

	if (asked->absent)
		statement.rank = RANK_NOT_AFFECTED;
	else if (evr.data != NULL && !clair_bytes_equal(evr, CLAIR_LITERAL("0")) &&
			 !clair_bytes_equal(evr, CLAIR_LITERAL("0:0")))
	{
		statement.rank = RANK_FIXED;
		statement.status = FIXED;
		statement.evr = evr;
	}
	for (size_t i = 0; i < asked->test.name_count && status == CLAIR_OK; i++)
	{
		statement.package = *asked->test.names[i];
		status = add_statement(reading, statements, statement, error);
	}
	return status;
}

/* Fills in what the advisory says of a vulnerability: its severity, and of fixes their notice. */
static ClairStatus
finish_ranges(const Reading *reading, ClairBytes vulnerability, AdvisoryRange *ranges,
			  uint32_t count, ClairError *error)
{
	static const XmlElement nothing;
	const XmlElement *found = text_map_find(&reading->cves, vulnerability);
	const XmlElement *cve = found != NULL ? found : &nothing;
	ClairBytes notices = xml_attribute(cve, "usns");
	ClairBytes notice = CLAIR_NULL_BYTES;
	ClairBytes severity = severity_from_word(
		reading->severity.data != NULL ? reading->severity : xml_attribute(cve, "priority"));

	/* Of several notices it is not said which one is of which package. */
	if (notices.size > 0 && memchr(notices.data, ',', notices.size) == NULL)
	{
		notice = arena_printf(reading->feed->arena, "USN-%.*s", (int) notices.size, notices.data);
		if (notice.data == NULL)
			return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	}
	for (uint32_t i = 0; i < count; i++)
	{
		ranges[i].severity = severity;
		if (ranges[i].fixed.data != NULL)
			ranges[i].advisory = notice;
	}
	return CLAIR_OK;
}

/* Writes a vulnerability with what its cases, all of those given, say. */
static ClairStatus
write_vulnerability(const Reading *reading, const OvalCase *cases, size_t count, ClairError *error)
{
	OvalStatements statements = {.arena = reading->feed->arena, .format = VERSION_DPKG};
	ClairBytes name = cases[0].vulnerability;
	AdvisoryRange *ranges = NULL;
	uint32_t range_count = 0;
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		if (cases[i].problem == NULL)
			status = add_case(reading, &statements, &cases[i], error);
		else if (i == 0 || cases[i].problem != cases[i - 1].problem)
			status = oval_broken(reading->feed, reading->record, name, cases[i].problem, error);
	}
	if (status == CLAIR_OK)
		status = oval_statements_ranges(&statements, &ranges, &range_count, error);
	if (status != CLAIR_OK || range_count == 0)
		return status;
	if (name.size == 0 || name.size > CLAIR_MAX_NAME || reading->description.size > CLAIR_MAX_TEXT)
		return advisory_broken(&reading->feed->writer, reading->record, error,
							   "its name or its description is missing or too long");
	status = finish_ranges(reading, name, ranges, range_count, error);
	if (status != CLAIR_OK)
		return status;

	Advisory advisory = {
		.record = reading->record,
		.name = name,
		.description = reading->description,
		.link = arena_printf(reading->feed->arena, LINK "%.*s", (int) name.size, name.data),
		.ranges = ranges,
		.range_count = range_count,
	};

	if (advisory.link.data == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	return advisory_write(&reading->feed->writer, &advisory, error);
}

static int
compare_cases(const void *left, const void *right)
{
	const OvalCase *a = left;
	const OvalCase *b = right;

	return clair_bytes_compare(a->vulnerability, b->vulnerability);
}

/* Takes what the advisory says of each vulnerability. */
static ClairStatus
take_cves(Reading *reading, const XmlElement *advisory, ClairError *error)
{
	ClairBytes content = advisory->content;
	XmlElement cve;

	reading->cves.arena = reading->feed->arena;
	while (xml_next_named(&content, "cve", &cve))
	{
		XmlElement *kept = arena_alloc(reading->feed->arena, sizeof(XmlElement));
		void **place = text_map_at(&reading->cves, xml_text(&cve));

		if (kept == NULL || place == NULL)
			return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
		*kept = cve;
		*place = kept;
	}
	return CLAIR_OK;
}

/* A description without the instructions for updating that may follow it. */
static ClairBytes
without_instructions(ClairBytes description)
{
	static const ClairBytes start = CLAIR_LITERAL("Update Instructions:");
	const char *found = memmem(description.data, description.size, start.data, start.size);

	if (found != NULL)
		description.size = (size_t) (found - description.data);
	return text_trim(description);
}

/* Finds out what a definition is about: a CVE, which a reference names, or a package. */
static ClairStatus
describe(Reading *reading, const XmlElement *definition, ClairError *error)
{
	XmlElement metadata = xml_child(definition, "metadata");
	XmlElement advisory = xml_child(&metadata, "advisory");
	XmlElement severity = xml_child(&advisory, "severity");
	XmlElement description = xml_child(&metadata, "description");
	XmlElement reference;

	if (severity.name.data != NULL)
		reading->severity = xml_text(&severity);
	while (xml_next_named(&metadata.content, "reference", &reference))
	{
		if (!text_equal_ignoring_case(xml_attribute(&reference, "source"), CLAIR_LITERAL("CVE")))
			continue;
		reading->vulnerability = xml_attribute(&reference, "ref_id");
		reading->description = without_instructions(xml_text(&description));
		break;
	}
	return take_cves(reading, &advisory, error);
}

/* Writes what a definition says; that of the release itself is not of our concern. */
static ClairStatus
itemize(RecordFeed *feed, void *context, const OvalFacts *facts, ClairBytes key,
		const XmlElement *definition, ClairError *error)
{
	Reading reading = {.feed = feed, .facts = facts, .record = key};
	OvalCase *cases;
	size_t count;
	size_t same;
	const char *problem;
	ClairStatus status;

	(void) context;
	if (clair_bytes_equal(xml_attribute(definition, "class"), CLAIR_LITERAL("inventory")))
		return CLAIR_OK;
	reading.namespace = namespace_of(xml_attribute(definition, "id"));
	if (reading.namespace.data == NULL)
		return advisory_broken(&feed->writer, key, error, "its release is not known");
	status = describe(&reading, definition, error);
	if (status != CLAIR_OK)
		return status;
	status = oval_cases(feed, definition, judge, &reading, &cases, &count, &problem, error);
	if (status == CLAIR_OK && problem != NULL)
		return advisory_broken(&feed->writer, key, error, "%s", problem);
	if (status == CLAIR_OK && count > 0)
		qsort(cases, count, sizeof(OvalCase), compare_cases);
	for (size_t i = 0; i < count && status == CLAIR_OK; i += same)
	{
		same = 1;
		while (i + same < count && compare_cases(&cases[i], &cases[i + same]) == 0)
			same++;
		status = write_vulnerability(&reading, &cases[i], same, error);
	}
	return status;
}

static ClairStatus
ubuntu_oval_read(const UpdaterJob *job, ClairError *error)
{
	static const OvalSource source = {.title = "Ubuntu",
									  .format = {.tests = true, .itemize = itemize},
									  .rank = rank};

	return oval_source_read(&source, job, error);
}

const Updater updater_ubuntu_oval = {"ubuntu-oval", ubuntu_oval_read};
