/*
 * sbom_cyclonedx.c
 *    The components of a CycloneDX document, see sbom.h; https://cyclonedx.org
 *
 * Components may have components of their own, as deep as JSON may nest. What the document is
 * about is its metadata's component, and no package. References between components are not
 * followed: which are there is all that matters.
 */
#include "package/json_file.h"
#include "package/sbom.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A component while its members come. */
typedef struct Component
{
	ClairBytes type;
	ClairBytes name;
	ClairBytes version;
	ClairBytes description;
	ClairBytes publisher;
	SbomPackage package;
	SbomSystem system; /* by its properties */
} Component;

/* Sees a property of the component. */
typedef void PropertyTaker(SbomReader *reader, JsonCursor *cursor, Component *component,
						   ClairBytes name, ClairBytes value);

static bool
is(ClairBytes text, const char *literal)
{
	return clair_bytes_equal(text, clair_bytes(literal));
}

static void
take_properties(SbomReader *reader, JsonCursor *cursor, Component *component, PropertyTaker *take)
{
	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		ClairBytes name = CLAIR_NULL_BYTES;
		ClairBytes value = CLAIR_NULL_BYTES;
		const JsonTextMember members[] = {{CLAIR_LITERAL("name"), &name},
										  {CLAIR_LITERAL("value"), &value}};

		json_file_texts(cursor, members, COUNT_OF(members));
		if (name.size > 0 && value.size > 0)
			take(reader, cursor, component, name, value);
	}
}

/* Of what a document is about: what clair itself has written there. */
static void
take_subject_property(SbomReader *reader, JsonCursor *cursor, Component *component, ClairBytes name,
					  ClairBytes value)
{
	(void) component;
	if (is(name, "clair:repository") && !sbom_repository(reader, value))
		sbom_stop(reader, cursor);
}

static void
take_property(SbomReader *reader, JsonCursor *cursor, Component *component, ClairBytes name,
			  ClairBytes value)
{
	(void) cursor;
	sbom_package_property(&component->package, name, value);
	sbom_system_property(reader, &component->system, name, value);
}

/* Adds a license to those of the component: a name, an identifier or an expression. */
static void
add_license(SbomReader *reader, JsonCursor *cursor, SbomPackage *package, ClairBytes license)
{
	if (license.size == 0)
		return;
	if (package->license.size > 0)
		license = arena_printf(reader->scratch, "%.*s AND %.*s", (int) package->license.size,
							   package->license.data, (int) license.size, license.data);
	if (license.data == NULL)
		json_refuse(cursor, CLAIR_MEMORY, "there is not enough memory for its licenses");
	package->license = license;
}

static void
take_licenses(SbomReader *reader, JsonCursor *cursor, SbomPackage *package)
{
	ClairBytes member;

	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		ClairBytes name = CLAIR_NULL_BYTES;
		const JsonTextMember members[] = {{CLAIR_LITERAL("id"), &name},
										  {CLAIR_LITERAL("name"), &name}};

		json_enter(cursor, JSON_OBJECT);
		while (json_next_member(cursor, &member))
		{
			if (is(member, "expression"))
				json_text_or_null(cursor, &name);
			else if (is(member, "license"))
				json_file_texts(cursor, members, COUNT_OF(members));
			else
				json_skip(cursor);
		}
		add_license(reader, cursor, package, name);
	}
}

/* Hands on a component that has been taken. */
static bool
finish_component(SbomReader *reader, Component *component)
{
	reader->sbom->components++;
	if (is(component->type, "operating-system"))
	{
		SbomSystem *system = &component->system;

		if (system->name.data == NULL)
			system->name = component->name;
		if (system->version_id.data == NULL)
			system->version_id = component->version;
		if (system->pretty_name.data == NULL)
			system->pretty_name = component->description;
		return sbom_system(reader, system);
	}
	if (is(component->type, "container") ||
		(component->package.purl.size == 0 && !is(component->type, "library") &&
		 !is(component->type, "application") && !is(component->type, "framework")))
		return true;
	component->package.version = component->version;
	if (component->package.vendor.size == 0)
		component->package.vendor = component->publisher;
	return sbom_package(reader, &component->package);
}

static void take_components(SbomReader *reader, JsonCursor *cursor, bool is_top);

static void
take_component(SbomReader *reader, JsonCursor *cursor)
{
	Component component = {.type = CLAIR_NULL_BYTES};
	const JsonTextMember supplier = {CLAIR_LITERAL("name"), &component.package.vendor};
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "type"))
			json_text_or_null(cursor, &component.type);
		else if (is(name, "name"))
			json_text_or_null(cursor, &component.name);
		else if (is(name, "version"))
			json_text_or_null(cursor, &component.version);
		else if (is(name, "description"))
			json_text_or_null(cursor, &component.description);
		else if (is(name, "publisher"))
			json_text_or_null(cursor, &component.publisher);
		else if (is(name, "supplier"))
			json_file_texts(cursor, &supplier, 1);
		else if (is(name, "purl"))
			json_text_or_null(cursor, &component.package.purl);
		else if (is(name, "licenses"))
			take_licenses(reader, cursor, &component.package);
		else if (is(name, "properties"))
			take_properties(reader, cursor, &component, take_property);
		else if (is(name, "components"))
			take_components(reader, cursor, false);
		else
			json_skip(cursor);
	}
	if (cursor->status == CLAIR_OK && !finish_component(reader, &component))
		sbom_stop(reader, cursor);
}

/* Of those that are not within another one, nothing is needed any more once they are taken. */
static void
take_components(SbomReader *reader, JsonCursor *cursor, bool is_top)
{
	json_enter(cursor, JSON_ARRAY);
	while (json_next_element(cursor))
	{
		take_component(reader, cursor);
		if (is_top)
			arena_reset(reader->scratch);
	}
}

/* Takes a tool, unless another one is known. */
static void
take_tool(SbomReader *reader, JsonCursor *cursor, bool *is_known)
{
	ClairBytes name = CLAIR_NULL_BYTES;
	ClairBytes version = CLAIR_NULL_BYTES;
	const JsonTextMember members[] = {{CLAIR_LITERAL("name"), &name},
									  {CLAIR_LITERAL("version"), &version}};
	ClairBytes tool;

	json_file_texts(cursor, members, COUNT_OF(members));
	if (*is_known || name.size == 0 || cursor->status != CLAIR_OK)
		return;
	*is_known = true;
	tool = arena_printf(reader->scratch, "%.*s%s%.*s", (int) name.size, name.data,
						version.size > 0 ? " " : "", (int) version.size,
						version.size > 0 ? version.data : "");
	if (tool.data == NULL)
		json_refuse(cursor, CLAIR_MEMORY, "there is not enough memory for its tools");
	else if (!sbom_fact(reader, "tool", tool))
		sbom_stop(reader, cursor);
}

/* Tools are an array or, since 1.5, also an object with components. */
static void
take_tools(SbomReader *reader, JsonCursor *cursor, bool *is_known)
{
	ClairBytes name;

	if (json_type(cursor) != JSON_OBJECT)
	{
		json_enter(cursor, JSON_ARRAY);
		while (json_next_element(cursor))
			take_tool(reader, cursor, is_known);
		return;
	}
	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "components") && json_type(cursor) == JSON_ARRAY)
			take_tools(reader, cursor, is_known);
		else
			json_skip(cursor);
	}
}

static void
take_subject(SbomReader *reader, JsonCursor *cursor)
{
	ClairBytes subject = CLAIR_NULL_BYTES;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "name"))
			json_text_or_null(cursor, &subject);
		else if (is(name, "properties"))
			take_properties(reader, cursor, NULL, take_subject_property);
		else
			json_skip(cursor);
	}
	if (!sbom_fact(reader, "subject", subject))
		sbom_stop(reader, cursor);
}

static void
take_metadata(SbomReader *reader, JsonCursor *cursor)
{
	ClairBytes created = CLAIR_NULL_BYTES;
	bool is_tool_known = false;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "timestamp"))
			json_text_or_null(cursor, &created);
		else if (is(name, "component"))
			take_subject(reader, cursor);
		else if (is(name, "tools"))
			take_tools(reader, cursor, &is_tool_known);
		else
			json_skip(cursor);
	}
	if (!sbom_fact(reader, "created", created))
		sbom_stop(reader, cursor);
}

void
sbom_cyclonedx_read(SbomReader *reader, JsonCursor *cursor)
{
	ClairBytes text;
	ClairBytes name;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &name))
	{
		if (is(name, "bomFormat"))
		{
			if (json_text(cursor, &text) && !is(text, "CycloneDX"))
				json_refuse(cursor, CLAIR_INVALID, "it is not a CycloneDX document");
		}
		else if (is(name, "specVersion"))
		{
			if (json_text(cursor, &text))
				sbom_format(reader, cursor, "CycloneDX",
							clair_bytes_start_with(text, CLAIR_LITERAL("1.")) ? text
																			  : CLAIR_NULL_BYTES);
		}
		else if (is(name, "metadata"))
			take_metadata(reader, cursor);
		else if (is(name, "components"))
			take_components(reader, cursor, true);
		else
			json_skip(cursor);
	}
}
