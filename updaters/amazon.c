/*
 * amazon.c
 *    Amazon Linux Security Center: updates in the repositories of Amazon Linux
 *
 * First document, "index": the list of mirrors of Amazon Linux 2023. It also stands for the other
 * releases on the same server, which are named then: live patches of 2023, 2022, the core of 2, and
 * the catalogue of the extras of 2, each of which is a repository of its own. Amazon Linux 1 is on
 * another server. In place of that list it may be a folder of repositories, each under the id that
 * yum has for it.
 *
 * A record is an advisory (ALAS). The release is the one that a package was built for, which each
 * of Amazon's says. What is published for x86_64 has the packages for aarch64, too.
 *
 * An extra may have another version of a package than the core has (kernel, php, postgresql), and
 * nothing in an installed package says which repository it is from. But extras are named for the
 * versions that they have, "kernel-5.10", and stay with them: a fix in such a version is about
 * packages from that version on, and never about the core's older ones.
 */
#include <stdio.h>

#include "common/text.h"
#include "updaters/rpm_repositories.h"

#define LINK	"https://alas.aws.amazon.com/"
#define CORE	CLAIR_LITERAL("amzn2-core/")
#define EXTRA	CLAIR_LITERAL("amzn2extra-")
#define CATALOG CLAIR_LITERAL("extras-catalog.json")

#define MAX_EXTRAS 1000
#define MAX_EXTRA  64 /* bytes of a name */
#define MAX_CVE	   32 /* likewise */

/* Where Amazon's server has the list of mirrors of Amazon Linux 2023, and those of the others. */
#define MIRRORS_OF_2023 CLAIR_LITERAL("/al2023/core/mirrors/latest/x86_64/mirror.list")

static const struct
{
	const char *place;
	const char *document;
	const char *path;
} others[] = {
	{"al2023-livepatch/", "mirror.list",
	 "/al2023/kernel-livepatch/mirrors/latest/x86_64/mirror.list"},
	{"al2022-core/", "mirror.list", "/al2022/core/mirrors/latest/x86_64/mirror.list"},
	{"amzn2-core/", "mirror.list", "/2/core/latest/x86_64/mirror.list"},
	{"", "extras-catalog.json", "/2/extras-catalog-x86_64.json"},
};

/* Names what Amazon's server has beside the list of mirrors that is the index. */
static ClairStatus
name_others(const UpdaterJob *job, const UpdaterDocument *index, Arena *arena, ClairError *error)
{
	ClairBytes server = {index->url.data, index->url.size - MIRRORS_OF_2023.size};
	ClairStatus status = CLAIR_OK;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && status == CLAIR_OK; i++)
	{
		ClairBytes url = arena_printf(arena, "%.*s%s", (int) server.size, server.data,
									  others[i].path);

		if (url.data == NULL)
			return clair_error(error, CLAIR_MEMORY, "there is not enough memory for the index");
		status = rpm_repository_name(job, index, clair_bytes(others[i].place), others[i].document,
									 url, true, error);
	}
	return status;
}

/* Whether the name of an extra can be part of a path. */
static bool
is_plain(ClairBytes name)
{
	for (size_t i = 0; i < name.size; i++)
	{
		char byte = text_lower(name.data[i]);

		if (!(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') &&
			(i == 0 || strchr("._-+", byte) == NULL || byte == '\0'))
			return false;
	}
	return name.size > 0 && name.size <= MAX_EXTRA;
}

static ClairStatus
name_extra(const UpdaterJob *job, const UpdaterDocument *catalog, ClairBytes extra,
		   ClairError *error)
{
	char place[MAX_EXTRA + 16];
	char url[MAX_EXTRA + 64];

	if (!is_plain(extra))
		return clair_error(error, CLAIR_INVALID, "the name of an extra is none");
	snprintf(place, sizeof(place), "amzn2extra-%.*s/", (int) extra.size, extra.data);
	snprintf(url, sizeof(url), "extras/%.*s/latest/x86_64/mirror.list", (int) extra.size,
			 extra.data);
	return rpm_repository_name(job, catalog, clair_bytes(place), "mirror.list", clair_bytes(url),
							   true, error);
}

/* Takes the name off an element of the catalogue's topics. */
static ClairBytes
take_topic(JsonCursor *cursor)
{
	ClairBytes name = CLAIR_NULL_BYTES;
	ClairBytes member;

	json_enter(cursor, JSON_OBJECT);
	while (json_next_member(cursor, &member))
		if (clair_bytes_equal(member, CLAIR_LITERAL("n")))
			json_text(cursor, &name);
		else
			json_skip(cursor);
	return name;
}

/* Names the extras of the catalogue: {"topics": [{"n": "kernel-5.10"}]}. */
static ClairStatus
read_catalog(const UpdaterJob *job, const UpdaterDocument *catalog, Arena *arena, ClairError *error)
{
	ClairBytes text;
	ClairBytes member;
	size_t count = 0;
	ClairStatus status = record_feed_load(job->limits, catalog->descriptor, arena, &text, error);
	JsonCursor cursor = json_cursor(text, arena);

	if (status != CLAIR_OK)
		return status;
	json_enter(&cursor, JSON_OBJECT);
	while (status == CLAIR_OK && json_next_member(&cursor, &member))
	{
		if (!clair_bytes_equal(member, CLAIR_LITERAL("topics")))
		{
			json_skip(&cursor);
			continue;
		}
		json_enter(&cursor, JSON_ARRAY);
		while (status == CLAIR_OK && json_next_element(&cursor))
		{
			ClairBytes extra = take_topic(&cursor);

			if (++count > MAX_EXTRAS)
				status = clair_error(error, CLAIR_LIMIT, "it has too many extras");
			else if (cursor.status == CLAIR_OK)
				status = name_extra(job, catalog, extra, error);
		}
	}
	if (status == CLAIR_OK && !json_end(&cursor))
		status = clair_error(error, cursor.status, "byte %zu: %s", cursor.position, cursor.problem);
	if (status == CLAIR_OK && count == 0)
		status = clair_error(error, CLAIR_INVALID, "it names no extra");
	return status;
}

static ClairStatus
see(const UpdaterJob *job, const UpdaterDocument *document, Arena *arena, bool *done,
	ClairError *error)
{
	ClairStatus status = CLAIR_OK;

	*done = clair_bytes_equal(document->name, CATALOG);
	if (*done)
		status = read_catalog(job, document, arena, error);
	else if (clair_bytes_equal(document->name, CLAIR_LITERAL("index")) &&
			 clair_bytes_end_with(document->url, MIRRORS_OF_2023))
		status = name_others(job, document, arena, error);
	if (status != CLAIR_OK && status != CLAIR_STOPPED && status != CLAIR_PROTOCOL)
		clair_error_in(error, "document \"%.*s\"", (int) document->name.size, document->name.data);
	return status;
}

static bool
may_lack(ClairBytes place)
{
	return place.size > 0 && !clair_bytes_equal(place, CORE);
}

static bool
is_digit(ClairBytes text, size_t i)
{
	return i < text.size && text.data[i] >= '0' && text.data[i] <= '9';
}

/* The versions that an extra is named for are its lines: 10.2 and 7.2 of "mariadb10.2-php7.2". */
static ClairStatus
complete(ClairBytes place, Arena *arena, UpdateinfoSource *updates, ClairError *error)
{
	(void) arena;
	(void) error;
	if (!clair_bytes_start_with(place, EXTRA))
		return CLAIR_OK;
	for (size_t i = EXTRA.size, begin; i < place.size; i++)
	{
		if (!is_digit(place, i))
			continue;
		for (begin = i; is_digit(place, i) || (place.data[i] == '.' && is_digit(place, i + 1)); i++)
			;
		if (updates->line_count < UPDATEINFO_MAX_LINES)
			updates->lines[updates->line_count++] = (ClairBytes){place.data + begin, i - begin};
	}
	return CLAIR_OK;
}

/*
 * The page of an advisory: AL2/ALASKERNEL-5.15-2022-001.html of ALAS2KERNEL-5.15-2022-001,
 * ALAS-2018-1093.html of ALAS-2018-1093, which is of Amazon Linux 1.
 */
static ClairBytes
link_of(Arena *arena, ClairBytes id)
{
	static const ClairBytes begin = CLAIR_LITERAL("ALAS");
	ClairBytes release;
	ClairBytes rest;

	if (!is_plain(id) || !clair_bytes_start_with(id, begin))
		return CLAIR_NULL_BYTES;
	rest = release = clair_bytes_skip(id, begin.size);
	while (is_digit(rest, 0))
		rest = clair_bytes_skip(rest, 1);
	release.size -= rest.size;
	if (release.size == 0)
		return arena_printf(arena, LINK "%.*s.html", (int) id.size, id.data);
	return arena_printf(arena, LINK "AL%.*s/ALAS%.*s.html", (int) release.size, release.data,
						(int) rest.size, rest.data);
}

static const char *
find(ClairBytes text, ClairBytes part)
{
	return text.size > 0 ? memmem(text.data, text.size, part.data, part.size) : NULL;
}

/* Whether a line is the heading of a CVE's text, "CVE-2031-1001:". */
static bool
is_heading(ClairBytes line)
{
	line = text_trim(line);
	if (!clair_bytes_end_with(line, CLAIR_LITERAL(":")))
		return false;
	line.size--;
	return updateinfo_is_cve(line);
}

/* Whether nothing but blanks is before a place of the text in its line. */
static bool
begins_line(ClairBytes text, const char *at)
{
	while (at > text.data && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	return at == text.data || at[-1] == '\n';
}

/* The text below the heading of a CVE, up to the next heading; or no value. */
static ClairBytes
text_below(ClairBytes text, ClairBytes name)
{
	ClairBytes rest = text;
	const char *heading;
	const char *begin;
	ClairBytes line;

	while ((heading = find(rest, name)) != NULL)
	{
		rest = clair_bytes_skip(rest, (size_t) (heading - rest.data));
		(void) text_next_line(&rest, &line);
		if (begins_line(text, heading) && is_heading(line) && text_trim(line).size == name.size + 1)
			break;
	}
	begin = rest.data;
	if (heading == NULL)
		return CLAIR_NULL_BYTES;
	while (text_next_line(&rest, &line))
		if (is_heading(line))
			return text_trim((ClairBytes){begin, (size_t) (line.data - begin)});
	return text_trim((ClairBytes){begin, (size_t) (text.data + text.size - begin)});
}

/* The text that ends with "(CVE-2031-1001)", from where that of another CVE ends on; or no value.
 */
static ClairBytes
text_before(ClairBytes text, ClairBytes name)
{
	const char *found = find(text, name);
	ClairBytes before;
	const char *end;

	while (found != NULL && (found == text.data || found[-1] != '(' ||
							 found + name.size == text.data + text.size || found[name.size] != ')'))
		found = find(clair_bytes_skip(text, (size_t) (found + 1 - text.data)), name);
	if (found == NULL)
		return CLAIR_NULL_BYTES;
	before = (ClairBytes){text.data, (size_t) (found - 1 - text.data)};
	for (ClairBytes rest = before; (end = memrchr(rest.data, ')', rest.size)) != NULL;)
	{
		ClairBytes near;
		const char *open;

		rest.size = (size_t) (end - rest.data);
		near = clair_bytes_skip(rest, rest.size < MAX_CVE ? 0 : rest.size - MAX_CVE);
		open = memrchr(near.data, '(', near.size);
		if (open != NULL && updateinfo_is_cve((ClairBytes){open + 1, (size_t) (end - open - 1)}))
			return text_trim(clair_bytes_skip(before, (size_t) (end + 1 - before.data)));
	}
	return text_trim(before);
}

/* An advisory has the texts on all of its CVEs; a vulnerability is described by its own. */
static ClairBytes
describe(const XmlElement *update, ClairBytes name)
{
	XmlElement description = xml_child(update, "description");
	XmlElement title = xml_child(update, "title");
	ClairBytes text = xml_text(&description);
	ClairBytes own = CLAIR_NULL_BYTES;

	if (text.size <= CLAIR_MAX_TEXT)
		own = text_below(text, name);
	if (own.size == 0 && text.size <= CLAIR_MAX_TEXT)
		own = text_before(text, name);
	return own.size > 0 ? own : xml_text(&title);
}

static ClairStatus
amazon_read(const UpdaterJob *job, ClairError *error)
{
	static const RpmRepositories repositories = {
		.updates = {.namespace = CLAIR_LITERAL("amzn"), .describe = describe, .link = link_of},
		.complete = complete,
		.may_lack = may_lack,
		.see = see};

	return rpm_repositories_read(&repositories, job, error);
}

const Updater updater_amazon = {"amazon", amazon_read};
const Updater updater_amazon_1 = {"amazon-1", amazon_read};
