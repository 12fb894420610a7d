/*
 * sbom_spdx.c
 *    The packages of an SPDX 2 document, see sbom.h; https://spdx.github.io/spdx-spec/v2.3
 *
 * A package is known by the package URL among its external references. Its license may refer to a
 * text that the document brings, wherever that stands; relationships are not followed.
 */
#include "package/sbom.h"

#include "common/text.h"
#include "package/json_file.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

typedef struct Spdx
{
	SbomReader *reader;
	JsonCursor *cursor;
	TextMap licenses; /* what "LicenseRef-..." stands for */
} Spdx;

/* A package while its members come. */
typedef struct Package
{
	ClairBytes id;
	ClairBytes name;
	ClairBytes purpose;
	ClairBytes source; /* what is said of where it comes from, in words */
	ClairBytes declared;
	ClairBytes concluded;
	ClairBytes supplier;
	SbomPackage package;
} Package;

static bool
is(ClairBytes text, const char *literal)
{
	return clair_bytes_equal(text, clair_bytes(literal));
}

/* Without what says that nothing is said. */
static ClairBytes
asserted(ClairBytes text)
{
	return is(text, "NOASSERTION") || is(text, "NONE") ? CLAIR_NULL_BYTES : text;
}

/* What stands behind the beginning; no value when the text begins otherwise. */
static ClairBytes
behind(ClairBytes text, ClairBytes beginning)
{
	return clair_bytes_start_with(text, beginning) ? clair_bytes_skip(text, beginning.size)
												   : CLAIR_NULL_BYTES;
}

/* Takes the references of a package: the first package URL, and repositories of an image. */
static void
take_references(Spdx *spdx, Package *package)
{
	JsonCursor *cursor = spdx->cursor;

	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		ClairBytes type = CLAIR_NULL_BYTES;
		ClairBytes locator = CLAIR_NULL_BYTES;
		const JsonTextMember members[] = {{CLAIR_LITERAL("referenceType"), &type},
										  {CLAIR_LITERAL("referenceLocator"), &locator}};

		json_file_texts(cursor, members, COUNT_OF(members));
		if (is(type, "purl") && package->package.purl.data == NULL)
			package->package.purl = locator;
		else if (is(type, "clair-repository") && !sbom_repository(spdx->reader, locator))
			sbom_stop(spdx->reader, cursor);
	}
}

/* "built package from: glibc 2.36-9+deb12u4" */
static void
take_source(Package *package)
{
	ClairBytes source = behind(package->source, CLAIR_LITERAL("built package from: "));
	const char *blank = source.size > 0 ? memchr(source.data, ' ', source.size) : NULL;

	package->package.source_name = source;
	if (blank == NULL)
		return;
	package->package.source_name.size = (size_t) (blank - source.data);
	package->package.source_version = text_trim(
		clair_bytes_skip(source, package->package.source_name.size));
}

static bool
is_system(const Package *package)
{
	return is(package->purpose, "OPERATING-SYSTEM") || is(package->purpose, "OPERATING_SYSTEM") ||
		   (package->purpose.data == NULL &&
			clair_bytes_start_with(package->id, CLAIR_LITERAL("SPDXRef-OperatingSystem")));
}

/* Whether it may be a package, should it have no package URL. */
static bool
is_package(const Package *package)
{
	if (package->purpose.data == NULL)
		return !clair_bytes_start_with(package->id, CLAIR_LITERAL("SPDXRef-ContainerImage")) &&
			   !clair_bytes_start_with(package->id, CLAIR_LITERAL("SPDXRef-DocumentRoot"));
	return is(package->purpose, "LIBRARY") || is(package->purpose, "APPLICATION") ||
		   is(package->purpose, "FRAMEWORK") || is(package->purpose, "INSTALL");
}

static bool
finish_package(Spdx *spdx, Package *package)
{
	ClairBytes license = asserted(package->declared);
	const ClairBytes *meant;

	spdx->reader->sbom->components++;
	if (is_system(package))
		return sbom_system(spdx->reader, &(SbomSystem){.name = package->name,
													   .version_id = package->package.version});
	if (is(package->purpose, "CONTAINER") ||
		(package->package.purl.data == NULL && !is_package(package)))
		return true;
	if (license.data == NULL)
		license = asserted(package->concluded);
	meant = text_map_find(&spdx->licenses, license);
	package->package.license = meant != NULL ? *meant : license;
	package->package.vendor = behind(package->supplier, CLAIR_LITERAL("Organization: "));
	take_source(package);
	return sbom_package(spdx->reader, &package->package);
}

static void
take_package(Spdx *spdx)
{
	JsonCursor *cursor = spdx->cursor;
	Package package = {.id = CLAIR_NULL_BYTES};
	const struct
	{
		const char *name;
		ClairBytes *value;
	} texts[] = {{"SPDXID", &package.id},
				 {"name", &package.name},
				 {"versionInfo", &package.package.version},
				 {"primaryPackagePurpose", &package.purpose},
				 {"sourceInfo", &package.source},
				 {"licenseDeclared", &package.declared},
				 {"licenseConcluded", &package.concluded},
				 {"supplier", &package.supplier}};
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		ClairBytes *value = NULL;

		for (size_t i = 0; i < COUNT_OF(texts); i++)
			if (is(name, texts[i].name))
				value = texts[i].value;
		if (value != NULL)
			json_text_or_null(cursor, value);
		else if (is(name, "externalRefs"))
			take_references(spdx, &package);
		else
			json_skip(cursor);
	}
	if (cursor->status == CLAIR_OK && !finish_package(spdx, &package))
		sbom_stop(spdx->reader, cursor);
}

/* Takes the licenses that the document brings: what a reference stands for is its name or text. */
static void
take_licenses(Spdx *spdx)
{
	JsonCursor *cursor = spdx->cursor;

	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		ClairBytes id = CLAIR_NULL_BYTES;
		ClairBytes name = CLAIR_NULL_BYTES;
		ClairBytes text = CLAIR_NULL_BYTES;
		const JsonTextMember members[] = {{CLAIR_LITERAL("licenseId"), &id},
										  {CLAIR_LITERAL("name"), &name},
										  {CLAIR_LITERAL("extractedText"), &text}};
		ClairBytes *meant = arena_alloc(spdx->licenses.arena, sizeof(ClairBytes));
		void **place;

		json_file_texts(cursor, members, COUNT_OF(members));
		if (cursor->status != CLAIR_OK || id.size == 0)
			continue;
		place = text_map_at(&spdx->licenses, id);
		if (meant == NULL || place == NULL)
		{
			json_refuse(cursor, CLAIR_MEMORY, "there is not enough memory for its licenses");
			return;
		}
		*meant = asserted(name).size > 0 ? name : text;
		*place = meant;
	}
}

/* "Tool: syft-1.18.1" */
static void
take_creation(Spdx *spdx)
{
	JsonCursor *cursor = spdx->cursor;
	ClairBytes name;
	ClairBytes text;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "created"))
		{
			if (json_text_or_null(cursor, &text) && !sbom_fact(spdx->reader, "created", text))
				sbom_stop(spdx->reader, cursor);
		}
		else if (is(name, "creators"))
		{
			json_enter(cursor, JSON_ARRAY);
			while (json_next_element(cursor))
				if (json_text(cursor, &text) &&
					!sbom_fact(spdx->reader, "tool", behind(text, CLAIR_LITERAL("Tool: "))))
					sbom_stop(spdx->reader, cursor);
		}
		else
			json_skip(cursor);
	}
}

/* Takes the root: all but the packages, whose place is noted. */
static void
take_root(Spdx *spdx, JsonCursor *packages)
{
	SbomReader *reader = spdx->reader;
	JsonCursor *cursor = spdx->cursor;
	ClairBytes name;
	ClairBytes text;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "spdxVersion"))
		{
			if (json_text(cursor, &text))
				sbom_format(reader, cursor, "SPDX",
							clair_bytes_start_with(text, CLAIR_LITERAL("SPDX-2."))
								? clair_bytes_skip(text, strlen("SPDX-"))
								: CLAIR_NULL_BYTES);
		}
		else if (is(name, "name"))
		{
			if (json_text_or_null(cursor, &text) && !sbom_fact(reader, "subject", text))
				sbom_stop(reader, cursor);
		}
		else if (is(name, "creationInfo"))
			take_creation(spdx);
		else if (is(name, "hasExtractedLicensingInfos"))
			take_licenses(spdx);
		else
		{
			if (is(name, "packages"))
				*packages = *cursor;
			json_skip(cursor);
		}
	}
}

void
sbom_spdx_read(SbomReader *reader, JsonCursor *cursor)
{
	/* What licenses stand for is kept, and so is not in the memory of one package. */
	Spdx spdx = {.reader = reader, .cursor = cursor, .licenses.arena = reader->arena};
	JsonCursor packages = {.arena = NULL};

	cursor->arena = reader->arena;
	take_root(&spdx, &packages);
	if (cursor->status != CLAIR_OK || packages.arena == NULL)
		return;
	packages.arena = reader->scratch;
	*cursor = packages;
	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		take_package(&spdx);
		arena_reset(reader->scratch);
	}
}
