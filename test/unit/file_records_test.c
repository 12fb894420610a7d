/*
 * file_records_test.c
 *    Proves that the records of an archive are its files whose names are accepted, of tars and
 *    zips, also of a zip in a zip; that what else is in it does no harm; and that what is too
 *    large or damaged is refused.
 */
#include "common/entries.h"
#include "common/limits.h"
#include "common/stream.h"
#include "dripping.h"
#include "feed/file_records.h"
#include "feed/record_feed.h"
#include "tar_writer.h"
#include "unit.h"
#include "zip_writer.h"

static ClairLimits limits;

/* The records as "name=value;", or the error. */
static const char *
cut_stream(const RecordCutter *cutter, ClairStream *stream, const char *pattern)
{
	static char result[4096];
	size_t size = 0;
	ClairError error;
	void *records;
	FeedRecord record;
	bool found = true;
	ClairStatus status = cutter->open(stream, pattern, &limits, &records, &error);

	if (status != CLAIR_OK)
		records = NULL;
	result[0] = '\0';
	while (status == CLAIR_OK &&
		   (status = cutter->next(records, &record, &found, &error)) == CLAIR_OK && found)
		size += (size_t) snprintf(result + size, sizeof(result) - size, "%.*s=%.*s;",
								  (int) record.name.size, record.name.data,
								  record.value.size < 100 ? (int) record.value.size : 100,
								  record.problem != NULL ? record.problem : record.value.data);
	if (status != CLAIR_OK)
		snprintf(result, sizeof(result), "%s|%s", error.message,
				 status == CLAIR_LIMIT ? error.hint : "");
	else
		CHECK(cutter->size(records) > 0, "bytes of the document are counted");
	cutter->close(records);
	return result;
}

static const char *
cut_bytes(const RecordCutter *cutter, ClairBytes bytes, const char *pattern)
{
	ClairStream *stream;
	ClairError error;
	const char *result;

	if (stream_open_bytes(bytes, &stream, &error) != CLAIR_OK)
		abort();
	result = cut_stream(cutter, stream, pattern);
	stream->close(stream);
	return result;
}

#define CHECK_CUT(bytes, pattern, expected, what)                                                  \
	CHECK_TEXT(clair_bytes(cut_bytes(&archive_record_cutter, bytes, pattern)), expected, what)

static void
test_tar(void)
{
	TarWriter tar = {0};
	ClairBytes bytes;

	tar_directory(&tar, "2031/");
	tar_file(&tar, "./2031/cve-2031-0001.json", "one");
	tar_file(&tar, "2031/readme.txt", "not this");
	tar_symlink(&tar, "2031/cve-2031-0002.json", "/etc/passwd");
	tar_hardlink(&tar, "2031/cve-2031-0003.json", "2031/cve-2031-0001.json");
	tar_file(&tar, "../2031/cve-2031-0004.json", "outside");
	tar_file(&tar, "2031/../../2031/cve-2031-0005.json", "outside");
	tar_file(&tar, "/2032/cve-2032-0006.json", "six");
	tar_file(&tar, "2032/cve-\xff.json", "bytes");
	tar_file(&tar, "2032/cve-2032-0007.json", "");
	bytes = tar_end(&tar);
	CHECK_CUT(bytes, "*/cve-*.json",
			  "2031/cve-2031-0001.json=one;2032/cve-2032-0006.json=six;"
			  "2032/cve-\xff.json=;2032/cve-2032-0007.json=;",
			  "of a tar");
	CHECK_CUT(bytes, "2032/*6.json", "2032/cve-2032-0006.json=six;", "by another pattern");
	CHECK_CUT(bytes, "nothing", "", "none is meant");
	bytes.size = 512 + 512 + 100;
	CHECK(strstr(cut_bytes(&archive_record_cutter, bytes, "*/cve-*.json"),
				 "\"2031/cve-2031-0001.json\": damaged tar archive, at entry 3: ") != NULL,
		  "a tar that ends too early");
	tar_free(&tar);
}

static void
test_zip(void)
{
	ZipWriter inner = {0};
	ZipWriter outer = {0};
	ClairBytes inside;
	ClairBytes bytes;
	char *large = malloc(1 << 20);

	memset(large, 'x', 1 << 20);
	zip_begin(&inner, "deflate");
	zip_file(&inner, "cves/2031/CVE-2031-0001.json", CLAIR_LITERAL("one"), true);
	zip_file(&inner, "cves/passed-over", (ClairBytes){large, 1 << 20}, false);
	zip_file(&inner, "cves/2031/CVE-2031-0002.json", CLAIR_LITERAL("two"), false);
	zip_file(&inner, "cves/../../CVE-2031-0003.json", CLAIR_LITERAL("outside"), true);
	inside = zip_end(&inner);
	CHECK_CUT(inside, "*/CVE-*.json",
			  "cves/2031/CVE-2031-0001.json=one;cves/2031/CVE-2031-0002.json=two;", "of a zip");

	zip_begin(&outer, "store");
	zip_file(&outer, "CVE-before.json", CLAIR_LITERAL("before"), true);
	zip_file(&outer, "cves.zip", inside, true);
	zip_file(&outer, "CVE-after.json", CLAIR_LITERAL("after"), false);
	bytes = zip_end(&outer);
	CHECK_CUT(bytes, "*CVE-*.json",
			  "CVE-before.json=before;cves/2031/CVE-2031-0001.json=one;"
			  "cves/2031/CVE-2031-0002.json=two;CVE-after.json=after;",
			  "of a zip in a zip");

	limits.max_document_size = 1000000;
	CHECK_CUT(inside, "*/CVE-*.json",
			  "more than 1000000 bytes when decompressed|"
			  "The limit is the setting clair.max_document_size.",
			  "what is passed over counts");
	limits = CLAIR_DEFAULT_LIMITS;
	limits.max_record_size = 1000;
	CHECK_CUT(inside, "cves/passed*",
			  "\"cves/passed-over\": the record is too large|"
			  "The limit is the setting clair.max_record_size.",
			  "a record that is too large");
	limits = CLAIR_DEFAULT_LIMITS;
	limits.max_entries = 2;
	CHECK_CUT(inside, "*/CVE-*.json",
			  "more than 2 entries|The limit is the setting clair.max_entries.",
			  "too many entries");
	limits = CLAIR_DEFAULT_LIMITS;
	inside.size = 60;
	CHECK(strstr(cut_bytes(&archive_record_cutter, inside, "*"), "damaged zip archive") != NULL,
		  "a zip that ends too early");
	free(inner.data);
	free(outer.data);
	free(large);
}

/* Files whose compressed bytes come in many pieces, some of which give nothing yet. */
static void
test_pieces(void)
{
	ZipWriter zip = {0};
	char text[20000];
	uint32_t random = 1;
	ClairBytes bytes;
	bool whole = true;

	for (size_t i = 0; i < sizeof(text); i++)
	{
		random = random * 1103515245 + 12345;
		text[i] = (char) ('a' + (random >> 16) % 26);
	}
	zip_begin(&zip, "deflate");
	zip_file(&zip, "unsized", (ClairBytes){text, sizeof(text)}, false);
	zip_file(&zip, "sized", (ClairBytes){text, sizeof(text)}, true);
	bytes = zip_end(&zip);
	for (size_t size = 1; size <= 64; size++)
	{
		Dripping dripping = {.stream = {.read = drip}, .rest = bytes, .size = size};
		FeedRecord record;
		ClairError error;
		void *records;
		bool found;

		if (archive_record_cutter.open(&dripping.stream, "*", &limits, &records, &error) !=
			CLAIR_OK)
			abort();
		for (int i = 0; i < 2; i++)
			whole &= archive_record_cutter.next(records, &record, &found, &error) == CLAIR_OK &&
					 found && clair_bytes_equal(record.value, (ClairBytes){text, sizeof(text)});
		archive_record_cutter.close(records);
	}
	CHECK(whole, "files are whole, in whatever pieces they come");
	free(zip.data);
}

/* 128 MB of zeros in a zip: about a thousand times its size. */
static void
test_bomb(void)
{
	ZipWriter zip = {0};
	size_t size = (size_t) 128 << 20;
	char *zeros = calloc(1, size);
	ClairBytes bytes;

	zip_begin(&zip, "deflate");
	zip_file(&zip, "zeros", (ClairBytes){zeros, size}, true);
	bytes = zip_end(&zip);
	limits.max_ratio = 100;
	CHECK_CUT(bytes, "nothing",
			  "zip data decompresses to more than 100 times its size|"
			  "The limit is the setting clair.max_ratio.",
			  "a bomb");
	limits = CLAIR_DEFAULT_LIMITS;
	free(zip.data);
	free(zeros);
}

static void
test_others(void)
{
	TarWriter tar = {0};
	ClairBytes bytes;

	CHECK_CUT(CLAIR_LITERAL(""), "*", "not a tar or zip archive|", "nothing");
	CHECK_CUT(CLAIR_LITERAL("<html><body>404</body></html>"), "*", "not a tar or zip archive|",
			  "another file");

	tar_file(&tar, "a.zip", "any bytes");
	bytes = tar_end(&tar);
	CHECK_CUT(bytes, "*", "a.zip=any bytes;", "a zip in a tar is a file");
	tar_free(&tar);
	CHECK_TEXT(clair_bytes(cut_bytes(&file_record_cutter, CLAIR_LITERAL("{} "), NULL)), "={} ;",
			   "a document that is a record");
}

static void
test_hostile(void)
{
	const char *path = unit_data("hostile/feed/zip-slip-tar.tar.gz");
	ClairStream *stream;
	ClairError error;
	FILE *file;

	if (path == NULL)
		return;
	file = fopen(path, "rb");
	if (file == NULL || record_feed_stream(&limits, fileno(file), &stream, &error) != CLAIR_OK)
		abort();
	CHECK_TEXT(clair_bytes(cut_stream(&archive_record_cutter, stream, "*")), "",
			   "names that lead out of the archive are passed over");
	stream->close(stream);
	fclose(file);
}

int
main(void)
{
	limits = CLAIR_DEFAULT_LIMITS;
	test_tar();
	test_zip();
	test_pieces();
	test_bomb();
	test_others();
	test_hostile();
	return unit_result();
}
