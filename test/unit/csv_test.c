/*
 * csv_test.c
 *    Proves that documents of comma-separated values are cut into records and fields as RFC 4180
 *    says, however they come in pieces, and that broken ones are refused, with the line.
 */
#include "common/arena.h"
#include "common/limits.h"
#include "dripping.h"
#include "feed/csv.h"
#include "unit.h"

/* The records as "line@position=value;", and the error that ends them, if one does. */
static const char *
cut(ClairBytes document, size_t piece_size, int64_t max_record_size)
{
	static char result[4096];
	Dripping dripping = {.stream = {.read = drip}, .rest = document, .size = piece_size};
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	FeedRecord record;
	ClairError error;
	ClairStatus status;
	void *records;
	bool found;
	size_t size = 0;

	limits.max_record_size = max_record_size;
	result[0] = '\0';
	if (csv_record_cutter.open(&dripping.stream, NULL, &limits, &records, &error) != CLAIR_OK)
		return "not opened";
	while ((status = csv_record_cutter.next(records, &record, &found, &error)) == CLAIR_OK && found)
		size += (size_t) snprintf(result + size, sizeof(result) - size,
								  "%" PRId64 "@%" PRId64 "=%.*s;", record.number, record.position,
								  (int) record.value.size, record.value.data);
	if (status != CLAIR_OK)
		snprintf(result + size, sizeof(result) - size, "%d %s", (int) status, error.message);
	else if (csv_record_cutter.size(records) != (int64_t) document.size ||
			 csv_record_cutter.next(records, &record, &found, &error) != CLAIR_OK || found)
		snprintf(result, sizeof(result), "the end is wrong");
	csv_record_cutter.close(records);
	return result;
}

/* The same result for every size of the pieces. */
static void
check_cut(const char *document, const char *expected)
{
	for (size_t size = 1; size <= 33; size++)
	{
		const char *result = cut(clair_bytes(document), size, 1 << 20);

		if (strcmp(result, expected) != 0 || size == 33)
		{
			CHECK_TEXT(clair_bytes(result), expected, document);
			return;
		}
	}
}

static void
check_records(void)
{
	check_cut("", "");
	check_cut("a", "1@0=a;");
	check_cut("a\n", "1@0=a;");
	check_cut("a,b\nc,d\n", "1@0=a,b;2@4=c,d;");
	check_cut("a,b\r\nc,d\r\n", "1@0=a,b;2@5=c,d;");
	check_cut("a\n\n\r\nb\n\n", "1@0=a;4@5=b;");
	check_cut("\n\n", "");
	check_cut("\"a\",\"b\"\n\"c\"\n", "1@0=\"a\",\"b\";2@8=\"c\";");
	check_cut("\"a\n\nb\",c\nd\n", "1@0=\"a\n\nb\",c;4@9=d;");
	check_cut("\"a\r\nb\"\r\nc", "1@0=\"a\r\nb\";3@8=c;");
	check_cut("\"a\"\"\n\"\nb", "1@0=\"a\"\"\n\";3@7=b;");
	check_cut("#version:1,\"x\na\n", "1@0=#version:1,\"x;2@14=a;");
	check_cut("a,#\"b\nc\"\n", "1@0=a,#\"b\nc\";");
	check_cut("\xef\xbb\xbf"
			  "a\nb\n",
			  "1@3=a;2@5=b;");
	check_cut("\xef\xbb\xbf\na\n", "2@4=a;");
	check_cut("a\n\xef\xbb\xbf"
			  "b",
			  "1@0=a;2@2=\xef\xbb\xbf"
			  "b;");
	check_cut("\"2031/cve-2031-0044.json\",\"2031-02-02T10:11:12+00:00\"",
			  "1@0=\"2031/cve-2031-0044.json\",\"2031-02-02T10:11:12+00:00\";");

	check_cut("a\n\"b\nc", "1@0=a;1 line 2: the document ends within quotes");
	check_cut("\"", "1 line 1: the document ends within quotes");
}

static void
check_limit(void)
{
	for (size_t size = 1; size < 20; size += 6)
	{
		CHECK_TEXT(clair_bytes(cut(clair_bytes("a\n0123456789\nb\n"), size, 10)),
				   "1@0=a;2@2=0123456789;3@13=b;", "a record of the greatest size is taken");
		CHECK_TEXT(clair_bytes(cut(clair_bytes("a\n0123456789\nb\n"), size, 9)),
				   "1@0=a;2 line 2: the record is too large", "a larger one is not");
		CHECK_TEXT(clair_bytes(cut(clair_bytes("a\n\"\n\n\n\n\n\n\n\n\n\""), size, 9)),
				   "1@0=a;2 line 2: the record is too large", "nor one of many lines");
	}
}

static void
check_bytes(ClairBytes record, const char *expected)
{
	Arena *arena = arena_create(1 << 20);
	ClairBytes fields[4];
	size_t count;
	const char *problem = csv_fields(arena, record, fields, 4, &count);
	char result[256] = "";

	for (size_t i = 0; i < count && problem == NULL; i++)
		snprintf(result + strlen(result), sizeof(result) - strlen(result), "%s%.*s",
				 i > 0 ? "|" : "", (int) fields[i].size, fields[i].data);
	CHECK_TEXT(problem != NULL ? clair_bytes(problem) : clair_bytes(result), expected, record.data);
	arena_destroy(arena);
}

static void
check(const char *record, const char *expected)
{
	check_bytes(clair_bytes(record), expected);
}

static void
check_fields(void)
{
	Arena *none = arena_create(0);
	ClairBytes fields[2];
	size_t count;

	check("CVE-2031-0100,0.00123,0.45678", "CVE-2031-0100|0.00123|0.45678");
	check("\"2031/cve-2031-0044.json\",\"2031-02-02T10:11:12+00:00\"",
		  "2031/cve-2031-0044.json|2031-02-02T10:11:12+00:00");
	check("", "");
	check(",", "|");
	check("a,,b,", "a||b|");
	check("\"\",\"\"", "|");
	check(" a , b ", " a | b ");
	check("\"a,b\",c", "a,b|c");
	check("\"a\r\nb\",\"\n\"", "a\r\nb|\n");
	check("\"\"\"\"", "\"");
	check("\"a\"\"b\"\"\"\"c\",\"\"\"\"\"\"", "a\"b\"\"c|\"\"");
	check("h\xc3\xa4lt,\"\xe2\x82\xac\"", "h\xc3\xa4lt|\xe2\x82\xac");
	check("1,2,3,4", "1|2|3|4");

	check("1,2,3,4,5", "it has too many fields");
	check("1,2,3,4,", "it has too many fields");
	check("\"a", "a closing quote is missing");
	check("\"", "a closing quote is missing");
	check("\"a\"\"", "a closing quote is missing");
	check("\"a\"b", "there is something behind a closing quote");
	check("\"a\" ,b", "there is something behind a closing quote");
	check("a\"b\"", "a quote stands in a field that does not begin with one");
	check(" \"a\"", "a quote stands in a field that does not begin with one");
	check("a,b\"", "a quote stands in a field that does not begin with one");
	check("a\xff", "it is not UTF-8, or has a NUL in it");
	check_bytes(CLAIR_LITERAL("a\0,b"), "it is not UTF-8, or has a NUL in it");

	CHECK(csv_fields(none, CLAIR_LITERAL("a,\"b\""), fields, 2, &count) == NULL && count == 2,
		  "without memory, fields are taken apart");
	CHECK(csv_fields(none, CLAIR_LITERAL("a,\"b\"\"\""), fields, 2, &count) == NULL && count == 0,
		  "but not when quotes are doubled");
	arena_destroy(none);
}

int
main(void)
{
	check_records();
	check_limit();
	check_fields();
	return unit_result();
}
