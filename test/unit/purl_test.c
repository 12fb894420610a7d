/*
 * purl_test.c
 *    Proves that package URLs are taken apart as ECMA-427 says, and that broken ones are
 *    refused with a reason.
 */
#include "common/arena.h"
#include "common/purl.h"
#include "unit.h"

/* Adds a part of a package URL, when it is there, behind a character. */
static void
add(char *result, size_t size, char mark, ClairBytes part)
{
	size_t used = strlen(result);

	if (part.data != NULL)
		snprintf(result + used, size - used, "%c%.*s", mark, (int) part.size, part.data);
}

/* What is expected: "type|namespace|name@version?name=value&...#subpath", or the problem. */
static void
check_bytes(ClairBytes text, const char *expected)
{
	Arena *arena = arena_create(1 << 20);
	Purl purl;
	const char *problem = purl_read(arena, text, &purl);
	char result[1024] = "";

	if (problem != NULL)
		snprintf(result, sizeof(result), "%s", problem);
	else
	{
		snprintf(result, sizeof(result), "%.*s", (int) purl.type.size, purl.type.data);
		add(result, sizeof(result), '|', purl.namespace);
		add(result, sizeof(result), '|', purl.name);
		add(result, sizeof(result), '@', purl.version);
		for (size_t i = 0; i < purl.qualifier_count; i++)
		{
			add(result, sizeof(result), i == 0 ? '?' : '&', purl.qualifiers[i].name);
			add(result, sizeof(result), '=', purl.qualifiers[i].value);
		}
		add(result, sizeof(result), '#', purl.subpath);
	}
	CHECK_TEXT(clair_bytes(result), expected, text.data);
	arena_destroy(arena);
}

static void
check(const char *text, const char *expected)
{
	check_bytes(clair_bytes(text), expected);
}

static void
check_forms(void)
{
	check("pkg:rpm/redhat/quux@1.2-3.el9_5?arch=x86_64&epoch=1",
		  "rpm|redhat|quux@1.2-3.el9_5?arch=x86_64&epoch=1");
	check("pkg:rpm/redhat/quux", "rpm|redhat|quux");
	check("pkg:rpm/redhat/quux?arch=src", "rpm|redhat|quux?arch=src");
	check("pkg:rpm/redhat/q%2B%2B@1-2.module%2Bel8%2b1?arch=src&rpmmod=quux:rhel8:80:c0ffee",
		  "rpm|redhat|q++@1-2.module+el8+1?arch=src&rpmmod=quux:rhel8:80:c0ffee");
	check("pkg:rpmmod/redhat/quux@2.5:8090020300112233:c0ffee",
		  "rpmmod|redhat|quux@2.5:8090020300112233:c0ffee");
	check("pkg:oci/quux@sha256:c0ffee?arch=amd64&repository_url=registry.example/a/quux&tag=v1-3",
		  "oci|quux@sha256:c0ffee?arch=amd64&repository_url=registry.example/a/quux&tag=v1-3");
	check("pkg:deb/ubuntu/bar@1:1.0~rc1+dfsg-2ubuntu0.1~esm1?arch=source&distro=esm-apps/focal",
		  "deb|ubuntu|bar@1:1.0~rc1+dfsg-2ubuntu0.1~esm1?arch=source&distro=esm-apps/focal");
	check("pkg:golang/example.org/a/b@v1#x/./y//../z/", "golang|example.org/a|b@v1#x/y/z");
	check("pkg:generic/a?u=https://example.org/?a=b@c", "generic|a?u=https://example.org/?a=b@c");
	check("pkg:npm/%40scope/a@1%401", "npm|@scope|a@1@1");
}

/* What readers should be generous with. */
static void
check_variants(void)
{
	check("PKG:RPM/RedHat/Quux@A?ARCH=X", "rpm|RedHat|Quux@A?arch=X");
	check("pkg://rpm//redhat///quux/", "rpm|redhat|quux");
	check("pkg:npm/@scope/a", "npm|@scope|a");
	check("pkg:npm/@scope/a@1", "npm|@scope|a@1");
	check("pkg:generic/a@", "generic|a");
	check("pkg:generic/a?", "generic|a");
	check("pkg:generic/a?b=&&c=d&", "generic|a?c=d");
	check("pkg:generic/a#", "generic|a");
	check("pkg:generic/a#./..", "generic|a");
	check("pkg:generic/a%2Fb", "generic|a/b");
	check("pkg:generic/%c3%A4@%e2%82%ac", "generic|\xc3\xa4@\xe2\x82\xac");
	check("pkg:x.y+z-1/a?b.c_d-1==", "x.y+z-1|a?b.c_d-1==");
}

static void
check_broken(void)
{
	char long_one[PURL_MAX_SIZE + 2] = "pkg:generic/";
	char many[PURL_MAX_QUALIFIERS * 4 + 32] = "pkg:generic/a?";

	check("", "it does not begin with \"pkg:\"");
	check("pkg", "it does not begin with \"pkg:\"");
	check("cpe:/a:b:c", "it does not begin with \"pkg:\"");
	check("pkg:", "its type is not valid");
	check("pkg:///", "its type is not valid");
	check("pkg:1x/a", "its type is not valid");
	check("pkg:r%70m/a", "its type is not valid");
	check_bytes(CLAIR_LITERAL("pkg:r\0m/a"), "its type is not valid");
	check("pkg:rpm", "it has no name");
	check("pkg:rpm/", "it has no name");
	check("pkg:rpm/@1", "it has no name");
	check("pkg:rpm/redhat/@1", "it has no name");
	check("pkg:rpm/red%2Fhat/a", "a slash is escaped in a path");
	check("pkg:rpm/a@1%", "two hexadecimal digits must follow a percent sign");
	check("pkg:rpm/a@1%2", "two hexadecimal digits must follow a percent sign");
	check("pkg:rpm/a@1%2g", "two hexadecimal digits must follow a percent sign");
	check("pkg:rpm/a@1%g2", "two hexadecimal digits must follow a percent sign");
	check("pkg:rpm/a%00b", "a part of it is not UTF-8, or has a NUL in it");
	check("pkg:rpm/a?b=%ff", "a part of it is not UTF-8, or has a NUL in it");
	check("pkg:rpm/%c3/%a4", "a part of it is not UTF-8, or has a NUL in it");
	check("pkg:rpm/a?b", "a qualifier has no value");
	check("pkg:rpm/a?=b", "the name of a qualifier is not valid");
	check("pkg:rpm/a?1=b", "the name of a qualifier is not valid");
	check("pkg:rpm/a?b%41=c", "the name of a qualifier is not valid");
	check("pkg:rpm/a?b=1&c=2&B=3", "a qualifier is there twice");

	for (int i = 0; i <= PURL_MAX_QUALIFIERS; i++)
		sprintf(many + strlen(many), "%c=1&", 'a' + i);
	check(many, "it has too many qualifiers");
	memset(long_one + strlen(long_one), 'x', PURL_MAX_SIZE + 1 - strlen(long_one));
	check(long_one, "it is too long");
}

static void
check_rest(void)
{
	Arena *none = arena_create(0);
	Arena *arena = arena_create(1 << 20);
	char longest[PURL_MAX_SIZE + 1] = "pkg:generic/";
	Purl purl;

	CHECK(purl_read(arena, CLAIR_LITERAL("pkg:rpm/a?arch=src&epoch=1"), &purl) == NULL,
		  "it is read");
	CHECK_TEXT(purl_qualifier(&purl, "epoch"), "1", "a qualifier's value");
	CHECK_TEXT(purl_qualifier(&purl, "Arch"), NULL, "names are in lower case");
	CHECK_TEXT(purl_qualifier(&purl, "rpmmod"), NULL, "what is not there has no value");

	memset(longest + strlen(longest), 'x', PURL_MAX_SIZE - strlen(longest));
	CHECK(purl_read(arena, clair_bytes(longest), &purl) == NULL, "the longest one is read");
	CHECK_INT(purl.name.size, PURL_MAX_SIZE - strlen("pkg:generic/"), "all of it");

	CHECK(purl_read(none, CLAIR_LITERAL("pkg:rpm/a"), &purl) == NULL && purl.type.data == NULL,
		  "without memory there is no problem, and nothing");
	arena_destroy(none);
	arena_destroy(arena);
}

int
main(void)
{
	check_forms();
	check_variants();
	check_broken();
	check_rest();
	return unit_result();
}
