/*
 * xml_test.c
 *    Proves that XML is cut into its records, however it comes in pieces, and that what is not
 *    well-formed, declares a type, or is larger than it may be is refused with the line.
 */
#include "common/limits.h"
#include "common/stream.h"
#include "dripping.h"
#include "feed/record_feed.h"
#include "feed/xml.h"
#include "unit.h"

static char result[4096];
static size_t result_size;

static void
say(const char *format, ClairBytes text)
{
	size_t left = sizeof(result) - result_size;

	result_size += (size_t) snprintf(result + result_size, left, format, (int) text.size,
									 text.data);
}

/* Says an element as name[attribute...]{text children}, for attributes a and b. */
static void
say_element(const XmlElement *element)
{
	static const char *const names[] = {"a", "b"};
	ClairBytes content = element->content;
	XmlElement child;

	say("%.*s", element->name);
	for (size_t i = 0; i < 2; i++)
	{
		ClairBytes value = xml_attribute(element, names[i]);

		if (value.data != NULL)
			say(i == 0 ? "[a=%.*s]" : "[b=%.*s]", value);
	}
	say("{%.*s", xml_text(element));
	while (xml_next_child(&content, &child))
		say_element(&child);
	say("}%.*s", CLAIR_LITERAL(""));
}

/* The records of a stream, each with "@line;", or the error. */
static const char *
read_records(ClairStream *stream, const char *part, int64_t max_record_size)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairError error;
	void *records;
	FeedRecord record;
	ClairStatus status;
	bool found;

	limits.max_record_size = max_record_size;
	result_size = 0;
	result[0] = '\0';
	if (xml_record_cutter.open(stream, part, &limits, &records, &error) != CLAIR_OK)
		return "not opened";
	while ((status = xml_record_cutter.next(records, &record, &found, &error)) == CLAIR_OK && found)
	{
		XmlElement element = xml_record(record.value);
		char line[32];

		say_element(&element);
		snprintf(line, sizeof(line), "@%" PRId64 ";", record.position);
		say("%.*s", clair_bytes(line));
	}
	if (status != CLAIR_OK)
		snprintf(result, sizeof(result), "%d %s", (int) status, error.message);
	xml_record_cutter.close(records);
	return result;
}

static const char *
cut(const char *document, const char *part, size_t piece_size, int64_t max_record_size)
{
	Dripping dripping = {.stream = {.read = drip},
						 .rest = clair_bytes(document),
						 .size = piece_size};

	return read_records(&dripping.stream, part, max_record_size);
}

/* Whether it is what is expected, or begins like this, when that ends in "*". */
static bool
is_expected(const char *is, const char *expected)
{
	size_t size = strlen(expected);

	if (size > 0 && expected[size - 1] == '*')
		return strncmp(is, expected, size - 1) == 0;
	return strcmp(is, expected) == 0;
}

/* The same result for every size of the pieces. */
static void
check_cut(const char *document, const char *part, const char *expected)
{
	for (size_t size = 1; size <= 33; size++)
	{
		const char *is = cut(document, part, size, 1 << 20);

		if (!is_expected(is, expected) || size == 33)
		{
			CHECK(is_expected(is, expected), document);
			printf("# %s\n", is);
			return;
		}
	}
}

static void
check_records(void)
{
	check_cut("<r/>", "r/x", "");
	check_cut("<r><x/></r>", "r/x", "x{}@1;");
	check_cut("<?xml version=\"1.0\"?>\n<r>\n <x a='1' b=\"2\">t</x>\n <y/><x>u</x>\n</r>\n", "r/x",
			  "x[a=1][b=2]{t}@3;x{u}@4;");
	check_cut("<r><s><x/></s><x><s><x/></s></x></r>", "r/x", "x{s{x{}}}@1;");
	check_cut("<r><x><x>i</x></x></r>", "r/y|x/x", "x{i}@1;");
	check_cut("<r><x><x>i</x></x></r>", "r/x;r/x/x", "x{x{i}}@1;");
	check_cut("<r><s><x>1</x></s><t><x>2</x><y>3</y></t><u><x/></u></r>", "r/s|t/*",
			  "x{1}@1;x{2}@1;y{3}@1;");
	check_cut("<r><d a='1'>long<x/></d><t><x>2</x></t></r>", "r/d@;r/t/*", "d[a=1]{}@1;x{2}@1;");
	check_cut("<r><d a='1'>long<x/></d><d a='2'/></r>", "r/d@", "d[a=1]{}@1;d[a=2]{}@1;");
}

static void
check_content(void)
{
	check_cut("<r><x> a <!-- no -->b<?no no?> <![CDATA[<c>]]> &lt;&amp;&#x41;&gt; </x></r>", "r/x",
			  "x{a b <c> <&A>}@1;");
	check_cut("<r><x>\n <y/>\n t</x></r>", "r/x", "x{y{}}@1;");
	check_cut("<r><x>t<y/>u</x></r>", "r/x", "x{ty{}}@1;");
	check_cut("<p:r xmlns:p='urn:p' xmlns='urn:q'><x p:a='1' b='2' a='3'/><p:x/></p:r>", "r/x",
			  "x[a=3][b=2]{}@1;x{}@1;");
	check_cut("<r><x a='&quot;&#10;&apos;'/></r>", "r/x", "x[a=\"\n']{}@1;");
	check_cut("<?xml version='1.0' encoding='ISO-8859-1'?><r><x a='\xe9'>caf\xe9</x></r>", "r/x",
			  "x[a=\xc3\xa9]{caf\xc3\xa9}@1;");
	check_cut("<r><x>\xc3\xa9</x></r>", "r/x", "x{\xc3\xa9}@1;");
}

static void
check_refused(void)
{
	check_cut("", "r/x", "1 the document is empty");
	check_cut("<html><body/></html>", "r/x", "1 line 1: the document is \"html\", not \"r\"");
	check_cut("<r>\n<x></r>", "r/x", "1 line 2: *");
	check_cut("<r>\n<x>", "r/x", "1 line 2: the document ends too early");
	check_cut("<r>\n<x/>\n<y a=", "r/x", "1 line 3: the document ends too early");
	check_cut("<r>&foo;</r>", "r/x", "1 line 1: *");
	check_cut("<r><x>\xff</x></r>", "r/x", "1 line 1: *");
	check_cut("<!DOCTYPE r>\n<r><x/></r>", "r/x",
			  "1 line 1: a document type declaration is not allowed");
	check_cut("<!DOCTYPE r [<!ENTITY e 'x'>]><r><x>&e;</x></r>", "r/x",
			  "1 line 1: a document type declaration is not allowed");
	check_cut("{\"json\": true}", "r/x", "1 line 1: *");
	CHECK_TEXT(clair_bytes(cut("<r><x>0123456789</x></r>", "r/x", 5, 40)), "x{0123456789}@1;",
			   "a record as large as it may be");
	CHECK_TEXT(clair_bytes(cut("<r><x>0123456789</x></r>", "r/x", 5, 20)),
			   "2 line 1: the record is too large", "one that is larger");
}

/* A document with so many nested elements, attributes' bytes, or the like. */
static void
check_large(const char *start, const char *repeated, size_t count, const char *end,
			const char *expected)
{
	size_t size = strlen(start) + count * strlen(repeated) + strlen(end);
	char *document = malloc(size + 1);
	char *at = document + sprintf(document, "%s", start);
	ClairStream *stream;
	ClairError error;

	for (size_t i = 0; i < count; i++)
		at += sprintf(at, "%s", repeated);
	strcpy(at, end);
	CHECK_INT(stream_open_bytes((ClairBytes){document, size}, &stream, &error), CLAIR_OK, start);
	CHECK_TEXT(clair_bytes(read_records(stream, "r/x", 64 << 20)), expected, repeated);
	stream->close(stream);
	free(document);
}

static void
check_bounds(void)
{
	check_large("<r>", "<x>", 62, "", "1 line 1: the document ends too early");
	check_large("<r>", "<x>", 64, "", "2 line 1: elements are nested too deep");
	check_large("<r><x>", "<y>", 100000, "", "2 line 1: elements are nested too deep");
	check_large("<r><x a='", "0123456789", 100000, "'/></r>",
				"2 line 1: a tag or a comment is too large");
	check_large("<r><!--", "0123456789", 100000, "--></r>",
				"2 line 1: a tag or a comment is too large");
	check_large("<r>", "<y>0123456789</y>", 100000, "</r>", "");
}

/* What a hostile file comes to. */
static void
check_hostile(const char *file, const char *expected)
{
	char name[64];
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairStream *stream;
	ClairError error;
	const char *path;
	FILE *opened;

	snprintf(name, sizeof(name), "hostile/feed/%s", file);
	path = unit_data(name);
	if (path == NULL)
		return;
	opened = fopen(path, "r");
	CHECK_INT(record_feed_stream(&limits, fileno(opened), &stream, &error), CLAIR_OK, path);
	CHECK_TEXT(clair_bytes(
				   read_records(stream, "oval_definitions/definitions/definition", 64 << 20)),
			   expected, file);
	stream->close(stream);
	fclose(opened);
}

static void
check_all_hostile(void)
{
	check_hostile("entity-bomb.xml", "1 line 2: a document type declaration is not allowed");
	check_hostile("external-entity.xml", "1 line 2: a document type declaration is not allowed");
	check_hostile("html-instead.xml", "1 line 1: a document type declaration is not allowed");
	check_hostile("xinclude.xml", "");
	check_hostile("latin1.xml", "definition{metadata{title{caf\xc3\xa9}}}@1;");
	check_hostile("deep.xml.gz", "1 line 2: the document is \"a\", not \"oval_definitions\"");
	check_hostile("attr-huge.xml.gz", "2 line 2: a tag or a comment is too large");
	CHECK(unit_peak_memory() < 48 * 1024, "all that in less than 48 MB");
}

int
main(void)
{
	xml_initialize();
	check_records();
	check_content();
	check_refused();
	check_bounds();
	check_all_hostile();
	return unit_result();
}
