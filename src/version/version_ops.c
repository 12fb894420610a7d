/*
 * version_ops.c
 *    What operators and operator classes of clair.version call: comparing, hashing, distance.
 *
 * None of it looks at the format or the text: tag and key, compared as bytes, are the order, and
 * versions that are equal have the same key. Arguments are read in place, in their short form
 * too; what had to be detoasted is freed, since indexes call these for every tuple.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/pg_bswap.h"

#include "version/version.h"

int
CompareVersions(const Version *a, const Version *b)
{
	ClairBytes left = GetVersionOrder(a);
	ClairBytes right = GetVersionOrder(b);

	return version_key_compare((const unsigned char *) left.data, left.size,
							   (const unsigned char *) right.data, right.size);
}

Datum
GetVersionPrefix(const Version *version)
{
	ClairBytes order = GetVersionOrder(version);
	Datum prefix = 0;

	memcpy(&prefix, order.data, Min(order.size, sizeof(prefix)));
	return DatumBigEndianToNative(prefix);
}

/* The order of the first two arguments of a call. */
static int
CompareArguments(FunctionCallInfo fcinfo)
{
	Version *a = PG_GETARG_VERSION_PP(0);
	Version *b = PG_GETARG_VERSION_PP(1);
	int order = CompareVersions(a, b);

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

PG_FUNCTION_INFO_V1(version_lt);
Datum
version_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) < 0);
}

PG_FUNCTION_INFO_V1(version_le);
Datum
version_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) <= 0);
}

PG_FUNCTION_INFO_V1(version_eq);
Datum
version_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) == 0);
}

PG_FUNCTION_INFO_V1(version_ne);
Datum
version_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) != 0);
}

PG_FUNCTION_INFO_V1(version_ge);
Datum
version_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) >= 0);
}

PG_FUNCTION_INFO_V1(version_gt);
Datum
version_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) > 0);
}

PG_FUNCTION_INFO_V1(version_cmp);
Datum
version_cmp(PG_FUNCTION_ARGS)
{
	int order = CompareArguments(fcinfo);

	PG_RETURN_INT32((order > 0) - (order < 0));
}

PG_FUNCTION_INFO_V1(version_hash);
Datum
version_hash(PG_FUNCTION_ARGS)
{
	Version *version = PG_GETARG_VERSION_PP(0);
	ClairBytes order = GetVersionOrder(version);
	Datum hash = hash_any((const unsigned char *) order.data, (int) order.size);

	PG_FREE_IF_COPY(version, 0);
	return hash;
}

PG_FUNCTION_INFO_V1(version_hash_extended);
Datum
version_hash_extended(PG_FUNCTION_ARGS)
{
	Version *version = PG_GETARG_VERSION_PP(0);
	ClairBytes order = GetVersionOrder(version);
	Datum hash = hash_any_extended((const unsigned char *) order.data, (int) order.size,
								   (uint64) PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(version, 0);
	return hash;
}

PG_FUNCTION_INFO_V1(version_smaller);
Datum
version_smaller(PG_FUNCTION_ARGS)
{
	Version *a = PG_GETARG_VERSION_PP(0);
	Version *b = PG_GETARG_VERSION_PP(1);

	PG_RETURN_POINTER(CompareVersions(a, b) <= 0 ? a : b);
}

PG_FUNCTION_INFO_V1(version_larger);
Datum
version_larger(PG_FUNCTION_ARGS)
{
	Version *a = PG_GETARG_VERSION_PP(0);
	Version *b = PG_GETARG_VERSION_PP(1);

	PG_RETURN_POINTER(CompareVersions(a, b) >= 0 ? a : b);
}

/*
 * clair.version_diff(a, b) returns double precision
 *
 * How far apart two versions are, for the indexes of ranges: a guess from the first bytes, of no
 * unit, but with the sign of the order.
 */
PG_FUNCTION_INFO_V1(version_diff);
Datum
version_diff(PG_FUNCTION_ARGS)
{
	Datum a = GetVersionPrefix(PG_GETARG_VERSION_PP(0));
	Datum b = GetVersionPrefix(PG_GETARG_VERSION_PP(1));

	PG_RETURN_FLOAT8(a >= b ? (float8) (a - b) : -(float8) (b - a));
}
