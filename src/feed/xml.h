/*
 * xml.h
 *    Reads XML: cuts a document into its records without ever holding it, and walks a record.
 *
 * libxml2 checks that the document is well-formed (SAX2, pushed piece by piece) and turns it
 * into UTF-8. No document type declaration is allowed, and with it no entities but the five
 * that XML knows; nothing is ever fetched. Nesting is bounded by CLAIR_MAX_XML_DEPTH, the bytes
 * of one tag or comment by CLAIR_MAX_XML_TAG, and the dictionary of names; so libxml2's memory
 * is bounded, too.
 *
 * A record is an element with all that is in it, as a compact copy: names are local ones (OVAL
 * and its kin mean the same by them under any prefix), attributes with a prefix, comments, and
 * text that is white space alone are left out. Equal elements have equal bytes, however they
 * are written. The copy is of our own making and needs no checks.
 */
#ifndef CLAIR_XML_H
#define CLAIR_XML_H

#include "feed/record.h"

/*
 * The part are the paths of the records, from the root on, with ";" between them, say
 * "updates/update". A step is a local name, several with "|" between them, or "*" for any.
 * A path that ends in "@" means tags alone: records without content. The root must be one that
 * a path begins with. Records have no name; their position is a line.
 */
extern const RecordCutter xml_record_cutter;

/* Once per process, before anything else here, and before a sandbox is entered. */
extern void xml_initialize(void);

/* An element of a record: parts of the record's bytes. */
typedef struct XmlElement
{
	ClairBytes name;
	ClairBytes attributes;
	ClairBytes content;
} XmlElement;

/* The element that a record is. */
extern XmlElement xml_record(ClairBytes value);

/* Takes the next child off *content, which is an element's. False when there is none. */
extern bool xml_next_child(ClairBytes *content, XmlElement *child);

/* The same, for the next child of this name. */
extern bool xml_next_named(ClairBytes *content, const char *name, XmlElement *child);

/* The first child of this name; an element without name, attributes and content if none is. */
extern XmlElement xml_child(const XmlElement *element, const char *name);

/* Whether an element has this name. */
extern bool xml_is(const XmlElement *element, const char *name);

/* The value of an attribute; no value when it is not there. */
extern ClairBytes xml_attribute(const XmlElement *element, const char *name);

/* The element's text up to its first child, without white space at both ends; empty if none. */
extern ClairBytes xml_text(const XmlElement *element);

#endif
