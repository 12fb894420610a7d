/*
 * version_test.c
 *    Proves that the version keys are, byte for byte, what is stored on disks; that they order
 *    as the formats' own tools do; what is valid; and that a buffer of VERSION_KEY_SIZE holds.
 *
 * Orders and validity were taken from dpkg 1.21, rpm 4.18 and apk-tools 3.
 */
#include "version/version_key.h"

#include "unit.h"

typedef struct Golden
{
	VersionFormat format;
	const char *text;
	const char *key; /* hexadecimal */
} Golden;

/* Keys of rpm's versions alone have the epoch 0 in front and "no release" behind. */
static const Golden golden_keys[] = {
	{VERSION_DPKG, "0", "00020002020002"},
	{VERSION_DPKG, "~", "0001020002020002"},
	{VERSION_DPKG, "1~", "00020101020002020002"},
	{VERSION_DPKG, "1", "00020102020002"},
	{VERSION_DPKG, "1.0", "000201e50002020002"},
	{VERSION_DPKG, "1.0-1", "000201e50002020102"},
	{VERSION_DPKG, "1.0-1~bpo12+1", "000201e500020201011e2c2b020ce1020102"},
	{VERSION_DPKG, "1:1.0", "010201e50002020002"},
	{VERSION_DPKG, "1.a", "000201e61d020002020002"},
	{VERSION_DPKG, "1.~a", "000201e4011d020002020002"},
	{VERSION_DPKG, "2.36-9+deb12u7", "000202e524020209e120211e020c31020702"},
	{VERSION_DPKG, "20230311", "0002f20134b0a702020002"},
	{VERSION_DPKG, "4319", "0002efff02020002"},
	{VERSION_DPKG, "4320", "0002f010e002020002"},
	{VERSION_DPKG, "99999999999999999999", "0002f7000000149999999999999999999902020002"},
	{VERSION_DPKG, "a0b", "001d02001e020002020002"},
	{VERSION_RPM, "0:", "000200"},
	{VERSION_RPM, "~", "00010200"},
	{VERSION_RPM, "1.0", "0081800200"},
	{VERSION_RPM, "1..0", "0081800200"},
	{VERSION_RPM, "1.0~rc1", "00818001726304810200"},
	{VERSION_RPM, "1.0^git1", "0081800367697404810200"},
	{VERSION_RPM, "1.0a", "008180610200"},
	{VERSION_RPM, "1.0.a", "008180610200"},
	{VERSION_RPM, "a.b", "006104620200"},
	{VERSION_RPM, "ab", "0061620200"},
	{VERSION_RPM, "a1", "006104810200"},
	{VERSION_RPM, "010", "008a0200"},
	{VERSION_RPM, "96", "00e0000200"},
	{VERSION_RPM, "4192", "00f010600200"},
	{VERSION_RPM, "123456789012345678901",
	 "00f7000000150123456789012345678901"
	 "0200"},
	{VERSION_RPM, "1.2", "0081820200"},
	{VERSION_RPM, "0:1.2-3.el8", "0081820283656c048802"},
	{VERSION_RPM, "2:1.2-3.el8", "0281820283656c048802"},
	{VERSION_APK, "1", "2106"},
	{VERSION_APK, "01", "2106"},
	{VERSION_APK, "1.0", "211006"},
	{VERSION_APK, "1.00", "2111300006"},
	{VERSION_APK, "1.01", "2111310006"},
	{VERSION_APK, "1.1", "212106"},
	{VERSION_APK, "1.10a", "212a0f6106"},
	{VERSION_APK, "1.0_rc1", "211004092106"},
	{VERSION_APK, "1.0_p", "21100e06"},
	{VERSION_APK, "1.0_p0", "21100e092006"},
	{VERSION_APK, "1.0_git20240101-r2", "21100c09920134d6e5072206"},
	{VERSION_APK, "1.0~ab1-r0", "211008616231072006"},
	{VERSION_APK, "1.0-r0", "2110072006"},
	{VERSION_APK, "18446744073709551617", "2106"},
};

typedef struct Order
{
	VersionFormat format;
	/* versions in rising order, with "<" or "=" between them */
	const char *chain;
} Order;

static const Order orders[] = {
	{VERSION_DPKG, "1.0~~a < 1.0~ < 1.0~rc1 < 1.0"},
	{VERSION_DPKG, "1.0~~ < 1.0~~a < 1.0~ < 1.0"},
	{VERSION_DPKG, "1.0 = 1.0-0 = 0:1.0 < 1.0-0+b1"},
	{VERSION_DPKG, "1.0-0~ < 1.0 < 1.0+dfsg1"},
	{VERSION_DPKG, "2a < 21"},
	{VERSION_DPKG, "1.3.2 < 1.3.2a < 1.3.2b"},
	{VERSION_DPKG, "009 = 9"},
	{VERSION_DPKG, "009ab5 = 9ab5"},
	{VERSION_DPKG, "5.005 < 5.10.0"},
	{VERSION_DPKG, "3~10 < 3a9.8 < 3.10.2"},
	{VERSION_DPKG, "1.2a+~ < 1.2a+~bCd3 < 1.2a++"},
	{VERSION_DPKG, "98.1p5-1 < 98.1-pre2-b6-2"},
	{VERSION_DPKG, "0-0 < 0:0-0-0"},
	{VERSION_DPKG, "1.2-5 < 1.2-3-5"},
	{VERSION_DPKG, "2.4.7-1 < 2.4.7-z"},
	{VERSION_DPKG, "10.3 < 1:0.4"},
	{VERSION_DPKG, "1:2:123 < 1:12:3"},
	{VERSION_DPKG, "1.4+OOo3.0.0~ < 1.4+OOo3.0.0-4"},
	{VERSION_DPKG, "2.0.7pre1-4 < 2.0.7r-1"},
	{VERSION_DPKG, "1.1.6r-1 < 1.1.6r2-2"},
	{VERSION_DPKG, "0.4-1 < 0.4a6-2"},
	{VERSION_DPKG, "1.18.36-19 < 1.18.36-0.17.35-18"},
	{VERSION_DPKG, "1.0.4-1+deb11u1 < 1.0.4-1+deb11u10"},
	{VERSION_DPKG, "1.0-1ubuntu1.1~20.04 < 1.0-1ubuntu1.1"},
	{VERSION_DPKG, "1.~ < 1. < 1.0a < 1.a < 1.+ < 1.."},
	{VERSION_DPKG, "1+-0 < 1--0 < 1.-0"},
	{VERSION_DPKG, "1A < 1Z < 1a < 1z < 1\x80 < 1\xff < 1! < 1+ < 1. < 1/ < 1@ < 1[ < 1` < 1{ "
				   "< 1| < 1} < 1\x7f"},
	{VERSION_RPM, "5.5p1 < 5.5p2 < 5.5p10"},
	{VERSION_RPM, "2.0.1 < 2.0.1a"},
	{VERSION_RPM, "10xyz < 10.1xyz"},
	{VERSION_RPM, "xyz10 < xyz10.1"},
	{VERSION_RPM, "xyz.4 < 2 < 8"},
	{VERSION_RPM, "6.0 < 6.0.rc1"},
	{VERSION_RPM, "10a1 < 10b2"},
	{VERSION_RPM, "1.0a < 1.0aa"},
	{VERSION_RPM, "10.0001 = 10.1 < 10.0039"},
	{VERSION_RPM, "4.999.9 < 5.0"},
	{VERSION_RPM, "20101121 < 20101122"},
	{VERSION_RPM, "2_0 = 2.0"},
	{VERSION_RPM, "a = a+ = a_ = +a = _a"},
	{VERSION_RPM, "+_ = _+ = + = _"},
	{VERSION_RPM, "1.0~rc1~git123 < 1.0~rc1 < 1.0~rc1^git1 < 1.0~rc2 < 1.0 < 1.0^"},
	{VERSION_RPM, "1.0 < 1.0^git1~pre < 1.0^git1 < 1.0^git2 < 1.01"},
	{VERSION_RPM, "1.0^20160101 < 1.0^20160101^git1 < 1.0^20160102 < 1.0.1"},
	{VERSION_RPM, "1b.fc17 < 1.fc17 < 1g.fc17"},
	{VERSION_RPM, "1.1.\xce\xb1 = 1.1.\xce\xb2 = 1.1.\xce\xb1\xce\xb1"},
	{VERSION_RPM, "1a = 1.a"},
	{VERSION_RPM, "1.100.z = 1_100z"},
	{VERSION_RPM, "4.3.2.1 < 4321"},
	{VERSION_RPM, "~~ < ~ < ~1 < 1 < 999 < 999^"},
	{VERSION_RPM, "1~~ < 1~"},
	{VERSION_RPM, "1~.a = 1~a"},
	{VERSION_RPM, "1^~a < 1^a"},
	{VERSION_RPM, "2.0~ < 2.1"},
	{VERSION_RPM, "1.0 < 1.0-~ < 1.0- < 1.0-1~ < 1.0-1"},
	{VERSION_RPM, "2.9.1-6.el7_2.3 < 2.9.1-6.0.1.el7_2.3"},
	{VERSION_RPM, "3.14.3-23.el6_7 < 3.14.3-23.3.el6_8"},
	{VERSION_RPM, "2.23.2-22.el7_1 < 2.23.2-22.el7_1.1"},
	{VERSION_RPM, "3.10.0-327.el7 < 3.10.0-327.28.3.el7"},
	{VERSION_RPM, "1.5.4-2.el7 < 1.5.4-2.el7_9"},
	{VERSION_RPM, "1 = 0:1 = :1 < 1:0 < 4294967296:0 < 99999999999999999999:0"},
	{VERSION_APK, "0.1.0_alpha_pre2 < 0.1.0_alpha < 0.1.0_alpha2 < 0.1.0"},
	{VERSION_APK, "6.0_pre1 < 6.0 < 6.0_p < 6.0_p1"},
	{VERSION_APK, "1_alpha < 1_beta < 1_pre < 1_rc < 1 < 1_cvs < 1_svn < 1_git < 1_hg < 1_p"},
	{VERSION_APK, "1.0 < 1.0a < 1.0.1"},
	{VERSION_APK, "2.5.1-r8 < 2.5.1a-r1"},
	{VERSION_APK, "0.9.28-r2 < 0.9.28.1"},
	{VERSION_APK, "1.0-r1 < 1.0~ab < 1.0_p1"},
	{VERSION_APK, "1.06-r6 < 006"},
	{VERSION_APK, "8.2.0 < 8.2.001 < 8.2.0015 < 8.2.002"},
	{VERSION_APK, "1.02 < 1.06 < 1.1 < 1.10"},
	{VERSION_APK, "0.9.2 < 1.00_beta2"},
	{VERSION_APK, "013 < 014-r1"},
	{VERSION_APK, "1.0~1234-r0 < 1.0~1234-r1 < 1.0~2345-r0"},
	{VERSION_APK, "3.0.20060720 < 20060720"},
	{VERSION_APK, "1.3_pre1-r1 < 1.3.2"},
	{VERSION_APK, "1.0.0_pre20191002222144-r0 < 1.0.0_pre20210530193627-r0"},
	{VERSION_APK, "2.12r-r4 < 2.12r-r5"},
	{VERSION_APK, "5.2.1.2-r1 < 5.4"},
	{VERSION_APK, "1.7 < 1.7b"},
	{VERSION_APK, "4.3_p2-r1 < 4.3_p2-r5 < 4.4_p1-r6"},
	{VERSION_APK, "1 = 001 = 18446744073709551617"},
};

typedef struct Validity
{
	VersionFormat format;
	ClairBytes text;
	const char *reason; /* NULL when the text is valid */
	size_t position;
} Validity;

#define VALID(format, text)                                                                        \
	{                                                                                              \
		format, CLAIR_LITERAL(text), NULL, 0                                                       \
	}
#define INVALID(format, text, reason, position)                                                    \
	{                                                                                              \
		format, CLAIR_LITERAL(text), reason, position                                              \
	}

static const Validity validity[] = {
	VALID(VERSION_DPKG, " \t1.0 \t"),
	VALID(VERSION_DPKG, "a"),
	VALID(VERSION_DPKG, "1_0"),
	VALID(VERSION_DPKG, "1!0-1_1"),
	VALID(VERSION_DPKG, "1:1:2"),
	VALID(VERSION_DPKG, "2147483647:1"),
	VALID(VERSION_DPKG, "+1:1"),
	VALID(VERSION_DPKG, "-0:1"),
	VALID(VERSION_DPKG, "\n\v+007:1"),
	VALID(VERSION_DPKG, "1--1"),
	VALID(VERSION_DPKG, "--1"),
	VALID(VERSION_DPKG, "1-~"),
	VALID(VERSION_DPKG, "\xc3\xa9"),
	VALID(VERSION_DPKG, "1\x01\x7f\x80\n\v"),
	INVALID(VERSION_DPKG, "", "version is empty", 0),
	INVALID(VERSION_DPKG, " \t", "version is empty", 0),
	INVALID(VERSION_DPKG, "1 0", "blank within the version", 1),
	INVALID(VERSION_DPKG, " 1: 2", "blank within the version", 3),
	INVALID(VERSION_DPKG, "1\0002", "NUL within the version", 1),
	INVALID(VERSION_DPKG, ":1", "epoch is empty", 0),
	INVALID(VERSION_DPKG, "a:1", "epoch is not a number", 0),
	INVALID(VERSION_DPKG, "+:1", "epoch is not a number", 1),
	INVALID(VERSION_DPKG, " 0x1:1", "epoch is not a number", 2),
	INVALID(VERSION_DPKG, "1.0-1:2", "epoch is not a number", 1),
	INVALID(VERSION_DPKG, "1\n:2", "epoch is not a number", 1),
	INVALID(VERSION_DPKG, "-1:1", "epoch is negative", 0),
	INVALID(VERSION_DPKG, "2147483648:1", "epoch is too big", 0),
	INVALID(VERSION_DPKG, "99999999999999999999:1", "epoch is too big", 0),
	INVALID(VERSION_DPKG, "1:", "nothing after the epoch's colon", 1),
	INVALID(VERSION_DPKG, "1:  ", "nothing after the epoch's colon", 1),
	INVALID(VERSION_DPKG, "1.0-", "revision is empty", 3),
	INVALID(VERSION_DPKG, "-", "revision is empty", 0),
	INVALID(VERSION_DPKG, "-1", "upstream version is empty", 0),
	INVALID(VERSION_DPKG, "1:-1", "upstream version is empty", 2),
	VALID(VERSION_RPM, "-"),
	VALID(VERSION_RPM, ":"),
	VALID(VERSION_RPM, "(none):1.2"),
	VALID(VERSION_RPM, "\xc3\xa9!"),
	INVALID(VERSION_RPM, "", "version is empty", 0),
	INVALID(VERSION_RPM, "1.0 ", "blank within the version", 3),
	INVALID(VERSION_RPM, "\t1", "blank within the version", 0),
	INVALID(VERSION_RPM, "1\n", "control character", 1),
	INVALID(VERSION_RPM, "1\177", "control character", 1),
	INVALID(VERSION_RPM, "1\0002", "control character", 1),
	VALID(VERSION_APK, "1.2.3a_alpha_p2_git~0af-r0"),
	VALID(VERSION_APK, "99999999999999999999999999"),
	INVALID(VERSION_APK, "", "version is empty", 0),
	INVALID(VERSION_APK, ".1", "digit expected", 0),
	INVALID(VERSION_APK, "1.", "digit expected", 2),
	INVALID(VERSION_APK, "1..2", "digit expected", 2),
	INVALID(VERSION_APK, "1.0-r", "digit expected", 5),
	INVALID(VERSION_APK, "1.0-1", "\"r\" expected", 4),
	INVALID(VERSION_APK, "1.0-", "\"r\" expected", 4),
	INVALID(VERSION_APK, "1.0!x", "unexpected character", 3),
	INVALID(VERSION_APK, "1.0\0", "unexpected character", 3),
	INVALID(VERSION_APK, "1.0A", "unexpected character", 3),
	INVALID(VERSION_APK, "1.0bc", "unexpected character", 4),
	INVALID(VERSION_APK, "1.0b1", "unexpected character", 4),
	INVALID(VERSION_APK, "1.0a.1", "unexpected character", 4),
	INVALID(VERSION_APK, "1_p.1", "unexpected character", 3),
	INVALID(VERSION_APK, "1~ab~cd", "unexpected character", 4),
	INVALID(VERSION_APK, "1~ab_p", "unexpected character", 4),
	INVALID(VERSION_APK, "1-r1-r2", "unexpected character", 4),
	INVALID(VERSION_APK, "1~", "hexadecimal digit expected", 2),
	INVALID(VERSION_APK, "1~AB", "hexadecimal digit expected", 2),
	INVALID(VERSION_APK, "1_foo", "unknown suffix", 2),
	INVALID(VERSION_APK, "1_", "unknown suffix", 2),
	INVALID(VERSION_APK, "1_pr", "unknown suffix", 2),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The line that a check prints; one for all, so that tests read as tables. */
static const char *
line(VersionFormat format, const char *text)
{
	static char buffer[256];

	snprintf(buffer, sizeof(buffer), "%s: %.200s", version_format_name((int) format), text);
	for (char *at = buffer; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return buffer;
}

static void
test_formats(void)
{
	VersionFormat format = VERSION_DPKG;
	VersionProblem problem;
	size_t size;
	unsigned char key[VERSION_KEY_SIZE(1)];

	CHECK(version_format_by_name(CLAIR_LITERAL("apk"), &format) && format == VERSION_APK,
		  "a format is found by its name");
	CHECK(!version_format_by_name(CLAIR_LITERAL("ap"), &format) &&
			  !version_format_by_name(CLAIR_LITERAL("apk "), &format) &&
			  !version_format_by_name(CLAIR_NULL_BYTES, &format),
		  "other names find none");
	CHECK(strcmp(version_format_name(VERSION_RPM), "rpm") == 0, "a format has a name");
	CHECK(version_format_name(0) == NULL && version_format_name(255) == NULL,
		  "other values have none");
	CHECK(!version_encode((VersionFormat) 77, CLAIR_LITERAL("1"), key, &size, &problem) &&
			  strcmp(problem.reason, "version format is unknown") == 0,
		  "an unknown format is refused");
}

static void
test_golden_keys(void)
{
	for (size_t i = 0; i < COUNT(golden_keys); i++)
	{
		const Golden *golden = &golden_keys[i];
		unsigned char key[VERSION_KEY_SIZE(VERSION_MAX_TEXT)];
		char hex[2 * sizeof(key) + 1] = "";
		VersionProblem problem;
		size_t size = 0;

		if (version_encode(golden->format, clair_bytes(golden->text), key, &size, &problem))
			for (size_t j = 0; j < size; j++)
				snprintf(hex + 2 * j, 3, "%02x", key[j]);
		CHECK_TEXT(clair_bytes(hex), golden->key, line(golden->format, golden->text));
	}
}

/* The order of two texts; 99 when one of them is invalid. */
static int
order_of(VersionFormat format, const char *a, const char *b)
{
	unsigned char a_key[VERSION_KEY_SIZE(VERSION_MAX_TEXT)];
	unsigned char b_key[VERSION_KEY_SIZE(VERSION_MAX_TEXT)];
	size_t a_size;
	size_t b_size;
	VersionProblem problem;
	int order;

	if (!version_encode(format, clair_bytes(a), a_key, &a_size, &problem) ||
		!version_encode(format, clair_bytes(b), b_key, &b_size, &problem))
		return 99;
	order = version_key_compare(a_key, a_size, b_key, b_size);
	return (order > 0) - (order < 0);
}

static void
test_orders(void)
{
	for (size_t i = 0; i < COUNT(orders); i++)
	{
		char chain[256];
		char *rest = chain;
		const char *last;
		const char *sign;

		snprintf(chain, sizeof(chain), "%s", orders[i].chain);
		last = strtok_r(chain, " ", &rest);
		while ((sign = strtok_r(NULL, " ", &rest)) != NULL)
		{
			const char *next = strtok_r(NULL, " ", &rest);
			int expected = sign[0] == '<' ? -1 : 0;
			char what[256];

			snprintf(what, sizeof(what), "%s %s %s", last, sign, next);
			CHECK(order_of(orders[i].format, last, next) == expected &&
					  order_of(orders[i].format, next, last) == -expected,
				  line(orders[i].format, what));
			last = next;
		}
	}
}

static void
test_validity(void)
{
	unsigned char key[VERSION_KEY_SIZE(VERSION_MAX_TEXT)];
	char long_text[VERSION_MAX_TEXT + 1];
	VersionProblem problem;
	size_t size;

	for (size_t i = 0; i < COUNT(validity); i++)
	{
		const Validity *row = &validity[i];
		bool valid = version_encode(row->format, row->text, key, &size, &problem);

		CHECK(valid == (row->reason == NULL), line(row->format, row->text.data));
		if (valid || row->reason == NULL)
			continue;
		CHECK_TEXT(clair_bytes(problem.reason), row->reason, "reason");
		CHECK_INT((int64_t) problem.position, (int64_t) row->position, "position");
	}

	memset(long_text, '1', sizeof(long_text));
	for (int format = VERSION_DPKG; format <= VERSION_APK; format++)
	{
		ClairBytes text = {long_text, VERSION_MAX_TEXT};

		CHECK(version_encode((VersionFormat) format, text, key, &size, &problem),
			  line((VersionFormat) format, "the longest text is valid"));
		text.size++;
		CHECK(!version_encode((VersionFormat) format, text, key, &size, &problem) &&
				  problem.position == VERSION_MAX_TEXT,
			  line((VersionFormat) format, "a longer one is not"));
	}
}

/* The greatest number of bytes by which a key is longer than its text, for texts of a size. */
static size_t
longest_key(VersionFormat format, size_t text_size)
{
	/* What is repeated to fill a text: everything that costs more than it takes, and numbers. */
	static const char *const units[] = {
		"0",   "1",		"9",   "a",	  "Z",	 ".",		"-",	 "~",	  "^",
		"+",   "a1",	"1a",  "a.",  ".a",	 "1.",		".0",	 ".1",	  ".~",
		"0~",  "1^",	"a~",  "ab.", "a99", "a999",	"4319a", "4320a", "99999999999999999999a",
		".00", ".4319", ".01", "_p",  "_p0", "_alpha1",
	};
	static const char *const starts[] = {"", "1", "1:", "99999999999999999999:", "1-", "0~", "1~"};
	unsigned char key[VERSION_KEY_SIZE(VERSION_MAX_TEXT)];
	char text[VERSION_MAX_TEXT];
	size_t longest = 0;

	for (size_t i = 0; i < COUNT(starts); i++)
		for (size_t j = 0; j < COUNT(units); j++)
		{
			VersionProblem problem;
			size_t size = 0;
			size_t start = strlen(starts[i]);

			for (size_t k = 0; k < text_size; k++)
				text[k] = k < start ? starts[i][k] : units[j][(k - start) % strlen(units[j])];
			if (version_encode(format, (ClairBytes){text, text_size}, key, &size, &problem) &&
				size > longest)
				longest = size;
		}
	return longest;
}

static void
test_key_size(void)
{
	for (int format = VERSION_DPKG; format <= VERSION_APK; format++)
	{
		bool holds = true;

		for (size_t size = 1; size <= VERSION_MAX_TEXT; size += size < 64 ? 1 : 60)
			holds = holds && longest_key((VersionFormat) format, size) <= 2 * size + 16 &&
					2 * size + 16 <= VERSION_KEY_SIZE(size);
		CHECK(holds, line((VersionFormat) format, "no key is longer than twice its text and 16"));
	}
}

#define SHORT_TEXT 5
#define SHORT_KEY  (2 * SHORT_TEXT + 16)

typedef struct ShortKey
{
	unsigned char size;
	unsigned char bytes[SHORT_KEY];
} ShortKey;

static int
compare_short_keys(const void *a, const void *b)
{
	const ShortKey *left = a;
	const ShortKey *right = b;

	return version_key_compare(left->bytes, left->size, right->bytes, right->size);
}

/* All texts of up to five characters of an alphabet that has something of everything. */
static void
test_short_texts(void)
{
	static const char alphabet[] = "01ap.-:~^_r";
	size_t texts = 1;
	ShortKey *keys;

	for (int i = 0; i < SHORT_TEXT; i++)
		texts *= sizeof(alphabet);
	keys = malloc(texts * sizeof(*keys));
	for (int format = VERSION_DPKG; format <= VERSION_APK; format++)
	{
		size_t count = 0;
		bool holds = true;
		bool apart = true;

		for (size_t i = 0; i < texts; i++)
		{
			unsigned char key[VERSION_KEY_SIZE(SHORT_TEXT)];
			char text[SHORT_TEXT + 1] = "";
			VersionProblem problem;
			size_t size;

			/* The terminating NUL is a letter of the alphabet: texts shorter than five. */
			for (size_t j = 0, number = i; j < SHORT_TEXT; j++, number /= sizeof(alphabet))
				text[j] = alphabet[number % sizeof(alphabet)];
			if (!version_encode((VersionFormat) format, clair_bytes(text), key, &size, &problem))
				continue;
			holds = holds && size <= 2 * strlen(text) + 16;
			keys[count].size = (unsigned char) size;
			memcpy(keys[count++].bytes, key, size);
		}
		qsort(keys, count, sizeof(*keys), compare_short_keys);
		for (size_t i = 1; i < count; i++)
			apart = apart && (keys[i - 1].size == keys[i].size ||
							  memcmp(keys[i - 1].bytes, keys[i].bytes, keys[i - 1].size) != 0);
		CHECK(count > 100 && holds, line((VersionFormat) format, "keys of short texts are short"));
		CHECK(apart, line((VersionFormat) format, "no key is the beginning of another"));
	}
	free(keys);
}

int
main(void)
{
	test_formats();
	test_golden_keys();
	test_orders();
	test_validity();
	test_key_size();
	test_short_texts();
	return unit_result();
}
