/*
 * csaf_ranges.c
 *    What CSAF documents of any vendor say of packages; see csaf_ranges.h.
 *
 * Statements are gone through twice: for what is fixed, then for what is not. Lists of what is
 * known not to be affected are passed over, as they say no more than that there is no range;
 * affected single versions are no ranges, and told.
 */
#include "feed/csaf_ranges.h"

#include "common/limits.h"
#include "common/purl.h"
#include "common/text.h"
#include "common/text_map.h"
#include "feed/csaf_record.h"
#include "feed/cve.h"
#include "feed/oval_ranges.h"
#include "feed/severity.h"

#define FORMATS 3
#define FIXED	(CSAF_FIXED | CSAF_FIRST_FIXED | CSAF_RECOMMENDED)

#define MEMORY_PROBLEM "there is not enough memory for the document"

/* Which of several statements on one package counts: the greatest. */
typedef enum Rank
{
	RANK_UNFIXED_BESIDE,
	RANK_UNFIXED,
	RANK_FIXED_BESIDE,
	RANK_FIXED
} Rank;

/* What a product's package URL says. */
typedef struct Package
{
	const char *problem; /* why it is left out: a phrase; "": it is none of ours */
	bool is_told;		 /* that something said of it is left out */
	VersionFormat format;
	bool is_source;
	ClairBytes name;
	ClairBytes evr;	   /* or no value */
	ClairBytes module; /* as in a range */
	ClairBytes source; /* the name of what it is built from, or no value */
} Package;

/* A document being read. */
typedef struct Working
{
	RecordFeed *feed;
	const CsafVendor *vendor;
	void *context;
	ClairBytes record;
	const CsafDocument *document;
	const CsafVulnerability *vulnerability;
	TextMap fixed; /* source packages, by their namespaces, of which something is fixed */
	OvalStatements statements[FORMATS];
} Working;

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

/* The name in "xz-5.6.2-1.1.src.rpm", or in "xz.src.rpm", where versions are not known. */
static ClairBytes
source_name(ClairBytes file, bool has_version)
{
	static const ClairBytes ends[] = {CLAIR_LITERAL(".src.rpm"), CLAIR_LITERAL(".nosrc.rpm")};

	for (size_t i = 0; i < 2; i++)
		if (clair_bytes_end_with(file, ends[i]))
			file.size -= ends[i].size;
	for (int i = 0; has_version && i < 2; i++)
	{
		const char *dash = file.size > 0 ? memrchr(file.data, '-', file.size) : NULL;

		if (dash == NULL)
			return CLAIR_NULL_BYTES;
		file.size = (size_t) (dash - file.data);
	}
	return file.size > 0 ? file : CLAIR_NULL_BYTES;
}

/* "perl:5.32" of a module's "perl:5.32:8090020231113:f4d3a2"; empty for what is none. */
static ClairBytes
module_stream(ClairBytes module)
{
	ClairBytes rest = module;
	ClairBytes name = text_take_part(&rest, ':');
	ClairBytes stream = text_take_part(&rest, ':');

	if (name.size == 0 || stream.size == 0)
		return CLAIR_LITERAL("");
	return (ClairBytes){module.data, name.size + 1 + stream.size};
}

/* Reads a package URL. False when memory is short. */
static bool
read_package(Arena *arena, ClairBytes text, Package *package)
{
	static const char *const types[] = {"deb", "rpm", "apk"};
	Purl purl = {0};
	ClairBytes architecture;
	ClairBytes epoch;
	size_t i = 0;

	if (text.data == NULL)
		package->problem = "it has no package URL";
	else
		package->problem = purl_read(arena, text, &purl);
	if (package->problem != NULL)
		return true;
	if (purl.type.data == NULL)
		return false;
	while (i < FORMATS && !clair_bytes_equal(purl.type, clair_bytes(types[i])))
		i++;
	if (i == FORMATS)
	{
		package->problem = "";
		return true;
	}
	architecture = purl_qualifier(&purl, "arch");
	epoch = purl_qualifier(&purl, "epoch");
	package->format = (VersionFormat) (i + 1);
	package->name = purl.name;
	package->evr = purl.version;
	package->is_source = clair_bytes_equal(architecture, CLAIR_LITERAL("src")) ||
						 clair_bytes_equal(architecture, CLAIR_LITERAL("nosrc")) ||
						 clair_bytes_equal(architecture, CLAIR_LITERAL("source"));
	package->module = module_stream(purl_qualifier(&purl, "rpmmod"));
	package->source = source_name(purl_qualifier(&purl, "upstream"), purl.version.data != NULL);
	if (epoch.size == 0 || purl.version.data == NULL)
		return true;
	package->evr = arena_printf(arena, "%.*s:%.*s", (int) epoch.size, epoch.data,
								(int) purl.version.size, purl.version.data);
	return package->evr.data != NULL;
}

/* The package that a product is, or a component of it; NULL when memory is short. */
static Package *
package_of(Working *working, CsafProduct *product)
{
	Arena *arena = working->feed->arena;

	if (product->component != NULL)
		product = product->component;
	if (product->facts == NULL)
	{
		Package *package = arena_alloc(arena, sizeof(Package));

		if (package == NULL)
			return NULL;
		*package = (Package){0};
		if (!read_package(arena, product->purl, package))
			return NULL;
		product->facts = package;
	}
	return product->facts;
}

/* Tells of a product that is left out, once of each package. */
static ClairStatus
tell(Working *working, const CsafProduct *product, Package *package, const char *problem,
	 ClairError *error)
{
	if (package->is_told || problem[0] == '\0')
		return CLAIR_OK;
	package->is_told = true;
	return advisory_broken(&working->feed->writer, working->record, error, "product \"%.*s\": %s",
						   (int) (product->id.size < CLAIR_MAX_NAME ? product->id.size
																	: CLAIR_MAX_NAME),
						   product->id.data, problem);
}

/* The status of what has no fix, by the words of its remediation. */
static ClairBytes
unfixed_status(const CsafStatement *statement)
{
	if ((statement->status & CSAF_AFFECTED) == 0)
		return CLAIR_LITERAL("under_investigation");
	if (statement->no_fix_planned.data != NULL)
		return text_equal_ignoring_case(statement->no_fix_planned,
										CLAIR_LITERAL("Out of support scope"))
				   ? CLAIR_LITERAL("end_of_life")
				   : CLAIR_LITERAL("will_not_fix");
	return CLAIR_LITERAL("affected");
}

/* The severity of a statement; nothing is made of "None", which vendors mean in different ways. */
static ClairBytes
severity_of(const Working *working, const CsafStatement *statement)
{
	ClairBytes word = statement->impact.data != NULL ? statement->impact
													 : working->document->severity;

	if (text_equal_ignoring_case(word, CLAIR_LITERAL("None")))
		return CLAIR_LITERAL("Unknown");
	return severity_from_word(word);
}

/* The place in the map of what is fixed of the package's source; NULL when memory is short. */
static void **
fixed_source(Working *working, ClairBytes namespace, const Package *package)
{
	ClairBytes key = arena_printf(working->feed->arena, "%.*s\n%.*s", (int) namespace.size,
								  namespace.data, (int) package->source.size, package->source.data);

	return key.data != NULL ? text_map_at(&working->fixed, key) : NULL;
}

/* Adds what is said of a package of one namespace. */
static ClairStatus
add_statement(Working *working, const CsafStatement *statement, const Package *package,
			  ClairBytes namespace, bool is_beside, const char **problem, ClairError *error)
{
	bool is_fix = (statement->status & FIXED) != 0;
	OvalStatements *statements = &working->statements[package->format - 1];
	OvalStatement added = {
		.namespace = namespace,
		.kind = package->is_source ? CLAIR_LITERAL("source") : CLAIR_LITERAL("binary"),
		.package = package->name,
		.module = package->module,
		.flavour = CLAIR_LITERAL(""),
		.rank = is_fix ? (is_beside ? RANK_FIXED_BESIDE : RANK_FIXED)
					   : (is_beside ? RANK_UNFIXED_BESIDE : RANK_UNFIXED),
		.status = is_fix ? CLAIR_LITERAL("fixed") : unfixed_status(statement),
		.severity = severity_of(working, statement),
	};

	if (package->source.data != NULL)
	{
		void **place = fixed_source(working, namespace, package);

		if (place == NULL)
			return memory_error(error);
		if (is_fix)
			*place = working;
		else if (*place != NULL)
			return CLAIR_OK;
	}
	if (is_fix)
	{
		added.evr = package->evr;
		if (!cve_is_name(working->document->id) && working->document->id.size <= CLAIR_MAX_NAME)
			added.advisory = working->document->id;
	}
	statements->arena = working->feed->arena;
	statements->format = package->format;
	return oval_statements_add(statements, added, problem, error);
}

/* Takes a statement, when it is about what is fixed, or about what is not, as asked. */
static ClairStatus
take_statement(Working *working, const CsafStatement *statement, bool fixes, ClairError *error)
{
	CsafProduct *product = statement->product;
	bool is_fix = (statement->status & FIXED) != 0;
	bool is_unfixed = !is_fix && (statement->status & CSAF_NOT_AFFECTED) == 0 &&
					  (statement->status & (CSAF_AFFECTED | CSAF_UNDER_INVESTIGATION)) != 0;
	CsafPlace place = {0};
	const char *problem;
	Package *package;
	ClairStatus status = CLAIR_OK;

	if (fixes ? !is_fix : !is_unfixed)
		return CLAIR_OK;
	if (!working->vendor->find_place(working->context, working->feed->arena, product->platform,
									 &place))
		return memory_error(error);
	if (place.namespaces.data == NULL)
		return CLAIR_OK;
	package = package_of(working, product);
	if (package == NULL)
		return memory_error(error);
	problem = package->problem;
	if (product->component != NULL &&
		(product->component->component != NULL || product->platform->component != NULL))
		problem = "it is a component of a component";
	if (problem == NULL && is_fix != (package->evr.data != NULL))
		problem = is_fix ? "it is fixed in no version" : "an affected version is no range";
	while (problem == NULL && place.namespaces.size > 0 && status == CLAIR_OK)
		status = add_statement(working, statement, package, text_take_part(&place.namespaces, ' '),
							   place.is_beside, &problem, error);
	if (status != CLAIR_OK || problem == NULL)
		return status;
	return tell(working, product, package, problem, error);
}

/* The ranges of all formats. */
static ClairStatus
collect_ranges(Working *working, AdvisoryRange **ranges, uint32_t *count, ClairError *error)
{
	size_t capacity = 0;

	*ranges = NULL;
	*count = 0;
	for (size_t i = 0; i < FORMATS; i++)
	{
		AdvisoryRange *found;
		uint32_t found_count;
		ClairStatus status;

		if (working->statements[i].count == 0)
			continue;
		status = oval_statements_ranges(&working->statements[i], &found, &found_count, error);
		if (status != CLAIR_OK)
			return status;
		*ranges = arena_grow_array(working->feed->arena, *ranges, *count + found_count, &capacity,
								   sizeof(AdvisoryRange));
		if (*ranges == NULL)
			return memory_error(error);
		memcpy(*ranges + *count, found, found_count * sizeof(AdvisoryRange));
		*count += found_count;
	}
	return CLAIR_OK;
}

/* Writes the vulnerability; not one that says nothing of packages. */
static ClairStatus
write_vulnerability(Working *working, ClairError *error)
{
	RecordFeed *feed = working->feed;
	ClairBytes cve = working->vulnerability->cve;
	Advisory advisory = {.record = working->record,
						 .name = cve,
						 .description = working->vulnerability->description};
	AdvisoryRange *ranges;
	ClairStatus status = collect_ranges(working, &ranges, &advisory.range_count, error);

	if (status != CLAIR_OK || advisory.range_count == 0)
		return status;
	advisory.ranges = ranges;
	if (working->vendor->link != NULL)
	{
		advisory.link = arena_printf(feed->arena, "%s%.*s", working->vendor->link, (int) cve.size,
									 cve.data);
		if (advisory.link.data == NULL)
			return memory_error(error);
	}
	return advisory_write(&feed->writer, &advisory, error);
}

static ClairStatus
take_vulnerability(void *context, const CsafDocument *document,
				   const CsafVulnerability *vulnerability, ClairError *error)
{
	Working *working = context;
	ClairStatus status = CLAIR_OK;

	working->document = document;
	working->vulnerability = vulnerability;
	working->fixed = (TextMap){.arena = working->feed->arena};
	memset(working->statements, 0, sizeof(working->statements));
	for (int fixes = 1; fixes >= 0; fixes--)
		for (size_t i = 0; i < vulnerability->statement_count && status == CLAIR_OK; i++)
			status = take_statement(working, vulnerability->statements[i], fixes, error);
	return status == CLAIR_OK ? write_vulnerability(working, error) : status;
}

ClairStatus
csaf_itemize(RecordFeed *feed, const CsafVendor *vendor, void *context, const FeedRecord *record,
			 ClairBytes key, ClairError *error)
{
	Working working = {.feed = feed, .vendor = vendor, .context = context, .record = key};

	return csaf_record_read(feed, record, key, take_vulnerability, &working, error);
}
