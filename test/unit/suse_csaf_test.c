/*
 * suse_csaf_test.c
 *    Proves what SUSE's CSAF documents become: an archive that is read once, then changes of it;
 * and each document the ranges that it means.
 */
#include "feed_sink.h"
#include "tar_writer.h"

#define OFFICIAL "https://ftp.suse.com/pub/projects/security/csaf-vex/changes.csv"
#define CHANGES                                                                                    \
	"\"cve-2031-0002.json\",\"2031-02-04T00:00:00Z\"\n"                                            \
	"\"cve-2031-0001.json\",\"2031-02-01T00:00:00Z\"\n"                                            \
	"\"../cve-2031-0003.json\",\"2031-02-04T00:00:00Z\"\n\"README\",\"2031-02-04T00:00:00Z\"\n"

/* Times in milliseconds: 2031-02-01T00:00Z, 2031-02-02T00:00Z, 2031-02-04T00:00Z. */
#define FEBRUARY_1 "1927670400000"
#define FEBRUARY_2 "1927756800000"
#define FEBRUARY_4 "1927929600000"

#define NAMED(id) "{\"category\":\"product_name\",\"product\":{\"product_id\":\"" id "\"}}"
#define PACKAGE(id, purl)                                                                          \
	"{\"category\":\"product_version\",\"product\":{\"product_id\":\"" id                          \
	"\",\"product_identification_helper\":{\"purl\":\"pkg:rpm/suse/" purl "\"}}}"
#define OF(platform, package)                                                                      \
	"{\"category\":\"default_component_of\",\"full_product_name\":{\"product_id\":\"" platform     \
	":" package "\"},\"product_reference\":\"" package                                             \
	"\",\"relates_to_product_reference\":\"" platform "\"}"
#define DOCUMENT(branches, relationships, statuses, rest)                                          \
	"{\"document\":{\"aggregate_severity\":{\"text\":\"important\"},\"tracking\":{\"id\":"         \
	"\"CVE-2031-0001\",\"status\":\"interim\"}},\"product_tree\":{\"branches\":[{\"branches\":"    \
	"[" branches "]}],\"relationships\":[" relationships "]},\"vulnerabilities\":[{\"cve\":"       \
	"\"CVE-2031-0001\",\"notes\":[{\"category\":\"description\",\"text\":\"A flaw.\"}],"           \
	"\"product_status\":{" statuses "}" rest "}]}"

#define SERVER "SUSE Linux Enterprise Server 15 SP6"
#define LTSS   "SUSE Linux Enterprise Server 15 SP6-LTSS"
#define BASE   "SUSE Linux Enterprise Module for Basesystem 15 SP6"
#define LEAP   "openSUSE Leap 15.6"
#define OTHER  "SUSE Manager Server 4.3"

#define ROW(number, namespace, rest)                                                               \
	"affected|CVE-2031-0001|CVE-2031-0001|" number "|" namespace "|binary|" rest

static UpdaterDocument
archive_of(const char *name, const char *document)
{
	TarWriter tar = {0};
	UpdaterDocument archive = {clair_bytes(name), CLAIR_LITERAL("https://x/csaf-vex.tar"), -1};

	tar_directory(&tar, "csaf-vex/");
	tar_file(&tar, "csaf-vex/README", "no record");
	tar_file(&tar, "csaf-vex/cve-2031-0001.json", document);
	archive.descriptor = memory_file(tar_end(&tar));
	tar_free(&tar);
	return archive;
}

static ClairStatus
read_one(Recorder *recorder, UpdaterDocument document, const char *state)
{
	recorder_clear(recorder);
	recorder->state = state;
	return feed_read("suse-csaf", &document, 1, recorder);
}

static void
check_rounds(void)
{
	Recorder recorder = {0};

	CHECK_INT(read_one(&recorder, feed_text("changes", OFFICIAL, CHANGES), NULL), CLAIR_OK,
			  "the first run");
	CHECK_ROW(&recorder,
			  "further|changes|archive|https://ftp.suse.com/pub/projects/security/"
			  "csaf-vex.tar.bz2|0|keep",
			  "names the archive");
	CHECK_ROW(&recorder, "state|csaf-vex.tar.bz2 " FEBRUARY_1 " -",
			  "and is as far as an archive may be behind the newest change");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 1, "nothing else is asked for");

	CHECK_INT(read_one(&recorder, feed_text("changes", "file:///srv/changes.csv", CHANGES),
					   "csaf-vex.tar.bz2 " FEBRUARY_2 " -"),
			  CLAIR_OK, "a later run, of a copy");
	CHECK_ROW(&recorder, "further|changes|archive|csaf-vex.tar.bz2|0|keep",
			  "the archive is there still");
	CHECK_ROW(&recorder, "further|changes|cve-2031-0002.json|cve-2031-0002.json|1|patch",
			  "what has changed since");
	CHECK_INT(recorder.counts[WIRE_FURTHER], 2, "and nothing that leads elsewhere");
	CHECK_ROW(&recorder, "state|csaf-vex.tar.bz2 " FEBRUARY_4 " -", "is how far it has come");

	CHECK_INT(read_one(&recorder, feed_text("changes", OFFICIAL, "\"a\",\"yesterday\"\n"), NULL),
			  CLAIR_INVALID, "a list that is none");
	CHECK(strncmp(recorder.error.message, "document \"changes\": ", 20) == 0, "fails the run");
	CHECK_INT(read_one(&recorder, feed_text("cve-2031-x.json", OFFICIAL, "{}"), NULL),
			  CLAIR_INVALID, "a patch of no record");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "there is no document \"cve-2031-x.json\" of SUSE", "is not read");
	recorder_clear(&recorder);
}

static void
check_document(void)
{
	static const char document[] = DOCUMENT(
		NAMED(SERVER) "," NAMED(LTSS) "," NAMED(BASE) "," NAMED(LEAP) "," NAMED(OTHER) "," PACKAGE("quux-1.2-150600.3.1", "quux@1.2-150600.3.1?upstream=quux-1.2-150600.3.1.src.rpm") "," PACKAGE(
			"quux-1.3-150600."
			"9.1",
			"quux@1.3-150600."
			"9.1?upstream="
			"quux-1.3-150600."
			"9.1.src."
			"rpm") "," PACKAGE("libquux1-1.2-150600.3.1",
							   "libquux1@1.2-150600.3.1?epoch=2&upstream=quux-1.2-150600.3.1."
							   "src.rpm") "," PACKAGE("quux-data",
													  "quux-data@?upstream=quux."
													  "src.rpm") "," PACKAGE("grau"
																			 "lt",
																			 "grau"
																			 "lt@?"
																			 "upst"
																			 "ream"
																			 "=gra"
																			 "ult."
																			 "src."
																			 "rpm") ",{\"product\":"
																					"{\"product_"
																					"id\":\"java\"}"
																					"}",
		OF(SERVER, "quux-1.2-150600.3.1") "," OF(LTSS, "quux-1.3-150600.9.1") "," OF(
			BASE,
			"lib"
			"quu"
			"x1-"
			"1."
			"2-"
			"150"
			"600"
			".3."
			"1") "," OF(SERVER,
						"quux-data") "," OF(LEAP,
											"quux-data") "," OF(LEAP,
																"grault") "," OF(SERVER,
																				 "grault") "," OF(LTSS,
																								  "grault") "," OF(OTHER,
																												   "grault") "," OF(SERVER,
																																	"java"),
		"\"recommended\":[\"" SERVER ":quux-1.2-150600.3.1\",\"" LTSS
		":quux-1.3-150600.9.1\",\"" BASE ":libquux1-1.2-150600.3.1\"],\"known_affected\":[\"" SERVER
		":quux-data\",\"" LEAP ":quux-data\",\"" SERVER ":grault\",\"" OTHER ":grault\",\"" SERVER
		":java\"],\"known_not_affected\":[\"" LEAP ":grault\"],\"under_investigation\":[\"" LTSS
		":grault\"]",
		",\"threats\":[{\"category\":\"impact\",\"details\":\"moderate\",\"product_ids\":["
		"\"" SERVER ":quux-1.2-150600.3.1\"]}],\"remediations\":[{\"category\":\"no_fix_planned\","
		"\"details\":\"no\",\"product_ids\":[\"" SERVER ":grault\"]}]");
	Recorder recorder = {0};

	CHECK_INT(read_one(&recorder, archive_of("archive", document), NULL), CLAIR_OK, "an archive");
	CHECK_ROW(&recorder, "record|archive|CVE-2031-0001|*", "a document is a record");
	CHECK(strstr(recorder.rows, "|A flaw.|https://www.suse.com/security/cve/CVE-2031-0001\n") !=
			  NULL,
		  "a vulnerability");
	CHECK_ROW(&recorder, ROW("0", "opensuse-leap:15.6", "quux-data|rpm|-|-|affected|High|-||"),
			  "what is not fixed, with the severity of all");
	CHECK_ROW(&recorder, ROW("1", "sles:15.6", "grault|rpm|-|-|will_not_fix|High|-||"),
			  "and why, of the server itself");
	CHECK_ROW(&recorder, ROW("2", "sles:15.6", "libquux1|rpm|-|2:1.2-150600.3.1|fixed|High|-||"),
			  "a module, an epoch");
	CHECK_ROW(&recorder, ROW("3", "sles:15.6", "quux|rpm|-|1.2-150600.3.1|fixed|Medium|-||"),
			  "the server's fix, not that of longer support; its own severity");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 4,
			  "not what is of a fixed source, not affected, or of other products");
	CHECK_ROW(&recorder,
			  "broken|archive|CVE-2031-0001|product \"" SERVER ":java\": it has no package URL",
			  "what is not known");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 1, "is told");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	CHECK_INT(read_one(&recorder, archive_of("changes", document), NULL), CLAIR_OK,
			  "an archive in place of a list");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 4, "is the same");
	CHECK_INT(recorder.counts[WIRE_STATE], 0, "without a state");
	recorder_clear(&recorder);
}

static void
check_odd_statements(void)
{
	Recorder recorder = {0};

	read_one(&recorder,
			 feed_text("cve-2031-0001.json", OFFICIAL,
					   DOCUMENT(NAMED(SERVER) "," PACKAGE("a-1-1", "a@1-1") "," PACKAGE(
									"b", "b") "," PACKAGE("c-1-1", "c@1%20-1"),
								OF(SERVER, "a-1-1") "," OF(SERVER, "b") "," OF(SERVER, "c-1-1"),
								"\"known_affected\":[\"" SERVER ":a-1-1\"],\"fixed\":[\"" SERVER
								":b\"],\"first_fixed\":[\"" SERVER ":c-1-1\"]",
								"")),
			 NULL);
#define BROKEN(package, problem)                                                                   \
	"broken|archive|CVE-2031-0001|product \"" SERVER ":" package "\": " problem
	CHECK_ROW(&recorder, BROKEN("a-1-1", "an affected version is no range"), "a single version");
	CHECK_ROW(&recorder, BROKEN("b", "it is fixed in no version"), "a fix without a version");
	CHECK_ROW(&recorder, BROKEN("c-1-1", "*"), "a version that is none");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 0, "nothing comes of it");
	read_one(&recorder, feed_text("cve-2031-0001.json", OFFICIAL, "{\"document\":[]}"), NULL);
	CHECK_ROW(&recorder, "broken|archive|CVE-2031-0001|byte 12: *", "no document");
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_rounds();
	check_document();
	check_odd_statements();
	return unit_result();
}
