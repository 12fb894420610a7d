/*
 * cyclonedx.h
 *    CycloneDX documents: components, and what is said of vulnerabilities in them,
 * https://cyclonedx.org
 *
 * The JSON form of versions 1.4 to 1.6. Read is what names components and decides on
 * vulnerabilities, by the cursor, in one pass. Everything lies in the cursor's arena, and points
 * into the document.
 */
#ifndef CLAIR_CYCLONEDX_H
#define CLAIR_CYCLONEDX_H

#include "common/json_cursor.h"
#include "common/text_map.h"

/* A component; no value where it does not say. */
typedef struct CyclonedxComponent
{
	ClairBytes reference; /* "bom-ref" */
	ClairBytes type;	  /* "container", "library", "operating-system", ... */
	ClairBytes name;
	ClairBytes version;
	ClairBytes purl;
	struct CyclonedxComponent *next; /* in the order in which they stand */
} CyclonedxComponent;

/* What a vulnerability is said to be in. */
typedef struct CyclonedxAffected
{
	ClairBytes reference;
	bool has_versions; /* it tells versions of it apart */
	struct CyclonedxAffected *next;
} CyclonedxAffected;

typedef struct CyclonedxVulnerability
{
	ClairBytes id;
	ClairBytes state; /* of its analysis */
	ClairBytes justification;
	ClairBytes detail;
	CyclonedxAffected *affected;
	struct CyclonedxVulnerability *next;
} CyclonedxVulnerability;

typedef struct CyclonedxDocument
{
	ClairBytes serial_number;
	ClairBytes version;
	ClairBytes timestamp;
	ClairBytes author;			 /* the supplier or the manufacturer, else the first author */
	CyclonedxComponent *subject; /* that the document is about; or NULL */
	CyclonedxComponent *components;
	CyclonedxVulnerability *vulnerabilities;
	TextMap references; /* of components, the subject among them */
} CyclonedxDocument;

/*
 * Takes the document that the cursor stands before, which is the whole of its text. False at the
 * first problem, which is then the cursor's.
 */
extern bool cyclonedx_read(JsonCursor *cursor, CyclonedxDocument *document);

#endif
