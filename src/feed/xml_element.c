/*
 * xml_element.c
 *    Walks a record of xml.h.
 */
#include "common/text.h"
#include "feed/xml.h"
#include "feed/xml_tape.h"

/* Takes bytes behind a size off *rest. */
static ClairBytes
take_sized(ClairBytes *rest)
{
	XmlTapeSize size;
	ClairBytes taken;

	memcpy(&size, rest->data, sizeof(size));
	taken = (ClairBytes){rest->data + sizeof(size), size};
	*rest = clair_bytes_skip(*rest, sizeof(size) + size);
	return taken;
}

/* Takes the next item off *rest. False at the end. */
static bool
take_item(ClairBytes *rest, char *kind, ClairBytes *item)
{
	if (rest->size == 0)
		return false;
	*kind = rest->data[0];
	*rest = clair_bytes_skip(*rest, 1);
	*item = take_sized(rest);
	return true;
}

static XmlElement
element_of(ClairBytes item)
{
	XmlElement element = {.name = take_sized(&item)};

	element.attributes = take_sized(&item);
	element.content = item;
	return element;
}

XmlElement
xml_record(ClairBytes value)
{
	XmlElement element = {0};

	xml_next_child(&value, &element);
	return element;
}

bool
xml_next_child(ClairBytes *content, XmlElement *child)
{
	ClairBytes item;
	char kind;

	while (take_item(content, &kind, &item))
	{
		if (kind != XML_TAPE_ELEMENT)
			continue;
		*child = element_of(item);
		return true;
	}
	return false;
}

bool
xml_next_named(ClairBytes *content, const char *name, XmlElement *child)
{
	while (xml_next_child(content, child))
		if (xml_is(child, name))
			return true;
	return false;
}

XmlElement
xml_child(const XmlElement *element, const char *name)
{
	ClairBytes content = element->content;
	XmlElement child;

	return xml_next_named(&content, name, &child) ? child : (XmlElement){0};
}

bool
xml_is(const XmlElement *element, const char *name)
{
	return clair_bytes_equal(element->name, clair_bytes(name));
}

ClairBytes
xml_attribute(const XmlElement *element, const char *name)
{
	ClairBytes rest = element->attributes;

	while (rest.size > 0)
	{
		ClairBytes found = take_sized(&rest);
		ClairBytes value = take_sized(&rest);

		if (clair_bytes_equal(found, clair_bytes(name)))
			return value;
	}
	return CLAIR_NULL_BYTES;
}

ClairBytes
xml_text(const XmlElement *element)
{
	ClairBytes content = element->content;
	ClairBytes item;
	char kind;

	if (take_item(&content, &kind, &item) && kind == XML_TAPE_TEXT)
		return text_trim(item);
	return CLAIR_LITERAL("");
}
