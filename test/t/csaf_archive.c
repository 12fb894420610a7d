/*
 * csaf_archive.c
 *    Writes a made-up archive of Red Hat's CSAF VEX documents: csaf_archive MEGABYTES FILE
 *
 * Documents are made, from one seed, until there are so many megabytes of them. Of four in five one
 * package has no fix in a few releases; of the others a source package with up to 60 binary
 * packages is fixed, each built for four architectures, in two repositories of each of two to eight
 * streams: which gives documents from 4 kB to 3 MB, as Red Hat has them. Prints how many documents
 * and bytes there are.
 */
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DOCUMENT ((size_t) 16 << 20)
#define PRODUCTS	 "\"product_ids\":["

/* What a document consists of. */
typedef struct Shape
{
	int number;
	int packages; /* binary packages; 0: nothing is fixed */
	int streams;
} Shape;

typedef struct Text
{
	char *data;
	size_t size;
} Text;

typedef struct Stream
{
	const char *product; /* of the CPE, with its version */
	const char *platform;
	const char *tag; /* of the release */
} Stream;

static const Stream streams[] = {{"enterprise_linux:9", "9.6.0.Z.MAIN", "el9_6"},
								 {"enterprise_linux:8", "8.10.0.Z.MAIN", "el8_10"},
								 {"rhel_eus:9.4", "9.4.0.Z.EUS", "el9_4"},
								 {"rhel_e4s:9.2", "9.2.0.Z.E4S", "el9_2"},
								 {"rhel_e4s:9.0", "9.0.0.Z.E4S", "el9_0"},
								 {"rhel_tus:8.8", "8.8.0.Z.TUS", "el8_8"},
								 {"rhel_aus:8.6", "8.6.0.Z.AUS", "el8_6"},
								 {"rhel_aus:8.4", "8.4.0.Z.AUS", "el8_4"}};
static const char *const repositories[] = {"AppStream", "BaseOS"};
static const char *const architectures[] = {"aarch64", "ppc64le", "s390x", "x86_64"};

static uint64_t state = 1;

/* A number from 0 to below limit. */
static int
random_below(int limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (int) (state % (uint64_t) limit);
}

static void __attribute__((format(printf, 2, 3))) add(Text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text->size += (size_t) vsnprintf(text->data + text->size, MAX_DOCUMENT - text->size, format,
									 arguments);
	va_end(arguments);
	if (text->size >= MAX_DOCUMENT)
		abort();
}

/* Ends a list in place of its last comma. */
static void
end_list(Text *text, const char *end)
{
	if (text->data[text->size - 1] == ',')
		text->size--;
	add(text, "%s", end);
}

/* Calls a function for each fixed product of the document. */
static void
for_each_fix(Text *text, const Shape *shape,
			 void (*write)(Text *text, const Shape *shape, const char *platform, const char *build),
			 int stream)
{
	int first = stream < 0 ? 0 : stream;
	int last = stream < 0 ? shape->streams - 1 : stream;

	for (int i = first; i <= last; i++)
		for (int repository = 0; repository < 2; repository++)
			for (int package = 0; package < shape->packages; package++)
				for (int architecture = 0; architecture < 4; architecture++)
				{
					char platform[64];
					char build[128];

					snprintf(platform, sizeof(platform), "%s-%s", repositories[repository],
							 streams[i].platform);
					snprintf(build, sizeof(build), "package-%d-%d-0:1.%d-2.%s.%s",
							 shape->number % 3000, package, shape->number % 7, streams[i].tag,
							 architectures[architecture]);
					write(text, shape, platform, build);
				}
}

static void
write_id(Text *text, const Shape *shape, const char *platform, const char *build)
{
	(void) shape;
	add(text, "\"%s:%s\",", platform, build);
}

static void
write_relationship(Text *text, const Shape *shape, const char *platform, const char *build)
{
	(void) shape;
	add(text,
		"{\"category\":\"default_component_of\",\"full_product_name\":{\"name\":\"%s as a "
		"component "
		"of %s\",\"product_id\":\"%s:%s\"},\"product_reference\":\"%s\","
		"\"relates_to_product_reference\":\"%s\"},",
		build, platform, platform, build, build, platform);
}

static void
write_branches(Text *text, const Shape *shape)
{
	add(text, "\"product_tree\":{\"branches\":[{\"category\":\"vendor\",\"name\":\"Red Hat\","
			  "\"branches\":[");
	for (int i = 0; i < shape->streams; i++)
		for (int repository = 0; repository < 2; repository++)
			add(text,
				"{\"category\":\"product_name\",\"name\":\"x\",\"product\":{\"name\":\"x\","
				"\"product_id\":\"%s-%s\",\"product_identification_helper\":{\"cpe\":"
				"\"cpe:/%s:redhat:%s::%s\"}}},",
				repositories[repository], streams[i].platform, repository == 0 ? "a" : "o",
				streams[i].product, repository == 0 ? "appstream" : "baseos");
	for (int release = 6; release <= 10; release++)
		add(text,
			"{\"category\":\"product_name\",\"name\":\"x\",\"product\":{\"name\":\"x\","
			"\"product_id\":\"red_hat_enterprise_linux_%d\",\"product_identification_helper\":{"
			"\"cpe\":\"cpe:/o:redhat:enterprise_linux:%d\"}}},",
			release, release);
	add(text,
		"{\"category\":\"product_version\",\"name\":\"x\",\"product\":{\"name\":\"x\","
		"\"product_id\":\"package-%d.src\",\"product_identification_helper\":{\"purl\":"
		"\"pkg:rpm/redhat/package-%d?arch=src\"}}},",
		shape->number % 3000, shape->number % 3000);
	for (int i = 0; i < shape->streams; i++)
		for (int package = 0; package < shape->packages; package++)
			for (int architecture = 0; architecture < 4; architecture++)
				add(text,
					"{\"category\":\"product_version\",\"name\":\"x\",\"product\":{\"name\":\"x\","
					"\"product_id\":\"package-%d-%d-0:1.%d-2.%s.%s\","
					"\"product_identification_helper\":{\"purl\":"
					"\"pkg:rpm/redhat/package-%d-%d@1.%d-2.%s?arch=%s\"}}},",
					shape->number % 3000, package, shape->number % 7, streams[i].tag,
					architectures[architecture], shape->number % 3000, package, shape->number % 7,
					streams[i].tag, architectures[architecture]);
	end_list(text, "]}],");
}

/* Writes the ids of the source package in releases that have no fix. */
static void
write_unfixed(Text *text, const Shape *shape)
{
	for (int release = shape->packages > 0 ? 6 : 7; release <= (shape->packages > 0 ? 7 : 10);
		 release++)
		add(text, "\"red_hat_enterprise_linux_%d:package-%d.src\",", release, shape->number % 3000);
	end_list(text, "]");
}

static void
write_relationships(Text *text, const Shape *shape)
{
	add(text, "\"relationships\":[");
	for (int release = 6; release <= 10; release++)
		add(text,
			"{\"category\":\"default_component_of\",\"full_product_name\":{\"name\":\"x\","
			"\"product_id\":\"red_hat_enterprise_linux_%d:package-%d.src\"},"
			"\"product_reference\":\"package-%d.src\",\"relates_to_product_reference\":"
			"\"red_hat_enterprise_linux_%d\"},",
			release, shape->number % 3000, shape->number % 3000, release);
	for_each_fix(text, shape, write_relationship, -1);
	end_list(text, "]},");
}

static void
write_vulnerability(Text *text, const Shape *shape)
{
	add(text,
		"\"vulnerabilities\":[{\"cve\":\"CVE-2031-%05d\",\"notes\":[{\"category\":\"description\","
		"\"text\":\"A flaw was found in package %d: a length that comes from outside is not "
		"checked "
		"before it is used, which allows a remote attacker to crash what reads it.\"}],"
		"\"product_status\":{\"fixed\":[",
		shape->number, shape->number % 3000);
	for_each_fix(text, shape, write_id, -1);
	end_list(text, "],\"known_affected\":[");
	write_unfixed(text, shape);
	add(text, "},\"remediations\":[");
	for (int i = 0; i < shape->streams; i++)
	{
		add(text,
			"{\"category\":\"vendor_fix\",\"details\":\"For details see the advisory.\"," PRODUCTS);
		for_each_fix(text, shape, write_id, i);
		end_list(text, "");
		add(text, "],\"url\":\"https://access.redhat.com/errata/RHSA-2031:%d%d\"},", shape->number,
			i);
	}
	add(text, "{\"category\":\"none_available\",\"details\":\"%s\"," PRODUCTS,
		shape->number % 2 != 0 ? "Affected" : "Fix deferred");
	write_unfixed(text, shape);
	add(text, "}],\"threats\":[{\"category\":\"impact\",\"details\":\"%s\"," PRODUCTS,
		shape->number % 5 != 0 ? "Moderate" : "Important");
	for_each_fix(text, shape, write_id, -1);
	write_unfixed(text, shape);
	add(text, "}]}]}");
}

static void
write_document(Text *text, const Shape *shape)
{
	text->size = 0;
	add(text,
		"{\"document\":{\"aggregate_severity\":{\"text\":\"Moderate\"},\"category\":\"csaf_vex\","
		"\"csaf_version\":\"2.0\",\"tracking\":{\"id\":\"CVE-2031-%05d\",\"status\":\"final\"}},",
		shape->number);
	write_branches(text, shape);
	write_relationships(text, shape);
	write_vulnerability(text, shape);
}

static void
require(int result)
{
	if (result == ARCHIVE_OK)
		return;
	fprintf(stderr, "csaf_archive: could not write the archive\n");
	exit(1);
}

static void
add_file(struct archive *archive, const Shape *shape, const Text *text)
{
	struct archive_entry *entry = archive_entry_new();
	char name[64];

	snprintf(name, sizeof(name), "2031/cve-2031-%05d.json", shape->number);
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t) text->size);
	require(archive_write_header(archive, entry));
	if (archive_write_data(archive, text->data, text->size) != (la_ssize_t) text->size)
		require(ARCHIVE_FATAL);
	archive_entry_free(entry);
}

int
main(int argument_count, char **arguments)
{
	struct archive *archive = archive_write_new();
	Text text = {malloc(MAX_DOCUMENT), 0};
	int64_t wanted;
	int64_t bytes = 0;
	int documents = 0;

	if (argument_count != 3 || archive == NULL || text.data == NULL)
	{
		fprintf(stderr, "usage: csaf_archive MEGABYTES FILE\n");
		return 1;
	}
	wanted = strtoll(arguments[1], NULL, 10) * 1000000;
	require(archive_write_set_format_ustar(archive));
	require(archive_write_add_filter_zstd(archive));
	require(archive_write_open_filename(archive, arguments[2]));
	while (bytes < wanted)
	{
		Shape shape = {.number = ++documents};

		if (random_below(5) == 0)
		{
			int most = random_below(20) == 0 ? 60 : 12;

			shape.packages = 1 + random_below(most);
			shape.streams = 2 + random_below(7);
		}
		write_document(&text, &shape);
		add_file(archive, &shape, &text);
		bytes += (int64_t) text.size;
	}
	require(archive_write_close(archive));
	archive_write_free(archive);
	free(text.data);
	printf("%d documents, %" PRId64 " bytes\n", documents, bytes);
	return 0;
}
