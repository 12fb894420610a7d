/*
 * version_sort.c
 *    Sort support of clair.version: comparing without fmgr, and abbreviated keys.
 *
 * An abbreviated key is the first eight bytes of what orders a version. It settles most
 * comparisons without touching the value, unless the column's versions begin alike. Whether it
 * pays is watched while the sort takes in its tuples: both the abbreviated and the whole keys
 * are counted, roughly, by HyperLogLog, and abbreviation is given up when there are too few
 * different abbreviated keys for the number of different versions.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/hyperloglog.h"
#include "utils/sortsupport.h"

#include "version/version.h"

#define HLL_REGISTER_BITS 10 /* counts to within 3 % */

/* Counts are judged from the first number of tuples on, and ever more mildly from the second. */
#define FIRST_JUDGED_TUPLES 100
#define EASED_TUPLES		10000

/* The share of whole keys that abbreviated keys must tell apart, and how it is eased. */
#define REQUIRED_SHARE 0.20
#define EASING		   0.65

typedef struct AbbreviationState
{
	hyperLogLogState abbreviated;
	hyperLogLogState whole;
	double required_share;
} AbbreviationState;

static int
CompareDatums(Datum x, Datum y, SortSupport ssup pg_attribute_unused())
{
	Version *a = (Version *) PG_DETOAST_DATUM_PACKED(x);
	Version *b = (Version *) PG_DETOAST_DATUM_PACKED(y);
	int order = CompareVersions(a, b);

	if (PointerGetDatum(a) != x)
		pfree(a);
	if (PointerGetDatum(b) != y)
		pfree(b);
	return order;
}

#if PG_VERSION_NUM < 150000
static int
ssup_datum_unsigned_cmp(Datum x, Datum y, SortSupport ssup pg_attribute_unused())
{
	return (x > y) - (x < y);
}
#endif

static Datum
AbbreviateDatum(Datum original, SortSupport ssup)
{
	AbbreviationState *state = ssup->ssup_extra;
	Version *version = (Version *) PG_DETOAST_DATUM_PACKED(original);
	ClairBytes order = GetVersionOrder(version);
	Datum prefix = GetVersionPrefix(version);

	addHyperLogLog(&state->whole,
				   DatumGetUInt32(hash_any((const unsigned char *) order.data, (int) order.size)));
	addHyperLogLog(&state->abbreviated,
				   murmurhash32((uint32) prefix ^ (uint32) ((uint64) prefix >> 32)));
	if (PointerGetDatum(version) != original)
		pfree(version);
	return prefix;
}

/* Whether to give up abbreviation after so many tuples. */
static bool
AbortAbbreviation(int tuples, SortSupport ssup)
{
	AbbreviationState *state = ssup->ssup_extra;
	double abbreviated;
	double whole;

	if (tuples < FIRST_JUDGED_TUPLES)
		return false;
	abbreviated = Max(estimateHyperLogLog(&state->abbreviated), 1.0);
	whole = Max(estimateHyperLogLog(&state->whole), 1.0);
	if (abbreviated <= whole * state->required_share)
		return true;
	if (tuples > EASED_TUPLES)
		state->required_share *= EASING;
	return false;
}

PG_FUNCTION_INFO_V1(version_sortsupport);
Datum
version_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);
	AbbreviationState *state;

	ssup->comparator = CompareDatums;
	if (ssup->abbreviate)
	{
		state = MemoryContextAlloc(ssup->ssup_cxt, sizeof(AbbreviationState));
		state->required_share = REQUIRED_SHARE;
		initHyperLogLog(&state->abbreviated, HLL_REGISTER_BITS);
		initHyperLogLog(&state->whole, HLL_REGISTER_BITS);
		ssup->ssup_extra = state;
		ssup->comparator = ssup_datum_unsigned_cmp;
		ssup->abbrev_converter = AbbreviateDatum;
		ssup->abbrev_abort = AbortAbbreviation;
		ssup->abbrev_full_comparator = CompareDatums;
	}
	PG_RETURN_VOID();
}
