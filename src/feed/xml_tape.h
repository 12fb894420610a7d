/*
 * xml_tape.h
 *    How xml.c writes down elements; see xml.h for how they are read.
 *
 * An item is a byte that says what it is, its size, and as many bytes: of a text the text itself,
 * of an element its name behind a size, its attributes behind a size (each a name and a value,
 * both behind a size), and its content, items.
 */
#ifndef CLAIR_XML_TAPE_H
#define CLAIR_XML_TAPE_H

#include <stdint.h>

#include "common/bytes.h"

#define XML_TAPE_ELEMENT 'E'
#define XML_TAPE_TEXT	 'T'

typedef uint32_t XmlTapeSize;

#endif
