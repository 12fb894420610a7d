/*
 * vex_csaf.c
 *    What a CSAF document excepts; see vex.h.
 *
 * A product is a package, an image or anything else, alone or on a platform: a distribution, with a
 * CPE, or an image that it is a component of. Ids of documents are unique for their publisher.
 */
#include "feed/csaf.h"
#include "feed/vex.h"

#define MEMORY_PROBLEM "there is not enough memory for the document"

/* Fills in which product a statement is about; a phrase when that cannot be said. */
static const char *
describe(const CsafProduct *product, VexStatement *statement)
{
	const CsafProduct *component = product->component;

	statement->product = product->purl.data != NULL ? product->purl : product->id;
	if (component == NULL)
		return NULL;
	if (component->component != NULL)
		return "it is a component of a component";
	statement->product = component->purl.data != NULL ? component->purl : component->id;
	if (product->platform->cpe.data != NULL)
		statement->platform = product->platform->cpe;
	else if (product->platform->purl.data != NULL)
		statement->whole = product->platform->purl;
	else
		statement->whole = product->platform->id;
	return NULL;
}

static ClairStatus
write_statement(VexReader *reader, const CsafVulnerability *vulnerability,
				const CsafStatement *csaf, ClairError *error)
{
	VexStatement statement = {.vulnerability = vulnerability->cve,
							  .justification = csaf->justification,
							  .reason = csaf->justification};
	unsigned int status = csaf->status & ~(CSAF_FIRST_FIXED | CSAF_RECOMMENDED);
	const char *problem = NULL;

	if (status == CSAF_NOT_AFFECTED)
		statement.kind = "not_affected";
	else if (status == CSAF_FIXED)
		statement.kind = "fixed";
	else if ((status & (CSAF_NOT_AFFECTED | CSAF_FIXED)) != 0)
		problem = "it has more than one status";
	else
		return CLAIR_OK;
	/* Of what is affected, it is one word: how bad that is. */
	if (status == CSAF_NOT_AFFECTED && csaf->impact.size > 0 &&
		memchr(csaf->impact.data, ' ', csaf->impact.size) != NULL)
		statement.reason = csaf->impact;
	if (problem == NULL)
		problem = describe(csaf->product, &statement);
	if (problem != NULL)
		return vex_skip(reader, csaf->product->id, problem, error);
	return vex_write(reader, &statement, error);
}

static ClairStatus
write_statements(VexReader *reader, const CsafDocument *csaf, ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < csaf->vulnerability_count && status == CLAIR_OK; i++)
		for (size_t j = 0; j < csaf->vulnerabilities[i].statement_count && status == CLAIR_OK; j++)
			status = write_statement(reader, &csaf->vulnerabilities[i],
									 csaf->vulnerabilities[i].statements[j], error);
	return status;
}

ClairStatus
vex_csaf_read(VexReader *reader, ClairError *error)
{
	JsonCursor cursor = json_cursor(reader->text, reader->arena);
	VexDocument document = {.format = "csaf"};
	ClairStatus status;
	CsafDocument csaf;

	if (!csaf_read(&cursor, &csaf))
		return clair_error(error, cursor.status, "byte %zu: %s", cursor.position, cursor.problem);
	document.id = csaf.id;
	document.version = csaf.version;
	document.issued = csaf.released;
	document.author = csaf.publisher;
	if (csaf.publisher_namespace.size > 0)
	{
		document.id = arena_printf(reader->arena, "%.*s/%.*s", (int) csaf.publisher_namespace.size,
								   csaf.publisher_namespace.data, (int) csaf.id.size, csaf.id.data);
		if (document.id.data == NULL)
			return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	}
	status = vex_begin(reader, &document, error);
	if (status != CLAIR_OK || clair_bytes_equal(csaf.status, CLAIR_LITERAL("deleted")))
		return status;
	return write_statements(reader, &csaf, error);
}
