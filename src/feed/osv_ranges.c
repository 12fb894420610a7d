/*
 * osv_ranges.c
 *    Ranges of versions as OSV records state them; see osv_ranges.h.
 *
 * A version is affected that lies in any of a record's ranges. The key of a last version that is
 * affected has a byte 0x00 behind it, and so is above the version, and below whatever is greater.
 */
#include "feed/osv_ranges.h"

#include <stdlib.h>

#include "common/limits.h"
#include "version/version_key.h"

#define FIELD(name) offsetof(AdvisoryRange, name)

/* What a claim is about. */
static const size_t subject[] = {FIELD(namespace), FIELD(kind),			FIELD(package),
								 FIELD(flavour),   FIELD(repositories), FIELD(architectures)};

/* From bad to worse. */
static const char *const severities[] = {"Unknown", "Negligible", "Low",
										 "Medium",	"High",		  "Critical"};

static ClairBytes
field(const OsvClaim *claim, size_t offset)
{
	return *(const ClairBytes *) ((const char *) &claim->range + offset);
}

static int
compare_subjects(const OsvClaim *a, const OsvClaim *b)
{
	int order = 0;

	for (size_t i = 0; i < sizeof(subject) / sizeof(subject[0]) && order == 0; i++)
		order = clair_bytes_compare(field(a, subject[i]), field(b, subject[i]));
	return order;
}

/* By where they end; no value is the highest. */
static int
compare_ends(ClairBytes a, ClairBytes b)
{
	if (a.data == NULL || b.data == NULL)
		return (a.data == NULL) - (b.data == NULL);
	return clair_bytes_compare(a, b);
}

/* By what they are about, and where they begin: no value, without bytes, is the lowest. */
static int
compare_claims(const void *left, const void *right)
{
	const OsvClaim *a = left;
	const OsvClaim *b = right;
	int order = compare_subjects(a, b);

	if (order == 0)
		order = clair_bytes_compare(a->begin, b->begin);
	if (order == 0)
		order = compare_ends(a->end, b->end);
	if (order == 0) /* equal, but perhaps written differently */
		order = clair_bytes_compare(a->range.fixed, b->range.fixed);
	if (order == 0)
		order = clair_bytes_compare(a->range.last_affected, b->range.last_affected);
	return order;
}

static size_t
rank_of(ClairBytes severity)
{
	size_t rank = sizeof(severities) / sizeof(severities[0]);

	while (--rank > 0 && !clair_bytes_equal(severity, clair_bytes(severities[rank])))
		continue;
	return rank;
}

/* The version without its epoch. */
static ClairBytes
without_epoch(ClairBytes version)
{
	size_t digits = 0;

	while (digits < version.size && version.data[digits] >= '0' && version.data[digits] <= '9')
		digits++;
	if (digits > 0 && digits < version.size && version.data[digits] == ':')
		return clair_bytes_skip(version, digits + 1);
	return version;
}

/* A version's key, with a byte 0x00 behind it; no value, but no problem: the arena is exhausted. */
static ClairBytes
encode(Arena *arena, ClairBytes format, ClairBytes version, const char **problem)
{
	unsigned char key[VERSION_KEY_SIZE(CLAIR_MAX_VERSION) + 1];
	VersionProblem version_problem = {NULL, 0};
	VersionFormat known;
	size_t size = 0;

	if (!version_format_by_name(format, &known))
		*problem = "its versions are of no known format";
	else if (version.size > CLAIR_MAX_VERSION)
		*problem = "a version is too long";
	else if (!version_encode(known, version, key, &size, &version_problem))
		*problem = version_problem.reason;
	if (*problem != NULL)
		return CLAIR_NULL_BYTES;
	key[size] = '\0';
	return arena_copy(arena, (ClairBytes){(const char *) key, size + 1});
}

/* Fills a claim's bounds: false when the arena is exhausted. */
static bool
take_bounds(Arena *arena, OsvClaim *claim, const OsvRange *range, bool drops_epoch,
			const char **problem)
{
	ClairBytes bounds[] = {range->introduced, range->fixed, range->last_affected};
	ClairBytes keys[3] = {{0}};

	for (size_t i = 0; i < 3; i++)
	{
		if (bounds[i].data == NULL)
			continue;
		if (drops_epoch)
			bounds[i] = without_epoch(bounds[i]);
		keys[i] = encode(arena, claim->range.format, bounds[i], problem);
		if (keys[i].data == NULL)
			return *problem != NULL;
	}
	for (size_t i = 0; i < 2; i++)
		if (keys[i].data != NULL)
			keys[i].size--;
	claim->range.introduced = bounds[0];
	claim->range.fixed = bounds[1];
	claim->range.last_affected = bounds[1].data == NULL ? bounds[2] : CLAIR_NULL_BYTES;
	claim->begin = keys[0];
	claim->end = bounds[1].data != NULL ? keys[1] : keys[2];
	return true;
}

bool
osv_claims_add(Arena *arena, OsvClaims *claims, const AdvisoryRange *base, bool drops_epoch,
			   const OsvRange *range, const char **problem)
{
	OsvClaim claim = {.range = *base};

	*problem = NULL;
	if (clair_bytes_equal(range->fixed, CLAIR_LITERAL("0")))
		return true; /* before all versions */
	if (!take_bounds(arena, &claim, range, drops_epoch, problem))
		return false;
	if (*problem != NULL || (claim.begin.data != NULL && compare_ends(claim.begin, claim.end) >= 0))
		return true;
	if (claim.range.fixed.data != NULL)
		claim.range.status = CLAIR_LITERAL("fixed");
	else
		claim.range.advisory = CLAIR_NULL_BYTES; /* it brings no fix */
	claims->claims = arena_grow_array(arena, claims->claims, claims->count + 1, &claims->capacity,
									  sizeof(OsvClaim));
	if (claims->claims == NULL)
		return false;
	claims->claims[claims->count++] = claim;
	return true;
}

/* Lets a claim be about what another one, which begins in it or where it ends, is about, too. */
static void
join(OsvClaim *claim, const OsvClaim *other)
{
	OsvClaim longer = compare_ends(claim->end, other->end) < 0 ? *other : *claim;

	longer.begin = claim->begin;
	longer.range.introduced = claim->range.introduced;
	if (rank_of(claim->range.severity) > rank_of(longer.range.severity))
		longer.range.severity = claim->range.severity;
	if (rank_of(other->range.severity) > rank_of(longer.range.severity))
		longer.range.severity = other->range.severity;
	*claim = longer;
}

void
osv_claims_join(OsvClaims *claims)
{
	size_t kept = 0;

	if (claims->count > 0)
		qsort(claims->claims, claims->count, sizeof(OsvClaim), compare_claims);
	for (size_t i = 0; i < claims->count; i++)
	{
		OsvClaim *last = kept > 0 ? &claims->claims[kept - 1] : NULL;
		const OsvClaim *claim = &claims->claims[i];

		if (last != NULL && compare_subjects(last, claim) == 0 &&
			(claim->begin.data == NULL || last->end.data == NULL ||
			 clair_bytes_compare(claim->begin, last->end) <= 0))
			join(last, claim);
		else
			claims->claims[kept++] = *claim;
	}
	claims->count = kept;
}
