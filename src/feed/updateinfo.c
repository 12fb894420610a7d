/*
 * updateinfo.c
 *    Updates of rpm packages; see updateinfo.h.
 *
 * <updates><update type="security"><id>ALAS2-2031-0001</id><title>...</title>
 * <severity>important</severity><references><reference type="cve" id="CVE-2031-1001"/></references>
 * <pkglist><collection><module name="ruby" stream="2.6"/><package name="ruby" epoch="0"
 * version="2.6.10" release="1.module+el8" arch="x86_64"/></collection></pkglist></update></updates>
 *
 * What vendors say of CVEs: most in references of type "cve", by the id; others, Fedora among them,
 * in the titles of references to their bugs.
 */
#include "feed/updateinfo.h"

#include <stdint.h>

#include "common/text.h"
#include "common/text_map.h"
#include "feed/name_list.h"
#include "feed/severity.h"
#include "feed/updateinfo_ranges.h"

#define MAX_NAMES 10000	  /* CVEs of an update */
#define MAX_ROWS  1000000 /* ranges of all of them */

typedef struct Updateinfo
{
	const UpdateinfoSource *source;
	Arena *arena; /* as long as the document */
	TextMap seen; /* the ids, and how often */
} Updateinfo;

/* The CVEs of an update. */
typedef struct Names
{
	Arena *arena;
	ClairBytes *names;
	size_t count;
	size_t capacity;
	bool exhausted;
} Names;

static ClairStatus
memory_error(ClairError *error)
{
	return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the update");
}

/* How many digits there are at the start of the text. */
static size_t
count_digits(ClairBytes text)
{
	size_t count = 0;

	while (count < text.size && text.data[count] >= '0' && text.data[count] <= '9')
		count++;
	return count;
}

/* The length of the name of a CVE at the start of the text; 0 when there is none. */
static size_t
cve_length(ClairBytes text)
{
	ClairBytes rest = text;
	size_t digits;

	if (!clair_bytes_start_with(rest, CLAIR_LITERAL("CVE-")))
		return 0;
	rest = clair_bytes_skip(rest, 4);
	if (count_digits(rest) != 4 || rest.size < 9 || rest.data[4] != '-')
		return 0;
	rest = clair_bytes_skip(rest, 5);
	digits = count_digits(rest);
	return digits >= 4 && digits <= 19 ? text.size - rest.size + digits : 0;
}

bool
updateinfo_is_cve(ClairBytes name)
{
	return name.size > 0 && cve_length(name) == name.size;
}

static void
add_name(Names *names, ClairBytes name)
{
	if (names->count > MAX_NAMES || names->exhausted)
		return;
	names->names = arena_grow_array(names->arena, names->names, names->count + 1, &names->capacity,
									sizeof(ClairBytes));
	names->exhausted = names->names == NULL;
	if (!names->exhausted)
		names->names[names->count++] = name;
}

/* Adds the CVEs that a title names. */
static void
add_named(Names *names, ClairBytes title)
{
	while (title.size > 0)
	{
		size_t length = cve_length(title);

		if (length > 0)
			add_name(names, (ClairBytes){title.data, length});
		title = clair_bytes_skip(title, length > 0 ? length : 1);
	}
}

/* The next reference of an update. */
static bool
next_reference(ClairBytes *content, XmlElement *reference)
{
	return xml_next_named(content, "reference", reference);
}

static bool
is_of_type(const XmlElement *reference, const char *type)
{
	return text_equal_ignoring_case(xml_attribute(reference, "type"), clair_bytes(type));
}

/*
 * Finds the CVEs that an update is about, in order, each once: those that references are of, else
 * those that their titles name. What is given out as the name of a CVE and is none is told.
 */
static ClairStatus
find_names(RecordFeed *feed, ClairBytes key, const XmlElement *update, Names *names,
		   ClairError *error)
{
	XmlElement references = xml_child(update, "references");
	ClairBytes content = references.content;
	XmlElement reference;
	bool by_title;
	ClairStatus status = CLAIR_OK;

	*names = (Names){.arena = feed->arena};
	while (status == CLAIR_OK && next_reference(&content, &reference))
	{
		ClairBytes id = text_trim(xml_attribute(&reference, "id"));

		if (updateinfo_is_cve(id))
			add_name(names, id);
		else if (is_of_type(&reference, "cve"))
			status = advisory_broken(&feed->writer, key, error, "a reference is not of a CVE");
	}
	by_title = names->count == 0;
	content = references.content;
	while (by_title && status == CLAIR_OK && next_reference(&content, &reference))
		add_named(names, xml_attribute(&reference, "title"));
	if (names->exhausted)
		return memory_error(error);
	names->count = name_list_order(names->names, names->count);
	return status;
}

/*
 * Where to read of a vulnerability of the update, by its references: what the update calls its own
 * page, else the vulnerability's, else the first one.
 */
static ClairBytes
find_link(const XmlElement *update, ClairBytes name)
{
	XmlElement references = xml_child(update, "references");
	XmlElement reference;
	ClairBytes first = CLAIR_NULL_BYTES;
	ClairBytes own = CLAIR_NULL_BYTES;

	while (next_reference(&references.content, &reference))
	{
		ClairBytes href = xml_attribute(&reference, "href");

		if (href.size == 0 || href.size > CLAIR_MAX_TEXT)
			continue;
		if (is_of_type(&reference, "self"))
			return href;
		if (first.data == NULL)
			first = href;
		if (own.data == NULL && clair_bytes_equal(xml_attribute(&reference, "id"), name))
			own = href;
	}
	return own.data != NULL ? own : first;
}

/* The text that describes a vulnerability of the update, or no value. */
static ClairBytes
find_description(const UpdateinfoSource *source, const XmlElement *update, ClairBytes name)
{
	XmlElement title = xml_child(update, "title");
	ClairBytes text = source->describe != NULL ? source->describe(update, name) : xml_text(&title);

	return text.size > 0 ? text : CLAIR_NULL_BYTES;
}

/* Writes the vulnerabilities of an update; all have the same ranges. */
static ClairStatus
write_names(RecordFeed *feed, const UpdateinfoSource *source, ClairBytes key, ClairBytes id,
			const XmlElement *update, const Names *names, AdvisoryRange *ranges,
			uint32_t range_count, ClairError *error)
{
	XmlElement severity = xml_child(update, "severity");
	ClairBytes word = severity_from_word(xml_text(&severity));
	ClairBytes link = CLAIR_NULL_BYTES;
	ClairStatus status = CLAIR_OK;

	if (source->link != NULL)
		link = source->link(feed->arena, id);
	else if (source->pages.size > 0)
		link = arena_printf(feed->arena, "%.*s%.*s", (int) source->pages.size, source->pages.data,
							(int) id.size, id.data);

	for (uint32_t i = 0; i < range_count; i++)
		ranges[i].severity = word;
	for (size_t i = 0; i < names->count && status == CLAIR_OK; i++)
	{
		Advisory advisory = {
			.record = key,
			.name = names->names[i],
			.description = find_description(source, update, names->names[i]),
			.link = link.data != NULL ? link : find_link(update, names->names[i]),
			.ranges = ranges,
			.range_count = range_count,
		};

		if (advisory.description.size > CLAIR_MAX_TEXT)
			status = advisory_broken(&feed->writer, key, error, "its description is too long");
		else
			status = advisory_write(&feed->writer, &advisory, error);
	}
	return status;
}

/* The id of an update. */
static ClairBytes
id_of(const XmlElement *update)
{
	XmlElement id = xml_child(update, "id");

	return xml_text(&id);
}

/* The record's key: the id behind the place; an id that comes once more has its number behind it.
 */
static ClairBytes
key_of(RecordFeed *feed, Updateinfo *updateinfo, ClairBytes id)
{
	ClairBytes place = updateinfo->source->place;
	uintptr_t times = 1 + (uintptr_t) text_map_find(&updateinfo->seen, id);
	ClairBytes copy = times == 1 ? arena_copy(updateinfo->arena, id) : id;
	void **slot = copy.data != NULL ? text_map_at(&updateinfo->seen, copy) : NULL;

	if (slot == NULL)
		return CLAIR_NULL_BYTES;
	*slot = (void *) times;
	if (times == 1)
		return arena_printf(feed->arena, "%.*s%.*s", (int) place.size, place.data, (int) id.size,
							id.data);
	return arena_printf(feed->arena, "%.*s%.*s#%zu", (int) place.size, place.data, (int) id.size,
						id.data, (size_t) times);
}

static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	Updateinfo *updateinfo = context;
	XmlElement update = xml_record(record->value);
	ClairBytes id = id_of(&update);

	if (!is_of_type(&update, "security"))
		return CLAIR_OK;
	*key = updateinfo->source->place;
	if (id.size == 0 || id.size > CLAIR_MAX_NAME || memchr(id.data, ' ', id.size) != NULL)
	{
		*problem = "its id is missing or too long, or has blanks in it";
		return CLAIR_OK;
	}
	*key = key_of(feed, updateinfo, id);
	return key->data != NULL ? CLAIR_OK : memory_error(error);
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	const Updateinfo *updateinfo = context;
	XmlElement update = xml_record(record->value);
	ClairBytes id = id_of(&update);
	AdvisoryRange *ranges;
	uint32_t range_count;
	const char *problem;
	Names names;
	ClairStatus status = updateinfo_ranges(feed, updateinfo->source, key, id, &update, &ranges,
										   &range_count, &problem, error);

	if (status == CLAIR_OK)
		status = find_names(feed, key, &update, &names, error);
	if (status != CLAIR_OK)
		return status;
	if (names.count == 0)
		names = (Names){.names = &id, .count = 1};
	if (problem == NULL && (names.count > MAX_NAMES || names.count * range_count > MAX_ROWS))
		problem = "it names too many vulnerabilities or packages";
	if (problem != NULL)
		return advisory_broken(&feed->writer, key, error, "%s", problem);
	if (range_count == 0)
		return CLAIR_OK;
	return write_names(feed, updateinfo->source, key, id, &update, &names, ranges, range_count,
					   error);
}

ClairStatus
updateinfo_read(RecordFeed *feed, ClairBytes document, int descriptor,
				const UpdateinfoSource *source, ClairError *error)
{
	static const RecordFormat format = {.cutter = &xml_record_cutter,
										.part = "updates/update",
										.identify = identify,
										.itemize = itemize};
	Updateinfo updateinfo = {.source = source,
							 .arena = arena_create(record_feed_memory(feed->limits))};
	ClairStatus status;

	updateinfo.seen.arena = updateinfo.arena;
	if (updateinfo.arena == NULL)
		return memory_error(error);
	status = record_feed_read(feed, document, descriptor, &format, &updateinfo, error);
	arena_destroy(updateinfo.arena);
	return status;
}
