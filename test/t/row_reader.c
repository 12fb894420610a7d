/*
 * Takes the place of clair-reader and, whatever the documents of an update are, gives the rows in
 * the file "rows" beside the program. Started by the server for 060_ranges.pl.
 *
 * A line is a row: the name of the relation and its columns, with tabs between them and "-" for no
 * value; columns that are missing have none.
 */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/connection.h"

static void
check(ClairStatus status, const ClairError *error)
{
	if (status == CLAIR_OK)
		return;
	fprintf(stderr, "%s\n", error->message);
	exit(1);
}

/* Opens the file; the server gives us neither arguments nor variables. */
static FILE *
open_rows(void)
{
	char path[PATH_MAX];
	char file[PATH_MAX + 8];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length <= 0)
		exit(1);
	path[length] = '\0';
	snprintf(file, sizeof(file), "%s/rows", dirname(path));
	return fopen(file, "r");
}

static int
relation_by_name(const char *name)
{
	for (int i = 0; i < WIRE_RELATION_COUNT; i++)
		if (strcmp(wire_relations[i].name, name) == 0)
			return i;
	fprintf(stderr, "there is no relation \"%s\"\n", name);
	exit(1);
}

static void
send_row(const ClairSink *sink, char *line, ClairError *error)
{
	ClairBytes fields[WIRE_MAX_COLUMNS] = {{0}};
	uint32_t count = 0;
	char *rest = NULL;
	int relation = relation_by_name(strtok_r(line, "\t\n", &rest));
	char *field;

	while (count < WIRE_MAX_COLUMNS && (field = strtok_r(NULL, "\t\n", &rest)) != NULL)
		fields[count++] = strcmp(field, "-") == 0 ? CLAIR_NULL_BYTES : clair_bytes(field);
	check(sink->row(sink->context, (WireRelation) relation, fields,
					(uint32_t) wire_relations[relation].column_count, error),
		  error);
}

int
main(void)
{
	Connection *connection;
	ConnectionFrame frame = {0};
	ClairError error;
	ClairSink sink;
	char line[4096];
	FILE *rows = open_rows();

	if (rows == NULL)
		return 1;
	check(connection_open(WIRE_SOCKET, "clair-reader", &connection, &error), &error);
	while (frame.type != WIRE_START)
		check(connection_receive(connection, &frame, &error), &error);
	sink = connection_sink(connection);
	while (fgets(line, sizeof(line), rows) != NULL)
		send_row(&sink, line, &error);
	check(connection_done(connection, &error), &error);
	fclose(rows);
	connection_close(connection);
	return 0;
}
