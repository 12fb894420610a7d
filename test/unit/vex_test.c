/*
 * vex_test.c
 *    Proves what statements of VEX documents come to as rows, in all three formats: which products
 *    are packages and which images; and that what cannot be stored as it is meant is left out.
 */
#include "feed/vex.h"
#include "feed_sink.h"

#define DIGEST "sha256:1111111111111111111111111111111111111111111111111111111111111111"

/* Has a document read; its rows are in the recorder. */
static ClairStatus
read_text(const char *text, Recorder *recorder)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairSink sink = {.context = recorder, .row = recorder_row};
	UpdaterDocument document = feed_text("", "", text);
	ClairStatus status;

	recorder_clear(recorder);
	status = vex_read(&limits, document.descriptor, &sink, &recorder->error);
	close(document.descriptor);
	CHECK_INT(recorder->problems, 0, "the rows are of their relations");
	return status;
}

#define OPENVEX(statements)                                                                        \
	"{\"@id\": \"https://x/1\", \"version\": 3, \"author\": \"A\", \"timestamp\": "                \
	"\"2031-01-02T03:04:05+01:00\", \"statements\": [" statements "]}"
#define NOT_AFFECTED(products)                                                                     \
	"{\"vulnerability\": {\"name\": \"CVE-2031-0001\"}, \"status\": \"not_affected\","             \
	" \"justification\": \"component_not_present\", \"products\": [" products "]}"

/* Checks the row of a product; expected begins behind the reason. NULL: there is none. */
static void
check_product(const char *products, const char *expected)
{
	Recorder recorder = {0};
	char text[2048];
	char row[1024];

	snprintf(text, sizeof(text), OPENVEX(NOT_AFFECTED("%s")), products);
	CHECK_INT(read_text(text, &recorder), CLAIR_OK, products);
	snprintf(row, sizeof(row),
			 "vex|CVE-2031-0001|not_affected|component_not_present|component_not_present|%s",
			 expected != NULL ? expected : "");
	if (expected != NULL)
		CHECK_ROW(&recorder, row, "its row");
	CHECK_INT(recorder.counts[WIRE_VEX] > 0, expected != NULL, "rows");
	CHECK_INT(recorder.counts[WIRE_BROKEN], expected == NULL, "what was left out");
	recorder_clear(&recorder);
}

/* image, package, format, version, architecture, vendor, distribution, product */
static void
check_products(void)
{
	check_product("\"pkg:deb/debian/zlib@1:1.2%2Bb1?arch=amd64&distro=debian-12\"",
				  "-|zlib|dpkg|1:1.2+b1|amd64|debian|debian-12");
	check_product("\"pkg:deb/debian/zlib?arch=source\"", "-|zlib|dpkg|-|-|debian");
	check_product("\"pkg:rpm/redhat/bash@5.1-1.el9?arch=x86_64&epoch=2\"",
				  "-|bash|rpm|2:5.1-1.el9|x86_64|redhat");
	check_product("\"pkg:rpm/redhat/bash@5.1-1.el9?arch=src\"", "-|bash|rpm|5.1-1.el9|-|redhat");
	check_product("\"pkg:rpm/redhat/nodejs@1-1.el9?rpmmod=nodejs:18:1:2\"", NULL);
	check_product("\"pkg:apk/alpine/zlib@1.2-r0\"", "-|zlib|apk|1.2-r0|-|alpine");
	check_product("\"pkg:apk/alpine/zlib@1_2\"", NULL);
	check_product("\"pkg:deb/d/zlib\"", "-|zlib|dpkg|-|-|d");
	check_product("\"pkg:deb/zlib?distro=d-1\"", "-|zlib|dpkg|-|-|-|d-1");
	check_product("\"pkg:deb/zlib\"", NULL);
	check_product("\"pkg:npm/left-pad@1\"", NULL);
	check_product("\"pkg:deb\"", NULL);
	check_product("\"\"", NULL);

	check_product("\"pkg:oci/web@" DIGEST "?repository_url=r/web\"", DIGEST);
	check_product("\"" DIGEST "\"", DIGEST);
	check_product("\"pkg:oci/web@1.4\"", NULL);
	check_product("\"pkg:oci/w_b?repository_url=r.example.org/t%25/w_b&tag=1_4\"",
				  "r.example.org/t\\%/w\\_b:1\\_4");
	check_product("\"pkg:oci/web\"", "web");
	check_product("\"pkg:oci/web\"", "web:%");
	check_product("\"https://x/app\"", "-|-|-|-|-|-|-|https://x/app");

	check_product("{\"@id\": \"pkg:oci/web@" DIGEST "\", \"subcomponents\": [\"pkg:deb/d/zlib\"]}",
				  DIGEST "|zlib|dpkg|-|-|d");
	check_product("{\"@id\": \"https://x/app\", \"subcomponents\": [\"pkg:deb/d/zlib\"]}",
				  "-|zlib|dpkg|-|-|d|-|https://x/app");
	check_product("{\"@id\": \"pkg:npm/x\", \"subcomponents\": [\"pkg:deb/d/zlib\"]}",
				  "-|zlib|dpkg|-|-|d|-|pkg:npm/x");
	check_product("{\"@id\": \"pkg:oci/web@" DIGEST "\", \"subcomponents\": [\"pkg:oci/b@" DIGEST
				  "\"]}",
				  NULL);
	check_product("{\"@id\": \"pkg:oci/web@" DIGEST "\", \"subcomponents\": [\"zlib\"]}", NULL);
	check_product("{\"@id\": \"pkg:oci/web@1\", \"subcomponents\": [\"pkg:deb/d/zlib\"]}", NULL);
}

static void
check_openvex(void)
{
	Recorder recorder = {0};

	CHECK_INT(
		read_text(
			OPENVEX(
				"{\"vulnerability\": \"CVE-2031-0001\", \"status\": \"fixed\", \"status_notes\":"
				" \"Patched.\", \"justification\": \"component_not_present\","
				" \"products\": [\"pkg:deb/d/a\", \"pkg:deb/d/b\"]},"
				"{\"vulnerability\": \"CVE-2031-0002\", \"status\": \"affected\", \"products\":"
				" [\"pkg:deb/d/a\"]},"
				"{\"vulnerability\": \"CVE-2031-0003\", \"status\": \"under_investigation\","
				" \"products\": [\"pkg:deb/d/a\"]},"
				"{\"vulnerability\": \"CVE-2031-0004\", \"status\": \"harmless\", \"products\":"
				" [\"pkg:deb/d/a\"]},"
				"{\"vulnerability\": {\"name\": \"USN-1\", \"aliases\": [\"CVE-2031-0005\","
				" \"x\", \"CVE-2031-0006\"]}, \"status\": \"fixed\", \"products\": "
				"[\"pkg:deb/d/a\"]},"
				"{\"vulnerability\": {\"name\": \"CVE-2031-0007\", \"aliases\": "
				"[\"CVE-2031-0008\"]},"
				" \"status\": \"not_affected\", \"justification\": \"luck\", \"impact_statement\":"
				" \"None.\", \"products\": [\"pkg:deb/d/a\"]},"
				"{\"vulnerability\": \"USN-2\", \"status\": \"fixed\", \"products\": "
				"[\"pkg:deb/d/a\"]},"
				"{\"vulnerability\": \" \", \"status\": \"fixed\", \"products\": "
				"[\"pkg:deb/d/a\"]},"
				"{\"vulnerability\": \"CVE-2031-0009\", \"status\": \"fixed\"}, 1"),
			&recorder),
		CLAIR_OK, "OpenVEX");
	CHECK_ROW(&recorder, "vex_document|openvex|https://x/1|3|2031-01-02T02:04:05.000Z|A",
			  "the document");
	CHECK_ROW(&recorder, "vex|CVE-2031-0001|fixed|-|Patched.|-|a|dpkg|-|-|d", "what is fixed");
	CHECK_ROW(&recorder, "vex|CVE-2031-0001|fixed|-|Patched.|-|b|dpkg|-|-|d", "in each product");
	CHECK_ROW(&recorder, "vex|CVE-2031-0005|fixed|-|fixed|-|a|dpkg|-|-|d",
			  "CVEs among the other names");
	CHECK_ROW(&recorder, "vex|CVE-2031-0006|fixed|-|fixed|-|a|dpkg|-|-|d", "each of them");
	CHECK_ROW(&recorder, "vex|CVE-2031-0007|not_affected|-|None.|-|a|dpkg|-|-|d",
			  "a CVE, whatever else it is called; a justification that there is not");
	CHECK_ROW(&recorder, "vex|USN-2|fixed|-|fixed|-|a|dpkg|-|-|d", "another name");
	CHECK_INT(recorder.counts[WIRE_VEX], 6, "affected and under investigation are nothing");
	CHECK_ROW(&recorder, "broken|https://x/1|CVE-2031-0004|its status is not known", "no status");
	CHECK_ROW(&recorder, "broken|https://x/1|pkg:deb/d/a|its vulnerability has no name", "no name");
	CHECK_ROW(&recorder, "broken|https://x/1|CVE-2031-0009|it has no products", "no product");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 4, "and what is no statement");
	recorder_clear(&recorder);
}

static void
check_csaf(void)
{
	Recorder recorder = {0};

	CHECK_INT(
		read_text(
			"{\"document\": {\"publisher\": {\"name\": \"V\", \"namespace\": \"https://v\"},"
			" \"tracking\": {\"id\": \"V-1\", \"version\": \"1.10.2\", \"current_release_date\":"
			" \"2031-01-01\", \"status\": \"final\"}},"
			" \"product_tree\": {\"full_product_names\": ["
			"{\"product_id\": \"el9\", \"product_identification_helper\": {\"cpe\":"
			" \"cpe:/o:redhat:enterprise_linux:9\"}},"
			"{\"product_id\": \"web\", \"product_identification_helper\": {\"purl\": "
			"\"pkg:oci/web@" DIGEST "\"}},"
			"{\"product_id\": \"app\"},"
			"{\"product_id\": \"a\", \"product_identification_helper\": {\"purl\": "
			"\"pkg:rpm/redhat/a\"}}],"
			" \"relationships\": ["
			"{\"full_product_name\": {\"product_id\": \"el9:a\"}, \"product_reference\": \"a\","
			" \"relates_to_product_reference\": \"el9\"},"
			"{\"full_product_name\": {\"product_id\": \"web:a\"}, \"product_reference\": \"a\","
			" \"relates_to_product_reference\": \"web\"},"
			"{\"full_product_name\": {\"product_id\": \"app:a\"}, \"product_reference\": \"a\","
			" \"relates_to_product_reference\": \"app\"},"
			"{\"full_product_name\": {\"product_id\": \"deep\"}, \"product_reference\": \"el9:a\","
			" \"relates_to_product_reference\": \"web\"}]},"
			" \"vulnerabilities\": [{\"cve\": \"CVE-2031-0001\", \"product_status\": {"
			"\"known_not_affected\": [\"el9:a\", \"web:a\", \"app:a\", \"deep\", \"both\"],"
			" \"fixed\": [\"web\", \"both\"], \"known_affected\": [\"a\"]},"
			" \"flags\": [{\"label\": \"vulnerable_code_not_present\", \"product_ids\": [\"el9:a\","
			" \"web:a\"]}], \"threats\": [{\"category\": \"impact\", \"details\": \"Never built.\","
			" \"product_ids\": [\"el9:a\"]}, {\"category\": \"impact\", \"details\": \"Moderate\","
			" \"product_ids\": [\"web:a\", \"web\"]}]},"
			"{\"product_status\": {\"fixed\": [\"web\"]}}]}",
			&recorder),
		CLAIR_OK, "CSAF");
	CHECK_ROW(&recorder, "vex_document|csaf|https://v/V-1|1.10.2|2031-01-01T00:00:00.000Z|V",
			  "the document");
	CHECK_ROW(&recorder,
			  "vex|CVE-2031-0001|not_affected|vulnerable_code_not_present|Never built.|-|a|rpm|-|-|"
			  "redhat:enterprise_linux|9",
			  "a package of a distribution");
	CHECK_ROW(&recorder,
			  "vex|CVE-2031-0001|not_affected|vulnerable_code_not_present|"
			  "vulnerable_code_not_present|" DIGEST "|a|rpm|-|-|redhat",
			  "a package in an image; a severity is no reason");
	CHECK_ROW(&recorder, "vex|CVE-2031-0001|not_affected|-|not_affected|-|a|rpm|-|-|redhat|-|app",
			  "a package in something");
	CHECK_ROW(&recorder, "vex|CVE-2031-0001|fixed|-|fixed|" DIGEST, "an image");
	CHECK_INT(recorder.counts[WIRE_VEX], 4, "what is affected is nothing");
	CHECK_ROW(&recorder, "broken|https://v/V-1|deep|it is a component of a component", "too deep");
	CHECK_ROW(&recorder, "broken|https://v/V-1|both|it has more than one status", "contradiction");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 3, "and a vulnerability without a name");

	CHECK_INT(read_text("{\"document\": {\"tracking\": {\"id\": \"V-1\", \"status\": \"deleted\","
						" \"version\": \"x\"}}, \"vulnerabilities\": [{\"cve\": \"CVE-2031-0001\","
						" \"product_status\": {\"fixed\": [\"a\"]}}]}",
						&recorder),
			  CLAIR_OK, "CSAF that is withdrawn");
	CHECK_ROW(&recorder, "vex_document|csaf|V-1", "without a version that can be compared");
	CHECK_INT(recorder.counts[WIRE_VEX] + recorder.counts[WIRE_BROKEN], 0, "says nothing");
	recorder_clear(&recorder);
}

#define CYCLONEDX(subject, rest)                                                                   \
	"{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.5\", \"serialNumber\": \"urn:uuid:1\","   \
	" \"version\": 7, \"metadata\": {\"timestamp\": \"2031-01-01T00:00:00Z\", \"authors\":"        \
	" [{\"name\": \"A\"}, {\"name\": \"B\"}]" subject "}, \"components\": ["                       \
	"{\"type\": \"library\", \"bom-ref\": \"r1\", \"name\": \"zlib\", \"purl\": "                  \
	"\"pkg:deb/d/zlib\","                                                                          \
	" \"components\": [{\"bom-ref\": \"r2\", \"purl\": \"pkg:deb/d/inner\"}]},"                    \
	" {\"bom-ref\": \"r1\", \"purl\": \"pkg:deb/d/twice\"}], \"vulnerabilities\": [" rest "]}"
#define ANALYSIS(state, reference)                                                                 \
	"{\"id\": \"CVE-2031-0001\", \"analysis\": {\"state\": \"" state                               \
	"\", \"detail\": \"D\", \"justification\": \"code_not_reachable\", \"response\": []},"         \
	" \"affects\": [{\"ref\": \"" reference "\"}]}"

/* Checks the row of a reference, within a subject; expected begins with the image. */
static void
check_reference(const char *text, const char *expected, const char *what)
{
	Recorder recorder = {0};
	char row[1024];

	CHECK_INT(read_text(text, &recorder), CLAIR_OK, what);
	snprintf(row, sizeof(row),
			 "vex|CVE-2031-0001|not_affected|vulnerable_code_not_in_execute_path|D|%s",
			 expected != NULL ? expected : "");
	if (expected != NULL)
		CHECK_ROW(&recorder, row, "its row");
	CHECK_INT(recorder.counts[WIRE_VEX], expected != NULL, "rows");
	CHECK_INT(recorder.counts[WIRE_BROKEN], expected == NULL, "what was left out");
	recorder_clear(&recorder);
}

static void
check_cyclonedx(void)
{
	Recorder recorder = {0};

	CHECK_INT(
		read_text(
			CYCLONEDX(
				"",
				ANALYSIS("resolved", "r1") "," ANALYSIS("exploitable", "r1") "," ANALYSIS(
					"in_triage",
					"r1") "," ANALYSIS("false_positive",
									   "r1") "," ANALYSIS("odd",
														  "r1") ","
																"{\"id\": \"CVE-2031-0002\", "
																"\"affects\": [{\"ref\": \"r1\"}]},"
																"{\"id\": \"CVE-2031-0003\", "
																"\"analysis\": {\"state\":"
																" \"not_affected\", "
																"\"justification\": "
																"\"code_not_present\"}},"
																"{\"id\": \"CVE-2031-0004\", "
																"\"analysis\": {\"state\":"
																" \"not_affected\", "
																"\"justification\": "
																"\"code_not_present\"},"
																" \"affects\": [{\"ref\": \"r1\"}, "
																"{\"ref\": \"r2\"}, {\"ref\": "
																"\"r2\","
																" \"versions\": [{\"version\": "
																"\"1\"}]}]}"),
			&recorder),
		CLAIR_OK, "CycloneDX");
	CHECK_ROW(&recorder, "vex_document|cyclonedx|urn:uuid:1|7|2031-01-01T00:00:00.000Z|A",
			  "the document");
	CHECK_ROW(&recorder, "vex|CVE-2031-0001|fixed|-|D|-|zlib|dpkg|-|-|d", "resolved is fixed");
	CHECK_ROW(&recorder, "vex|CVE-2031-0001|false_positive|-|D|-|zlib|dpkg|-|-|d",
			  "a false positive");
	CHECK_ROW(&recorder,
			  "vex|CVE-2031-0004|not_affected|vulnerable_code_not_present|code_not_present|-|zlib|"
			  "dpkg|-|-|d",
			  "the justification is the reason, where there is no detail");
	CHECK_ROW(&recorder,
			  "vex|CVE-2031-0004|not_affected|vulnerable_code_not_present|code_not_present|-|inner|"
			  "dpkg|-|-|d",
			  "a component of a component");
	CHECK_INT(recorder.counts[WIRE_VEX], 4, "exploitable, in triage and no analysis are nothing");
	CHECK_ROW(&recorder, "broken|urn:uuid:1|CVE-2031-0001|its state is not known", "an odd state");
	CHECK_ROW(&recorder, "broken|urn:uuid:1|CVE-2031-0003|it does not say of which components",
			  "no component");
	CHECK_ROW(&recorder, "broken|urn:uuid:1|r2|it tells versions apart", "versions");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 3, "all that was left out");
	recorder_clear(&recorder);
}

#define SUBJECT(members) ", \"component\": {\"bom-ref\": \"it\", " members "}"

static void
check_references(void)
{
	check_reference(CYCLONEDX("", ANALYSIS("not_affected", "r9")), NULL, "no such component");
	check_reference(CYCLONEDX("", ANALYSIS("not_affected", "urn:cdx:2/1")), NULL,
					"only a document");
	check_reference(CYCLONEDX("", ANALYSIS("not_affected", "urn:cdx:2/1#r2")), "-|inner|dpkg|-|-|d",
					"a reference of another document");
	check_reference(CYCLONEDX("", ANALYSIS("not_affected", "urn:cdx:2/1#pkg:deb/d/x@1")),
					"-|x|dpkg|1|-|d", "which is a package URL");
	check_reference(CYCLONEDX("", ANALYSIS("not_affected", "pkg:deb/d/x")), "-|x|dpkg|-|-|d",
					"just one");
	check_reference(CYCLONEDX(SUBJECT("\"purl\": \"pkg:oci/web@" DIGEST "\""),
							  ANALYSIS("not_affected", "r1")),
					DIGEST "|zlib|dpkg|-|-|d", "a component of an image");
	check_reference(CYCLONEDX(SUBJECT("\"purl\": \"pkg:oci/web@" DIGEST "\""),
							  ANALYSIS("not_affected", "it")),
					DIGEST, "the image itself");
	check_reference(CYCLONEDX(SUBJECT("\"type\": \"container\", \"name\": \"web:1\", \"version\":"
									  " \"" DIGEST "\""),
							  ANALYSIS("not_affected", "r1")),
					DIGEST "|zlib|dpkg|-|-|d", "an image by name and digest");
	check_reference(CYCLONEDX(SUBJECT("\"type\": \"application\", \"name\": \"app\""),
							  ANALYSIS("not_affected", "r1")),
					"-|zlib|dpkg|-|-|d|-|app", "a component of something");
	check_reference(CYCLONEDX(SUBJECT("\"type\": \"application\", \"name\": \"app\""),
							  ANALYSIS("not_affected", "it")),
					"-|-|-|-|-|-|-|app", "something");
}

static void
check_refused(const char *text, ClairStatus status, const char *message)
{
	Recorder recorder = {0};

	CHECK_INT(read_text(text, &recorder), status, text);
	CHECK_TEXT(clair_bytes(recorder.error.message), message, "why");
	CHECK_INT(recorder.counts[WIRE_VEX], 0, "without a row");
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	if (digest_initialize(&error) != CLAIR_OK)
		return 1;
	check_products();
	check_openvex();
	check_csaf();
	check_cyclonedx();
	check_references();
	check_refused("", CLAIR_INVALID, "byte 0: it ends too early");
	check_refused("<html>", CLAIR_INVALID, "byte 0: it is not an object");
	check_refused("{\"statements\": []", CLAIR_INVALID, "byte 17: it ends too early");
	check_refused("{}", CLAIR_UNSUPPORTED,
				  "the document is neither OpenVEX nor CSAF nor CycloneDX");
	check_refused("{\"statements\": []}", CLAIR_INVALID, "the document has no id");
	check_refused("{\"@id\": \"\", \"statements\": []}", CLAIR_INVALID, "the document has no id");
	check_refused("{\"bomFormat\": \"CycloneDX\"}", CLAIR_INVALID, "the document has no id");
	check_refused("{\"bomFormat\": \"x\"}", CLAIR_INVALID,
				  "byte 18: it is not a CycloneDX document");
	check_refused("{\"@id\": \"x\", \"statements\": {}}", CLAIR_INVALID,
				  "byte 27: it is not an array");
	return unit_result();
}
