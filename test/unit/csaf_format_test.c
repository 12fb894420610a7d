/*
 * csaf_format_test.c
 *    Proves that CSAF documents of any source become rows as their updater's options say, whatever
 *    they lie in.
 */
#include "feed_sink.h"
#include "tar_writer.h"

#define URL "https://example.org/csaf/2031/ac-1.json"

#define COMPONENT(id, purl)                                                                        \
	"{\"product\":{\"product_id\":\"" id                                                           \
	"\",\"product_identification_helper\":{\"purl\":\"pkg:" purl "\"}}}"
#define PLATFORM(id, cpe)                                                                          \
	"{\"product\":{\"product_id\":\"" id                                                           \
	"\",\"product_identification_helper\":{\"cpe\":\"cpe:/o:acme:" cpe "\"}}}"
#define OF(platform, component)                                                                    \
	"{\"full_product_name\":{\"product_id\":\"" platform "/" component                             \
	"\"},\"product_reference\":\"" component "\",\"relates_to_product_reference\":\"" platform     \
	"\"}"
#define ADVISORY(id, statuses)                                                                                                                                                                                                                                                                                                                                                                                                                                               \
	"{\"document\":{\"aggregate_severity\":{\"text\":\"Important\"},\"tracking\":{\"id\":\"" id                                                                                                                                                                                                                                                                                                                                                                              \
	"\",\"status\":\"final\"}},\"product_tree\":{\"branches\":[{\"branches\":[" PLATFORM("A9",                                                                                                                                                                                                                                                                                                                                                                               \
																						 "l"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 "i"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 "n"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 "u"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 "x"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 ":"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 "9"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 ":"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 ":"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 "b"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 "a"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 "s"                                                                                                                                                                                                                                                                                                                                                                                 \
																						 "e") "," PLATFORM("A8", "linux:8") "," COMPONENT("quux",                                                                                                                                                                                                                                                                                                                            \
																																		  "rpm/acme/quux"                                                                                                                                                                                                                                                                                                                    \
																																		  "@1.2-3?arch="                                                                                                                                                                                                                                                                                                                     \
																																		  "x86_64") "," COMPONENT("perl",                                                                                                                                                                                                                                                                                                    \
																																								  "rpm/acme/"                                                                                                                                                                                                                                                                                                \
																																								  "perl@5.32-1?epoch=4&rpmmod=perl:5.32:1:"                                                                                                                                                                                                                                                                  \
																																								  "2") "," COMPONENT("src",                                                                                                                                                                                                                                                                                  \
																																													 "rpm/"                                                                                                                                                                                                                                                                                  \
																																													 "acme/"                                                                                                                                                                                                                                                                                 \
																																													 "grault?"                                                                                                                                                                                                                                                                               \
																																													 "arch="                                                                                                                                                                                                                                                                                 \
																																													 "src") "," COMPONENT("deb", "deb/acme/waldo@1:1.0-2?arch=source") "," COMPONENT("npm", "npm/left-pad@1") "]}],\"relationships\":[" OF("A9", "quux") "," OF("A9", "perl") "," OF("A8",                                                                                                   \
																																																																																									 "src") "," OF("A9",                                                                                     \
																																																																																												   "npm") "]},\"vulnerabilities\":[{\"cve\":\"CVE-2031-0001\",\"product_status\":{" statuses \
																																																																																														  "}}]}"
#define STATUSES                                                                                   \
	"\"fixed\":[\"A9/quux\",\"A9/perl\",\"deb\",\"A9/npm\"],\"known_affected\":[\"A8/src\"]"

#define ALL                                                                                        \
	"{\"namespace\":\"debian:12\",\"platforms\":{\"cpe:/o:acme:linux:9*\":\"rhel:9\","             \
	"\"cpe:/o:acme:*\":\"rhel:6\",\"A8\":\"rhel:8\",\"A*\":\"rhel:7\"},\"link\":\"https://x/\"}"

#define ROW(number, rest) "affected|ac-1.json|CVE-2031-0001|" number "|" rest

static Recorder recorder;

static ClairStatus
read_one(const char *options, UpdaterDocument document)
{
	recorder_clear(&recorder);
	recorder.options = options;
	return feed_read("csaf", &document, 1, &recorder);
}

static void
check_document(void)
{
	CHECK_INT(read_one(ALL, feed_text("csaf", URL, ADVISORY("AC-1", STATUSES))), CLAIR_OK,
			  "a document");
	CHECK_ROW(&recorder, "record|csaf|ac-1.json|*", "is a record, called like its file");
	CHECK(strstr(recorder.rows, "|https://x/CVE-2031-0001\n") != NULL, "its link");
	CHECK_ROW(&recorder, ROW("0", "debian:12|source|waldo|dpkg|-|1:1.0-2|fixed|High|-|||-|AC-1"),
			  "a package without a platform; another kind of versions");
	CHECK_ROW(&recorder, ROW("1", "rhel:8|source|grault|rpm|-|-|affected|High|-||"),
			  "a platform by its id, before what a CPE begins with; a source without a fix");
	CHECK_ROW(&recorder,
			  ROW("2", "rhel:9|binary|perl|rpm|-|4:5.32-1|fixed|High|-|perl:5.32||-|AC-1"),
			  "a platform by its CPE; a module");
	CHECK_ROW(&recorder, ROW("3", "rhel:9|binary|quux|rpm|-|1.2-3|fixed|High|-|||-|AC-1"),
			  "the longest name of a platform counts");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 4, "other packages are none of ours");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing is broken");
	CHECK_INT(recorder.problems, 0, "rows are rows");

	read_one("{\"platforms\":{\"A8\":\"rhel:8\"}}",
			 feed_text("csaf", URL, ADVISORY("CVE-2031-0001", STATUSES)));
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "what is not mapped is passed over");
	read_one("{\"namespace\":\"rhel:9\"}", feed_text("csaf", URL, ADVISORY("AC-1", STATUSES)));
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 4, "all is of one namespace");
}

static void
check_places(void)
{
	TarWriter tar = {0};
	UpdaterDocument archive = {CLAIR_LITERAL("a.tar"), CLAIR_LITERAL("https://x/a.tar"), -1};

	CHECK_INT(read_one(ALL, feed_text("csaf", URL,
									  "clair directory listing\na.json\nb.tar.gz\nc.txt\n2031/\n")),
			  CLAIR_OK, "a folder");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|csaf|a.json|a.json|1|plain\n\nfurther|csaf|b.tar.gz|b.tar.gz|1|plain\n",
			   "its documents and archives");
	CHECK_INT(read_one(ALL, feed_text("csaf", URL,
									  "\"2031/a.json\",\"2031-01-01T00:00:00Z\"\n2031/b.json\r\n"
									  "../c.json\n/d.json\nhttps://e/f.json\n\"2031/g.html\"\n")),
			  CLAIR_OK, "a list");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|csaf|2031/a.json|2031/a.json|1|plain\n"
			   "\nfurther|csaf|2031/b.json|2031/b.json|1|plain\n",
			   "its documents, but for what leads elsewhere");
	tar_file(&tar, "x/README", "none");
	tar_file(&tar, "x/ac-1.json", ADVISORY("AC-1", STATUSES));
	archive.descriptor = memory_file(tar_end(&tar));
	tar_free(&tar);
	CHECK_INT(read_one(ALL, archive), CLAIR_OK, "an archive");
	CHECK_ROW(&recorder, "record|a.tar|x/ac-1.json|*", "its documents are records");

	CHECK_INT(read_one(ALL, feed_text("csaf", URL, "something else")), CLAIR_INVALID,
			  "something else");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"csaf\": it is no CSAF document, nor names one", "fails the run");
	CHECK_INT(read_one(ALL, feed_text("2031/a.json", URL, "<html>")), CLAIR_OK,
			  "a document that is none");
	CHECK_ROW(&recorder, "broken|2031/a.json|2031/a.json|byte 0: *", "is told");
	CHECK_INT(read_one("{}", feed_text("csaf", URL, "{}")), CLAIR_INVALID, "no options");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "its options name neither a namespace nor platforms", "are not enough");
	CHECK_INT(read_one("{\"platforms\":7}", feed_text("csaf", URL, "{}")), CLAIR_PROTOCOL,
			  "options of another type");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_document();
	check_places();
	recorder_clear(&recorder);
	return unit_result();
}
