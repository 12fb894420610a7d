/*
 * photon_metadata_test.c
 *    Proves that the entries of Photon OS's CVE metadata become the rows that they mean, and that
 *    its list of branches and listings name the documents.
 */
#include "feed_sink.h"

#define ENTRY(cve, package, rest) "{\"cve_id\":\"" cve "\",\"pkg\":\"" package "\"," rest "}"
#define FIXED(version)			  "\"res_ver\":\"" version "\",\"status\":\"Fixed\""
#define UNFIXED(affected, rest)	  "\"aff_ver\":\"" affected "\",\"res_ver\":\"NA\"" rest
#define ROW(key, cve, package, rest)                                                               \
	"affected|5.0/" key "|" cve "|0|photon:5.0|binary|" package "|rpm|-|" rest

static Recorder recorder;

static ClairStatus
read_named(const char *name, const char *url, const char *text)
{
	UpdaterDocument document = feed_text(name, url, text);

	recorder_clear(&recorder);
	return feed_read("photon-metadata", &document, 1, &recorder);
}

static ClairStatus
read_entries(const char *text)
{
	return read_named("cve_data_photon5.0.json", "https://x/y", text);
}

static void
check_documents(void)
{
	CHECK_INT(read_named("index", "https://x/photon_versions.json",
						 "{\"x\":[1],\"branches\":[\"4.0\",\"10.1\"]}"),
			  CLAIR_OK, "branches");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|cve_data_photon4.0.json|cve_data_photon4.0.json|1|plain\n"
			   "\nfurther|index|cve_data_photon10.1.json|cve_data_photon10.1.json|1|plain\n",
			   "a document each, which may be missing");
	CHECK_INT(
		read_named("index", "file:///x/",
				   "clair directory listing\ncve_data_photon4.0.json.gz\n"
				   "cve_data_photon4.json\ncve_data_photon4..0.json\ncve_data_photon4.0.1.json\n"
				   "cve_data_photon.0.json\ncve_data_photon5.0.xml\nphoton_versions.json\n"),
		CLAIR_OK, "a folder");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|cve_data_photon4.0.json.gz|cve_data_photon4.0.json.gz|0|plain\n",
			   "has what is named for a release");
	CHECK_INT(read_named("index", "file:///x/cve_data_photon3.0.json", "[]"), CLAIR_OK,
			  "one document by its URL");

	CHECK_INT(read_named("index", "https://x/", "{\"branches\":[\"../5.0\"]}"), CLAIR_INVALID,
			  "a branch that is none");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": \"branches\" has something that is no release", "is refused");
	CHECK_INT(read_named("index", "https://x/", "{\"branches\":\"5.0\"}"), CLAIR_INVALID,
			  "branches that are no array");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": byte 12: it is not an array", "are refused");
	CHECK_INT(read_named("index", "https://x/", "[]"), CLAIR_INVALID, "a document without a name");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": it is neither a document of Photon OS's CVEs, by its name, nor "
			   "names one",
			   "is refused");
}

static void
check_entries(void)
{
	CHECK_INT(
		read_entries("[" ENTRY("CVE-2031-0001", "curl", "\"cve_score\":9.8," FIXED("8.1-2.ph5")) "," ENTRY(
			"cve-2031-0001", "curl-libs",
			"\"cve_score\":null," FIXED(
				"8.1-2.ph5")) "," ENTRY("CVE-2031-0001", "curl",
										"\"cve_score\":\"7.0\"," FIXED(
											"8.1-2.ph5")) "," ENTRY("CVE-2031-0001", "curl",
																	"\"cve_score\":\"6.9\"," FIXED(
																		"8.1-4.ph5")) "," ENTRY("BD"
																								"SA"
																								"-2"
																								"03"
																								"1-"
																								"00"
																								"0"
																								"1",
																								"kr"
																								"b"
																								"5",
																								FIXED(
																									"1.17-15.ph5")) "]"),
		CLAIR_OK, "entries");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-0001/curl", "CVE-2031-0001", "curl", "8.1-2.ph5|fixed|Critical|-||"),
			  "a fix, its severity by the score");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-0001/curl-libs", "CVE-2031-0001", "curl-libs",
				  "8.1-2.ph5|fixed|Unknown|-||"),
			  "a name in another spelling, without a score");
	CHECK_ROW(&recorder,
			  ROW("CVE-2031-0001/curl/8.1-4.ph5", "CVE-2031-0001", "curl",
				  "8.1-4.ph5|fixed|Medium|-||"),
			  "another fix, its score as a text");
	CHECK_ROW(&recorder,
			  ROW("BDSA-2031-0001/krb5", "BDSA-2031-0001", "krb5", "1.17-15.ph5|fixed|Unknown|-||"),
			  "a name that is no CVE's");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 4, "what is there twice is there once");
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

static void
check_statuses(void)
{
	CHECK_INT(
		read_entries(
			"[" ENTRY("CVE-2031-0001", "a", UNFIXED("NA", ",\"status\":\"Not Affected\"")) "," ENTRY("CVE-2031-0001", "b", UNFIXED("NA", "")) "," ENTRY(
				"CVE-2031-0001", "c",
				UNFIXED(
					"",
					"")) "," ENTRY("CVE-2031-0001", "d",
								   UNFIXED(
									   "NA",
									   ",\"status\":\"Fixed\"")) "," ENTRY("CVE-2031-0001", "e",
																		   UNFIXED(
																			   "all versions are "
																			   "vulnerable",
																			   "")) "," ENTRY("CVE-"
																							  "2031"
																							  "-000"
																							  "1",
																							  "f",
																							  "\"re"
																							  "s_"
																							  "ver"
																							  "\":"
																							  "\"1-"
																							  "1."
																							  "ph5"
																							  "\"") "," ENTRY("CVE-2031-0001",
																											  "g",
																											  UNFIXED(
																												  "NA",
																												  ",\"status\":\"Undecided\"")) "]"),
		CLAIR_OK, "statuses");
	CHECK_ROW(&recorder, ROW("CVE-2031-0001/d", "CVE-2031-0001", "d", "-|affected|Unknown|-||"),
			  "fixed without a version: no fix");
	CHECK_ROW(&recorder, ROW("CVE-2031-0001/e", "CVE-2031-0001", "e", "-|affected|Unknown|-||"),
			  "without a status: affected");
	CHECK_ROW(&recorder, ROW("CVE-2031-0001/f", "CVE-2031-0001", "f", "1-1.ph5|fixed|*"),
			  "or fixed");
	CHECK_ROW(&recorder, "broken|cve_data_photon5.0.json|5.0|element 7: its status is not known",
			  "another status");
	CHECK_INT(recorder.counts[WIRE_RECORD], 3, "what is not affected is passed over");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 1, "and not told");
}

static void
check_broken(void)
{
	CHECK_INT(
		read_entries("[1,{\"pkg\":\"a\"," FIXED("1-1") "},{\"cve_id\":1,\"pkg\":\"a\"," FIXED(
			"1-1") "}," ENTRY("CVE-2031-0001", "a b",
							  FIXED("1-1")) "," ENTRY("CVE-2031-0001", "a",
													  FIXED("1 1")) "," ENTRY("CVE-2031-0001",
																			  "good",
																			  FIXED("1-1")) "]"),
		CLAIR_OK, "broken entries do not fail the run");
#define BROKEN(number, reason) "broken|cve_data_photon5.0.json|5.0|element " number ": " reason
	CHECK_ROW(&recorder, BROKEN("1", "it is not an object"), "a number");
	CHECK_ROW(&recorder, BROKEN("2", "its CVE or package is missing or too long"), "no CVE");
	CHECK_ROW(&recorder, BROKEN("3", "its CVE or package is missing or too long"),
			  "a CVE that is a number");
	CHECK_ROW(&recorder, BROKEN("4", "its CVE or package has blanks in it"), "a blank");
	CHECK_ROW(&recorder, BROKEN("5", "blank within the version"), "a version that is none");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 5, "each once");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "what is right stays");

	CHECK_INT(read_entries("[{\"cve_id\":\"x\",}]"), CLAIR_INVALID, "an entry that is not JSON");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"cve_data_photon5.0.json\": element 1: byte 15: a string is missing",
			   "fails it");
	CHECK_INT(read_entries("{}"), CLAIR_INVALID, "another document");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"cve_data_photon5.0.json\": the document is not a JSON array: it begins "
			   "with \"{}\"",
			   "fails it, too");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_documents();
	check_entries();
	check_statuses();
	check_broken();
	recorder_clear(&recorder);
	return unit_result();
}
