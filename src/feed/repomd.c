/*
 * repomd.c
 *    What leads to the documents of an rpm repository; see repomd.h.
 *
 * <repomd><data type="updateinfo"><checksum type="sha256">12ab...</checksum>
 * <location href="repodata/12ab...-updateinfo.xml.xz"/></data></repomd>
 */
#include "feed/repomd.h"

#include "common/text.h"
#include "feed/record_feed.h"
#include "feed/xml.h"

#define HTTPS CLAIR_LITERAL("https://")
#define HTTP  CLAIR_LITERAL("http://")

#define MEMORY_PROBLEM "there is not enough memory for the index"

/* Takes over what an element of the index says of a document. */
static ClairStatus
take_document(Arena *arena, const XmlElement *data, RepomdDocument *found, ClairError *error)
{
	XmlElement location = xml_child(data, "location");
	XmlElement checksum = xml_child(data, "checksum");
	ClairBytes type = xml_attribute(&checksum, "type");
	ClairBytes digits = xml_text(&checksum);
	ClairBytes href = xml_attribute(&location, "href");

	if (href.size == 0)
		return clair_error(error, CLAIR_INVALID, "it does not say where its updateinfo is");
	found->location = arena_copy(arena, href);
	if (found->location.data == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	if (type.size == 0 || digits.size == 0)
		return CLAIR_OK;
	found->checksum = arena_printf(arena, "%.*s:%.*s", (int) type.size, type.data,
								   (int) digits.size, digits.data);
	return found->checksum.data != NULL ? CLAIR_OK
										: clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

/* Goes through the documents that the index names; the first one of the type counts. */
static ClairStatus
find_document(void *records, Arena *arena, const char *type, RepomdDocument *found,
			  ClairError *error)
{
	FeedRecord record;
	bool is_there;
	ClairStatus status;

	while ((status = xml_record_cutter.next(records, &record, &is_there, error)) == CLAIR_OK &&
		   is_there)
	{
		XmlElement data = xml_record(record.value);

		if (found->location.data == NULL &&
			clair_bytes_equal(xml_attribute(&data, "type"), clair_bytes(type)))
			status = take_document(arena, &data, found, error);
		if (status != CLAIR_OK)
			break;
	}
	return status;
}

ClairStatus
repomd_find(const ClairLimits *limits, int descriptor, Arena *arena, const char *type,
			RepomdDocument *found, ClairError *error)
{
	ClairStream *stream;
	void *records;
	ClairStatus status = record_feed_stream(limits, descriptor, &stream, error);

	*found = (RepomdDocument){0};
	if (status != CLAIR_OK)
		return status;
	status = xml_record_cutter.open(stream, "repomd/data", limits, &records, error);
	if (status == CLAIR_OK)
	{
		status = find_document(records, arena, type, found, error);
		xml_record_cutter.close(records);
	}
	stream->close(stream);
	return status;
}

/* What an URL begins with up to the end of its host, "https://x"; no value: it is none of HTTP. */
static ClairBytes
server_of(ClairBytes url)
{
	size_t size = clair_bytes_start_with(url, HTTPS) ? HTTPS.size : HTTP.size;

	if (!clair_bytes_start_with(url, HTTPS) && !clair_bytes_start_with(url, HTTP))
		return CLAIR_NULL_BYTES;
	while (size < url.size && url.data[size] != '/')
		size++;
	return (ClairBytes){url.data, size};
}

ClairStatus
mirror_list_read(const ClairLimits *limits, int descriptor, Arena *arena, ClairBytes url,
				 ClairBytes *mirror, ClairError *error)
{
	ClairBytes server = server_of(url);
	ClairBytes first = CLAIR_NULL_BYTES;
	ClairBytes text;
	ClairBytes line;
	ClairStatus status = record_feed_load(limits, descriptor, arena, &text, error);

	*mirror = CLAIR_NULL_BYTES;
	while (status == CLAIR_OK && text_next_line(&text, &line))
	{
		line = text_trim(line);
		if (server_of(line).data == NULL || !text_is_valid(line) ||
			(clair_bytes_start_with(url, HTTPS) && !clair_bytes_start_with(line, HTTPS)))
			continue;
		if (first.data == NULL)
			first = line;
		if (!clair_bytes_equal(server_of(line), server))
			continue;
		first = line;
		break;
	}
	while (clair_bytes_end_with(first, CLAIR_LITERAL("/")))
		first.size--;
	if (status != CLAIR_OK || first.data == NULL)
		return status;
	*mirror = arena_printf(arena, "%.*s/", (int) first.size, first.data);
	return mirror->data != NULL ? CLAIR_OK : clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}
