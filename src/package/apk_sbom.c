/*
 * apk_sbom.c
 *    Reads the document that a package of Wolfi and its like brings of itself: SPDX, in JSON.
 *
 * Images have one for each package, and need no apk database for them. Of packages[] the package
 * URLs matter: "pkg:apk/..." is the package, and one with a subpath that ends in ".yaml" is the
 * file that it was built by, whose name is that of the source package (melange's sbom).
 */
#include "common/purl.h"
#include "package/json_file.h"
#include "package/package.h"

typedef struct Document
{
	Findings *findings;
	ClairError *error;
	bool adds_features; /* on the second pass */
	int64_t packages;	/* of apk, so far in this pass */
	ClairBytes source;	/* or no value */
	ClairBytes license; /* of the package at hand, or no value */
} Document;

/* The source package that a file to build it by is of; no value when it is none. */
static ClairBytes
source_of(ClairBytes path)
{
	static const ClairBytes ending = CLAIR_LITERAL(".yaml");
	const char *slash = path.size > 0 ? memrchr(path.data, '/', path.size) : NULL;

	if (!clair_bytes_end_with(path, ending))
		return CLAIR_NULL_BYTES;
	if (slash != NULL)
		path = clair_bytes_skip(path, (size_t) (slash + 1 - path.data));
	path.size -= ending.size;
	return path.size > 0 ? path : CLAIR_NULL_BYTES;
}

static ClairStatus
take_url(Document *document, ClairBytes url)
{
	Purl purl;
	const char *problem = purl_read(document->findings->arena, url, &purl);
	Feature feature;

	if (problem == NULL && purl.type.data == NULL)
		return clair_error(document->error, CLAIR_MEMORY, "out of memory");
	if (problem != NULL)
		return CLAIR_OK;
	if (!clair_bytes_equal(purl.type, CLAIR_LITERAL("apk")))
	{
		ClairBytes source = source_of(purl.subpath);

		if (source.data != NULL && !document->adds_features)
			document->source = source;
		return CLAIR_OK;
	}
	document->packages++;
	if (!document->adds_features)
		return CLAIR_OK;
	feature = (Feature){.name = purl.name,
						.version = purl.version,
						.source_name = document->source,
						.license = document->license,
						.architecture = purl_qualifier(&purl, "arch")};
	return findings_feature(document->findings, VERSION_APK, document->packages, &feature,
							document->error);
}

/* Takes the references of a package. */
static ClairStatus
take_references(Document *document, JsonCursor *cursor)
{
	ClairStatus status = CLAIR_OK;

	json_enter(cursor, JSON_ARRAY);
	while (status == CLAIR_OK && json_next_element(cursor))
	{
		ClairBytes type = CLAIR_NULL_BYTES;
		ClairBytes locator = CLAIR_NULL_BYTES;
		const JsonTextMember members[] = {
			{CLAIR_LITERAL("referenceType"), &type},
			{CLAIR_LITERAL("referenceLocator"), &locator},
		};

		if (json_type(cursor) != JSON_OBJECT)
		{
			json_skip(cursor);
			continue;
		}
		json_file_texts(cursor, members, sizeof(members) / sizeof(members[0]));
		if (locator.size > 0 && clair_bytes_equal(type, CLAIR_LITERAL("purl")))
			status = take_url(document, locator);
	}
	return status == CLAIR_OK && document->adds_features
			   ? json_file_finish(cursor, document->findings, document->error)
			   : status;
}

/* The license that a package declares; no value when it asserts none. */
static ClairBytes
license_of(JsonCursor package)
{
	ClairBytes license = CLAIR_NULL_BYTES;
	const JsonTextMember member = {CLAIR_LITERAL("licenseDeclared"), &license};

	if (json_type(&package) == JSON_OBJECT)
		json_file_texts(&package, &member, 1);
	return clair_bytes_equal(license, CLAIR_LITERAL("NOASSERTION")) ? CLAIR_NULL_BYTES : license;
}

/* Takes all packages of the array. */
static ClairStatus
take_packages(Document *document, JsonCursor cursor)
{
	ClairStatus status = CLAIR_OK;

	document->packages = 0;
	json_enter(&cursor, JSON_ARRAY);
	while (status == CLAIR_OK && json_next_element(&cursor))
	{
		JsonCursor references;

		document->license = license_of(cursor);
		if (json_file_member(&cursor, "externalRefs", JSON_ARRAY, &references))
			status = take_references(document, &references);
		json_skip(&cursor);
	}
	return status;
}

ClairStatus
apk_sbom_read(ClairBytes file, Findings *findings, ClairError *error)
{
	Document document = {.findings = findings, .error = error};
	JsonCursor cursor;
	JsonCursor packages;
	bool is_object;
	ClairStatus status = json_file_start(file, findings, &cursor, &is_object, error);

	findings->unit = "package";
	if (status != CLAIR_OK || !is_object)
		return status;
	if (!json_file_member(&cursor, "packages", JSON_ARRAY, &packages))
		return findings_problem(findings, error, "it has no array \"packages\"");
	status = take_packages(&document, packages);
	/* A document of several packages does not say which of them is built from what. */
	if (document.packages != 1)
		document.source = CLAIR_NULL_BYTES;
	document.adds_features = true;
	if (status == CLAIR_OK)
		status = take_packages(&document, packages);
	if (status == CLAIR_OK && document.packages > 0 && document.source.data == NULL)
		status = findings_problem(findings, error,
								  "it does not say which sources its packages are built from");
	return status;
}
