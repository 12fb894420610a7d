/*
 * rpm_erratum.c
 *    Errata that list what an update brings; see rpm_erratum.h.
 */
#include "feed/rpm_erratum.h"

#include "feed/cve.h"
#include "feed/name_list.h"

#define MEMORY_PROBLEM	"there is not enough memory for the record"
#define MAX_DESCRIPTION (1024 * 1024)
#define MAX_ROWS		1000000 /* ranges of all of an erratum's vulnerabilities */

bool
rpm_erratum_add_cve(Arena *arena, RpmErratum *erratum, ClairBytes cve)
{
	if (cve.size == 0 || !cve_is_name(cve))
		return true;
	erratum->cves = arena_grow_array(arena, erratum->cves, erratum->cve_count + 1,
									 &erratum->cve_capacity, sizeof(ClairBytes));
	if (erratum->cves == NULL)
		return false;
	erratum->cves[erratum->cve_count++] = cve;
	return true;
}

bool
rpm_erratum_add_build(Arena *arena, RpmErratum *erratum, const RpmBuild *build,
					  const char **problem)
{
	bool of_module = memmem(build->version.data, build->version.size, ".module", 7) != NULL;
	RpmClaim claim = {.range = {.namespace = build->namespace,
								.kind = CLAIR_LITERAL("binary"),
								.package = build->name,
								.format = CLAIR_LITERAL("rpm"),
								.status = CLAIR_LITERAL("fixed"),
								.severity = erratum->severity,
								.architectures = build->architecture,
								.module = build->module,
								.advisory = erratum->id}};

	*problem = NULL;
	if (clair_bytes_equal(build->architecture, CLAIR_LITERAL("src")) ||
		clair_bytes_equal(build->architecture, CLAIR_LITERAL("nosrc")))
		return true;
	if (claim.range.module.data == NULL && !of_module)
		claim.range.module = CLAIR_LITERAL("");
	if (build->name.size == 0 || build->name.size > CLAIR_MAX_NAME)
		*problem = "its name is missing or too long";
	else if (build->architecture.size == 0 || build->architecture.size > CLAIR_MAX_NAME ||
			 memchr(build->architecture.data, ' ', build->architecture.size) != NULL)
		*problem = "its architecture is missing, or none";
	else if (claim.range.module.size > CLAIR_MAX_NAME)
		*problem = "the name of its module is too long";
	else
		*problem = rpm_claim_fix(arena, &claim, build->version);
	if (*problem != NULL)
		return true;
	if (claim.key.data == NULL)
		return false;
	erratum->claims = arena_grow_array(arena, erratum->claims, erratum->claim_count + 1,
									   &erratum->claim_capacity, sizeof(RpmClaim));
	if (erratum->claims == NULL)
		return false;
	erratum->claims[erratum->claim_count++] = claim;
	return true;
}

ClairStatus
rpm_erratum_write(RecordFeed *feed, ClairBytes key, RpmErratum *erratum, ClairError *error)
{
	size_t count = name_list_order(erratum->cves, erratum->cve_count);
	const ClairBytes *names = count > 0 ? erratum->cves : &erratum->id;
	Advisory advisory = {.record = key, .description = erratum->description, .link = erratum->link};
	ClairStatus status = CLAIR_OK;
	AdvisoryRange *ranges;

	if (count == 0 && !erratum->is_security)
		return CLAIR_OK;
	if (!rpm_ranges(feed->arena, erratum->claims, erratum->claim_count, &ranges,
					&advisory.range_count))
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	if (advisory.range_count == 0)
		return CLAIR_OK;
	if (count > MAX_ROWS / advisory.range_count)
		return advisory_broken(&feed->writer, key, error, "it has too many packages");
	advisory.ranges = ranges;
	if (advisory.description.size > MAX_DESCRIPTION)
		advisory.description = CLAIR_NULL_BYTES;
	for (size_t i = 0; i < (count > 0 ? count : 1) && status == CLAIR_OK; i++)
	{
		advisory.name = names[i];
		status = advisory_write(&feed->writer, &advisory, error);
	}
	return status;
}

bool
rpm_build_read(ClairBytes text, RpmBuild *build)
{
	const char *dot;
	const char *dash;

	if (clair_bytes_end_with(text, CLAIR_LITERAL(".rpm")))
		text.size -= 4;
	dot = text.size > 0 ? memrchr(text.data, '.', text.size) : NULL;
	if (dot == NULL)
		return false;
	build->architecture = clair_bytes_skip(text, (size_t) (dot + 1 - text.data));
	text.size = (size_t) (dot - text.data);
	dash = text.size > 0 ? memrchr(text.data, '-', text.size) : NULL;
	dash = dash != NULL && dash > text.data ? memrchr(text.data, '-', (size_t) (dash - text.data))
											: NULL;
	if (dash == NULL || dash == text.data)
		return false;
	build->name = (ClairBytes){text.data, (size_t) (dash - text.data)};
	build->version = clair_bytes_skip(text, (size_t) (dash + 1 - text.data));
	return true;
}
