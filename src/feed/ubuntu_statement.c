/*
 * ubuntu_statement.c
 *    From what Ubuntu says of channels to ranges; see ubuntu_statement.h.
 *
 * A fix that only Ubuntu Pro has is none for those who do not have Pro. Where nothing is said of
 * ordinary builds but something of those for Pro, the former will not be fixed. A version that
 * does not tell that it comes from Pro is an exception: whoever has it has the fix.
 */
#include "feed/ubuntu_statement.h"

#include <stdlib.h>

#include "common/text.h"
#include "version/version_key.h"

#define MEMORY_PROBLEM "there is not enough memory for the record"

/* What is said of a package in a release, by flavour; NULL: nothing. */
typedef struct Group
{
	const UbuntuStatement *base;
	const UbuntuStatement *esm;
	const UbuntuStatement *fips;
} Group;

static const ClairBytes status_words[] = {
	[UBUNTU_NOT_AFFECTED] = CLAIR_LITERAL("not_affected"),
	[UBUNTU_UNDER_INVESTIGATION] = CLAIR_LITERAL("under_investigation"),
	[UBUNTU_AFFECTED] = CLAIR_LITERAL("affected"),
	[UBUNTU_DEFERRED] = CLAIR_LITERAL("deferred"),
	[UBUNTU_END_OF_LIFE] = CLAIR_LITERAL("end_of_life"),
	[UBUNTU_WILL_NOT_FIX] = CLAIR_LITERAL("will_not_fix"),
	[UBUNTU_FIXED] = CLAIR_LITERAL("fixed"),
};

ClairBytes
ubuntu_severity(ClairBytes priority)
{
	static const ClairBytes severities[] = {
		CLAIR_LITERAL("Negligible"), CLAIR_LITERAL("Low"),		CLAIR_LITERAL("Medium"),
		CLAIR_LITERAL("High"),		 CLAIR_LITERAL("Critical"),
	};

	for (size_t i = 0; i < sizeof(severities) / sizeof(severities[0]); i++)
		if (text_equal_ignoring_case(priority, severities[i]))
			return severities[i];
	return CLAIR_LITERAL("Unknown");
}

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

/* Takes the next of the versions that have commas between them off *rest. */
static ClairBytes
next_version(ClairBytes *rest)
{
	const char *comma = memchr(rest->data, ',', rest->size);
	ClairBytes version = {rest->data, comma != NULL ? (size_t) (comma - rest->data) : rest->size};

	*rest = clair_bytes_skip(*rest, version.size + (comma != NULL));
	return text_trim(version);
}

/* Leaves the highest of the statement's versions, with its key. */
static ClairStatus
choose_version(Arena *arena, UbuntuStatement *statement, const char **problem, ClairError *error)
{
	unsigned char best[VERSION_KEY_SIZE(CLAIR_MAX_VERSION)];
	unsigned char key[VERSION_KEY_SIZE(CLAIR_MAX_VERSION)];
	size_t best_size = 0;
	size_t key_size;
	VersionProblem version_problem = {"it is too long", 0};
	ClairBytes rest = statement->fixed;

	*problem = statement->fixed.size == 0 ? "it is fixed without a version" : NULL;
	while (rest.size > 0)
	{
		ClairBytes version = next_version(&rest);

		if (!text_is_valid(version))
			*problem = "its version is not text"; /* which dpkg would take */
		else if (version.size > CLAIR_MAX_VERSION ||
				 !version_encode(VERSION_DPKG, version, key, &key_size, &version_problem))
			*problem = version_problem.reason;
		if (*problem != NULL)
			return CLAIR_OK;
		if (best_size > 0 && version_key_compare(key, key_size, best, best_size) <= 0)
			continue;
		memcpy(best, key, key_size);
		best_size = key_size;
		statement->fixed = version;
	}
	if (*problem != NULL)
		return CLAIR_OK;
	statement->key = arena_copy(arena, (ClairBytes){(const char *) best, best_size});
	return statement->key.data != NULL ? CLAIR_OK : memory_error(error);
}

/* Debian's rule for names of packages, without regard to case. */
static bool
is_package_name(ClairBytes name)
{
	for (size_t i = 0; i < name.size; i++)
	{
		char byte = name.data[i];

		if (!(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') &&
			!(byte >= '0' && byte <= '9') && (i == 0 || memchr("+-.", byte, 3) == NULL))
			return false;
	}
	return name.size > 0 && name.size <= CLAIR_MAX_NAME;
}

ClairStatus
ubuntu_statement_add(RecordFeed *feed, UbuntuStatements *statements,
					 const UbuntuStatement *statement, const char **problem, ClairError *error)
{
	UbuntuStatement added = *statement;
	ClairStatus status = CLAIR_OK;

	*problem = is_package_name(statement->package) ? NULL : "its package has an invalid name";
	if (*problem == NULL && statement->status == UBUNTU_FIXED)
		status = choose_version(feed->arena, &added, problem, error);
	if (status != CLAIR_OK || *problem != NULL)
		return status;
	statements->statements = arena_grow_array(feed->arena, statements->statements,
											  statements->count + 1, &statements->capacity,
											  sizeof(UbuntuStatement));
	if (statements->statements == NULL)
		return memory_error(error);
	statements->statements[statements->count++] = added;
	return CLAIR_OK;
}

static int
compare_packages(const UbuntuStatement *a, const UbuntuStatement *b)
{
	int order = clair_bytes_compare(a->package, b->package);

	return order != 0 ? order : clair_bytes_compare(a->channel.namespace, b->channel.namespace);
}

/* By package, release and flavour; the statement that counts last. */
static int
compare_statements(const void *left, const void *right)
{
	const UbuntuStatement *a = left;
	const UbuntuStatement *b = right;
	int order = compare_packages(a, b);

	if (order == 0)
		order = clair_bytes_compare(a->channel.flavour, b->channel.flavour);
	if (order == 0)
		order = (int) a->status - (int) b->status;
	if (order == 0 && a->status == UBUNTU_FIXED)
		order = version_key_compare((const unsigned char *) a->key.data, a->key.size,
									(const unsigned char *) b->key.data, b->key.size);
	if (order == 0)
		order = clair_bytes_compare(a->fixed, b->fixed);
	return order != 0 ? order : clair_bytes_compare(a->severity, b->severity);
}

/*
 * Whether the version tells that it was built for extended maintenance: "1.0-2ubuntu0.1~esm1". The
 * server tells the builds that are installed apart in the same way (index/flavour.sql).
 */
static bool
is_esm_build(ClairBytes version)
{
	return memmem(version.data, version.size, "+esm", 4) != NULL ||
		   memmem(version.data, version.size, "~esm", 4) != NULL;
}

/*
 * What ordinary builds have to expect, where it follows from what is said of extended
 * maintenance: no value when it does not.
 */
static bool
infer_base(const Group *group, UbuntuStatement *inferred)
{
	const UbuntuStatement *esm = group->esm;

	if (esm == NULL || esm->status <= UBUNTU_NOT_AFFECTED)
		return false;
	*inferred = *esm;
	inferred->channel.flavour = CLAIR_LITERAL("");
	if (esm->status == UBUNTU_FIXED && !is_esm_build(esm->fixed))
		return group->base == NULL ||
			   (group->base->status > UBUNTU_NOT_AFFECTED && group->base->status < UBUNTU_FIXED);
	if (esm->status > UBUNTU_UNDER_INVESTIGATION)
		inferred->status = UBUNTU_WILL_NOT_FIX;
	inferred->fixed = CLAIR_NULL_BYTES;
	return group->base == NULL;
}

/* Adds the range that a statement comes to. */
static void
add_range(AdvisoryRange *ranges, Advisory *advisory, const UbuntuStatement *statement,
		  ClairBytes flavour, ClairBytes fixed_by)
{
	bool is_fixed;

	if (statement == NULL || statement->status == UBUNTU_ABSENT)
		return;
	is_fixed = statement->status == UBUNTU_FIXED;
	ranges[advisory->range_count++] = (AdvisoryRange){
		.namespace = statement->channel.namespace,
		.kind = CLAIR_LITERAL("source"),
		.package = statement->package,
		.format = CLAIR_LITERAL("dpkg"),
		.fixed = is_fixed ? statement->fixed : CLAIR_NULL_BYTES,
		.status = status_words[statement->status],
		.severity = statement->severity,
		.flavour = flavour,
		.advisory = is_fixed ? fixed_by : CLAIR_NULL_BYTES,
	};
}

/* Whether two statements come to the same range, but for the flavour. */
static bool
say_same(const UbuntuStatement *a, const UbuntuStatement *b)
{
	return a->status == b->status && clair_bytes_equal(a->fixed, b->fixed) &&
		   clair_bytes_equal(a->severity, b->severity);
}

/* Adds what decisions there are on a package in a release. */
static void
add_decisions(AdvisoryRange *ranges, Advisory *advisory, const Group *group)
{
	const UbuntuStatement *statements[] = {group->base, group->esm, group->fips};
	UbuntuStatement inferred;

	for (size_t i = 0; i < 3; i++)
	{
		const UbuntuStatement *statement = statements[i];

		if (statement == NULL || statement->status == UBUNTU_AFFECTED ||
			statement->status == UBUNTU_FIXED)
			continue;
		if (statement->status == UBUNTU_NOT_AFFECTED &&
			(i > 0 || !infer_base(&(Group){.esm = group->esm}, &inferred)))
			continue;
		add_range(ranges, advisory, statement, statement->channel.flavour, CLAIR_NULL_BYTES);
	}
}

static void
add_group(AdvisoryRange *ranges, Advisory *advisory, Group group, ClairBytes fixed_by,
		  UbuntuRecord record)
{
	UbuntuStatement inferred;

	if (record == UBUNTU_DECISIONS)
	{
		add_decisions(ranges, advisory, &group);
		return;
	}
	if (infer_base(&group, &inferred))
		group.base = &inferred;
	if (record == UBUNTU_ALL && group.base != NULL && group.fips == NULL &&
		(group.esm == NULL || say_same(group.base, group.esm)))
	{
		add_range(ranges, advisory, group.base, CLAIR_NULL_BYTES, fixed_by);
		return;
	}
	add_range(ranges, advisory, group.base, CLAIR_LITERAL(""), fixed_by);
	add_range(ranges, advisory, group.esm, CLAIR_LITERAL("esm"), fixed_by);
	add_range(ranges, advisory, group.fips, CLAIR_LITERAL("fips"), fixed_by);
}

/* Takes what is said of the package and release of the first statement, and how many that are. */
static size_t
take_group(const UbuntuStatement *statements, size_t count, Group *group)
{
	size_t taken = 0;

	*group = (Group){0};
	while (taken < count && compare_packages(&statements[taken], &statements[0]) == 0)
	{
		const UbuntuStatement *statement = &statements[taken++];

		if (statement->channel.flavour.size == 0)
			group->base = statement;
		else if (statement->status == UBUNTU_ABSENT)
			continue;
		else if (clair_bytes_equal(statement->channel.flavour, CLAIR_LITERAL("esm")))
			group->esm = statement;
		else
			group->fips = statement;
	}
	return taken;
}

ClairStatus
ubuntu_statements_write(RecordFeed *feed, UbuntuStatements *statements, const Advisory *advisory,
						ClairBytes fixed_by, UbuntuRecord record, ClairError *error)
{
	Advisory written = *advisory;
	AdvisoryRange *ranges;
	size_t done = 0;
	Group group;

	if (statements->count == 0)
		return CLAIR_OK;
	/* each statement is a range at most, and a group without one of ordinary builds one more */
	ranges = arena_alloc_array(feed->arena, 2 * statements->count, sizeof(AdvisoryRange));
	if (ranges == NULL)
		return memory_error(error);
	qsort(statements->statements, statements->count, sizeof(UbuntuStatement), compare_statements);
	written.ranges = ranges;
	written.range_count = 0;
	while (done < statements->count)
	{
		done += take_group(statements->statements + done, statements->count - done, &group);
		add_group(ranges, &written, group, fixed_by, record);
	}
	if (written.range_count == 0)
		return CLAIR_OK;
	return advisory_write(&feed->writer, &written, error);
}
