/*
 * cpe_test.c
 *    Proves that names of platforms are read from both bindings of NIST IR 7695, written as
 *    canonical URIs, and which names cover which.
 */
#include "common/arena.h"
#include "feed/cpe.h"
#include "unit.h"

static Arena *arena;

static Cpe
name(const char *text)
{
	Cpe cpe;

	CHECK(cpe_read(arena, clair_bytes(text), &cpe) == NULL, text);
	return cpe;
}

/* The canonical URI, or the problem. */
static void
check_bytes(ClairBytes text, const char *expected)
{
	Cpe cpe;
	const char *problem = cpe_read(arena, text, &cpe);

	CHECK_TEXT(problem != NULL ? clair_bytes(problem) : cpe_uri(arena, &cpe), expected, text.data);
}

static void
check(const char *text, const char *expected)
{
	check_bytes(clair_bytes(text), expected);
}

static void
check_uris(void)
{
	check("cpe:/o:redhat:enterprise_linux:9::baseos", "cpe:/o:redhat:enterprise_linux:9::baseos");
	check("cpe:/a:redhat:quux:::el8", "cpe:/a:redhat:quux:::el8");
	check("cpe:/a:redhat:quux:1.0::el8:", "cpe:/a:redhat:quux:1.0::el8");
	check("cpe:/o:redhat:quux:7:::", "cpe:/o:redhat:quux:7");
	check("cpe:/o", "cpe:/o");
	check("cpe:/o:redhat", "cpe:/o:redhat");
	check("cpe:/o:redhat:quux:7.1::ppc64le:server", "cpe:/o:redhat:quux:7.1::ppc64le:server");
	check("CPE:/O:Novell,Inc:OES:24.4", "cpe:/o:novell%2cinc:oes:24.4");
	check("cpe:/a:v:p:-", "cpe:/a:v:p:-");
	check("cpe:/a:v:p:*:-:*", "cpe:/a:v:p::-");
	check("cpe:/a:v:p%7Eq%2B%2b:1%021", "cpe:/a:v:p%7eq%2b%2b:1%021");
	check("cpe:/a:v:p~q:a*b?", "cpe:/a:v:p%7eq:a%2ab%3f");
	check("cpe:/a:v:p:1::~~pro~wordpress~x64~", "cpe:/a:v:p:1::~~pro~wordpress~x64~");
	check("cpe:/a:v:p:1::~el8~~~~:en", "cpe:/a:v:p:1::el8:en");
	check("cpe:/a:v:p:1::~~~wordpress", "cpe:/a:v:p:1::~~~wordpress~~");
}

static void
check_formatted_strings(void)
{
	Cpe cpe;

	check("cpe:2.3:o:redhat:enterprise_linux:9:*:baseos:*:*:*:*:*",
		  "cpe:/o:redhat:enterprise_linux:9::baseos");
	check("cpe:2.3:a:v:p:*:*:*:*:*:*:*:*", "cpe:/a:v:p");
	check("cpe:2.3:a:V:P:1.0:-:*:*:*:wordpress:*:*", "cpe:/a:v:p:1.0:-:~~~wordpress~~");
	check("cpe:2.3:a:v:p\\+\\+:1\\:2:*:*:*:*:*:*:o", "cpe:/a:v:p%2b%2b:1%3a2::~~~~~o");
	check("cpe:2.3:a:v:a\\\\:b\\.c:*:*:*:*:*:*:*", "cpe:/a:v:a%5c:b.c");
	check("cpe:2.3:a:v:p:1.*:??:*:*:*:*:*:*", "cpe:/a:v:p:1.%02:%01%01");
	check("cpe:2.3:a:v:p:1.\\*:\\?:*:*:*:*:*:*", "cpe:/a:v:p:1.%2a:%3f");
	check("cpe:2.3:a:v:p:1:2:3:en:4:5:6:7", "cpe:/a:v:p:1:2:~3~4~5~6~7:en");

	cpe = name("cpe:2.3:a:v:p:1:*:3:en:4:5:6:-");
	CHECK_TEXT(cpe.components[CPE_PART], "a", "the part");
	CHECK_TEXT(cpe.components[CPE_UPDATE], NULL, "ANY is no value");
	CHECK_TEXT(cpe.components[CPE_LANGUAGE], "en", "the language");
	CHECK_TEXT(cpe.components[CPE_SW_EDITION], "4", "what CPE 2.2 did not have");
	CHECK_TEXT(cpe.components[CPE_OTHER], "-", "the last one, which is NA");
	cpe = name("cpe:/a:v:p:1::~3~4~5~6~-:en");
	CHECK_TEXT(cpe.components[CPE_EDITION], "3", "a packed edition is taken apart");
	CHECK_TEXT(cpe.components[CPE_TARGET_HW], "6", "into all of its parts");
	CHECK_TEXT(cpe.components[CPE_OTHER], "-", "to the last one");
}

static void
check_broken(void)
{
	char long_one[CPE_MAX_SIZE + 2] = "cpe:/a:v:";

	check("", "it does not begin with \"cpe:/\" or \"cpe:2.3:\"");
	check("cpe:", "it does not begin with \"cpe:/\" or \"cpe:2.3:\"");
	check("cpe:2.4:a:v:p", "it does not begin with \"cpe:/\" or \"cpe:2.3:\"");
	check("cpe:/", "its part is neither \"a\" nor \"o\" nor \"h\"");
	check("cpe:/:v:p", "its part is neither \"a\" nor \"o\" nor \"h\"");
	check("cpe:/x:v:p", "its part is neither \"a\" nor \"o\" nor \"h\"");
	check("cpe:/ao:v:p", "its part is neither \"a\" nor \"o\" nor \"h\"");
	check("cpe:/a:v:p:1:2:3:4:5", "it has too many components");
	check("cpe:2.3:a:v:p:1:*:*:*:*:*:*", "it has too few components");
	check("cpe:2.3:a:v:p:1:*:*:*:*:*:*:*:*", "it has too many components");
	check("cpe:2.3:a:v:p:1:*::*:*:*:*:*", "a component is empty");
	check("cpe:2.3:a:v:p:1:*:*:*:*:*:*:\\", "nothing follows a backslash");
	check("cpe:/a:v:p:1::~1~2~3~4~5~6", "its edition has too many parts");
	check("cpe:/a:v:p%", "two hexadecimal digits must follow a percent sign");
	check("cpe:/a:v:p%4", "two hexadecimal digits must follow a percent sign");
	check("cpe:/a:v:p%4g", "two hexadecimal digits must follow a percent sign");
	check("cpe:/a:v:p%00", "a character in it is not printable ASCII");
	check("cpe:/a:v:p q", "a character in it is not printable ASCII");
	check("cpe:/a:v:p\xc3\xa4", "a character in it is not printable ASCII");
	check("cpe:/a:v:p%7f", "a character in it is not printable ASCII");
	check("cpe:/a:v:p\x01", "a character in it is not printable ASCII");
	check_bytes(CLAIR_LITERAL("cpe:/a:v\0:p"), "a character in it is not printable ASCII");

	memset(long_one + strlen(long_one), 'x', CPE_MAX_SIZE - strlen(long_one));
	check(long_one, long_one);
	long_one[CPE_MAX_SIZE] = 'x';
	check(long_one, "it is too long");
}

static void
check_covers(const char *pattern, const char *text, bool expected)
{
	Cpe a = name(pattern);
	Cpe b = name(text);

	CHECK(cpe_covers(&a, &b) == expected, expected ? "  covers it" : "  does not cover it");
}

static void
check_covering(void)
{
	check_covers("cpe:/o:v:p:9::baseos", "cpe:2.3:o:v:p:9:*:baseos:*:*:*:*:*", true);
	check_covers("cpe:/o:v:p:9", "cpe:/o:v:p:9::baseos", true);
	check_covers("cpe:/o:v:p", "cpe:/o:v:p:9::baseos", true);
	check_covers("cpe:/o:v:p:::baseos", "cpe:/o:v:p:9::baseos", true);
	check_covers("cpe:/o:v:p:9::baseos", "cpe:/o:v:p:9", false);
	check_covers("cpe:/o:v:p:9::baseos", "cpe:/o:v:p:9::appstream", false);
	check_covers("cpe:/o:v:p:9", "cpe:/a:v:p:9", false);
	check_covers("cpe:/o:v", "cpe:/o:v:p:9", false);
	check_covers("cpe:/o::p", "cpe:/o:v:p:9", false);
	check_covers("cpe:/a:v:p:4", "cpe:/a:v:p:4.16::el9", true);
	check_covers("cpe:/a:v:p:4.1", "cpe:/a:v:p:4.16::el9", false);
	check_covers("cpe:/a:v:p:4.16", "cpe:/a:v:p:4.16.1", true);
	check_covers("cpe:/a:v:p:4.16.1", "cpe:/a:v:p:4.16", false);
	check_covers("cpe:/a:v:p:1", "cpe:/a:v:p:10", false);
	check_covers("cpe:/a:v:p:4::el9", "cpe:/a:v:p:4.16::el9", false);
	check_covers("cpe:/a:v:p.q", "cpe:/a:v:p.q.r", false);
	check_covers("cpe:/a:v:p:-", "cpe:/a:v:p:-:x", true);
	check_covers("cpe:/a:v:p:-", "cpe:/a:v:p", false);
	check_covers("cpe:/a:v:p:1::~~~x~~", "cpe:/a:v:p:1::~e~~x~y~", true);
}

static void
check_list(const char *text, const char *const *expected, size_t expected_count)
{
	Cpe cpe = name(text);
	ClairBytes *uris;
	size_t count;

	CHECK(cpe_covering(arena, &cpe, &uris, &count), "there is memory enough");
	CHECK_INT(count, expected_count, "so many names cover it");
	for (size_t i = 0; i < count && i < expected_count; i++)
		CHECK_TEXT(uris[i], expected[i], expected[i]);
}

static void
check_lists(void)
{
	static const char *const openshift[] = {"cpe:/a:v:p",		"cpe:/a:v:p:4.16.1",
											"cpe:/a:v:p:::el9", "cpe:/a:v:p:4.16.1::el9",
											"cpe:/a:v:p:4",		"cpe:/a:v:p:4.16"};
	static const char *const plain[] = {"cpe:/o:v:p", "cpe:/o:v:p:9"};

	check_list("cpe:/a:v:p:4.16.1::el9", openshift, 6);
	check_list("cpe:/o:v:p:9", plain, 2);
	check_list("cpe:/o:v:p", plain, 1);
	check_list("cpe:/o:v", NULL, 0);
}

static void
check_memory(void)
{
	Arena *none = arena_create(0);
	Cpe cpe;
	ClairBytes *uris;
	size_t count;

	CHECK(cpe_read(none, CLAIR_LITERAL("cpe:/a:v:p"), &cpe) == NULL &&
			  cpe.components[CPE_PART].data == NULL,
		  "without memory there is no problem, and nothing");
	cpe = name("cpe:2.3:a:v:p:1.0:2:3:4:5:6:7:8");
	CHECK_TEXT(cpe_uri(none, &cpe), NULL, "no URI");
	CHECK(!cpe_covering(none, &cpe, &uris, &count), "and no list");
	CHECK(cpe_covering(arena, &cpe, &uris, &count) && count == 257, "which is bounded");
	arena_destroy(none);
}

int
main(void)
{
	arena = arena_create(1 << 20);
	check_uris();
	check_formatted_strings();
	check_broken();
	check_covering();
	check_lists();
	check_memory();
	arena_destroy(arena);
	return unit_result();
}
