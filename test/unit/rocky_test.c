/*
 * rocky_test.c
 *    Proves that Rocky Linux's errata become rows: for each CVE, the binary packages with their
 *    modules and architectures, once; that the first page names all pages; and that what is broken
 *    is told, and leaves the rest alone.
 */
#include "feed_sink.h"

#define BUILD(nevra, product, more)                                                                \
	"{\"id\":1,\"nevra\":\"" nevra "\",\"product_name\":\"" product "\"" more "}"
#define MODULE(name, stream) ",\"module_name\":\"" name "\",\"module_stream\":\"" stream "\""
#define CVE(name)			 "{\"id\":1,\"cve\":\"" name "\",\"cvss3_base_score\":\"7.5\"}"
#define ERRATUM(name, kind, cves, packages)                                                        \
	"{\"id\":8,\"name\":\"" name "\",\"synopsis\":\"s\",\"description\":\"d\",\"kind\":\"" kind    \
	"\",\"severity\":\"Moderate\",\"affected_products\":[],\"cves\":[" cves                        \
	"],\"fixes\":[],\"packages\":[" packages "]}"
#define PAGE(errata, last)                                                                         \
	"{\"total\":3,\"page\":1,\"size\":1,\"advisories\":[" errata                                   \
	"],\"links\":{\"first\":\"x\",\"last\":" last ",\"next\":null}}"

static Recorder recorder;

static ClairStatus
read_at(const char *name, const char *url, const char *text)
{
	UpdaterDocument document = feed_text(name, url, text);

	recorder_clear(&recorder);
	return feed_read("rocky", &document, 1, &recorder);
}

static ClairStatus
read_page(const char *errata)
{
	char text[16384];

	snprintf(text, sizeof(text), PAGE("%s", "null"), errata);
	return read_at("page-2", "https://x/?page=2", text);
}

#define RANGE(number, rest) "affected|RLSA-2031:1|CVE-2031-1001|" number "|rocky:" rest

static void
check_errata(void)
{
	CHECK_INT(
		read_page(ERRATUM(
			"RLSA-2031:1", "Security", CVE("CVE-2031-1001") "," CVE("CVE-2031-1002"),
			BUILD("a-0:1.0-1.el9.x86_64.rpm", "Rocky Linux 9 x86_64", "") "," BUILD(
				"a-0:1.0-1.el9.x86_64.rpm", "Rocky Linux 9.0 x86_64 (Legacy)",
				"") "," BUILD("a-0:1.0-1.el9.aarch64.rpm", "Rocky Linux 9 aarch64",
							  "") "," BUILD("a-0:1.0-1.el9.src.rpm", "Rocky Linux 9 aarch64",
											"") "," BUILD("b-c-2:1.0-2.el9.noarch.rpm",
														  "Rocky Linux 9 aarch64",
														  "") "," BUILD("m-0:3-1.module+el8.4.0+"
																		"557+48ba8b2f.x86_64.rpm",
																		"Rocky Linux 8 x86_64",
																		MODULE(
																			"mod",
																			"1.0")) "," BUILD("n-0:"
																							  "3-1."
																							  "modu"
																							  "le+"
																							  "el8."
																							  "4.0+"
																							  "557+"
																							  "48ba"
																							  "8b2f"
																							  ".x86"
																							  "_64."
																							  "rpm",
																							  "Rock"
																							  "y "
																							  "Linu"
																							  "x 8 "
																							  "x86_"
																							  "64",
																							  ",\"m"
																							  "odul"
																							  "e_"
																							  "name"
																							  "\":"
																							  "nul"
																							  "l"))),
		CLAIR_OK, "an erratum");
	CHECK_ROW(&recorder, "record|page-2|RLSA-2031:1|*", "a record");
	CHECK_ROW(&recorder, "vulnerability|RLSA-2031:1|CVE-2031-1002|*", "a CVE of it");
	CHECK(strstr(recorder.rows, "|d|https://errata.rockylinux.org/RLSA-2031:1\n") != NULL,
		  "description and link");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 2, "both of them");
	CHECK_ROW(
		&recorder,
		RANGE("0",
			  "8|binary|m|rpm|-|0:3-1.module+el8.4.0+557+48ba8b2f|fixed|Medium|x86_64|mod:1.0|-|-|"
			  "RLSA-2031:1"),
		"a package of a module");
	CHECK_ROW(&recorder,
			  RANGE("1", "8|binary|n|rpm|-|0:3-1.module+el8.4.0+557+48ba8b2f|fixed|Medium|x86_64|-|"
						 "-|-|RLSA-2031:1"),
			  "of one that is not known");
	CHECK_ROW(&recorder,
			  RANGE("2",
					"9|binary|a|rpm|-|0:1.0-1.el9|fixed|Medium|aarch64 x86_64||-|-|RLSA-2031:1"),
			  "of none, for two architectures");
	CHECK_ROW(&recorder,
			  RANGE("3", "9|binary|b-c|rpm|-|2:1.0-2.el9|fixed|Medium|-||-|-|RLSA-2031:1"),
			  "for any");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 8, "each once");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	CHECK_INT(read_page(ERRATUM("RLBA-2031:1", "Bug Fix", "",
								BUILD("a-0:1-1.x86_64.rpm", "Rocky Linux 9 x86_64", ""))),
			  CLAIR_OK, "an erratum on bugs");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 0, "is none");
	CHECK_INT(read_page(ERRATUM("RLSA-2031:1", "Security", "",
								BUILD("a-0:1-1.x86_64.rpm", "Rocky Linux 9 x86_64", ""))),
			  CLAIR_OK, "one on security without a CVE");
	CHECK_ROW(&recorder, "vulnerability|RLSA-2031:1|RLSA-2031:1|*", "is one of its own name");
}

static void
check_pages(void)
{
	CHECK_INT(read_at("errata", "https://x/api/?size=1&page=1",
					  PAGE("", "\"/api/?size=1&page=3&x=1\"")),
			  CLAIR_OK, "a first page");
	CHECK_ROW(&recorder, "further|errata|page-2|/api/?size=1&page=2&x=1|0|plain",
			  "names the second one");
	CHECK_ROW(&recorder, "further|errata|page-3|/api/?size=1&page=3&x=1|0|plain",
			  "and the last one");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 2, "and no others");
	CHECK_INT(read_at("page-2", "https://x/api/?page=2", PAGE("", "\"/api/?page=9\"")), CLAIR_OK,
			  "any other page");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 0, "names none, so that there is no going in circles");
	CHECK_INT(read_at("errata", "https://x/", PAGE("", "\"?page=1\"")), CLAIR_OK, "a single page");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 0, "is all");
	CHECK_INT(read_at("errata", "https://x/", PAGE("", "null")), CLAIR_INVALID,
			  "a page must say which one is the last");
	CHECK_INT(read_at("errata", "https://x/", PAGE("", "\"?page=x\"")), CLAIR_INVALID,
			  "by a number");
	CHECK_INT(read_at("errata", "https://x/", PAGE("", "\"?page=99999999999999999999\"")),
			  CLAIR_LIMIT, "that is none of too many");
	CHECK_INT(read_at("errata", "file:///x/page1.json", PAGE("", "\"?page=9\"")), CLAIR_OK,
			  "a copy of it");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 0, "is all, too");
	CHECK_INT(read_at("errata", "file:///x/",
					  "clair directory listing\n1.json.gz\n2.json\nreadme\n"),
			  CLAIR_OK, "a folder");
	CHECK_ROW(&recorder, "further|errata|1.json.gz|1.json.gz|0|plain", "names its pages");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 2, "and nothing else");
	CHECK_INT(read_at("errata", "file:///x/", "clair directory listing\nreadme\n"), CLAIR_INVALID,
			  "one without pages is refused");
}

static void
check_broken(void)
{
	CHECK_INT(
		read_page(
			"{\"name\":null},{\"id\":1},{\"name\":\"RLSA-2031:1\",\"cves\":null,\"packages\":7},"
			"{\"name\":\"RLSA-2031:2\",\"cves\":[7]}"),
		CLAIR_OK, "broken errata");
	CHECK_ROW(&recorder, "broken|page-2||element 1: its name is missing or too long", "no name");
	CHECK_ROW(&recorder, "broken|page-2|RLSA-2031:1|its packages: *", "no packages");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 4, "are told");
	CHECK_INT(
		read_page(ERRATUM(
			"RLSA-2031:1", "Security", CVE("nonsense"),
			BUILD("a-0:1-1.x86_64.rpm", "Rocky Linux 9 x86_64", "") "," BUILD("a", "Rocky Linux 9 x86_64", "") "," BUILD(
				"-1-1.x86_64.rpm", "Rocky Linux 9 x86_64",
				"") "," BUILD("a-1.x86_64", "Rocky Linux 9 x86_64",
							  "") "," BUILD("a-x:1-1.x86_64.rpm", "Rocky Linux 9 x86_64",
											"") "," BUILD("a-1 2-1.x86_64.rpm",
														  "Rocky Linux 9 x86_64",
														  "") "," BUILD("a-0:1-1.x86_64.rpm",
																		"Rocky Linux SIG Cloud 9 "
																		"x86_64",
																		"") "," BUILD("b-0:1-1.x86_"
																					  "64.rpm",
																					  "Rocky Linux "
																					  "SIG Cloud 9 "
																					  "x86_64",
																					  "") ",{}")),
		CLAIR_OK, "broken packages");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 2, "what is right is kept");
	CHECK_ROW(&recorder, "broken|page-2|RLSA-2031:1|package \"a\": it is none",
			  "what is no package is told");
	CHECK_ROW(&recorder, "broken|page-2|RLSA-2031:1|Rocky Linux SIG Cloud 9 x86_64: *",
			  "as is a product");
	CHECK_INT(read_at("page-2", "https://x/", "<html>"), CLAIR_INVALID,
			  "what is no JSON is refused");
	CHECK_INT(read_at("page-2", "https://x/", "{\"detail\":\"x\"}"), CLAIR_INVALID,
			  "as is what has no errata");
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_errata();
	check_pages();
	check_broken();
	recorder_clear(&recorder);
	return unit_result();
}
