/* Proves what is read of the manifests that images have in place of a package database. */
#include <stdlib.h>
#include <zstd.h>

#include "findings_text.h"

#define REFERENCE(url)		"{\"referenceType\": \"purl\", \"referenceLocator\": \"" url "\"}"
#define PACKAGE(references) "{\"name\": \"x\", \"externalRefs\": [" references "]}"
#define SED					PACKAGE(REFERENCE("pkg:apk/wolfi/sed-doc@4.9-r8?arch=x86_64&distro=wolfi"))
#define BUILT_BY(file)		PACKAGE(REFERENCE("pkg:github/wolfi-dev/os@c0ffee#" file))
#define NO_SOURCE			"?it does not say which sources its packages are built from;"

static void
test_apk_documents(void)
{
	CHECK_FINDINGS(apk_sbom_read,
				   "{\"packages\": [{\"name\": \"wolfi\"}, " SED ", " BUILT_BY("sed.yaml") "]}",
				   "sed-doc 4.9-r8 sed 4.9-r8 x86_64;", "a package and what it is built by");
	CHECK_FINDINGS(apk_sbom_read,
				   "{\"packages\": [" BUILT_BY("dir/sed.yaml") ", " SED ", " PACKAGE(
					   REFERENCE("pkg:generic/sed@4.9?vcs_url=git")) "]}",
				   "sed-doc 4.9-r8 sed 4.9-r8 x86_64;", "in another order, in a folder");
	CHECK_FINDINGS(apk_sbom_read,
				   "{\"packages\": [{\"licenseDeclared\": \"MIT\", \"externalRefs\": [" REFERENCE(
					   "pkg:apk/a@1-r0") "]}, {\"licenseDeclared\": \"NOASSERTION\", "
										 "\"externalRefs\": [" REFERENCE("pkg:apk/b@1-r0") "]}]}",
				   "a 1-r0 a 1-r0 - license MIT;b 1-r0 b 1-r0 -;" NO_SOURCE, "licenses");
	CHECK_FINDINGS(apk_sbom_read, "{\"packages\": [" SED "]}",
				   "sed-doc 4.9-r8 sed-doc 4.9-r8 x86_64;" NO_SOURCE, "nothing to build it by");
	CHECK_FINDINGS(apk_sbom_read,
				   "{\"packages\": [" SED ", " PACKAGE(
					   REFERENCE("pkg:apk/wolfi/musl@1.2-r0")) ", " BUILT_BY("sed.yaml") "]}",
				   "sed-doc 4.9-r8 sed-doc 4.9-r8 x86_64;musl 1.2-r0 musl 1.2-r0 -;" NO_SOURCE,
				   "two packages");
	CHECK_FINDINGS(apk_sbom_read,
				   "{\"packages\": [" PACKAGE(REFERENCE("pkg:golang/example.org/x@1")) "]}", "",
				   "no package of apk");
	CHECK_FINDINGS(
		apk_sbom_read,
		"{\"packages\": [1, " PACKAGE("1, {\"referenceType\": \"purl\"}") ", " PACKAGE(
			REFERENCE("apk/sed")) ", " PACKAGE("{\"referenceType\": \"cpe\", \"referenceLocator\": "
											   "\"pkg:apk/a@1\"}") "]}",
		"", "what is no package URL");
	CHECK_FINDINGS(apk_sbom_read, "{\"packages\": [" PACKAGE(REFERENCE("pkg:apk/wolfi/sed")) "]}",
				   "?package 1: package \"sed\": its version is missing;" NO_SOURCE, "no version");
	CHECK_FINDINGS(apk_sbom_read, "{\"packages\": {}}", "?it has no array \"packages\";",
				   "no packages");
	CHECK_FINDINGS(apk_sbom_read, "{\"packages\": [",
				   "?invalid JSON at byte 15: it ends too early;", "a file that is cut");
	CHECK_FINDINGS(apk_sbom_read,
				   "{\"packages\": [" PACKAGE(
					   "{\"referenceType\": \"purl\", \"referenceLocator\": \"\\u0000\"}") "]}",
				   "?invalid JSON at byte 100: a string is not UTF-8, or has a NUL in it;",
				   "a text that is none");
}

static void
test_bottlerocket(void)
{
	CHECK_FINDINGS(bottlerocket_read,
				   "{\"Content\": [{\"Name\": \"glibc\", \"Publisher\": \"Bottlerocket\", "
				   "\"Version\": \"2.38\","
				   " \"Release\": \"1.fb5\", \"Epoch\": \"1\", \"InstalledTime\": \"2031\","
				   " \"Architecture\": \"x86_64\", \"Summary\": \"\"}, {\"Name\": \"bash\","
				   " \"Version\": \"5.2\", \"Release\": \"1\", \"Architecture\": \"x86_64\"}]}",
				   "glibc 1:2.38-1.fb5 glibc 1:2.38-1.fb5 x86_64 vendor Bottlerocket;"
				   "bash 5.2-1 bash 5.2-1 x86_64;",
				   "packages");
	CHECK_FINDINGS(
		bottlerocket_read,
		"{\"Content\": [{\"Name\": \"a\", \"Version\": 1, \"Release\": \"1\"},"
		" {\"Name\": \"b\", \"Version\": \"1\", \"Release\": \"1\", \"Epoch\": \"x\"}, 1,"
		" {\"Version\": \"1\", \"Release\": \"1\"}]}",
		"?package 1: package \"a\": its version is missing or too long;"
		"?package 2: its epoch is not a number;"
		"?package 4: \"\" is not a package's name;",
		"members that are missing, or of another type");
	CHECK_FINDINGS(bottlerocket_read, "{\"Content\": []}", "", "nothing");
	CHECK_FINDINGS(bottlerocket_read, "{}", "?it has no array \"Content\";", "no content");
	CHECK_FINDINGS(bottlerocket_read, "[]", "?it is not a JSON object;", "an array");
}

#define WALL "{\"jsonwall\":\"1.0\",\"schema\":\"1.0\",\"count\":3}\n"
#define SOURCE                                                                                     \
	"?it does not say which sources its packages are built from: of vulnerabilities of sources, "  \
	"those are found that have a package's name;"

/* A manifest, compressed as chisel does it; cut: bytes that are missing at the end. */
static void
check_wall(const char *text, size_t cut, const char *expected, const char *what)
{
	size_t size = ZSTD_compressBound(strlen(text));
	char *bytes = malloc(size);

	size = ZSTD_compress(bytes, size, text, strlen(text), 3);
	CHECK_TEXT(findings_text(chisel_manifest_read, (ClairBytes){bytes, size - cut}), expected,
			   what);
	free(bytes);
}

static void
test_chisel(void)
{
	char *many = malloc(400000);
	size_t used = (size_t) sprintf(many, WALL);

	check_wall(WALL "{\"kind\":\"content\",\"slice\":\"libc6_libs\",\"path\":\"/lib/libc.so.6\"}\n"
					"{\"kind\":\"package\",\"name\":\"libc6\",\"version\":\"2.39-0ubuntu8\","
					"\"sha256\":\"00\",\"arch\":\"amd64\"}\n"
					"{\"kind\":\"path\",\"path\":\"/lib/caf\\u00e9\",\"mode\":\"0644\"}\n"
					"{\"kind\":\"slice\",\"name\":\"libc6_libs\"}\n",
			   0, "libc6 2.39-0ubuntu8 libc6 2.39-0ubuntu8 amd64;" SOURCE, "a manifest");
	CHECK_FINDINGS(chisel_manifest_read,
				   WALL "{\"kind\":\"package\",\"name\":\"a\",\"version\":\"1\"}\n",
				   "a 1 a 1 -;" SOURCE, "one that is not compressed");
	check_wall(WALL, 0, SOURCE, "no packages");
	check_wall(WALL "{\"kind\":\"package\",\"name\":\"a\"}\nnonsense\n"
					"{\"kind\":\"package\",\"name\":\"b\",\"version\":\"1\"}\n",
			   0,
			   "b 1 b 1 -;" SOURCE "?line 2: package \"a\": its version is missing;"
			   "?line 3: invalid JSON: it is not an object;",
			   "lines that are broken");
	check_wall(WALL "{\"kind\":\"package\",\"name\":\"a\",\"version\":\"1\"}", 0,
			   SOURCE "?it ends too early;", "a last line without its end");
	check_wall("{\"jsonwall\":\"1.0\",\"schema\":\"2.0\"}\n"
			   "{\"kind\":\"package\",\"name\":\"a\",\"version\":\"1\"}\n",
			   0, "??its schema, \"2.0\", is not supported;", "another schema");
	check_wall("nonsense\n", 0, "?it is not a manifest of chisel;", "no JSON");
	CHECK_FINDINGS(chisel_manifest_read, "", "?it ends too early;", "an empty file");

	/* Longer than a piece of the stream, so that lines begin in one and end in another. */
	for (int i = 0; i < 3000; i++)
		used += (size_t) sprintf(many + used,
								 "{\"kind\":\"path\",\"path\":\"/usr/share/%04d/%060d\"}\n", i, i);
	sprintf(many + used, "{\"kind\":\"package\",\"name\":\"a\",\"version\":\"1\"}\n");
	check_wall(many, 0, "a 1 a 1 -;" SOURCE, "many lines");
	check_wall(many, 4, SOURCE "?zstd data is truncated;", "a manifest that is cut");
	free(many);
}

int
main(void)
{
	test_apk_documents();
	test_bottlerocket();
	test_chisel();
	return unit_result();
}
