/*
 * version_differential.c
 *    Proves that keys order as libdpkg and librpm do, and that we take the versions that libdpkg
 *    takes, over random pairs that are meant to hurt.
 *
 * Not one of the unit tests, for it needs the two libraries: make builds it with WITH_LIBDPKG
 * and WITH_LIBRPM where they are installed. Arguments: pairs per format, and a seed to search
 * further than the one that every run uses.
 */
#ifdef WITH_LIBDPKG
#define LIBDPKG_VOLATILE_API
#include <dpkg/dpkg.h>
#include <dpkg/dpkg-db.h>
#endif
#ifdef WITH_LIBRPM
#include <rpm/rpmver.h>
#endif

#include "version/version_key.h"

#include "unit.h"

#define DEFAULT_PAIRS	1000000
#define DEFAULT_SEED	UINT64_C(0x9E3779B97F4A7C15)
#define MAX_RANDOM_TEXT 120
#define MAX_SHOWN		10

typedef struct Side
{
	char text[MAX_RANDOM_TEXT + 1];
	bool valid;
	unsigned char key[VERSION_KEY_SIZE(MAX_RANDOM_TEXT)];
	size_t key_size;
} Side;

/* What the reference says of a pair. */
typedef struct Verdict
{
	bool a_valid;
	bool b_valid;
	int order; /* when both are valid */
} Verdict;

typedef Verdict Reference(const char *a, const char *b);

static uint64_t random_state;

/* A number below the bound, by xorshift. */
static uint32_t
random_below(uint32_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t) ((random_state >> 32) % bound);
}

/* Appends to a text what fits. */
static void
append(char *text, size_t *size, const char *piece)
{
	while (*piece != '\0' && *size < MAX_RANDOM_TEXT)
		text[(*size)++] = *piece++;
	text[*size] = '\0';
}

static void
append_digits(char *text, size_t *size)
{
	char digits[66] = "";
	uint32_t count = random_below(4) > 0 ? 1 + random_below(3) : 1 + random_below(65);
	bool zeros = random_below(4) == 0;

	for (uint32_t i = 0; i < count; i++)
		digits[i] = (char) (zeros && i < count / 2 ? '0' : '0' + random_below(10));
	append(text, size, digits);
}

/* One piece of a version: from few symbols mostly, so that pairs meet; any byte now and then. */
static void
append_piece(char *text, size_t *size)
{
	static const char *const pieces[] = {
		"0",   "1",	  "9",	  "00",	  "a",	"b",   "Z",	   ".",	   "-",			  "~",
		"^",   "+",	  ":",	  "_",	  "rc", "el8", "1.0",  "~rc1", "+deb12u",	  "0~",
		"223", "224", "4319", "4320", "95", "96",  "4191", "4192", "2147483647:", "2147483648:",
	};
	char byte[2] = {(char) (1 + random_below(255)), '\0'};

	switch (random_below(12))
	{
		case 0:
			append_digits(text, size);
			break;
		case 1:
			append(text, size, byte);
			break;
		default:
			append(text, size, pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))]);
			break;
	}
}

static void
random_text(char *text)
{
	size_t size = 0;
	uint32_t count = random_below(9);

	text[0] = '\0';
	if (random_below(4) == 0)
		append(text, &size, random_below(2) == 0 ? "0:" : "1:");
	for (uint32_t i = 0; i < count; i++)
		append_piece(text, &size);
}

/* Cuts the text in two and puts a piece between, with or without the byte at the cut. */
static void
edit_text(char *edited, const char *text)
{
	size_t length = strlen(text);
	size_t cut = random_below((uint32_t) length + 1);
	size_t size = 0;

	memcpy(edited, text, cut);
	edited[cut] = '\0';
	size = cut;
	if (random_below(3) > 0)
		append_piece(edited, &size);
	if (cut < length)
		append(edited, &size, text + cut + random_below(2));
}

static void
encode(VersionFormat format, Side *side)
{
	VersionProblem problem;

	side->valid = version_encode(format, clair_bytes(side->text), side->key, &side->key_size,
								 &problem);
}

static int
sign_of(int order)
{
	return (order > 0) - (order < 0);
}

static void
show_difference(const Side *a, const Side *b, const Verdict *expected)
{
	printf("# \"%s\" (%s, expected %s) and \"%s\" (%s, expected %s), expected order %d\n", a->text,
		   a->valid ? "valid" : "invalid", expected->a_valid ? "valid" : "invalid", b->text,
		   b->valid ? "valid" : "invalid", expected->b_valid ? "valid" : "invalid",
		   expected->order);
}

/* A reference that is NULL is not installed. */
static void
compare_with(VersionFormat format, const char *library, Reference *reference, long pairs)
{
	long differences = 0;
	long compared = 0;
	char what[128];

	if (reference == NULL)
	{
		printf("# SKIP: built without %s, its order is not checked\n", library);
		return;
	}
	for (long i = 0; i < pairs; i++)
	{
		Side a;
		Side b;
		Verdict expected;

		random_text(a.text);
		if (random_below(2) == 0)
			edit_text(b.text, a.text);
		else
			random_text(b.text);
		encode(format, &a);
		encode(format, &b);
		expected = reference(a.text, b.text);
		if (a.valid && b.valid)
			compared++;
		if (a.valid == expected.a_valid && b.valid == expected.b_valid &&
			(!a.valid || !b.valid ||
			 sign_of(version_key_compare(a.key, a.key_size, b.key, b.key_size)) ==
				 sign_of(expected.order)))
			continue;
		if (differences++ < MAX_SHOWN)
			show_difference(&a, &b, &expected);
	}
	snprintf(what, sizeof(what), "%ld random pairs, %ld of them valid, as %s has them", pairs,
			 compared, library);
	CHECK(differences == 0 && (compared > 0 || pairs == 0), what);
}

#ifdef WITH_LIBDPKG
static bool
parse_dpkg(const char *text, struct dpkg_version *version)
{
	struct dpkg_error error = DPKG_ERROR_INIT;
	bool valid;

	parseversion(version, text, &error);
	valid = error.type != DPKG_MSG_ERROR;
	dpkg_error_destroy(&error);
	return valid;
}

static Verdict
ask_dpkg(const char *a, const char *b)
{
	struct dpkg_version left = DPKG_VERSION_INIT;
	struct dpkg_version right = DPKG_VERSION_INIT;
	Verdict verdict = {parse_dpkg(a, &left), parse_dpkg(b, &right), 0};

	if (verdict.a_valid && verdict.b_valid)
		verdict.order = dpkg_version_compare(&left, &right);
	nffreeall();
	return verdict;
}
#else
#define ask_dpkg NULL
#endif

#ifdef WITH_LIBRPM
/* librpm takes everything but the empty string; the rule is that of version_key.h. */
static bool
is_rpm_version(const char *text)
{
	if (text[0] == '\0')
		return false;
	for (; *text != '\0'; text++)
		if ((unsigned char) *text <= ' ' || *text == 0x7F)
			return false;
	return true;
}

static Verdict
ask_rpm(const char *a, const char *b)
{
	Verdict verdict = {is_rpm_version(a), is_rpm_version(b), 0};
	rpmver left = rpmverParse(a);
	rpmver right = rpmverParse(b);

	if (left != NULL && right != NULL)
		verdict.order = rpmverCmp(left, right);
	rpmverFree(left);
	rpmverFree(right);
	return verdict;
}
#else
#define ask_rpm NULL
#endif

int
main(int count, char **arguments)
{
	long pairs = count > 1 ? atol(arguments[1]) : DEFAULT_PAIRS;
	uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 0) : DEFAULT_SEED;

	random_state = seed != 0 ? seed : DEFAULT_SEED;
	compare_with(VERSION_DPKG, "libdpkg", ask_dpkg, pairs);
	compare_with(VERSION_RPM, "librpm", ask_rpm, pairs);
	return unit_result();
}
