/*
 * archive_floor.c
 *    What reading an archive of JSON documents costs at least: archive_floor FILE
 *
 * Walks the archive with libarchive and has json-c parse each file, as a program would that has
 * neither limits nor digests and makes nothing of what it reads. Prints how many files there are.
 * Benchmarks measure readers against it.
 */
#include <archive.h>
#include <archive_entry.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

static void
fail(const char *what)
{
	fprintf(stderr, "archive_floor: %s\n", what);
	exit(1);
}

static void
parse_file(struct archive *archive, struct json_tokener *tokener, size_t size)
{
	char *text = malloc(size + 1);
	struct json_object *object;

	if (text == NULL || archive_read_data(archive, text, size) != (la_ssize_t) size)
		fail("could not read a file");
	text[size] = '\0';
	json_tokener_reset(tokener);
	object = json_tokener_parse_ex(tokener, text, (int) size + 1);
	if (object == NULL)
		fail("a file is not JSON");
	json_object_put(object);
	free(text);
}

int
main(int argument_count, char **arguments)
{
	struct archive *archive = archive_read_new();
	struct json_tokener *tokener = json_tokener_new_ex(64);
	struct archive_entry *entry;
	int files = 0;

	if (argument_count != 2 || archive == NULL || tokener == NULL)
		fail("usage: archive_floor FILE");
	archive_read_support_format_tar(archive);
	archive_read_support_filter_all(archive);
	if (archive_read_open_filename(archive, arguments[1], 1 << 16) != ARCHIVE_OK)
		fail("could not open the archive");
	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK)
	{
		parse_file(archive, tokener, (size_t) archive_entry_size(entry));
		files++;
	}
	json_tokener_free(tokener);
	archive_read_free(archive);
	printf("%d files\n", files);
	return 0;
}
