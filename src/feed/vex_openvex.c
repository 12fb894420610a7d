/*
 * vex_openvex.c
 *    What an OpenVEX document excepts; see vex.h.
 *
 * Of several names of a vulnerability, those that are CVEs count, which findings go by; without
 * one, the name that it has.
 */
#include "feed/cve.h"
#include "feed/openvex.h"
#include "feed/vex.h"

/* The kind of exceptions that a status means; false when there is no such status. */
static bool
kind_of(ClairBytes status, const char **kind)
{
	*kind = NULL;
	if (clair_bytes_equal(status, CLAIR_LITERAL("not_affected")))
		*kind = "not_affected";
	else if (clair_bytes_equal(status, CLAIR_LITERAL("fixed")))
		*kind = "fixed";
	else
		return clair_bytes_equal(status, CLAIR_LITERAL("affected")) ||
			   clair_bytes_equal(status, CLAIR_LITERAL("under_investigation"));
	return true;
}

/* Writes what is said of each product, or of each of its parts. */
static ClairStatus
write_products(VexReader *reader, const OpenvexStatement *openvex, VexStatement statement,
			   ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < openvex->product_count && status == CLAIR_OK; i++)
	{
		const OpenvexProduct *product = &openvex->products[i];

		statement.whole = CLAIR_NULL_BYTES;
		statement.product = product->name;
		if (product->parts.count == 0)
			status = vex_write(reader, &statement, error);
		statement.whole = product->name;
		for (size_t j = 0; j < product->parts.count && status == CLAIR_OK; j++)
		{
			statement.product = product->parts.names[j];
			status = vex_write(reader, &statement, error);
		}
	}
	return status;
}

static ClairStatus
write_statement(VexReader *reader, const OpenvexStatement *openvex, ClairError *error)
{
	VexStatement statement = {.justification = openvex->justification};
	ClairStatus status = CLAIR_OK;
	bool is_written = false;

	if (!kind_of(openvex->status, &statement.kind))
		return vex_skip(reader, openvex->vulnerability, "its status is not known", error);
	if (statement.kind == NULL)
		return CLAIR_OK;
	if (openvex->product_count == 0)
		return vex_skip(reader, openvex->vulnerability, "it has no products", error);
	statement.reason = openvex->impact_statement;
	if (statement.reason.size == 0)
		statement.reason = openvex->status_notes;
	if (statement.reason.size == 0)
		statement.reason = openvex->justification;
	for (size_t i = 0; i < openvex->aliases.count && status == CLAIR_OK; i++)
	{
		statement.vulnerability = openvex->aliases.names[i];
		if (cve_is_name(openvex->vulnerability) || !cve_is_name(statement.vulnerability))
			continue;
		status = write_products(reader, openvex, statement, error);
		is_written = true;
	}
	statement.vulnerability = openvex->vulnerability;
	return is_written ? status : write_products(reader, openvex, statement, error);
}

ClairStatus
vex_openvex_read(VexReader *reader, ClairError *error)
{
	OpenvexReader openvex;
	OpenvexStatement statement;
	VexDocument document = {.format = "openvex"};
	const char *problem;
	ClairStatus status;

	openvex_open(&openvex, reader->text, reader->arena);
	document.id = openvex.document.id;
	document.version = openvex.document.version;
	document.author = openvex.document.author;
	document.issued = openvex.document.last_updated;
	if (document.issued.size == 0)
		document.issued = openvex.document.timestamp;
	if (openvex.cursor.status != CLAIR_OK)
		return clair_error(error, openvex.cursor.status, "byte %zu: %s", openvex.cursor.position,
						   openvex.cursor.problem);
	status = vex_begin(reader, &document, error);
	while (status == CLAIR_OK && openvex_next(&openvex, &statement, &problem))
	{
		if (problem != NULL)
			status = vex_skip(reader, CLAIR_LITERAL("a statement"), problem, error);
		else
			status = write_statement(reader, &statement, error);
	}
	if (status == CLAIR_OK && openvex.cursor.status != CLAIR_OK)
		return clair_error(error, openvex.cursor.status, "byte %zu: %s", openvex.cursor.position,
						   openvex.cursor.problem);
	return status;
}
