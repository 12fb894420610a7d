/*
 * oval_rpm.c
 *    Definitions of vendors of rpm packages; see oval_rpm.h.
 */
#include "feed/oval_rpm.h"

#include "common/text.h"
#include "feed/oval_ranges.h"
#include "feed/severity.h"

#define FIXED		 CLAIR_LITERAL("fixed")
#define AFFECTED	 CLAIR_LITERAL("affected")
#define NOT_AFFECTED CLAIR_LITERAL("not_affected")

#define MAX_NAMES 10000	  /* CVEs of a definition */
#define MAX_ROWS  1000000 /* ranges of all of them */

/* Which of several statements on one package counts: the greatest. */
typedef enum Rank
{
	RANK_UNFIXED_BESIDE,
	RANK_UNFIXED,
	RANK_FIXED_BESIDE,
	RANK_FIXED,
	RANK_NOT_AFFECTED
} Rank;

/* A CVE of the definition. */
typedef struct Name
{
	ClairBytes name;
	ClairBytes severity;
	ClairBytes link;
} Name;

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the definition");
}

/* Adds what a case says. */
static ClairStatus
add_case(const OvalRpm *rpm, OvalStatements *statements, const OvalCase *asked,
		 const char **problem, ClairError *error)
{
	OvalStatement statement = {
		.namespace = asked->namespace,
		.kind = rpm->kind.data != NULL ? rpm->kind : CLAIR_LITERAL("binary"),
		.package = asked->package,
		.module = asked->module.data != NULL ? asked->module : CLAIR_LITERAL(""),
		.flavour = asked->flavour.data != NULL ? asked->flavour : CLAIR_LITERAL(""),
		.architectures = asked->architectures,
		.rank = asked->is_beside ? RANK_UNFIXED_BESIDE : RANK_UNFIXED,
		.status = asked->status.data != NULL ? asked->status : AFFECTED,
		.introduced = asked->introduced,
	};

	*problem = asked->problem;
	if (*problem == NULL && asked->namespace.data == NULL)
		*problem = "a package has no release";
	if (*problem != NULL)
		return CLAIR_OK;
	if (asked->absent)
	{
		statement.rank = RANK_NOT_AFFECTED;
		statement.status = NOT_AFFECTED;
	}
	else if (asked->evr.data != NULL)
	{
		statement.rank = asked->is_beside ? RANK_FIXED_BESIDE : RANK_FIXED;
		statement.status = FIXED;
		statement.evr = asked->evr;
	}
	else
		statement.last_affected = asked->last_affected;
	return oval_statements_add(statements, statement, problem, error);
}

/* Takes all cases; those with a problem are told, but the same problem in a row only once. */
static ClairStatus
take_cases(const OvalRpm *rpm, const OvalCase *cases, size_t count, OvalStatements *statements,
		   ClairError *error)
{
	const char *told = NULL;
	ClairBytes told_package = CLAIR_NULL_BYTES;
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		ClairBytes package = cases[i].package;
		const char *problem;

		status = add_case(rpm, statements, &cases[i], &problem, error);
		if (problem == NULL || (problem == told && clair_bytes_equal(told_package, package)))
			continue;
		told = problem;
		told_package = package;
		status = oval_broken(rpm->feed, rpm->record, package, problem, error);
	}
	return status;
}

OvalRpmWords
oval_rpm_words(ClairBytes comment, OvalCase *asked)
{
	if (oval_says(comment, 1, "is earlier than"))
	{
		asked->package = oval_word(comment, 0);
		asked->evr = oval_word(comment, 4);
		if (asked->evr.data == NULL || oval_word(comment, 5).data != NULL)
			asked->problem = "it has no version";
		return OVAL_RPM_ASKS;
	}
	if (oval_says(comment, 0, "Module") && oval_says(comment, 2, "is enabled"))
	{
		asked->module = oval_word(comment, 1);
		return OVAL_RPM_ASKS;
	}
	return oval_says(comment, 1, "is signed with") ? OVAL_RPM_SIGNED : OVAL_RPM_OTHER;
}

bool
oval_rpm_is_zero(ClairBytes evr)
{
	for (size_t i = 0; i < evr.size; i++)
		if (strchr("0:-", evr.data[i]) == NULL)
			return false;
	return evr.size > 0;
}

XmlElement
oval_rpm_reference(const XmlElement *definition)
{
	XmlElement metadata = xml_child(definition, "metadata");
	XmlElement reference;

	while (xml_next_named(&metadata.content, "reference", &reference))
		if (!text_equal_ignoring_case(xml_attribute(&reference, "source"), CLAIR_LITERAL("CVE")))
			return reference;
	return (XmlElement){0};
}

/*
 * Adds a name, up to MAX_NAMES; one that is there may get a link. False when the arena is
 * exhausted.
 */
static bool
add_name(const OvalRpm *rpm, Name **names, size_t *count, size_t *capacity, const Name *added)
{
	for (size_t i = 0; i < *count; i++)
	{
		Name *name = &(*names)[i];

		if (!clair_bytes_equal(name->name, added->name))
			continue;
		if (name->link.data == NULL)
			name->link = added->link;
		return true;
	}
	if (*count == MAX_NAMES)
		return true;
	*names = arena_grow_array(rpm->feed->arena, *names, *count + 1, capacity, sizeof(Name));
	if (*names == NULL)
		return false;
	(*names)[(*count)++] = *added;
	return true;
}

/*
 * The name that a text is, or has in it: "Mitre CVE-2031-0001", "CVE-2031-0001 at SUSE", or
 * "CVE:00001:CVE-2031-0001" of Photon.
 */
static ClairBytes
name_in(ClairBytes text)
{
	ClairBytes rest = text = text_trim(text);

	while (rest.size > 0)
	{
		ClairBytes word = text_take_part(&rest, ' ');

		while (word.size > 0 && memchr(word.data, ':', word.size) != NULL)
			text_take_part(&word, ':');
		if (clair_bytes_start_with(word, CLAIR_LITERAL("CVE-")))
			return word;
	}
	return text;
}

/*
 * The CVEs that the definition is about: those that its advisory lists, perhaps with a severity
 * of their own, then those among its references; else the advisory itself.
 */
static ClairStatus
find_names(const OvalRpm *rpm, Name **names, size_t *count, ClairError *error)
{
	XmlElement metadata = xml_child(&rpm->definition, "metadata");
	XmlElement advisory = xml_child(&metadata, "advisory");
	XmlElement severity = xml_child(&advisory, "severity");
	ClairBytes common = rpm->severity.data != NULL ? rpm->severity
												   : severity_from_word(xml_text(&severity));
	size_t capacity = 0;
	XmlElement child;
	bool added = true;

	*names = NULL;
	*count = 0;
	while (added && xml_next_named(&advisory.content, "cve", &child))
	{
		ClairBytes impact = xml_attribute(&child, "impact");
		bool is_own = impact.size > 0 && rpm->severity.data == NULL;
		Name name = {name_in(xml_text(&child)), is_own ? severity_from_word(impact) : common,
					 xml_attribute(&child, "href")};

		if (name.name.size > 0)
			added = add_name(rpm, names, count, &capacity, &name);
	}
	while (added && xml_next_named(&metadata.content, "reference", &child))
	{
		Name name = {name_in(xml_attribute(&child, "ref_id")), common,
					 xml_attribute(&child, "ref_url")};

		if (name.name.size > 0 &&
			text_equal_ignoring_case(xml_attribute(&child, "source"), CLAIR_LITERAL("CVE")))
			added = add_name(rpm, names, count, &capacity, &name);
	}
	if (added && *count == 0 && rpm->advisory.size > 0)
	{
		Name name = {rpm->advisory, common, CLAIR_NULL_BYTES};

		added = add_name(rpm, names, count, &capacity, &name);
	}
	return added ? CLAIR_OK : memory_error(error);
}

/* What of the texts that go into a row is too long or missing; NULL when nothing is. */
static const char *
name_problem(const OvalRpm *rpm, const Name *name)
{
	if (name->name.size > CLAIR_MAX_NAME || memchr(name->name.data, ' ', name->name.size) != NULL)
		return "the name of a vulnerability is too long, or has blanks in it";
	if (rpm->description.size > CLAIR_MAX_TEXT)
		return "its description is too long";
	return NULL;
}

static ClairStatus
write_names(const OvalRpm *rpm, const Name *names, size_t count, AdvisoryRange *ranges,
			uint32_t range_count, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (uint32_t i = 0; i < range_count; i++)
	{
		ranges[i].repositories = rpm->repositories;
		if (ranges[i].fixed.data != NULL)
			ranges[i].advisory = rpm->advisory;
	}
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
	{
		Advisory advisory = {
			.record = rpm->record,
			.name = names[i].name,
			.description = rpm->description,
			.link = rpm->link.data != NULL ? rpm->link : names[i].link,
			.ranges = ranges,
			.range_count = range_count,
		};
		const char *problem = name_problem(rpm, &names[i]);

		if (problem != NULL)
		{
			status = advisory_broken(&rpm->feed->writer, rpm->record, error, "%s", problem);
			continue;
		}
		for (uint32_t j = 0; j < range_count; j++)
			ranges[j].severity = names[i].severity;
		status = advisory_write(&rpm->feed->writer, &advisory, error);
	}
	return status;
}

ClairStatus
oval_rpm_write(const OvalRpm *rpm, const OvalCase *cases, size_t count, ClairError *error)
{
	OvalStatements statements = {.arena = rpm->feed->arena,
								 .format = rpm->is_dpkg ? VERSION_DPKG : VERSION_RPM};
	AdvisoryRange *ranges;
	uint32_t range_count;
	Name *names;
	size_t name_count;
	ClairStatus status = take_cases(rpm, cases, count, &statements, error);

	if (status == CLAIR_OK)
		status = oval_statements_ranges(&statements, &ranges, &range_count, error);
	if (status == CLAIR_OK)
		status = find_names(rpm, &names, &name_count, error);
	if (status != CLAIR_OK)
		return status;
	if (name_count == 0)
		return advisory_broken(&rpm->feed->writer, rpm->record, error,
							   "it names neither a vulnerability nor an advisory");
	if (name_count == MAX_NAMES || name_count * range_count > MAX_ROWS)
		return advisory_broken(&rpm->feed->writer, rpm->record, error,
							   "it names too many vulnerabilities or packages");
	if (range_count == 0)
		return CLAIR_OK;
	return write_names(rpm, names, name_count, ranges, range_count, error);
}

ClairStatus
oval_rpm_itemize(const OvalRpm *rpm, OvalJudge judge, void *context, ClairError *error)
{
	OvalCase *cases;
	size_t count;
	const char *problem;
	ClairStatus status = oval_cases(rpm->feed, &rpm->definition, judge, context, &cases, &count,
									&problem, error);

	if (status == CLAIR_OK && problem != NULL)
		return advisory_broken(&rpm->feed->writer, rpm->record, error, "%s", problem);
	return status == CLAIR_OK ? oval_rpm_write(rpm, cases, count, error) : status;
}
