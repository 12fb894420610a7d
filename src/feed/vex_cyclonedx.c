/*
 * vex_cyclonedx.c
 *    What a CycloneDX document excepts; see vex.h.
 *
 * Vulnerabilities refer to components: of this document, or of another one by a BOM-Link, which
 * ends with the reference there ("urn:cdx:<uuid>/1#pkg:deb/debian/zlib@1.3"). What the document is
 * about, if it says so, is what all components are parts of.
 */
#include "feed/cyclonedx.h"
#include "feed/vex.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A word of CycloneDX, and what it is here. */
typedef struct Word
{
	const char *cyclonedx;
	const char *ours; /* NULL: nothing */
} Word;

static const Word kinds[] = {{"not_affected", "not_affected"},
							 {"false_positive", "false_positive"},
							 {"resolved", "fixed"},
							 {"resolved_with_pedigree", "fixed"},
							 {"exploitable", NULL},
							 {"in_triage", NULL}};

static const Word reasons[] = {
	{"code_not_present", "vulnerable_code_not_present"},
	{"code_not_reachable", "vulnerable_code_not_in_execute_path"},
	{"requires_configuration", "vulnerable_code_cannot_be_controlled_by_adversary"},
	{"requires_dependency", "vulnerable_code_cannot_be_controlled_by_adversary"},
	{"requires_environment", "vulnerable_code_cannot_be_controlled_by_adversary"},
	{"protected_by_compiler", "inline_mitigations_already_exist"},
	{"protected_at_runtime", "inline_mitigations_already_exist"},
	{"protected_at_perimeter", "inline_mitigations_already_exist"},
	{"protected_by_mitigating_control", "inline_mitigations_already_exist"}};

/* The word among these; NULL when there is none. */
static const Word *
find_word(const Word *words, size_t count, ClairBytes text)
{
	for (size_t i = 0; i < count; i++)
		if (clair_bytes_equal(text, clair_bytes(words[i].cyclonedx)))
			return &words[i];
	return NULL;
}

/* What a component is called by: its package URL, its digest if it is an image, else its name. */
static ClairBytes
name_of(const CyclonedxComponent *component)
{
	if (component->purl.size > 0)
		return component->purl;
	if (clair_bytes_equal(component->type, CLAIR_LITERAL("container")) &&
		clair_bytes_start_with(component->version, CLAIR_LITERAL("sha")))
		return component->version;
	return component->name;
}

/* The reference at the end of a BOM-Link; any other reference is itself. */
static ClairBytes
local_reference(ClairBytes reference)
{
	const char *hash;

	if (!clair_bytes_start_with(reference, CLAIR_LITERAL("urn:cdx:")))
		return reference;
	hash = memchr(reference.data, '#', reference.size);
	return hash != NULL ? clair_bytes_skip(reference, (size_t) (hash + 1 - reference.data))
						: CLAIR_NULL_BYTES;
}

/*
 * Fills in what a reference means: the document's subject, a component, or what a package URL
 * names. False when it means nothing.
 */
static bool
resolve(const CyclonedxDocument *cyclonedx, ClairBytes reference, VexStatement *statement)
{
	const CyclonedxComponent *component = text_map_find(&cyclonedx->references, reference);

	if (component == NULL)
	{
		reference = local_reference(reference);
		component = text_map_find(&cyclonedx->references, reference);
	}
	if (cyclonedx->subject != NULL)
		statement->whole = name_of(cyclonedx->subject);
	statement->product = CLAIR_NULL_BYTES;
	if (component != NULL && component == cyclonedx->subject)
		return statement->whole.data != NULL;
	if (component != NULL)
		statement->product = name_of(component);
	else if (clair_bytes_start_with(reference, CLAIR_LITERAL("pkg:")))
		statement->product = reference;
	return statement->product.data != NULL;
}

static ClairStatus
write_vulnerability(VexReader *reader, const CyclonedxDocument *cyclonedx,
					const CyclonedxVulnerability *vulnerability, ClairError *error)
{
	const Word *kind = find_word(kinds, COUNT_OF(kinds), vulnerability->state);
	const Word *reason = find_word(reasons, COUNT_OF(reasons), vulnerability->justification);
	VexStatement statement = {.vulnerability = vulnerability->id, .reason = vulnerability->detail};
	ClairStatus status = CLAIR_OK;

	if (vulnerability->state.data == NULL || (kind != NULL && kind->ours == NULL))
		return CLAIR_OK;
	if (kind == NULL)
		return vex_skip(reader, vulnerability->id, "its state is not known", error);
	statement.kind = kind->ours;
	if (reason != NULL)
		statement.justification = clair_bytes(reason->ours);
	if (statement.reason.size == 0)
		statement.reason = vulnerability->justification;
	if (vulnerability->affected == NULL)
		return vex_skip(reader, vulnerability->id, "it does not say of which components", error);
	for (const CyclonedxAffected *affected = vulnerability->affected;
		 affected != NULL && status == CLAIR_OK; affected = affected->next)
	{
		if (affected->has_versions)
			status = vex_skip(reader, affected->reference, "it tells versions apart", error);
		else if (!resolve(cyclonedx, affected->reference, &statement))
			status = vex_skip(reader, affected->reference, "there is no such component", error);
		else
			status = vex_write(reader, &statement, error);
	}
	return status;
}

ClairStatus
vex_cyclonedx_read(VexReader *reader, ClairError *error)
{
	JsonCursor cursor = json_cursor(reader->text, reader->arena);
	VexDocument document = {.format = "cyclonedx"};
	CyclonedxDocument cyclonedx;
	ClairStatus status;

	if (!cyclonedx_read(&cursor, &cyclonedx))
		return clair_error(error, cursor.status, "byte %zu: %s", cursor.position, cursor.problem);
	document.id = cyclonedx.serial_number;
	document.version = cyclonedx.version;
	document.issued = cyclonedx.timestamp;
	document.author = cyclonedx.author;
	status = vex_begin(reader, &document, error);
	for (const CyclonedxVulnerability *vulnerability = cyclonedx.vulnerabilities;
		 vulnerability != NULL && status == CLAIR_OK; vulnerability = vulnerability->next)
		status = write_vulnerability(reader, &cyclonedx, vulnerability, error);
	return status;
}
