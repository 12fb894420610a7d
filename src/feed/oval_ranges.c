/*
 * oval_ranges.c
 *    From what definitions say of packages to ranges; see oval_ranges.h.
 */
#include "feed/oval_ranges.h"

#include <stdlib.h>

#include "version/version_key.h"

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the definition");
}

static ClairStatus
add(OvalStatements *statements, const OvalStatement *added, ClairError *error)
{
	statements->statements = arena_grow_array(statements->arena, statements->statements,
											  statements->count + 1, &statements->capacity,
											  sizeof(OvalStatement));
	if (statements->statements == NULL)
		return memory_error(error);
	statements->statements[statements->count++] = *added;
	return CLAIR_OK;
}

/* The key of a version. NULL, or what is wrong with it. */
static const char *
encode(const OvalStatements *statements, ClairBytes version, ClairBytes *encoded)
{
	unsigned char key[VERSION_KEY_SIZE(CLAIR_MAX_VERSION)];
	VersionProblem problem = {"it is too long", 0};
	size_t size;

	if (version.size > CLAIR_MAX_VERSION ||
		!version_encode(statements->format, version, key, &size, &problem))
		return problem.reason;
	*encoded = arena_copy(statements->arena, (ClairBytes){(const char *) key, size});
	return encoded->data != NULL ? NULL : "there is not enough memory for its version";
}

/* Fills in the key of the statement. NULL, or what is wrong with one of its versions. */
static const char *
encode_versions(const OvalStatements *statements, OvalStatement *statement)
{
	ClairBytes end = statement->evr.data != NULL ? statement->evr : statement->last_affected;
	const char *problem = NULL;

	if (statement->introduced.data != NULL)
		problem = encode(statements, statement->introduced, &statement->key);
	statement->key = CLAIR_NULL_BYTES;
	if (problem == NULL && end.data != NULL)
		problem = encode(statements, end, &statement->key);
	return problem;
}

ClairStatus
oval_statements_add(OvalStatements *statements, OvalStatement statement, const char **problem,
					ClairError *error)
{
	if (statement.package.size == 0 || statement.package.size > CLAIR_MAX_NAME)
		*problem = "the name of a package is missing or too long";
	else
		*problem = encode_versions(statements, &statement);
	return *problem != NULL ? CLAIR_OK : add(statements, &statement, error);
}

/* Values in their order; no value comes before all. */
static int
compare_values(ClairBytes a, ClairBytes b)
{
	int order = clair_bytes_compare(a, b);

	return order != 0 ? order : (a.data != NULL) - (b.data != NULL);
}

/* By what the statement is about. */
static int
compare_subjects(const OvalStatement *a, const OvalStatement *b)
{
	int order = clair_bytes_compare(a->namespace, b->namespace);

	if (order == 0)
		order = clair_bytes_compare(a->kind, b->kind);
	if (order == 0)
		order = clair_bytes_compare(a->package, b->package);
	if (order == 0)
		order = compare_values(a->module, b->module);
	if (order == 0)
		order = compare_values(a->flavour, b->flavour);
	return order != 0 ? order : compare_values(a->architectures, b->architectures);
}

/* By what it is about; the statement that counts last. */
static int
compare_statements(const void *left, const void *right)
{
	const OvalStatement *a = left;
	const OvalStatement *b = right;
	int order = compare_subjects(a, b);

	if (order == 0)
		order = (a->rank > b->rank) - (a->rank < b->rank);
	if (order == 0 && a->key.data != NULL && b->key.data != NULL)
		order = version_key_compare((const unsigned char *) a->key.data, a->key.size,
									(const unsigned char *) b->key.data, b->key.size);
	if (order == 0)
		order = compare_values(a->evr, b->evr);
	if (order == 0)
		order = compare_values(a->last_affected, b->last_affected);
	if (order == 0)
		order = compare_values(b->introduced, a->introduced);
	if (order == 0)
		order = clair_bytes_compare(a->status, b->status);
	if (order == 0)
		order = clair_bytes_compare(a->severity, b->severity);
	return order != 0 ? order : clair_bytes_compare(a->advisory, b->advisory);
}

/* Leaves, of the statements on one thing, the one that counts. */
static void
choose(OvalStatements *statements)
{
	size_t kept = 0;

	if (statements->count > 0)
		qsort(statements->statements, statements->count, sizeof(OvalStatement), compare_statements);
	for (size_t i = 0; i < statements->count; i++)
	{
		OvalStatement *statement = &statements->statements[i];

		if (i + 1 == statements->count || compare_subjects(statement, statement + 1) != 0)
			statements->statements[kept++] = *statement;
	}
	statements->count = kept;
}

ClairStatus
oval_statements_ranges(OvalStatements *statements, AdvisoryRange **ranges, uint32_t *count,
					   ClairError *error)
{
	choose(statements);
	*count = (uint32_t) statements->count;
	*ranges = arena_alloc_array(statements->arena, statements->count, sizeof(AdvisoryRange));
	if (*ranges == NULL)
		return memory_error(error);
	for (size_t i = 0; i < statements->count; i++)
	{
		const OvalStatement *statement = &statements->statements[i];

		(*ranges)[i] = (AdvisoryRange){
			.namespace = statement->namespace,
			.kind = statement->kind,
			.package = statement->package,
			.format = clair_bytes(version_format_name(statements->format)),
			.introduced = statement->introduced,
			.fixed = statement->evr,
			.last_affected = statement->last_affected,
			.status = statement->status,
			.severity = statement->severity,
			.advisory = statement->advisory,
			.architectures = statement->architectures,
			.module = statement->module,
			.flavour = statement->flavour,
		};
	}
	return CLAIR_OK;
}
