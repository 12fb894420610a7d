/*
 * xml_fuzz.c
 *    Any bytes as XML, in pieces: records come out whole, or there is an error that says why.
 *
 * The first byte chooses what records are, the second the size of the pieces.
 */
#include "common/text.h"
#include "feed/xml.h"
#include "pieces.h"
#include "fuzz.h"

/* Everything of an element is text within the record. */
static void
walk(ClairBytes record, const XmlElement *element, unsigned depth)
{
	ClairBytes content = element->content;
	ClairBytes text = xml_text(element);
	XmlElement child;

	require(depth <= CLAIR_MAX_XML_DEPTH);
	require(element->name.size > 0 && text_is_valid(element->name) && text_is_valid(text));
	require(element->name.data > record.data);
	require(element->content.data + element->content.size <= record.data + record.size);
	require(text_is_valid(xml_attribute(element, "a")));
	while (xml_next_child(&content, &child))
		walk(record, &child, depth + 1);
}

FUZZ_TARGET(xml)
{
	static const char *const parts[] = {"a/b", "a/b@;a/c/*", "a|b/*/*", "a"};
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	Pieces pieces = {.stream = {.read = read_piece}};
	ClairStatus status;
	ClairError error;
	FeedRecord record;
	void *records;
	bool found;

	if (size < 2)
		return 0;
	pieces.rest = (ClairBytes){(const char *) data + 2, size - 2};
	pieces.size = (size_t) data[1] + 1;
	limits.max_record_size = 4096;
	require(xml_record_cutter.open(&pieces.stream, parts[data[0] % 4], &limits, &records, &error) ==
			CLAIR_OK);
	while ((status = xml_record_cutter.next(records, &record, &found, &error)) == CLAIR_OK && found)
	{
		XmlElement element = xml_record(record.value);

		require(record.value.size <= 4096 && record.position > 0);
		walk(record.value, &element, 1);
	}
	if (status != CLAIR_OK)
		require(error.status == status && error.message[0] != '\0');
	xml_record_cutter.close(records);
	free(pieces.piece);
	return 0;
}
