/*
 * redhat_vex.c
 *    What Red Hat's CSAF documents say; see redhat_vex.h.
 *
 * What is fixed is said of binary packages, with the repositories' CPE; what is not fixed, of
 * source packages without a version (and, since 2025, of their binary packages as well, which
 * therefore count only where no source package is named for the platform). Of these statements,
 * one without a fix is left out where the same document has a fix for the same package in the same
 * product, or says that the package is not affected there. "Not affected" is not written for its
 * own sake: that is half of all that Red Hat says, and a package without a range is not affected.
 *
 * A statement counts when platform and package say for which release of the distribution it is.
 */
#include "feed/redhat_vex.h"

#include "common/text.h"
#include "common/text_map.h"
#include "feed/csaf_record.h"
#include "feed/redhat_product.h"
#include "feed/rpm_ranges.h"

#define LINK		   "https://access.redhat.com/security/cve/"
#define MEMORY_PROBLEM "there is not enough memory for the record"

/* A vulnerability that is being worked out. */
typedef struct Working
{
	RecordFeed *feed;
	ClairBytes record;
	const CsafDocument *document;
	const CsafVulnerability *vulnerability;
	RedhatProduct *products; /* of its statements */
	RpmClaim *claims;
	size_t claim_count;
	size_t claim_capacity;
	TextMap unfixed;  /* packages of which it is said that they have no fix */
	TextMap said;	  /* what takes the place of other statements: see say() */
	TextMap reported; /* products that are broken, of all the document */
} Working;

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

static bool
is(ClairBytes text, const char *literal)
{
	return clair_bytes_equal(text, clair_bytes(literal));
}

/* The same without regard to case, in which documents differ. */
static bool
is_word(ClairBytes text, const char *literal)
{
	return text_equal_ignoring_case(text, clair_bytes(literal));
}

/* Whether the product is one that ranges are about. */
static bool
counts(const RedhatProduct *product)
{
	return product->component != NULL && product->component->problem == NULL &&
		   product->namespace.data != NULL;
}

static bool
is_source(const RedhatComponent *component)
{
	return is(component->architecture, "src") || is(component->architecture, "nosrc");
}

/* What counts of a statement that is in several lists. */
static unsigned int
status_of(const CsafStatement *statement)
{
	static const unsigned int order[] = {CSAF_FIXED, CSAF_NOT_AFFECTED, CSAF_AFFECTED,
										 CSAF_UNDER_INVESTIGATION};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if ((statement->status & order[i]) != 0)
			return order[i];
	return 0;
}

/* A key of what is said: "fixed", "denied" or "source", and of which package and product. */
static ClairBytes
saying(Working *working, const char *what, const RedhatProduct *product, ClairBytes package,
	   ClairBytes place)
{
	return arena_printf(working->feed->arena, "%s\n%.*s\n%.*s\n%.*s", what, (int) package.size,
						package.data, (int) product->module.size, product->module.data,
						(int) place.size, place.data);
}

/* Notes that something is said; false when memory is short. */
static bool
say(Working *working, ClairBytes key)
{
	void **place = key.data != NULL ? text_map_at(&working->said, key) : NULL;

	if (place == NULL)
		return false;
	*place = working;
	return true;
}

/*
 * A product and its version, or the first components of that: what is said of "10" is said of
 * "10.0", too, in whatever part of the product.
 */
static ClairBytes
product_version(Working *working, const RedhatPlatform *platform, size_t version_size)
{
	return arena_printf(working->feed->arena, "%.*s:%.*s", (int) platform->product.size,
						platform->product.data, (int) version_size, platform->version.data);
}

/* Notes that a package is fixed in a product and in the versions that its version belongs to. */
static bool
say_fixed(Working *working, const RedhatProduct *product)
{
	const RedhatPlatform *platform = product->platform;

	for (size_t size = platform->version.size;; size--)
	{
		ClairBytes place;

		if (size < platform->version.size && size > 0 && platform->version.data[size] != '.')
			continue;
		place = product_version(working, platform, size);
		if (place.data == NULL ||
			!say(working, saying(working, "fixed", product, product->component->name, place)))
			return false;
		if (size == 0)
			return true;
	}
}

/* Whether a statement is one of those that another can take the place of. */
static bool
is_unfixed(const CsafStatement *statement)
{
	return (status_of(statement) & (CSAF_AFFECTED | CSAF_UNDER_INVESTIGATION)) != 0;
}

/* Notes of which packages it is said that they have no fix, and where of source packages. */
static bool
note_unfixed(Working *working, const RedhatProduct *product)
{
	void **place = text_map_at(&working->unfixed, product->component->name);

	if (place == NULL)
		return false;
	*place = working;
	return !is_source(product->component) ||
		   say(working,
			   saying(working, "source", product, CLAIR_LITERAL(""), product->platform->cpe));
}

/* Notes what takes the place of such a statement: of most packages there is none. */
static bool
note_settled(Working *working, const CsafStatement *statement, const RedhatProduct *product)
{
	const RedhatComponent *component = product->component;
	unsigned int status = status_of(statement);

	if (text_map_find(&working->unfixed, component->name) == NULL)
		return true;
	if (status == CSAF_FIXED)
		return component->fixed.data == NULL || say_fixed(working, product);
	return status != CSAF_NOT_AFFECTED ||
		   say(working, saying(working, is_source(component) ? "source denied" : "denied", product,
							   component->name, product->platform->cpe));
}

/* Whether a statement without a fix stands. False in *stands when another takes its place. */
static bool
check_unfixed(Working *working, const RedhatProduct *product, bool *stands)
{
	const RedhatPlatform *platform = product->platform;
	ClairBytes name = product->component->name;
	bool source = is_source(product->component);
	ClairBytes fixed = saying(working, "fixed", product, name,
							  product_version(working, platform, platform->version.size));
	ClairBytes denied = saying(working, source ? "source denied" : "denied", product, name,
							   platform->cpe);
	ClairBytes covered = saying(working, "source", product, CLAIR_LITERAL(""), platform->cpe);

	if (fixed.data == NULL || denied.data == NULL || covered.data == NULL)
		return false;
	*stands = text_map_find(&working->said, fixed) == NULL &&
			  text_map_find(&working->said, denied) == NULL &&
			  (source || text_map_find(&working->said, covered) == NULL);
	return true;
}

static ClairBytes
severity_of(const Working *working, const CsafStatement *statement)
{
	static const char *const words[][2] = {{"None", "Negligible"},
										   {"Low", "Low"},
										   {"Moderate", "Medium"},
										   {"Important", "High"},
										   {"Critical", "Critical"}};
	ClairBytes impact = statement->impact.data != NULL ? statement->impact
													   : working->document->severity;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(impact, words[i][0]))
			return clair_bytes(words[i][1]);
	return CLAIR_LITERAL("Unknown");
}

/* The status of what has no fix, by the words of its remediation. */
static ClairBytes
unfixed_status(const CsafStatement *statement)
{
	if (status_of(statement) == CSAF_UNDER_INVESTIGATION)
		return CLAIR_LITERAL("under_investigation");
	if (is_word(statement->no_fix_planned, "out of support scope"))
		return CLAIR_LITERAL("end_of_life");
	if (statement->no_fix_planned.data != NULL)
		return CLAIR_LITERAL("will_not_fix");
	if (is_word(statement->none_available, "fix deferred") ||
		is_word(statement->none_available, "deferred"))
		return CLAIR_LITERAL("deferred");
	return CLAIR_LITERAL("affected");
}

/* The advisory of a fix's URL, "https://access.redhat.com/errata/RHSA-2031:0007"; or no value. */
static ClairBytes
advisory_of(ClairBytes url)
{
	ClairBytes id = url;

	for (size_t i = 0; i < url.size; i++)
		if (url.data[i] == '/')
			id = clair_bytes_skip(url, i + 1);
	if (!clair_bytes_start_with(id, CLAIR_LITERAL("RH")) || id.size > CLAIR_MAX_NAME)
		return CLAIR_NULL_BYTES;
	return id;
}

/* A new claim about a product; NULL when memory is short. */
static RpmClaim *
add_claim(Working *working, const CsafStatement *statement, const RedhatProduct *product)
{
	RpmClaim *claim;

	working->claims = arena_grow_array(working->feed->arena, working->claims,
									   working->claim_count + 1, &working->claim_capacity,
									   sizeof(RpmClaim));
	if (working->claims == NULL)
		return NULL;
	claim = &working->claims[working->claim_count++];
	*claim = (RpmClaim){.is_distribution = product->platform->is_distribution};
	claim->range.namespace = product->namespace;
	claim->range.kind = CLAIR_LITERAL("binary");
	claim->range.package = product->component->name;
	claim->range.format = CLAIR_LITERAL("rpm");
	claim->range.severity = severity_of(working, statement);
	claim->range.module = product->module;
	claim->range.repositories = product->platform->cpe;
	return claim;
}

/* Tells of a product that is left out; once, however many statements are about it. */
static ClairStatus
tell_broken(Working *working, const CsafProduct *product, const char *problem, ClairError *error)
{
	void **place = text_map_at(&working->reported, product->id);

	if (place == NULL)
		return memory_error(error);
	if (*place != NULL)
		return CLAIR_OK;
	*place = working;
	return advisory_broken(&working->feed->writer, working->record, error, "product \"%.*s\": %s",
						   (int) (product->id.size < CLAIR_MAX_NAME ? product->id.size
																	: CLAIR_MAX_NAME),
						   product->id.data, problem);
}

static ClairStatus
claim_fix(Working *working, const CsafStatement *statement, const RedhatProduct *product,
		  ClairError *error)
{
	const RedhatComponent *component = product->component;
	const char *problem;
	RpmClaim *claim;

	if (component->fixed.data == NULL || is_source(component) ||
		!redhat_package_runs(component->name))
		return CLAIR_OK;
	claim = add_claim(working, statement, product);
	if (claim == NULL)
		return memory_error(error);
	claim->range.status = CLAIR_LITERAL("fixed");
	claim->range.architectures = component->architecture;
	claim->range.advisory = advisory_of(statement->vendor_fix);
	problem = rpm_claim_fix(working->feed->arena, claim, component->fixed);
	if (problem == NULL)
		return claim->key.data != NULL ? CLAIR_OK : memory_error(error);
	working->claim_count--;
	return tell_broken(working, statement->product, problem, error);
}

/*
 * A source package of the kernel stands for the packages that a kernel is installed as: most of
 * its others have none of it.
 */
static ClairStatus
claim_kernel(Working *working, const CsafStatement *statement, const RedhatProduct *product,
			 ClairError *error)
{
	static const char *const suffixes[] = {"", "-core"};
	ClairBytes name = product->component->name;

	for (size_t i = 0; i < 2; i++)
	{
		RpmClaim *claim = add_claim(working, statement, product);

		if (claim == NULL)
			return memory_error(error);
		claim->range.status = unfixed_status(statement);
		claim->range.package = arena_printf(working->feed->arena, "%.*s%s", (int) name.size,
											name.data, suffixes[i]);
		if (claim->range.package.data == NULL)
			return memory_error(error);
	}
	return CLAIR_OK;
}

static ClairStatus
claim_unfixed(Working *working, const CsafStatement *statement, const RedhatProduct *product,
			  ClairError *error)
{
	bool source = is_source(product->component);
	bool stands;
	RpmClaim *claim;

	if (!check_unfixed(working, product, &stands))
		return memory_error(error);
	if (!stands || !(source || redhat_package_runs(product->component->name)))
		return CLAIR_OK;
	if (source && redhat_is_kernel(product->component->name))
		return claim_kernel(working, statement, product, error);
	claim = add_claim(working, statement, product);
	if (claim == NULL)
		return memory_error(error);
	claim->range.status = unfixed_status(statement);
	if (source)
		claim->range.kind = CLAIR_LITERAL("source");
	return CLAIR_OK;
}

static ClairStatus
take_statement(Working *working, const CsafStatement *statement, const RedhatProduct *product,
			   ClairError *error)
{
	unsigned int status = status_of(statement);

	if (status == 0 || status == CSAF_NOT_AFFECTED)
		return CLAIR_OK;
	if (product->component != NULL && product->component->problem != NULL)
		return tell_broken(working, statement->product, product->component->problem, error);
	if (!counts(product))
		return CLAIR_OK;
	return status == CSAF_FIXED ? claim_fix(working, statement, product, error)
								: claim_unfixed(working, statement, product, error);
}

/* Works out what the statements of the vulnerability come to. */
static ClairStatus
take_statements(Working *working, ClairError *error)
{
	const CsafVulnerability *vulnerability = working->vulnerability;
	size_t count = vulnerability->statement_count;
	ClairStatus status = CLAIR_OK;

	working->products = arena_alloc_array(working->feed->arena, count, sizeof(RedhatProduct));
	if (working->products == NULL)
		return memory_error(error);
	for (size_t i = 0; i < count; i++)
	{
		const CsafStatement *statement = vulnerability->statements[i];
		RedhatProduct *product = &working->products[i];

		if (!redhat_product(working->feed->arena, statement->product, product) ||
			(is_unfixed(statement) && counts(product) && !note_unfixed(working, product)))
			return memory_error(error);
	}
	for (size_t i = 0; i < count; i++)
		if (counts(&working->products[i]) &&
			!note_settled(working, vulnerability->statements[i], &working->products[i]))
			return memory_error(error);
	for (size_t i = 0; i < count && status == CLAIR_OK; i++)
		status = take_statement(working, vulnerability->statements[i], &working->products[i],
								error);
	return status;
}

/* Writes the vulnerability; not one that says nothing of rpm packages. */
static ClairStatus
write_vulnerability(Working *working, ClairError *error)
{
	RecordFeed *feed = working->feed;
	ClairBytes cve = working->vulnerability->cve;
	Advisory advisory = {.record = working->record,
						 .name = cve,
						 .description = working->vulnerability->description};
	AdvisoryRange *ranges = NULL;

	if (!rpm_ranges(feed->arena, working->claims, working->claim_count, &ranges,
					&advisory.range_count))
		return memory_error(error);
	advisory.ranges = ranges;
	advisory.link = arena_printf(feed->arena, LINK "%.*s", (int) cve.size, cve.data);
	if (advisory.link.data == NULL)
		return memory_error(error);
	return advisory.range_count > 0 ? advisory_write(&feed->writer, &advisory, error) : CLAIR_OK;
}

static ClairStatus
take_vulnerability(void *context, const CsafDocument *document,
				   const CsafVulnerability *vulnerability, ClairError *error)
{
	Working *working = context;
	ClairStatus status;

	working->document = document;
	working->vulnerability = vulnerability;
	working->claims = NULL;
	working->claim_count = 0;
	working->claim_capacity = 0;
	working->unfixed = (TextMap){.arena = working->feed->arena};
	working->said = working->unfixed;
	status = take_statements(working, error);
	return status == CLAIR_OK ? write_vulnerability(working, error) : status;
}

ClairStatus
redhat_vex_itemize(RecordFeed *feed, const FeedRecord *record, ClairBytes key, ClairError *error)
{
	Working working = {.feed = feed, .record = key};

	working.reported.arena = feed->arena;
	return csaf_record_read(feed, record, key, take_vulnerability, &working, error);
}
