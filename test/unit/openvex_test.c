/*
 * openvex_test.c
 *    Proves that OpenVEX documents are read statement by statement, in their older form too; and
 *    that a broken statement leaves the others alone.
 */
#include "feed/openvex.h"
#include "unit.h"

static void
check_document(Arena *arena)
{
	OpenvexReader reader;
	OpenvexStatement statement;
	const char *problem;

	CHECK(
		openvex_open(
			&reader,
			clair_bytes(
				"{\"metadata\": {\"@id\": \"x\"}, \"statements\": [{\"vulnerability\": {\"@id\":"
				" \"https://x/\", \"name\": \"CVE-2031-1\", \"description\": \"bar\"}, \"status\":"
				" \"affected\", \"action_statement\": \"Wait.\", \"products\": [{\"@id\": "
				"\"pkg:a\","
				" \"subcomponents\": []}, {\"@id\": null}, \"pkg:b\"]},"
				" {\"vulnerability\": 1}, [],"
				" {\"vulnerability\": \"CVE-2031-2\", \"status\": \"not_affected\", \"products\": "
				"[],"
				" \"justification\": \"inline_mitigations_already_exist\","
				" \"impact_statement\": \"None.\"}], \"author\": \"x\"}"),
			arena),
		"a document");
	CHECK(openvex_next(&reader, &statement, &problem) && problem == NULL, "its first statement");
	CHECK_TEXT(statement.vulnerability, "CVE-2031-1", "the vulnerability");
	CHECK_TEXT(statement.description, "bar", "what that is");
	CHECK_TEXT(statement.status, "affected", "the status");
	CHECK_TEXT(statement.action_statement, "Wait.", "what to do");
	CHECK_TEXT(statement.justification, NULL, "no justification");
	CHECK_INT(statement.product_count, 2, "products that have a name");
	CHECK_TEXT(statement.products[0].name, "pkg:a", "an object");
	CHECK_INT(statement.products[0].parts.count, 0, "without parts");
	CHECK_TEXT(statement.products[1].name, "pkg:b", "or just a name");
	CHECK(openvex_next(&reader, &statement, &problem) && problem != NULL, "a broken statement");
	CHECK(openvex_next(&reader, &statement, &problem) && problem != NULL, "and another one");
	CHECK(openvex_next(&reader, &statement, &problem) && problem == NULL, "do not stop the next");
	CHECK_TEXT(statement.vulnerability, "CVE-2031-2", "in the older form");
	CHECK_TEXT(statement.justification, "inline_mitigations_already_exist", "its justification");
	CHECK_TEXT(statement.impact_statement, "None.", "in words");
	CHECK_TEXT(statement.action_statement, NULL, "nothing to do");
	CHECK_INT(statement.product_count, 0, "nothing of the one before is left");
	CHECK(!openvex_next(&reader, &statement, &problem), "the end");
	CHECK_INT(reader.cursor.status, CLAIR_OK, "is one");
}

/* What describes the document, the names of a vulnerability, and the parts of a product. */
static void
check_names(Arena *arena)
{
	const char *text =
		"{\"@context\": \"https://openvex.dev/ns/v0.2.0\", \"@id\": \"https://x/1\", \"version\": "
		"2,"
		" \"author\": \"A\", \"timestamp\": \"2031-01-01\", \"last_updated\": \"2031-01-02\","
		" \"statements\": [{\"vulnerability\": {\"name\": \"GHSA-1\", \"aliases\": [\"CVE-2031-1\","
		" \"\", \"CVE-2031-2\"]}, \"status\": \"fixed\", \"status_notes\": \"Done.\", "
		"\"products\": ["
		"{\"@id\": \"https://x/app\", \"identifiers\": {\"cpe23\": \"c\", \"purl\": \"pkg:oci/a\"},"
		" \"subcomponents\": [{\"@id\": \"pkg:deb/a\"}, \"pkg:deb/b\", {}, {\"@id\": \"x\","
		" \"subcomponents\": [\"y\"]}]}]}]}";
	OpenvexReader reader;
	OpenvexStatement statement;
	const char *problem;

	CHECK(openvex_open(&reader, clair_bytes(text), arena), "a document with a head");
	CHECK_TEXT(reader.document.id, "https://x/1", "its id");
	CHECK_TEXT(reader.document.version, "2", "its version");
	CHECK_TEXT(reader.document.author, "A", "its author");
	CHECK_TEXT(reader.document.timestamp, "2031-01-01", "when it was issued");
	CHECK_TEXT(reader.document.last_updated, "2031-01-02", "and changed");
	CHECK(openvex_next(&reader, &statement, &problem) && problem == NULL, "its statement");
	CHECK_INT((int64_t) statement.aliases.count, 2, "other names of the vulnerability");
	CHECK_TEXT(statement.aliases.names[1], "CVE-2031-2", "but for empty ones");
	CHECK_TEXT(statement.status_notes, "Done.", "notes");
	CHECK_INT((int64_t) statement.product_count, 1, "one product");
	CHECK_TEXT(statement.products[0].name, "pkg:oci/a", "by its package URL");
	CHECK_INT((int64_t) statement.products[0].parts.count, 3, "parts of it");
	CHECK_TEXT(statement.products[0].parts.names[1], "pkg:deb/b", "also by name only");
	CHECK_TEXT(statement.products[0].parts.names[2], "x", "which have no parts of their own");
}

static void
check_refused(Arena *arena, const char *text, const char *what)
{
	OpenvexReader reader;

	CHECK(!openvex_open(&reader, clair_bytes(text), arena), what);
	CHECK_INT(reader.cursor.status, CLAIR_INVALID, "it says so");
}

int
main(void)
{
	Arena *arena = arena_create(1 << 20);
	OpenvexReader reader;
	OpenvexStatement statement;
	const char *problem;

	check_document(arena);
	check_names(arena);
	check_refused(arena, "{}", "no statements");
	check_refused(arena, "{\"statements\": [}", "no JSON");
	check_refused(arena, "{\"statements\": []} 1", "more than a document");
	check_refused(arena, "[]", "an array");
	CHECK(openvex_open(&reader, clair_bytes("{\"statements\":{}}"), arena), "an object of them");
	CHECK(!openvex_next(&reader, &statement, &problem), "has none");
	CHECK_INT(reader.cursor.status, CLAIR_INVALID, "and is wrong");
	arena_destroy(arena);
	return unit_result();
}
