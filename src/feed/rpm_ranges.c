/*
 * rpm_ranges.c
 *    From what a record says of single builds to ranges; see rpm_ranges.h.
 *
 * Three times the claims are sorted and gone through: by what they are about, to see which of them
 * stand; then by all but the architecture, and by all but the repository, to join those that say
 * the same.
 */
#include "feed/rpm_ranges.h"

#include <stdlib.h>

#include "common/limits.h"
#include "feed/name_list.h"
#include "version/version_key.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define FIELD(name)		offsetof(AdvisoryRange, name)

/* What a claim is about. */
static const size_t subject[] = {FIELD(namespace), FIELD(kind),			FIELD(package),
								 FIELD(module),	   FIELD(repositories), FIELD(architectures)};

/* All that claims say, and last what they are joined by. */
static const size_t by_architecture[] = {FIELD(namespace),	  FIELD(kind),		   FIELD(package),
										 FIELD(module),		  FIELD(introduced),   FIELD(fixed),
										 FIELD(status),		  FIELD(severity),	   FIELD(advisory),
										 FIELD(repositories), FIELD(architectures)};
static const size_t by_repository[] = {FIELD(namespace),	 FIELD(kind),		 FIELD(package),
									   FIELD(module),		 FIELD(introduced),	 FIELD(fixed),
									   FIELD(status),		 FIELD(severity),	 FIELD(advisory),
									   FIELD(architectures), FIELD(repositories)};

/* Statuses without a fix, the most definite one first. */
static const char *const unfixed[] = {"will_not_fix", "end_of_life", "deferred", "affected",
									  "under_investigation"};

static ClairBytes *
field(RpmClaim *claim, size_t offset)
{
	return (ClairBytes *) ((char *) &claim->range + offset);
}

static int
compare_fields(const RpmClaim *a, const RpmClaim *b, const size_t *fields, size_t count)
{
	int order = 0;

	for (size_t i = 0; i < count && order == 0; i++)
		order = clair_bytes_compare(*field((RpmClaim *) a, fields[i]),
									*field((RpmClaim *) b, fields[i]));
	return order;
}

static size_t
rank(const RpmClaim *claim)
{
	size_t i = 0;

	while (i < COUNT_OF(unfixed) &&
		   !clair_bytes_equal(claim->range.status, clair_bytes(unfixed[i])))
		i++;
	return i;
}

/* Among claims about the same: fixes first, in their order; then what stands first of the rest. */
static int
compare_claims(const void *left, const void *right)
{
	const RpmClaim *a = left;
	const RpmClaim *b = right;
	int order = compare_fields(a, b, subject, COUNT_OF(subject));
	size_t rank_a = rank(a);
	size_t rank_b = rank(b);

	if (order == 0)
		order = (int) (a->key.data == NULL) - (int) (b->key.data == NULL);
	if (order == 0)
		order = clair_bytes_compare(a->key, b->key);
	if (order == 0)
		order = (rank_a > rank_b) - (rank_a < rank_b);
	if (order == 0)
		order = compare_fields(a, b, by_repository, COUNT_OF(by_repository));
	return order;
}

static int
compare_by_architecture(const void *left, const void *right)
{
	return compare_fields(left, right, by_architecture, COUNT_OF(by_architecture));
}

static int
compare_by_repository(const void *left, const void *right)
{
	return compare_fields(left, right, by_repository, COUNT_OF(by_repository));
}

const char *
rpm_claim_fix(Arena *arena, RpmClaim *claim, ClairBytes fixed)
{
	unsigned char key[VERSION_KEY_SIZE(CLAIR_MAX_VERSION)];
	VersionProblem problem = {NULL, 0};
	size_t size;

	if (fixed.size > CLAIR_MAX_VERSION)
		return "its version is too long";
	if (!version_encode(VERSION_RPM, fixed, key, &size, &problem))
		return problem.reason;
	claim->key = arena_copy(arena, (ClairBytes){(const char *) key, size});
	claim->range.fixed = fixed;
	claim->base = fixed;
	for (size_t i = 0; i < fixed.size; i++)
		if (fixed.data[i] == '-')
			claim->base.size = i;
	return NULL;
}

/*
 * The fix that counts of those of one upstream version, which are in order: the highest. A module
 * is built several times for one advisory, in contexts that only tell its builds apart: of these
 * the lowest.
 */
static const RpmClaim *
fix_that_counts(const RpmClaim *fixes, size_t count)
{
	const RpmClaim *highest = &fixes[count - 1];

	if (highest->range.module.size == 0 || highest->range.advisory.data == NULL)
		return highest;
	while (!clair_bytes_equal(fixes->range.advisory, highest->range.advisory))
		fixes++;
	return fixes;
}

/* Of claims about the same, keeps those that stand: how many, at the beginning. */
static bool
judge_group(Arena *arena, RpmClaim *claims, size_t count, size_t *kept)
{
	ClairBytes below = CLAIR_NULL_BYTES; /* the upstream version before */

	*kept = claims[0].key.data == NULL ? 1 : 0;
	for (size_t begin = 0, end; begin < count && claims[begin].key.data != NULL; begin = end)
	{
		RpmClaim claim;

		for (end = begin + 1; end < count && claims[end].key.data != NULL; end++)
			if (!clair_bytes_equal(claims[end].base, claims[begin].base))
				break;
		claim = *fix_that_counts(claims + begin, end - begin);
		if (below.data != NULL)
		{
			/* Above every release of that version, and of versions made of snapshots of it. */
			claim.range.introduced = arena_printf(arena, "%.*s^", (int) below.size, below.data);
			if (claim.range.introduced.data == NULL)
				return false;
		}
		below = claim.base;
		claims[(*kept)++] = claim;
	}
	return true;
}

/* Keeps of all claims those that stand. */
static bool
judge(Arena *arena, RpmClaim *claims, size_t *count)
{
	size_t kept = 0;

	qsort(claims, *count, sizeof(RpmClaim), compare_claims);
	for (size_t begin = 0, end; begin < *count; begin = end)
	{
		size_t kept_here;

		for (end = begin + 1; end < *count; end++)
			if (compare_fields(&claims[begin], &claims[end], subject, COUNT_OF(subject)) != 0)
				break;
		if (!judge_group(arena, claims + begin, end - begin, &kept_here))
			return false;
		memmove(claims + kept, claims + begin, kept_here * sizeof(RpmClaim));
		kept += kept_here;
	}
	*count = kept;
	return true;
}

/* The distinct values of a field of claims as a list; of repositories, with the namespace. */
static bool
join_field(Arena *arena, RpmClaim *claims, size_t count, size_t offset)
{
	ClairBytes *names = arena_alloc_array(arena, count + 1, sizeof(ClairBytes));
	size_t name_count = 0;

	if (names == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		names[name_count++] = *field(&claims[i], offset);
	if (offset == FIELD(repositories) && claims[0].is_distribution)
		names[name_count++] = claims[0].range.namespace;
	name_count = name_list_order(names, name_count);
	*field(&claims[0], offset) = name_list_join(arena, names, name_count);
	return field(&claims[0], offset)->data != NULL;
}

/*
 * Joins claims that say the same but for the last of the fields, in whose order they are. One that
 * has no value there is about any.
 */
static bool
join(Arena *arena, RpmClaim *claims, size_t *count, const size_t *fields, size_t field_count)
{
	size_t offset = fields[field_count - 1];
	size_t joined = 0;

	for (size_t begin = 0, end; begin < *count; begin = end)
	{
		RpmClaim *claim = &claims[begin]; /* what has no value comes first */

		for (end = begin + 1; end < *count; end++)
		{
			if (compare_fields(claim, &claims[end], fields, field_count - 1) != 0)
				break;
			claim->is_distribution |= claims[end].is_distribution;
		}
		if (field(claim, offset)->data != NULL && !join_field(arena, claim, end - begin, offset))
			return false;
		claims[joined++] = *claim;
	}
	*count = joined;
	return true;
}

bool
rpm_ranges(Arena *arena, RpmClaim *claims, size_t claim_count, AdvisoryRange **ranges,
		   uint32_t *range_count)
{
	size_t count = claim_count;

	*range_count = 0;
	if (count == 0)
		return true;
	for (size_t i = 0; i < count; i++)
		if (clair_bytes_equal(claims[i].range.architectures, CLAIR_LITERAL("noarch")))
			claims[i].range.architectures = CLAIR_NULL_BYTES;
	if (!judge(arena, claims, &count))
		return false;
	qsort(claims, count, sizeof(RpmClaim), compare_by_architecture);
	if (!join(arena, claims, &count, by_architecture, COUNT_OF(by_architecture)))
		return false;
	qsort(claims, count, sizeof(RpmClaim), compare_by_repository);
	if (!join(arena, claims, &count, by_repository, COUNT_OF(by_repository)))
		return false;
	*ranges = arena_alloc_array(arena, count, sizeof(AdvisoryRange));
	if (*ranges == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		(*ranges)[i] = claims[i].range;
	*range_count = (uint32_t) count;
	return true;
}
