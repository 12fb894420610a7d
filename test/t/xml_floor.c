/*
 * xml_floor.c
 *    Has libxml2 parse the file that is named, with callbacks that do nothing: the floor of reading
 *    XML, for test/bench/oval.pl.
 */
#include <stdio.h>

#include <libxml/parser.h>

static void
start_element(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
			  int namespace_count, const xmlChar **namespaces, int count, int defaulted,
			  const xmlChar **attributes)
{
	(void) context;
	(void) name;
	(void) prefix;
	(void) uri;
	(void) namespace_count;
	(void) namespaces;
	(void) count;
	(void) defaulted;
	(void) attributes;
}

static void
take_text(void *context, const xmlChar *text, int size)
{
	(void) context;
	(void) text;
	(void) size;
}

int
main(int count, char **arguments)
{
	static char piece[65536];
	xmlSAXHandler handlers = {.initialized = XML_SAX2_MAGIC,
							  .startElementNs = start_element,
							  .characters = take_text,
							  .ignorableWhitespace = take_text};
	FILE *file = count == 2 ? fopen(arguments[1], "r") : NULL;
	xmlParserCtxtPtr parser = xmlCreatePushParserCtxt(&handlers, NULL, NULL, 0, NULL);
	size_t size;

	if (file == NULL || parser == NULL)
		return 1;
	while ((size = fread(piece, 1, sizeof(piece), file)) > 0)
		xmlParseChunk(parser, piece, (int) size, 0);
	xmlParseChunk(parser, NULL, 0, 1);
	return parser->wellFormed != 0 ? 0 : 1;
}
