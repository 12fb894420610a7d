/* Proves that the lists of EPSS and Red Hat are read: each record with the fields that it has. */
#include <fcntl.h>

#include "common/arena.h"
#include "common/stream.h"
#include "feed/csv.h"
#include "unit.h"

static const ClairLimits limits = {CLAIR_LIMITS(CLAIR_LIMIT_INITIALIZER)};

/*
 * Reads a document with so many fields in each record and, but for lines without it, with this
 * beginning in the first; says how many records there are.
 */
static void
check_document(const char *name, size_t expected, const char *beginning, int others)
{
	const char *path = unit_data(name);
	int descriptor = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	Arena *arena = arena_create(1 << 20);
	ClairStream *file;
	ClairStream *stream;
	void *records;
	FeedRecord record;
	ClairBytes fields[4];
	ClairError error;
	ClairStatus status;
	bool found;
	size_t count;
	int begin_so = 0;
	int begin_otherwise = 0;
	int broken = 0;

	if (descriptor < 0)
		return;
	if (stream_open_file(descriptor, 0, -1, &file, &error) != CLAIR_OK ||
		stream_open_decompressed(file, limits.max_document_size, "clair.max_document_size",
								 limits.max_ratio, &stream, &error) != CLAIR_OK ||
		csv_record_cutter.open(stream, NULL, &limits, &records, &error) != CLAIR_OK)
		abort();
	while ((status = csv_record_cutter.next(records, &record, &found, &error)) == CLAIR_OK && found)
	{
		if (csv_fields(arena, record.value, fields, 4, &count) != NULL)
			broken++;
		else if (count == expected && clair_bytes_start_with(fields[0], clair_bytes(beginning)))
			begin_so++;
		else
			begin_otherwise++;
	}
	CHECK_INT(status, CLAIR_OK, name);
	CHECK_INT(broken, 0, "no record is broken");
	CHECK_INT(begin_otherwise, others, "these are not rows");
	CHECK(begin_so > 0, "there are rows");
	printf("# %d rows\n", begin_so);
	csv_record_cutter.close(records);
	stream->close(stream);
	close(descriptor);
	arena_destroy(arena);
}

int
main(void)
{
	/* A line of comment and one of headings. */
	check_document("feeds/epss/epss_scores-current.csv.gz", 3, "CVE-", 2);
	check_document("feeds/redhat/vuls-redhat-vex-v1/testdata/fixtures/changes.csv", 2, "20", 0);
	check_document("feeds/redhat/vuls-redhat-vex-v1/testdata/fixtures/deletions.csv", 2, "20", 0);
	return unit_result();
}
