/*
 * csaf_test.c
 *    Proves that a CSAF document says the same in whatever order its members stand, that products
 *    are found behind relationships, and that what is no CSAF document is refused.
 */
#include "common/arena.h"
#include "feed/csaf.h"
#include "unit.h"

static Arena *arena;

static bool
read_text(const char *text, CsafDocument *document, const char **problem)
{
	JsonCursor cursor = json_cursor(clair_bytes(text), arena);
	bool good = csaf_read(&cursor, document);

	*problem = cursor.problem;
	return good;
}

#define DOCUMENT                                                                                   \
	"\"document\":{\"aggregate_severity\":{\"namespace\":\"x\",\"text\":\"Low\"},"                 \
	"\"publisher\":{\"name\":\"V\",\"namespace\":\"https://v\",\"category\":\"vendor\"},"          \
	"\"tracking\":{\"status\":\"final\",\"id\":\"CVE-2031-0001\",\"version\":\"1.2\","             \
	"\"current_release_date\":\"2031-01-02T03:04:05Z\"}}"
#define TREE                                                                                       \
	"\"product_tree\":{\"relationships\":["                                                        \
	"{\"category\":\"default_component_of\",\"product_reference\":\"c\","                          \
	"\"relates_to_product_reference\":\"p\",\"full_product_name\":{\"product_id\":\"p:c\"}},"      \
	"{\"category\":\"default_component_of\",\"product_reference\":\"other\","                      \
	"\"relates_to_product_reference\":\"p\",\"full_product_name\":{\"product_id\":\"p:c\"}}],"     \
	"\"branches\":[{\"branches\":[{\"branches\":[],\"product\":{\"product_id\":\"p\","             \
	"\"product_identification_helper\":{\"cpe\":\"cpe:/o:v:p\"}}}]},{\"product\":{"                \
	"\"product_identification_helper\":{\"purl\":\"pkg:rpm/v/c\"},\"product_id\":\"c\"}},"         \
	"{\"product\":{\"product_identification_helper\":{\"purl\":\"pkg:rpm/v/twice\"},"              \
	"\"product_id\":\"c\"}}],\"full_product_names\":[{\"product_id\":\"f\","                       \
	"\"product_identification_helper\":{\"cpe\":null,\"purl\":\"pkg:rpm/v/f\"}}]}"
#define VULNERABILITIES                                                                            \
	"\"vulnerabilities\":[{\"threats\":[{\"product_ids\":[\"p:c\"],\"details\":\"High\","          \
	"\"category\":\"impact\"},{\"category\":\"exploit_status\",\"details\":\"x\","                 \
	"\"product_ids\":[\"p:c\"]},{\"category\":\"impact\",\"details\":\"x\"}],"                     \
	"\"remediations\":[{\"category\":\"vendor_fix\",\"product_ids\":[\"p:c\"],"                    \
	"\"url\":\"u/2\",\"details\":\"d\"},{\"category\":\"vendor_fix\",\"url\":\"u/1\","             \
	"\"product_ids\":[\"p:c\"]},{\"category\":\"none_available\",\"details\":\"Affected\","        \
	"\"product_ids\":[\"f\"]},{\"category\":\"no_fix_planned\",\"details\":\"Never\","             \
	"\"product_ids\":[\"f\",\"unknown\"]},{\"category\":\"workaround\",\"product_ids\":[]}],"      \
	"\"product_status\":{\"known_affected\":[\"f\"],\"fixed\":[\"p:c\"],\"last_affected\":1,"      \
	"\"known_not_affected\":[\"f\"]},\"cve\":\"CVE-2031-0001\",\"notes\":[{\"category\":"          \
	"\"summary\",\"text\":\"s\"},{\"text\":\"t\",\"category\":\"description\"}]},"                 \
	"{\"cve\":null,\"product_status\":{\"under_investigation\":[\"p:c\"]},"                        \
	"\"flags\":[{\"product_ids\":[\"f\"],\"label\":\"component_not_present\"},"                    \
	"{\"label\":\"x\",\"group_ids\":[\"g\"]}]}]"

static void
check_first(const CsafVulnerability *vulnerability)
{
	const CsafStatement *fixed;
	const CsafStatement *affected;

	CHECK_TEXT(vulnerability->cve, "CVE-2031-0001", "its name");
	CHECK_TEXT(vulnerability->description, "t", "what the description says");
	CHECK_INT((int64_t) vulnerability->statement_count, 3, "products that it speaks of");
	fixed = vulnerability->statements[0];
	CHECK_TEXT(fixed->product->id, "p:c", "the first one");
	CHECK_INT(fixed->status, CSAF_FIXED, "is fixed");
	CHECK_TEXT(fixed->impact, "High", "so bad it was");
	CHECK_TEXT(fixed->vendor_fix, "u/1", "by the least URL");
	CHECK_TEXT(fixed->none_available, NULL, "which is all");
	CHECK_TEXT(fixed->product->component->purl, "pkg:rpm/v/c", "the first definition counts");
	CHECK_TEXT(fixed->product->platform->cpe, "cpe:/o:v:p", "of the relationship's platform");
	affected = vulnerability->statements[1];
	CHECK_TEXT(affected->product->purl, "pkg:rpm/v/f", "a product without a branch");
	CHECK_INT(affected->status, CSAF_AFFECTED | CSAF_NOT_AFFECTED, "is in two lists");
	CHECK_TEXT(affected->none_available, "Affected", "no fix");
	CHECK_TEXT(affected->no_fix_planned, "Never", "nor will there be one");
	CHECK_TEXT(affected->impact, NULL, "how bad is not said");
	CHECK_INT(vulnerability->statements[2]->status, 0, "a product of no list");
	CHECK(vulnerability->statements[2]->product->purl.data == NULL, "which is never defined");
}

static void
check_document(const char *text, const char *what)
{
	CsafDocument document;
	const char *problem;

	arena_reset(arena);
	CHECK(read_text(text, &document, &problem), what);
	CHECK_TEXT(document.id, "CVE-2031-0001", "the document's id");
	CHECK_TEXT(document.status, "final", "its status");
	CHECK_TEXT(document.severity, "Low", "its severity");
	CHECK_TEXT(document.version, "1.2", "its version");
	CHECK_TEXT(document.released, "2031-01-02T03:04:05Z", "when that was released");
	CHECK_TEXT(document.publisher, "V", "who published it");
	CHECK_TEXT(document.publisher_namespace, "https://v", "and where ids are theirs");
	CHECK_INT((int64_t) document.vulnerability_count, 2, "vulnerabilities");
	check_first(&document.vulnerabilities[0]);
	CHECK_TEXT(document.vulnerabilities[1].cve, NULL, "one without a name");
	CHECK_INT((int64_t) document.vulnerabilities[1].statement_count, 2, "says what it says");
	CHECK_INT(document.vulnerabilities[1].statements[0]->status, CSAF_UNDER_INVESTIGATION,
			  "and nothing of what the first one did");
	CHECK_TEXT(document.vulnerabilities[1].statements[0]->impact, NULL, "not how bad, either");
	CHECK_TEXT(document.vulnerabilities[1].statements[0]->justification, NULL, "nor why");
	CHECK_TEXT(document.vulnerabilities[1].statements[1]->justification, "component_not_present",
			   "a flag says it of another one");
}

static void
check_refused(const char *text, const char *expected)
{
	CsafDocument document;
	const char *problem;

	arena_reset(arena);
	CHECK(!read_text(text, &document, &problem), text);
	CHECK_TEXT(clair_bytes(problem), expected, "why");
}

int
main(void)
{
	CsafDocument document;
	const char *problem;

	arena = arena_create(1 << 22);
	if (arena == NULL)
		return 1;
	check_document("{" DOCUMENT "," TREE "," VULNERABILITIES "}", "in the usual order");
	check_document(" {" VULNERABILITIES "," TREE ",\"more\":[{}]," DOCUMENT "} ", "in reverse");
	arena_reset(arena);
	CHECK(read_text("{" DOCUMENT "}", &document, &problem), "only the head");
	CHECK_INT((int64_t) document.vulnerability_count, 0, "says nothing");

	check_refused("{}", "it is not a CSAF document: it has no id");
	check_refused("[]", "it is not an object");
	check_refused("{" DOCUMENT "} x", "there is more after its end");
	check_refused("{" DOCUMENT ",\"product_tree\":{\"branches\":{}}}", "it is not an array");
	check_refused("{" DOCUMENT ",\"product_tree\":{\"branches\":[{\"product\":{}}]}}",
				  "a product has no id");
	check_refused("{" DOCUMENT ",\"product_tree\":{\"relationships\":[{\"product_reference\":\"x\","
				  "\"full_product_name\":{\"product_id\":\"y\"}}]}}",
				  "a relationship does not say of which products");
	check_refused("{" DOCUMENT ",\"vulnerabilities\":[{\"product_status\":{\"fixed\":[1]}}]}",
				  "it is not a string");
	check_refused("{" DOCUMENT ",\"vulnerabilities\":[{\"threats\":[{\"category\":\"impact\","
				  "\"details\":\"x\",\"product_ids\":\"x\"}]}]}",
				  "it is not an array");
	arena_destroy(arena);
	return unit_result();
}
