/*
 * ubuntu_tracker.c
 *    The Ubuntu CVE tracker's own files: https://git.launchpad.net/ubuntu-cve-tracker
 *
 * The first document is an archive of the tracker, or the listing of a folder with such archives,
 * which are then read in a second round. A record is a file "active/CVE-..." or "retired/CVE-...",
 * wherever these folders lie in the archive; "ignored", what never concerned Ubuntu, is passed
 * over. A file consists of lines:
 *
 *	  Priority: medium
 *	  Priority_<package>: low, Priority_<package>_<channel>: low
 *	  <channel>_<package>: <status> (<note>)
 *
 * and lines after "Description:" and "References:" that begin with a blank. The same channel of a
 * package twice: the last one counts. Channels that are no packages of a release (upstream, snaps,
 * appliances) are passed over; a codename that is not known is told once.
 */
#include <stdlib.h>

#include "common/text.h"
#include "feed/file_records.h"
#include "feed/name_list.h"
#include "feed/record_feed.h"
#include "feed/ubuntu_statement.h"
#include "feed/unknown_words.h"
#include "updaters/updater.h"

#define LINK		   "https://ubuntu.com/security/"
#define FILE_PATTERN   "*CVE-*"
#define MAX_PRIORITIES 256 /* of packages, in a file: each status is held against them */
#define MEMORY_PROBLEM "there is not enough memory for the record"

/* What stands before the colon of a line, and behind it. */
typedef struct Line
{
	ClairBytes key;
	ClairBytes value;
} Line;

/* "Priority_<package>", perhaps of one channel. */
typedef struct Priority
{
	ClairBytes package;
	ClairBytes channel; /* no value: all of them */
	ClairBytes word;
} Priority;

/* "<channel>_<package>". */
typedef struct Status
{
	ClairBytes package;
	ClairBytes channel;
	ClairBytes value;
} Status;

/* A list of lines that begin with a blank. */
typedef enum Section
{
	SECTION_OTHER,
	SECTION_DESCRIPTION,
	SECTION_OUR_DESCRIPTION,
	SECTION_REFERENCES
} Section;

/* A file being read. */
typedef struct File
{
	ClairBytes name; /* of the vulnerability, and the record's key */
	ClairBytes candidate;
	ClairBytes priority;
	ClairBytes description;
	ClairBytes our_description; /* Ubuntu's, which is rare, and counts when there is no other */
	Priority priorities[MAX_PRIORITIES];
	size_t priority_count;
	Status *statuses;
	size_t status_count;
	size_t status_capacity;
	ClairBytes *notices;
	size_t notice_count;
	size_t notice_capacity;
	bool exhausted; /* the arena */
} File;

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static size_t
count_digits(ClairBytes text)
{
	size_t count = 0;

	while (count < text.size && text.data[count] >= '0' && text.data[count] <= '9')
		count++;
	return count;
}

/* The first word of a text. */
static ClairBytes
first_word(ClairBytes text)
{
	size_t size = 0;

	while (size < text.size && !is_blank(text.data[size]) && text.data[size] != '(')
		size++;
	return (ClairBytes){text.data, size};
}

/* Cuts the text in two at its last "_"; false when there is none, or nothing before it. */
static bool
cut_at_last(ClairBytes text, ClairBytes *before, ClairBytes *after)
{
	const char *at = text.size > 0 ? memrchr(text.data, '_', text.size) : NULL;

	if (at == NULL || at == text.data)
		return false;
	*before = (ClairBytes){text.data, (size_t) (at - text.data)};
	*after = clair_bytes_skip(text, before->size + 1);
	return true;
}

/* Takes a line apart that has a key. */
static bool
take_key(ClairBytes text, Line *line)
{
	const char *colon = text.size > 0 ? memchr(text.data, ':', text.size) : NULL;

	if (colon == NULL || text.data[0] == '#')
		return false;
	line->key = text_trim((ClairBytes){text.data, (size_t) (colon - text.data)});
	line->value = text_trim(clair_bytes_skip(text, (size_t) (colon - text.data) + 1));
	return first_word(line->key).size == line->key.size;
}

/* Adds a line to a description, which becomes one long line. */
static void
add_words(Arena *arena, File *file, ClairBytes *description, ClairBytes record, ClairBytes line)
{
	char *text = (char *) description->data;

	line = text_trim(line);
	if (line.size == 0 || file->exhausted)
		return;
	if (text == NULL)
		text = arena_alloc(arena, record.size); /* more than all of its lines */
	file->exhausted = text == NULL;
	if (text == NULL)
		return;
	if (description->size > 0)
		text[description->size++] = ' ';
	memcpy(text + description->size, line.data, line.size);
	*description = (ClairBytes){text, description->size + line.size};
}

/* Adds the security notices that a reference names: "https://.../USN-9001-1". */
static void
add_notices(Arena *arena, File *file, ClairBytes line)
{
	static const ClairBytes prefix = CLAIR_LITERAL("USN-");
	const char *at;

	while (!file->exhausted &&
		   (at = memmem(line.data, line.size, prefix.data, prefix.size)) != NULL)
	{
		ClairBytes notice = {at, prefix.size};
		ClairBytes rest = clair_bytes_skip(line, (size_t) (at - line.data) + prefix.size);
		size_t digits = count_digits(rest);

		line = rest;
		if (digits == 0 || digits == rest.size || rest.data[digits] != '-')
			continue;
		notice.size += digits + 1;
		digits = count_digits(clair_bytes_skip(rest, digits + 1));
		notice.size += digits;
		if (digits == 0 || notice.size > CLAIR_MAX_NAME)
			continue;
		file->notices = arena_grow_array(arena, file->notices, file->notice_count + 1,
										 &file->notice_capacity, sizeof(ClairBytes));
		file->exhausted = file->notices == NULL;
		if (!file->exhausted)
			file->notices[file->notice_count++] = notice;
	}
}

static void
add_section_line(Arena *arena, File *file, Section section, ClairBytes record, ClairBytes line)
{
	if (section == SECTION_DESCRIPTION)
		add_words(arena, file, &file->description, record, line);
	else if (section == SECTION_OUR_DESCRIPTION)
		add_words(arena, file, &file->our_description, record, line);
	else if (section == SECTION_REFERENCES)
		add_notices(arena, file, line);
}

/* The section that a line's key begins. */
static Section
section_of(ClairBytes key)
{
	if (clair_bytes_equal(key, CLAIR_LITERAL("Description")))
		return SECTION_DESCRIPTION;
	if (clair_bytes_equal(key, CLAIR_LITERAL("Ubuntu-Description")))
		return SECTION_OUR_DESCRIPTION;
	if (clair_bytes_equal(key, CLAIR_LITERAL("References")))
		return SECTION_REFERENCES;
	return SECTION_OTHER;
}

/* Adds "Priority_<package>" or "Priority_<package>_<channel>"; the key is what follows the "_". */
static ClairStatus
add_priority(RecordFeed *feed, File *file, const Line *line, ClairBytes key, ClairError *error)
{
	Priority priority = {.package = key, .word = first_word(line->value)};
	const char *at = key.size > 0 ? memchr(key.data, '_', key.size) : NULL;

	if (at != NULL)
	{
		priority.package.size = (size_t) (at - key.data);
		priority.channel = clair_bytes_skip(key, priority.package.size + 1);
	}
	if (file->priority_count == MAX_PRIORITIES)
		return advisory_broken(&feed->writer, file->name, error,
							   "%.*s: there are too many priorities; it is left out",
							   (int) line->key.size, line->key.data);
	file->priorities[file->priority_count++] = priority;
	return CLAIR_OK;
}

static void
add_status(Arena *arena, File *file, const Line *line)
{
	Status status = {.value = line->value};

	if (!cut_at_last(line->key, &status.channel, &status.package))
		return;
	file->statuses = arena_grow_array(arena, file->statuses, file->status_count + 1,
									  &file->status_capacity, sizeof(Status));
	file->exhausted = file->statuses == NULL;
	if (!file->exhausted)
		file->statuses[file->status_count++] = status;
}

/* Takes a line that has a key. */
static ClairStatus
take_line(RecordFeed *feed, File *file, const Line *line, ClairError *error)
{
	static const ClairBytes priority = CLAIR_LITERAL("Priority_");

	if (clair_bytes_equal(line->key, CLAIR_LITERAL("Candidate")))
		file->candidate = line->value;
	else if (clair_bytes_equal(line->key, CLAIR_LITERAL("Priority")))
		file->priority = first_word(line->value);
	else if (clair_bytes_start_with(line->key, priority))
		return add_priority(feed, file, line, clair_bytes_skip(line->key, priority.size), error);
	else if (!clair_bytes_start_with(line->key, CLAIR_LITERAL("Patches_")) &&
			 !clair_bytes_start_with(line->key, CLAIR_LITERAL("Tags_")))
		add_status(feed->arena, file, line);
	return CLAIR_OK;
}

static ClairStatus
take_lines(RecordFeed *feed, File *file, ClairBytes record, ClairError *error)
{
	ClairStatus status = CLAIR_OK;
	Section section = SECTION_OTHER;
	ClairBytes rest = record;
	ClairBytes text;
	Line line;

	while (status == CLAIR_OK && !file->exhausted && text_next_line(&rest, &text))
	{
		if (text.size > 0 && is_blank(text.data[0]))
			add_section_line(feed->arena, file, section, record, text);
		else if (take_key(text, &line))
		{
			section = section_of(line.key);
			add_section_line(feed->arena, file, section, record, line.value);
			status = take_line(feed, file, &line, error);
		}
	}
	if (status == CLAIR_OK && file->exhausted)
		status = clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	return status;
}

/* The severity of a package in a channel: that of the priority that is most about it. */
static ClairBytes
severity_of(const File *file, const Status *status)
{
	ClairBytes word = file->priority;

	for (size_t i = 0; i < file->priority_count; i++)
	{
		const Priority *priority = &file->priorities[i];

		if (!clair_bytes_equal(priority->package, status->package))
			continue;
		if (priority->channel.data == NULL)
			word = priority->word;
		else if (clair_bytes_equal(priority->channel, status->channel))
			return ubuntu_severity(priority->word);
	}
	return ubuntu_severity(word);
}

/* Whether the note to an "ignored" says that the release, or the package, had come to its end. */
static bool
is_end_of_life(ClairBytes note)
{
	static const char *const phrases[] = {"end of life", "end-of-life", "end of standard support",
										  "out of standard support", "end of kernel support"};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (note.size > 0 && memmem(note.data, note.size, phrases[i], strlen(phrases[i])) != NULL)
			return true;
	return false;
}

/* What stands in parentheses behind the status, however many and whether they match or not. */
static ClairBytes
take_note(ClairBytes text)
{
	text = text_trim(text);
	while (text.size > 0 && (text.data[0] == '(' || is_blank(text.data[0])))
		text = clair_bytes_skip(text, 1);
	while (text.size > 0 && (text.data[text.size - 1] == ')' || is_blank(text.data[text.size - 1])))
		text.size--;
	return text;
}

/* Fills status and fix from the value of a line. NULL, or why it cannot. */
static const char *
judge(ClairBytes value, UbuntuStatement *statement)
{
	static const struct
	{
		ClairBytes word;
		UbuntuStatus status;
	} words[] = {
		{CLAIR_LITERAL("DNE"), UBUNTU_ABSENT},
		{CLAIR_LITERAL("not-affected"), UBUNTU_NOT_AFFECTED},
		{CLAIR_LITERAL("needs-triage"), UBUNTU_UNDER_INVESTIGATION},
		{CLAIR_LITERAL("needed"), UBUNTU_AFFECTED},
		{CLAIR_LITERAL("active"), UBUNTU_AFFECTED},
		{CLAIR_LITERAL("in-progress"), UBUNTU_AFFECTED},
		{CLAIR_LITERAL("pending"), UBUNTU_AFFECTED}, /* its version is not published yet */
		{CLAIR_LITERAL("deferred"), UBUNTU_DEFERRED},
		{CLAIR_LITERAL("ignored"), UBUNTU_WILL_NOT_FIX},
		{CLAIR_LITERAL("released"), UBUNTU_FIXED},
	};
	ClairBytes word = first_word(value);
	ClairBytes note = take_note(clair_bytes_skip(value, word.size));
	size_t i = 0;

	while (i < sizeof(words) / sizeof(words[0]) && !clair_bytes_equal(words[i].word, word))
		i++;
	if (i == sizeof(words) / sizeof(words[0]))
		return "its status is not known";
	statement->status = words[i].status;
	if (statement->status == UBUNTU_WILL_NOT_FIX && is_end_of_life(note))
		statement->status = UBUNTU_END_OF_LIFE;
	if (statement->status == UBUNTU_FIXED)
		statement->fixed = note;
	return NULL;
}

static ClairStatus
broken_status(RecordFeed *feed, const File *file, const Status *status, const char *problem,
			  ClairError *error)
{
	return advisory_broken(&feed->writer, file->name, error, "%.*s_%.*s: %s",
						   (int) status->channel.size, status->channel.data,
						   (int) status->package.size, status->package.data, problem);
}

/* Tells once that a codename is not known. */
static ClairStatus
tell_unknown(RecordFeed *feed, UnknownWords *unknown, const File *file, const Status *status,
			 ClairError *error)
{
	if (!unknown_words_add(unknown, status->channel))
		return CLAIR_OK;
	return broken_status(feed, file, status, "the release is not known; its entries are left out",
						 error);
}

/* Adds what a line says of a package in a channel. */
static ClairStatus
add_statement(RecordFeed *feed, UnknownWords *unknown, const File *file, const Status *status,
			  UbuntuStatements *statements, ClairError *error)
{
	UbuntuStatement statement = {.package = status->package};
	UbuntuPlace place = ubuntu_channel(status->channel, &statement.channel);
	ClairStatus done = CLAIR_OK;
	const char *problem;

	if (place == UBUNTU_OTHER)
		return CLAIR_OK;
	if (place == UBUNTU_UNKNOWN)
		return tell_unknown(feed, unknown, file, status, error);
	statement.severity = severity_of(file, status);
	problem = judge(status->value, &statement);
	if (problem == NULL)
		done = ubuntu_statement_add(feed, statements, &statement, &problem, error);
	if (done == CLAIR_OK && problem != NULL)
		done = broken_status(feed, file, status, problem, error);
	return done;
}

/* By package and channel, the same ones in the order of the file. */
static int
compare_statuses(const void *left, const void *right)
{
	const Status *a = left;
	const Status *b = right;
	int order = clair_bytes_compare(a->package, b->package);

	if (order == 0)
		order = clair_bytes_compare(a->channel, b->channel);
	return order != 0 ? order : (a->value.data > b->value.data) - (a->value.data < b->value.data);
}

static ClairStatus
add_statements(RecordFeed *feed, UnknownWords *unknown, File *file, UbuntuStatements *statements,
			   ClairError *error)
{
	ClairStatus done = CLAIR_OK;

	if (file->status_count > 0)
		qsort(file->statuses, file->status_count, sizeof(Status), compare_statuses);
	for (size_t i = 0; i < file->status_count && done == CLAIR_OK; i++)
	{
		const Status *status = &file->statuses[i];

		if (i + 1 < file->status_count && clair_bytes_equal(status[0].package, status[1].package) &&
			clair_bytes_equal(status[0].channel, status[1].channel))
			done = broken_status(feed, file, status, "it is there twice: the first is left out",
								 error);
		else
			done = add_statement(feed, unknown, file, status, statements, error);
	}
	return done;
}

/* Writes the file's vulnerability. */
static ClairStatus
write_file(RecordFeed *feed, File *file, UbuntuStatements *statements, ClairError *error)
{
	ClairBytes description = file->description.size > 0 ? file->description : file->our_description;
	Advisory advisory = {.record = file->name, .name = file->name};
	ClairBytes fixed_by;

	if (description.size > CLAIR_MAX_TEXT)
		return advisory_broken(&feed->writer, file->name, error, "its description is too long");
	file->notice_count = name_list_order(file->notices, file->notice_count);
	advisory.aliases = name_list_join(feed->arena, file->notices, file->notice_count);
	advisory.link = arena_printf(feed->arena, LINK "%.*s", (int) file->name.size, file->name.data);
	if (description.size > 0)
		advisory.description = text_escape(feed->arena, description);
	if (advisory.link.data == NULL || (file->notice_count > 0 && advisory.aliases.data == NULL) ||
		(description.size > 0 && advisory.description.data == NULL))
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	fixed_by = file->notice_count == 1 ? file->notices[0] : CLAIR_NULL_BYTES;
	return ubuntu_statements_write(feed, statements, &advisory, fixed_by, UBUNTU_ALL, error);
}

static ClairStatus
itemize(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes key,
		ClairError *error)
{
	File *file = arena_alloc(feed->arena, sizeof(File));
	UbuntuStatements statements = {0};
	ClairStatus status;

	if (file == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	file->name = key;
	status = take_lines(feed, file, record->value, error);
	if (status != CLAIR_OK)
		return status;
	if (!clair_bytes_equal(file->candidate, key))
		return advisory_broken(&feed->writer, key, error, "its \"Candidate\" is not %.*s",
							   (int) key.size, key.data);
	status = add_statements(feed, context, file, &statements, error);
	return status == CLAIR_OK ? write_file(feed, file, &statements, error) : status;
}

/* Whether a path leads to a file in a folder of this name. */
static bool
is_in(ClairBytes path, const char *folder, ClairBytes file)
{
	ClairBytes place = {path.data, path.size - file.size};

	return clair_bytes_end_with(place, clair_bytes(folder)) &&
		   (place.size == strlen(folder) || place.data[place.size - strlen(folder) - 1] == '/');
}

/* A record is a file of the tracker, and its key the file's name. */
static ClairStatus
identify(RecordFeed *feed, void *context, const FeedRecord *record, ClairBytes *key,
		 const char **problem, ClairError *error)
{
	const char *slash = memrchr(record->name.data, '/', record->name.size);
	ClairBytes name = clair_bytes_skip(record->name, slash != NULL
														 ? (size_t) (slash - record->name.data) + 1
														 : 0);

	(void) feed;
	(void) context;
	(void) error;
	*key = CLAIR_NULL_BYTES;
	if (!clair_bytes_start_with(name, CLAIR_LITERAL("CVE-")) ||
		(!is_in(record->name, "active/", name) && !is_in(record->name, "retired/", name)))
		return CLAIR_OK;
	*key = name;
	if (name.size > CLAIR_MAX_NAME || memchr(name.data, ' ', name.size) != NULL)
		*problem = "its name is no vulnerability's";
	return CLAIR_OK;
}

static ClairStatus
ubuntu_tracker_read(const UpdaterJob *job, ClairError *error)
{
	static const RecordFormat format = {.cutter = &archive_record_cutter,
										.part = FILE_PATTERN,
										.identify = identify,
										.itemize = itemize};
	UnknownWords unknown = {0};

	return updater_read_archives(job, &format, &unknown, NULL, error);
}

const Updater updater_ubuntu_tracker = {"ubuntu-tracker", ubuntu_tracker_read};
